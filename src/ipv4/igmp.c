/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * igmp.c - which multicast groups a device receives, and what routers are told about it (IGMPv1, v2, v3)
 *
 * Theory of operation
 *   A socket's membership (ip_mc_socklist, on sk_rare->mc_list) has a filter: EXCLUDE some sources, or INCLUDE only some. A group on a
 *   device (ip_mc_list) merges the filters of its sockets by counting (RFC 3376 3.2): the device is in mode EXCLUDE if one socket is,
 *   and then excludes what every EXCLUDE socket excludes and no INCLUDE socket wants; otherwise it includes what any socket includes.
 *
 *   After each change mc_update() compares with what routers were told (mode, source->in) and marks the difference: the
 *   group for a filter-mode change, or single sources to be allowed or blocked. mr_ifc_timer sends what is marked, igmp_qrv times
 *   altogether, since reports may be lost (RFC 3376 5.1). A group that everybody has left stays, with users 0, until
 *   that is done.
 *
 *   Queries are answered after a random time within the limit they give (RFC 3376 5.2): a general one by mr_gq_timer with the
 *   state of all groups, one for a group by that group's timer. When a router of an older version is heard, the device speaks its
 *   version until that router was silent for long (RFC 3376 7.2.1): one report for a group, held back if another host has sent one, and
 *   in version 2 a leave message.
 *   224.0.0.1 is always joined and never reported.
 * Locking: the cpu lock; socket options and softirq.
 * See RFC 1112, RFC 2236, RFC 3376, RFC 5790.
 */
#include "ipv4/igmp.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>

#include "core/cpu.h"
#include "core/machine.h"
#include "core/sock.h"
#include "core/sysctl.h"
#include "ipv4/ipv4_internal.h"
#include "lib/csum.h"

#define ALL_HOSTS   ((be32){ 0x010000e0 }) /* 224.0.0.1 */
#define ALL_ROUTERS ((be32){ 0x020000e0 }) /* 224.0.0.2 */
#define ALL_REPORTS ((be32){ 0x160000e0 }) /* 224.0.0.22 */

enum igmp_type {
	IGMP_QUERY = 0x11,
	IGMP_V1_REPORT = 0x12,
	IGMP_V2_REPORT = 0x16,
	IGMP_V2_LEAVE = 0x17,
	IGMP_V3_REPORT = 0x22,
};
enum igmp_record { /* RFC 3376 4.2.12 */
		   REC_IS_INCLUDE = 1,
		   REC_IS_EXCLUDE,
		   REC_TO_INCLUDE,
		   REC_TO_EXCLUDE,
		   REC_ALLOW,
		   REC_BLOCK,
};

#define V1_MAX_RESPONSE     (10 * NSEC_PER_SEC) /* RFC 3376 7.2.1 */
#define V1_ROUTER_PRESENT   (400 * NSEC_PER_SEC)
#define QUERY_INTERVAL      (125 * NSEC_PER_SEC)
#define TOS_INTERNETCONTROL 0xc0

struct igmp_msg { /* versions 1 and 2; the beginning of a query of version 3 */
	u8 type, code;
	be16 csum;
	be32 group;
};
struct igmp_query3 {
	struct igmp_msg m;
	u8 flags, qqic;
	be16 nsrcs;
};
struct igmp_report3 {
	u8 type, resv1;
	be16 csum, resv2, ngrec;
};
struct igmp_grec {
	u8 type, auxwords;
	be16 nsrcs;
	be32 group;
};

static u64 random_within(struct in_device *in_dev, u64 max)
{
	return max ? cpu_random(in_dev->net->cpu) % max : 0;
}

static void timer_within(struct in_device *in_dev, struct timer_list *t, u64 max)
{
	mod_timer(in_dev->net->cpu, t, net_now(in_dev->net) + random_within(in_dev, max));
}

/* The version that the routers of the link speak. */
static int igmp_version(const struct in_device *in_dev)
{
	u8 forced = IN_DEV_MAXCONF(in_dev, force_igmp_version);
	u64 now = net_now(in_dev->net);

	if (forced)
		return forced;
	return now < in_dev->mr_v1_seen ? 1 : now < in_dev->mr_v2_seen ? 2 : 3;
}

static bool igmp_silent(const struct ip_mc_list *im)
{
	return be32_eq(im->group, ALL_HOSTS) ||
	       ((be32_to_cpu(im->group) >> 8) == 0xe00000 &&
		!im->in_dev->net->ipv4->igmp_link_local_mcast_reports);
}

/* ---- messages out ---------------------------------------------------------------------------------------------- */

static const struct ip_options router_alert_option = {
	.optlen = 4,
	.router_alert = 20,
	.data = { 148, 4, 0, 0 },
};

/* An empty packet to @dst with room for @size octets; NULL: the device cannot send. */
static struct sk_buff *igmp_new(struct in_device *in_dev, be32 dst, u32 size)
{
	struct net *net = in_dev->net;
	struct flowi4 fl = { .daddr = dst, .oif = in_dev->dev->ifindex, .proto = IPPROTO_IGMP };
	struct sk_buff *skb;
	struct rtable *rt;
	int err;

	if (!netif_running(in_dev->dev))
		return NULL;
	rt = ip_route_output_key(net, &fl, &err);
	if (!rt)
		return NULL;
	skb = be32_zero(fl.saddr) ? NULL : alloc_skb(net->cpu, MAX_HEADER + 24 + size);
	if (!skb) {
		ip_rt_put(rt);
		return NULL;
	}
	skb_reserve(skb, MAX_HEADER + 24);
	skb_dst_set(skb, &rt->dst);
	memset(IPCB(skb), 0, sizeof(*IPCB(skb)));
	/* The IP header is written when the message is complete; until then the source waits here. */
	memcpy(skb->head, &fl.saddr, sizeof(fl.saddr));
	return skb;
}

/* Consumes. */
static void igmp_send(struct in_device *in_dev, struct sk_buff *skb, be32 dst)
{
	struct igmp_msg *m = (struct igmp_msg *)skb->data;
	struct ip_hdr *iph;
	be32 saddr;

	memcpy(&saddr, skb->head, sizeof(saddr));
	m->csum = BE16_INIT(0);
	m->csum.v = csum_fold(csum_partial(m, skb->len, 0));
	trace_skb(skb, in_dev->net, TP_igmp_send, TRACE_PASS, m->type, be32_to_cpu(dst));
	skb_reset_transport_header(skb);
	iph = skb_push(skb, sizeof(*iph) + router_alert_option.optlen);
	memset(iph, 0, sizeof(*iph));
	skb_reset_network_header(skb);
	iph->ihl_version = 0x46;
	iph->tos = TOS_INTERNETCONTROL;
	iph->frag_off = BE16_INIT(IP_F_DF);
	iph->ttl = 1;
	iph->protocol = IPPROTO_IGMP;
	iph->saddr = saddr;
	iph->daddr = dst;
	ip_options_build(in_dev->net, iph, &router_alert_option, dst, saddr);
	skb->priority = 7; /* TC_PRIO_CONTROL */
	ip_local_out(in_dev->net, NULL, skb);
}

/* A report or leave of version 1 or 2. */
static void igmp_send_old(struct ip_mc_list *im, u8 type)
{
	be32 dst = type == IGMP_V2_LEAVE ? ALL_ROUTERS : im->group;
	struct sk_buff *skb = igmp_new(im->in_dev, dst, sizeof(struct igmp_msg));

	if (!skb)
		return;
	*(struct igmp_msg *)skb_put(skb, sizeof(struct igmp_msg)) =
		(struct igmp_msg){ .type = type, .group = im->group };
	igmp_send(im->in_dev, skb, dst);
}

/* A report of version 3 that grows record by record. */
struct report {
	struct in_device *in_dev;
	struct sk_buff *skb; /* NULL: none begun */
	u32 room;            /* octets left */
	u32 records;
};

static void report_flush(struct report *r)
{
	if (!r->skb)
		return;
	((struct igmp_report3 *)r->skb->data)->ngrec = cpu_to_be16((u16)r->records);
	igmp_send(r->in_dev, r->skb, ALL_REPORTS);
	r->skb = NULL;
}

/* Room for a record with at least one source. */
static bool report_room(struct report *r)
{
	u32 size = clamp(r->in_dev->dev->mtu, 576u, 9000u) - 24;

	if (r->skb && r->room >= sizeof(struct igmp_grec) + sizeof(be32))
		return true;
	report_flush(r);
	r->skb = igmp_new(r->in_dev, ALL_REPORTS, size);
	if (!r->skb)
		return false;
	*(struct igmp_report3 *)skb_put(r->skb, sizeof(struct igmp_report3)) =
		(struct igmp_report3){ .type = IGMP_V3_REPORT };
	r->room = size - (u32)sizeof(struct igmp_report3);
	r->records = 0;
	return true;
}

static struct igmp_grec *report_record(struct report *r, const struct ip_mc_list *im, u8 type)
{
	struct igmp_grec *rec;

	if (!report_room(r))
		return NULL;
	rec = skb_put(r->skb, sizeof(*rec));
	*rec = (struct igmp_grec){ .type = type, .group = im->group };
	r->room -= (u32)sizeof(*rec);
	r->records++;
	return rec;
}

/* Which sources a record of @type names. */
static bool record_wants(const struct ip_mc_list *im, const struct ip_mc_source *s, u8 type)
{
	switch (type) {
	case REC_ALLOW:
		return s->crcount && s->in == (im->mode == MCAST_INCLUDE);
	case REC_BLOCK:
		return s->crcount && s->in != (im->mode == MCAST_INCLUDE);
	case REC_IS_INCLUDE:
		/* To a query for sources: those that we want (RFC 3376 5.2). */
		if (im->gsquery)
			return s->asked && s->in == (im->mode == MCAST_INCLUDE);
		return s->in;
	default:
		return s->in;
	}
}

/* One record, with as many sources as there are: more records if they do not fit, but an EXCLUDE list is cut (RFC 3376 4.2.16). */
static void report_add(struct report *r, const struct ip_mc_list *im, u8 type, bool even_if_empty)
{
	struct igmp_grec *rec = even_if_empty ? report_record(r, im, type) : NULL;
	const struct ip_mc_source *s;
	u16 n = 0;

	if (even_if_empty && !rec)
		return;
	list_for_each_entry(s, &im->sources, node) {
		if (!record_wants(im, s, type))
			continue;
		if (rec && r->room < sizeof(be32)) {
			if (type == REC_IS_EXCLUDE || type == REC_TO_EXCLUDE)
				return;
			rec = NULL;
		}
		if (!rec) {
			rec = report_record(r, im, type);
			if (!rec)
				return;
			n = 0;
		}
		memcpy(skb_put(r->skb, sizeof(be32)), &s->addr, sizeof(be32));
		r->room -= (u32)sizeof(be32);
		rec->nsrcs = cpu_to_be16(++n);
	}
}

static void report_current_state(struct report *r, const struct ip_mc_list *im)
{
	if (!im->users || igmp_silent(im))
		return;
	if (im->mode == MCAST_EXCLUDE)
		report_add(r, im, REC_IS_EXCLUDE, true);
	else
		report_add(r, im, REC_IS_INCLUDE, false);
}

/* ---- state changes --------------------------------------------------------------------------------------------- */

static void mc_free(struct ip_mc_list *im)
{
	struct ip_mc_source *s, *next;

	list_for_each_entry_safe(s, next, &im->sources, node)
		free(s);
	del_timer(&im->timer);
	list_del(&im->node);
	free(im);
}

/* Forgets what nobody needs any more. True: @im is gone. */
static bool mc_tidy(struct ip_mc_list *im)
{
	struct ip_mc_source *s, *next;

	list_for_each_entry_safe(s, next, &im->sources, node) {
		if (s->count[0] || s->count[1] || s->crcount || s->in)
			continue;
		list_del(&s->node);
		free(s);
	}
	if (im->users || im->crcount || !list_empty(&im->sources))
		return false;
	mc_free(im);
	return true;
}

/* One round of state-change reports. True: another one is due. */
static bool igmp_send_changes(struct in_device *in_dev)
{
	struct report r = { .in_dev = in_dev };
	struct ip_mc_list *im, *next;
	bool more = false;

	list_for_each_entry_safe(im, next, &in_dev->mc_list, node) {
		struct ip_mc_source *s;

		if (igmp_silent(im)) {
			im->crcount = 0;
			list_for_each_entry(s, &im->sources, node)
				s->crcount = 0;
		} else if (im->crcount) {
			report_add(&r, im,
				   im->mode == MCAST_EXCLUDE ? REC_TO_EXCLUDE : REC_TO_INCLUDE,
				   true);
			im->crcount--;
		} else {
			report_add(&r, im, REC_ALLOW, false);
			report_add(&r, im, REC_BLOCK, false);
			list_for_each_entry(s, &im->sources, node)
				s->crcount -= s->crcount != 0;
		}
		if (mc_tidy(im))
			continue;
		more |= im->crcount != 0;
		list_for_each_entry(s, &im->sources, node)
			more |= s->crcount != 0;
	}
	report_flush(&r);
	return more;
}

static void ifc_timer_fn(struct cpu *cpu, struct timer_list *t)
{
	struct in_device *in_dev = container_of(t, struct in_device, mr_ifc_timer);

	(void)cpu;
	if (igmp_send_changes(in_dev))
		timer_within(in_dev, t, in_dev->igmpv3_unsolicited_report_interval);
}

static void igmp_tell(struct ip_mc_list *im)
{
	struct in_device *in_dev = im->in_dev;

	if (in_dev->dead || !netif_running(in_dev->dev))
		return;
	/* At once; softirq sends it when this call is over, together with other changes. */
	mod_timer(in_dev->net->cpu, &in_dev->mr_ifc_timer, net_now(in_dev->net));
}

static bool source_in_filter(const struct ip_mc_list *im, const struct ip_mc_source *s, u8 mode)
{
	if (mode == MCAST_INCLUDE)
		return s->count[MCAST_INCLUDE] != 0;
	return s->count[MCAST_EXCLUDE] == im->count[MCAST_EXCLUDE] && !s->count[MCAST_INCLUDE];
}

/* The counts have changed: what follows for the device, and what routers have to hear of it (RFC 3376 5.1). */
static void mc_update(struct ip_mc_list *im)
{
	u8 mode = im->count[MCAST_EXCLUDE] ? MCAST_EXCLUDE : MCAST_INCLUDE;
	u8 qrv = im->in_dev->mr_qrv;
	bool tell = mode != im->mode;
	struct ip_mc_source *s;

	if (tell)
		im->crcount = qrv;
	list_for_each_entry(s, &im->sources, node) {
		bool in = source_in_filter(im, s, mode);

		if (mode != im->mode) {
			s->crcount = 0; /* the mode change names them all */
		} else if (in != s->in) {
			s->crcount = qrv;
			tell = true;
		}
		s->in = in;
	}
	im->mode = mode;
	rt_cache_flush(im->in_dev->net);
	if (!tell)
		mc_tidy(im);
	else if (igmp_version(im->in_dev) == 3 && !igmp_silent(im))
		igmp_tell(im);
	else {
		im->crcount = 0; /* nobody is told, or in words that know no filters */
		list_for_each_entry(s, &im->sources, node)
			s->crcount = 0;
		mc_tidy(im);
	}
}

/* ---- a device's groups ------------------------------------------------------------------------------------------- */

static struct ip_mc_list *mc_find(const struct in_device *in_dev, be32 group)
{
	struct ip_mc_list *im;

	list_for_each_entry(im, &in_dev->mc_list, node)
		if (be32_eq(im->group, group))
			return im;
	return NULL;
}

static struct ip_mc_source *mc_source_find(const struct ip_mc_list *im, be32 addr)
{
	struct ip_mc_source *s;

	list_for_each_entry(s, &im->sources, node)
		if (be32_eq(s->addr, addr))
			return s;
	return NULL;
}

/* RFC 1112 6.4: 01:00:5e and the low 23 bits of the group. */
static void mc_filter_dev(struct ip_mc_list *im, bool on)
{
	struct net_device *dev = im->in_dev->dev;
	u32 g = be32_to_cpu(im->group);
	u8 mac[MAX_ADDR_LEN] = { 1, 0, 0x5e, (u8)(g >> 16 & 0x7f), (u8)(g >> 8), (u8)g };

	if (im->on_dev == on || dev->addr_len != 6)
		return;
	if (on ? dev_mc_add(dev, mac) == 0 : dev_mc_del(dev, mac) == 0)
		im->on_dev = on;
}

/* The timer of a group: a report of version 1 or 2, or the answer to a query of version 3 for this group. */
static void group_timer_fn(struct cpu *cpu, struct timer_list *t)
{
	struct ip_mc_list *im = container_of(t, struct ip_mc_list, timer);
	struct report r = { .in_dev = im->in_dev };
	struct ip_mc_source *s;
	int version = igmp_version(im->in_dev);

	(void)cpu;
	if (version < 3) {
		igmp_send_old(im, version == 1 ? IGMP_V1_REPORT : IGMP_V2_REPORT);
		im->reporter = true;
		if (im->unsolicited && --im->unsolicited)
			timer_within(im->in_dev, t, im->in_dev->igmpv2_unsolicited_report_interval);
		return;
	}
	if (im->gsquery)
		report_add(&r, im, REC_IS_INCLUDE, false);
	else
		report_current_state(&r, im);
	report_flush(&r);
	im->gsquery = false;
	list_for_each_entry(s, &im->sources, node)
		s->asked = false;
}

/* The first socket joins, or the device comes up. Version 3 hears of it by mc_update(). */
static void mc_group_added(struct ip_mc_list *im)
{
	struct in_device *in_dev = im->in_dev;

	mc_filter_dev(im, true);
	if (igmp_silent(im) || !netif_running(in_dev->dev) || igmp_version(in_dev) == 3)
		return;
	/* RFC 2236 3: at once, and again in case it was lost. */
	im->unsolicited = in_dev->mr_qrv;
	mod_timer(in_dev->net->cpu, &im->timer, net_now(in_dev->net));
}

static void mc_group_dropped(struct ip_mc_list *im)
{
	mc_filter_dev(im, false);
	del_timer(&im->timer);
	if (!igmp_silent(im) && im->reporter && igmp_version(im->in_dev) == 2)
		igmp_send_old(im, IGMP_V2_LEAVE);
	im->reporter = false;
	im->gsquery = false;
	im->unsolicited = 0;
}

static struct ip_mc_list *mc_get(struct in_device *in_dev, be32 group)
{
	struct ip_mc_list *im = mc_find(in_dev, group);

	if (im)
		return im;
	im = calloc(1, sizeof(*im));
	if (!im)
		return NULL;
	im->in_dev = in_dev;
	im->group = group;
	im->mode = MCAST_INCLUDE; /* of nobody: RFC 3376 3.2 */
	list_init(&im->sources);
	timer_setup(&im->timer, group_timer_fn);
	list_add_tail(&im->node, &in_dev->mc_list);
	return im;
}

/* One socket more in @mode. 0 or -ENOMEM */
static int mc_inc(struct in_device *in_dev, be32 group, u8 mode)
{
	struct ip_mc_list *im = mc_get(in_dev, group);

	if (!im)
		return -ENOMEM;
	im->count[mode]++;
	if (im->users++ == 0)
		mc_group_added(im);
	mc_update(im);
	return 0;
}

static void mc_dec(struct in_device *in_dev, be32 group, u8 mode)
{
	struct ip_mc_list *im = mc_find(in_dev, group);

	if (!im)
		return;
	im->count[mode]--;
	if (--im->users == 0)
		mc_group_dropped(im);
	mc_update(im);
}

/* Sources of a socket's filter are counted (@by 1) or no more (@by -1). mc_update() is the caller's. 0 or -ENOMEM */
static int mc_count_sources(struct ip_mc_list *im, u8 mode, const be32 *sources, u32 n, int by)
{
	for (u32 i = 0; i < n; i++) {
		struct ip_mc_source *s = mc_source_find(im, sources[i]);

		if (!s) {
			s = by > 0 ? calloc(1, sizeof(*s)) : NULL;
			if (!s) {
				if (by > 0)
					mc_count_sources(im, mode, sources, i, -1);
				return -ENOMEM;
			}
			s->addr = sources[i];
			list_add_tail(&s->node, &im->sources);
		}
		s->count[mode] += (u32)by;
	}
	return 0;
}

bool ip_check_mc(const struct in_device *in_dev, be32 group, be32 saddr, u8 protocol)
{
	const struct ip_mc_list *im = mc_find(in_dev, group);
	const struct ip_mc_source *s;

	if (be32_eq(group, ALL_HOSTS))
		return true;
	if (!im || !im->users)
		return false;
	if (protocol == IPPROTO_IGMP || be32_zero(saddr))
		return true;
	s = mc_source_find(im, saddr);
	if (!s)
		return im->count[MCAST_EXCLUDE] != 0;
	return s->count[MCAST_INCLUDE] || s->count[MCAST_EXCLUDE] != im->count[MCAST_EXCLUDE];
}

/* ---- queries --------------------------------------------------------------------------------------------------- */

static void gq_timer_fn(struct cpu *cpu, struct timer_list *t)
{
	struct in_device *in_dev = container_of(t, struct in_device, mr_gq_timer);
	struct report r = { .in_dev = in_dev };
	struct ip_mc_list *im;

	(void)cpu;
	list_for_each_entry(im, &in_dev->mc_list, node)
		report_current_state(&r, im);
	report_flush(&r);
}

/* RFC 3376 4.1.1: an exponent and a mantissa above 127. */
static u32 igmp_code(u8 code)
{
	return code < 128 ? code : (u32)((code & 15) | 16) << ((code >> 4 & 7) + 3);
}

/* A timer that runs is not put off. */
static void group_timer_within(struct ip_mc_list *im, u64 max)
{
	u64 at = net_now(im->in_dev->net) + random_within(im->in_dev, max);

	if (!timer_pending(&im->timer) || at < im->timer.expires)
		mod_timer(im->in_dev->net->cpu, &im->timer, at);
}

static void query_old(struct in_device *in_dev, const struct igmp_msg *m)
{
	u64 now = net_now(in_dev->net),
	    max = m->code ? m->code * (NSEC_PER_SEC / 10) : V1_MAX_RESPONSE;
	struct ip_mc_list *im;

	if (!m->code)
		in_dev->mr_v1_seen = now + V1_ROUTER_PRESENT;
	else
		in_dev->mr_v2_seen = now + in_dev->mr_qrv * QUERY_INTERVAL + max;
	/* RFC 3376 7.2.1: what was pending in the newer version is given up. */
	del_timer(&in_dev->mr_gq_timer);
	del_timer(&in_dev->mr_ifc_timer);
	list_for_each_entry(im, &in_dev->mc_list, node)
		if (im->users && !igmp_silent(im) &&
		    (be32_zero(m->group) || be32_eq(m->group, im->group)))
			group_timer_within(im, max);
}

/* RFC 3376 5.2: marks the sources that a query names; what is asked for all together is answered so. */
static void query_mark_sources(struct ip_mc_list *im, const be32 *sources, u32 n)
{
	if (timer_pending(&im->timer) && !im->gsquery)
		return;
	im->gsquery = n != 0;
	for (u32 i = 0; i < n; i++) {
		struct ip_mc_source *s = mc_source_find(im, sources[i]);

		/* In mode EXCLUDE a source that nobody here named is wanted: the whole state says so. */
		if (!s && im->mode == MCAST_EXCLUDE) {
			im->gsquery = false;
			return;
		}
		if (s)
			s->asked = true;
	}
}

static void query_new(struct in_device *in_dev, const struct igmp_query3 *q, u32 n)
{
	u64 max = max(igmp_code(q->m.code), 1u) * (NSEC_PER_SEC / 10);
	struct ip_mc_list *im;

	in_dev->mr_qrv = q->flags & 7 ? q->flags & 7 : in_dev->net->ipv4->igmp_qrv;
	if (be32_zero(q->m.group)) {
		if (!timer_pending(&in_dev->mr_gq_timer))
			timer_within(in_dev, &in_dev->mr_gq_timer, max);
		return;
	}
	im = mc_find(in_dev, q->m.group);
	if (!im || !im->users || igmp_silent(im))
		return;
	query_mark_sources(im, (const be32 *)(q + 1), n);
	group_timer_within(im, max);
}

/* RFC 3376 7.1: the length tells the version. Data in the head area. False: malformed */
static bool igmp_heard_query(struct in_device *in_dev, const struct sk_buff *skb)
{
	const struct igmp_query3 *q = (const struct igmp_query3 *)skb->data;
	u32 n;

	if (skb->len == sizeof(struct igmp_msg) || igmp_version(in_dev) == 1) {
		query_old(in_dev, &q->m);
		return true;
	}
	if (skb->len < sizeof(*q))
		return false;
	n = be16_to_cpu(q->nsrcs);
	if (skb->len < sizeof(*q) + n * sizeof(be32))
		return false;
	if (igmp_version(in_dev) == 2)
		query_old(in_dev, &q->m);
	else
		query_new(in_dev, q, n);
	return true;
}

/* Versions 1 and 2: another host has said it for us. */
static void igmp_heard_report(struct in_device *in_dev, be32 group)
{
	struct ip_mc_list *im = mc_find(in_dev, group);

	if (!im || igmp_version(in_dev) == 3)
		return;
	del_timer(&im->timer);
	im->reporter = false;
	im->unsolicited = 0;
}

static void igmp_rcv(struct sk_buff *skb)
{
	struct in_device *in_dev = in_dev_get(skb->dev);
	const struct igmp_msg *m;

	if (!in_dev || !pskb_may_pull(skb, sizeof(*m)) || skb_linearize(skb)) {
		kfree_skb_reason(skb, SKB_DROP_IGMP_BAD);
		return;
	}
	if (!skb_csum_unnecessary(skb) && csum_fold(skb_checksum(skb, 0, skb->len, 0))) {
		kfree_skb_reason(skb, SKB_DROP_IGMP_CSUM);
		return;
	}
	m = (const struct igmp_msg *)skb->data;
	trace_skb(skb, in_dev->net, TP_igmp_rcv, TRACE_PASS, m->type, be32_to_cpu(m->group));
	switch (m->type) {
	case IGMP_QUERY:
		if (!igmp_heard_query(in_dev, skb)) {
			kfree_skb_reason(skb, SKB_DROP_IGMP_BAD);
			return;
		}
		break;
	case IGMP_V1_REPORT:
	case IGMP_V2_REPORT:
		if (skb->pkt_type != SKB_PACKET_LOOPBACK)
			igmp_heard_report(in_dev, m->group);
		break;
	default: /* for routers */
		break;
	}
	consume_skb(skb);
}

const struct net_protocol igmp_protocol = {
	.handler = igmp_rcv,
};

/* ---- devices come and go ------------------------------------------------------------------------------------------- */

void ip_mc_init_dev(struct in_device *in_dev)
{
	list_init(&in_dev->mc_list);
	timer_setup(&in_dev->mr_gq_timer, gq_timer_fn);
	timer_setup(&in_dev->mr_ifc_timer, ifc_timer_fn);
	in_dev->mr_qrv = in_dev->net->ipv4->igmp_qrv;
	in_dev->mr_v1_seen = in_dev->mr_v2_seen = 0;
}

void ip_mc_up(struct in_device *in_dev)
{
	struct ip_mc_list *im;

	if (!mc_find(in_dev, ALL_HOSTS) && in_dev->dev->flags & (IFF_MULTICAST | IFF_LOOPBACK))
		mc_inc(in_dev, ALL_HOSTS, MCAST_EXCLUDE);
	list_for_each_entry(im, &in_dev->mc_list, node) {
		if (!im->users)
			continue;
		mc_group_added(im);
		if (igmp_version(in_dev) == 3) { /* the link has heard nothing yet */
			im->crcount = in_dev->mr_qrv;
			igmp_tell(im);
		}
	}
}

void ip_mc_down(struct in_device *in_dev)
{
	struct ip_mc_list *im, *next;

	del_timer(&in_dev->mr_gq_timer);
	del_timer(&in_dev->mr_ifc_timer);
	in_dev->mr_v1_seen = in_dev->mr_v2_seen = 0;
	in_dev->mr_qrv = in_dev->net->ipv4->igmp_qrv;
	list_for_each_entry_safe(im, next, &in_dev->mc_list, node) {
		struct ip_mc_source *s;

		mc_filter_dev(im, false);
		del_timer(&im->timer);
		im->reporter = im->gsquery = false;
		im->unsolicited = im->crcount = 0;
		list_for_each_entry(s, &im->sources, node)
			s->crcount = 0;
		mc_tidy(im);
	}
}

void ip_mc_destroy_dev(struct in_device *in_dev)
{
	ip_mc_down(in_dev);
	while (!list_empty(&in_dev->mc_list))
		mc_free(list_first_entry(&in_dev->mc_list, struct ip_mc_list, node));
}

/* ---- sockets ------------------------------------------------------------------------------------------------------- */

struct ip_mc_socklist { /* one membership of a socket; on sk_rare->mc_list */
	struct list_head node;
	int ifindex;
	be32 group;
	u8 mode;
	u32 n;
	be32 *sources;
};

static struct ip_mc_socklist *sk_mc_find(const struct sock *sk, be32 group, int ifindex)
{
	struct ip_mc_socklist *ml;

	if (!sk->sk_rare)
		return NULL;
	list_for_each_entry(ml, &sk->sk_rare->mc_list, node)
		if (be32_eq(ml->group, group) && ml->ifindex == ifindex)
			return ml;
	return NULL;
}

/* RFC 1112 7.1, ip(7): the device by index, by address, or the one that a packet to the group would take. */
static struct in_device *mc_find_dev(const struct sock *sk, const struct ip_mreqn *imr)
{
	struct net *net = sock_net(sk);
	struct net_device *dev = NULL;
	struct rtable *rt;
	int err;

	if (imr->imr_ifindex) {
		dev = __dev_get_by_index(net, imr->imr_ifindex);
	} else if (imr->imr_address.s_addr) {
		dev = ip_dev_find(net, be32_raw(imr->imr_address.s_addr));
		if (!dev)
			return NULL;
	} else {
		struct flowi4 fl = { .daddr = be32_raw(imr->imr_multiaddr.s_addr) };

		rt = ip_route_output_key(net, &fl, &err);
		if (rt) {
			dev = rt->dst.dev;
			ip_rt_put(rt);
		}
	}
	return dev ? in_dev_get(dev) : NULL;
}

static struct in_device *ml_dev(const struct sock *sk, const struct ip_mc_socklist *ml)
{
	struct net_device *dev = __dev_get_by_index(sock_net(sk), ml->ifindex);

	return dev ? in_dev_get(dev) : NULL;
}

static struct ip_mc_list *ml_group(const struct sock *sk, const struct ip_mc_socklist *ml)
{
	struct in_device *in_dev = ml_dev(sk, ml);

	return in_dev ? mc_find(in_dev, ml->group) : NULL;
}

int ip_mc_join_group(struct sock *sk, const struct ip_mreqn *imr, u8 mode)
{
	be32 group = be32_raw(imr->imr_multiaddr.s_addr);
	struct ip_mc_socklist *ml;
	struct in_device *in_dev;
	u32 n = 0;

	if (!ipv4_is_multicast(group))
		return -EINVAL;
	in_dev = mc_find_dev(sk, imr);
	if (!in_dev)
		return -ENODEV;
	if (!sock_rare(sk))
		return -ENOMEM;
	if (sk_mc_find(sk, group, in_dev->dev->ifindex))
		return -EADDRINUSE;
	list_for_each_entry(ml, &sk->sk_rare->mc_list, node)
		n++;
	if (n >= sock_net(sk)->ipv4->igmp_max_memberships)
		return -ENOBUFS;
	ml = calloc(1, sizeof(*ml));
	if (!ml)
		return -ENOMEM;
	ml->ifindex = in_dev->dev->ifindex;
	ml->group = group;
	ml->mode = mode;
	if (mc_inc(in_dev, group, mode)) {
		free(ml);
		return -ENOMEM;
	}
	list_add(&ml->node, &sk->sk_rare->mc_list);
	return 0;
}

static void ml_leave(struct sock *sk, struct ip_mc_socklist *ml)
{
	struct ip_mc_list *im = ml_group(sk, ml);

	if (im) {
		mc_count_sources(im, ml->mode, ml->sources, ml->n, -1);
		mc_dec(im->in_dev, ml->group, ml->mode);
	}
	list_del(&ml->node);
	free(ml->sources);
	free(ml);
}

/* The membership that @imr means; NULL with *ret_err. */
static struct ip_mc_socklist *sk_mc_get(const struct sock *sk, const struct ip_mreqn *imr,
					int *ret_err)
{
	be32 group = be32_raw(imr->imr_multiaddr.s_addr);
	struct in_device *in_dev = mc_find_dev(sk, imr);
	struct ip_mc_socklist *ml = NULL;

	/* Of a device that has gone, by its index. */
	if (imr->imr_ifindex || in_dev)
		ml = sk_mc_find(sk, group,
				imr->imr_ifindex ? imr->imr_ifindex : in_dev->dev->ifindex);
	*ret_err = !ml && !in_dev ? -ENODEV : -EADDRNOTAVAIL;
	return ml;
}

int ip_mc_leave_group(struct sock *sk, const struct ip_mreqn *imr)
{
	struct ip_mc_socklist *ml;
	int err;

	ml = sk_mc_get(sk, imr, &err);
	if (!ml)
		return err == -ENODEV && (imr->imr_ifindex || imr->imr_address.s_addr)
			       ? -EADDRNOTAVAIL
			       : err;
	ml_leave(sk, ml);
	return 0;
}

/* Another filter for a membership. 0, -ENOMEM */
static int ml_set(struct sock *sk, struct ip_mc_socklist *ml, u8 mode, const be32 *sources, u32 n)
{
	struct ip_mc_list *im = ml_group(sk, ml);
	be32 *copy = NULL;

	if (n) {
		copy = malloc(n * sizeof(*copy));
		if (!copy)
			return -ENOMEM;
		memcpy(copy, sources, n * sizeof(*copy));
	}
	if (im) {
		if (mc_count_sources(im, mode, copy, n, 1)) {
			free(copy);
			return -ENOMEM;
		}
		mc_count_sources(im, ml->mode, ml->sources, ml->n, -1);
		im->count[ml->mode]--;
		im->count[mode]++;
		mc_update(im);
	}
	free(ml->sources);
	ml->sources = copy;
	ml->n = n;
	ml->mode = mode;
	return 0;
}

int ip_mc_source(struct sock *sk, const struct ip_mreqn *imr, be32 source, u8 mode, bool add)
{
	u32 limit = sock_net(sk)->ipv4->igmp_max_msf, n, at;
	struct ip_mc_socklist *ml;
	be32 *list;
	int err;

	if (!ipv4_is_multicast(be32_raw(imr->imr_multiaddr.s_addr)))
		return -EINVAL;
	ml = sk_mc_get(sk, imr, &err);
	if (!ml)
		return err == -ENODEV ? -ENODEV : -EINVAL;
	if (ml->mode != mode) {
		if (ml->n) /* the other kind of list */
			return -EINVAL;
		err = ml_set(sk, ml, mode, NULL, 0);
		if (err)
			return err;
	}
	for (at = 0; at < ml->n && !be32_eq(ml->sources[at], source); at++)
		;
	if ((at < ml->n) == add)
		return -EADDRNOTAVAIL;
	if (!add && ml->n == 1 && mode == MCAST_INCLUDE) { /* nothing is wanted any more */
		ml_leave(sk, ml);
		return 0;
	}
	if (add && ml->n >= limit)
		return -ENOBUFS;
	list = malloc((ml->n + 1) * sizeof(*list));
	if (!list)
		return -ENOMEM;
	n = ml->n;
	if (n)
		memcpy(list, ml->sources, n * sizeof(*list));
	if (add)
		list[n++] = source;
	else
		list[at] = list[--n];
	err = ml_set(sk, ml, mode, list, n);
	free(list);
	return err;
}

int ip_mc_msfilter(struct sock *sk, const struct ip_mreqn *imr, u8 mode, const be32 *sources, u32 n)
{
	struct ip_mc_socklist *ml;
	int err;

	if (!ipv4_is_multicast(be32_raw(imr->imr_multiaddr.s_addr)) ||
	    (mode != MCAST_INCLUDE && mode != MCAST_EXCLUDE))
		return -EINVAL;
	ml = sk_mc_get(sk, imr, &err);
	if (!ml)
		return err == -ENODEV ? -ENODEV : -EINVAL;
	if (mode == MCAST_INCLUDE && !n) {
		ml_leave(sk, ml);
		return 0;
	}
	return ml_set(sk, ml, mode, sources, n);
}

int ip_mc_gsfget(const struct sock *sk, const struct ip_mreqn *imr, u8 *ret_mode, be32 *sources,
		 u32 max, u32 *ret_n)
{
	const struct ip_mc_socklist *ml;
	int err;

	if (!ipv4_is_multicast(be32_raw(imr->imr_multiaddr.s_addr)))
		return -EINVAL;
	ml = sk_mc_get(sk, imr, &err);
	if (!ml)
		return err;
	*ret_mode = ml->mode;
	*ret_n = ml->n;
	if (min(max, ml->n))
		memcpy(sources, ml->sources, min(max, ml->n) * sizeof(*sources));
	return 0;
}

void ip_mc_drop_socket(struct sock *sk)
{
	while (sk->sk_rare && !list_empty(&sk->sk_rare->mc_list))
		ml_leave(sk, list_first_entry(&sk->sk_rare->mc_list, struct ip_mc_socklist, node));
}

bool ip_mc_sf_allow(const struct sock *sk, be32 group, be32 saddr, int dif)
{
	const struct ip_mc_socklist *ml;

	if (!ipv4_is_multicast(group))
		return true;
	ml = sk_mc_find(sk, group, dif);
	if (!ml)
		return inet_sk(sk)->mc_all;
	for (u32 i = 0; i < ml->n; i++)
		if (be32_eq(ml->sources[i], saddr))
			return ml->mode == MCAST_INCLUDE;
	return ml->mode == MCAST_EXCLUDE;
}

/* ---- /proc/net/igmp, mcfilter ------------------------------------------------------------------------------------- */

static u32 mc_members(const struct in_device *in_dev)
{
	const struct ip_mc_list *im;
	u32 n = 0;

	list_for_each_entry(im, &in_dev->mc_list, node)
		n += im->users != 0;
	return n;
}

void igmp_show(struct net *net, struct text *t)
{
	const struct in_device *in_dev;
	const struct ip_mc_list *im;

	text_printf(t, "Idx\tDevice    : Count Querier\tGroup    Users Timer\tReporter\n");
	list_for_each_entry(in_dev, &net->ipv4->in_devs, node) {
		if (!mc_members(in_dev))
			continue;
		text_printf(t, "%d\t%-10s: %5u      V%d\n", in_dev->dev->ifindex, in_dev->dev->name,
			    mc_members(in_dev), igmp_version(in_dev));
		list_for_each_entry(im, &in_dev->mc_list, node) {
			u64 left = timer_pending(&im->timer) && im->timer.expires > net_now(net)
					   ? im->timer.expires - net_now(net)
					   : 0;

			if (im->users) /* time in USER_HZ */
				text_printf(t, "\t\t\t\t%08X %5u %d:%08llX\t\t%u\n", im->group.v,
					    im->users, timer_pending(&im->timer),
					    (unsigned long long)(left / (10 * NSEC_PER_MSEC)),
					    im->reporter);
		}
	}
}

void mcfilter_show(struct net *net, struct text *t)
{
	const struct in_device *in_dev;
	const struct ip_mc_list *im;
	const struct ip_mc_source *s;

	text_printf(t, "Idx Device        MCA        SRC    INC    EXC\n");
	list_for_each_entry(in_dev, &net->ipv4->in_devs, node)
		list_for_each_entry(im, &in_dev->mc_list, node)
			list_for_each_entry(s, &im->sources, node)
				text_printf(t, "%3d %6.6s 0x%08x 0x%08x %6u %6u\n",
					    in_dev->dev->ifindex, in_dev->dev->name,
					    be32_to_cpu(im->group), be32_to_cpu(s->addr),
					    s->count[MCAST_INCLUDE], s->count[MCAST_EXCLUDE]);
}
