/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * neigh_sysctl.c - net.ipv4.neigh and net.ipv6.neigh: what neighbour tables do, per table ("default") and per device
 *
 * One set of rows for both versions of IP. See arp(7), RFC 4861 10; by netlink: netlink/neightbl_netlink.c.
 */
#include "core/neighbour.h"
#include "core/sysctl.h"

static void refit(struct net *net)
{
	for (u32 i = 0; i < ARRAY_SIZE(net->core->neigh_tables); i++)
		if (net->core->neigh_tables[i])
			neigh_table_parms_changed(net->core->neigh_tables[i]);
}

#define NEIGH(name, kind_, field, hi, help_)                                                       \
	{                                                                                          \
		.path = (name), .kind = (kind_), .offset = offsetof(struct neigh_parms, field),    \
		.max = (hi), .help = (help_), .changed = refit                                     \
	}

static const struct sysctl_desc rows[] = {
	NEIGH("mcast_solicit", SYSCTL_U32, mcast_probes, INT32_MAX,
	      "questions to all (broadcast, multicast) before giving up"),
	NEIGH("ucast_solicit", SYSCTL_U32, ucast_probes, INT32_MAX,
	      "questions to the known station first"),
	NEIGH("app_solicit", SYSCTL_U32, app_probes, INT32_MAX, "questions to a daemon"),
	NEIGH("mcast_resolicit", SYSCTL_U32, mcast_reprobes, INT32_MAX,
	      "questions to all after ucast_solicit"),
	NEIGH("retrans_time", SYSCTL_NS_AS_CS, retrans_time, INT32_MAX,
	      "time between two questions (1/100 s)"),
	NEIGH("retrans_time_ms", SYSCTL_NS_AS_MS, retrans_time, UINT32_MAX,
	      "ms between two questions"),
	NEIGH("base_reachable_time", SYSCTL_NS_AS_S, base_reachable_time, INT32_MAX,
	      "s a confirmation is good for"),
	NEIGH("base_reachable_time_ms", SYSCTL_NS_AS_MS, base_reachable_time, UINT32_MAX,
	      "the same in ms"),
	NEIGH("delay_first_probe_time", SYSCTL_NS_AS_S, delay_probe_time, INT32_MAX,
	      "s to wait for upper layers to confirm a stale entry"),
	NEIGH("gc_stale_time", SYSCTL_NS_AS_S, gc_staletime, INT32_MAX,
	      "s after which unused entries may go"),
	NEIGH("locktime", SYSCTL_NS_AS_CS, locktime, INT32_MAX,
	      "ARP: an entry is not overridden for so long (1/100 s)"),
	NEIGH("proxy_delay", SYSCTL_NS_AS_CS, proxy_delay, INT32_MAX,
	      "time by which answers of a proxy are delayed at most (1/100 s)"),
	NEIGH("anycast_delay", SYSCTL_NS_AS_CS, anycast_delay, INT32_MAX,
	      "kept without effect (1/100 s)"),
	NEIGH("proxy_qlen", SYSCTL_U32, proxy_qlen, INT32_MAX,
	      "questions to a proxy that wait for their answer"),
	NEIGH("unres_qlen_bytes", SYSCTL_U32, queue_len_bytes, INT32_MAX,
	      "octets of packets that wait for one address"),
};

static void *parms_base(const struct neigh_table *tbl, const char *name)
{
	struct neigh_parms *p;

	if (!tbl)
		return NULL;
	list_for_each_entry(p, &tbl->parms_list, list)
		if (!strcmp(name, p->dev ? p->dev->name : "default"))
			return p;
	return NULL;
}

static void parms_list(const struct neigh_table *tbl, struct text *t)
{
	const struct neigh_parms *p;

	if (!tbl)
		return;
	list_for_each_entry(p, &tbl->parms_list, list)
		text_printf(t, "%s\n", p->dev ? p->dev->name : "default");
}

/* A device cannot be called "default" in Linux either: who looks for it finds the table's. */
#define FAMILY(v, index)                                                                           \
	static void *ipv##v##_base(struct net *net, const char *name)                              \
	{                                                                                          \
		return parms_base(net->core->neigh_tables[index], name);                           \
	}                                                                                          \
	static void ipv##v##_list(struct net *net, struct text *t)                                 \
	{                                                                                          \
		parms_list(net->core->neigh_tables[index], t);                                     \
	}                                                                                          \
	static const struct sysctl_dir ipv##v##_dir = { "ipv" #v "/neigh", ipv##v##_base,          \
							ipv##v##_list, rows, ARRAY_SIZE(rows) };   \
	static void *ipv##v##_table(struct net *net)                                               \
	{                                                                                          \
		return net->core->neigh_tables[index];                                             \
	}                                                                                          \
	static const struct sysctl_desc ipv##v##_table_rows[] = {                                  \
		NTABLE("ipv" #v "/neigh/default/gc_thresh1", SYSCTL_U32, gc_thresh1,               \
		       "below so many entries nothing is collected"),                              \
		NTABLE("ipv" #v "/neigh/default/gc_thresh2", SYSCTL_U32, gc_thresh2,               \
		       "above so many entries collection becomes eager"),                          \
		NTABLE("ipv" #v "/neigh/default/gc_thresh3", SYSCTL_U32, gc_thresh3,               \
		       "most entries"),                                                            \
		NTABLE("ipv" #v "/neigh/default/gc_interval", SYSCTL_NS_AS_S, gc_interval,         \
		       "s between two collections"),                                               \
	};                                                                                         \
	static const struct sysctl_table ipv##v##_table_table = {                                  \
		ipv##v##_table, ipv##v##_table_rows, ARRAY_SIZE(ipv##v##_table_rows)               \
	};

#define NTABLE(path, kind, field, help)                                                            \
	SYSCTL_ROW(path, kind, struct neigh_table, field, 0, 0, INT32_MAX, help)

FAMILY(4, 0)
FAMILY(6, 1)

int neigh_sysctl_init(struct machine *m)
{
	int err = sysctl_register(m, &ipv4_table_table);

	if (!err)
		err = sysctl_register_dir(m, &ipv4_dir);
	if (!err)
		err = sysctl_register(m, &ipv6_table_table);
	return err ? err : sysctl_register_dir(m, &ipv6_dir);
}
