/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * saddr.c - which of our addresses a packet leaves with (RFC 6724 section 5)
 *
 * Each rule compares two candidates with regard to a destination. The first rule that sees a difference decides.
 * Candidates: addresses of the outgoing device if the destination is multicast or link-local (RFC 6724 4), else of all devices.
 */
#include <errno.h>

#include <linux/in6.h>

#include "ipv6/addrconf_internal.h"

struct saddr_dst {
	const struct in6_addr *addr;
	int ifindex; /* 0: none */
	u8 scope;
	u32 label, prefs;
};

static bool is_optimistic(const struct inet6_ifaddr *a)
{
	return a->flags & IFA_F_OPTIMISTIC;
}

/* Rules return > 0: @a is better, < 0: @b is, 0: equal. */
typedef int saddr_rule(const struct inet6_ifaddr *a, const struct inet6_ifaddr *b,
		       const struct saddr_dst *dst);

static int better(bool a, bool b)
{
	return (int)a - (int)b;
}

static int rule_same_address(const struct inet6_ifaddr *a, const struct inet6_ifaddr *b,
			     const struct saddr_dst *dst)
{
	return better(ipv6_addr_equal(&a->addr, dst->addr), ipv6_addr_equal(&b->addr, dst->addr));
}

static int rule_scope(const struct inet6_ifaddr *a, const struct inet6_ifaddr *b,
		      const struct saddr_dst *dst)
{
	if (a->scope == b->scope)
		return 0;
	/* The smaller one, if it is large enough. */
	if (a->scope < b->scope)
		return a->scope < dst->scope ? -1 : 1;
	return b->scope < dst->scope ? 1 : -1;
}

static bool is_avoided(const struct inet6_ifaddr *a)
{
	const struct inet6_dev *idev = a->idev;
	bool use_optimistic =
		idev->cnf.use_optimistic || idev->net->ipv6->devconf_all.use_optimistic;

	/* RFC 4429 3.3: optimistic addresses count as deprecated. */
	return a->flags & IFA_F_DEPRECATED || (is_optimistic(a) && !use_optimistic);
}

static int rule_deprecated(const struct inet6_ifaddr *a, const struct inet6_ifaddr *b,
			   const struct saddr_dst *dst)
{
	return better(!is_avoided(a), !is_avoided(b));
}

static int rule_home(const struct inet6_ifaddr *a, const struct inet6_ifaddr *b,
		     const struct saddr_dst *dst)
{
	bool care_of = dst->prefs & IPV6_PREFER_SRC_COA;

	return better(!(a->flags & IFA_F_HOMEADDRESS) == care_of,
		      !(b->flags & IFA_F_HOMEADDRESS) == care_of);
}

static int rule_interface(const struct inet6_ifaddr *a, const struct inet6_ifaddr *b,
			  const struct saddr_dst *dst)
{
	if (!dst->ifindex)
		return 0;
	return better(a->idev->dev->ifindex == dst->ifindex, b->idev->dev->ifindex == dst->ifindex);
}

static u32 label_of(const struct inet6_ifaddr *a)
{
	return ipv6_addr_label(a->idev->net, &a->addr, a->idev->dev->ifindex);
}

static int rule_label(const struct inet6_ifaddr *a, const struct inet6_ifaddr *b,
		      const struct saddr_dst *dst)
{
	return better(label_of(a) == dst->label, label_of(b) == dst->label);
}

/* RFC 6724 rule 7, turned round by default as it allows: temporary ones only if use_tempaddr is 2. */
static bool is_private_enough(const struct inet6_ifaddr *a, const struct saddr_dst *dst)
{
	bool temporary = a->flags & IFA_F_TEMPORARY, want = a->idev->cnf.use_tempaddr >= 2;

	if (dst->prefs & (IPV6_PREFER_SRC_PUBLIC | IPV6_PREFER_SRC_TMP))
		want = dst->prefs & IPV6_PREFER_SRC_TMP;
	return temporary == want;
}

static int rule_temporary(const struct inet6_ifaddr *a, const struct inet6_ifaddr *b,
			  const struct saddr_dst *dst)
{
	return better(is_private_enough(a, dst), is_private_enough(b, dst));
}

/* RFC 4843: cryptographic identifiers speak with their like. */
static bool is_orchid(const struct in6_addr *a)
{
	static const struct in6_addr prefix = { .s6_addr = { 0x20, 1, 0, 0x10 } };

	return ipv6_prefix_equal(a, &prefix, 28);
}

static int rule_orchid(const struct inet6_ifaddr *a, const struct inet6_ifaddr *b,
		       const struct saddr_dst *dst)
{
	bool want = is_orchid(dst->addr);

	return better(is_orchid(&a->addr) == want, is_orchid(&b->addr) == want);
}

/* Common bits, of the source's prefix at most: CommonPrefixLen of RFC 6724 2.2 */
static int common_bits(const struct inet6_ifaddr *a, const struct in6_addr *dst)
{
	int bits = 0;

	while (bits < a->prefix_len && ipv6_prefix_equal(&a->addr, dst, (u32)bits + 1))
		bits++;
	return bits;
}

static int rule_longest_prefix(const struct inet6_ifaddr *a, const struct inet6_ifaddr *b,
			       const struct saddr_dst *dst)
{
	return common_bits(a, dst->addr) - common_bits(b, dst->addr);
}

static int rule_not_optimistic(const struct inet6_ifaddr *a, const struct inet6_ifaddr *b,
			       const struct saddr_dst *dst)
{
	return better(!is_optimistic(a), !is_optimistic(b));
}

static saddr_rule *const saddr_rules[] = {
	rule_same_address, rule_scope,  rule_deprecated, rule_home,           rule_interface,
	rule_label,        rule_orchid, rule_temporary,  rule_longest_prefix, rule_not_optimistic,
};

static bool is_better(const struct inet6_ifaddr *a, const struct inet6_ifaddr *b,
		      const struct saddr_dst *dst)
{
	int d = 0;

	for (u32 i = 0; i < ARRAY_SIZE(saddr_rules) && !d; i++)
		d = saddr_rules[i](a, b, dst);
	return d > 0;
}

static bool is_candidate(const struct inet6_ifaddr *a)
{
	if (ipv6_addr_is_multicast(&a->addr) || a->flags & IFA_F_DADFAILED)
		return false;
	return !(a->flags & IFA_F_TENTATIVE) || is_optimistic(a);
}

static const struct inet6_ifaddr *
best_of(const struct inet6_dev *idev, const struct inet6_ifaddr *best, const struct saddr_dst *dst)
{
	const struct inet6_ifaddr *a;

	list_for_each_entry(a, &idev->addr_list, node)
		if (is_candidate(a) && (!best || is_better(a, best, dst)))
			best = a;
	return best;
}

int ipv6_dev_get_saddr(struct net *net, const struct net_device *dst_dev,
		       const struct in6_addr *daddr, u32 prefs, struct in6_addr *ret)
{
	const struct inet6_dev *idev = dst_dev ? __in6_dev_get(dst_dev) : NULL;
	struct saddr_dst dst = {
		.addr = daddr,
		.ifindex = dst_dev ? dst_dev->ifindex : 0,
		.scope = ipv6_addr_scope(daddr),
		.prefs = prefs,
	};
	int type = ipv6_addr_type(daddr);
	const struct inet6_ifaddr *best = NULL;
	bool only;

	dst.label = ipv6_addr_label(net, daddr, dst.ifindex);
	only = dst_dev && (type & IPV6_ADDR_MULTICAST || dst.scope <= 2 ||
			   (idev && (idev->cnf.use_oif_addrs_only ||
				     net->ipv6->devconf_all.use_oif_addrs_only)));
	if (only) {
		if (idev)
			best = best_of(idev, NULL, &dst);
	} else {
		list_for_each_entry(idev, &net->ipv6->in6_devs, node)
			best = best_of(idev, best, &dst);
	}
	if (!best)
		return -EADDRNOTAVAIL;
	*ret = best->addr;
	return 0;
}
