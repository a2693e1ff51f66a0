/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * arp.c - ARP (RFC 826) as the IPv4 side of the neighbour table
 *
 * Theory of operation
 *   core/neighbour.c owns entries, states, timers and queues. ARP brings three things: how a new entry starts (constructor: broadcast,
 *   multicast and links without ARP need no question), how to ask (solicit: first the known station, then everybody,
 *   RFC 1122 2.3.2.1), and what an answer means (arp_process).
 *   What is heard updates an entry that exists; only a question to us creates one, so that chatter between others does not
 *   fill the table. A reply to us makes the entry REACHABLE, everything else STALE: it is confirmed when it is used. An
 *   entry that changed less than locktime ago is not overridden, so that of two answers the first wins.
 *   Questions for others are answered for those we are proxy of (arp_proxied), after a random delay (core/pneigh.c).
 *   RFC 5227: probes (sender 0.0.0.0) for our addresses are answered.
 * Context: softirq, cpu lock.
 */
#include "wire/arp.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#include "core/nf_hook.h"
#include "ipv4/ipv4_internal.h"
#include "socket/socket.h"
#include "wire/ethernet.h"

#include <linux/if_arp.h> /* behind net/if.h: the two know each other only in this order */

/* ---- sending --------------------------------------------------------------------------------------------- */

static int arp_xmit_finish(struct net *net, struct sock *sk, struct sk_buff *skb)
{
	return dev_queue_xmit(skb);
}

void arp_send(struct net_device *dev, u16 op, be32 dst_ip, be32 src_ip, const u8 *dst_hw,
	      const u8 *target_hw)
{
	struct net *net = dev->net;
	struct arp_view v = {
		.htype = dev->type,
		.ptype = ETH_P_IP,
		.op = op,
		.hlen = dev->addr_len,
		.sha = dev->dev_addr,
		.tha = target_hw,
		.sip = src_ip,
		.tip = dst_ip,
	};
	u32 room = LL_MAX_HEADER + dev->needed_headroom;
	struct sk_buff *skb;

	if (dev->flags & IFF_NOARP)
		return;
	skb = alloc_skb(net->cpu, room + (u32)ARP_LEN(dev->addr_len));
	if (!skb)
		return;
	skb_reserve(skb, room);
	skb->dev = dev;
	skb->protocol = BE16_INIT(ETH_P_ARP);
	skb_reset_network_header(skb);
	arp_build(skb_put(skb, (u32)ARP_LEN(dev->addr_len)), &v);
	trace_skb(skb, net, TP_arp_send, TRACE_CREATE, op, be32_to_cpu(dst_ip));
	if (dev_hard_header(skb, dev, ETH_P_ARP, dst_hw ? dst_hw : dev->broadcast, dev->dev_addr,
			    skb->len) < 0) {
		kfree_skb_reason(skb, SKB_DROP_DEV_HEADER);
		return;
	}
	NF_HOOK(NFPROTO_INDEX_ARP, NF_INET_LOCAL_OUT, net, NULL, skb, NULL, dev, arp_xmit_finish);
}

/* The address to ask with: arp_announce 0 the packet's own, 1 one of the target's network, 2 the best for the target. */
static be32 arp_source(struct neighbour *n, const struct sk_buff *skb, be32 target)
{
	struct net_device *dev = n->dev;
	struct in_device *in_dev = in_dev_get(dev);
	be32 saddr = { 0 };
	u8 announce;

	if (!in_dev)
		return saddr;
	announce = IN_DEV_MAXCONF(in_dev, arp_announce);
	if (skb && announce < 2 && inet_addr_type(dev->net, ip_hdr(skb)->saddr) == RTN_LOCAL) {
		saddr = ip_hdr(skb)->saddr;
		if (announce == 1 && !inet_addr_onlink(in_dev, target, saddr))
			saddr = (be32){ 0 };
	}
	return be32_zero(saddr) ? inet_select_addr(dev, target, RT_SCOPE_LINK) : saddr;
}

static void arp_solicit(struct neighbour *n, struct sk_buff *skb)
{
	struct net_device *dev = n->dev;
	be32 target, saddr;
	const u8 *dst_hw = NULL;

	memcpy(&target, n->primary_key, sizeof(target));
	if (!dev->ip_ptr)
		return;
	saddr = arp_source(n, skb, target);
	/* This one is counted already. */
	if (n->probes - 1 < n->parms->ucast_probes && n->nud_state & NUD_VALID)
		dst_hw = n->ha;
	arp_send(dev, ARP_OP_REQUEST, target, saddr, dst_hw, NULL);
}

/* Nobody answered: the sender of a packet that waited is told (RFC 1122 2.3.2.2, RFC 1812 3.3.2). */
static void arp_error_report(struct neighbour *n, struct sk_buff *skb)
{
	if (skb->protocol.v == BE16_INIT(ETH_P_IP).v)
		icmp_send(skb, 3, 1, 0);
	kfree_skb_reason(skb, SKB_DROP_NEIGH_FAILED);
}

static const struct neigh_ops arp_ops = {
	.family = AF_INET,
	.solicit = arp_solicit,
	.error_report = arp_error_report,
};

/* ---- entries ----------------------------------------------------------------------------------------------- */

/* RFC 1112 6.4: the low 23 bits of the group behind 01:00:5e. */
static void arp_multicast_map(be32 group, u8 *ha)
{
	u32 g = be32_to_cpu(group);

	ha[0] = 0x01;
	ha[1] = 0x00;
	ha[2] = 0x5e;
	ha[3] = (u8)((g >> 16) & 0x7f);
	ha[4] = (u8)(g >> 8);
	ha[5] = (u8)g;
}

static int arp_constructor(struct neighbour *n)
{
	struct net_device *dev = n->dev;
	struct in_device *in_dev = in_dev_get(dev);
	be32 addr;

	if (!in_dev)
		return -EINVAL;
	memcpy(&addr, n->primary_key, sizeof(addr));
	n->type = (u8)inet_dev_addr_type(dev->net, dev, addr);
	n->parms = in_dev->arp_parms;
	n->ops = &arp_ops;
	if (!dev->header_ops) {
		n->nud_state = NUD_NOARP;
		n->output = neigh_direct_output;
		return 0;
	}
	if (dev->flags & (IFF_NOARP | IFF_LOOPBACK)) {
		n->nud_state = NUD_NOARP;
		memcpy(n->ha, dev->dev_addr, dev->addr_len);
	} else if (n->type == RTN_MULTICAST) {
		n->nud_state = NUD_NOARP;
		if (dev->type == ARPHRD_ETHER)
			arp_multicast_map(addr, n->ha);
		else
			memcpy(n->ha, dev->broadcast, dev->addr_len);
	} else if (n->type == RTN_BROADCAST) {
		n->nud_state = NUD_NOARP;
		memcpy(n->ha, dev->broadcast, dev->addr_len);
	}
	n->output = n->nud_state & NUD_VALID ? neigh_connected_output : neigh_resolve_output;
	return 0;
}

/* ---- receiving ---------------------------------------------------------------------------------------------- */

/* Do we keep silent about @tip towards @sip? arp_ignore and arp_filter of ip-sysctl. */
static bool arp_ignored(struct in_device *in_dev, be32 sip, be32 tip)
{
	struct in_ifaddr *ifa = inet_find_ifa(in_dev, tip);
	struct flowi4 fl = { .daddr = sip, .saddr = tip };
	struct net *net = in_dev->net;
	struct fib_result res;

	switch (IN_DEV_MAXCONF(in_dev, arp_ignore)) {
	case 1: /* only for addresses of this device */
		if (!ifa)
			return true;
		break;
	case 2: /* and only to senders of the same network */
		if (!ifa || !inet_addr_onlink(in_dev, sip, tip))
			return true;
		break;
	case 3: /* not for addresses of scope host */
		if (ifa && ifa->scope == RT_SCOPE_HOST)
			return true;
		break;
	case 8:
		return true;
	default:
		break;
	}
	if (!IN_DEV_ORCONF(in_dev, arp_filter))
		return false;
	if (fib_lookup(net, &fl, &res) == 0 && fib_result_nh(&res)->dev == in_dev->dev)
		return false;
	NET_INC_STATS(net, MIB_TcpExt_ArpFilter);
	return true;
}

/* medium_id of ip-sysctl: devices of one medium hear each other's questions themselves. */
static bool arp_other_medium(const struct in_device *in_dev, const struct net_device *out)
{
	const struct in_device *out_dev = in_dev_get(out);

	if (!in_dev->medium_id)
		return true;
	return in_dev->medium_id != -1 &&
	       (!out_dev || (out_dev->medium_id != in_dev->medium_id && out_dev->medium_id != -1));
}

/*
 * Proxy ARP (RFC 1027): for addresses that we forward to. By another device: all (proxy_arp), or single ones ("ip neigh add
 * proxy"); back by the same device if its stations cannot hear each other (proxy_arp_pvlan, RFC 3069).
 */
static bool arp_proxied(struct in_device *in_dev, be32 tip)
{
	struct net_device *dev = in_dev->dev;
	struct flowi4 fl = { .daddr = tip, .iif = dev->ifindex };
	const struct net_device *out;
	struct fib_result res;

	if (!in_dev->forwarding || fib_lookup(in_dev->net, &fl, &res) || res.type != RTN_UNICAST)
		return false;
	out = fib_result_nh(&res)->dev;
	if (out == dev)
		return in_dev->proxy_arp_pvlan;
	if (IN_DEV_ORCONF(in_dev, proxy_arp) && arp_other_medium(in_dev, out))
		return true;
	return pneigh_lookup(in_dev->net->ipv4->arp_tbl, &tip, dev);
}

static void arp_learn(struct neighbour *n, const struct arp_view *v, u8 state, bool override)
{
	neigh_update(n, v->sha, state, override ? NEIGH_UPDATE_F_OVERRIDE : 0);
	neigh_release(n);
}

enum arp_verdict {
	ARP_NOT_FOR_US,
	ARP_ANSWERED,
	ARP_WAITS, /* the packet was taken: it is answered later */
};

static enum arp_verdict arp_process_request(struct sk_buff *skb, struct in_device *in_dev,
					    const struct arp_view *v)
{
	struct net_device *dev = in_dev->dev;
	struct net *net = in_dev->net;
	struct neighbour *n;
	bool local = inet_addr_type(net, v->tip) == RTN_LOCAL;
	int err;

	/* RFC 5227 2.1: somebody checks whether the address is free. It is not. */
	if (be32_zero(v->sip)) {
		if (!local || arp_ignored(in_dev, v->sip, v->tip))
			return ARP_NOT_FOR_US;
		arp_send(dev, ARP_OP_REPLY, v->sip, v->tip, v->sha, v->sha);
		return ARP_ANSWERED;
	}
	/* An address that no single neighbour can have: ours, a broadcast. */
	if (inet_addr_type(net, v->sip) != RTN_UNICAST)
		return ARP_NOT_FOR_US;
	if (local ? arp_ignored(in_dev, v->sip, v->tip) : !arp_proxied(in_dev, v->tip))
		return ARP_NOT_FOR_US;
	/* RFC 826: whoever asks us will be written to soon. */
	n = neigh_lookup(net->ipv4->arp_tbl, &v->sip, dev);
	if (!n)
		n = neigh_create(net->ipv4->arp_tbl, &v->sip, dev, &err);
	if (n)
		arp_learn(n, v, NUD_STALE, true);
	/* Whoever has the address himself is heard first. */
	if (!local && !NEIGH_CB(skb)->due && skb->pkt_type != SKB_PACKET_HOST &&
	    in_dev->arp_parms->proxy_delay) {
		pneigh_enqueue(net->ipv4->arp_tbl, in_dev->arp_parms, skb);
		return ARP_WAITS;
	}
	arp_send(dev, ARP_OP_REPLY, v->sip, v->tip, v->sha, v->sha);
	return ARP_ANSWERED;
}

/* May a gratuitous ARP make an entry? 1: any, 2: of addresses of the device's networks. */
static bool arp_accepts(struct in_device *in_dev, be32 sip)
{
	u8 accept = IN_DEV_MAXCONF(in_dev, arp_accept);

	return accept == 1 || (accept == 2 && inet_addr_onlink(in_dev, sip, (be32){ 0 }));
}

/* A reason, or 0. *ret_taken: the packet is somebody else's now. */
static skb_drop_reason_t arp_process(struct sk_buff *skb, struct net *net, const struct arp_view *v,
				     bool *ret_taken)
{
	struct net_device *dev = skb->dev;
	struct in_device *in_dev = in_dev_get(dev);
	enum arp_verdict verdict;
	bool gratuitous, override;
	struct neighbour *n;
	int err;

	*ret_taken = false;
	if (!in_dev)
		return SKB_DROP_ARP_NODEV;
	if (v->op != ARP_OP_REQUEST && v->op != ARP_OP_REPLY)
		return SKB_DROP_ARP_OP;
	if (ipv4_is_multicast(v->tip) ||
	    (ipv4_is_loopback(v->tip) && !IN_DEV_ORCONF(in_dev, route_localnet)) ||
	    ipv4_is_multicast(v->sip) || ipv4_is_lbcast(v->sip))
		return SKB_DROP_ARP_ADDR;
	/* A station that claims to be everybody. */
	if (!memcmp(v->sha, dev->broadcast, dev->addr_len) ||
	    (dev->type == ARPHRD_ETHER && is_multicast_ether_addr(v->sha)))
		return SKB_DROP_ARP_ADDR;
	gratuitous = be32_eq(v->sip, v->tip);
	if (gratuitous && IN_DEV_ORCONF(in_dev, drop_gratuitous_arp))
		return SKB_DROP_ARP_GRATUITOUS;
	if (v->op == ARP_OP_REQUEST && !gratuitous) {
		verdict = arp_process_request(skb, in_dev, v);
		*ret_taken = verdict == ARP_WAITS;
		if (verdict != ARP_NOT_FOR_US)
			return 0;
	}
	if (be32_zero(v->sip) || inet_addr_type(net, v->sip) != RTN_UNICAST)
		return v->op == ARP_OP_REQUEST ? SKB_DROP_ARP_IGNORED : SKB_DROP_ARP_ADDR;

	n = neigh_lookup(net->ipv4->arp_tbl, &v->sip, dev);
	if (!n && gratuitous && arp_accepts(in_dev, v->sip))
		n = neigh_create(net->ipv4->arp_tbl, &v->sip, dev, &err);
	if (!n)
		return v->op == ARP_OP_REQUEST && !gratuitous ? SKB_DROP_ARP_IGNORED : 0;
	override = gratuitous || net_now(net) >= n->updated + n->parms->locktime;
	/* Broadcast replies and requests say where a station is, not that it hears us. */
	arp_learn(n, v,
		  v->op == ARP_OP_REPLY && skb->pkt_type == SKB_PACKET_HOST ? NUD_REACHABLE
									    : NUD_STALE,
		  override);
	return 0;
}

static int arp_rcv_finish(struct net *net, struct sock *sk, struct sk_buff *skb)
{
	struct arp_view v;
	skb_drop_reason_t reason;
	bool taken;

	if (arp_parse(skb->data, skb_headlen(skb), skb->dev->addr_len, &v) < 0 ||
	    v.htype != skb->dev->type) {
		kfree_skb_reason(skb, SKB_DROP_ARP_TYPE);
		return 0;
	}
	trace_skb(skb, net, TP_arp_rcv, TRACE_PASS, v.op, be32_to_cpu(v.sip));
	reason = arp_process(skb, net, &v, &taken);
	if (taken)
		return 0;
	if (reason)
		kfree_skb_reason(skb, reason);
	else
		consume_skb(skb);
	return 0;
}

void arp_rcv(struct sk_buff *skb, struct net_device *dev, const struct packet_type *pt)
{
	skb_drop_reason_t reason = 0;

	if (dev->flags & IFF_NOARP)
		reason = SKB_DROP_ARP_NODEV;
	else if (skb->pkt_type == SKB_PACKET_OTHERHOST)
		reason = SKB_DROP_OTHERHOST;
	if (reason || skb->pkt_type == SKB_PACKET_LOOPBACK) {
		if (reason)
			kfree_skb_reason(skb, reason);
		else
			consume_skb(skb); /* our own broadcast */
		return;
	}
	skb = skb_share_check(skb);
	if (!skb)
		return;
	if (!pskb_may_pull(skb, (u32)ARP_LEN(dev->addr_len))) {
		kfree_skb_reason(skb, SKB_DROP_ARP_SHORT);
		return;
	}
	memset(NEIGH_CB(skb), 0, sizeof(*NEIGH_CB(skb)));
	NF_HOOK(NFPROTO_INDEX_ARP, NF_INET_PRE_ROUTING, dev->net, NULL, skb, dev, NULL,
		arp_rcv_finish);
}

/* A question for an address we are proxy of has waited. */
static void arp_proxy_redo(struct sk_buff *skb)
{
	arp_rcv_finish(skb->dev->net, NULL, skb);
}

/* ---- ioctl: arp(7) -------------------------------------------------------------------------------------------- */

int arp_ioctl(struct net *net, unsigned cmd, void *arg)
{
	struct arpreq *r = arg;
	struct sockaddr_in sin;
	struct net_device *dev = NULL;
	struct neighbour *n;
	be32 addr;

	if (cmd != SIOCGARP)
		return -ENOIOCTLCMD;
	memcpy(&sin, &r->arp_pa, sizeof(sin));
	if (sin.sin_family != AF_INET)
		return -EPFNOSUPPORT;
	addr = be32_raw(sin.sin_addr.s_addr);
	if (r->arp_dev[0]) {
		char name[IFNAMSIZ] = { 0 };

		memcpy(name, r->arp_dev,
		       sizeof(r->arp_dev) < IFNAMSIZ ? sizeof(r->arp_dev) : IFNAMSIZ - 1);
		dev = __dev_get_by_name(net, name);
	} else {
		struct flowi4 fl = { .daddr = addr };
		struct fib_result res;

		if (fib_lookup(net, &fl, &res) == 0)
			dev = fib_result_nh(&res)->dev;
	}
	if (!dev)
		return -ENODEV;
	n = neigh_lookup(net->ipv4->arp_tbl, &addr, dev);
	if (!n)
		return -ENXIO;
	r->arp_flags = n->nud_state & NUD_PERMANENT ? ATF_PERM | ATF_COM
		       : n->nud_state & NUD_VALID   ? ATF_COM
						    : 0;
	r->arp_ha.sa_family = dev->type;
	memcpy(r->arp_ha.sa_data, n->ha, min((size_t)dev->addr_len, sizeof(r->arp_ha.sa_data)));
	snprintf(r->arp_dev, sizeof(r->arp_dev), "%s", dev->name);
	neigh_release(n);
	return 0;
}

/* ---- life ------------------------------------------------------------------------------------------------------ */

int arp_net_init(struct net *net)
{
	struct neigh_table *tbl = calloc(1, sizeof(*tbl));
	int err;

	if (!tbl)
		return -ENOMEM;
	tbl->family = AF_INET;
	tbl->key_len = 4;
	tbl->protocol = ETH_P_IP;
	tbl->id = "arp_cache";
	tbl->constructor = arp_constructor;
	tbl->notify = neigh_notify;
	tbl->proxy_redo = arp_proxy_redo;
	err = neigh_table_init(tbl, net);
	if (err) {
		free(tbl);
		return err;
	}
	net->ipv4->arp_tbl = tbl;
	net->core->neigh_tables[0] = tbl;
	return 0;
}

void arp_net_exit(struct net *net)
{
	struct neigh_table *tbl = net->ipv4->arp_tbl;

	if (!tbl)
		return;
	neigh_table_clear(tbl);
	if (net->core)
		net->core->neigh_tables[0] = NULL;
	net->ipv4->arp_tbl = NULL;
	free(tbl);
}
