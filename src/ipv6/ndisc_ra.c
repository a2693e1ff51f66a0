/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ndisc_ra.c - what a host learns from router advertisements (RFC 4861 6.3.4)
 *
 * Default router with preference (RFC 4191), hop limit, timers of neighbour discovery, MTU, prefixes (addrconf_slaac.c), more specific
 * routes, name servers (ndisc_dns.c). What is believed is said by net.ipv6.conf.DEV.accept_ra and its kin; a node that forwards
 * believes nothing unless accept_ra is 2.
 * Context: softirq, cpu lock.
 */
#include <errno.h>

#include "ipv6/addrconf_internal.h"
#include "wire/ndisc.h"

#define RA_FLAG_MANAGED 0x80
#define RA_FLAG_OTHER   0x40

struct ra { /* the message */
	struct inet6_dev *idev;
	struct in6_addr router;
	u8 hop_limit, pref;
	u32 lifetime; /* s */
	const u8 *opts, *end;
};

static u32 get_u32(const u8 *p)
{
	be32 v;

	memcpy(&v, p, sizeof(v));
	return be32_to_cpu(v);
}

/* RFC 4191 2.2: the reserved value is "medium". */
static u8 valid_pref(u8 pref)
{
	return pref == ICMPV6_ROUTER_PREF_INVALID ? ICMPV6_ROUTER_PREF_MEDIUM : pref;
}

static void ra_flags(struct inet6_dev *idev, u8 flags)
{
	u32 old = idev->if_flags;

	if (idev->if_flags & IF_RS_SENT)
		idev->if_flags |= IF_RA_RCVD; /* RFC 4861 6.3.7: no need to ask on */
	idev->if_flags &= ~(u32)(IF_RA_MANAGED | IF_RA_OTHERCONF);
	if (flags & RA_FLAG_MANAGED)
		idev->if_flags |= IF_RA_MANAGED;
	if (flags & RA_FLAG_OTHER)
		idev->if_flags |= IF_RA_OTHERCONF;
	if (old != idev->if_flags)
		inet6_ifinfo_notify(idev);
}

static void ra_default_router(const struct ra *ra)
{
	const struct ipv6_devconf *cnf = &ra->idev->cnf;
	u8 pref = cnf->accept_ra_rtr_pref ? valid_pref(ra->pref) : ICMPV6_ROUTER_PREF_MEDIUM;

	if (!cnf->accept_ra_defrtr || (ra->lifetime && ra->lifetime < cnf->accept_ra_min_lft))
		return;
	rt6_default_router(ra->idev->dev, &ra->router, ra->lifetime, pref,
			   ra->hop_limit >= cnf->accept_ra_min_hop_limit ? ra->hop_limit : 0,
			   cnf->ra_defrtr_metric);
}

static void ra_timers(struct inet6_dev *idev, const u8 *p)
{
	u64 reachable = get_u32(p + 8), retrans = get_u32(p + 12);
	struct neigh_parms *parms = idev->nd_parms;

	/* RFC 4861 6.2.1: one hour at most; 0: not said */
	if (reachable && reachable <= 3600000 &&
	    parms->base_reachable_time != reachable * NSEC_PER_MSEC) {
		parms->base_reachable_time = reachable * NSEC_PER_MSEC;
		/* RFC 4861 6.3.2: drawn anew */
		parms->reachable_time = parms->base_reachable_time / 2 +
					cpu_random(idev->net->cpu) % parms->base_reachable_time;
	}
	if (retrans >= 10 && retrans <= 3600000)
		parms->retrans_time = retrans * NSEC_PER_MSEC;
}

static void ra_mtu(struct inet6_dev *idev, const struct ndisc_opts *opts)
{
	u32 mtu = ndisc_opt_mtu(&opts->mtu);

	/* RFC 4861 6.3.4: from the least IPv6 MTU to the link's */
	if (!mtu || !idev->cnf.accept_ra_mtu || mtu < IPV6_MIN_MTU_ || mtu > idev->dev->mtu)
		return;
	idev->ra_mtu = mtu;
	if (idev->cnf.mtu6 == mtu)
		return;
	idev->cnf.mtu6 = mtu;
	rt6_cache_flush(idev->net);
}

static void ra_route(const struct ra *ra, const struct ndisc_opt *o)
{
	const struct ipv6_devconf *cnf = &ra->idev->cnf;
	struct ndisc_route_info ri;

	if (!cnf->accept_ra_rtr_pref || ndisc_parse_route_info(o, &ri) ||
	    ri.pref == ICMPV6_ROUTER_PREF_INVALID)
		return;
	if (ri.plen < cnf->accept_ra_rt_info_min_plen || ri.plen > cnf->accept_ra_rt_info_max_plen)
		return;
	if (ri.lifetime && ri.lifetime < cnf->accept_ra_min_lft)
		return;
	/* RFC 4191 3.1: ::/0 is the default route and overrides the header's lifetime. */
	if (!ri.plen) {
		if (cnf->accept_ra_defrtr)
			rt6_default_router(ra->idev->dev, &ra->router, ri.lifetime, ri.pref, 0,
					   cnf->ra_defrtr_metric);
		return;
	}
	rt6_route_information(ra->idev->dev, &ra->router, &ri.prefix, ri.plen, ri.lifetime,
			      ri.pref);
}

static bool prefix_lives_long_enough(const struct ipv6_devconf *cnf, const struct ndisc_opt *o)
{
	struct ndisc_prefix_info pi;

	return !ndisc_parse_prefix_info(o->data, o->len, &pi) &&
	       (!pi.valid || pi.valid >= cnf->accept_ra_min_lft);
}

/* Options that may come several times. */
static void ra_options(const struct ra *ra, bool sllao)
{
	const struct ipv6_devconf *cnf = &ra->idev->cnf;
	const u8 *p = ra->opts;
	struct ndisc_opt o;

	while (ndisc_opt_next(&p, ra->end, &o)) {
		if (o.type == NDISC_OPT_ROUTE_INFO)
			ra_route(ra, &o);
		else if (o.type == NDISC_OPT_PREFIX_INFO && cnf->accept_ra_pinfo &&
			 prefix_lives_long_enough(cnf, &o))
			addrconf_prefix_rcv(ra->idev->dev, o.data, o.len, sllao);
	}
}

static bool from_ourselves(const struct ra *ra)
{
	return !ra->idev->cnf.accept_ra_from_local &&
	       ipv6_chk_addr(ra->idev->net, &ra->router, ra->idev->dev, false);
}

static void ra_believe(const struct ra *ra, const u8 *msg, const struct ndisc_opts *opts)
{
	struct inet6_dev *idev = ra->idev;

	ra_flags(idev, msg[5]);
	if (!from_ourselves(ra))
		ra_default_router(ra);
	if (ra->hop_limit && ra->hop_limit >= idev->cnf.accept_ra_min_hop_limit)
		idev->cnf.hop_limit = ra->hop_limit;
	ra_timers(idev, msg);
	if (!from_ourselves(ra)) {
		ra_options(ra, opts->source_ll.data);
		ra_mtu(idev, opts);
	}
	ndisc_dns_rcv(idev, &ra->router, ra->opts, ra->end);
}

skb_drop_reason_t ndisc_router_discovery(struct sk_buff *skb, const struct ndisc_opts *opts)
{
	const u8 *msg = skb->data;
	struct ra ra = {
		.idev = __in6_dev_get(skb->dev),
		.router = ipv6_hdr(skb)->saddr,
		.hop_limit = msg[4],
		.pref = (msg[5] >> 3) & 3,
		.lifetime = (u32)msg[6] << 8 | msg[7],
		.opts = msg + NDISC_RA_LEN,
		.end = msg + skb->len,
	};
	const u8 *lladdr = NULL;

	/* RFC 4861 6.1.2 */
	if (!(ipv6_addr_type(&ra.router) & IPV6_ADDR_LINKLOCAL))
		return SKB_DROP_NDISC_SOURCE;
	if (opts->source_ll.data) {
		lladdr = ndisc_opt_lladdr(&opts->source_ll, skb->dev->addr_len);
		if (!lladdr)
			return SKB_DROP_NDISC_OPTION;
	}
	if (skb->pkt_type == SKB_PACKET_LOOPBACK)
		return SKB_DROP_NDISC_RA_IGNORED;
	ndisc_learn(skb->dev, &ra.router, lladdr, NUD_STALE,
		    NEIGH_UPDATE_F_WEAK_OVERRIDE | NEIGH_UPDATE_F_OVERRIDE |
			    NEIGH_UPDATE_F_OVERRIDE_ISROUTER | NEIGH_UPDATE_F_ISROUTER,
		    lladdr != NULL);
	if (!ipv6_accept_ra(ra.idev))
		return SKB_DROP_NDISC_RA_IGNORED;
	ra_believe(&ra, msg, opts);
	return 0;
}
