/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ndisc_redirect.c - redirects, from routers and to hosts (RFC 4861 8)
 *
 * Context: softirq, cpu lock.
 */
#include <errno.h>

#include "ipv6/addrconf_internal.h"
#include "wire/ndisc.h"

/* ---- as a host --------------------------------------------------------------------------------------------------------- */

skb_drop_reason_t ndisc_redirect_rcv(struct sk_buff *skb, const struct ndisc_opts *opts)
{
	struct net_device *dev = skb->dev;
	struct inet6_dev *idev = __in6_dev_get(dev);
	const struct in6_addr router = ipv6_hdr(skb)->saddr;
	struct in6_addr target, dest;
	const u8 *lladdr = NULL;
	bool on_link;

	memcpy(&target, skb->data + 8, 16);
	memcpy(&dest, skb->data + 24, 16);
	on_link = ipv6_addr_equal(&target, &dest);
	/* RFC 4861 8.1 */
	if (!(ipv6_addr_type(&router) & IPV6_ADDR_LINKLOCAL))
		return SKB_DROP_NDISC_SOURCE;
	if (ipv6_addr_is_multicast(&dest) ||
	    (!on_link && ipv6_addr_type(&target) != (IPV6_ADDR_UNICAST | IPV6_ADDR_LINKLOCAL)))
		return SKB_DROP_NDISC_TARGET;
	if (opts->target_ll.data) {
		lladdr = ndisc_opt_lladdr(&opts->target_ll, dev->addr_len);
		if (!lladdr)
			return SKB_DROP_NDISC_OPTION;
	}
	if (idev->cnf.forwarding || !idev->cnf.accept_redirects)
		return SKB_DROP_NDISC_REDIRECT_IGNORED;
	if (!rt6_do_redirect(dev->net, &dest, &router, &target, dev))
		return SKB_DROP_NDISC_REDIRECT_IGNORED;
	/* RFC 4861 8.3: somebody to send on to is a router; the destination itself may be or not. */
	ndisc_learn(
		dev, &target, lladdr, NUD_STALE,
		NEIGH_UPDATE_F_WEAK_OVERRIDE | NEIGH_UPDATE_F_OVERRIDE |
			(on_link ? 0 : NEIGH_UPDATE_F_OVERRIDE_ISROUTER | NEIGH_UPDATE_F_ISROUTER),
		lladdr != NULL);
	return 0;
}

/* ---- as a router --------------------------------------------------------------------------------------------------------- */

/* Is the sender of @skb a neighbour on @dev, where it came from? */
static bool is_neighbour(struct net_device *dev, const struct in6_addr *addr)
{
	struct flowi6 fl = { .daddr = *addr, .saddr = in6addr_any, .oif = dev->ifindex };
	const struct fib6_info *f;

	if (ipv6_addr_type(addr) & IPV6_ADDR_LINKLOCAL)
		return true;
	f = fib6_lookup(dev->net, &fl, true);
	return f && f->type == RTN_UNICAST && !fib6_has_gateway(f) && f->dev == dev;
}

static u32 target_lladdr(struct net_device *dev, const struct in6_addr *target, u8 *ret)
{
	struct neighbour *n = neigh_lookup(dev->net->ipv6->nd_tbl, target, dev);
	u32 len = 0;

	if (n && n->nud_state & NUD_VALID && dev->addr_len)
		len = ndisc_build_lladdr(ret, NDISC_OPT_TARGET_LL_ADDR, n->ha, dev->addr_len);
	if (n)
		neigh_release(n);
	return len;
}

void ndisc_send_redirect(struct sk_buff *skb, const struct in6_addr *target)
{
	const struct ipv6_hdr *h = ipv6_hdr(skb);
	struct in6_addr saddr, host = h->saddr;
	struct net_device *dev = skb->dst->dev;
	u8 lladdr[2 + MAX_ADDR_LEN + 8];
	struct sk_buff *nskb;
	u32 opt, inner, len;
	u8 *p;

	/* RFC 4861 8.2 */
	if (ipv6_get_lladdr(dev, &saddr, IFA_F_TENTATIVE))
		return;
	if (!ipv6_addr_equal(&h->daddr, target) &&
	    ipv6_addr_type(target) != (IPV6_ADDR_UNICAST | IPV6_ADDR_LINKLOCAL))
		return;
	if (!(ipv6_addr_type(&host) & IPV6_ADDR_UNICAST) || !is_neighbour(dev, &host) ||
	    !icmpv6_peer_allow(dev->net, &host))
		return;
	opt = target_lladdr(dev, target, lladdr);
	/* RFC 4861 4.6.3: as much of the packet as 1,280 octets hold */
	inner = min((u32)((int)skb->len - skb_network_offset(skb)),
		    IPV6_MIN_MTU_ - (u32)sizeof(*h) - NDISC_REDIRECT_LEN - opt - 8) &
		~7u;
	len = NDISC_REDIRECT_LEN + opt + 8 + inner;
	nskb = ndisc_alloc_skb(dev, len);
	if (!nskb)
		return;
	p = nskb->data;
	p[0] = NDISC_REDIRECT;
	memcpy(p + 8, target, 16);
	memcpy(p + 24, &h->daddr, 16);
	p += NDISC_REDIRECT_LEN;
	memcpy(p, lladdr, opt);
	p += opt;
	p[0] = NDISC_OPT_REDIRECT_HDR;
	p[1] = (u8)((8 + inner) / 8);
	if (skb_copy_bits(skb, (u32)skb_network_offset(skb), p + 8, inner)) {
		kfree_skb_reason(nskb, SKB_DROP_NOMEM);
		return;
	}
	ndisc_send_skb(nskb, &host, &saddr);
}
