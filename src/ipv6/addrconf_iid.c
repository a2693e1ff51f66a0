/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * addrconf_iid.c - interface identifiers: the low 64 bits of addresses that a host gives itself
 *
 * By addr_gen_mode: from the link-layer address (RFC 4291 appendix A), or opaque but the same each time in the same network (RFC 7217),
 * from a secret that is set or made up. Temporary addresses have random ones (RFC 8981). A token (ip token set) goes first for
 * addresses by router advertisement.
 */
#include <errno.h>
#include <net/if.h>

#include <linux/if_arp.h>

#include "ipv6/addrconf_internal.h"
#include "lib/siphash.h"

#define IDGEN_TRIES 16

/* RFC 5453: identifiers that no host may have. */
static bool iid_reserved(const struct in6_addr *a)
{
	static const u8 zeros[8], anycast[7] = { 0xfd, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
	const u8 *iid = &a->s6_addr[8];

	if (!memcmp(iid, zeros, 8)) /* the subnet-router anycast address */
		return true;
	if (!memcmp(iid, "\x02\0\x5e\xff\xfe", 5)) /* IANA's */
		return true;
	return !memcmp(iid, anycast, 7) && iid[7] >= 0x80;
}

static int eui64_iid(const struct net_device *dev, struct in6_addr *addr)
{
	u8 *iid = &addr->s6_addr[8];

	if (dev->type != ARPHRD_ETHER || dev->addr_len != 6)
		return -EOPNOTSUPP;
	memcpy(iid, dev->dev_addr, 3);
	iid[3] = 0xff;
	iid[4] = 0xfe;
	memcpy(iid + 5, dev->dev_addr + 3, 3);
	iid[0] ^= 2;
	return 0;
}

/* RFC 7217 5: F(prefix, link-layer address, collisions, secret) */
static int stable_iid(struct inet6_dev *idev, struct in6_addr *addr, u8 dad_count)
{
	const struct ipv6_devconf *from = !ipv6_addr_any(&idev->cnf.stable_secret)
						  ? &idev->cnf
						  : &idev->net->ipv6->devconf_default;
	u8 input[8 + MAX_ADDR_LEN + 2] = { 0 };
	u64 key[2], iid;

	if (ipv6_addr_any(&from->stable_secret))
		return -EADDRNOTAVAIL;
	memcpy(key, &from->stable_secret, sizeof(key));
	memcpy(input, addr, 8);
	memcpy(input + 8, idev->dev->perm_addr, MAX_ADDR_LEN);
	input[sizeof(input) - 2] = dad_count;
	for (u8 i = 0; i < IDGEN_TRIES; i++) {
		input[sizeof(input) - 1] = i;
		iid = siphash(input, sizeof(input), key);
		memcpy(&addr->s6_addr[8], &iid, sizeof(iid));
		if (!iid_reserved(addr))
			return 0;
	}
	return -EADDRNOTAVAIL;
}

static void make_secret(struct inet6_dev *idev)
{
	u64 secret[2] = { cpu_random(idev->net->cpu), cpu_random(idev->net->cpu) };

	memcpy(&idev->cnf.stable_secret, secret, sizeof(secret));
}

int addrconf_gen_iid(struct inet6_dev *idev, struct in6_addr *addr, u8 dad_count, u32 *ret_flags)
{
	*ret_flags = 0;
	switch (idev->cnf.addr_gen_mode) {
	case IN6_ADDR_GEN_EUI64:
		return dad_count ? -EADDRNOTAVAIL : eui64_iid(idev->dev, addr);
	case IN6_ADDR_GEN_RANDOM:
		if (ipv6_addr_any(&idev->cnf.stable_secret))
			make_secret(idev);
		__attribute__((fallthrough));
	case IN6_ADDR_GEN_STABLE_PRIVACY:
		*ret_flags = IFA_F_STABLE_PRIVACY;
		return stable_iid(idev, addr, dad_count);
	default:
		return -EADDRNOTAVAIL;
	}
}

void addrconf_random_iid(struct net *net, struct in6_addr *addr)
{
	u64 iid;

	do {
		iid = cpu_random(net->cpu);
		memcpy(&addr->s6_addr[8], &iid, sizeof(iid));
	} while (iid_reserved(addr));
}
