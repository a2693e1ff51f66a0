/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ipv6_core_test.c - what strangers send: packets come in by eth0 of a router of two links, in virtual time; each bad one is dropped
 * for its own reason, and what is learnt from it is bounded and ends
 */
#include <errno.h>
#include <stdlib.h>

#include "core/dev_test.h"
#include "drivers/drivers_module.h"
#include "inet/inet_module.h"
#include "inet/inet_reasons.h"
#include "ipv6/addrconf_internal.h"
#include "ipv6/ipv6_internal.h"
#include "ipv6/ipv6_module.h"
#include "lib/csum.h"
#include "netlink/netlink_module.h"
#include "socket/socket_module.h"
#include "wire/icmpv6.h"

static const struct in6_addr us = { .s6_addr = { 0x20, 1, 0xd, 0xb8, [15] = 1 } },
			     peer = { .s6_addr = { 0x20, 1, 0xd, 0xb8, [15] = 2 } },
			     us1 = { .s6_addr = { 0x20, 1, 0xd, 0xb8, [7] = 1, [15] = 1 } },
			     behind = { .s6_addr = { 0x20, 1, 0xd, 0xb8, [7] = 1, [15] = 2 } },
			     router = { .s6_addr = { 0xfe, 0x80, [15] = 9 } };

struct fixture {
	struct machine *m;
	struct net *net;
	struct net_device *eth0, *eth1; /* keep what they send */
};

static const struct net_module modules[] = {
	{ "core", core_machine_init, core_machine_exit, core_net_init, core_net_exit },
	{ "socket", socket_machine_init, socket_machine_exit, socket_net_init, socket_net_exit },
	{ "netlink", netlink_machine_init, netlink_machine_exit, netlink_net_init,
	  netlink_net_exit },
	{ "inet", inet_machine_init, inet_machine_exit, inet_net_init, inet_net_exit },
	{ "ipv6", ipv6_machine_init, ipv6_machine_exit, ipv6_net_init, ipv6_net_exit },
	{ "drivers", drivers_machine_init, NULL, drivers_net_init, drivers_net_exit },
};

static void add_addr(struct fixture *f, struct net_device *dev, const struct in6_addr *addr)
{
	struct ifa6_config cfg = { .addr = *addr,
				   .plen = 64,
				   .flags = IFA_F_NODAD,
				   .valid = INFINITY_LIFE,
				   .preferred = INFINITY_LIFE };
	struct inet6_ifaddr *ifp;

	cpu_lock(f->net->cpu);
	assert_int_equal(inet6_addr_add(dev->ip6_ptr, &cfg, NULL, &ifp), 0);
	cpu_unlock(f->net->cpu);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct machine_config cfg = {
		.host = host_sim_create(1, 0),
		.ncpus = 1,
		.modules = modules,
		.nr_modules = ARRAY_SIZE(modules),
	};

	f->m = machine_create(&cfg);
	assert_non_null(f->m);
	f->net = net_create(f->m, "n");
	assert_non_null(f->net);
	rtnl_lock(f->m);
	assert_int_equal(dev_open(f->net->loopback_dev, NULL), 0);
	rtnl_unlock(f->m);
	f->eth0 = test_netdev(f->net, "eth0", true);
	f->eth1 = test_netdev(f->net, "eth1", true);
	add_addr(f, f->eth0, &us);
	add_addr(f, f->eth1, &us1);
	f->net->ipv6->devconf_all.forwarding = 1;
	test_run_for(f->m, 3 * NSEC_PER_SEC);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	test_netdev_del(f->eth0);
	test_netdev_del(f->eth1);
	machine_destroy(f->m);
	free(f);
	return 0;
}

/* A packet of @len octets behind the fixed header comes in by eth0. */
static void hear(struct fixture *f, const struct in6_addr *src, const struct in6_addr *dst,
		 u8 nexthdr, const u8 *payload, u32 len)
{
	struct ipv6_hdr *ip;
	struct sk_buff *skb;

	cpu_lock(f->net->cpu);
	skb = alloc_skb(f->net->cpu, 64 + sizeof(*ip) + len);
	assert_non_null(skb);
	skb_reserve(skb, 64);
	ip = skb_put_zero(skb, sizeof(*ip));
	ip->ver_tc_flow = cpu_to_be32(6u << 28);
	ip->payload_len = cpu_to_be16((u16)len);
	ip->nexthdr = nexthdr;
	ip->hop_limit = 64;
	ip->saddr = *src;
	ip->daddr = *dst;
	skb_put_data(skb, payload, len);
	skb->dev = f->eth0;
	skb->protocol = BE16_INIT(ETH_P_IPV6);
	skb_reset_mac_header(skb);
	netif_rx(skb);
	cpu_unlock(f->net->cpu);
	test_run_for(f->m, NSEC_PER_MSEC);
}

static u64 drops(struct fixture *f, skb_drop_reason_t reason)
{
	return net_drops(f->net, reason);
}

/* ---- addresses -------------------------------------------------------------------------------------------- */

static void a_mapped_source_does_not_come_in(void **state)
{
	static const struct in6_addr mapped = { .s6_addr = { [10] = 0xff, 0xff, 127, 0, 0, 1 } };
	static const u8 udp[8] = { 0, 7, 0, 7, 0, 8 };
	struct fixture *f = *state;

	hear(f, &mapped, &us, IPPROTO_UDP, udp, sizeof(udp));
	assert_int_equal(drops(f, SKB_DROP_IP6_MARTIAN_SOURCE), 1);
}

/* ---- extension headers -------------------------------------------------------------------------------------- */

/* Each row is one packet for us, and why it is dropped. */
static void bad_extension_headers_are_dropped_for_their_reason(void **state)
{
	static const struct {
		u8 nexthdr, len;
		u8 p[32];
		skb_drop_reason_t reason;
	} rows[] = {
		{ IPPROTO_HOPOPTS, 4, { 59 }, SKB_DROP_IP6_HDR_SHORT },
		{ IPPROTO_HOPOPTS, 8, { 59, 1, 1, 4 }, SKB_DROP_IP6_HDR_SHORT },
		{ IPPROTO_DSTOPTS, 8, { 59, 1, 1, 4 }, SKB_DROP_IP6_HDR_SHORT },
		{ IPPROTO_ROUTING, 8, { 59, 1 }, SKB_DROP_IP6_HDR_SHORT },
		{ IPPROTO_DSTOPTS,
		  8,
		  { 59, 0, 1, 5 },
		  SKB_DROP_IP6_BAD_OPTION }, /* beyond its end */
		{ IPPROTO_DSTOPTS, 8, { 59, 0, 1, 4, 0, 0, 1 }, SKB_DROP_IP6_BAD_OPTION },
		{ IPPROTO_DSTOPTS,
		  16,
		  { 59, 1, 1, 12 },
		  SKB_DROP_IP6_BAD_OPTION }, /* too much padding */
		{ IPPROTO_HOPOPTS, 8, { 59, 0, 5, 1 }, SKB_DROP_IP6_BAD_OPTION }, /* router alert */
		{ IPPROTO_HOPOPTS, 8, { 59, 0, 0xc2, 4, 0, 0, 1 }, SKB_DROP_IP6_BAD_OPTION },
		{ IPPROTO_DSTOPTS, 8, { 59, 0, 0x7e, 4 }, SKB_DROP_IP6_UNKNOWN_OPTION },
		{ IPPROTO_DSTOPTS,
		  24,
		  { 59, 2,    0x1e, 0,    0x1e, 0,    0x1e, 0,    0x1e, 0,    0x1e,
		    0,  0x1e, 0,    0x1e, 0,    0x1e, 0,    0x1e, 0,    0x1e, 0 },
		  SKB_DROP_IP6_TOO_MANY_OPTIONS },
		{ IPPROTO_ROUTING, 8, { 59, 0, 0, 1 }, SKB_DROP_IP6_SOURCE_ROUTE },
		{ IPPROTO_ROUTING, 8, { 59, 0, 4, 1 }, SKB_DROP_IP6_SOURCE_ROUTE },
		{ IPPROTO_DSTOPTS,
		  8,
		  { IPPROTO_HOPOPTS, 0, 1, 4 },
		  SKB_DROP_IP6_NOPROTO }, /* not first */
		{ 253, 8, { 0 }, SKB_DROP_IP6_NOPROTO },
	};
	struct fixture *f = *state;

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		u64 before = drops(f, rows[i].reason);

		hear(f, &peer, &us, rows[i].nexthdr, rows[i].p, rows[i].len);
		if (drops(f, rows[i].reason) != before + 1)
			fail_msg("row %u: not dropped for %u", i, rows[i].reason);
	}
}

/* RFC 2675 3: a payload length of 0 needs a jumbo payload option. */
static void a_packet_without_length_needs_a_jumbo_option(void **state)
{
	struct fixture *f = *state;
	struct sk_buff *skb;
	struct ipv6_hdr *ip;

	cpu_lock(f->net->cpu);
	skb = test_packet(f->eth0, ETH_P_IPV6, 56);
	ip = memset(skb->data, 0, 56);
	ip->ver_tc_flow = cpu_to_be32(6u << 28);
	ip->saddr = peer;
	ip->daddr = us;
	ip->hop_limit = 64;
	memcpy(ip + 1, "\x3b\0\1\4", 4);
	skb_reset_mac_header(skb);
	netif_rx(skb);
	cpu_unlock(f->net->cpu);
	test_run_for(f->m, NSEC_PER_MSEC);
	assert_int_equal(drops(f, SKB_DROP_IP6_TRUNCATED), 1);
}

/* ---- lists --------------------------------------------------------------------------------------------------- */

static struct sk_buff *listed(struct fixture *f, const struct in6_addr *dst, u8 hop_limit, u16 len)
{
	struct sk_buff *skb = test_packet(f->eth0, ETH_P_IPV6, 48);
	struct ipv6_hdr *ip = memset(skb->data, 0, 48);

	ip->ver_tc_flow = cpu_to_be32(6u << 28);
	ip->payload_len = cpu_to_be16(len);
	ip->nexthdr = 253;
	ip->hop_limit = hop_limit;
	ip->saddr = peer;
	ip->daddr = *dst;
	skb_reset_mac_header(skb);
	return skb;
}

/* Headers, routes and ends of a list are those of its packets. */
static void a_list_does_what_its_packets_do_one_by_one(void **state)
{
	static const u32 counters[] = { MIB_Ip6_InReceives, MIB_Ip6_InTruncatedPkts,
					MIB_Ip6_InUnknownProtos, MIB_Ip6_OutForwDatagrams,
					MIB_Ip6_InHdrErrors };
	struct fixture *f = *state;
	u64 before[ARRAY_SIZE(counters)], single[ARRAY_SIZE(counters)];

	for (u32 round = 0; round < 2; round++) {
		struct skb_list list;

		for (u32 i = 0; i < ARRAY_SIZE(counters); i++)
			before[i] = f->net->mib[counters[i]];
		skb_list_init(&list);
		cpu_lock(f->net->cpu);
		for (u32 i = 0; i < 40; i++) {
			struct sk_buff *skb = listed(f, i / 4 % 2 ? &behind : &us,
						     i % 7 == 3 ? 1 : 64, i % 5 == 2 ? 9 : 8);

			if (round)
				skb_list_add(&list, skb);
			else
				ipv6_rcv(skb, f->eth0, NULL);
		}
		if (round)
			ipv6_list_rcv(&list, f->eth0, NULL);
		cpu_unlock(f->net->cpu);
		for (u32 i = 0; i < ARRAY_SIZE(counters); i++) {
			u64 n = f->net->mib[counters[i]] - before[i];

			assert_true(n > 0);
			if (round)
				assert_int_equal(n, single[i]);
			single[i] = n;
		}
	}
}

/* ---- fragments --------------------------------------------------------------------------------------------------- */

/* @off in octets; @payload of @len octets behind the fragment header. */
static void fragment(struct fixture *f, u8 nexthdr, u32 id, u32 off, bool more, const u8 *payload,
		     u32 len)
{
	static u8 p[2048];

	memset(p, 0, 8);
	p[0] = nexthdr;
	p[2] = (u8)(off >> 8);
	p[3] = (u8)(off | more);
	p[7] = (u8)id;
	memcpy(p + 8, payload, len);
	hear(f, &peer, &us, IPPROTO_FRAGMENT, p, 8 + len);
}

static void bad_fragments_are_dropped_for_their_reason(void **state)
{
	struct fixture *f = *state;
	u8 p[64] = { 0 };

	fragment(f, 253, 1, 8, true, p, 12); /* no multiple of 8 */
	assert_int_equal(drops(f, SKB_DROP_FRAG_BAD), 1);
	fragment(f, 253, 2, 65528, false, p, 16); /* beyond 65,535 */
	assert_int_equal(drops(f, SKB_DROP_FRAG_BAD), 2);
	fragment(f, IPPROTO_TCP, 3, 0, true, p, 16); /* RFC 7112 */
	assert_int_equal(drops(f, SKB_DROP_FRAG_BAD), 3);
	hear(f, &peer, &us, IPPROTO_FRAGMENT, p, 7);
	assert_int_equal(drops(f, SKB_DROP_FRAG_BAD), 4);
	fragment(f, 253, 4, 0, true, p, 32);
	fragment(f, 253, 4, 8, true, p, 16); /* all there already */
	assert_int_equal(drops(f, SKB_DROP_FRAG_DUP), 1);
	fragment(f, 253, 4, 24, true, p, 16); /* RFC 5722: both go */
	assert_int_equal(drops(f, SKB_DROP_FRAG_OVERLAP), 2);
	fragment(f, 253, 5, 0, true, p, 32);
	test_run_for(f->m, 61 * NSEC_PER_SEC);
	assert_int_equal(drops(f, SKB_DROP_FRAG_TIMEOUT), 1);
	assert_int_equal(f->net->ipv6->frags.mem, 0);
}

/* RFC 7112: the headers are all there, behind more options than are looked at in one piece. */
static void a_first_fragment_with_long_options_is_complete(void **state)
{
	struct fixture *f = *state;
	u8 p[304] = { IPPROTO_TCP, 29, 0x1e, 236 };

	fragment(f, IPPROTO_DSTOPTS, 1, 0, true, p, sizeof(p));
	assert_int_equal(drops(f, SKB_DROP_FRAG_BAD), 0);
	assert_int_equal(f->net->ipv6->frags.nqueues, 1);
}

/* 64 KiB of extension headers: more than offsets of 16 bits reach, and than anybody needs. */
static void a_datagram_that_is_all_extension_headers_is_dropped(void **state)
{
	static u8 p[1024];
	struct fixture *f = *state;
	u32 off = 0;

	for (u32 i = 0; i < sizeof(p); i += 8)
		memcpy(p + i, "\x3c\0\1\4\0\0\0\0", 8);
	for (; off + sizeof(p) <= 65528; off += sizeof(p))
		fragment(f, IPPROTO_DSTOPTS, 1, off, true, p, sizeof(p));
	p[65528 - off - 8] = 253;
	fragment(f, IPPROTO_DSTOPTS, 1, off, false, p, 65528 - off);
	assert_int_equal(f->net->ipv6->frags.nqueues, 0);
	assert_int_equal(drops(f, SKB_DROP_IP6_TOO_MANY_OPTIONS), 1);
}

/* RFC 6946; IPV6_RECVFRAGSIZE tells its size, as of any fragment. */
static void an_atomic_fragment_has_a_size(void **state)
{
	struct fixture *f = *state;
	struct sk_buff *skb;
	struct ipv6_hdr *ip;

	cpu_lock(f->net->cpu);
	skb = test_packet(f->eth0, ETH_P_IPV6, 40 + 8 + 16);
	ip = memset(skb->data, 0, 64);
	ip->ver_tc_flow = cpu_to_be32(6u << 28);
	ip->payload_len = cpu_to_be16(24);
	ip->nexthdr = IPPROTO_FRAGMENT;
	((u8 *)(ip + 1))[0] = 253;
	skb_reset_network_header(skb);
	__skb_pull(skb, 40);
	skb_reset_transport_header(skb);
	memset(skb->cb, 0, sizeof(skb->cb));
	skb = ipv6_frag_rcv(skb);
	assert_non_null(skb);
	assert_int_equal(IP6CB(skb)->frag_max_size, 64);
	consume_skb(skb);
	cpu_unlock(f->net->cpu);
}

/* ---- routes ------------------------------------------------------------------------------------------------------- */

static void too_big(struct fixture *f, const struct in6_addr *about, u32 mtu)
{
	cpu_lock(f->net->cpu);
	ip6_update_pmtu(f->net, about, &us1, 0, mtu);
	cpu_unlock(f->net->cpu);
}

static u32 mtu_to(struct fixture *f, const struct in6_addr *dst)
{
	struct flowi6 fl = { .daddr = *dst };
	struct rt6_info *rt;
	u32 mtu;
	int err;

	cpu_lock(f->net->cpu);
	rt = ip6_route_output(f->net, &fl, NULL, &err);
	assert_non_null(rt);
	mtu = dst_mtu(&rt->dst);
	ip6_rt_put(rt);
	cpu_unlock(f->net->cpu);
	return mtu;
}

/* RFC 8201 4, RFC 4443 3.2 */
static void a_path_mtu_of_ours_does_not_bear_on_what_is_forwarded(void **state)
{
	static const u8 p[1400];
	struct fixture *f = *state;

	too_big(f, &behind, 1280);
	assert_int_equal(mtu_to(f, &behind), 1280);
	hear(f, &peer, &behind, 253, p, sizeof(p));
	assert_int_equal(drops(f, SKB_DROP_IP6_PKT_TOO_BIG), 0);
}

/* RFC 8201 4: such a message is discarded, and does not lower the path MTU to 1,280 either. */
static void a_packet_too_big_below_1280_is_not_believed(void **state)
{
	static const u32 mtus[] = { 0, 68, 600, 1279 };
	struct fixture *f = *state;
	u32 before = mtu_to(f, &behind);

	assert_true(before > 1280);
	for (u32 i = 0; i < ARRAY_SIZE(mtus); i++)
		too_big(f, &behind, mtus[i]);
	assert_int_equal(mtu_to(f, &behind), before);
}

/* Whichever next hop a flow takes. */
static void a_path_mtu_is_learnt_on_all_paths(void **state)
{
	static const struct in6_addr far = { .s6_addr = { 0x20, 2 } };
	struct fixture *f = *state;
	struct fib6_config cfg = { .table = RT_TABLE_MAIN,
				   .gateway = router,
				   .has_gateway = true,
				   .type = RTN_UNICAST,
				   .protocol = RTPROT_STATIC,
				   .nl_flags = NLM_F_CREATE | NLM_F_APPEND };
	u32 through[2] = { 0 };

	cpu_lock(f->net->cpu);
	cfg.oif = f->eth0->ifindex;
	assert_int_equal(ip6_route_add(f->net, &cfg, NULL), 0);
	cfg.oif = f->eth1->ifindex;
	cfg.weight = 3;
	assert_int_equal(ip6_route_add(f->net, &cfg, NULL), 0);
	cpu_unlock(f->net->cpu);
	too_big(f, &far, 1300);
	cpu_lock(f->net->cpu);
	for (u32 i = 1; i <= 400; i++) {
		struct flowi6 fl = { .daddr = far, .saddr = us, .flowlabel = cpu_to_be32(i) };
		struct rt6_info *rt;
		int err;

		rt = ip6_route_output(f->net, &fl, NULL, &err);
		assert_non_null(rt);
		assert_int_equal(dst_mtu(&rt->dst), 1300);
		through[rt->dst.dev == f->eth1]++;
		ip6_rt_put(rt);
	}
	cpu_unlock(f->net->cpu);
	assert_in_range(through[1], 250, 350); /* three shares of four */
}

/* Also for who keeps the route. */
static void a_path_mtu_ends(void **state)
{
	struct fixture *f = *state;
	struct flowi6 fl = { .daddr = behind };
	struct rt6_info *rt;
	int err;

	too_big(f, &behind, 1300);
	cpu_lock(f->net->cpu);
	rt = ip6_route_output(f->net, &fl, NULL, &err);
	assert_ptr_equal(dst_check(&rt->dst), &rt->dst);
	cpu_unlock(f->net->cpu);
	test_run_for(f->m, 601 * NSEC_PER_SEC);
	cpu_lock(f->net->cpu);
	assert_null(dst_check(&rt->dst));
	ip6_rt_put(rt);
	cpu_unlock(f->net->cpu);
	assert_int_equal(mtu_to(f, &behind), 1500);
}

/* RFC 4861 6.3.5: nobody goes on using a router whose time is over. */
static void a_route_that_expired_is_not_used_by_who_keeps_it(void **state)
{
	static const struct in6_addr far = { .s6_addr = { 0x20, 2 } };
	struct fixture *f = *state;
	struct flowi6 fl = { .daddr = far };
	struct rt6_info *rt;
	int err;

	cpu_lock(f->net->cpu);
	assert_int_equal(rt6_default_router(f->eth0, &router, 10, 0, 0, 0), 0);
	rt = ip6_route_output(f->net, &fl, NULL, &err);
	assert_non_null(rt);
	cpu_unlock(f->net->cpu);
	test_run_for(f->m, 11 * NSEC_PER_SEC);
	cpu_lock(f->net->cpu);
	assert_null(dst_check(&rt->dst));
	ip6_rt_put(rt);
	cpu_unlock(f->net->cpu);
}

static void exceptions_are_bounded_and_go_with_the_device(void **state)
{
	struct fixture *f = *state;
	struct in6_addr a = behind;

	for (u32 i = 0; i < 5000; i++) {
		a.s6_addr[13] = (u8)(i >> 8);
		a.s6_addr[14] = (u8)i;
		too_big(f, &a, 1300);
	}
	assert_int_equal(f->net->ipv6->rt6_exception_count, 4096);
	assert_int_equal(mtu_to(f, &a), 1300);
	cpu_lock(f->net->cpu);
	rt6_device_down(f->eth1, true);
	cpu_unlock(f->net->cpu);
	assert_int_equal(f->net->ipv6->rt6_exception_count, 0);
}

/* RFC 4861 8.1, 8.3 */
static void only_the_router_in_use_redirects(void **state)
{
	static const struct in6_addr far = { .s6_addr = { 0x20, 2 } },
				     other = { .s6_addr = { 0xfe, 0x80, [15] = 10 } };
	struct fixture *f = *state;
	struct flowi6 fl = { .daddr = far };
	struct rt6_info *rt;
	int err;

	cpu_lock(f->net->cpu);
	assert_int_equal(rt6_default_router(f->eth0, &router, UINT32_MAX, 0, 0, 0), 0);
	assert_false(rt6_do_redirect(f->net, &far, &other, &other, f->eth0));
	assert_false(rt6_do_redirect(f->net, &far, &router, &other, f->eth1));
	assert_true(rt6_do_redirect(f->net, &far, &router, &other, f->eth0));
	assert_false(rt6_do_redirect(f->net, &far, &router, &router, f->eth0)); /* not any more */
	rt = ip6_route_output(f->net, &fl, NULL, &err);
	assert_memory_equal(&rt->rt6i_gateway, &other, 16);
	ip6_rt_put(rt);
	cpu_unlock(f->net->cpu);
	test_run_for(f->m, 601 * NSEC_PER_SEC);
	cpu_lock(f->net->cpu);
	fl = (struct flowi6){ .daddr = far };
	rt = ip6_route_output(f->net, &fl, NULL, &err);
	assert_memory_equal(&rt->rt6i_gateway, &router, 16);
	ip6_rt_put(rt);
	cpu_unlock(f->net->cpu);
}

static bool goes_by(struct fixture *f, const struct in6_addr *dst, const struct in6_addr *gateway)
{
	struct flowi6 fl = { .daddr = *dst };
	struct rt6_info *rt;
	bool does;
	int err;

	cpu_lock(f->net->cpu);
	rt = ip6_route_output(f->net, &fl, NULL, &err);
	does = rt && ipv6_addr_equal(&rt->rt6i_gateway, gateway);
	ip6_rt_put(rt);
	cpu_unlock(f->net->cpu);
	return does;
}

/* RFC 4861 8.3: what a router said holds as long as that router is the one to ask. */
static void a_redirect_ends_with_the_route_of_the_first_hop(void **state)
{
	static const struct in6_addr far = { .s6_addr = { 0x20, 2 } },
				     other = { .s6_addr = { 0xfe, 0x80, [15] = 10 } },
				     second = { .s6_addr = { 0xfe, 0x80, [15] = 11 } };
	struct fixture *f = *state;

	cpu_lock(f->net->cpu);
	assert_int_equal(rt6_default_router(f->eth0, &router, UINT32_MAX, 0, 0, 0), 0);
	assert_true(rt6_do_redirect(f->net, &far, &router, &other, f->eth0));
	cpu_unlock(f->net->cpu);
	assert_true(goes_by(f, &far, &other));
	cpu_lock(f->net->cpu);
	rt6_default_router(f->eth0, &router, 0, 0, 0, 0);
	assert_int_equal(f->net->ipv6->rt6_exception_count, 0);
	assert_int_equal(rt6_default_router(f->eth0, &second, UINT32_MAX, 0, 0, 0), 0);
	cpu_unlock(f->net->cpu);
	assert_true(goes_by(f, &far, &second));
	cpu_lock(f->net->cpu);
	assert_int_equal(rt6_default_router(f->eth0, &router, UINT32_MAX, 1, 0, 0), 0);
	cpu_unlock(f->net->cpu);
	assert_true(goes_by(f, &far, &router));
}

static u32 hop_limit_of(struct fixture *f, const struct in6_addr *gateway)
{
	struct fib6_table *tb = fib6_get_table(f->net, RT_TABLE_MAIN);
	struct prefix_node *n = prefix_trie_find(&tb->trie, (struct prefix_key){ 0, 0 }, 0);

	for (struct fib6_info *r = n ? n->value : NULL; r; r = r->next)
		if (ipv6_addr_equal(&r->gateway, gateway))
			return r->metrics.value[DST_METRIC_HOPLIMIT];
	return 0;
}

static void each_router_has_its_own_hop_limit(void **state)
{
	static const struct in6_addr second = { .s6_addr = { 0xfe, 0x80, [15] = 11 } };
	struct fixture *f = *state;

	cpu_lock(f->net->cpu);
	assert_int_equal(rt6_default_router(f->eth0, &router, 1800, 0, 33, 0), 0);
	assert_int_equal(rt6_default_router(f->eth0, &second, 1800, 0, 44, 0), 0);
	assert_int_equal(hop_limit_of(f, &router), 33);
	assert_int_equal(hop_limit_of(f, &second), 44);
	/* It may change, and 0 says nothing. */
	assert_int_equal(rt6_default_router(f->eth0, &router, 1800, 0, 35, 0), 0);
	assert_int_equal(rt6_default_router(f->eth0, &second, 1800, 0, 0, 0), 0);
	assert_int_equal(hop_limit_of(f, &router), 35);
	assert_int_equal(hop_limit_of(f, &second), 44);
	cpu_unlock(f->net->cpu);
}

static void a_flood_of_prefixes_does_not_shut_routers_out(void **state)
{
	struct fixture *f = *state;
	struct in6_addr a = behind;

	cpu_lock(f->net->cpu);
	for (u32 i = 0; i < 2 * RA_ROUTES_MAX; i++) {
		a.s6_addr[4] = (u8)(i >> 8);
		a.s6_addr[5] = (u8)i;
		rt6_prefix_route(f->eth0, &a, 64, 1800, 0, RTPROT_RA);
	}
	assert_int_equal(f->net->ipv6->ra_routes, RA_ROUTES_MAX);
	for (u32 i = 0; i < 2 * RA_ROUTERS_MAX; i++) {
		struct in6_addr r = { .s6_addr = { 0xfe, 0x80, [14] = (u8)(i >> 8), (u8)(i + 1) } };

		rt6_default_router(f->eth0, &r, 1800, 0, 0, 0);
	}
	assert_int_equal(f->net->ipv6->ra_routers, RA_ROUTERS_MAX);
	rt6_purge_default_routers(f->net);
	assert_int_equal(f->net->ipv6->ra_routers, 0);
	assert_int_equal(f->net->ipv6->ra_routes, RA_ROUTES_MAX);
	cpu_unlock(f->net->cpu);
}

static u32 routes_of(struct fixture *f, const struct in6_addr *prefix, u8 plen)
{
	struct fib6_table *tb = fib6_get_table(f->net, RT_TABLE_MAIN);
	struct prefix_node *n = prefix_trie_find(&tb->trie, prefix_key_load(prefix), plen);
	u32 count = 0;

	for (struct fib6_info *r = n ? n->value : NULL; r; r = r->next)
		count++;
	return count;
}

/* The address was there first (setup), an advertisement calls its prefix on link for a while; and the other way round. */
static void an_address_and_an_advertisement_each_have_their_prefix(void **state)
{
	static const struct in6_addr other = { .s6_addr = { 0x20, 1, 0xd,
							    0xb8, [7] = 7, [15] = 1 } },
				     other_prefix = { .s6_addr = { 0x20, 1, 0xd, 0xb8, [7] = 7 } },
				     prefix = { .s6_addr = { 0x20, 1, 0xd, 0xb8 } };
	struct fixture *f = *state;

	cpu_lock(f->net->cpu);
	assert_int_equal(rt6_prefix_route(f->eth0, &prefix, 64, 100, 0, RTPROT_RA), 0);
	assert_int_equal(rt6_prefix_route(f->eth0, &other_prefix, 64, 100, 0, RTPROT_RA), 0);
	cpu_unlock(f->net->cpu);
	add_addr(f, f->eth0, &other);
	test_run_for(f->m, 200 * NSEC_PER_SEC);
	assert_true(routes_of(f, &prefix, 64) == 1 && routes_of(f, &other_prefix, 64) == 1);
	/* Its end does not take the other's along either. */
	cpu_lock(f->net->cpu);
	rt6_prefix_route(f->eth0, &prefix, 64, 100, 0, RTPROT_RA);
	rt6_prefix_route(f->eth0, &prefix, 64, 0, 0, RTPROT_KERNEL);
	cpu_unlock(f->net->cpu);
	assert_int_equal(routes_of(f, &prefix, 64), 1);
}

static void multipath(struct rtnexthop *nh, struct fixture *f, const u8 *last_octets, u32 n,
		      u32 *ret_len)
{
	u8 *p = (u8 *)nh;

	for (u32 i = 0; i < n; i++, p += 8 + 20) {
		struct nlattr a = { 20, RTA_GATEWAY };
		struct in6_addr gw = router;

		nh = (struct rtnexthop *)p;
		*nh = (struct rtnexthop){ .rtnh_len = 28, .rtnh_ifindex = f->eth0->ifindex };
		gw.s6_addr[15] = last_octets[i];
		if (!last_octets[i])
			nh->rtnh_ifindex = 4711; /* no such device */
		memcpy(p + 8, &a, 4);
		memcpy(p + 12, &gw, 16);
	}
	*ret_len = n * 28;
}

static int replace_multipath(struct fixture *f, const struct in6_addr *dst, const char *gateways,
			     u32 nl_flags)
{
	u8 buf[4 + 28 * 8] __attribute__((aligned(4)));
	struct nlattr *a = (struct nlattr *)buf;
	struct fib6_config cfg = { .table = RT_TABLE_MAIN,
				   .dst = *dst,
				   .dst_len = 128,
				   .type = RTN_UNICAST,
				   .protocol = RTPROT_STATIC,
				   .nl_flags = nl_flags,
				   .multipath = a };
	u32 len;
	int err;

	multipath((struct rtnexthop *)(buf + 4), f, (const u8 *)gateways, (u32)gateways[7], &len);
	a->nla_len = (u16)(4 + len);
	cpu_lock(f->net->cpu);
	err = ip6_route_add(f->net, &cfg, NULL);
	cpu_unlock(f->net->cpu);
	return err;
}

static void a_multipath_route_is_replaced_whole_or_not_at_all(void **state)
{
	static const struct in6_addr far = { .s6_addr = { 0x20, 2, [15] = 1 } };
	const u32 replace = NLM_F_CREATE | NLM_F_REPLACE;
	struct fixture *f = *state;

	assert_int_equal(replace_multipath(f, &far, "\1\2\3\0\0\0\0\3", replace), 0);
	assert_int_equal(routes_of(f, &far, 128), 3);
	/* The last of the new ones cannot be, or is named twice. */
	assert_int_equal(replace_multipath(f, &far, "\4\0\0\0\0\0\0\2", replace), -ENODEV);
	assert_int_equal(routes_of(f, &far, 128), 3);
	assert_int_equal(replace_multipath(f, &far, "\4\5\4\0\0\0\0\3", replace), -EEXIST);
	assert_int_equal(routes_of(f, &far, 128), 3);
	/* One that joins a route may meet itself there. */
	assert_int_equal(
		replace_multipath(f, &far, "\4\1\0\0\0\0\0\2", NLM_F_CREATE | NLM_F_APPEND),
		-EEXIST);
	assert_int_equal(routes_of(f, &far, 128), 3);
	assert_int_equal(replace_multipath(f, &far, "\4\5\0\0\0\0\0\2", replace), 0);
	assert_int_equal(routes_of(f, &far, 128), 2);
}

static void what_a_host_does_not_forward_is_counted(void **state)
{
	static const u8 p[8];
	struct fixture *f = *state;

	f->net->ipv6->devconf_all.forwarding = 0;
	hear(f, &peer, &behind, 253, p, sizeof(p));
	assert_int_equal(drops(f, SKB_DROP_IP6_NOFORWARD), 1);
	assert_int_equal(f->net->mib[MIB_Ip6_InAddrErrors], 1);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_mapped_source_does_not_come_in),
		TEST(bad_extension_headers_are_dropped_for_their_reason),
		TEST(a_packet_without_length_needs_a_jumbo_option),
		TEST(a_list_does_what_its_packets_do_one_by_one),
		TEST(bad_fragments_are_dropped_for_their_reason),
		TEST(an_atomic_fragment_has_a_size),
		TEST(a_first_fragment_with_long_options_is_complete),
		TEST(a_datagram_that_is_all_extension_headers_is_dropped),
		TEST(a_path_mtu_of_ours_does_not_bear_on_what_is_forwarded),
		TEST(a_packet_too_big_below_1280_is_not_believed),
		TEST(a_path_mtu_is_learnt_on_all_paths),
		TEST(a_path_mtu_ends),
		TEST(a_route_that_expired_is_not_used_by_who_keeps_it),
		TEST(exceptions_are_bounded_and_go_with_the_device),
		TEST(only_the_router_in_use_redirects),
		TEST(a_redirect_ends_with_the_route_of_the_first_hop),
		TEST(each_router_has_its_own_hop_limit),
		TEST(a_flood_of_prefixes_does_not_shut_routers_out),
		TEST(an_address_and_an_advertisement_each_have_their_prefix),
		TEST(a_multipath_route_is_replaced_whole_or_not_at_all),
		TEST(what_a_host_does_not_forward_is_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
