/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * llc.h - users of 802.2 access points and of SNAP protocol ids
 *
 * Context of registration: rtnl, no cpu lock. Tables stay the caller's until they are unregistered.
 */
#ifndef WEIR_LLC_LLC_H
#define WEIR_LLC_LLC_H

#include "core/net.h"
#include "core/netdevice.h"
#include "core/skbuff.h"
#include "wire/llc.h"

struct llc_sap {
	u8 lsap; /* even: an individual access point */
	/* consumes @skb: an UI command or response for this access point; data behind the LLC header, network header at it. NET_RX softirq */
	void (*rcv)(struct sk_buff *skb, struct net_device *dev, const struct llc_sap *sap);
};

struct snap_client {
	struct snap_view id;
	/* consumes @skb: data behind the SNAP header */
	void (*rcv)(struct sk_buff *skb, struct net_device *dev, const struct snap_client *client);
};

/* 0, -EEXIST, -EINVAL (not an individual access point, or the null one), -ENOMEM */
int llc_sap_register(struct net *net, const struct llc_sap *sap);
void llc_sap_unregister(struct net *net, const struct llc_sap *sap);
int register_snap_client(struct net *net, const struct snap_client *client);
void unregister_snap_client(struct net *net, const struct snap_client *client);

/*
 * consume: sends what is at data as an UI command from @ssap to @dsap of station @daddr, with an 802.3 length header; or with a SNAP header.
 * skb->dev set, LL_MAX_HEADER octets of headroom. 0 or -errno; -EMSGSIZE: more than the length field can say. cpu lock.
 */
int llc_build_and_send_ui_pkt(struct sk_buff *skb, const u8 *daddr, u8 ssap, u8 dsap);
int snap_build_and_send_pkt(struct sk_buff *skb, const u8 *daddr, const struct snap_view *id);

#endif
