/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mcast_test.c - MLD: what routers hear of groups, what is believed of them, what sockets may ask for
 *
 * The machine behind it has its own test (inet/mc_group_test.c); here are the messages, and what is IPv6's own. The errors are those
 * that a kernel gave to the same requests.
 */
#include "wire/mld.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/dev_test.h"
#include "core/sysctl.h"
#include "drivers/drivers_module.h"
#include "inet/inet_module.h"
#include "inet/mc_group.h"
#include "ipv6/ipv6_internal.h"
#include "ipv6/ipv6_module.h"
#include "lib/csum.h"
#include "netlink/netlink_module.h"
#include "socket/socket_module.h"
#include "wire/icmpv6.h"

static const struct in6_addr ll_all_nodes = { .s6_addr = { 0xff, 2, [15] = 1 } },
			     all_routers = { .s6_addr = { 0xff, 2, [15] = 2 } },
			     mld2_routers = { .s6_addr = { 0xff, 2, [15] = 0x16 } },
			     group = { .s6_addr = { 0xff, 0x15, [15] = 1 } },
			     other = { .s6_addr = { 0xff, 0x15, [15] = 2 } },
			     src1 = { .s6_addr = { 0x20, 1, 0xd, 0xb8, [15] = 1 } },
			     src2 = { .s6_addr = { 0x20, 1, 0xd, 0xb8, [15] = 2 } },
			     router = { .s6_addr = { 0xfe, 0x80, [15] = 9 } };

struct test_sock { /* as much of a socket as memberships need */
	struct inet_sock inet;
	struct ipv6_pinfo np;
};

struct fixture {
	struct machine *m;
	struct net *net;
	struct net_device *eth0; /* keeps what it sends */
	struct test_sock sock, sock2;
	struct sock *sk, *sk2;
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

static struct sock *test_sock(struct fixture *f, struct test_sock *s)
{
	s->inet.sk.sk_net = f->net;
	s->inet.sk.sk_family = AF_INET6;
	s->inet.pinet6 = &s->np;
	s->np.mc_all = 1;
	list_init(&s->np.mc_list);
	return &s->inet.sk;
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
	f->sk = test_sock(f, &f->sock);
	f->sk2 = test_sock(f, &f->sock2);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	cpu_lock(f->net->cpu);
	ipv6_sock_mc_close(f->sk);
	ipv6_sock_mc_close(f->sk2);
	cpu_unlock(f->net->cpu);
	test_netdev_del(f->eth0);
	machine_destroy(f->m);
	free(f);
	return 0;
}

/* ---- messages ----------------------------------------------------------------------------------------------------- */

struct message {
	struct in6_addr src, dst;
	u8 mac[6];
	u8 icmp[1500];
	u32 len;
};

/* The next MLD message that eth0 sent, checked as far as every message goes. False: none */
static bool sent(struct fixture *f, struct message *ret)
{
	static const u8 router_alert[8] = { IPPROTO_ICMPV6, 0, 5, 2, 0, 0, 1, 0 };
	struct sk_buff *skb;
	bool found = false;
	u8 pkt[1600];

	cpu_lock(f->net->cpu);
	while (!found && (skb = skb_dequeue(&test_priv(f->eth0)->sent))) {
		u32 len = skb->len;

		assert_true(len <= sizeof(pkt));
		skb_copy_bits(skb, 0, pkt, len);
		consume_skb(skb);
		/* Neighbour discovery has no hop-by-hop options. */
		found = len > 62 && pkt[12] == 0x86 && pkt[13] == 0xdd &&
			pkt[20] == IPPROTO_HOPOPTS;
		if (!found)
			continue;
		memcpy(ret->mac, pkt, 6);
		memcpy(&ret->src, pkt + 22, 16);
		memcpy(&ret->dst, pkt + 38, 16);
		ret->len = len - 62;
		memcpy(ret->icmp, pkt + 62, ret->len);
		assert_int_equal(pkt[18] << 8 | pkt[19], len - 54);
		assert_int_equal(pkt[21], 1); /* hop limit */
		assert_memory_equal(pkt + 54, router_alert, 8);
		assert_int_equal(csum_ipv6_magic(&ret->src, &ret->dst, ret->len, IPPROTO_ICMPV6,
						 csum_partial(ret->icmp, ret->len, 0)),
				 0);
	}
	cpu_unlock(f->net->cpu);
	return found;
}

/* All that a fresh device has to say. */
static void settle(struct fixture *f)
{
	struct message msg;

	test_run_for(f->m, 10 * NSEC_PER_SEC);
	while (sent(f, &msg))
		;
}

/* The next message must be a report of version 2 with a record of @type for @grp and these sources, among others. */
static void expect_record(struct fixture *f, u8 type, const struct in6_addr *grp,
			  const struct in6_addr *srcs, u16 nsrcs)
{
	struct mld_record r;
	struct message msg;
	int at, len;
	u16 n;

	assert_true(sent(f, &msg));
	assert_true(ipv6_addr_equal(&msg.dst, &mld2_routers));
	assert_memory_equal(msg.mac, "\x33\x33\0\0\0\x16", 6);
	assert_int_equal(msg.src.s6_addr[0], 0xfe);
	at = mld_report_parse(msg.icmp, msg.len, &n);
	assert_int_equal(at, 8);
	for (; n; n--, at += len) {
		len = mld_record_parse(msg.icmp + at, msg.len - (u32)at, &r);
		assert_true(len > 0);
		if (!ipv6_addr_equal(&r.group, grp))
			continue;
		assert_int_equal(r.type, type);
		assert_int_equal(r.nsrcs, nsrcs);
		if (nsrcs)
			assert_memory_equal(r.sources, srcs, 16u * nsrcs);
		return;
	}
	fail_msg("the group is not in the report");
}

static void expect_old(struct fixture *f, u8 type, const struct in6_addr *grp,
		       const struct in6_addr *dst)
{
	struct mld_view v;
	struct message msg;

	for (;;) { /* the solicited node's group is reported, too */
		assert_true(sent(f, &msg));
		assert_int_equal(mld_parse(msg.icmp, msg.len, &v), 24);
		if (ipv6_addr_equal(&v.group, grp))
			break;
	}
	assert_int_equal(v.type, type);
	assert_true(ipv6_addr_equal(&msg.dst, dst));
}

static void expect_silence(struct fixture *f, u64 ns)
{
	struct message msg;

	test_run_for(f->m, ns);
	assert_false(sent(f, &msg));
}

struct heard {
	struct in6_addr src, dst;
	u8 hop_limit;
	bool no_alert;
	u32 cut; /* octets that the message is shorter */
};

/* A message from a router or another host comes in by eth0. */
static void hear(struct fixture *f, const struct heard *h, const struct mld_view *v)
{
	static const u8 alert[8] = { IPPROTO_ICMPV6, 0, 5, 2, 0, 0, 1, 0 },
			padding[8] = { IPPROTO_ICMPV6, 0, 1, 4 };
	u32 len = mld_len(v) - h->cut;
	struct ipv6_hdr *ip;
	struct sk_buff *skb;
	u8 msg[256];
	u16 sum;

	mld_build(msg, v);
	sum = csum_ipv6_magic(&h->src, &h->dst, len, IPPROTO_ICMPV6, csum_partial(msg, len, 0));
	memcpy(msg + 2, &sum, 2);
	cpu_lock(f->net->cpu);
	skb = netdev_alloc_skb(f->eth0, 2 + ETH_HLEN + 48 + len);
	assert_non_null(skb);
	skb_reserve(skb, 2 + ETH_HLEN);
	skb->mac_header = (u16)(skb->data - skb->head - ETH_HLEN);
	ip = skb_put_zero(skb, sizeof(*ip));
	ip->ver_tc_flow = cpu_to_be32(6u << 28);
	ip->payload_len = cpu_to_be16((u16)(8 + len));
	ip->nexthdr = IPPROTO_HOPOPTS;
	ip->hop_limit = h->hop_limit;
	ip->saddr = h->src;
	ip->daddr = h->dst;
	skb_put_data(skb, h->no_alert ? padding : alert, 8);
	skb_put_data(skb, msg, len);
	skb->protocol = BE16_INIT(ETH_P_IPV6);
	skb->pkt_type = SKB_PACKET_MULTICAST;
	skb->skb_iif = (u32)f->eth0->ifindex;
	ipv6_rcv(skb, f->eth0, NULL);
	cpu_unlock(f->net->cpu);
}

static void query(struct fixture *f, bool v2, u16 code, const struct in6_addr *grp,
		  const struct in6_addr *srcs, u16 nsrcs)
{
	const struct heard h = { router, grp ? *grp : ll_all_nodes, .hop_limit = 1 };
	const struct mld_view v = { .type = ICMPV6_MGM_QUERY,
				    .v2 = v2,
				    .max_resp_code = code,
				    .group = grp ? *grp : in6addr_any,
				    .qrv = 2,
				    .qqic = 125,
				    .nsrcs = nsrcs,
				    .sources = (const u8 *)srcs };

	hear(f, &h, &v);
}

/* ---- what sockets ask for, cpu lock held ---------------------------------------------------------------------------- */

#define LOCKED(f, call)                                                                            \
	({                                                                                         \
		int ret_;                                                                          \
                                                                                                   \
		cpu_lock((f)->net->cpu);                                                           \
		ret_ = (call);                                                                     \
		cpu_unlock((f)->net->cpu);                                                         \
		ret_;                                                                              \
	})

static int join(struct fixture *f, struct sock *sk, const struct in6_addr *grp, u8 mode)
{
	return LOCKED(f, ipv6_sock_mc_join(sk, f->eth0->ifindex, grp, mode));
}

static int drop(struct fixture *f, struct sock *sk, const struct in6_addr *grp)
{
	return LOCKED(f, ipv6_sock_mc_drop(sk, f->eth0->ifindex, grp));
}

static int source(struct fixture *f, struct sock *sk, const struct in6_addr *grp,
		  const struct in6_addr *src, u8 mode, bool add)
{
	return LOCKED(f, ip6_mc_source(sk, f->eth0->ifindex, grp, src, mode, add));
}

/* An INCLUDE membership with one source, at one time. */
static void join_source(struct fixture *f, struct sock *sk, const struct in6_addr *grp,
			const struct in6_addr *src)
{
	cpu_lock(f->net->cpu);
	assert_int_equal(ipv6_sock_mc_join(sk, f->eth0->ifindex, grp, MCAST_INCLUDE), 0);
	assert_int_equal(ip6_mc_source(sk, f->eth0->ifindex, grp, src, MCAST_INCLUDE, true), 0);
	cpu_unlock(f->net->cpu);
}

/* ---- tests ---------------------------------------------------------------------------------------------------------- */

/* RFC 3590: from :: while the link-local address is tentative, and again when it is not. */
static void a_tentative_address_is_no_source(void **state)
{
	struct fixture *f = *state;
	struct message msg;
	u32 before = 0, after = 0;

	test_run_for(f->m, 10 * NSEC_PER_SEC);
	while (sent(f, &msg)) {
		if (ipv6_addr_any(&msg.src)) {
			assert_int_equal(after, 0);
			before++;
		} else {
			assert_int_equal(msg.src.s6_addr[0], 0xfe);
			after++;
		}
	}
	assert_true(before >= 1);
	assert_true(after >= 2);
}

static void joining_and_leaving_are_reported(void **state)
{
	struct fixture *f = *state;

	settle(f);
	assert_int_equal(join(f, f->sk, &group, MCAST_EXCLUDE), 0);
	test_run_for(f->m, 3 * NSEC_PER_SEC);
	expect_record(f, MC_REC_TO_EXCLUDE, &group, NULL, 0);
	expect_record(f, MC_REC_TO_EXCLUDE, &group, NULL, 0);
	expect_silence(f, 10 * NSEC_PER_SEC);
	assert_int_equal(source(f, f->sk, &group, &src1, MCAST_EXCLUDE, true), 0);
	test_run_for(f->m, 3 * NSEC_PER_SEC);
	expect_record(f, MC_REC_BLOCK, &group, &src1, 1);
	expect_record(f, MC_REC_BLOCK, &group, &src1, 1);
	assert_int_equal(drop(f, f->sk, &group), 0);
	test_run_for(f->m, 3 * NSEC_PER_SEC);
	expect_record(f, MC_REC_TO_INCLUDE, &group, NULL, 0);
	expect_record(f, MC_REC_TO_INCLUDE, &group, NULL, 0);
	expect_silence(f, 10 * NSEC_PER_SEC);
}

/* RFC 3810 6 */
static void some_groups_are_never_reported(void **state)
{
	static const struct in6_addr node = { .s6_addr = { 0xff, 1, [15] = 5 } },
				     reserved = { .s6_addr = { 0xff, 0x10, [15] = 5 } };
	struct fixture *f = *state;

	settle(f);
	assert_int_equal(join(f, f->sk, &node, MCAST_EXCLUDE), 0);
	assert_int_equal(join(f, f->sk, &reserved, MCAST_EXCLUDE), 0);
	assert_int_equal(join(f, f->sk, &ll_all_nodes, MCAST_EXCLUDE), 0);
	expect_silence(f, 10 * NSEC_PER_SEC);
}

static void queries_are_answered(void **state)
{
	struct fixture *f = *state;

	settle(f);
	join_source(f, f->sk, &group, &src1);
	settle(f);
	query(f, true, 1000, NULL, NULL, 0);
	test_run_for(f->m, NSEC_PER_SEC + 10 * NSEC_PER_MSEC);
	expect_record(f, MC_REC_IS_INCLUDE, &group, &src1, 1);
	expect_silence(f, 10 * NSEC_PER_SEC);
	/* To the group itself: the query comes from none of its sources, and is heard all the same. */
	query(f, true, 1000, &group, NULL, 0);
	test_run_for(f->m, NSEC_PER_SEC + 10 * NSEC_PER_MSEC);
	expect_record(f, MC_REC_IS_INCLUDE, &group, &src1, 1);
	query(f, true, 1000, &group, &src2, 1);
	expect_silence(f, 10 * NSEC_PER_SEC);
	query(f, true, 1000, &group, &src1, 1);
	test_run_for(f->m, NSEC_PER_SEC + 10 * NSEC_PER_MSEC);
	expect_record(f, MC_REC_IS_INCLUDE, &group, &src1, 1);
	query(f, true, 1000, &other, NULL, 0);
	expect_silence(f, 10 * NSEC_PER_SEC);
}

static void version_1_is_spoken_to_old_routers(void **state)
{
	const struct heard h = { router, group, .hop_limit = 1 };
	const struct mld_view report = { .type = ICMPV6_MGM_REPORT, .group = group };
	struct fixture *f = *state;

	settle(f);
	query(f, false, 1000, NULL, NULL, 0);
	settle(f);
	assert_int_equal(join(f, f->sk, &group, MCAST_EXCLUDE), 0);
	test_run_for(f->m, 11 * NSEC_PER_SEC);
	expect_old(f, ICMPV6_MGM_REPORT, &group, &group);
	expect_old(f, ICMPV6_MGM_REPORT, &group, &group);
	query(f, false, 1000, &group, NULL, 0);
	test_run_for(f->m, 2 * NSEC_PER_SEC);
	expect_old(f, ICMPV6_MGM_REPORT, &group, &group);
	/* Another host says it first: RFC 2710 4. */
	query(f, false, 1000, &group, NULL, 0);
	hear(f, &h, &report);
	expect_silence(f, 2 * NSEC_PER_SEC);
	query(f, false, 1000, &group, NULL, 0);
	test_run_for(f->m, 2 * NSEC_PER_SEC);
	expect_old(f, ICMPV6_MGM_REPORT, &group, &group);
	assert_int_equal(drop(f, f->sk, &group), 0);
	expect_old(f, ICMPV6_MGM_REDUCTION, &group, &all_routers);
	/* RFC 3810 9.12: after 2 * 125 s + 1 s version 2 again */
	test_run_for(f->m, 300 * NSEC_PER_SEC);
	assert_int_equal(join(f, f->sk, &group, MCAST_EXCLUDE), 0);
	test_run_for(f->m, 3 * NSEC_PER_SEC);
	expect_record(f, MC_REC_TO_EXCLUDE, &group, NULL, 0);
}

static void a_forced_version_is_spoken(void **state)
{
	struct fixture *f = *state;
	struct inet6_dev *idev = __in6_dev_get(f->eth0);

	settle(f);
	idev->cnf.force_mld_version = 1;
	assert_int_equal(join(f, f->sk, &group, MCAST_EXCLUDE), 0);
	test_run_for(f->m, 11 * NSEC_PER_SEC);
	expect_old(f, ICMPV6_MGM_REPORT, &group, &group);
	f->net->ipv6->devconf_all.force_mld_version = 2;
	settle(f);
	assert_int_equal(join(f, f->sk, &other, MCAST_EXCLUDE), 0);
	test_run_for(f->m, 3 * NSEC_PER_SEC);
	expect_record(f, MC_REC_TO_EXCLUDE, &other, NULL, 0);
}

static u64 drops(const struct fixture *f, u32 reason)
{
	return net_drops(f->net, reason);
}

/* RFC 3810 5.1.14, 6.2 */
static void what_is_no_neighbours_message_is_dropped(void **state)
{
	const struct mld_view v = { .type = ICMPV6_MGM_QUERY, .max_resp_code = 100 },
			      v2 = { .type = ICMPV6_MGM_QUERY, .v2 = true, .max_resp_code = 100 },
			      unicast = { .type = ICMPV6_MGM_QUERY,
					  .max_resp_code = 100,
					  .group = src1 },
			      report = { .type = ICMPV6_MGM_REPORT, .group = group };
	struct fixture *f = *state;

	settle(f);
	assert_int_equal(join(f, f->sk, &group, MCAST_EXCLUDE), 0);
	settle(f);
	hear(f, &(struct heard){ router, ll_all_nodes, .hop_limit = 64 }, &v);
	hear(f, &(struct heard){ router, ll_all_nodes, .hop_limit = 1, .no_alert = true }, &v);
	assert_int_equal(drops(f, SKB_DROP_MLD_NOT_LOCAL), 2);
	hear(f, &(struct heard){ src1, ll_all_nodes, .hop_limit = 1 }, &v);
	hear(f, &(struct heard){ src1, group, .hop_limit = 1 }, &report);
	assert_int_equal(drops(f, SKB_DROP_MLD_SOURCE), 2);
	hear(f, &(struct heard){ router, ll_all_nodes, .hop_limit = 1, .cut = 2 }, &v);
	hear(f, &(struct heard){ router, ll_all_nodes, .hop_limit = 1, .cut = 2 }, &v2);
	hear(f, &(struct heard){ router, ll_all_nodes, .hop_limit = 1 }, &unicast);
	assert_int_equal(drops(f, SKB_DROP_MLD_BAD), 3);
	expect_silence(f, 10 * NSEC_PER_SEC);
}

static void requests_fail_as_ipv6_7_says(void **state)
{
	struct fixture *f = *state;
	int eth0 = f->eth0->ifindex;
	struct in6_addr got[2];
	u8 mode;
	u32 n;

	settle(f);
	assert_int_equal(join(f, f->sk, &src1, MCAST_EXCLUDE), -EINVAL);
	assert_int_equal(LOCKED(f, ipv6_sock_mc_join(f->sk, 999, &group, MCAST_EXCLUDE)), -ENODEV);
	assert_int_equal(join(f, f->sk, &group, MCAST_EXCLUDE), 0);
	assert_int_equal(join(f, f->sk, &group, MCAST_EXCLUDE), -EADDRINUSE);
	assert_int_equal(LOCKED(f, ipv6_sock_mc_join(f->sk, 0, &group, MCAST_EXCLUDE)),
			 -EADDRINUSE);
	assert_int_equal(drop(f, f->sk, &other), -EADDRNOTAVAIL);
	assert_int_equal(LOCKED(f, ipv6_sock_mc_drop(f->sk, 999, &other)), -EADDRNOTAVAIL);
	assert_int_equal(drop(f, f->sk, &src1), -EINVAL);
	assert_int_equal(source(f, f->sk, &other, &src1, MCAST_EXCLUDE, true), -EINVAL);
	assert_int_equal(LOCKED(f, ip6_mc_source(f->sk, 999, &other, &src1, MCAST_EXCLUDE, true)),
			 -ENODEV);
	assert_int_equal(source(f, f->sk, &src2, &src1, MCAST_EXCLUDE, true), -EINVAL);
	assert_int_equal(source(f, f->sk, &group, &src1, MCAST_EXCLUDE, false), -EADDRNOTAVAIL);
	assert_int_equal(source(f, f->sk, &group, &src1, MCAST_EXCLUDE, true), 0);
	assert_int_equal(source(f, f->sk, &group, &src1, MCAST_EXCLUDE, true), -EADDRNOTAVAIL);
	assert_int_equal(source(f, f->sk, &group, &src2, MCAST_INCLUDE, true), -EINVAL);
	/* Whole filters */
	f->net->ipv6->mld_max_msf = 2;
	assert_int_equal(LOCKED(f, ip6_mc_msfilter(f->sk, eth0, &group, MCAST_EXCLUDE,
						   (struct in6_addr[3]){ src1 }, 3)),
			 -ENOBUFS);
	assert_int_equal(LOCKED(f, ip6_mc_msfilter(f->sk, eth0, &other, 0, &src1, 1)), -EINVAL);
	assert_int_equal(LOCKED(f, ip6_mc_msfilter(f->sk, 999, &other, 0, &src1, 1)), -ENODEV);
	assert_int_equal(LOCKED(f, ip6_mc_msfilter(f->sk, eth0, &group, 2, &src1, 1)), -EINVAL);
	assert_int_equal(LOCKED(f, ip6_mc_msfilter(f->sk, eth0, &group, MCAST_EXCLUDE,
						   (struct in6_addr[2]){ src2, src1 }, 2)),
			 0);
	assert_int_equal(source(f, f->sk, &group, &router, MCAST_EXCLUDE, true), -ENOBUFS);
	assert_int_equal(LOCKED(f, ip6_mc_msfget(f->sk, eth0, &group, &mode, got, 1, &n)), 0);
	assert_int_equal(n, 2);
	assert_int_equal(mode, MCAST_EXCLUDE);
	assert_true(ipv6_addr_equal(&got[0], &src2));
	assert_int_equal(LOCKED(f, ip6_mc_msfget(f->sk, 0, &group, &mode, got, 2, &n)),
			 -EADDRNOTAVAIL);
	assert_int_equal(LOCKED(f, ip6_mc_msfget(f->sk, eth0, &other, &mode, got, 2, &n)),
			 -EADDRNOTAVAIL);
	/* INCLUDE of nothing ends the membership, as the last source does. */
	assert_int_equal(LOCKED(f, ip6_mc_msfilter(f->sk, eth0, &group, MCAST_INCLUDE, NULL, 0)),
			 0);
	assert_int_equal(drop(f, f->sk, &group), -EADDRNOTAVAIL);
	join_source(f, f->sk, &group, &src1);
	assert_int_equal(source(f, f->sk, &group, &src1, MCAST_INCLUDE, false), 0);
	assert_int_equal(drop(f, f->sk, &group), -EADDRNOTAVAIL);
	/* Index 0 is whichever there is. */
	assert_int_equal(join(f, f->sk, &group, MCAST_EXCLUDE), 0);
	assert_int_equal(LOCKED(f, ipv6_sock_mc_drop(f->sk, 0, &group)), 0);
}

static void filters_decide_what_a_socket_gets(void **state)
{
	struct fixture *f = *state;
	int eth0 = f->eth0->ifindex;

	settle(f);
	assert_int_equal(join(f, f->sk, &group, MCAST_EXCLUDE), 0);
	assert_int_equal(source(f, f->sk, &group, &src1, MCAST_EXCLUDE, true), 0);
	assert_false(inet6_mc_check(f->sk, &group, &src1, eth0));
	assert_true(inet6_mc_check(f->sk, &group, &src2, eth0));
	assert_true(inet6_mc_check(f->sk, &src2, &src1, eth0)); /* no group */
	join_source(f, f->sk2, &group, &src1);
	assert_true(inet6_mc_check(f->sk2, &group, &src1, eth0));
	assert_false(inet6_mc_check(f->sk2, &group, &src2, eth0));
	/* What others joined: IPV6_MULTICAST_ALL */
	assert_true(inet6_mc_check(f->sk2, &other, &src2, eth0));
	f->sock2.np.mc_all = 0;
	assert_false(inet6_mc_check(f->sk2, &other, &src2, eth0));
	/* The device wants what one of them wants. */
	assert_true(ipv6_chk_mcast_addr(f->eth0, &group, &src1));
	assert_int_equal(drop(f, f->sk2, &group), 0);
	assert_false(ipv6_chk_mcast_addr(f->eth0, &group, &src1));
	assert_true(ipv6_chk_mcast_addr(f->eth0, &group, &src2));
	assert_true(ipv6_chk_mcast_addr(f->eth0, &group, NULL));
	assert_false(ipv6_chk_mcast_addr(f->eth0, &other, NULL));
}

static void views_show_groups_and_filters(void **state)
{
	struct fixture *f = *state;
	struct text t = { 0 };
	char line[128];

	settle(f);
	assert_int_equal(join(f, f->sk, &group, MCAST_EXCLUDE), 0);
	assert_int_equal(source(f, f->sk, &group, &src1, MCAST_EXCLUDE, true), 0);
	settle(f);
	cpu_lock(f->net->cpu);
	igmp6_show(f->net, &t);
	cpu_unlock(f->net->cpu);
	snprintf(line, sizeof(line),
		 "%-4d eth0            ff150000000000000000000000000001     1 00000004 0\n",
		 f->eth0->ifindex);
	assert_non_null(strstr(t.buf, line));
	snprintf(line, sizeof(line),
		 "%-4d eth0            ff020000000000000000000000000001     1 0000000C 0\n",
		 f->eth0->ifindex);
	assert_non_null(strstr(t.buf, line));
	snprintf(line, sizeof(line),
		 "%-4d eth0            ff010000000000000000000000000001     1 00000008 0\n",
		 f->eth0->ifindex);
	assert_non_null(strstr(t.buf, line));
	text_free(&t);
	t = (struct text){ 0 };
	cpu_lock(f->net->cpu);
	mcfilter6_show(f->net, &t);
	cpu_unlock(f->net->cpu);
	snprintf(line, sizeof(line),
		 "%3d   eth0 ff150000000000000000000000000001 20010db8000000000000000000000001     "
		 " 0      1\n",
		 f->eth0->ifindex);
	assert_non_null(strstr(t.buf, line));
	assert_memory_equal(t.buf,
			    "Idx Device                Multicast Address                   Source "
			    "Address    INC    EXC\n",
			    91);
	text_free(&t);
}

static void the_device_filter_has_the_low_32_bits(void **state)
{
	struct fixture *f = *state;
	struct netdev_hw_addr *ha;
	u32 found = 0;

	settle(f);
	assert_int_equal(join(f, f->sk, &group, MCAST_EXCLUDE), 0);
	list_for_each_entry(ha, &f->eth0->mc, node)
		found += !memcmp(ha->addr, "\x33\x33\0\0\0\x01", 6);
	assert_int_equal(found, 1); /* ff02::1 has the same */
	assert_int_equal(join(f, f->sk, &other, MCAST_EXCLUDE), 0);
	list_for_each_entry(ha, &f->eth0->mc, node)
		found += !memcmp(ha->addr, "\x33\x33\0\0\0\x02", 6);
	assert_int_equal(found, 2);
	assert_int_equal(drop(f, f->sk, &other), 0);
	list_for_each_entry(ha, &f->eth0->mc, node)
		found += !memcmp(ha->addr, "\x33\x33\0\0\0\x02", 6);
	assert_int_equal(found, 2);
}

static void groups_outlive_the_link(void **state)
{
	struct fixture *f = *state;

	settle(f);
	assert_int_equal(join(f, f->sk, &group, MCAST_EXCLUDE), 0);
	settle(f);
	rtnl_lock(f->m);
	dev_close(f->eth0);
	rtnl_unlock(f->m);
	expect_silence(f, NSEC_PER_SEC);
	rtnl_lock(f->m);
	assert_int_equal(dev_open(f->eth0, NULL), 0);
	rtnl_unlock(f->m);
	settle(f);
	query(f, true, 100, &group, NULL, 0);
	test_run_for(f->m, NSEC_PER_SEC);
	expect_record(f, MC_REC_IS_EXCLUDE, &group, NULL, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(a_tentative_address_is_no_source),
		TEST(joining_and_leaving_are_reported),
		TEST(some_groups_are_never_reported),
		TEST(queries_are_answered),
		TEST(version_1_is_spoken_to_old_routers),
		TEST(a_forced_version_is_spoken),
		TEST(what_is_no_neighbours_message_is_dropped),
		TEST(requests_fail_as_ipv6_7_says),
		TEST(filters_decide_what_a_socket_gets),
		TEST(views_show_groups_and_filters),
		TEST(the_device_filter_has_the_low_32_bits),
		TEST(groups_outlive_the_link),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
