/* SPDX-License-Identifier: BSD-2-Clause */
/* hostif.h - what the host says of one of its interfaces, for devices that stand over it. See hostif.c */
#ifndef WEIR_DRIVERS_HOSTIF_H
#define WEIR_DRIVERS_HOSTIF_H

#include <net/if.h>

#include "core/netdevice.h"

struct host_thread;

struct hostif {
	char name[IFNAMSIZ];
	int ifindex;
	u32 mtu; /* on the packet path: hostif_mtu() */
	u8 addr[ETH_ALEN];
	u16 type; /* ARPHRD_* */
	bool up;  /* administratively, and it has a carrier */
	bool gone;

	struct net_device *dev;
	struct host_thread *thread;
	int fd, stop_fd; /* rtnetlink of the host; -1 */
};

/*
 * Finds @name in the network namespace of the calling thread. 0; -ENODEV, or what the host says. hostif_close() when it is not needed any
 * more.
 */
int hostif_open(struct hostif *h, const char *name);
/* From now on @dev has the carrier of the interface, and no larger MTU than it. rtnl. 0 or -ENOMEM */
int hostif_follow(struct hostif *h, struct net_device *dev);
void hostif_close(struct hostif *h); /* rtnl, no cpu lock; again is fine */
/* The rest is written and read under rtnl; this is read without, too. */
static inline u32 hostif_mtu(const struct hostif *h)
{
	return __atomic_load_n(&h->mtu, __ATOMIC_RELAXED);
}
/* What a device that goes up says of its carrier. cpu lock. */
void hostif_show_carrier(struct hostif *h);

#endif
