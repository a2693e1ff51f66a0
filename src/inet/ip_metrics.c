/* SPDX-License-Identifier: BSD-2-Clause */
/* ip_metrics.c - RTAX_* attributes of routes */
#include "inet/ip_metrics.h"

#include <errno.h>

static const struct {
	u8 rtax, metric;
} metric_map[] = {
	{ RTAX_MTU, DST_METRIC_MTU },           { RTAX_WINDOW, DST_METRIC_WINDOW },
	{ RTAX_RTT, DST_METRIC_RTT },           { RTAX_RTTVAR, DST_METRIC_RTTVAR },
	{ RTAX_SSTHRESH, DST_METRIC_SSTHRESH }, { RTAX_CWND, DST_METRIC_CWND },
	{ RTAX_ADVMSS, DST_METRIC_ADVMSS },     { RTAX_HOPLIMIT, DST_METRIC_HOPLIMIT },
	{ RTAX_INITCWND, DST_METRIC_INITCWND }, { RTAX_FEATURES, DST_METRIC_FEATURES },
	{ RTAX_RTO_MIN, DST_METRIC_RTO_MIN },   { RTAX_INITRWND, DST_METRIC_INITRWND },
	{ RTAX_QUICKACK, DST_METRIC_QUICKACK },
};

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

int ip_metrics_parse(struct ip_metrics *m, const struct nlattr *nest,
		     struct netlink_ext_ack *extack)
{
	const struct nlattr *a;
	u32 lock = 0;
	int rem;

	if (!nest)
		return 0;
	nla_for_each(a, nla_data(nest), nla_len(nest), rem) {
		u32 v;

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
				m->value[metric_map[i].metric] = v;
				m->any = true;
			}
		}
	}
	for (u32 i = 0; i < ARRAY_SIZE(metric_map); i++)
		if (lock & (1u << metric_map[i].rtax))
			m->lock |= 1u << metric_map[i].metric;
	return 0;
}

void ip_metrics_put(struct nl_msg *msg, const struct ip_metrics *m)
{
	u32 mark, lock = 0;

	if (!m->any)
		return;
	mark = nla_nest_start_noflag(msg, RTA_METRICS);
	for (u32 i = 0; i < ARRAY_SIZE(metric_map); i++) {
		if (m->lock & (1u << metric_map[i].metric))
			lock |= 1u << metric_map[i].rtax;
		if (m->value[metric_map[i].metric])
			nla_put_u32(msg, metric_map[i].rtax, m->value[metric_map[i].metric]);
	}
	if (lock)
		nla_put_u32(msg, RTAX_LOCK, lock);
	nla_nest_end(msg, mark);
}
