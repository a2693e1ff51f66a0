/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * neightbl_netlink.c - RTM_GETNEIGHTBL, RTM_SETNEIGHTBL: what neighbour tables do, per table and per device ("ip ntable")
 *
 * A table is told in several messages: the first has what holds for all devices and the parameters that new devices get, each that follows
 * has those of one device. Times are milliseconds on the wire. The same table of fields serves showing and setting.
 * Context: rtnl held; the tables are guarded by the cpu lock, which is taken here. See rtnetlink(7), linux/neighbour.h, ip-ntable(8).
 */
#include <errno.h>
#include <string.h>

#include "core/neighbour.h"
#include "core/sysctl.h"
#include "netlink/netlink.h"
#include "netlink/netlink_internal.h"

#define QUEUED_FRAME                                                                               \
	2108u /* octets of memory that Linux counts for a packet when it tells queue_len_bytes in packets */

static const struct parm {
	u16 attr; /* NDTPA_* */
	bool time;
	bool read_only;
	u16 at; /* in struct neigh_parms: u64 ns, else u32 */
} parms[] = {
#define PARM(attr_, time_, ro, field)                                                              \
	{                                                                                          \
		attr_, time_, ro, offsetof(struct neigh_parms, field)                              \
	}
	PARM(NDTPA_QUEUE_LENBYTES, false, false, queue_len_bytes),
	PARM(NDTPA_PROXY_QLEN, false, false, proxy_qlen),
	PARM(NDTPA_APP_PROBES, false, false, app_probes),
	PARM(NDTPA_UCAST_PROBES, false, false, ucast_probes),
	PARM(NDTPA_MCAST_PROBES, false, false, mcast_probes),
	PARM(NDTPA_MCAST_REPROBES, false, false, mcast_reprobes),
	PARM(NDTPA_REACHABLE_TIME, true, true, reachable_time),
	PARM(NDTPA_BASE_REACHABLE_TIME, true, false, base_reachable_time),
	PARM(NDTPA_GC_STALETIME, true, false, gc_staletime),
	PARM(NDTPA_DELAY_PROBE_TIME, true, false, delay_probe_time),
	PARM(NDTPA_RETRANS_TIME, true, false, retrans_time),
	PARM(NDTPA_ANYCAST_DELAY, true, false, anycast_delay),
	PARM(NDTPA_PROXY_DELAY, true, false, proxy_delay),
	PARM(NDTPA_LOCKTIME, true, false, locktime),
#undef PARM
};

static const struct nla_policy parms_policy[NDTPA_MAX + 1] = {
	[NDTPA_IFINDEX] = { NLA_K_U32, .help = "device" },
	[NDTPA_QUEUE_LEN] = { NLA_K_U32 },
	[NDTPA_QUEUE_LENBYTES] = { NLA_K_U32 },
	[NDTPA_PROXY_QLEN] = { NLA_K_U32 },
	[NDTPA_APP_PROBES] = { NLA_K_U32 },
	[NDTPA_UCAST_PROBES] = { NLA_K_U32 },
	[NDTPA_MCAST_PROBES] = { NLA_K_U32 },
	[NDTPA_MCAST_REPROBES] = { NLA_K_U32 },
	[NDTPA_REACHABLE_TIME] = { NLA_K_U64 },
	[NDTPA_BASE_REACHABLE_TIME] = { NLA_K_U64 },
	[NDTPA_GC_STALETIME] = { NLA_K_U64 },
	[NDTPA_DELAY_PROBE_TIME] = { NLA_K_U64 },
	[NDTPA_RETRANS_TIME] = { NLA_K_U64 },
	[NDTPA_ANYCAST_DELAY] = { NLA_K_U64 },
	[NDTPA_PROXY_DELAY] = { NLA_K_U64 },
	[NDTPA_LOCKTIME] = { NLA_K_U64 },
};

static const struct nla_policy table_policy[NDTA_MAX + 1] = {
	[NDTA_NAME] = { NLA_K_STRING, .len = 32, .help = "table" },
	[NDTA_THRESH1] = { NLA_K_U32 },
	[NDTA_THRESH2] = { NLA_K_U32 },
	[NDTA_THRESH3] = { NLA_K_U32 },
	[NDTA_GC_INTERVAL] = { NLA_K_U64 },
	[NDTA_PARMS] = { NLA_K_NESTED, .nested = parms_policy, .maxtype = NDTPA_MAX },
};

static u64 to_ms(u64 ns)
{
	return ns / NSEC_PER_MSEC;
}

static u32 ms_since(u64 now, u64 then)
{
	return now > then ? (u32)to_ms(now - then) : 0;
}

/* ---- showing ------------------------------------------------------------------------------------------- */

static void put_parms(struct nl_msg *m, const struct neigh_parms *p)
{
	u32 nest = nla_nest_start_noflag(m, NDTA_PARMS), i;

	if (p->dev)
		nla_put_u32(m, NDTPA_IFINDEX, (u32)p->dev->ifindex);
	nla_put_u32(m, NDTPA_REFCNT, 1);
	nla_put_u32(m, NDTPA_QUEUE_LEN, p->queue_len_bytes / QUEUED_FRAME);
	for (i = 0; i < ARRAY_SIZE(parms); i++) {
		const void *v = (const char *)p + parms[i].at;

		if (parms[i].time)
			nla_put_u64(m, parms[i].attr, to_ms(*(const u64 *)v));
		else
			nla_put_u32(m, parms[i].attr, *(const u32 *)v);
	}
	nla_nest_end(m, nest);
}

static void put_table(struct nl_msg *m, const struct neigh_table *tbl)
{
	u64 now = tbl->net->cpu->now;
	const struct ndt_config config = {
		.ndtc_key_len = tbl->key_len,
		.ndtc_entry_size = sizeof(struct neighbour),
		.ndtc_entries = tbl->entries,
		.ndtc_last_flush = ms_since(now, tbl->last_flush),
		.ndtc_last_rand = ms_since(now, tbl->last_rand),
		.ndtc_hash_rnd = tbl->hash_rnd,
		.ndtc_hash_mask = (1u << tbl->hash_bits) - 1,
		.ndtc_proxy_qlen = tbl->proxy_queue.qlen,
	};
	const struct ndt_stats stats = {
		.ndts_allocs = tbl->stats.allocs,
		.ndts_destroys = tbl->stats.destroys,
		.ndts_hash_grows = tbl->stats.hash_grows,
		.ndts_res_failed = tbl->stats.res_failed,
		.ndts_lookups = tbl->stats.lookups,
		.ndts_hits = tbl->stats.hits,
		.ndts_rcv_probes_mcast = tbl->stats.rcv_probes_mcast,
		.ndts_rcv_probes_ucast = tbl->stats.rcv_probes_ucast,
		.ndts_periodic_gc_runs = tbl->stats.periodic_gc_runs,
		.ndts_forced_gc_runs = tbl->stats.forced_gc_runs,
		.ndts_table_fulls = tbl->stats.table_fulls,
	};

	nla_put_u64(m, NDTA_GC_INTERVAL, to_ms(tbl->gc_interval));
	nla_put_u32(m, NDTA_THRESH1, tbl->gc_thresh1);
	nla_put_u32(m, NDTA_THRESH2, tbl->gc_thresh2);
	nla_put_u32(m, NDTA_THRESH3, tbl->gc_thresh3);
	nla_put(m, NDTA_CONFIG, sizeof(config), &config);
	nla_put(m, NDTA_STATS, sizeof(stats), &stats);
}

/* cpu lock held. 0 or -EMSGSIZE */
static int fill(struct nl_msg *m, const struct neigh_parms *p, const struct netlink_callback *cb)
{
	const struct neigh_table *tbl = p->tbl;
	struct ndtmsg *ndt = nlmsg_begin(m, cb->portid, cb->nlh->nlmsg_seq, RTM_NEWNEIGHTBL,
					 NLM_F_MULTI, sizeof(*ndt));

	if (!ndt)
		return -EMSGSIZE;
	ndt->ndtm_family = (u8)tbl->family;
	nla_put_string(m, NDTA_NAME, tbl->id);
	if (!p->dev)
		put_table(m, tbl);
	put_parms(m, p);
	return nlmsg_finish(m);
}

/* args[0]: table, args[1]: sets of parameters of it that are done */
static int neightbl_dump(struct nl_msg *msg, struct netlink_callback *cb)
{
	const struct rtgenmsg *g = (const void *)((const char *)cb->nlh + NLMSG_HDRLEN);
	struct net *net = cb->net;
	const struct neigh_parms *p;
	u64 at;

	for (; cb->args[0] < ARRAY_SIZE(net->core->neigh_tables); cb->args[0]++, cb->args[1] = 0) {
		struct neigh_table *tbl = net->core->neigh_tables[cb->args[0]];

		if (!tbl || (g->rtgen_family && tbl->family != g->rtgen_family))
			continue;
		at = 0;
		cpu_lock(net->cpu);
		list_for_each_entry(p, &tbl->parms_list, list) {
			if (at++ < cb->args[1])
				continue;
			if (fill(msg, p, cb)) {
				cpu_unlock(net->cpu);
				return 1;
			}
			cb->args[1] = at;
		}
		cpu_unlock(net->cpu);
	}
	return 0;
}

/* ---- setting ------------------------------------------------------------------------------------------- */

static struct neigh_table *find_table(struct net *net, u8 family, const char *name)
{
	for (u32 i = 0; i < ARRAY_SIZE(net->core->neigh_tables); i++) {
		struct neigh_table *tbl = net->core->neigh_tables[i];

		if (tbl && (!family || tbl->family == family) && !strcmp(tbl->id, name))
			return tbl;
	}
	return NULL;
}

static struct neigh_parms *find_parms(struct neigh_table *tbl, int ifindex)
{
	struct neigh_parms *p;

	list_for_each_entry(p, &tbl->parms_list, list)
		if (p->dev ? p->dev->ifindex == ifindex : !ifindex)
			return p;
	return NULL;
}

static void set_parms(struct neigh_parms *p, const struct nlattr **tb)
{
	if (tb[NDTPA_QUEUE_LEN])
		p->queue_len_bytes = (u32)min((u64)nla_get_u32(tb[NDTPA_QUEUE_LEN]) * QUEUED_FRAME,
					      (u64)INT32_MAX);
	for (u32 i = 0; i < ARRAY_SIZE(parms); i++) {
		const struct nlattr *a = tb[parms[i].attr];
		void *v = (char *)p + parms[i].at;

		if (!a || parms[i].read_only)
			continue;
		if (parms[i].time)
			*(u64 *)v = min(nla_get_u64(a), (u64)UINT32_MAX) * NSEC_PER_MSEC;
		else
			*(u32 *)v = min(nla_get_u32(a), (u32)INT32_MAX);
	}
}

static void set_table(struct neigh_table *tbl, const struct nlattr **tb)
{
	if (tb[NDTA_THRESH1])
		tbl->gc_thresh1 = nla_get_u32(tb[NDTA_THRESH1]);
	if (tb[NDTA_THRESH2])
		tbl->gc_thresh2 = nla_get_u32(tb[NDTA_THRESH2]);
	if (tb[NDTA_THRESH3])
		tbl->gc_thresh3 = nla_get_u32(tb[NDTA_THRESH3]);
	if (tb[NDTA_GC_INTERVAL])
		tbl->gc_interval =
			min(nla_get_u64(tb[NDTA_GC_INTERVAL]), (u64)UINT32_MAX) * NSEC_PER_MSEC;
}

static int neightbl_set(struct nl_request *req)
{
	const struct ndtmsg *ndt = (const void *)((const char *)req->nlh + NLMSG_HDRLEN);
	const struct nlattr *tb[NDTA_MAX + 1], *ptb[NDTPA_MAX + 1] = { NULL };
	struct neigh_parms *p = NULL;
	struct neigh_table *tbl;
	char name[33];
	int err, ifindex = 0;

	err = nlmsg_parse(req->nlh, sizeof(*ndt), tb, NDTA_MAX, table_policy, req->extack);
	if (!err && tb[NDTA_PARMS])
		err = nla_parse_nested(ptb, NDTPA_MAX, tb[NDTA_PARMS], parms_policy, req->extack);
	if (err)
		return err;
	if (!tb[NDTA_NAME]) {
		nl_set_err_msg(req->extack, "The request names no table: arp_cache or ndisc_cache");
		return -EINVAL;
	}
	nla_strscpy(name, tb[NDTA_NAME], sizeof(name));
	tbl = find_table(req->net, ndt->ndtm_family, name);
	if (!tbl) {
		nl_set_err_msg(req->extack, "There is no neighbour table \"%s\"", name);
		return -ENOENT;
	}
	if (ptb[NDTPA_IFINDEX])
		ifindex = (int)nla_get_u32(ptb[NDTPA_IFINDEX]);
	cpu_lock(req->net->cpu);
	if (tb[NDTA_PARMS]) {
		p = find_parms(tbl, ifindex);
		if (p)
			set_parms(p, ptb);
		else
			err = -ENOENT;
		neigh_table_parms_changed(tbl);
	}
	if (!err)
		set_table(tbl, tb);
	cpu_unlock(req->net->cpu);
	if (err)
		nl_set_err_msg(req->extack, "%s has no parameters of device %d", name, ifindex);
	return err;
}

/* ---- /proc/net/stat/arp_cache, ndisc_cache: one line, for the cpu that the net lives on ------------------- */

static void show_stat(struct net *net, int family, struct text *t)
{
	const struct neigh_table *tbl = net->core->neigh_tables[family == AF_INET6];

	if (!tbl)
		return;
	text_printf(t, "entries  allocs   destroys hash_grows lookups  hits     res_failed "
		       "rcv_probes_mcast rcv_probes_ucast periodic_gc_runs forced_gc_runs "
		       "unresolved_discards table_fulls\n");
	text_printf(
		t,
		"%08x %08llx %08llx %08llx   %08llx %08llx %08llx   %08llx         %08llx         "
		"%08llx         %08llx       %08llx            %08llx\n",
		tbl->entries, (unsigned long long)tbl->stats.allocs,
		(unsigned long long)tbl->stats.destroys, (unsigned long long)tbl->stats.hash_grows,
		(unsigned long long)tbl->stats.lookups, (unsigned long long)tbl->stats.hits,
		(unsigned long long)tbl->stats.res_failed,
		(unsigned long long)tbl->stats.rcv_probes_mcast,
		(unsigned long long)tbl->stats.rcv_probes_ucast,
		(unsigned long long)tbl->stats.periodic_gc_runs,
		(unsigned long long)tbl->stats.forced_gc_runs,
		(unsigned long long)tbl->stats.unres_discards,
		(unsigned long long)tbl->stats.table_fulls);
}

static void show_arp_stat(struct net *net, struct text *t)
{
	show_stat(net, AF_INET, t);
}

static void show_ndisc_stat(struct net *net, struct text *t)
{
	show_stat(net, AF_INET6, t);
}

int neightbl_netlink_machine_init(struct machine *m)
{
	static const struct rtnl_handler handlers[] = {
		{ AF_UNSPEC, RTM_GETNEIGHTBL, NULL, neightbl_dump },
		{ AF_UNSPEC, RTM_SETNEIGHTBL, neightbl_set, NULL },
	};
	static const struct view_desc views[] = {
		{ "/proc/net/stat/arp_cache", show_arp_stat },
		{ "/proc/net/stat/ndisc_cache", show_ndisc_stat },
	};
	int err = rtnl_register(m, handlers, ARRAY_SIZE(handlers));

	return err ? err : view_register(m, views, ARRAY_SIZE(views));
}
