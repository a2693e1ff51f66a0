/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * addrconf_dad.c - is an address free (DAD), and which routers are there (router solicitation)
 *
 * Theory of operation
 *   DAD (RFC 4862 5.4): a new address is tentative. After a random delay dad_transmits solicitations ask for it; what ndisc.c
 *   hears about it meanwhile is a collision: the address stays, marked DADFAILED, and is never used. If retrans_time passes after the
 *   last question in silence, the address is ours. Each question has a nonce, so that one that a link
 *   brings back to us is no collision (RFC 7527).
 *   Optimistic addresses (RFC 4429) are used while this goes on.
 *   Identifiers that were drawn (RFC 7217, 8981) are drawn again after a collision, idgen_retries and regen_max_retry times.
 *   When a device's link-local address is free, a host asks for routers (RFC 4861 6.3.7), ever more slowly (RFC 7559).
 * Context: softirq (timers) and whoever adds addresses; cpu lock.
 */
#include <errno.h>

#include "ipv6/addrconf_internal.h"

static u64 random_up_to(struct net *net, u64 ns)
{
	return ns ? cpu_random(net->cpu) % ns : 0;
}

/* ---- results ----------------------------------------------------------------------------------------------------- */

static bool sole_lladdr(const struct inet6_ifaddr *ifp)
{
	const struct inet6_ifaddr *other;

	if (ifp->scope != 2)
		return false;
	list_for_each_entry(other, &ifp->idev->addr_list, node)
		if (other != ifp && other->scope == 2 && !(other->flags & IFA_F_TENTATIVE))
			return false;
	return true;
}

static void announce(struct inet6_ifaddr *ifp)
{
	static const struct in6_addr all_nodes = { .s6_addr = { 0xff, 2, [15] = 1 } };
	struct inet6_dev *idev = ifp->idev;

	/* RFC 9131, and RFC 4861 7.2.6: so that nobody waits for a stale neighbour */
	if (idev->cnf.ndisc_notify || idev->net->ipv6->devconf_all.ndisc_notify)
		ndisc_send_na(idev->dev, &all_nodes, &ifp->addr, idev->forwarding, false, true,
			      true);
}

static void dad_completed(struct inet6_ifaddr *ifp)
{
	struct inet6_dev *idev = ifp->idev;

	del_timer(&ifp->dad_timer);
	ifp->flags &= ~(u32)(IFA_F_TENTATIVE | IFA_F_OPTIMISTIC | IFA_F_DADFAILED);
	inet6_ifa_route(ifp);
	inet6_ifa_notify(RTM_NEWADDR, ifp);
	if (ifp->flags & IFA_F_TEMPORARY)
		addrconf_verify(idev); /* from now on it needs a successor in time */
	if (idev->dev->flags & IFF_LOOPBACK)
		return;
	announce(ifp);
	if (!sole_lladdr(ifp))
		return;
	ipv6_mc_dad_complete(idev);
	addrconf_rs_start(idev);
}

/* Another try with another identifier. */
static bool regenerate(struct inet6_ifaddr *ifp)
{
	struct inet6_dev *idev = ifp->idev;
	struct netns_ipv6 *ip6 = idev->net->ipv6;
	struct ifa6_config cfg = {
		.addr = ifp->addr,
		.plen = ifp->prefix_len,
		.proto = ifp->proto,
		.rt_priority = ifp->rt_priority,
		.valid = ifp->valid_lft,
		.preferred = ifp->prefered_lft,
	};
	struct inet6_ifaddr *again;
	u8 count = (u8)(ifp->regen_count + 1);
	u32 flags;

	if (!(ifp->flags & IFA_F_STABLE_PRIVACY) || count > ip6->idgen_retries ||
	    addrconf_gen_iid(idev, &cfg.addr, count, &flags))
		return false;
	cfg.flags = flags | (ifp->flags & (IFA_F_MANAGETEMPADDR | IFA_F_NOPREFIXROUTE));
	if (inet6_addr_add(idev, &cfg, NULL, &again))
		return false;
	again->regen_count = count;
	/* RFC 7217 6 */
	if (again->flags & IFA_F_TENTATIVE && timer_pending(&again->dad_timer))
		mod_timer(idev->net->cpu, &again->dad_timer,
			  net_now(idev->net) + ip6->idgen_delay_s * NSEC_PER_SEC);
	return true;
}

static void tempaddr_failed(struct inet6_ifaddr *ifp)
{
	struct inet6_ifaddr *pub = ifp->ifpub;
	struct inet6_dev *idev = ifp->idev;

	/* RFC 8981 3.4 (7): another one, a few times */
	if (pub && !pub->dead && pub->regen_count++ < idev->cnf.regen_max_retry)
		addrconf_manage_tempaddrs(pub, pub->valid_lft, pub->prefered_lft, true);
	ipv6_del_addr(ifp);
}

void addrconf_dad_failure(struct inet6_ifaddr *ifp)
{
	struct inet6_dev *idev = ifp->idev;

	if (!(ifp->flags & IFA_F_TENTATIVE) || ifp->flags & IFA_F_DADFAILED)
		return;
	addrconf_dad_stop(ifp);
	inet6_ifa_unroute(ifp); /* an optimistic one was in use */
	ifp->flags |= IFA_F_DADFAILED;
	ifp->flags &= ~(u32)IFA_F_OPTIMISTIC;
	if (ifp->flags & IFA_F_TEMPORARY) {
		tempaddr_failed(ifp);
		return;
	}
	inet6_ifa_notify(RTM_NEWADDR, ifp);
	if (regenerate(ifp)) {
		ipv6_del_addr(ifp);
		return;
	}
	/* RFC 4862 5.4.5: the link-layer address itself is somebody else's. */
	if (idev->cnf.accept_dad > 1 && ifp->scope == 2 &&
	    idev->cnf.addr_gen_mode == IN6_ADDR_GEN_EUI64 && !(ifp->flags & IFA_F_STABLE_PRIVACY)) {
		struct in6_addr own = { .s6_addr = { 0xfe, 0x80 } };
		u32 flags;

		if (!addrconf_gen_iid(idev, &own, 0, &flags) && ipv6_addr_equal(&own, &ifp->addr)) {
			idev->cnf.disable_ipv6 = 1;
			addrconf_set_disabled(idev, true);
		}
	}
}

/* ---- asking -------------------------------------------------------------------------------------------------------- */

static void dad_timer(struct cpu *cpu, struct timer_list *t)
{
	struct inet6_ifaddr *ifp = container_of(t, struct inet6_ifaddr, dad_timer);
	struct inet6_dev *idev = ifp->idev;
	struct in6_addr group;

	if (!ifp->dad_probes) {
		dad_completed(ifp);
		return;
	}
	ifp->dad_probes--;
	mod_timer(cpu, t, cpu->now + max(idev->nd_parms->retrans_time, NSEC_PER_MSEC));
	addrconf_addr_solict_mult(&ifp->addr, &group);
	ndisc_send_ns(idev->dev, &ifp->addr, &group, &in6addr_any, ifp->dad_nonce);
}

static bool dad_wanted(const struct inet6_ifaddr *ifp)
{
	const struct inet6_dev *idev = ifp->idev;
	s32 accept = max(idev->cnf.accept_dad, idev->net->ipv6->devconf_all.accept_dad);

	return ifp->flags & IFA_F_TENTATIVE && !(ifp->flags & IFA_F_NODAD) && accept >= 1 &&
	       !(idev->dev->flags & (IFF_NOARP | IFF_LOOPBACK));
}

void addrconf_dad_join(struct inet6_ifaddr *ifp)
{
	if (ifp->joined || ipv6_addr_is_multicast(&ifp->addr))
		return;
	ifp->joined = !addrconf_join_solict(ifp->idev->dev, &ifp->addr);
	if (!ifp->joined)
		addrconf_incomplete(ifp->idev);
}

void addrconf_dad_start(struct inet6_ifaddr *ifp)
{
	struct inet6_dev *idev = ifp->idev;
	struct net *net = idev->net;

	if (!(idev->if_flags & (u32)IF_READY) || ifp->dead ||
	    timer_pending(&ifp->dad_timer)) /* starts when the device does */
		return;
	addrconf_dad_join(ifp);
	timer_setup(&ifp->dad_timer, dad_timer);
	if (!dad_wanted(ifp)) {
		dad_completed(ifp);
		return;
	}
	ifp->flags &= ~(u32)IFA_F_DADFAILED;
	ifp->dad_probes = (u8)min(idev->cnf.dad_transmits, 255u);
	ifp->dad_nonce = 0;
	if (idev->cnf.enhanced_dad || net->ipv6->devconf_all.enhanced_dad)
		while (!ifp->dad_nonce)
			ifp->dad_nonce = cpu_random(net->cpu) & 0xffffffffffff;
	if (ifp->flags & IFA_F_OPTIMISTIC) {
		inet6_ifa_route(ifp);
		inet6_ifa_notify(RTM_NEWADDR, ifp);
	}
	/* RFC 4862 5.4.2: hosts that start together do not ask together. RFC 4429 needs no delay. */
	mod_timer(net->cpu, &ifp->dad_timer,
		  net_now(net) + (ifp->flags & IFA_F_OPTIMISTIC
					  ? 0
					  : random_up_to(net, idev->cnf.rtr_solicit_delay)));
}

void addrconf_dad_stop(struct inet6_ifaddr *ifp)
{
	if (ifp->dad_timer.function)
		del_timer(&ifp->dad_timer);
	if (!ifp->joined)
		return;
	ifp->joined = false;
	addrconf_leave_solict(ifp->idev->dev, &ifp->addr);
}

/* ---- router solicitation --------------------------------------------------------------------------------------------- */

static void rs_send(struct inet6_dev *idev)
{
	static const struct in6_addr all_routers = { .s6_addr = { 0xff, 2, [15] = 2 } };
	struct in6_addr saddr = { 0 };

	/* RFC 4861 4.1: "unspecified" is a source as well. */
	ipv6_get_lladdr(idev->dev, &saddr, IFA_F_TENTATIVE);
	ndisc_send_rs(idev->dev, &saddr, &all_routers);
	idev->rs_probes++;
	idev->if_flags |= IF_RS_SENT;
}

/* RFC 7559 2 (RFC 8415 15): doubled each time, a tenth more or less, up to a maximum. */
static u64 rs_next_interval(struct inet6_dev *idev)
{
	u64 most = idev->cnf.rtr_solicit_max_interval, base = idev->rs_interval;

	if (!base)
		base = idev->cnf.rtr_solicit_interval;
	else
		base *= 2;
	if (base > most)
		base = most;
	base = max(base, 10 * NSEC_PER_MSEC); /* the sysctls may say 0 */
	idev->rs_interval = base;
	return base - base / 10 + random_up_to(idev->net, base / 5 + 1);
}

static bool rs_wanted(const struct inet6_dev *idev)
{
	return idev->if_flags & (u32)IF_READY && !(idev->if_flags & IF_RA_RCVD) &&
	       ipv6_accept_ra(idev) &&
	       (idev->cnf.rtr_solicits < 0 || (s64)idev->rs_probes < idev->cnf.rtr_solicits);
}

static void rs_timer(struct cpu *cpu, struct timer_list *t)
{
	struct inet6_dev *idev = container_of(t, struct inet6_dev, rs_timer);

	if (!rs_wanted(idev))
		return;
	rs_send(idev);
	mod_timer(cpu, t, cpu->now + rs_next_interval(idev));
}

void addrconf_rs_start(struct inet6_dev *idev)
{
	idev->rs_probes = 0;
	idev->rs_interval = 0;
	if (idev->dev->flags & IFF_LOOPBACK || !(idev->dev->flags & IFF_MULTICAST))
		return;
	rs_timer(idev->net->cpu, &idev->rs_timer);
}

void addrconf_rs_stop(struct inet6_dev *idev)
{
	del_timer(&idev->rs_timer);
}

void addrconf_rs_setup(struct inet6_dev *idev)
{
	timer_setup(&idev->rs_timer, rs_timer);
}
