/* SPDX-License-Identifier: BSD-2-Clause */
/* ip_metrics.c - RTAX_* attributes of routes */
#include "inet/ip_metrics.h"

#include <errno.h>

#include "inet/inet_internal.h"

static const struct {
	u8 rtax, metric;
} metric_map[] = {
	{ RTAX_MTU, DST_METRIC_MTU },
	{ RTAX_WINDOW, DST_METRIC_WINDOW },
	{ RTAX_RTT, DST_METRIC_RTT },
	{ RTAX_RTTVAR, DST_METRIC_RTTVAR },
	{ RTAX_SSTHRESH, DST_METRIC_SSTHRESH },
	{ RTAX_CWND, DST_METRIC_CWND },
	{ RTAX_ADVMSS, DST_METRIC_ADVMSS },
	{ RTAX_HOPLIMIT, DST_METRIC_HOPLIMIT },
	{ RTAX_INITCWND, DST_METRIC_INITCWND },
	{ RTAX_FEATURES, DST_METRIC_FEATURES },
	{ RTAX_RTO_MIN, DST_METRIC_RTO_MIN },
	{ RTAX_INITRWND, DST_METRIC_INITRWND },
	{ RTAX_QUICKACK, DST_METRIC_QUICKACK },
	{ RTAX_REORDERING, DST_METRIC_REORDERING },
	{ RTAX_FASTOPEN_NO_COOKIE, DST_METRIC_FASTOPEN_NO_COOKIE },
	{ RTAX_CC_ALGO, DST_METRIC_CC_ALGO },
};

static_assert(offsetof(struct ip_metrics, value) == 0, "ip_metric_locked()");

#define CC_NAME_MAX 16 /* TCP_CA_NAME_MAX */

void ip_metrics_set_cong(struct machine *m, const struct ip_metrics_cong *cong)
{
	m->inet->cong = cong;
}

/* RTAX_CC_ALGO: a name. 0 or -EINVAL */
static int parse_cong(const struct machine *machine, struct ip_metrics *m, const struct nlattr *a,
		      struct netlink_ext_ack *extack)
{
	const struct ip_metrics_cong *cong = machine->inet->cong;
	char name[CC_NAME_MAX] = "";
	bool ecn = false;

	memcpy(name, nla_data(a), min((u32)nla_len(a), CC_NAME_MAX - 1u));
	m->value[DST_METRIC_CC_ALGO] = cong ? cong->key(machine, name, &ecn) : 0;
	if (!m->value[DST_METRIC_CC_ALGO]) {
		nl_set_err_msg(extack, "Unknown tcp congestion algorithm");
		nl_set_bad_attr(extack, a);
		return -EINVAL;
	}
	if (ecn)
		m->value[DST_METRIC_FEATURES] |= DST_FEATURE_ECN_CA;
	m->any = true;
	return 0;
}

static u32 metric_limit(int rtax)
{
	switch (rtax) {
	case RTAX_ADVMSS:
		return 65535 - 40;
	case RTAX_MTU:
		return 65535 - 15;
	case RTAX_HOPLIMIT:
		return 255;
	default:
		return UINT32_MAX;
	}
}

int ip_metrics_parse(const struct machine *machine, struct ip_metrics *m, const struct nlattr *nest,
		     struct netlink_ext_ack *extack)
{
	const struct nlattr *a;
	u32 lock = 0;
	int rem;

	if (!nest)
		return 0;
	nla_for_each(a, nla_data(nest), nla_len(nest), rem) {
		u32 v;

		if (nla_type(a) == RTAX_CC_ALGO) {
			if (parse_cong(machine, m, a, extack))
				return -EINVAL;
			continue;
		}
		if (nla_len(a) < 4) {
			nl_set_err_msg(extack, "A metric must have 4 octets");
			nl_set_bad_attr(extack, a);
			return -EINVAL;
		}
		v = min(nla_get_u32(a), metric_limit(nla_type(a)));
		if (nla_type(a) == RTAX_LOCK)
			lock = v;
		for (u32 i = 0; i < ARRAY_SIZE(metric_map); i++) {
			if (metric_map[i].rtax == nla_type(a)) {
				/* The congestion control may have come first. */
				m->value[metric_map[i].metric] =
					v | (m->value[metric_map[i].metric] & DST_FEATURE_ECN_CA &
					     -(u32)(nla_type(a) == RTAX_FEATURES));
				m->any = true;
			}
		}
	}
	for (u32 i = 0; i < ARRAY_SIZE(metric_map); i++)
		if (lock & (1u << metric_map[i].rtax))
			m->lock |= 1u << metric_map[i].metric;
	return 0;
}

static void put_metric(struct nl_msg *msg, const struct machine *machine, u8 rtax, u32 v)
{
	const char *name;

	if (rtax == RTAX_FEATURES)
		v &= ~DST_FEATURE_ECN_CA;
	if (!v)
		return;
	if (rtax != RTAX_CC_ALGO) {
		nla_put_u32(msg, rtax, v);
		return;
	}
	name = machine->inet->cong->name(machine, v);
	if (name)
		nla_put_string(msg, rtax, name);
}

void ip_metrics_put(struct nl_msg *msg, const struct machine *machine, const struct ip_metrics *m)
{
	u32 mark, lock = 0;

	if (!m->any)
		return;
	mark = nla_nest_start_noflag(msg, RTA_METRICS);
	for (u32 i = 0; i < ARRAY_SIZE(metric_map); i++) {
		if (m->lock & (1u << metric_map[i].metric))
			lock |= 1u << metric_map[i].rtax;
		put_metric(msg, machine, metric_map[i].rtax, m->value[metric_map[i].metric]);
	}
	if (lock)
		nla_put_u32(msg, RTAX_LOCK, lock);
	nla_nest_end(msg, mark);
}
