/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ndisc.c - neighbour discovery (RFC 4861): solicitations and advertisements of neighbours, on core/neighbour
 *
 * Theory of operation
 *   core/neighbour.c owns entries, states, timers and queues. This file brings how an entry starts (constructor), how to ask (solicit:
 *   the solicited-node group first, the known station when it is only to be confirmed), and what messages mean.
 *   ndisc_rcv() checks what all messages have in common (hop limit 255, code 0, length, options) and hands them to one function per
 *   type, each of which says 0 or why the message is of no use. Router advertisements are ndisc_ra.c's, redirects ndisc_redirect.c's.
 *   A solicitation for an address of ours, for an anycast address, or for one that we are proxy of (proxy_ndp, "ip neigh add proxy")
 *   is answered; if the address is tentative it may be a collision (addrconf_dad.c). Proxies and anycast never override.
 *   An advertisement only changes an entry that exists, unless accept_untracked_na says otherwise; a router that says it is none
 *   any more loses its default routes (RFC 4861 7.2.5).
 *   Messages go out by their device without routing: rt6_link_dst().
 * Context: softirq or whoever resolves; cpu lock.
 * See RFC 4861 7, RFC 4862 5.4, RFC 7527, RFC 4429, RFC 6980, RFC 9131.
 */
#include "ipv6/ndisc.h"

#include <errno.h>
#include <stdlib.h>

#include "core/sock.h"
#include "core/trace.h"
#include "ipv6/addrconf_internal.h"
#include "lib/csum.h"
#include "netlink/netlink.h"
#include "wire/ethernet.h"
#include "wire/ndisc.h"

#include <linux/if_arp.h>

static const struct in6_addr all_nodes = { .s6_addr = { 0xff, 2, [15] = 1 } };

/* ---- sending ------------------------------------------------------------------------------------------------------- */

struct sk_buff *ndisc_alloc_skb(struct net_device *dev, u32 len)
{
	u32 room = LL_MAX_HEADER + dev->needed_headroom + (u32)sizeof(struct ipv6_hdr);
	struct sk_buff *skb = alloc_skb(dev->net->cpu, room + len);

	if (!skb)
		return NULL;
	skb_reserve(skb, room);
	skb->dev = dev;
	skb_put_zero(skb, len);
	return skb;
}

void ndisc_send_skb(struct sk_buff *skb, const struct in6_addr *daddr, const struct in6_addr *saddr)
{
	struct net_device *dev = skb->dev;
	struct inet6_dev *idev = __in6_dev_get(dev);
	struct icmpv6_hdr *h = (struct icmpv6_hdr *)skb->data;
	struct net *net = dev->net;
	struct rt6_info *rt = idev ? rt6_link_dst(idev) : NULL;
	struct ipv6_hdr *ip;

	if (!rt) {
		kfree_skb_reason(skb, SKB_DROP_NOMEM);
		return;
	}
	h->checksum = BE16_INIT(0);
	h->checksum.v = csum_ipv6_magic(saddr, daddr, skb->len, IPPROTO_ICMPV6,
					skb_checksum(skb, 0, skb->len, 0));
	icmpv6_count_out(net, h->type);
	if (unlikely(skb->cpu->trace_on))
		__trace_skb(skb, net, TP_ndisc_send, TRACE_CREATE, 0, 0, h->type, 0);
	skb_reset_transport_header(skb);
	ip = skb_push(skb, sizeof(*ip));
	skb_reset_network_header(skb);
	ip->ver_tc_flow = cpu_to_be32(6u << 28 | (u32)idev->cnf.ndisc_tclass << 20);
	ip->nexthdr = IPPROTO_ICMPV6;
	ip->hop_limit = 255;
	ip->saddr = *saddr;
	ip->daddr = *daddr;
	memset(IP6CB(skb), 0, sizeof(*IP6CB(skb)));
	skb_dst_set(skb, &rt->dst);
	ip6_local_out(net, NULL, skb);
}

void ndisc_send_ns(struct net_device *dev, const struct in6_addr *target,
		   const struct in6_addr *daddr, const struct in6_addr *saddr, u64 nonce)
{
	struct in6_addr chosen;
	struct sk_buff *skb;
	bool sllao;
	u8 *p;

	if (!saddr) {
		if (ipv6_get_lladdr(dev, &chosen, IFA_F_TENTATIVE | IFA_F_OPTIMISTIC))
			return;
		saddr = &chosen;
	}
	/* RFC 4861 4.3: not from the unspecified address. */
	sllao = dev->addr_len && !ipv6_addr_any(saddr);
	skb = ndisc_alloc_skb(dev, NDISC_NS_LEN + (sllao ? ndisc_lladdr_len(dev->addr_len) : 0) +
					   (nonce ? 8 : 0));
	if (!skb)
		return;
	skb->data[0] = NDISC_NEIGHBOUR_SOLICITATION;
	memcpy(skb->data + 8, target, 16);
	p = skb->data + NDISC_NS_LEN;
	if (sllao)
		p += ndisc_build_lladdr(p, NDISC_OPT_SOURCE_LL_ADDR, dev->dev_addr, dev->addr_len);
	if (nonce)
		ndisc_build_nonce(p, nonce);
	ndisc_send_skb(skb, daddr, saddr);
}

void ndisc_send_na(struct net_device *dev, const struct in6_addr *daddr,
		   const struct in6_addr *target, bool router, bool solicited, bool override,
		   bool inc_opt)
{
	const struct inet6_ifaddr *ifp = ipv6_get_ifaddr(dev->net, target, dev, true);
	struct inet6_dev *idev = __in6_dev_get(dev);
	struct in6_addr saddr = *target;
	struct icmpv6_hdr *h;
	struct sk_buff *skb;

	if (!idev)
		return;
	/* RFC 4429 3.3: nobody is to give up an entry for an address that may not be ours. */
	if (ifp && ifp->flags & IFA_F_OPTIMISTIC)
		override = false;
	if (!ifp && ipv6_dev_get_saddr(dev->net, dev, daddr, 0, &saddr))
		return;
	inc_opt = dev->addr_len &&
		  (inc_opt || idev->cnf.force_tllao || idev->net->ipv6->devconf_all.force_tllao);
	skb = ndisc_alloc_skb(dev, NDISC_NS_LEN + (inc_opt ? ndisc_lladdr_len(dev->addr_len) : 0));
	if (!skb)
		return;
	h = (struct icmpv6_hdr *)skb->data;
	h->type = NDISC_NEIGHBOUR_ADVERTISEMENT;
	h->un.nd_flags =
		cpu_to_be32((router ? NDISC_NA_ROUTER : 0) | (solicited ? NDISC_NA_SOLICITED : 0) |
			    (override ? NDISC_NA_OVERRIDE : 0));
	memcpy(skb->data + 8, target, 16);
	if (inc_opt)
		ndisc_build_lladdr(skb->data + NDISC_NS_LEN, NDISC_OPT_TARGET_LL_ADDR,
				   dev->dev_addr, dev->addr_len);
	ndisc_send_skb(skb, daddr, &saddr);
}

void ndisc_send_rs(struct net_device *dev, const struct in6_addr *saddr,
		   const struct in6_addr *daddr)
{
	const struct inet6_ifaddr *ifp = ipv6_get_ifaddr(dev->net, saddr, dev, true);
	/* RFC 4861 4.1, RFC 4429 2.2: neither without an address nor from an optimistic one. */
	bool sllao =
		dev->addr_len && !ipv6_addr_any(saddr) && !(ifp && ifp->flags & IFA_F_OPTIMISTIC);
	struct sk_buff *skb =
		ndisc_alloc_skb(dev, NDISC_RS_LEN + (sllao ? ndisc_lladdr_len(dev->addr_len) : 0));

	if (!skb)
		return;
	skb->data[0] = NDISC_ROUTER_SOLICITATION;
	if (sllao)
		ndisc_build_lladdr(skb->data + NDISC_RS_LEN, NDISC_OPT_SOURCE_LL_ADDR,
				   dev->dev_addr, dev->addr_len);
	ndisc_send_skb(skb, daddr, saddr);
}

/* ---- entries ------------------------------------------------------------------------------------------------------- */

/* RFC 4861 7.2.2: with the waiting packet's source, if it is this device's. */
static void ndisc_solicit(struct neighbour *n, struct sk_buff *skb)
{
	struct net_device *dev = n->dev;
	const struct in6_addr *saddr = NULL;
	u32 asked = n->probes - 1; /* this one is counted already */
	struct in6_addr target, group;

	memcpy(&target, n->primary_key, sizeof(target));
	if (skb && ipv6_chk_addr(dev->net, &ipv6_hdr(skb)->saddr, dev, true)) {
		const struct inet6_ifaddr *ifp =
			ipv6_get_ifaddr(dev->net, &ipv6_hdr(skb)->saddr, dev, true);

		if (ifp && !(ifp->flags & IFA_F_OPTIMISTIC))
			saddr = &ipv6_hdr(skb)->saddr;
	}
	if (asked < n->parms->ucast_probes && n->nud_state & NUD_VALID) {
		ndisc_send_ns(dev, &target, &target, saddr, 0);
		return;
	}
	addrconf_addr_solict_mult(&target, &group);
	ndisc_send_ns(dev, &target, &group, saddr, 0);
}

/* RFC 4861 7.2.2: nobody answered. */
static void ndisc_error_report(struct neighbour *n, struct sk_buff *skb)
{
	if (skb->protocol.v == BE16_INIT(ETH_P_IPV6).v)
		icmpv6_send(skb, ICMPV6_DEST_UNREACH, ICMPV6_ADDR_UNREACH, 0);
	kfree_skb_reason(skb, SKB_DROP_NEIGH_FAILED);
}

static const struct neigh_ops ndisc_ops = {
	.family = AF_INET6,
	.solicit = ndisc_solicit,
	.error_report = ndisc_error_report,
};

int ndisc_mc_map(const struct in6_addr *group, u8 *ret, const struct net_device *dev)
{
	if (dev->type == ARPHRD_ETHER || dev->type == ARPHRD_IEEE802) {
		ret[0] = ret[1] = 0x33;
		memcpy(ret + 2, &group->s6_addr[12], 4);
		return 0;
	}
	if (!dev->addr_len)
		return -EINVAL;
	memcpy(ret, dev->broadcast, dev->addr_len);
	return 0;
}

static int ndisc_constructor(struct neighbour *n)
{
	struct net_device *dev = n->dev;
	struct inet6_dev *idev = __in6_dev_get(dev);
	struct in6_addr addr;

	if (!idev)
		return -EINVAL;
	memcpy(&addr, n->primary_key, sizeof(addr));
	n->type = ipv6_addr_is_multicast(&addr) ? RTN_MULTICAST : RTN_UNICAST;
	n->parms = idev->nd_parms;
	n->ops = &ndisc_ops;
	if (!dev->header_ops) {
		n->nud_state = NUD_NOARP;
		n->output = neigh_direct_output;
		return 0;
	}
	if (n->type == RTN_MULTICAST) {
		n->nud_state = NUD_NOARP;
		if (ndisc_mc_map(&addr, n->ha, dev))
			return -EINVAL;
	} else if (dev->flags & (IFF_NOARP | IFF_LOOPBACK)) {
		n->nud_state = NUD_NOARP;
		if (dev->flags & IFF_LOOPBACK)
			n->type = RTN_LOCAL;
		memcpy(n->ha, dev->dev_addr, dev->addr_len);
	} else if (dev->flags & IFF_POINTOPOINT) {
		n->nud_state = NUD_NOARP;
		memcpy(n->ha, dev->broadcast, dev->addr_len);
	}
	n->output = n->nud_state & NUD_VALID ? neigh_connected_output : neigh_resolve_output;
	return 0;
}

void ndisc_learn(struct net_device *dev, const struct in6_addr *addr, const u8 *lladdr, u8 state,
		 u32 flags, bool create)
{
	struct neigh_table *tbl = dev->net->ipv6->nd_tbl;
	struct neighbour *n = neigh_lookup(tbl, addr, dev);
	int err;

	if (!n && create)
		n = neigh_create(tbl, addr, dev, &err);
	if (!n)
		return;
	neigh_update(n, lladdr, state, flags);
	neigh_release(n);
}

/* ---- solicitations -------------------------------------------------------------------------------------------------- */

static bool is_solicited_node(const struct in6_addr *a)
{
	static const struct in6_addr prefix = { .s6_addr = { 0xff, 2, [11] = 1, 0xff } };

	return ipv6_prefix_equal(a, &prefix, 104);
}

struct ns_view {
	struct in6_addr target;
	const u8 *lladdr; /* NULL: not said */
	bool dad, multicast;
};

/* RFC 4861 7.1.1 */
static skb_drop_reason_t ns_check(const struct sk_buff *skb, const struct ndisc_opts *opts,
				  struct ns_view *ret)
{
	const struct ipv6_hdr *h = ipv6_hdr(skb);

	if (skb->len < NDISC_NS_LEN)
		return SKB_DROP_NDISC_SHORT;
	memcpy(&ret->target, skb->data + 8, 16);
	if (ipv6_addr_is_multicast(&ret->target))
		return SKB_DROP_NDISC_TARGET;
	ret->dad = ipv6_addr_any(&h->saddr);
	ret->multicast = ipv6_addr_is_multicast(&h->daddr);
	if (ret->dad && !is_solicited_node(&h->daddr))
		return SKB_DROP_NDISC_DEST;
	ret->lladdr = NULL;
	if (opts->source_ll.data) {
		ret->lladdr = ndisc_opt_lladdr(&opts->source_ll, skb->dev->addr_len);
		if (!ret->lladdr || ret->dad)
			return SKB_DROP_NDISC_OPTION;
	}
	return 0;
}

/* Somebody asks for an address that we try to get. True: nothing is answered, *ret_reason says why. */
static bool ns_tentative(struct inet6_ifaddr *ifp, const struct ns_view *v,
			 const struct ndisc_opts *opts, skb_drop_reason_t *ret_reason)
{
	u64 nonce = ndisc_opt_nonce(&opts->nonce);

	if (!(ifp->flags & IFA_F_TENTATIVE))
		return false;
	*ret_reason = SKB_DROP_NDISC_TENTATIVE;
	if (!v->dad) /* RFC 4429 3.3: an optimistic address answers */
		return !(ifp->flags & IFA_F_OPTIMISTIC);
	/* RFC 7527 4.1: our own question, brought back by the link */
	if (nonce && nonce == ifp->dad_nonce)
		return true;
	*ret_reason = SKB_DROP_NDISC_COLLISION;
	addrconf_dad_failure(ifp);
	return true;
}

/* Do we answer for others, or as one of several? *ret_waits: the packet was taken, it comes again. */
static bool ns_for_others(struct sk_buff *skb, struct inet6_dev *idev, const struct ns_view *v,
			  bool *ret_waits)
{
	struct netns_ipv6 *ip6 = idev->net->ipv6;

	*ret_waits = false;
	if (ipv6_chk_acast_addr(idev->net, idev->dev, &v->target))
		return true;
	if (!idev->cnf.forwarding || !(ip6->devconf_all.proxy_ndp || idev->cnf.proxy_ndp) ||
	    !pneigh_lookup(ip6->nd_tbl, &v->target, idev->dev))
		return false;
	/* RFC 4861 7.2.8: whoever has the address himself is heard first. */
	if (!NEIGH_CB(skb)->due && skb->pkt_type != SKB_PACKET_HOST && v->multicast &&
	    idev->nd_parms->proxy_delay) {
		pneigh_enqueue(ip6->nd_tbl, idev->nd_parms, skb);
		*ret_waits = true;
	}
	return true;
}

/* *ret_taken: @skb waits in the proxy queue. */
static skb_drop_reason_t ndisc_recv_ns(struct sk_buff *skb, const struct ndisc_opts *opts,
				       bool *ret_taken)
{
	struct net_device *dev = skb->dev;
	struct inet6_dev *idev = __in6_dev_get(dev);
	const struct in6_addr saddr = ipv6_hdr(skb)->saddr;
	struct inet6_ifaddr *ifp;
	skb_drop_reason_t reason;
	struct ns_view v;

	reason = ns_check(skb, opts, &v);
	if (reason)
		return reason;
	ifp = ipv6_get_ifaddr(dev->net, &v.target, dev, true);
	if (ifp && (ns_tentative(ifp, &v, opts, &reason) || ifp->flags & IFA_F_DADFAILED))
		return reason ? reason : SKB_DROP_NDISC_TENTATIVE;
	if (!ifp && !ns_for_others(skb, idev, &v, ret_taken))
		return SKB_DROP_NDISC_NOT_OURS;
	if (*ret_taken)
		return 0;
	if (v.dad) {
		ndisc_send_na(dev, &all_nodes, &v.target, idev->cnf.forwarding, false, ifp != NULL,
			      true);
		return 0;
	}
	if (v.multicast)
		dev->net->ipv6->nd_tbl->stats.rcv_probes_mcast++;
	else
		dev->net->ipv6->nd_tbl->stats.rcv_probes_ucast++;
	/* RFC 4861 7.2.3: whoever asks will be written to soon. */
	ndisc_learn(dev, &saddr, v.lladdr, NUD_STALE,
		    NEIGH_UPDATE_F_WEAK_OVERRIDE | NEIGH_UPDATE_F_OVERRIDE,
		    v.lladdr && dev->header_ops);
	ndisc_send_na(dev, &saddr, &v.target, idev->cnf.forwarding, true, ifp && v.multicast,
		      v.multicast);
	return 0;
}

/* ---- advertisements ---------------------------------------------------------------------------------------------------- */

/* RFC 9131: a neighbour that nobody asked for yet announces itself. */
static bool accepts_untracked(const struct inet6_dev *idev, const struct in6_addr *addr,
			      const u8 *lladdr)
{
	switch (idev->cnf.accept_untracked_na) {
	case 1:
		return lladdr && idev->cnf.forwarding;
	case 2:
		return lladdr && idev->cnf.forwarding && ipv6_chk_prefix(addr, idev->dev);
	default:
		return false;
	}
}

/* An address of ours is announced by somebody. */
static skb_drop_reason_t na_for_ours(const struct sk_buff *skb, struct inet6_ifaddr *ifp)
{
	if (skb->pkt_type == SKB_PACKET_LOOPBACK)
		return SKB_DROP_NDISC_NOT_OURS;
	if (ifp->flags & IFA_F_TENTATIVE)
		addrconf_dad_failure(ifp);
	return SKB_DROP_NDISC_COLLISION;
}

static void na_update(struct neighbour *n, const u8 *lladdr, u32 nd_flags)
{
	bool was_router = n->flags & NTF_ROUTER;
	struct net_device *dev = n->dev;
	struct in6_addr addr;

	neigh_update(n, lladdr, nd_flags & NDISC_NA_SOLICITED ? NUD_REACHABLE : NUD_STALE,
		     NEIGH_UPDATE_F_WEAK_OVERRIDE | NEIGH_UPDATE_F_OVERRIDE_ISROUTER |
			     (nd_flags & NDISC_NA_OVERRIDE ? NEIGH_UPDATE_F_OVERRIDE : 0) |
			     (nd_flags & NDISC_NA_ROUTER ? NEIGH_UPDATE_F_ISROUTER : 0));
	memcpy(&addr, n->primary_key, sizeof(addr));
	/* RFC 4861 7.2.5: a router that has become a host */
	if (was_router && !(n->flags & NTF_ROUTER))
		rt6_default_router(dev, &addr, 0, 0, 0, __in6_dev_get(dev)->cnf.ra_defrtr_metric);
}

static skb_drop_reason_t ndisc_recv_na(struct sk_buff *skb, const struct ndisc_opts *opts)
{
	struct net_device *dev = skb->dev;
	struct inet6_dev *idev = __in6_dev_get(dev);
	struct neigh_table *tbl = dev->net->ipv6->nd_tbl;
	struct inet6_ifaddr *ifp;
	struct in6_addr target;
	struct neighbour *n;
	const u8 *lladdr = NULL;
	u32 nd_flags;
	int err;

	/* RFC 4861 7.1.2 */
	if (skb->len < NDISC_NS_LEN)
		return SKB_DROP_NDISC_SHORT;
	memcpy(&target, skb->data + 8, 16);
	nd_flags = be32_to_cpu(((const struct icmpv6_hdr *)skb->data)->un.nd_flags);
	if (ipv6_addr_is_multicast(&target))
		return SKB_DROP_NDISC_TARGET;
	if (ipv6_addr_is_multicast(&ipv6_hdr(skb)->daddr) && nd_flags & NDISC_NA_SOLICITED)
		return SKB_DROP_NDISC_DEST;
	if (!(nd_flags & NDISC_NA_SOLICITED) &&
	    (idev->cnf.drop_unsolicited_na || idev->net->ipv6->devconf_all.drop_unsolicited_na))
		return SKB_DROP_NDISC_UNSOLICITED;
	if (opts->target_ll.data) {
		lladdr = ndisc_opt_lladdr(&opts->target_ll, dev->addr_len);
		if (!lladdr)
			return SKB_DROP_NDISC_OPTION;
	}
	ifp = ipv6_get_ifaddr(dev->net, &target, dev, true);
	if (ifp)
		return na_for_ours(skb, ifp);
	n = neigh_lookup(tbl, &target, dev);
	if (!n && accepts_untracked(idev, &target, lladdr))
		n = neigh_create(tbl, &target, dev, &err);
	if (!n)
		return SKB_DROP_NDISC_UNKNOWN;
	na_update(n, lladdr, nd_flags);
	neigh_release(n);
	return 0;
}

/* RFC 4861 6.1.1, 6.2.6: answered by a daemon (radvd); the stack only learns where the host is. */
static skb_drop_reason_t ndisc_recv_rs(struct sk_buff *skb, const struct ndisc_opts *opts)
{
	struct inet6_dev *idev = __in6_dev_get(skb->dev);
	const struct in6_addr saddr = ipv6_hdr(skb)->saddr;
	const u8 *lladdr = NULL;

	if (!idev->cnf.forwarding)
		return SKB_DROP_NDISC_NOT_ROUTER;
	if (ipv6_addr_any(&saddr))
		return opts->source_ll.data ? SKB_DROP_NDISC_OPTION : 0;
	if (opts->source_ll.data) {
		lladdr = ndisc_opt_lladdr(&opts->source_ll, skb->dev->addr_len);
		if (!lladdr)
			return SKB_DROP_NDISC_OPTION;
	}
	ndisc_learn(skb->dev, &saddr, lladdr, NUD_STALE,
		    NEIGH_UPDATE_F_WEAK_OVERRIDE | NEIGH_UPDATE_F_OVERRIDE |
			    NEIGH_UPDATE_F_OVERRIDE_ISROUTER,
		    lladdr != NULL);
	return 0;
}

/* ---- receiving ------------------------------------------------------------------------------------------------------------ */

static u32 fixed_len(u8 type)
{
	switch (type) {
	case NDISC_ROUTER_SOLICITATION:
		return NDISC_RS_LEN;
	case NDISC_ROUTER_ADVERTISEMENT:
		return NDISC_RA_LEN;
	case NDISC_REDIRECT:
		return NDISC_REDIRECT_LEN;
	default:
		return NDISC_NS_LEN;
	}
}

/* What all messages have to be. */
static skb_drop_reason_t ndisc_check(struct sk_buff *skb, struct ndisc_opts *ret_opts)
{
	const struct inet6_dev *idev = __in6_dev_get(skb->dev);
	u32 fixed;

	if (!idev)
		return SKB_DROP_IP6_DISABLED;
	if (!pskb_may_pull(skb, skb->len))
		return SKB_DROP_NOMEM;
	if (ipv6_hdr(skb)->hop_limit != 255)
		return SKB_DROP_NDISC_HOPLIMIT;
	if (skb->data[1])
		return SKB_DROP_NDISC_CODE;
	fixed = fixed_len(skb->data[0]);
	if (skb->len < fixed)
		return SKB_DROP_NDISC_SHORT;
	if (ndisc_parse_options(skb->data + fixed, skb->len - fixed, ret_opts))
		return SKB_DROP_NDISC_OPTION;
	return 0;
}

static skb_drop_reason_t ndisc_dispatch(struct sk_buff *skb, const struct ndisc_opts *opts,
					bool *ret_taken)
{
	switch (skb->data[0]) {
	case NDISC_NEIGHBOUR_SOLICITATION:
		return ndisc_recv_ns(skb, opts, ret_taken);
	case NDISC_NEIGHBOUR_ADVERTISEMENT:
		return ndisc_recv_na(skb, opts);
	case NDISC_ROUTER_SOLICITATION:
		return ndisc_recv_rs(skb, opts);
	case NDISC_ROUTER_ADVERTISEMENT:
		return ndisc_router_discovery(skb, opts);
	default:
		return ndisc_redirect_rcv(skb, opts);
	}
}

static void ndisc_process(struct sk_buff *skb)
{
	skb_drop_reason_t reason;
	struct ndisc_opts opts;
	bool taken = false;

	reason = ndisc_check(skb, &opts);
	if (!reason)
		reason = ndisc_dispatch(skb, &opts, &taken);
	if (taken)
		return;
	if (reason)
		kfree_skb_reason(skb, reason);
	else
		consume_skb(skb);
}

void ndisc_rcv(struct sk_buff *skb)
{
	bool fragmented = IP6CB(skb)->flags & IP6SKB_FRAGMENTED;

	trace_skb(skb, skb->dev->net, TP_ndisc_rcv, TRACE_PASS, skb->data[0], 0);
	/* RFC 6980 5 */
	if (fragmented && __in6_dev_get(skb->dev) &&
	    __in6_dev_get(skb->dev)->cnf.suppress_frag_ndisc) {
		kfree_skb_reason(skb, SKB_DROP_NDISC_FRAGMENT);
		return;
	}
	/* From here on cb is the proxy queue's: a question that has waited comes back with its time in there. */
	memset(skb->cb, 0, max(sizeof(*IP6CB(skb)), sizeof(*NEIGH_CB(skb))));
	ndisc_process(skb);
}

/* Questions for an address that we are proxy of go to its solicited-node group, like any. */
static int ndisc_proxy_constructor(struct pneigh_entry *e)
{
	struct in6_addr addr;

	if (!e->dev || !__in6_dev_get(e->dev))
		return -EINVAL;
	memcpy(&addr, e->key, sizeof(addr));
	addrconf_join_solict(e->dev, &addr);
	return 0;
}

static void ndisc_proxy_destructor(struct pneigh_entry *e)
{
	struct in6_addr addr;

	memcpy(&addr, e->key, sizeof(addr));
	addrconf_leave_solict(e->dev, &addr);
}

/* A question for an address that we are proxy of has waited; its cb says so. */
static void ndisc_proxy_redo(struct sk_buff *skb)
{
	ndisc_process(skb);
}

/* ---- life --------------------------------------------------------------------------------------------------------------------- */

/* RFC 4861 7.2.6: our link-layer address is another one now. */
static void ndisc_announce(struct net_device *dev)
{
	struct inet6_dev *idev = __in6_dev_get(dev);
	struct inet6_ifaddr *ifp;

	if (!idev || !(idev->cnf.ndisc_notify || idev->net->ipv6->devconf_all.ndisc_notify))
		return;
	list_for_each_entry(ifp, &idev->addr_list, node)
		if (!(ifp->flags & IFA_F_TENTATIVE))
			ndisc_send_na(dev, &all_nodes, &ifp->addr, idev->cnf.forwarding, false,
				      true, true);
}

static int ndisc_event(struct net_device *dev, enum netdev_event ev)
{
	struct net *net = dev->net;
	struct neigh_table *tbl = net->ipv6->nd_tbl;
	const struct inet6_dev *idev;

	cpu_lock(net->cpu);
	idev = __in6_dev_get(dev);
	switch (ev) {
	case NETDEV_CHANGEADDR:
		neigh_changeaddr(tbl, dev);
		ndisc_announce(dev);
		break;
	case NETDEV_CHANGE:
		if (!netif_carrier_ok(dev) && idev && idev->cnf.ndisc_evict_nocarrier &&
		    net->ipv6->devconf_all.ndisc_evict_nocarrier)
			neigh_carrier_down(tbl, dev);
		break;
	case NETDEV_DOWN:
		neigh_ifdown(tbl, dev);
		break;
	default:
		break;
	}
	cpu_unlock(net->cpu);
	return 0;
}

static int ndisc_net_init(struct net *net)
{
	struct neigh_table *tbl = calloc(1, sizeof(*tbl));
	int err;

	if (!tbl)
		return -ENOMEM;
	tbl->family = AF_INET6;
	tbl->key_len = 16;
	tbl->protocol = ETH_P_IPV6;
	tbl->id = "ndisc_cache";
	tbl->constructor = ndisc_constructor;
	tbl->notify = neigh_notify;
	tbl->proxy_redo = ndisc_proxy_redo;
	tbl->pconstructor = ndisc_proxy_constructor;
	tbl->pdestructor = ndisc_proxy_destructor;
	err = neigh_table_init(tbl, net);
	if (err) {
		free(tbl);
		return err;
	}
	tbl->parms.locktime = 0; /* RFC 4861 has the override flag instead */
	net->ipv6->nd_tbl = tbl;
	net->core->neigh_tables[1] = tbl;
	return 0;
}

static void ndisc_net_exit(struct net *net)
{
	net->core->neigh_tables[1] = NULL;
	neigh_table_clear(net->ipv6->nd_tbl);
	free(net->ipv6->nd_tbl);
	net->ipv6->nd_tbl = NULL;
}

const struct ipv6_part ndisc_part = {
	.name = "ndisc",
	.net_init = ndisc_net_init,
	.net_exit = ndisc_net_exit,
	.netdev_event = ndisc_event,
};
