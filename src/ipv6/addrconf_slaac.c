/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * addrconf_slaac.c - addresses from router advertisements, their lifetimes, temporary addresses
 *
 * Theory of operation
 *   A prefix information option (RFC 4861 4.6.2) says that a prefix is on link (L) and that addresses may be made from it (A). The
 *   first makes a route that lives as long as the prefix; the second an address whose lifetimes follow later advertisements, but which
 *   nobody can cut below two hours (RFC 4862 5.5.3 e).
 *   With use_tempaddr, each such address ("public") has temporary ones with random identifiers (RFC 8981). They live shorter, and
 *   before one is deprecated the next is made, so that there is always one to use.
 *   One timer per device looks at all lifetimes: what is over is removed, what is no longer preferred deprecated, what is about to be is
 *   succeeded. It is armed for the next such event.
 * Context: softirq, cpu lock.
 */
#include <errno.h>

#include "ipv6/addrconf_internal.h"
#include "wire/ndisc.h"

#define MIN_VALID_LIFETIME 7200u /* s */

static u32 age_s(const struct inet6_ifaddr *ifp, u64 now)
{
	return (u32)min((now - ifp->tstamp) / NSEC_PER_SEC, (u64)UINT32_MAX - 1);
}

static u32 left_s(u32 lft, u32 age)
{
	return lft == INFINITY_LIFE ? lft : lft > age ? lft - age : 0;
}

/* ---- temporary addresses ------------------------------------------------------------------------------------------- */

/* How long before the end of one the next is made (RFC 8981 3.8): s */
static u32 regen_advance(const struct inet6_dev *idev)
{
	u64 dad = idev->net->ipv6->idgen_retries * idev->cnf.dad_transmits *
		  max(idev->nd_parms->retrans_time, 100 * NSEC_PER_MSEC);

	return idev->cnf.regen_min_advance + (u32)(dad / NSEC_PER_SEC);
}

/* RFC 8981 3.8: never more than 0.4 of the preferred lifetime; drawn once for a device. */
static u32 desync(struct inet6_dev *idev)
{
	u32 most = min(idev->cnf.max_desync_factor, idev->cnf.temp_prefered_lft / 5 * 2);

	if (!idev->desync_factor && most)
		idev->desync_factor = 1 + (u32)(cpu_random(idev->net->cpu) % most);
	return min(idev->desync_factor, most);
}

static u32 count_addrs(const struct inet6_dev *idev)
{
	const struct inet6_ifaddr *ifp;
	u32 n = 0;

	list_for_each_entry(ifp, &idev->addr_list, node)
		n++;
	return n;
}

static bool too_many(const struct inet6_dev *idev)
{
	return idev->cnf.max_addresses && count_addrs(idev) >= idev->cnf.max_addresses;
}

static void create_tempaddr(struct inet6_ifaddr *pub)
{
	struct inet6_dev *idev = pub->idev;
	u32 age = age_s(pub, net_now(idev->net));
	struct ifa6_config cfg = {
		.addr = pub->addr,
		.plen = pub->prefix_len,
		.proto = pub->proto,
		.flags = IFA_F_TEMPORARY | (pub->flags & IFA_F_NOPREFIXROUTE),
		.rt_priority = pub->rt_priority,
		.valid = min(left_s(pub->valid_lft, age), idev->cnf.temp_valid_lft),
		.preferred = min(left_s(pub->prefered_lft, age),
				 idev->cnf.temp_prefered_lft - desync(idev)),
	};
	struct inet6_ifaddr *ifp;

	/* RFC 8981 3.4 (5) */
	if (cfg.preferred <= regen_advance(idev) || too_many(idev))
		return;
	if (idev->cnf.optimistic_dad && !idev->cnf.forwarding)
		cfg.flags |= IFA_F_OPTIMISTIC;
	cfg.flags |= IFA_F_NOPREFIXROUTE; /* the public address has the route */
	addrconf_random_iid(idev->net, &cfg.addr);
	if (inet6_addr_add(idev, &cfg, NULL, &ifp))
		return;
	ifp->flags = (ifp->flags & ~(u32)IFA_F_NOPREFIXROUTE) | (pub->flags & IFA_F_NOPREFIXROUTE);
	ifp->ifpub = pub;
	pub->refcount++;
}

void addrconf_manage_tempaddrs(struct inet6_ifaddr *pub, u32 valid, u32 preferred, bool create)
{
	struct inet6_dev *idev = pub->idev;
	u64 now = net_now(idev->net);
	struct inet6_ifaddr *ifp;
	bool any = false;

	list_for_each_entry(ifp, &idev->addr_list, node) {
		u32 age = (u32)((now - ifp->cstamp) / NSEC_PER_SEC), most_valid, most_preferred;

		if (ifp->ifpub != pub)
			continue;
		any = true;
		/* RFC 8981 3.4 (1): an advertisement never prolongs them beyond what they were made for. */
		most_valid = left_s(idev->cnf.temp_valid_lft, age);
		most_preferred = left_s(idev->cnf.temp_prefered_lft - desync(idev), age);
		if (ifp->flags & IFA_F_DEPRECATED)
			most_preferred = 0;
		inet6_ifa_set_lifetime(ifp, min(valid, most_valid), min(preferred, most_preferred));
		inet6_ifa_notify(RTM_NEWADDR, ifp);
	}
	/* None is made for an address that goes. */
	if ((create || (!any && (valid || preferred))) && idev->cnf.use_tempaddr > 0)
		create_tempaddr(pub);
}

/* ---- lifetimes ------------------------------------------------------------------------------------------------------- */

#define COMPLETE_RETRY_NS (100 * NSEC_PER_MSEC)

/* When @ifp needs to be looked at next; ns */
static u64 next_event(const struct inet6_ifaddr *ifp, bool regen)
{
	u64 next = UINT64_MAX;

	if (ifp->valid_lft != INFINITY_LIFE)
		next = ifp->tstamp + ifp->valid_lft * NSEC_PER_SEC;
	if (ifp->prefered_lft != INFINITY_LIFE && !(ifp->flags & IFA_F_DEPRECATED)) {
		u32 at = ifp->prefered_lft, advance = regen ? regen_advance(ifp->idev) : 0;

		next = min(next, ifp->tstamp + (at > advance ? at - advance : 0) * NSEC_PER_SEC);
	}
	return next;
}

static bool wants_successor(const struct inet6_ifaddr *ifp)
{
	return ifp->flags & IFA_F_TEMPORARY && !(ifp->flags & IFA_F_TENTATIVE) && ifp->ifpub &&
	       !ifp->ifpub->dead && !ifp->regen_count;
}

static void verify_one(struct inet6_ifaddr *ifp, u64 now)
{
	u32 age = age_s(ifp, now);

	if (ifp->valid_lft != INFINITY_LIFE && age >= ifp->valid_lft) {
		ipv6_del_addr(ifp);
		return;
	}
	if (wants_successor(ifp) && ifp->prefered_lft != INFINITY_LIFE &&
	    age + regen_advance(ifp->idev) >= ifp->prefered_lft) {
		ifp->regen_count = 1;
		ifp->ifpub->regen_count = 0;
		create_tempaddr(ifp->ifpub);
	}
	if (ifp->prefered_lft != INFINITY_LIFE && age >= ifp->prefered_lft &&
	    !(ifp->flags & IFA_F_DEPRECATED)) {
		ifp->flags |= IFA_F_DEPRECATED;
		rt6_cache_flush(ifp->idev->net);
		inet6_ifa_notify(RTM_NEWADDR, ifp);
	}
}

/* The next thing to happen, of all addresses. */
static void verify_arm(struct inet6_dev *idev)
{
	const struct inet6_ifaddr *ifp;
	u64 next = idev->incomplete ? net_now(idev->net) + COMPLETE_RETRY_NS : UINT64_MAX;

	list_for_each_entry(ifp, &idev->addr_list, node)
		next = min(next, next_event(ifp, wants_successor(ifp)));
	if (next == UINT64_MAX)
		del_timer(&idev->addr_timer);
	else
		mod_timer(idev->net->cpu, &idev->addr_timer, next);
}

static void verify_timer(struct cpu *cpu, struct timer_list *t)
{
	struct inet6_dev *idev = container_of(t, struct inet6_dev, addr_timer);
	struct inet6_ifaddr *ifp, *next;

	if (unlikely(idev->incomplete)) {
		idev->incomplete = false;
		addrconf_complete(idev);
	}
	list_for_each_entry_safe(ifp, next, &idev->addr_list, node)
		verify_one(ifp, cpu->now);
	verify_arm(idev);
}

void addrconf_verify(struct inet6_dev *idev)
{
	verify_arm(idev);
}

void addrconf_verify_setup(struct inet6_dev *idev)
{
	timer_setup(&idev->addr_timer, verify_timer);
}

/* ---- prefixes ---------------------------------------------------------------------------------------------------------- */

/* RFC 4862 5.5.3 (e): valid lifetime of an address after an advertisement; s */
static u32 slaac_valid(const struct inet6_ifaddr *ifp, u32 valid, u32 left)
{
	if (valid > MIN_VALID_LIFETIME || valid > left)
		return valid;
	return max(valid, min(left, MIN_VALID_LIFETIME));
}

static void slaac_refresh(struct inet6_ifaddr *ifp, const struct ndisc_prefix_info *pi)
{
	u32 left = left_s(ifp->valid_lft, age_s(ifp, net_now(ifp->idev->net)));
	u32 valid = slaac_valid(ifp, pi->valid, left), preferred = min(pi->preferred, valid);
	bool was_deprecated = ifp->flags & IFA_F_DEPRECATED;

	inet6_ifa_set_lifetime(ifp, valid, preferred);
	if (was_deprecated != !!(ifp->flags & IFA_F_DEPRECATED))
		rt6_cache_flush(ifp->idev->net);
	if (!(ifp->flags & IFA_F_TENTATIVE))
		inet6_ifa_notify(RTM_NEWADDR, ifp);
	addrconf_manage_tempaddrs(ifp, valid, preferred, false);
}

static int slaac_iid(struct inet6_dev *idev, struct in6_addr *addr, u32 *ret_flags)
{
	*ret_flags = 0;
	if (ipv6_addr_any(&idev->token))
		return addrconf_gen_iid(idev, addr, 0, ret_flags);
	memcpy(&addr->s6_addr[8], &idev->token.s6_addr[8], 8); /* ip token set */
	return 0;
}

/* The address that an advertisement of its prefix made, whatever its identifier became after collisions. */
static struct inet6_ifaddr *slaac_find(struct inet6_dev *idev, const struct in6_addr *addr)
{
	struct inet6_ifaddr *ifp, *found = NULL;

	list_for_each_entry(ifp, &idev->addr_list, node) {
		if (ipv6_addr_equal(&ifp->addr, addr))
			return ifp;
		if (ifp->flags & IFA_F_STABLE_PRIVACY && ifp->regen_count &&
		    ipv6_prefix_equal(&ifp->addr, addr, 64))
			found = ifp;
	}
	return found;
}

static void slaac_prefix(struct inet6_dev *idev, const struct ndisc_prefix_info *pi, bool sllao)
{
	struct ifa6_config cfg = {
		.addr = pi->prefix,
		.plen = pi->plen,
		.proto = IFAPROT_KERNEL_RA,
		.valid = pi->valid,
		.preferred = pi->preferred,
	};
	struct inet6_ifaddr *ifp;

	/* RFC 4862 5.5.3 (d): prefix and identifier make 128 bits. */
	if (pi->plen != ADDRCONF_PREFIX_PLEN || slaac_iid(idev, &cfg.addr, &cfg.flags))
		return;
	ifp = slaac_find(idev, &cfg.addr);
	if (ifp) {
		slaac_refresh(ifp, pi);
		addrconf_verify(idev);
		return;
	}
	if (!pi->valid || too_many(idev))
		return;
	/* RFC 4429 3.3: without the router's link-layer address an optimistic address is of no use. */
	if (idev->cnf.optimistic_dad && !idev->cnf.forwarding && sllao)
		cfg.flags |= IFA_F_OPTIMISTIC;
	/* The prefix's route is the advertisement's affair, not the address's. */
	cfg.flags |= IFA_F_NOPREFIXROUTE;
	if (inet6_addr_add(idev, &cfg, NULL, &ifp))
		return;
	ifp->flags = (ifp->flags & ~(u32)IFA_F_NOPREFIXROUTE) | IFA_F_MANAGETEMPADDR;
	addrconf_manage_tempaddrs(ifp, pi->valid, pi->preferred, true);
	addrconf_verify(idev);
}

void addrconf_prefix_rcv(struct net_device *dev, const u8 *pinfo, u32 len, bool sllao)
{
	struct inet6_dev *idev = __in6_dev_get(dev);
	struct ndisc_prefix_info pi;
	int type;

	if (!idev || ndisc_parse_prefix_info(pinfo, len, &pi))
		return;
	/* RFC 4862 5.5.3 (b), (c) */
	type = ipv6_addr_type(&pi.prefix);
	if (type & (IPV6_ADDR_MULTICAST | IPV6_ADDR_LINKLOCAL) || pi.preferred > pi.valid)
		return;
	if (pi.onlink)
		rt6_prefix_route(dev, &pi.prefix, pi.plen, pi.valid, 0, RTPROT_RA);
	if (pi.autoconf && idev->cnf.autoconf)
		slaac_prefix(idev, &pi, sllao);
	inet6_prefix_notify(idev, pinfo);
}
