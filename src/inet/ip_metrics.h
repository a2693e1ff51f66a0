/* SPDX-License-Identifier: BSD-2-Clause */
/* ip_metrics.h - the metrics of a route (RTA_METRICS): between netlink and struct dst_entry, for both IP versions */
#ifndef WEIR_INET_IP_METRICS_H
#define WEIR_INET_IP_METRICS_H

#include "core/dst.h"
#include "netlink/netlink.h"

struct ip_metrics {
	u32 value[NR_DST_METRICS]; /* 0: unset */
	u32 lock;                  /* 1 << enum of dst.h: must not be learnt */
	bool any;
};

/* @nest: RTA_METRICS or NULL. 0 or -EINVAL with @extack */
int ip_metrics_parse(struct ip_metrics *m, const struct nlattr *nest,
		     struct netlink_ext_ack *extack);
void ip_metrics_put(struct nl_msg *msg, const struct ip_metrics *m); /* nothing if there are none */

#endif
