/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lab_net.h - network configuration of nets by netlink requests: what `ip` would do
 *
 * All functions return 0 or -errno and print nothing; *err receives the sentence of the stack's extended acknowledgement, if there was one.
 */
#ifndef WEIR_LAB_LAB_NET_H
#define WEIR_LAB_LAB_NET_H

#include <weir/weir.h>

#include "lab/lab.h"

struct net_error {
	char text[256];
};

int net_link_up(struct weir_net *net, const char *ifname, struct net_error *err);
/* A veth pair: @a in @net_a, @b in @net_b. @mtu 0: the default. */
int net_veth_add(struct weir_net *net_a, const char *a, struct weir_net *net_b, const char *b,
		 uint32_t mtu, struct net_error *err);
/* A hub, switch or token medium (@kind), up. */
int net_medium_add(struct weir_net *net, const char *name, const char *kind, struct net_error *err);
/* An emulated card @name in @net, plugged into @into (a medium or another card) of @home; NULL: into nothing yet. */
int net_nic_add(struct weir_net *home, const char *into, struct weir_net *net, const char *name,
		struct net_error *err);
/* Of a medium that is there: what is not 0 in @m. */
int net_medium_configure(struct weir_net *net, const struct lab_medium *m, struct net_error *err);
/* A card that is down: rings, mode, moderation, and its cable. */
int net_nic_configure(struct weir_net *net, const char *ifname, const struct lab_card *card,
		      const struct lab_impairment *cable, struct net_error *err);
/* What ethtool -K does: -ENOENT, there is no such feature; -EOPNOTSUPP, the card cannot */
int net_set_feature(struct weir_net *net, const char *ifname, const struct lab_feature *f);
/* What ethtool -S shows, line by line. */
void net_ethtool_stats(struct weir_net *net, const char *ifname,
		       void (*show)(const char *name, uint64_t value, void *arg), void *arg);
/* Everything of @imp is set, also what is 0. */
int net_link_impair(struct weir_net *net, const char *ifname, const struct lab_impairment *imp,
		    struct net_error *err);
int net_link_set_mtu(struct weir_net *net, const char *ifname, uint32_t mtu, struct net_error *err);
int net_ip_add(struct weir_net *net, const char *ifname, const struct lab_ip *addr,
	       uint8_t prefixlen, struct net_error *err);
static inline int net_addr_add(struct weir_net *net, const char *ifname, struct in_addr addr,
			       uint8_t prefixlen, struct net_error *err)
{
	struct lab_ip ip = { .family = AF_INET, .v4 = addr };

	return net_ip_add(net, ifname, &ip, prefixlen, err);
}
int net_route_add(struct weir_net *net, const struct lab_route *route, struct net_error *err);
/* Every destination that no other route is for is here: `ip route add local default dev lo` (weir_listen_any()). */
int net_local_any(struct weir_net *net, int family, struct net_error *err);

/* What a link counted. */
struct net_link_stats {
	uint64_t tx_packets, tx_octets, rx_packets, rx_octets, tx_dropped;
	uint64_t lost, duplicated, reordered, corrupted, queue_drops, marked;
};
int net_link_stats(struct weir_net *net, const char *ifname, struct net_link_stats *ret);

#endif
