/* SPDX-License-Identifier: BSD-2-Clause */
/* ip_metrics.h - the metrics of a route (RTA_METRICS): between netlink and struct dst_entry, for both IP versions */
#ifndef WEIR_INET_IP_METRICS_H
#define WEIR_INET_IP_METRICS_H

#include "core/dst.h"
#include "netlink/netlink.h"

struct ip_metrics {
	u32 value[NR_DST_METRICS]; /* 0: unset. Must be first: dst_entry.metrics points here */
	u32 lock;                  /* 1 << enum of dst.h: must not be learnt */
	bool any;
};

#define DST_FEATURE_ECN_CA                                                                         \
	(1u << 31) /* of DST_METRIC_FEATURES, our own: the route's congestion control needs ECN */

/* Congestion controls by name and by number; TCP registers it. Context: control, rtnl. */
struct ip_metrics_cong {
	u32 (*key)(const struct machine *m, const char *name, bool *ret_ecn); /* 0: there is none */
	const char *(*name)(const struct machine *m, u32 key); /* NULL: not any more */
};
void ip_metrics_set_cong(struct machine *m, const struct ip_metrics_cong *cong);

/* @nest: RTA_METRICS or NULL. 0 or -EINVAL with @extack */
int ip_metrics_parse(const struct machine *machine, struct ip_metrics *m, const struct nlattr *nest,
		     struct netlink_ext_ack *extack);
/* Nothing if there are none. */
void ip_metrics_put(struct nl_msg *msg, const struct machine *machine, const struct ip_metrics *m);

/* Did who made the route say that @metric holds, whatever else says otherwise? */
static inline bool ip_metric_locked(const struct dst_entry *dst, int metric)
{
	return dst->metrics &&
	       ((const struct ip_metrics *)(const void *)dst->metrics)->lock & (1u << metric);
}

#endif
