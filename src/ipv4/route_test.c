/* SPDX-License-Identifier: BSD-2-Clause */
/* route_test.c - addresses and routes through their rtnetlink handlers, and what route lookups make of them */
#include <netinet/in.h>

#include "core/sock.h"
#include "core/sysctl.h"
#include "ipv4/ipv4_test.h"

struct fixture {
	struct machine *m;
	struct net *net;
	struct net_device *eth0, *eth1;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->m = ipv4_machine();
	f->net = ipv4_net(f->m, "t");
	f->eth0 = test_netdev(f->net, "eth0", true);
	f->eth1 = test_netdev(f->net, "eth1", true);
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

static void loopback_brings_127_8(void **state)
{
	struct fixture *f = *state;
	struct route_answer a;

	assert_int_equal(route_get(f->net, IP(127, 0, 0, 1), &a), 0);
	assert_int_equal(a.type, RTN_LOCAL);
	assert_ptr_equal(a.dev, f->net->loopback_dev);
	assert_int_equal(a.src.v, IP(127, 0, 0, 1).v);
	assert_int_equal(route_get(f->net, IP(127, 9, 9, 9), &a), 0);
	assert_int_equal(a.type, RTN_LOCAL);
	/* RFC 1122 3.2.1.3: "this host" */
	assert_int_equal(route_get(f->net, IP(0, 0, 0, 0), &a), 0);
	assert_int_equal(a.src.v, IP(127, 0, 0, 1).v);
}

static void no_route_is_enetunreach(void **state)
{
	struct fixture *f = *state;
	struct route_answer a;

	assert_int_equal(route_get(f->net, IP(8, 8, 8, 8), &a), -ENETUNREACH);
	assert_int_equal(f->net->mib[MIB_Ip_OutNoRoutes], 1);
}

static void address_brings_its_network(void **state)
{
	struct fixture *f = *state;
	struct route_answer a;

	assert_int_equal(addr_add(f->eth0, IP(10, 0, 0, 1), 24), 0);
	assert_int_equal(addr_add(f->eth0, IP(10, 0, 0, 1), 24), -EEXIST);
	assert_int_equal(route_get(f->net, IP(10, 0, 0, 2), &a), 0);
	assert_ptr_equal(a.dev, f->eth0);
	assert_int_equal(a.src.v, IP(10, 0, 0, 1).v);
	assert_int_equal(a.gw.v, 0);
	assert_int_equal(route_get(f->net, IP(10, 0, 0, 1), &a), 0);
	assert_ptr_equal(a.dev, f->net->loopback_dev);
	assert_int_equal(inet_addr_type(f->net, IP(10, 0, 0, 1)), RTN_LOCAL);
	assert_int_equal(inet_addr_type(f->net, IP(10, 0, 0, 255)), RTN_BROADCAST);
	assert_int_equal(inet_addr_type(f->net, IP(10, 0, 0, 7)), RTN_UNICAST);
	assert_int_equal(inet_dev_addr_type(f->net, f->eth1, IP(10, 0, 0, 1)), RTN_UNICAST);
	assert_ptr_equal(ip_dev_find(f->net, IP(10, 0, 0, 1)), f->eth0);

	assert_int_equal(addr_del(f->eth0, IP(10, 0, 0, 1), 24), 0);
	assert_int_equal(addr_del(f->eth0, IP(10, 0, 0, 1), 24), -EADDRNOTAVAIL);
	assert_int_equal(route_get(f->net, IP(10, 0, 0, 2), &a), -ENETUNREACH);
	assert_int_equal(inet_addr_type(f->net, IP(10, 0, 0, 255)), RTN_UNICAST);
}

static void routes_go_down_and_up_with_the_device(void **state)
{
	struct fixture *f = *state;
	struct route_answer a;

	addr_add(f->eth0, IP(10, 0, 0, 1), 24);
	assert_int_equal(route_request(f->net, (struct route_spec){ .gw = IP(10, 0, 0, 254) }), 0);
	assert_int_equal(route_get(f->net, IP(8, 8, 8, 8), &a), 0);
	assert_int_equal(a.gw.v, IP(10, 0, 0, 254).v);
	link_down(f->eth0);
	assert_int_equal(route_get(f->net, IP(10, 0, 0, 2), &a), -ENETUNREACH);
	assert_int_equal(route_get(f->net, IP(8, 8, 8, 8), &a), -ENETUNREACH);
	assert_int_equal(inet_addr_type(f->net, IP(10, 0, 0, 1)), RTN_LOCAL); /* still ours */
	link_up(f->eth0);
	assert_int_equal(route_get(f->net, IP(10, 0, 0, 2), &a), 0);
	assert_int_equal(route_get(f->net, IP(8, 8, 8, 8), &a), -ENETUNREACH); /* as in Linux */
}

static void longest_prefix_and_lowest_metric_win(void **state)
{
	struct fixture *f = *state;
	struct route_answer a;

	addr_add(f->eth0, IP(10, 0, 0, 1), 24);
	addr_add(f->eth1, IP(10, 0, 1, 1), 24);
	route_request(f->net, (struct route_spec){ .gw = IP(10, 0, 0, 254) });
	route_request(f->net, (struct route_spec){ .dst = IP(192, 168, 0, 0),
						   .plen = 16,
						   .gw = IP(10, 0, 1, 254),
						   .priority = 200 });
	assert_int_equal(route_get(f->net, IP(192, 168, 3, 4), &a), 0);
	assert_ptr_equal(a.dev, f->eth1);
	route_request(f->net, (struct route_spec){ .dst = IP(192, 168, 0, 0),
						   .plen = 16,
						   .gw = IP(10, 0, 0, 253),
						   .priority = 100 });
	assert_int_equal(route_get(f->net, IP(192, 168, 3, 4), &a), 0);
	assert_ptr_equal(a.dev, f->eth0);
	assert_int_equal(a.gw.v, IP(10, 0, 0, 253).v);
	assert_int_equal(route_get(f->net, IP(192, 169, 0, 1), &a), 0);
	assert_int_equal(a.gw.v, IP(10, 0, 0, 254).v);
}

static void flags_exclusive_replace_append(void **state)
{
	struct fixture *f = *state;
	struct route_spec s = { .dst = IP(172, 16, 0, 0), .plen = 12, .gw = IP(10, 0, 0, 5) };
	struct route_answer a;

	addr_add(f->eth0, IP(10, 0, 0, 1), 24);
	assert_int_equal(route_request(f->net, s), 0);
	assert_int_equal(route_request(f->net, s), -EEXIST);
	s.gw = IP(10, 0, 0, 6);
	assert_int_equal(route_request(f->net, s), -EEXIST);
	s.flags = NLM_F_CREATE | NLM_F_REPLACE;
	assert_int_equal(route_request(f->net, s), 0);
	assert_int_equal(route_get(f->net, IP(172, 16, 0, 1), &a), 0);
	assert_int_equal(a.gw.v, IP(10, 0, 0, 6).v);
	s.gw = IP(10, 0, 0, 7);
	s.flags = NLM_F_CREATE | NLM_F_APPEND;
	assert_int_equal(route_request(f->net, s), 0);
	assert_int_equal(route_request(f->net, s), -EEXIST);
	assert_int_equal(route_get(f->net, IP(172, 16, 0, 1), &a), 0);
	assert_int_equal(a.gw.v, IP(10, 0, 0, 6).v);
	s.msg = RTM_DELROUTE;
	s.gw = IP(10, 0, 0, 6);
	assert_int_equal(route_request(f->net, s), 0);
	assert_int_equal(route_request(f->net, s), -ESRCH);
	assert_int_equal(route_get(f->net, IP(172, 16, 0, 1), &a), 0);
	assert_int_equal(a.gw.v, IP(10, 0, 0, 7).v);
	s = (struct route_spec){
		.dst = IP(1, 0, 0, 0), .plen = 8, .gw = IP(10, 0, 0, 6), .flags = NLM_F_REPLACE
	};
	assert_int_equal(route_request(f->net, s), -ENOENT);
}

static void bad_routes_are_refused(void **state)
{
	struct fixture *f = *state;
	const struct {
		struct route_spec s;
		int err;
	} cases[] = {
		{ { .dst = IP(9, 0, 0, 1), .plen = 8, .gw = IP(10, 0, 0, 2) },
		  -EINVAL }, /* host bits */
		{ { .dst = IP(9, 0, 0, 0), .plen = 8, .gw = IP(99, 0, 0, 2) }, -ENETUNREACH },
		{ { .dst = IP(9, 0, 0, 0), .plen = 8, .gw = IP(10, 0, 0, 255) }, -EINVAL },
		{ { .dst = IP(9, 0, 0, 0), .plen = 8 }, -ENODEV },
		{ { .dst = IP(9, 0, 0, 0), .plen = 33, .gw = IP(10, 0, 0, 2) }, -EINVAL },
		{ { .dst = IP(9, 0, 0, 0),
		    .plen = 8,
		    .gw = IP(10, 0, 0, 2),
		    .prefsrc = IP(1, 2, 3, 4) },
		  -EINVAL },
		{ { .dst = IP(9, 0, 0, 0),
		    .plen = 8,
		    .type = RTN_BLACKHOLE,
		    .gw = IP(10, 0, 0, 2) },
		  -EINVAL },
		{ { .dst = IP(9, 0, 0, 0), .plen = 8, .dev = f->eth1, .gw = IP(10, 0, 0, 2) },
		  -ENETUNREACH },
	};

	addr_add(f->eth0, IP(10, 0, 0, 1), 24);
	for (u32 i = 0; i < ARRAY_SIZE(cases); i++)
		if (route_request(f->net, cases[i].s) != cases[i].err)
			fail_msg("case %u: not %d", i, cases[i].err);
	assert_null(fib_trie_find(&f->net->ipv4->fib_main->trie, 0x09000000, 8));
}

static void a_gateway_behind_a_gateway_is_refused(void **state)
{
	struct fixture *f = *state;

	addr_add(f->eth0, IP(10, 0, 0, 1), 24);
	assert_int_equal(route_request(f->net, (struct route_spec){ .dst = IP(20, 0, 0, 0),
								    .plen = 8,
								    .gw = IP(10, 0, 0, 2) }),
			 0);
	assert_int_not_equal(route_request(f->net, (struct route_spec){ .dst = IP(30, 0, 0, 0),
									.plen = 8,
									.gw = IP(20, 0, 0, 2) }),
			     0);
	assert_int_equal(route_request(f->net, (struct route_spec){ .dst = IP(30, 0, 0, 0),
								    .plen = 8,
								    .dev = f->eth0,
								    .gw = IP(20, 0, 0, 2),
								    .rtm_flags = RTNH_F_ONLINK }),
			 0);
}

static void types_give_their_errors(void **state)
{
	struct fixture *f = *state;
	struct route_answer a;

	addr_add(f->eth0, IP(10, 0, 0, 1), 24);
	route_request(f->net, (struct route_spec){ .gw = IP(10, 0, 0, 254) });
	route_request(f->net, (struct route_spec){
				      .dst = IP(1, 0, 0, 0), .plen = 8, .type = RTN_UNREACHABLE });
	route_request(f->net, (struct route_spec){
				      .dst = IP(2, 0, 0, 0), .plen = 8, .type = RTN_BLACKHOLE });
	route_request(f->net, (struct route_spec){
				      .dst = IP(3, 0, 0, 0), .plen = 8, .type = RTN_PROHIBIT });
	route_request(f->net,
		      (struct route_spec){ .dst = IP(4, 0, 0, 0), .plen = 8, .type = RTN_THROW });
	assert_int_equal(route_get(f->net, IP(1, 1, 1, 1), &a), -EHOSTUNREACH);
	assert_int_equal(route_get(f->net, IP(2, 1, 1, 1), &a), -EINVAL);
	assert_int_equal(route_get(f->net, IP(3, 1, 1, 1), &a), -EACCES);
	assert_int_equal(route_get(f->net, IP(4, 1, 1, 1), &a), -ENETUNREACH);
	assert_int_equal(route_get(f->net, IP(5, 1, 1, 1), &a), 0);
}

static void secondaries_follow_their_primary(void **state)
{
	struct fixture *f = *state;
	struct in_device *in_dev = f->eth0->ip_ptr;
	struct route_answer a;

	addr_add(f->eth0, IP(10, 0, 0, 1), 24);
	addr_add(f->eth0, IP(10, 0, 0, 2), 24);
	assert_true(inet_find_ifa(in_dev, IP(10, 0, 0, 2))->flags & IFA_F_SECONDARY);
	assert_int_equal(route_get(f->net, IP(10, 0, 0, 9), &a), 0);
	assert_int_equal(a.src.v, IP(10, 0, 0, 1).v);
	in_dev->promote_secondaries = 1;
	assert_int_equal(addr_del(f->eth0, IP(10, 0, 0, 1), 24), 0);
	assert_false(inet_find_ifa(in_dev, IP(10, 0, 0, 2))->flags & IFA_F_SECONDARY);
	assert_int_equal(route_get(f->net, IP(10, 0, 0, 9), &a), 0);
	assert_int_equal(a.src.v, IP(10, 0, 0, 2).v);
	assert_int_equal(inet_addr_type(f->net, IP(10, 0, 0, 255)), RTN_BROADCAST);
	in_dev->promote_secondaries = 0;
	addr_add(f->eth0, IP(10, 0, 0, 3), 24);
	assert_int_equal(addr_del(f->eth0, IP(10, 0, 0, 2), 24), 0);
	assert_true(list_empty(&in_dev->ifa_list));
}

static void an_address_with_two_masks_stays_local_while_one_is_left(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(addr_add(f->eth0, IP(10, 0, 0, 1), 24), 0);
	assert_int_equal(addr_add(f->eth0, IP(10, 0, 0, 1), 16), 0);
	assert_int_equal(addr_del(f->eth0, IP(10, 0, 0, 1), 16), 0);
	assert_int_equal(inet_addr_type(f->net, IP(10, 0, 0, 1)), RTN_LOCAL);
	assert_int_equal(addr_del(f->eth0, IP(10, 0, 0, 1), 24), 0);
	assert_int_equal(inet_addr_type(f->net, IP(10, 0, 0, 1)), RTN_UNICAST);
}

static void a_changed_address_keeps_its_place(void **state)
{
	struct fixture *f = *state;
	struct in_ifaddr *first;

	assert_int_equal(addr_add(f->eth0, IP(10, 0, 0, 1), 24), 0);
	assert_int_equal(addr_add(f->eth0, IP(10, 0, 9, 1), 24), 0);
	first = list_first_entry(&f->eth0->ip_ptr->ifa_list, struct in_ifaddr, node);
	assert_int_equal(addr_request(f->eth0, RTM_NEWADDR, NLM_F_REPLACE, first->local, 24, 100),
			 0);
	first->flags |= IFA_F_NOPREFIXROUTE; /* so that the next request is a change of routes */
	assert_int_equal(addr_request(f->eth0, RTM_NEWADDR, NLM_F_REPLACE, first->local, 24, 0), 0);
	assert_ptr_equal(list_first_entry(&f->eth0->ip_ptr->ifa_list, struct in_ifaddr, node),
			 first);
}

static void an_address_ends_with_its_lifetime(void **state)
{
	struct fixture *f = *state;
	struct in_device *in_dev = f->eth0->ip_ptr;

	assert_int_equal(addr_request(f->eth0, RTM_NEWADDR, NLM_F_CREATE, IP(10, 0, 0, 1), 24, 10),
			 0);
	assert_int_equal(addr_request(f->eth0, RTM_NEWADDR, NLM_F_CREATE, IP(10, 9, 0, 1), 24, 0),
			 0);
	test_run_for(f->m, 9 * NSEC_PER_SEC);
	assert_non_null(inet_find_ifa(in_dev, IP(10, 0, 0, 1)));
	test_run_for(f->m, 2 * NSEC_PER_SEC);
	assert_null(inet_find_ifa(in_dev, IP(10, 0, 0, 1)));
	assert_non_null(inet_find_ifa(in_dev, IP(10, 9, 0, 1)));
	assert_int_equal(inet_addr_type(f->net, IP(10, 0, 0, 1)), RTN_UNICAST);
}

static void cached_routes_notice_changes(void **state)
{
	struct fixture *f = *state;
	struct flowi4 fl = { .daddr = IP(10, 0, 0, 2) };
	struct rtable *rt, *again;
	int err;

	addr_add(f->eth0, IP(10, 0, 0, 1), 24);
	cpu_lock(f->net->cpu);
	rt = ip_route_output_key(f->net, &fl, &err);
	fl = (struct flowi4){ .daddr = IP(10, 0, 0, 3) };
	again = ip_route_output_key(f->net, &fl, &err);
	assert_ptr_equal(rt, again); /* one for the next hop, nothing was allocated */
	ip_rt_put(again);
	assert_ptr_equal(dst_check(&rt->dst), &rt->dst);
	cpu_unlock(f->net->cpu);
	addr_add(f->eth1, IP(10, 0, 1, 1), 24);
	cpu_lock(f->net->cpu);
	assert_null(dst_check(&rt->dst));
	ip_rt_put(rt);
	cpu_unlock(f->net->cpu);
}

static void learnt_path_mtu_shrinks_and_expires(void **state)
{
	struct fixture *f = *state;
	struct route_answer a;

	addr_add(f->eth0, IP(10, 0, 0, 1), 24);
	route_request(f->net, (struct route_spec){ .gw = IP(10, 0, 0, 254) });
	cpu_lock(f->net->cpu);
	learn_pmtu(f->net, IP(8, 8, 8, 8), 1400);
	learn_pmtu(f->net, IP(8, 8, 8, 8), 1450); /* RFC 1191 3: never up */
	learn_pmtu(f->net, IP(8, 8, 4, 4), 100);
	cpu_unlock(f->net->cpu);
	assert_int_equal(route_get(f->net, IP(8, 8, 8, 8), &a), 0);
	assert_int_equal(a.mtu, 1400);
	assert_int_equal(a.gw.v, IP(10, 0, 0, 254).v);
	route_get(f->net, IP(8, 8, 8, 9), &a);
	assert_int_equal(a.mtu, 1500);
	route_get(f->net, IP(8, 8, 4, 4), &a);
	assert_int_equal(a.mtu, 552); /* min_pmtu */
	test_run_for(f->m, 601 * NSEC_PER_SEC);
	route_get(f->net, IP(8, 8, 8, 8), &a);
	assert_int_equal(a.mtu, 1500);
}

/* "ip route flush cache" */
static void flushing_forgets_what_was_learnt(void **state)
{
	struct fixture *f = *state;
	struct route_answer a;

	addr_add(f->eth0, IP(10, 0, 0, 1), 24);
	route_request(f->net, (struct route_spec){ .gw = IP(10, 0, 0, 254) });
	cpu_lock(f->net->cpu);
	learn_pmtu(f->net, IP(8, 8, 8, 8), 1400);
	cpu_unlock(f->net->cpu);
	assert_int_equal(route_get(f->net, IP(8, 8, 8, 8), &a), 0);
	assert_int_equal(a.mtu, 1400);
	assert_int_equal(view_write(f->net, "/proc/sys/net/ipv4/route/flush", "1", 1), 0);
	assert_int_equal(route_get(f->net, IP(8, 8, 8, 8), &a), 0);
	assert_int_equal(a.mtu, 1500);
}

/* Connected sockets keep an rtable and ask with check_sk() whether it is still right. */
static bool keeps(struct sock *sk)
{
	return sk_dst_check(sk) != NULL;
}

static void connect_to(struct net *net, struct inet_sock *inet, be32 daddr)
{
	struct flowi4 fl = { .daddr = daddr };
	struct rtable *rt;
	int err;

	memset(inet, 0, sizeof(*inet));
	inet->sk.sk_net = net;
	inet->sk.sk_daddr = daddr;
	rt = ip_route_output_key(net, &fl, &err);
	assert_non_null(rt);
	sk_dst_set(&inet->sk, &rt->dst);
}

static void a_learnt_path_mtu_concerns_its_destination_only(void **state)
{
	struct fixture *f = *state;
	struct inet_sock one, other;
	struct flowi4 fl = { .daddr = IP(8, 8, 8, 9) };
	struct rtable *rt;
	u32 genid;
	int err;

	addr_add(f->eth0, IP(10, 0, 0, 1), 24);
	route_request(f->net, (struct route_spec){ .gw = IP(10, 0, 0, 254) });
	cpu_lock(f->net->cpu);
	genid = f->net->ipv4->rt_genid;
	connect_to(f->net, &one, IP(8, 8, 8, 8));
	connect_to(f->net, &other, IP(8, 8, 8, 9));
	assert_ptr_equal(one.sk.sk_dst_cache, other.sk.sk_dst_cache); /* the next hop's */
	rt = (struct rtable *)other.sk.sk_dst_cache;
	learn_pmtu(f->net, IP(8, 8, 8, 8), 1400);
	assert_int_equal(f->net->ipv4->rt_genid, genid);
	assert_false(keeps(&one.sk));
	assert_true(keeps(&other.sk));
	assert_ptr_equal(ip_route_output_key(f->net, &fl, &err), rt);
	ip_rt_put(rt);
	/* And again, smaller: the exception's own rtable goes. */
	connect_to(f->net, &one, IP(8, 8, 8, 8));
	assert_true(keeps(&one.sk));
	learn_pmtu(f->net, IP(8, 8, 8, 8), 1300);
	assert_false(keeps(&one.sk));
	assert_true(keeps(&other.sk));
	sk_dst_reset(&one.sk);
	sk_dst_reset(&other.sk);
	cpu_unlock(f->net->cpu);
}

static void an_exception_belongs_to_its_next_hop(void **state)
{
	struct fixture *f = *state;
	struct route_answer a;

	addr_add(f->eth0, IP(10, 0, 0, 1), 24);
	route_request(f->net, (struct route_spec){ .gw = IP(10, 0, 0, 254) });
	cpu_lock(f->net->cpu);
	learn_pmtu(f->net, IP(8, 8, 8, 8), 1400);
	cpu_unlock(f->net->cpu);
	route_request(f->net, (struct route_spec){
				      .dst = IP(8, 0, 0, 0), .plen = 8, .gw = IP(10, 0, 0, 253) });
	assert_int_equal(route_get(f->net, IP(8, 8, 8, 8), &a), 0);
	assert_int_equal(a.mtu, 1500);
}

/* ---- the destination cache ---------------------------------------------------------------------------------- */

static u32 cached(const struct fixture *f)
{
	return f->net->ipv4->rt_cache.used;
}

static void a_destination_in_use_is_found_without_the_fib(void **state)
{
	struct fixture *f = *state;
	const struct rt_cache_stat *s = &f->net->ipv4->rt_cache.stat;
	struct route_answer a;
	u32 slow;

	assert_null(f->net->ipv4->rt_cache.slots); /* an idle net holds nothing */
	addr_add(f->eth0, IP(10, 0, 0, 1), 24);
	assert_int_equal(route_get(f->net, IP(10, 0, 0, 2), &a), 0);
	slow = s->out_slow_tot;
	assert_int_equal(s->out_hit, 0);
	assert_int_equal(route_get(f->net, IP(10, 0, 0, 2), &a), 0);
	assert_int_equal(s->out_hit, 1);
	assert_int_equal(s->out_slow_tot, slow);
	assert_int_equal(a.src.v, IP(10, 0, 0, 1).v);
	/* Any change of the routes makes it ask the FIB again. */
	addr_add(f->eth1, IP(10, 0, 1, 1), 24);
	assert_int_equal(route_get(f->net, IP(10, 0, 0, 2), &a), 0);
	assert_int_equal(s->out_hit, 1);
	/* Unused for gc_timeout: gone, and the table with the last. */
	assert_true(cached(f) > 0);
	test_run_for(f->m, 400 * NSEC_PER_SEC);
	assert_int_equal(cached(f), 0);
	assert_null(f->net->ipv4->rt_cache.slots);
}

static void the_destination_cache_is_bounded(void **state)
{
	struct fixture *f = *state;
	struct route_answer a;

	addr_add(f->eth0, IP(10, 0, 0, 1), 24);
	route_request(f->net, (struct route_spec){ .gw = IP(10, 0, 0, 254) });
	f->net->ipv4->rt_cache.max_size = 100;
	for (u32 i = 0; i < 5000; i++)
		assert_int_equal(route_get(f->net, IP(20, i >> 8, i & 255, 1), &a), 0);
	assert_true(cached(f) > 10 && cached(f) <= 100);
	f->net->ipv4->rt_cache.max_size = INT32_MAX;
	for (u32 i = 0; i < 200000; i++)
		assert_int_equal(route_get(f->net, IP(20, i >> 16, i >> 8 & 255, i & 255), &a), 0);
	assert_true(cached(f) > 30000 && cached(f) <= 65536);
	f->net->ipv4->rt_cache.max_size = 0;
	cpu_lock(f->net->cpu);
	rt_cache_clear(f->net);
	cpu_unlock(f->net->cpu);
	assert_int_equal(route_get(f->net, IP(20, 0, 0, 1), &a), 0);
	assert_int_equal(cached(f), 0);
}

/* ---- redirects ------------------------------------------------------------------------------------------------- */

static void redirect(struct fixture *f, be32 from, be32 gw, be32 daddr)
{
	const struct packet_spec spec = {
		.src = from, .dst = IP(10, 0, 0, 1), .protocol = IPPROTO_ICMP, .payload = 36
	};
	struct icmp_hdr *icmp;
	struct ip_hdr *inner;
	struct sk_buff *skb;

	cpu_lock(f->net->cpu);
	skb = ip_packet(f->eth0, spec);
	icmp = (struct icmp_hdr *)(skb->data + 20);
	inner = (struct ip_hdr *)(skb->data + 28);
	icmp->type = ICMP4_REDIRECT;
	icmp->un.gateway = gw;
	inner->ihl_version = 0x45;
	inner->protocol = IPPROTO_UDP;
	inner->daddr = daddr;
	__skb_pull(skb, 28);
	ipv4_redirect(skb, f->net);
	consume_skb(skb);
	cpu_unlock(f->net->cpu);
}

static void a_redirect_is_followed_until_it_expires(void **state)
{
	const be32 old = IP(10, 0, 0, 254), new = IP(10, 0, 0, 253), dst = IP(8, 8, 8, 8);
	struct fixture *f = *state;
	struct in_device *in_dev = f->eth0->ip_ptr;
	struct route_answer a;

	addr_add(f->eth0, IP(10, 0, 0, 1), 24);
	route_request(f->net, (struct route_spec){ .gw = old });
	/* The new gateway is asked for its address first. */
	redirect(f, old, new, dst);
	route_get(f->net, dst, &a);
	assert_int_equal(a.gw.v, old.v);
	neigh_set(f->eth0, new);
	redirect(f, IP(10, 0, 0, 252), new,
		 dst); /* not from the gateway in use: RFC 1122 3.2.2.2 */
	in_dev->accept_redirects = f->net->ipv4->conf_all->accept_redirects = 0;
	redirect(f, old, new, dst);
	in_dev->accept_redirects = 1;
	in_dev->forwarding = 1; /* a router listens only if told so twice */
	redirect(f, old, new, dst);
	in_dev->forwarding = 0;
	redirect(f, old, IP(10, 0, 0, 1), dst); /* ourselves */
	redirect(f, old, IP(224, 0, 0, 1), dst);
	in_dev->shared_media = f->net->ipv4->conf_all->shared_media = 0;
	redirect(f, old, new, dst); /* not a default gateway: secure_redirects */
	in_dev->secure_redirects = f->net->ipv4->conf_all->secure_redirects = 0;
	redirect(f, old, IP(10, 9, 0, 1), dst); /* not on the link */
	route_get(f->net, dst, &a);
	assert_int_equal(a.gw.v, old.v);

	redirect(f, old, new, dst);
	route_get(f->net, dst, &a);
	assert_int_equal(a.gw.v, new.v);
	route_get(f->net, IP(8, 8, 8, 9), &a);
	assert_int_equal(a.gw.v, old.v);
	test_run_for(f->m, 301 * NSEC_PER_SEC);
	route_get(f->net, dst, &a);
	assert_int_equal(a.gw.v, old.v);
}

static void exceptions_are_dumped_as_the_cache(void **state)
{
	struct fixture *f = *state;
	struct nlmsghdr *nlh;
	struct rtmsg rtm = { .rtm_family = AF_INET, .rtm_flags = RTM_F_CLONED };
	struct netlink_callback cb = { .net = f->net };
	const struct nlattr *tb[RTA_MAX + 1];
	u8 buf[64] __attribute__((aligned(4))) = { 0 };
	struct nl_msg m;

	addr_add(f->eth0, IP(10, 0, 0, 1), 24);
	route_request(f->net, (struct route_spec){ .gw = IP(10, 0, 0, 254) });
	cpu_lock(f->net->cpu);
	learn_pmtu(f->net, IP(8, 8, 8, 8), 1400);
	cpu_unlock(f->net->cpu);
	nlh = (struct nlmsghdr *)buf;
	nlh->nlmsg_len = NLMSG_LENGTH(sizeof(rtm));
	nlh->nlmsg_type = RTM_GETROUTE;
	memcpy(NLMSG_DATA(nlh), &rtm, sizeof(rtm));
	cb.nlh = nlh;
	assert_int_equal(nl_msg_init(&m, 1024), 0);
	assert_int_equal(find_handler(RTM_GETROUTE)->dumpit(&m, &cb), 0);
	assert_int_equal(
		nlmsg_parse((struct nlmsghdr *)m.buf, sizeof(rtm), tb, RTA_MAX, NULL, NULL), 0);
	assert_int_equal(nla_get_in_addr(tb[RTA_DST]).v, IP(8, 8, 8, 8).v);
	assert_int_equal(nla_get_in_addr(tb[RTA_GATEWAY]).v, IP(10, 0, 0, 254).v);
	assert_int_equal(m.len, NLMSG_ALIGN(((struct nlmsghdr *)m.buf)->nlmsg_len)); /* only one */
	nl_msg_fini(&m);
}

static void path_mtu_table_is_bounded(void **state)
{
	struct fixture *f = *state;
	struct route_answer a;

	addr_add(f->eth0, IP(10, 0, 0, 1), 24);
	route_request(f->net, (struct route_spec){ .gw = IP(10, 0, 0, 254) });
	cpu_lock(f->net->cpu);
	for (u32 i = 0; i < 2000; i++)
		learn_pmtu(f->net, IP(20, 0, i >> 8, i & 255), 1000);
	cpu_unlock(f->net->cpu);
	assert_int_equal(route_get(f->net, IP(20, 0, 1999 >> 8, 1999 & 255), &a), 0);
	assert_int_equal(a.mtu, 1000);
	cpu_lock(f->net->cpu);
	for (u32 i = 0; i < 20000; i++)
		learn_pmtu(f->net, IP(20, 1, i >> 8, i & 255), 1000);
	cpu_unlock(f->net->cpu);
	assert_true(f->net->ipv4->rt_exc.used <= 4096);
	test_run_for(f->m, 700 * NSEC_PER_SEC);
	assert_null(f->net->ipv4->rt_exc.slots);
}

static u32 count_dump(struct net *net, u16 type, u32 size, u32 *ret_calls)
{
	struct nlmsghdr nlh = { .nlmsg_len = NLMSG_LENGTH(0), .nlmsg_type = type };
	struct netlink_callback cb = { .net = net, .nlh = &nlh };
	struct nl_msg m;
	u32 n = 0;
	int more;

	*ret_calls = 0;
	rtnl_lock(net->machine);
	do {
		u32 off = 0;

		assert_int_equal(nl_msg_init(&m, size), 0);
		more = find_handler(type)->dumpit(&m, &cb);
		assert_true(more >= 0);
		while (off < m.len) {
			const struct nlmsghdr *h = (const struct nlmsghdr *)(m.buf + off);

			n++;
			off += NLMSG_ALIGN(h->nlmsg_len);
		}
		nl_msg_fini(&m);
		++*ret_calls;
		assert_true(*ret_calls < 1000);
	} while (more);
	rtnl_unlock(net->machine);
	return n;
}

static void dumps_resume_where_they_stopped(void **state)
{
	struct fixture *f = *state;
	u32 before, calls;

	before = count_dump(f->net, RTM_GETROUTE, 8192, &calls);
	assert_int_equal(before, 3); /* 127.0.0.0/8, 127.0.0.1, 127.255.255.255 */
	addr_add(f->eth0, IP(10, 0, 0, 1), 24);
	for (u32 i = 0; i < 100; i++) {
		assert_int_equal(
			route_request(f->net, (struct route_spec){ .dst = IP(20, i, 0, 0),
								   .plen = 16,
								   .gw = IP(10, 0, 0, 2) }),
			0);
		assert_int_equal(
			route_request(f->net, (struct route_spec){ .dst = IP(20, i, 0, 0),
								   .plen = 16,
								   .priority = 5,
								   .gw = IP(10, 0, 0, 3) }),
			0);
	}
	assert_int_equal(count_dump(f->net, RTM_GETROUTE, 300, &calls), before + 3 + 200);
	assert_true(calls > 40);
	for (u32 i = 1; i < 20; i++)
		addr_add(f->eth1, IP(30, 0, i, 1), 24);
	assert_int_equal(count_dump(f->net, RTM_GETADDR, 300, &calls), 1 + 1 + 19);
}

static void equal_routes_share_what_they_say(void **state)
{
	struct fixture *f = *state;
	u32 before;

	addr_add(f->eth0, IP(10, 0, 0, 1), 24);
	before = f->net->ipv4->fib_info_count;
	for (u32 i = 0; i < 50; i++)
		route_request(f->net, (struct route_spec){ .dst = IP(20, i, 0, 0),
							   .plen = 16,
							   .gw = IP(10, 0, 0, 2) });
	assert_int_equal(f->net->ipv4->fib_info_count, before + 1);
}

static void a_removed_device_takes_its_routes_along(void **state)
{
	struct fixture *f = *state;
	struct net_device *dev = test_netdev(f->net, "eth2", true);
	struct flowi4 fl = { .daddr = IP(40, 0, 0, 2) };
	struct route_answer a;
	struct rtable *rt;
	int err;

	addr_add(dev, IP(40, 0, 0, 1), 24);
	cpu_lock(f->net->cpu);
	rt = ip_route_output_key(f->net, &fl, &err);
	cpu_unlock(f->net->cpu);
	assert_non_null(rt);
	test_netdev_del(dev);
	assert_int_equal(route_get(f->net, IP(40, 0, 0, 2), &a), -ENETUNREACH);
	assert_int_equal(inet_addr_type(f->net, IP(40, 0, 0, 1)), RTN_UNICAST);
	cpu_lock(f->net->cpu);
	assert_null(dst_check(&rt->dst));
	ip_rt_put(rt);
	cpu_unlock(f->net->cpu);
}

static void route_get_answers_like_iproute_expects(void **state)
{
	struct fixture *f = *state;
	const struct nlattr *tb[RTA_MAX + 1];
	struct nl_msg m, reply;
	struct rtmsg *rtm;

	addr_add(f->eth0, IP(10, 0, 0, 1), 24);
	route_request(f->net, (struct route_spec){ .gw = IP(10, 0, 0, 254) });
	assert_int_equal(nl_msg_init(&m, 512), 0);
	assert_int_equal(nl_msg_init(&reply, 512), 0);
	rtm = nlmsg_begin(&m, 0, 1, RTM_GETROUTE, 0, sizeof(*rtm));
	rtm->rtm_family = AF_INET;
	rtm->rtm_dst_len = 32;
	nla_put_in_addr(&m, RTA_DST, IP(8, 8, 8, 8));
	nlmsg_finish(&m);
	assert_int_equal(request(f->net, &m, &reply), 0);
	assert_int_equal(
		nlmsg_parse((struct nlmsghdr *)reply.buf, sizeof(*rtm), tb, RTA_MAX, NULL, NULL),
		0);
	assert_int_equal(nla_get_in_addr(tb[RTA_GATEWAY]).v, IP(10, 0, 0, 254).v);
	assert_int_equal(nla_get_in_addr(tb[RTA_PREFSRC]).v, IP(10, 0, 0, 1).v);
	assert_int_equal(nla_get_u32(tb[RTA_OIF]), f->eth0->ifindex);
	nl_msg_fini(&reply);
}

static void a_bound_device_assumes_neighbours(void **state)
{
	struct fixture *f = *state;
	struct flowi4 fl = { .daddr = IP(77, 0, 0, 1), .oif = f->eth1->ifindex };
	struct rtable *rt;
	int err;

	addr_add(f->eth0, IP(10, 0, 0, 1), 24);
	cpu_lock(f->net->cpu);
	rt = ip_route_output_key(f->net, &fl, &err);
	assert_non_null(rt);
	assert_ptr_equal(rt->dst.dev, f->eth1);
	ip_rt_put(rt);
	fl = (struct flowi4){ .daddr = IP(10, 0, 0, 2), .saddr = IP(9, 9, 9, 9) };
	assert_null(ip_route_output_key(f->net, &fl, &err)); /* not our address */
	assert_int_equal(err, -ENETUNREACH);
	cpu_unlock(f->net->cpu);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(loopback_brings_127_8),
		T(no_route_is_enetunreach),
		T(address_brings_its_network),
		T(routes_go_down_and_up_with_the_device),
		T(longest_prefix_and_lowest_metric_win),
		T(flags_exclusive_replace_append),
		T(bad_routes_are_refused),
		T(a_gateway_behind_a_gateway_is_refused),
		T(types_give_their_errors),
		T(secondaries_follow_their_primary),
		T(an_address_with_two_masks_stays_local_while_one_is_left),
		T(a_changed_address_keeps_its_place),
		T(an_address_ends_with_its_lifetime),
		T(cached_routes_notice_changes),
		T(learnt_path_mtu_shrinks_and_expires),
		T(flushing_forgets_what_was_learnt),
		T(a_learnt_path_mtu_concerns_its_destination_only),
		T(an_exception_belongs_to_its_next_hop),
		T(a_destination_in_use_is_found_without_the_fib),
		T(the_destination_cache_is_bounded),
		T(a_redirect_is_followed_until_it_expires),
		T(exceptions_are_dumped_as_the_cache),
		T(path_mtu_table_is_bounded),
		T(dumps_resume_where_they_stopped),
		T(equal_routes_share_what_they_say),
		T(a_removed_device_takes_its_routes_along),
		T(route_get_answers_like_iproute_expects),
		T(a_bound_device_assumes_neighbours),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
