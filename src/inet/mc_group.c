/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mc_group.c - which multicast groups a device receives, and when routers are told: the machine of IGMPv3 and MLDv2
 *
 * Theory of operation
 *   A socket's membership (mc_socklist) has a filter: EXCLUDE some sources, or INCLUDE only some. A group on a device (mc_group)
 *   merges the filters of its sockets by counting (RFC 3376 3.2, RFC 3810 4.2): the device is in mode EXCLUDE if one socket is, and
 *   then excludes what every EXCLUDE socket excludes and no INCLUDE socket wants; otherwise it includes what any socket includes.
 *
 *   After each change group_update() compares with what routers were told (mode, source->in) and marks the difference: the group for
 *   a filter-mode change, or single sources to be allowed or blocked. ifc_timer sends what is marked, qrv times altogether, since
 *   reports may be lost (RFC 3376 5.1, RFC 3810 6.1). A group that everybody has left stays, with users 0, until that is done.
 *
 *   Queries are answered after a random time within the limit they give (RFC 3376 5.2, RFC 3810 6.2): a general one by gq_timer with
 *   the state of all groups, one for a group by that group's timer. When a router of an older generation is heard, the device speaks
 *   that until such routers were silent for long (RFC 3376 7.2.1, RFC 3810 8.2.1): one report for a group, held back if another host has
 *   sent one, and (but for IGMPv1) a goodbye.
 * Invariants
 *   A membership whose mcd is not NULL is counted in that device's group: once in users and count[mode], and each of its sources in
 *   the source's count[mode].
 * Locking: the cpu lock; socket options and softirq.
 * See RFC 1112, RFC 2236, RFC 2710, RFC 3376, RFC 3810.
 */
#include "inet/mc_group.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>

#include "core/cpu.h"
#include "core/net.h"
#include "core/skbuff.h"
#include "netlink/netlink.h"

#define MC_QUERY_INTERVAL (125 * NSEC_PER_SEC) /* until a query tells: RFC 3376 8.2, RFC 3810 9.2 */
#define V1_ROUTER_PRESENT (400 * NSEC_PER_SEC) /* RFC 2236 8.11 */

static u64 random_within(struct mc_dev *d, u64 max)
{
	return max ? cpu_random(d->dev->net->cpu) % max : 0;
}

static void timer_within(struct mc_dev *d, struct timer_list *t, u64 max)
{
	mod_timer(d->dev->net->cpu, t, net_now(d->dev->net) + random_within(d, max));
}

enum mc_generation mc_dev_generation(const struct mc_dev *d)
{
	u8 forced = d->ops->forced(d);
	u64 now = net_now(d->dev->net);

	if (forced)
		return forced;
	return now < d->v1_seen ? MC_GEN_JOIN : now < d->v2_seen ? MC_GEN_LEAVE : MC_GEN_FILTER;
}

/* ---- reports with filters ------------------------------------------------------------------------------------- */

struct mc_grec { /* in front of the group's address, which the sources follow: RFC 3376 4.2.4, RFC 3810 5.2.4 */
	u8 type, auxwords;
	be16 nsrcs;
};

/* A report that grows record by record. */
struct report {
	struct mc_dev *d;
	struct sk_buff *skb; /* NULL: none begun */
	u32 room;            /* octets left */
	u16 records;
};

static void report_flush(struct report *r)
{
	if (r->skb)
		r->d->ops->report_send(r->d, r->skb, r->records);
	r->skb = NULL;
}

static void report_put_addr(struct report *r, const struct in6_addr *a)
{
	u8 len = r->d->ops->addr_len;

	skb_put_data(r->skb, (const u8 *)a + sizeof(*a) - len, len);
	r->room -= len;
}

/* A new record with room for at least one source. NULL: the device cannot send. */
static struct mc_grec *report_record(struct report *r, const struct mc_group *g, u8 type)
{
	u32 need = (u32)sizeof(struct mc_grec) + 2u * r->d->ops->addr_len;
	struct mc_grec *rec;

	if (!r->skb || r->room < need) {
		report_flush(r);
		r->skb = r->d->ops->report_new(r->d, &r->room);
		r->records = 0;
		if (!r->skb)
			return NULL;
	}
	rec = skb_put(r->skb, sizeof(*rec));
	*rec = (struct mc_grec){ .type = type };
	r->room -= (u32)sizeof(*rec);
	r->records++;
	report_put_addr(r, &g->addr);
	return rec;
}

/* Which sources a record of @type names. */
static bool record_wants(const struct mc_group *g, const struct mc_source *s, u8 type)
{
	switch (type) {
	case MC_REC_ALLOW:
		return s->crcount && s->in == (g->mode == MCAST_INCLUDE);
	case MC_REC_BLOCK:
		return s->crcount && s->in != (g->mode == MCAST_INCLUDE);
	case MC_REC_IS_INCLUDE:
		/* To a query for sources: those that we want (RFC 3376 5.2). */
		if (g->gsquery)
			return s->asked && s->in == (g->mode == MCAST_INCLUDE);
		return s->in;
	default:
		return s->in;
	}
}

/* A list of excluded sources means something only as a whole: it begins a new report rather than being cut. */
static void report_make_room(struct report *r, const struct mc_group *g, u8 type)
{
	u32 need = (u32)sizeof(struct mc_grec) + r->d->ops->addr_len;
	const struct mc_source *s;

	list_for_each_entry(s, &g->sources, node)
		need += record_wants(g, s, type) ? r->d->ops->addr_len : 0;
	if (r->skb && r->room < need)
		report_flush(r);
}

/* One record, with as many sources as there are: more records if they do not fit, but an EXCLUDE list is cut (RFC 3376 4.2.16). */
static void report_add(struct report *r, const struct mc_group *g, u8 type, bool even_if_empty)
{
	bool exclude = type == MC_REC_IS_EXCLUDE || type == MC_REC_TO_EXCLUDE;
	struct mc_grec *rec = NULL;
	const struct mc_source *s;
	u16 n = 0;

	if (exclude)
		report_make_room(r, g, type);
	if (even_if_empty) {
		rec = report_record(r, g, type);
		if (!rec)
			return;
	}
	list_for_each_entry(s, &g->sources, node) {
		if (!record_wants(g, s, type))
			continue;
		if (rec && r->room < r->d->ops->addr_len) {
			if (exclude)
				return;
			rec = NULL;
		}
		if (!rec) {
			rec = report_record(r, g, type);
			if (!rec)
				return;
			n = 0;
		}
		report_put_addr(r, &s->addr);
		rec->nsrcs = cpu_to_be16(++n);
	}
}

static bool group_silent(const struct mc_group *g)
{
	return g->mcd->ops->silent(g);
}

static void report_current_state(struct report *r, const struct mc_group *g)
{
	if (!g->users || group_silent(g))
		return;
	if (g->mode == MCAST_EXCLUDE)
		report_add(r, g, MC_REC_IS_EXCLUDE, true);
	else
		report_add(r, g, MC_REC_IS_INCLUDE, false);
}

/* ---- state changes --------------------------------------------------------------------------------------------- */

static void group_free(struct mc_group *g)
{
	struct mc_source *s, *next;

	list_for_each_entry_safe(s, next, &g->sources, node)
		free(s);
	del_timer(&g->timer);
	list_del(&g->node);
	free(g);
}

/* Forgets what nobody needs any more. True: @g is gone. */
static bool group_tidy(struct mc_group *g)
{
	struct mc_source *s, *next;

	list_for_each_entry_safe(s, next, &g->sources, node) {
		if (s->count[0] || s->count[1] || s->crcount || s->in)
			continue;
		list_del(&s->node);
		free(s);
	}
	if (g->users || g->crcount || !list_empty(&g->sources))
		return false;
	group_free(g);
	return true;
}

/* Nothing is left to be told. True: @g is gone. */
static bool group_told(struct mc_group *g)
{
	struct mc_source *s;

	g->crcount = 0;
	list_for_each_entry(s, &g->sources, node)
		s->crcount = 0;
	return group_tidy(g);
}

/* Writes what has changed in @g. True: it has to be said again. */
static bool group_send_changes(struct report *r, struct mc_group *g)
{
	struct mc_source *s;
	bool more = false;

	if (group_silent(g)) {
		group_told(g);
		return false;
	}
	if (g->crcount) {
		report_add(r, g, g->mode == MCAST_EXCLUDE ? MC_REC_TO_EXCLUDE : MC_REC_TO_INCLUDE,
			   true);
		more = --g->crcount != 0;
	} else {
		report_add(r, g, MC_REC_ALLOW, false);
		report_add(r, g, MC_REC_BLOCK, false);
	}
	/* A change of mode says what became of each source, too (RFC 3376 5.1). */
	list_for_each_entry(s, &g->sources, node) {
		s->crcount -= s->crcount != 0;
		more |= s->crcount != 0;
	}
	group_tidy(g);
	return more;
}

/* One round of state-change reports. */
static void ifc_timer_fn(struct cpu *cpu, struct timer_list *t)
{
	struct mc_dev *d = container_of(t, struct mc_dev, ifc_timer);
	struct report r = { .d = d };
	struct mc_group *g, *next;
	bool more = false;

	(void)cpu;
	list_for_each_entry_safe(g, next, &d->groups, node)
		more |= group_send_changes(&r, g);
	report_flush(&r);
	if (more)
		timer_within(d, t, d->ops->report_interval(d, MC_GEN_FILTER));
}

static void dev_tell(struct mc_dev *d)
{
	/* At once; softirq sends it when this call is over, together with other changes. */
	if (netif_running(d->dev))
		mod_timer(d->dev->net->cpu, &d->ifc_timer, net_now(d->dev->net));
}

static void dev_changed(const struct mc_dev *d)
{
	if (d->ops->changed)
		d->ops->changed(d);
}

static bool source_in_filter(const struct mc_group *g, const struct mc_source *s, u8 mode)
{
	if (mode == MCAST_INCLUDE)
		return s->count[MCAST_INCLUDE] != 0;
	return s->count[MCAST_EXCLUDE] == g->count[MCAST_EXCLUDE] && !s->count[MCAST_INCLUDE];
}

/* The counts have changed: what follows for the device, and what routers have to hear of it (RFC 3376 5.1). @g may be gone then. */
static void group_update(struct mc_group *g)
{
	u8 mode = g->count[MCAST_EXCLUDE] ? MCAST_EXCLUDE : MCAST_INCLUDE;
	struct mc_dev *d = g->mcd;
	bool tell = mode != g->mode;
	struct mc_source *s;

	if (tell)
		g->crcount = d->qrv;
	list_for_each_entry(s, &g->sources, node) {
		bool in = source_in_filter(g, s, mode);

		if (mode != g->mode) {
			s->crcount = 0; /* the mode change names them all */
		} else if (in != s->in) {
			s->crcount = d->qrv;
			tell = true;
		}
		s->in = in;
	}
	g->mode = mode;
	dev_changed(d);
	if (!tell)
		group_tidy(g);
	else if (mc_dev_generation(d) == MC_GEN_FILTER && !group_silent(g))
		dev_tell(d);
	else
		group_told(g); /* nobody is told, or in words that know no filters */
}

/* ---- a device's groups ------------------------------------------------------------------------------------------- */

struct mc_group *mc_group_find(const struct mc_dev *d, const struct in6_addr *group)
{
	struct mc_group *g;

	list_for_each_entry(g, &d->groups, node)
		if (ipv6_addr_equal(&g->addr, group))
			return g;
	return NULL;
}

static struct mc_source *source_find(const struct mc_group *g, const struct in6_addr *addr)
{
	struct mc_source *s;

	list_for_each_entry(s, &g->sources, node)
		if (ipv6_addr_equal(&s->addr, addr))
			return s;
	return NULL;
}

static void group_filter_dev(struct mc_group *g, bool on)
{
	struct net_device *dev = g->mcd->dev;
	u8 mac[MAX_ADDR_LEN] = { 0 };

	if (g->on_dev == on || dev->addr_len != 6 || (dev->flags & IFF_LOOPBACK) ||
	    g->mcd->ops->map(g, mac))
		return;
	if (on ? dev_mc_add(dev, mac) == 0 : dev_mc_del(dev, mac) == 0)
		g->on_dev = on;
}

/* The timer of a group: a report of an older generation, or the answer to a query for this group. */
static void group_timer_fn(struct cpu *cpu, struct timer_list *t)
{
	struct mc_group *g = container_of(t, struct mc_group, timer);
	enum mc_generation gen = mc_dev_generation(g->mcd);
	struct report r = { .d = g->mcd };
	struct mc_source *s;

	(void)cpu;
	if (gen < MC_GEN_FILTER) {
		g->mcd->ops->send_old(g, gen, false);
		g->reporter = true;
		if (g->unsolicited && --g->unsolicited)
			timer_within(g->mcd, t, g->mcd->ops->report_interval(g->mcd, gen));
		return;
	}
	if (g->gsquery)
		report_add(&r, g, MC_REC_IS_INCLUDE, false);
	else
		report_current_state(&r, g);
	report_flush(&r);
	g->gsquery = false;
	list_for_each_entry(s, &g->sources, node)
		s->asked = false;
}

/* The first socket joins, or the device comes up. The newest generation hears of it by group_update(). */
static void group_added(struct mc_group *g)
{
	struct mc_dev *d = g->mcd;

	group_filter_dev(g, true);
	if (group_silent(g) || !netif_running(d->dev) || mc_dev_generation(d) == MC_GEN_FILTER)
		return;
	/* RFC 2236 3, RFC 2710 4: at once, and again in case it was lost. */
	g->unsolicited = d->qrv;
	mod_timer(d->dev->net->cpu, &g->timer, net_now(d->dev->net));
}

static void group_quiet(struct mc_group *g)
{
	del_timer(&g->timer);
	g->reporter = g->gsquery = false;
	g->unsolicited = 0;
}

static void group_dropped(struct mc_group *g)
{
	group_filter_dev(g, false);
	if (!group_silent(g) && g->reporter && mc_dev_generation(g->mcd) == MC_GEN_LEAVE)
		g->mcd->ops->send_old(g, MC_GEN_LEAVE, true);
	group_quiet(g);
}

static struct mc_group *group_get(struct mc_dev *d, const struct in6_addr *group)
{
	struct mc_group *g = mc_group_find(d, group);

	if (g)
		return g;
	g = calloc(1, sizeof(*g));
	if (!g)
		return NULL;
	g->mcd = d;
	g->addr = *group;
	g->cstamp = net_now(d->dev->net);
	g->mode = MCAST_INCLUDE; /* of nobody: RFC 3376 3.2 */
	list_init(&g->sources);
	timer_setup(&g->timer, group_timer_fn);
	list_add(&g->node, &d->groups);
	return g;
}

int mc_group_inc(struct mc_dev *d, const struct in6_addr *group, u8 mode)
{
	struct mc_group *g = group_get(d, group);

	if (!g)
		return -ENOMEM;
	g->count[mode]++;
	if (g->users++ == 0)
		group_added(g);
	group_update(g);
	return 0;
}

int mc_group_dec(struct mc_dev *d, const struct in6_addr *group, u8 mode)
{
	struct mc_group *g = mc_group_find(d, group);

	if (!g || !g->count[mode])
		return -ENOENT;
	g->count[mode]--;
	if (--g->users == 0)
		group_dropped(g);
	group_update(g);
	return 0;
}

static bool listed(const struct in6_addr *sources, u32 n, const struct in6_addr *addr)
{
	for (u32 i = 0; i < n; i++)
		if (ipv6_addr_equal(&sources[i], addr))
			return true;
	return false;
}

/*
 * Sources of a socket's filter are counted (@by 1) or no more (@by -1), each once even if the program named it twice.
 * group_update() is the caller's. 0 or -ENOMEM
 */
static int group_count_sources(struct mc_group *g, u8 mode, const struct in6_addr *sources, u32 n,
			       int by)
{
	for (u32 i = 0; i < n; i++) {
		struct mc_source *s;

		if (listed(sources, i, &sources[i]))
			continue;
		s = source_find(g, &sources[i]);
		if (!s) {
			s = by > 0 ? calloc(1, sizeof(*s)) : NULL;
			if (!s) {
				if (by > 0)
					group_count_sources(g, mode, sources, i, -1);
				return -ENOMEM;
			}
			s->addr = sources[i];
			list_add_tail(&s->node, &g->sources);
		}
		s->count[mode] += (u32)by;
	}
	return 0;
}

bool mc_group_wants(const struct mc_dev *d, const struct in6_addr *group,
		    const struct in6_addr *src)
{
	const struct mc_group *g = mc_group_find(d, group);
	const struct mc_source *s;

	if (!g || !g->users)
		return false;
	if (!src)
		return true;
	s = source_find(g, src);
	if (!s)
		return g->count[MCAST_EXCLUDE] != 0;
	return s->count[MCAST_INCLUDE] || s->count[MCAST_EXCLUDE] != g->count[MCAST_EXCLUDE];
}

u64 mc_group_timer_left(const struct mc_group *g)
{
	u64 now = net_now(g->mcd->dev->net);

	return timer_pending(&g->timer) && g->timer.expires > now ? g->timer.expires - now : 0;
}

/* ---- queries --------------------------------------------------------------------------------------------------- */

static void gq_timer_fn(struct cpu *cpu, struct timer_list *t)
{
	struct mc_dev *d = container_of(t, struct mc_dev, gq_timer);
	struct report r = { .d = d };
	struct mc_group *g;

	(void)cpu;
	list_for_each_entry(g, &d->groups, node)
		report_current_state(&r, g);
	report_flush(&r);
}

/* A timer that runs is not put off. */
static void group_timer_within(struct mc_group *g, u64 max)
{
	u64 at = net_now(g->mcd->dev->net) + random_within(g->mcd, max);

	if (!timer_pending(&g->timer) || at < g->timer.expires)
		mod_timer(g->mcd->dev->net->cpu, &g->timer, at);
}

/* RFC 3376 7.2.1, RFC 3810 8.2.1: only the general queries of a router tell which generation it is of. */
static void note_router(struct mc_dev *d, const struct mc_query *q)
{
	u64 now = net_now(d->dev->net);

	if (q->generation == MC_GEN_FILTER) {
		d->qrv = q->qrv ? q->qrv : d->ops->robustness(d);
		if (q->query_interval)
			d->query_interval = q->query_interval;
	} else if (!q->group) {
		if (q->generation == MC_GEN_JOIN)
			d->v1_seen = now + V1_ROUTER_PRESENT;
		else
			d->v2_seen = now + d->qrv * d->query_interval + q->max_resp;
	}
}

/* What was pending in the newest generation is given up. */
static void dev_fall_back(struct mc_dev *d)
{
	struct mc_group *g, *next;

	del_timer(&d->gq_timer);
	del_timer(&d->ifc_timer);
	list_for_each_entry_safe(g, next, &d->groups, node) {
		group_quiet(g);
		group_told(g);
	}
}

static void answer_old(struct mc_dev *d, const struct mc_query *q)
{
	struct mc_group *g;

	list_for_each_entry(g, &d->groups, node)
		if (g->users && !group_silent(g) &&
		    (!q->group || ipv6_addr_equal(q->group, &g->addr)))
			group_timer_within(g, q->max_resp);
}

static struct in6_addr query_source(const struct mc_dev *d, const struct mc_query *q, u32 i)
{
	u32 len = d->ops->addr_len;
	struct in6_addr a;

	if (len == sizeof(be32))
		ipv6_addr_set_v4mapped(BE32_INIT(0), &a);
	memcpy((u8 *)&a + sizeof(a) - len, q->sources + i * len, len);
	return a;
}

/* RFC 3376 5.2: marks the sources that a query names; what is asked for all together is answered so. */
static void query_mark_sources(struct mc_group *g, const struct mc_query *q)
{
	if (timer_pending(&g->timer) && !g->gsquery)
		return;
	g->gsquery = q->nsrcs != 0;
	for (u32 i = 0; i < q->nsrcs; i++) {
		struct in6_addr addr = query_source(g->mcd, q, i);
		struct mc_source *s = source_find(g, &addr);

		/* In mode EXCLUDE a source that nobody here named is wanted: the whole state says so. */
		if (!s && g->mode == MCAST_EXCLUDE) {
			g->gsquery = false;
			return;
		}
		if (s)
			s->asked = true;
	}
}

static void answer(struct mc_dev *d, const struct mc_query *q)
{
	struct mc_group *g;

	if (!q->group) {
		if (!timer_pending(&d->gq_timer))
			timer_within(d, &d->gq_timer, q->max_resp);
		return;
	}
	g = mc_group_find(d, q->group);
	if (!g || !g->users || group_silent(g))
		return;
	query_mark_sources(g, q);
	group_timer_within(g, q->max_resp);
}

void mc_heard_query(struct mc_dev *d, const struct mc_query *q)
{
	enum mc_generation before = mc_dev_generation(d), now;

	note_router(d, q);
	now = mc_dev_generation(d);
	if (now < before && before == MC_GEN_FILTER)
		dev_fall_back(d);
	if (now < MC_GEN_FILTER)
		answer_old(d, q);
	else
		answer(d, q);
}

void mc_heard_report(struct mc_dev *d, const struct in6_addr *group)
{
	struct mc_group *g = mc_group_find(d, group);

	if (!g || mc_dev_generation(d) == MC_GEN_FILTER)
		return;
	del_timer(&g->timer);
	g->reporter = false;
	g->unsolicited = 0;
}

/* ---- devices come and go ------------------------------------------------------------------------------------------- */

static void dev_forget_routers(struct mc_dev *d)
{
	d->v1_seen = d->v2_seen = 0;
	d->qrv = d->ops->robustness(d);
	d->query_interval = MC_QUERY_INTERVAL;
}

void mc_dev_init(struct mc_dev *d, struct net_device *dev, const struct mc_ops *ops)
{
	d->ops = ops;
	d->dev = dev;
	list_init(&d->groups);
	list_init(&d->socklists);
	timer_setup(&d->gq_timer, gq_timer_fn);
	timer_setup(&d->ifc_timer, ifc_timer_fn);
	dev_forget_routers(d);
}

void mc_dev_tell_all(struct mc_dev *d)
{
	bool filter = mc_dev_generation(d) == MC_GEN_FILTER;
	struct mc_group *g;

	list_for_each_entry(g, &d->groups, node) {
		if (!g->users)
			continue;
		group_added(g);
		if (filter)
			g->crcount = d->qrv;
	}
	if (filter && !list_empty(&d->groups))
		dev_tell(d);
}

void mc_dev_up(struct mc_dev *d)
{
	mc_dev_tell_all(d); /* the link has heard nothing yet */
}

void mc_dev_down(struct mc_dev *d)
{
	struct mc_group *g, *next;

	del_timer(&d->gq_timer);
	del_timer(&d->ifc_timer);
	dev_forget_routers(d);
	list_for_each_entry_safe(g, next, &d->groups, node) {
		group_filter_dev(g, false);
		group_quiet(g);
		group_told(g);
	}
}

void mc_dev_destroy(struct mc_dev *d)
{
	mc_dev_down(d);
	while (!list_empty(&d->socklists)) {
		struct mc_socklist *ml =
			list_first_entry(&d->socklists, struct mc_socklist, on_dev);

		list_del(&ml->on_dev);
		ml->mcd = NULL;
	}
	while (!list_empty(&d->groups))
		group_free(list_first_entry(&d->groups, struct mc_group, node));
}

/* ---- RTM_GETMULTICAST --------------------------------------------------------------------------------------------- */

static int fill_group(struct nl_msg *m, const struct netlink_callback *cb, u16 flags,
		      const struct mc_group *g)
{
	const struct mc_ops *ops = g->mcd->ops;
	u32 stamp = (u32)(g->cstamp / (10 * NSEC_PER_MSEC));
	const struct ifa_cacheinfo ci = { UINT32_MAX, UINT32_MAX, stamp, stamp };
	struct ifaddrmsg *ifm = nlmsg_begin(m, cb->portid, cb->nlh->nlmsg_seq, RTM_GETMULTICAST,
					    flags, sizeof(*ifm));

	if (!ifm)
		return -EMSGSIZE;
	ifm->ifa_family = ops->family;
	ifm->ifa_prefixlen = (u8)(8 * ops->addr_len);
	ifm->ifa_flags = IFA_F_PERMANENT;
	ifm->ifa_scope = RT_SCOPE_UNIVERSE;
	ifm->ifa_index = (u32)g->mcd->dev->ifindex;
	nla_put(m, IFA_MULTICAST, ops->addr_len,
		(const u8 *)&g->addr + sizeof(g->addr) - ops->addr_len);
	nla_put(m, IFA_CACHEINFO, sizeof(ci), &ci);
	return nlmsg_finish(m);
}

/* args[0]: ifindex of the device that is being dumped, args[1]: groups of it that are out already. 1: to be continued. */
static int dump_devs(struct nl_msg *msg, struct netlink_callback *cb, u32 only,
		     struct mc_dev *(*of)(const struct net_device *dev))
{
	u16 flags = NLM_F_MULTI | (only ? NLM_F_DUMP_FILTERED : 0);
	struct net_device *dev;

	net_for_each_dev(cb->net, dev) {
		const struct mc_dev *d = of(dev);
		u64 skip = (u64)dev->ifindex == cb->args[0] ? cb->args[1] : 0, i = 0;
		const struct mc_group *g;

		if (!d || (u64)dev->ifindex < cb->args[0] || (only && only != (u32)dev->ifindex))
			continue;
		list_for_each_entry(g, &d->groups, node) {
			if (i++ < skip || !g->users)
				continue;
			if (fill_group(msg, cb, flags, g)) {
				cb->args[0] = (u64)dev->ifindex;
				cb->args[1] = i - 1;
				return 1;
			}
		}
	}
	return 0;
}

int mc_group_dump(struct nl_msg *msg, struct netlink_callback *cb,
		  struct mc_dev *(*of)(const struct net_device *dev))
{
	const struct ifaddrmsg *ifm = NLMSG_DATA(cb->nlh);
	struct net *net = cb->net;
	u32 only = 0;
	int ret;

	if (cb->strict && cb->nlh->nlmsg_len >= NLMSG_LENGTH(sizeof(*ifm)))
		only = ifm->ifa_index;
	if (only && !__dev_get_by_index(net, (int)only)) {
		nl_set_err_msg(cb->extack, "Device does not exist");
		return -ENODEV;
	}
	cb->seq = net->core->dev_generation;
	cpu_lock(net->cpu);
	ret = dump_devs(msg, cb, only, of);
	cpu_unlock(net->cpu);
	return ret;
}

/* ---- sockets ------------------------------------------------------------------------------------------------------- */

struct mc_socklist *mc_sk_find(const struct list_head *list, const struct in6_addr *group,
			       int ifindex)
{
	struct mc_socklist *ml;

	list_for_each_entry(ml, list, node)
		if (ipv6_addr_equal(&ml->group, group) && (!ifindex || ml->ifindex == ifindex))
			return ml;
	return NULL;
}

u32 mc_sk_count(const struct list_head *list)
{
	const struct mc_socklist *ml;
	u32 n = 0;

	list_for_each_entry(ml, list, node)
		n++;
	return n;
}

int mc_sk_join(struct list_head *list, struct mc_dev *d, const struct in6_addr *group, u8 mode)
{
	struct mc_socklist *ml;

	if (mc_sk_find(list, group, d->dev->ifindex))
		return -EADDRINUSE;
	if ((mc_sk_count(list) + 1) * sizeof(*ml) > d->dev->net->core->optmem_max)
		return -ENOMEM;
	ml = calloc(1, sizeof(*ml));
	if (!ml)
		return -ENOMEM;
	ml->mcd = d;
	ml->ifindex = d->dev->ifindex;
	ml->group = *group;
	ml->mode = mode;
	if (mc_group_inc(d, group, mode)) {
		free(ml);
		return -ENOMEM;
	}
	list_add(&ml->node, list);
	list_add(&ml->on_dev, &d->socklists);
	return 0;
}

void mc_sk_leave(struct mc_socklist *ml)
{
	if (ml->mcd) {
		group_count_sources(mc_group_find(ml->mcd, &ml->group), ml->mode, ml->sources,
				    ml->n, -1);
		mc_group_dec(ml->mcd, &ml->group, ml->mode);
		list_del(&ml->on_dev);
	}
	list_del(&ml->node);
	free(ml->sources);
	free(ml);
}

void mc_sk_leave_all(struct list_head *list)
{
	while (!list_empty(list))
		mc_sk_leave(list_first_entry(list, struct mc_socklist, node));
}

/* 0, -ENOMEM */
static int ml_set(struct mc_socklist *ml, u8 mode, const struct in6_addr *sources, u32 n)
{
	struct mc_group *g = ml->mcd ? mc_group_find(ml->mcd, &ml->group) : NULL;
	struct in6_addr *copy = NULL;

	if (n) {
		copy = malloc(n * sizeof(*copy));
		if (!copy)
			return -ENOMEM;
		memcpy(copy, sources, n * sizeof(*copy));
	}
	if (g) {
		if (group_count_sources(g, mode, copy, n, 1)) {
			free(copy);
			return -ENOMEM;
		}
		group_count_sources(g, ml->mode, ml->sources, ml->n, -1);
		g->count[ml->mode]--;
		g->count[mode]++;
		group_update(g);
	}
	free(ml->sources);
	ml->sources = copy;
	ml->n = n;
	ml->mode = mode;
	return 0;
}

int mc_sk_source(struct mc_socklist *ml, const struct in6_addr *source, u8 mode, bool add,
		 u32 limit)
{
	struct in6_addr *list;
	u32 n = ml->n, at;
	int err;

	if (ml->mode != mode) {
		if (n) /* the other kind of list */
			return -EINVAL;
		err = ml_set(ml, mode, NULL, 0);
		if (err)
			return err;
	}
	for (at = 0; at < n && !ipv6_addr_equal(&ml->sources[at], source); at++)
		;
	if ((at < n) == add)
		return -EADDRNOTAVAIL;
	if (!add && n == 1 && mode == MCAST_INCLUDE) { /* nothing is wanted any more */
		mc_sk_leave(ml);
		return 0;
	}
	if (add && n >= limit)
		return -ENOBUFS;
	list = malloc((n + 1) * sizeof(*list));
	if (!list)
		return -ENOMEM;
	if (n)
		memcpy(list, ml->sources, n * sizeof(*list));
	if (add)
		list[n++] = *source;
	else
		list[at] = list[--n];
	err = ml_set(ml, mode, list, n);
	free(list);
	return err;
}

int mc_sk_msfilter(struct mc_socklist *ml, u8 mode, const struct in6_addr *sources, u32 n)
{
	if (mode == MCAST_INCLUDE && !n) {
		mc_sk_leave(ml);
		return 0;
	}
	return ml_set(ml, mode, sources, n);
}

bool mc_sk_allows(const struct mc_socklist *ml, const struct in6_addr *src)
{
	return listed(ml->sources, ml->n, src) == (ml->mode == MCAST_INCLUDE);
}
