/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ndisc_test.c - neighbour discovery and address configuration of one host in virtual time: what it sends, what it believes
 */
#include "wire/ndisc.h"

#include <errno.h>
#include <stdlib.h>

#include "core/dev_test.h"
#include "drivers/drivers_module.h"
#include "inet/inet_module.h"
#include "ipv6/addrconf_internal.h"
#include "ipv6/ipv6_module.h"
#include "lib/csum.h"
#include "netlink/netlink_module.h"
#include "socket/socket_module.h"

static const struct in6_addr all_nodes = { .s6_addr = { 0xff, 2, [15] = 1 } },
			     router = { .s6_addr = { 0xfe, 0x80, [15] = 9 } },
			     global1 = { .s6_addr = { 0x20, 1, 0xd, 0xb8, [15] = 1 } },
			     global2 = { .s6_addr = { 0x20, 1, 0xd, 0xb8, [15] = 2 } };

struct fixture {
	struct machine *m;
	struct net *net;
	struct net_device *eth0; /* keeps what it sends */
	struct inet6_dev *idev;
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
	f->idev = f->eth0->ip6_ptr;
	assert_non_null(f->idev);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	test_netdev_del(f->eth0);
	machine_destroy(f->m);
	free(f);
	return 0;
}

/* How many messages of @type eth0 has sent since the last call. */
static u32 sent(struct fixture *f, u8 type)
{
	struct sk_buff *skb;
	u8 p[55];
	u32 n = 0;

	cpu_lock(f->net->cpu);
	while ((skb = skb_dequeue(&test_priv(f->eth0)->sent))) {
		if (!skb_copy_bits(skb, 0, p, sizeof(p)) && p[20] == IPPROTO_ICMPV6 &&
		    p[54] == type) {
			assert_int_equal(p[21], 255);
			n++;
		}
		consume_skb(skb);
	}
	cpu_unlock(f->net->cpu);
	return n;
}

/* A message comes in by eth0. */
static void hear(struct fixture *f, const struct in6_addr *src, const struct in6_addr *dst,
		 u8 hop_limit, const u8 *msg, u32 len)
{
	struct ipv6_hdr *ip;
	struct sk_buff *skb;
	u8 *p;
	u16 sum;

	cpu_lock(f->net->cpu);
	skb = alloc_skb(f->net->cpu, 64 + sizeof(*ip) + len);
	assert_non_null(skb);
	skb_reserve(skb, 64);
	ip = skb_put_zero(skb, sizeof(*ip));
	ip->ver_tc_flow = cpu_to_be32(6u << 28);
	ip->payload_len = cpu_to_be16((u16)len);
	ip->nexthdr = IPPROTO_ICMPV6;
	ip->hop_limit = hop_limit;
	ip->saddr = *src;
	ip->daddr = *dst;
	p = skb_put_data(skb, msg, len);
	sum = csum_ipv6_magic(src, dst, len, IPPROTO_ICMPV6, csum_partial(p, len, 0));
	memcpy(p + 2, &sum, 2);
	skb->dev = f->eth0;
	skb->protocol = BE16_INIT(ETH_P_IPV6);
	skb_reset_mac_header(skb);
	skb->pkt_type = dst->s6_addr[0] == 0xff ? SKB_PACKET_MULTICAST : SKB_PACKET_HOST;
	netif_rx(skb);
	cpu_unlock(f->net->cpu);
	test_run_for(f->m, NSEC_PER_MSEC);
}

static struct inet6_ifaddr *add(struct fixture *f, const struct in6_addr *addr, u8 plen, u32 flags)
{
	struct ifa6_config cfg = { .addr = *addr,
				   .plen = plen,
				   .flags = flags,
				   .valid = INFINITY_LIFE,
				   .preferred = INFINITY_LIFE };
	struct inet6_ifaddr *ifp = NULL;

	cpu_lock(f->net->cpu);
	assert_int_equal(inet6_addr_add(f->idev, &cfg, NULL, &ifp), 0);
	cpu_unlock(f->net->cpu);
	return ifp;
}

static void a_new_address_is_asked_for_once_and_then_used(void **state)
{
	struct fixture *f = *state;
	const struct inet6_ifaddr *ifp = add(f, &global1, 64, 0);

	assert_true(ifp->flags & IFA_F_TENTATIVE);
	assert_false(ipv6_chk_addr(f->net, &global1, NULL, false));
	test_run_for(f->m, 3 * NSEC_PER_SEC);
	assert_false(ifp->flags & IFA_F_TENTATIVE);
	assert_true(ipv6_chk_addr(f->net, &global1, NULL, false));
	assert_int_equal(sent(f, NDISC_NEIGHBOUR_SOLICITATION), 2); /* the link-local one, too */
}

static void somebody_who_asks_for_our_tentative_address_wins(void **state)
{
	struct fixture *f = *state;
	const struct inet6_ifaddr *ifp = add(f, &global1, 64, 0);
	u8 ns[NDISC_NS_LEN] = { NDISC_NEIGHBOUR_SOLICITATION };
	struct in6_addr snm;

	addrconf_addr_solict_mult(&global1, &snm);
	memcpy(ns + 8, &global1, 16);
	hear(f, &in6addr_any, &snm, 255, ns, sizeof(ns));
	assert_true(ifp->flags & IFA_F_DADFAILED);
	test_run_for(f->m, 5 * NSEC_PER_SEC);
	assert_false(ipv6_chk_addr(f->net, &global1, NULL, false));
}

/* RFC 7527 4.1 */
static void our_own_question_brought_back_is_no_collision(void **state)
{
	struct fixture *f = *state;
	const struct inet6_ifaddr *ifp = add(f, &global1, 64, 0);
	u8 ns[NDISC_NS_LEN + 8] = { NDISC_NEIGHBOUR_SOLICITATION };
	struct in6_addr snm;

	addrconf_addr_solict_mult(&global1, &snm);
	memcpy(ns + 8, &global1, 16);
	ndisc_build_nonce(ns + NDISC_NS_LEN, ifp->dad_nonce);
	hear(f, &in6addr_any, &snm, 255, ns, sizeof(ns));
	assert_false(ifp->flags & IFA_F_DADFAILED);
	test_run_for(f->m, 3 * NSEC_PER_SEC);
	assert_true(ipv6_chk_addr(f->net, &global1, NULL, false));
}

static void what_comes_from_beyond_the_link_is_not_believed(void **state)
{
	struct fixture *f = *state;
	const struct inet6_ifaddr *ifp = add(f, &global1, 64, 0);
	u8 na[NDISC_NS_LEN] = { NDISC_NEIGHBOUR_ADVERTISEMENT, [4] = 0x20 };

	memcpy(na + 8, &global1, 16);
	hear(f, &global2, &all_nodes, 254, na, sizeof(na));
	assert_false(ifp->flags & IFA_F_DADFAILED);
	assert_int_equal(net_drops(f->net, SKB_DROP_NDISC_HOPLIMIT), 1);
	hear(f, &global2, &all_nodes, 255, na, sizeof(na));
	assert_true(ifp->flags & IFA_F_DADFAILED);
}

/* Lifetimes of the router and the prefix in s. */
static void advertise(struct fixture *f, u16 lifetime, u32 valid, u32 preferred)
{
	u8 ra[NDISC_RA_LEN + 8 + 32 + 8 + 24] = { NDISC_ROUTER_ADVERTISEMENT };
	u8 *p = ra + NDISC_RA_LEN;
	be32 v = cpu_to_be32(valid), pr = cpu_to_be32(preferred);

	ra[4] = 33; /* hop limit */
	ra[6] = (u8)(lifetime >> 8);
	ra[7] = (u8)lifetime;
	p += ndisc_build_lladdr(p, NDISC_OPT_SOURCE_LL_ADDR, (const u8 *)"\2\0\0\0\0\x09", 6);
	memcpy(p, "\3\4\x40\xc0", 4);
	memcpy(p + 4, &v, 4);
	memcpy(p + 8, &pr, 4);
	memcpy(p + 16, "\x20\1\x0d\xb8", 4);
	p += 32;
	memcpy(p, "\5\1\0\0\0\0\5\x14", 8); /* MTU 1300 */
	p += 8;
	memcpy(p, "\x19\3\0\0\0\0\0\x3c\x20\1\x0d\xb8", 12); /* a name server for 60 s */
	p[23] = 0x53;
	hear(f, &router, &all_nodes, 255, ra, sizeof(ra));
}

static struct inet6_ifaddr *slaac_addr(struct fixture *f)
{
	struct inet6_ifaddr *ifp;

	list_for_each_entry(ifp, &f->idev->addr_list, node)
		if (ifp->proto == IFAPROT_KERNEL_RA && !(ifp->flags & IFA_F_TEMPORARY))
			return ifp;
	return NULL;
}

static bool has_default_route(struct fixture *f)
{
	struct flowi6 fl = { .daddr = { .s6_addr = { 0x20, 2 } } };
	const struct fib6_info *r = fib6_lookup(f->net, &fl, false);

	return r && ipv6_addr_equal(&r->gateway, &router);
}

static void an_advertisement_brings_address_route_mtu_and_name_server(void **state)
{
	struct fixture *f = *state;
	struct ipv6_rdnss dns;

	advertise(f, 1800, 3600, 600);
	assert_non_null(slaac_addr(f));
	assert_true(has_default_route(f));
	assert_int_equal(f->idev->cnf.mtu6, 1300);
	assert_int_equal(f->idev->cnf.hop_limit, 33);
	assert_int_equal(ipv6_rdnss_get(f->net, &dns, 1), 1);
	assert_int_equal(dns.addr.s6_addr[15], 0x53);
	test_run_for(f->m, 61 * NSEC_PER_SEC);
	assert_int_equal(ipv6_rdnss_get(f->net, &dns, 1), 0);
	test_run_for(f->m, 600 * NSEC_PER_SEC);
	assert_true(slaac_addr(f)->flags & IFA_F_DEPRECATED);
	test_run_for(f->m, 1200 * NSEC_PER_SEC);
	assert_false(has_default_route(f));
	test_run_for(f->m, 1800 * NSEC_PER_SEC);
	assert_null(slaac_addr(f));
}

/* RFC 4862 5.5.3 (e) */
static void nobody_cuts_a_lifetime_below_two_hours(void **state)
{
	struct fixture *f = *state;

	advertise(f, 1800, 86400, 600);
	advertise(f, 1800, 0, 0);
	assert_int_equal(slaac_addr(f)->valid_lft, 7200);
	advertise(f, 0, 86400, 600);
	assert_int_equal(slaac_addr(f)->valid_lft, 86400);
	assert_false(has_default_route(f)); /* lifetime 0 */
}

static void a_router_does_not_believe_routers(void **state)
{
	struct fixture *f = *state;

	cpu_lock(f->net->cpu);
	f->idev->cnf.forwarding = 1;
	cpu_unlock(f->net->cpu);
	advertise(f, 1800, 3600, 600);
	assert_null(slaac_addr(f));
	assert_false(has_default_route(f));
	assert_int_equal(net_drops(f->net, SKB_DROP_NDISC_RA_IGNORED), 1);
}

/* Whoever is on the link can say anything as fast as the link is: that must not take all memory. */
static void a_flood_of_advertisements_brings_only_so_many_routes(void **state)
{
	struct fixture *f = *state;
	u8 ra[NDISC_RA_LEN + 32] = { NDISC_ROUTER_ADVERTISEMENT, [6] = 7 };
	u8 *pi = ra + NDISC_RA_LEN;

	memcpy(pi, "\3\4\x40\x80\xff\xff\xff\xff\xff\xff\xff\xff", 12);
	for (u32 i = 0; i < 2000; i++) {
		struct in6_addr from = { .s6_addr = { 0xfe, 0x80, [13] = 1, (u8)(i >> 8), (u8)i } };

		memcpy(pi + 16, "\x20\1\x0d\xb8", 4);
		pi[20] = (u8)(i >> 8);
		pi[21] = (u8)i;
		hear(f, &from, &all_nodes, 255, ra, sizeof(ra));
	}
	assert_int_equal(f->net->ipv6->ra_routes, RA_ROUTES_MAX);
	cpu_lock(f->net->cpu);
	addrconf_set_disabled(f->idev, true);
	assert_int_equal(f->net->ipv6->ra_routes, 0);
	addrconf_set_disabled(f->idev, false);
	cpu_unlock(f->net->cpu);
	advertise(f, 1800, 3600, 600);
	assert_true(has_default_route(f));
}

/* RFC 6724 10.1 and rules 1, 2, 3, 6, 8 */
static void sources_are_chosen_by_the_rules(void **state)
{
	static const struct {
		const char *dst, *src;
	} cases[] = {
		{ "\x20\1\x0d\xb8\0\1\0\0\0\0\0\0\0\0\0\5",
		  "\x20\1\x0d\xb8\0\1\0\0\0\0\0\0\0\0\0\1" },
		{ "\x20\1\x0d\xb8\0\2\0\0\0\0\0\0\0\0\0\5",
		  "\x20\1\x0d\xb8\0\2\0\0\0\0\0\0\0\0\0\1" },
		{ "\x20\1\x0d\xb8\0\2\0\0\0\0\0\0\0\0\0\1",
		  "\x20\1\x0d\xb8\0\2\0\0\0\0\0\0\0\0\0\1" },
		{ "\xfd\0\0\0\0\0\0\0\0\0\0\0\0\0\0\5", "\xfd\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1" },
		{ "\x20\2\xc6\x33\x64\1\0\0\0\0\0\0\0\0\0\5",
		  "\x20\2\xc6\x33\x64\2\0\0\0\0\0\0\0\0\0\1" },
	};
	struct fixture *f = *state;
	struct in6_addr a, src;

	for (u32 i = 0; i < ARRAY_SIZE(cases); i++) {
		memcpy(&a, cases[i].src, 16);
		if (!ipv6_get_ifaddr(f->net, &a, f->eth0, true))
			add(f, &a, 64, IFA_F_NODAD);
	}
	for (u32 i = 0; i < ARRAY_SIZE(cases); i++) {
		memcpy(&a, cases[i].dst, 16);
		assert_int_equal(ipv6_dev_get_saddr(f->net, f->eth0, &a, 0, &src), 0);
		assert_memory_equal(&src, cases[i].src, 16);
	}
	test_run_for(f->m, 3 * NSEC_PER_SEC);
	assert_int_equal(ipv6_dev_get_saddr(f->net, f->eth0, &router, 0, &src), 0);
	assert_int_equal(src.s6_addr[0], 0xfe); /* rule 2 */
}

/* What we say to all nodes is no news to ourselves. */
static void an_advertisement_to_all_does_not_come_back(void **state)
{
	struct fixture *f = *state;
	struct in6_addr lladdr;

	test_run_for(f->m, 3 * NSEC_PER_SEC);
	sent(f, 0);
	assert_int_equal(ipv6_get_lladdr(f->eth0, &lladdr, 0), 0);
	cpu_lock(f->net->cpu);
	ndisc_send_na(f->eth0, &all_nodes, &lladdr, false, false, true, true);
	cpu_unlock(f->net->cpu);
	test_run_for(f->m, NSEC_PER_SEC);
	assert_int_equal(sent(f, NDISC_NEIGHBOUR_ADVERTISEMENT), 1);
	assert_int_equal(net_drops(f->net, SKB_DROP_IP6_NOFORWARD), 0);
}

/* RFC 4861 7.2.2: three questions, a second apart, then the packets that waited are given up. */
static void a_neighbour_that_is_silent_is_asked_three_times(void **state)
{
	struct fixture *f = *state;
	struct neighbour *n;
	int err;

	test_run_for(f->m, 3 * NSEC_PER_SEC);
	sent(f, 0);
	cpu_lock(f->net->cpu);
	n = neigh_create(f->net->ipv6->nd_tbl, &global2, f->eth0, &err);
	assert_non_null(n);
	neigh_event_send(n, NULL);
	cpu_unlock(f->net->cpu);
	test_run_for(f->m, 5 * NSEC_PER_SEC);
	assert_int_equal(sent(f, NDISC_NEIGHBOUR_SOLICITATION), 3);
	assert_int_equal(n->nud_state, NUD_FAILED);
	cpu_lock(f->net->cpu);
	neigh_release(n);
	cpu_unlock(f->net->cpu);
}

static void disabling_ipv6_takes_everything_and_enabling_brings_it_back(void **state)
{
	struct fixture *f = *state;

	test_run_for(f->m, 3 * NSEC_PER_SEC);
	assert_false(list_empty(&f->idev->addr_list));
	cpu_lock(f->net->cpu);
	addrconf_set_disabled(f->idev, true);
	assert_true(list_empty(&f->idev->addr_list));
	addrconf_set_disabled(f->idev, false);
	assert_false(list_empty(&f->idev->addr_list));
	cpu_unlock(f->net->cpu);
}

/* ip(8) looks for IFLA_PROTINFO as it was before there was NLA_F_NESTED: "ip token" says "Dump terminated". */
static void protinfo_has_no_nested_flag(void **state)
{
	struct fixture *f = *state;
	struct nlmsghdr req = { .nlmsg_len = NLMSG_LENGTH(0), .nlmsg_type = RTM_GETLINK };
	struct netlink_callback cb = { .net = f->net, .nlh = &req };
	const struct nlmsghdr *nlh;
	const struct nlattr *a;
	struct nl_msg m;
	int rem, found = 0;

	assert_int_equal(nl_msg_init(&m, 8192), 0);
	assert_int_equal(addrconf_link_rtnl_handlers[0].type, RTM_GETLINK);
	assert_int_equal(addrconf_link_rtnl_handlers[0].dumpit(&m, &cb), 0);
	nlh = (const struct nlmsghdr *)m.buf;
	nla_for_each(a, m.buf + NLMSG_LENGTH(sizeof(struct ifinfomsg)),
		     nlh->nlmsg_len - NLMSG_LENGTH(sizeof(struct ifinfomsg)), rem)
		found += a->nla_type == IFLA_PROTINFO;
	assert_int_equal(found, 1);
	nl_msg_fini(&m);
}

static struct in6_addr solicited_node(const struct in6_addr *addr)
{
	struct in6_addr group;

	addrconf_addr_solict_mult(addr, &group);
	return group;
}

/* RFC 4862 appendix A: groups are looped back to members, and without nonce (RFC 7527) nothing but that tells. */
static void a_question_that_this_host_itself_sent_is_no_collision(void **state)
{
	struct fixture *f = *state;
	const struct inet6_ifaddr *ifp;

	cpu_lock(f->net->cpu);
	f->idev->cnf.enhanced_dad = f->net->ipv6->devconf_all.enhanced_dad = 0;
	cpu_unlock(f->net->cpu);
	ifp = add(f, &global1, 64, 0);
	test_run_for(f->m, 3 * NSEC_PER_SEC);
	assert_int_equal(ifp->flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED), 0);
}

/* RFC 4861 7.2.8. Uptimes on both sides of where a time in ns might be read as something else. */
static void a_proxy_hears_questions_to_the_solicited_node_group_and_answers(void **state)
{
	struct fixture *f = *state;
	struct in6_addr snm = solicited_node(&global2);
	u8 ns[NDISC_NS_LEN + 8] = { NDISC_NEIGHBOUR_SOLICITATION };

	memcpy(ns + 8, &global2, 16);
	ndisc_build_lladdr(ns + NDISC_NS_LEN, NDISC_OPT_SOURCE_LL_ADDR,
			   (const u8 *)"\2\0\0\0\0\x09", 6);
	cpu_lock(f->net->cpu);
	f->idev->cnf.forwarding = f->idev->cnf.proxy_ndp = 1;
	assert_non_null(pneigh_create(f->net->ipv6->nd_tbl, &global2, f->eth0));
	cpu_unlock(f->net->cpu);
	for (u32 i = 0; i < 5; i++) {
		test_run_for(f->m, 4 * NSEC_PER_SEC);
		sent(f, 0);
		hear(f, &router, &snm, 255, ns, sizeof(ns));
		test_run_for(f->m, 2 * NSEC_PER_SEC);
		assert_int_equal(sent(f, NDISC_NEIGHBOUR_ADVERTISEMENT), 1);
	}
	cpu_lock(f->net->cpu);
	assert_int_equal(pneigh_delete(f->net->ipv6->nd_tbl, &global2, f->eth0), 0);
	assert_false(ipv6_chk_mcast_addr(f->eth0, &snm, NULL));
	cpu_unlock(f->net->cpu);
}

static struct inet6_ifaddr *temp_addr(struct fixture *f, bool deprecated)
{
	struct inet6_ifaddr *ifp;

	list_for_each_entry(ifp, &f->idev->addr_list, node)
		if (ifp->flags & IFA_F_TEMPORARY && !(ifp->flags & IFA_F_TENTATIVE) &&
		    deprecated == !!(ifp->flags & IFA_F_DEPRECATED))
			return ifp;
	return NULL;
}

static void use_tempaddr(struct fixture *f)
{
	cpu_lock(f->net->cpu);
	f->idev->cnf.use_tempaddr = 2;
	f->idev->cnf.max_desync_factor = 0;
	f->idev->cnf.temp_prefered_lft = 100;
	cpu_unlock(f->net->cpu);
}

/* RFC 8981 3.5: made earlier, so that there is always one that is preferred, without another advertisement. */
static void a_temporary_address_has_its_successor_before_it_is_deprecated(void **state)
{
	struct fixture *f = *state;

	use_tempaddr(f);
	advertise(f, 1800, 3600, 3600);
	test_run_for(f->m, 3 * NSEC_PER_SEC);
	for (u32 i = 0; i < 300; i++) {
		const struct inet6_ifaddr *ifp = temp_addr(f, false);

		assert_non_null(ifp);
		test_run_for(f->m, NSEC_PER_SEC);
	}
	assert_non_null(temp_addr(f, true)); /* there was a change */
}

static void temporary_addresses_end_with_the_address_that_manages_them(void **state)
{
	struct fixture *f = *state;
	struct inet6_ifaddr *pub;

	use_tempaddr(f);
	advertise(f, 1800, 3600, 3600);
	test_run_for(f->m, 3 * NSEC_PER_SEC);
	pub = slaac_addr(f);
	cpu_lock(f->net->cpu);
	while (temp_addr(f, false))
		ipv6_del_addr(temp_addr(f, false));
	addrconf_manage_tempaddrs(pub, 0, 0, false); /* what "ip addr del" does first */
	cpu_unlock(f->net->cpu);
	test_run_for(f->m, 3 * NSEC_PER_SEC);
	assert_null(temp_addr(f, false));
}

static void questions_for_routers_leave_time_for_others_whatever_the_interval(void **state)
{
	struct fixture *f = *state;

	cpu_lock(f->net->cpu);
	f->idev->cnf.rtr_solicit_interval = f->idev->cnf.rtr_solicit_max_interval = 0;
	cpu_unlock(f->net->cpu);
	for (u32 i = 0; i < 20; i++) {
		test_run_for(f->m, 100 * NSEC_PER_MSEC);
		assert_true(sent(f, NDISC_ROUTER_SOLICITATION) <= 100);
	}
}

/* Users of two kinds, sockets and the router's own prefixes, count what they share: one must not give back the other's. */
static void an_anycast_address_of_a_socket_outlives_the_link_being_down(void **state)
{
	struct fixture *f = *state;

	cpu_lock(f->net->cpu);
	assert_int_equal(ipv6_dev_ac_inc(f->idev, &global2), 0);
	addrconf_dev_down(f->idev, true);
	addrconf_dev_up(f->eth0);
	assert_true(ipv6_chk_acast_addr(f->net, f->eth0, &global2));
	ipv6_dev_ac_dec(f->idev, &global2);
	assert_false(ipv6_chk_acast_addr(f->net, f->eth0, &global2));
	cpu_unlock(f->net->cpu);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_new_address_is_asked_for_once_and_then_used),
		TEST(somebody_who_asks_for_our_tentative_address_wins),
		TEST(our_own_question_brought_back_is_no_collision),
		TEST(what_comes_from_beyond_the_link_is_not_believed),
		TEST(an_advertisement_brings_address_route_mtu_and_name_server),
		TEST(nobody_cuts_a_lifetime_below_two_hours),
		TEST(a_router_does_not_believe_routers),
		TEST(a_flood_of_advertisements_brings_only_so_many_routes),
		TEST(sources_are_chosen_by_the_rules),
		TEST(an_advertisement_to_all_does_not_come_back),
		TEST(a_neighbour_that_is_silent_is_asked_three_times),
		TEST(disabling_ipv6_takes_everything_and_enabling_brings_it_back),
		TEST(protinfo_has_no_nested_flag),
		TEST(a_question_that_this_host_itself_sent_is_no_collision),
		TEST(a_proxy_hears_questions_to_the_solicited_node_group_and_answers),
		TEST(a_temporary_address_has_its_successor_before_it_is_deprecated),
		TEST(an_anycast_address_of_a_socket_outlives_the_link_being_down),
		TEST(temporary_addresses_end_with_the_address_that_manages_them),
		TEST(questions_for_routers_leave_time_for_others_whatever_the_interval),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
