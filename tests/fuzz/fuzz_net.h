/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_net.h - for the stateful targets: nets on veths in virtual time, and frames that arrive from the wire
 *
 * An input is a program: a sequence of instructions whose operands are read with fuzz_u8() and the like. Reading beyond the end gives
 * zeros, so that every input is valid and cutting one leaves its first part as it was.
 */
#ifndef WEIR_TESTS_FUZZ_FUZZ_NET_H
#define WEIR_TESTS_FUZZ_FUZZ_NET_H

#include <arpa/inet.h>
#include <stdio.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>

#include "core/netdevice.h"
#include "core/uio.h"
#include "drivers/link.h"
#include "drivers/veth.h"
#include "lib/csum.h"
#include "stack/stack.h"
#include "tests/fuzz/fuzz.h"
#include "wire/ethernet.h"

/* ---- the input ------------------------------------------------------------------------------------------- */

struct fuzz_input {
	const u8 *p;
	size_t left;
};

static inline void fuzz_take(struct fuzz_input *in, void *to, size_t n)
{
	size_t have = n < in->left ? n : in->left;

	memset(to, 0, n);
	memcpy(to, in->p, have);
	in->p += have;
	in->left -= have;
}

static inline u8 fuzz_u8(struct fuzz_input *in)
{
	u8 v;

	fuzz_take(in, &v, sizeof(v));
	return v;
}

static inline u16 fuzz_u16(struct fuzz_input *in)
{
	u16 v;

	fuzz_take(in, &v, sizeof(v));
	return v;
}

static inline u32 fuzz_u32(struct fuzz_input *in)
{
	u32 v;

	fuzz_take(in, &v, sizeof(v));
	return v;
}

/* ---- nets ------------------------------------------------------------------------------------------------ */

static inline struct net_device *fuzz_dev(struct weir_net *wn, const char *name)
{
	struct net_device *dev = __dev_get_by_name(net_of(wn), name);

	FUZZ_CHECK(dev);
	return dev;
}

/* @a and @b are names of the two new devices, one per net; both are up afterwards. */
static inline void fuzz_veth(struct weir_net *net_a, const char *a, struct weir_net *net_b,
			     const char *b)
{
	struct machine *m = net_of(net_a)->machine;
	struct net_device *dev[2];

	rtnl_lock(m);
	FUZZ_CHECK(!veth_create(net_of(net_a), a, net_of(net_b), b, &dev[0], &dev[1]));
	for (int i = 0; i < 2; i++)
		FUZZ_CHECK(!dev_open(dev[i], NULL));
	rtnl_unlock(m);
}

/* Frames to and from @dev take 1 ms, are cut to wire size and merged by the receiver. */
static inline void fuzz_delay(struct net_device *dev)
{
	struct link_params p = { .delay_ns = NSEC_PER_MSEC };
	struct machine *m = dev->net->machine;

	rtnl_lock(m);
	FUZZ_CHECK(!veth_set_link(dev, &p));
	FUZZ_CHECK(!veth_set_link(dev->netdev_ops->ndo_get_peer_dev(dev), &p));
	rtnl_unlock(m);
}

/* @addr in host order, a /24 */
static inline void fuzz_addr(struct weir_net *wn, const char *dev, u32 addr)
{
	struct {
		struct nlmsghdr h;
		struct ifaddrmsg ifa;
		struct rtattr local;
		u32 addr;
	} q = {
		.h = { .nlmsg_len = sizeof(q),
		       .nlmsg_type = RTM_NEWADDR,
		       .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE },
		.ifa = { .ifa_family = AF_INET,
			 .ifa_prefixlen = 24,
			 .ifa_index = (u32)fuzz_dev(wn, dev)->ifindex },
		.local = { sizeof(struct rtattr) + 4, IFA_LOCAL },
		.addr = htonl(addr),
	};

	FUZZ_CHECK(!weir_netlink(wn, NETLINK_ROUTE, &q.h, NULL, NULL, NULL, 0));
}

static inline void fuzz_lo_up(struct weir_net *wn)
{
	struct machine *m = net_of(wn)->machine;

	rtnl_lock(m);
	FUZZ_CHECK(!dev_open(net_of(wn)->loopback_dev, NULL));
	rtnl_unlock(m);
}

/* A machine in virtual time with two nets, "a" and "b", and two wires between them, eth0 and eth1; what "a" sends by eth1 is delayed. */
static inline struct weir_machine *fuzz_two_nets(struct weir_net *ret_net[2])
{
	struct weir_machine_config cfg = { .clock = WEIR_CLOCK_VIRTUAL, .mem_limit = 32 << 20 };
	struct weir_machine *m = weir_machine_create(&cfg);

	FUZZ_CHECK(m);
	for (int i = 0; i < 2; i++) {
		ret_net[i] = weir_net_create(m, i ? "b" : "a");
		FUZZ_CHECK(ret_net[i]);
		fuzz_lo_up(ret_net[i]);
	}
	fuzz_veth(ret_net[0], "eth0", ret_net[1], "eth0");
	fuzz_veth(ret_net[0], "eth1", ret_net[1], "eth1");
	fuzz_delay(fuzz_dev(ret_net[0], "eth1"));
	return m;
}

static inline void fuzz_run(struct weir_machine *m, u64 ns)
{
	u64 end = weir_now(m) + ns, now;

	while ((now = weir_now(m)) < end)
		weir_run(m, end - now);
	weir_run(m, 0);
}

/* Lets time pass until only @socks sockets are left and nothing is on its way: what is closed must come to an end by itself. */
static inline void fuzz_run_until_idle(struct weir_machine *m, u64 socks)
{
	struct weir_memory mem;

	for (int i = 0; i < 3600; i++) {
		fuzz_run(m, 10 * NSEC_PER_SEC);
		weir_memory(m, &mem);
		if (mem.nr_socks == socks && !mem.skb_live)
			return;
	}
	fprintf(stderr, "%llu socks and %llu skbs are left after ten hours\n",
		(unsigned long long)mem.nr_socks, (unsigned long long)mem.skb_live);
	abort();
}

/* ---- frames ---------------------------------------------------------------------------------------------- */

/* The peer of @dev sends @len octets. With @header < @len only so many (at least the Ethernet header) are in the head area. */
static inline void fuzz_inject(struct net_device *dev, const u8 *frame, u32 len, u32 header)
{
	struct cpu *cpu = dev->cpu;
	struct net_device *peer;
	struct sk_buff *skb;

	cpu_lock(cpu);
	peer = dev->netdev_ops->ndo_get_peer_dev(dev);
	if (header < ETH_HLEN)
		header = ETH_HLEN;
	header = header < len ? header : len;
	skb = netdev_alloc_skb(peer, header + 2);
	FUZZ_CHECK(skb);
	skb_reserve(skb, 2); /* drivers align the IP header */
	skb_put_data(skb, frame, header);
	if (header < len) {
		struct iovec iov = { (void *)(frame + header), len - header };
		struct iov_iter rest;

		iov_iter_init(&rest, &iov, 1, iov.iov_len);
		FUZZ_CHECK(skb_append_iter(skb, &rest, len - header, false) == len - header);
	}
	skb->dev = peer;
	skb_reset_mac_header(skb);
	skb->network_header = (u16)(skb->mac_header + (len < ETH_HLEN ? 0 : ETH_HLEN));
	skb->protocol = cpu_to_be16(ETH_P_IP);
	dev_queue_xmit(skb);
	cpu_unlock(cpu);
}

/* Makes the checksum at @off of the @len octets behind an IPv4 header right (protocols with a pseudo header). */
static inline void fuzz_fix_l4(u8 *l4, u32 len, u32 off, be32 saddr, be32 daddr, u8 proto)
{
	u16 sum;

	if (len < off + 2)
		return;
	memset(l4 + off, 0, 2);
	sum = csum_tcpudp_magic(saddr, daddr, len, proto, csum_partial(l4, len, 0));
	memcpy(l4 + off, &sum, 2);
}

/* An IPv4 packet of @len octets: total length and checksums right as far as its other fields permit. */
static inline void fuzz_fix_ipv4(u8 *p, u32 len, bool fix_len)
{
	u32 hl, l4len;
	be32 saddr, daddr;
	u16 sum;

	if (len < 20)
		return;
	hl = (p[0] & 15u) * 4;
	if (hl < 20 || hl > len)
		return;
	if (fix_len) {
		p[2] = (u8)(len >> 8);
		p[3] = (u8)len;
	}
	memset(p + 10, 0, 2);
	sum = csum_fold(csum_partial(p, hl, 0));
	memcpy(p + 10, &sum, 2);
	memcpy(&saddr, p + 12, 4);
	memcpy(&daddr, p + 16, 4);
	l4len = (u32)p[2] << 8 | p[3];
	if (l4len > len || l4len < hl)
		return;
	l4len -= hl;
	if ((p[6] & 0x3f) || p[7])
		return; /* a fragment */
	if (p[9] == IPPROTO_UDP) {
		fuzz_fix_l4(p + hl, l4len, 6, saddr, daddr, IPPROTO_UDP);
	} else if (p[9] == IPPROTO_TCP) {
		fuzz_fix_l4(p + hl, l4len, 16, saddr, daddr, IPPROTO_TCP);
	} else if ((p[9] == IPPROTO_ICMP || p[9] == IPPROTO_IGMP) && l4len >= 4) {
		memset(p + hl + 2, 0, 2);
		sum = csum_fold(csum_partial(p + hl, l4len, 0));
		memcpy(p + hl + 2, &sum, 2);
	}
}

#endif
