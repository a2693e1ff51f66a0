/* SPDX-License-Identifier: BSD-2-Clause */
/* frame.h - frames that lie in memory of somebody else's: into an skb and out of it */
#ifndef WEIR_DRIVERS_FRAME_H
#define WEIR_DRIVERS_FRAME_H

#include "core/netdevice.h"

#define FRAME_HEAD                                                                                 \
	1600 /* linear: an ordinary frame with VLAN tags; longer ones go on in fragments */

/*
 * A copy of @len octets, as a frame that @dev received; the first FRAME_HEAD of them linear. NULL: no memory. cpu lock.
 */
struct sk_buff *frame_copy_in(struct net_device *dev, const void *octets, u32 len);
/*
 * The same without a copy of what is behind the first octets: they are in @page from @off on, and a reference of it is taken. The headers of
 * any protocol that offloads know of are linear.
 */
struct sk_buff *frame_lend_in(struct net_device *dev, struct page *page, u32 off, u32 len);

/*
 * Whether the transport checksum of the Ethernet frame @skb is only the sum of its pseudo header, as of a sender that leaves the rest to a
 * card, where nobody has said so; if it is, @skb says so from now on.
 */
bool frame_csum_unfinished(struct sk_buff *skb);

/*
 * What a frame of @len octets counts for in a poll's budget: as many as the frames of ordinary size that it stands for. So a round of softirqs
 * brings no more than the cache holds before programs read.
 */
static inline int napi_work(const struct net_device *dev, u32 len)
{
	return likely(len <= dev->mtu + 64u) ? 1 : (int)(len / dev->mtu);
}

#endif
