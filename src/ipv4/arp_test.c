/* SPDX-License-Identifier: BSD-2-Clause */
/* arp_test.c - two nets over a veth: address resolution, echo, datagrams, what is seen in /proc and settings */
#include <errno.h>
#include <netinet/in.h>

#include "core/sysctl.h"
#include "drivers/veth.h"
#include "ipv4/ipv4_test.h"
#include "socket/socket.h"
#include "wire/arp.h"

#include <linux/if_arp.h>

#define A IP(10, 0, 0, 1)
#define B IP(10, 0, 0, 2)

struct fixture {
	struct machine *m;
	struct net *a, *b;
	struct net_device *va, *vb;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->m = ipv4_machine();
	f->a = ipv4_net(f->m, "a");
	f->b = ipv4_net(f->m, "b");
	rtnl_lock(f->m);
	assert_int_equal(veth_create(f->a, "eth0", f->b, "eth0", &f->va, &f->vb), 0);
	rtnl_unlock(f->m);
	link_up(f->va);
	link_up(f->vb);
	assert_int_equal(addr_add(f->va, A, 24), 0);
	assert_int_equal(addr_add(f->vb, B, 24), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	machine_destroy(f->m);
	free(f);
	return 0;
}

/* An echo request of @payload octets from net a to @dst. */
static void ping(struct fixture *f, be32 dst, u32 payload)
{
	struct flowi4 fl = { .daddr = dst };
	struct sk_buff *skb;
	struct icmp_hdr *h;
	struct ip_hdr *iph;
	struct rtable *rt;
	int err;

	cpu_lock(f->a->cpu);
	rt = ip_route_output_key(f->a, &fl, &err);
	assert_non_null(rt);
	skb = alloc_skb(f->a->cpu, 128 + payload);
	skb_reserve(skb, 100);
	h = skb_put_zero(skb, payload);
	h->type = ICMP4_ECHO;
	h->checksum.v = csum_fold(csum_partial(h, payload, 0));
	skb_reset_transport_header(skb);
	iph = skb_push(skb, sizeof(*iph));
	skb_reset_network_header(skb);
	memset(iph, 0, sizeof(*iph));
	iph->ihl_version = 0x45;
	iph->ttl = 64;
	iph->protocol = IPPROTO_ICMP;
	iph->saddr = fl.saddr;
	iph->daddr = dst;
	skb_dst_set(skb, &rt->dst);
	icmp_count_out(f->a, ICMP4_ECHO);
	ip_local_out(f->a, NULL, skb);
	cpu_unlock(f->a->cpu);
}

static u8 neigh_state(struct net_device *dev, be32 addr)
{
	struct neighbour *n;
	u8 state = 0;

	cpu_lock(dev->cpu);
	n = neigh_lookup(dev->net->ipv4->arp_tbl, &addr, dev);
	if (n) {
		state = n->nud_state;
		neigh_release(n);
	}
	cpu_unlock(dev->cpu);
	return state;
}

static void echo_resolves_and_comes_back(void **state)
{
	struct fixture *f = *state;

	ping(f, B, 64);
	test_run_for(f->m, NSEC_PER_MSEC);
	assert_int_equal(f->b->mib[MIB_Icmp_InEchos], 1);
	assert_int_equal(f->b->mib[MIB_Icmp_OutEchoReps], 1);
	assert_int_equal(f->a->mib[MIB_Icmp_InEchoReps], 1);
	assert_int_equal(neigh_state(f->va, B), NUD_REACHABLE);
	/* B has heard A asking. */
	assert_true(neigh_state(f->vb, A) & NUD_VALID);
	assert_int_equal(f->a->ipv4->icmp_msg_in[0], 1);
	assert_int_equal(f->a->ipv4->icmp_msg_out[8], 1);
}

static void echo_to_ourselves_stays_inside(void **state)
{
	struct fixture *f = *state;

	ping(f, A, 64);
	ping(f, IP(127, 0, 0, 1), 64);
	test_run_for(f->m, NSEC_PER_MSEC);
	assert_int_equal(f->a->mib[MIB_Icmp_InEchos], 2);
	assert_int_equal(f->a->mib[MIB_Icmp_InEchoReps], 2);
	assert_int_equal(f->b->mib[MIB_Ip_InReceives], 0);
}

static void nobody_there_is_reported_to_the_sender(void **state)
{
	struct fixture *f = *state;

	ping(f, IP(10, 0, 0, 77), 64);
	assert_int_equal(neigh_state(f->va, IP(10, 0, 0, 77)), NUD_INCOMPLETE);
	test_run_for(f->m, 4 * NSEC_PER_SEC);
	assert_int_equal(neigh_state(f->va, IP(10, 0, 0, 77)), NUD_FAILED);
	assert_int_equal(f->a->mib[MIB_Icmp_InDestUnreachs], 1);
	assert_int_equal(drops(f->a, SKB_DROP_NEIGH_FAILED), 1);
	assert_int_equal(drops(f->b, SKB_DROP_ARP_IGNORED), 3);
}

static void big_echo_is_fragmented(void **state)
{
	struct fixture *f = *state;

	ping(f, B, 4000);
	test_run_for(f->m, NSEC_PER_MSEC);
	assert_int_equal(f->a->mib[MIB_Ip_FragCreates], 3);
	assert_int_equal(f->b->mib[MIB_Ip_ReasmReqds], 3);
	assert_int_equal(f->b->mib[MIB_Ip_ReasmOKs], 1);
	assert_int_equal(f->b->mib[MIB_Icmp_InEchos], 1);
	/* The answer has to be cut too. */
	assert_int_equal(f->b->mib[MIB_Ip_FragCreates], 3);
	assert_int_equal(f->a->mib[MIB_Icmp_InEchoReps], 1);
}

/* ---- ARP by hand ------------------------------------------------------------------------------------------- */

static const u8 station[] = { 2, 0, 0, 0, 0, 0x42 };

/* Feeds one ARP packet to net b. Returns the reason of the drop, 0: none. */
static u32 feed_arp(struct fixture *f, struct arp_view v, u32 len, u8 pkt_type)
{
	struct sk_buff *skb;
	u64 before[SKB_DROP_MAX];
	u32 reason = 0;

	if (!v.htype)
		v.htype = ARPHRD_ETHER;
	if (!v.ptype)
		v.ptype = ETH_P_IP;
	if (!v.sha)
		v.sha = station;
	v.hlen = 6;
	cpu_lock(f->m->cpus[0]);
	skb = netdev_alloc_skb(f->vb, 64);
	skb_reserve(skb, 2 + ETH_HLEN);
	skb->mac_header = (u16)(skb->data - skb->head - ETH_HLEN);
	skb_reset_network_header(skb);
	arp_build(skb_put(skb, ARP_LEN(6)), &v);
	pskb_trim(skb, len);
	skb->protocol = BE16_INIT(ETH_P_ARP);
	skb->pkt_type = pkt_type;
	for (u16 i = 0; i < SKB_DROP_MAX; i++)
		before[i] = net_drops(f->b, i);
	arp_rcv(skb, f->vb, NULL);
	for (u16 i = 0; i < SKB_DROP_MAX; i++)
		if (net_drops(f->b, i) != before[i])
			reason = i;
	cpu_unlock(f->m->cpus[0]);
	return reason;
}

static void malformed_arp_has_a_reason(void **state)
{
	struct fixture *f = *state;
	static const u8 everybody[] = { 255, 255, 255, 255, 255, 255 };
	const struct {
		struct arp_view v;
		u32 len, reason;
		u8 pkt_type;
	} cases[] = {
		{ { .op = 1, .sip = A, .tip = B }, 27, SKB_DROP_ARP_SHORT, 0 },
		{ { .op = 1, .sip = A, .tip = B, .htype = 6 }, 28, SKB_DROP_ARP_TYPE, 0 },
		{ { .op = 1, .sip = A, .tip = B, .ptype = 0x86dd }, 28, SKB_DROP_ARP_TYPE, 0 },
		{ { .op = 3, .sip = A, .tip = B }, 28, SKB_DROP_ARP_OP, 0 },
		{ { .op = 1, .sip = A, .tip = IP(224, 0, 0, 1) }, 28, SKB_DROP_ARP_ADDR, 0 },
		{ { .op = 1, .sip = A, .tip = IP(127, 0, 0, 1) }, 28, SKB_DROP_ARP_ADDR, 0 },
		{ { .op = 1, .sip = A, .tip = B, .sha = everybody }, 28, SKB_DROP_ARP_ADDR, 0 },
		{ { .op = 1, .sip = A, .tip = IP(10, 0, 0, 9) }, 28, SKB_DROP_ARP_IGNORED, 0 },
		{ { .op = 1, .sip = A, .tip = B }, 28, SKB_DROP_OTHERHOST, SKB_PACKET_OTHERHOST },
		{ { .op = 1, .sip = A, .tip = B }, 28, 0, 0 },
	};

	for (u32 i = 0; i < ARRAY_SIZE(cases); i++) {
		u32 reason = feed_arp(f, cases[i].v, cases[i].len, cases[i].pkt_type);

		if (reason != cases[i].reason)
			fail_msg("case %u: %s", i, drop_reason_name(f->m, (u16)reason));
	}
}

static void questions_create_entries_chatter_does_not(void **state)
{
	struct fixture *f = *state;

	feed_arp(f, (struct arp_view){ .op = ARP_OP_REQUEST, .sip = IP(10, 0, 0, 5), .tip = B }, 28,
		 SKB_PACKET_BROADCAST);
	assert_int_equal(neigh_state(f->vb, IP(10, 0, 0, 5)), NUD_STALE);
	feed_arp(f, (struct arp_view){ .op = ARP_OP_REQUEST, .sip = IP(10, 0, 0, 6), .tip = A }, 28,
		 SKB_PACKET_BROADCAST);
	feed_arp(f, (struct arp_view){ .op = ARP_OP_REPLY, .sip = IP(10, 0, 0, 7), .tip = A }, 28,
		 0);
	assert_int_equal(neigh_state(f->vb, IP(10, 0, 0, 6)), 0);
	assert_int_equal(neigh_state(f->vb, IP(10, 0, 0, 7)), 0);
	/* gratuitous: creates only with arp_accept */
	feed_arp(f,
		 (struct arp_view){
			 .op = ARP_OP_REQUEST, .sip = IP(10, 0, 0, 8), .tip = IP(10, 0, 0, 8) },
		 28, SKB_PACKET_BROADCAST);
	assert_int_equal(neigh_state(f->vb, IP(10, 0, 0, 8)), 0);
	((struct in_device *)f->vb->ip_ptr)->arp_accept = 1;
	feed_arp(f,
		 (struct arp_view){
			 .op = ARP_OP_REQUEST, .sip = IP(10, 0, 0, 8), .tip = IP(10, 0, 0, 8) },
		 28, SKB_PACKET_BROADCAST);
	assert_int_equal(neigh_state(f->vb, IP(10, 0, 0, 8)), NUD_STALE);
}

/* RFC 1122 3.2.1.3: no host has it; an entry for it would only wait to be used. */
static void a_question_from_the_broadcast_address_is_ignored(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(feed_arp(f,
				  (struct arp_view){ .op = 1, .sip = IP(10, 0, 0, 255), .tip = B },
				  28, SKB_PACKET_BROADCAST),
			 SKB_DROP_ARP_IGNORED);
}

static u64 replies(const struct fixture *f)
{
	return f->vb->stats.tx_packets;
}

/* b is a router between two links, and answers on one for those on the other. */
static void a_proxy_answers_after_a_while(void **state)
{
	struct fixture *f = *state;
	const struct arp_view ask = { .op = ARP_OP_REQUEST, .sip = A, .tip = IP(10, 0, 1, 7) };
	struct net_device *eth1 = test_netdev(f->b, "eth1", true);
	struct neigh_table *tbl = f->b->ipv4->arp_tbl;
	struct in_device *in_dev = f->vb->ip_ptr;
	be32 key = ask.tip;
	u64 sent;

	assert_int_equal(addr_add(eth1, IP(10, 0, 1, 1), 24), 0);
	cpu_lock(f->b->cpu);
	ipv4_set_forwarding(f->b, true);
	cpu_unlock(f->b->cpu);
	assert_int_equal(feed_arp(f, ask, 28, SKB_PACKET_BROADCAST), SKB_DROP_ARP_IGNORED);
	in_dev->proxy_arp = 1;
	sent = replies(f);
	assert_int_equal(feed_arp(f, ask, 28, SKB_PACKET_BROADCAST), 0);
	assert_int_equal(replies(f), sent); /* who has the address himself may answer first */
	test_run_for(f->m, NSEC_PER_SEC);
	assert_int_equal(replies(f), sent + 1);
	feed_arp(f, ask, 28, SKB_PACKET_HOST); /* asked directly: at once */
	assert_int_equal(replies(f), sent + 2);
	in_dev->medium_id = -1;
	feed_arp(f, ask, 28, SKB_PACKET_HOST);
	assert_int_equal(replies(f), sent + 2);
	in_dev->medium_id = 0;

	/* Questions that wait are bounded. */
	in_dev->arp_parms->proxy_qlen = 2;
	for (u32 i = 0; i < 2; i++)
		assert_int_equal(feed_arp(f, ask, 28, SKB_PACKET_BROADCAST), 0);
	assert_int_equal(feed_arp(f, ask, 28, SKB_PACKET_BROADCAST), SKB_DROP_NEIGH_QUEUEFULL);
	test_run_for(f->m, NSEC_PER_SEC);

	/* A single address, and an address of the same link among stations that do not hear each other. */
	in_dev->proxy_arp = 0;
	cpu_lock(f->b->cpu);
	assert_non_null(pneigh_create(tbl, &key, NULL));
	cpu_unlock(f->b->cpu);
	sent = replies(f);
	feed_arp(f, ask, 28, SKB_PACKET_HOST);
	assert_int_equal(replies(f), sent + 1);
	cpu_lock(f->b->cpu);
	assert_int_equal(pneigh_delete(tbl, &key, f->vb), -ENOENT);
	assert_int_equal(pneigh_delete(tbl, &key, NULL), 0);
	cpu_unlock(f->b->cpu);
	feed_arp(f, ask, 28, SKB_PACKET_HOST);
	assert_int_equal(replies(f), sent + 1);
	in_dev->proxy_arp_pvlan = 1;
	feed_arp(f, (struct arp_view){ .op = ARP_OP_REQUEST, .sip = A, .tip = IP(10, 0, 0, 9) }, 28,
		 SKB_PACKET_HOST);
	assert_int_equal(replies(f), sent + 2);
	feed_arp(f, ask, 28, SKB_PACKET_BROADCAST); /* one that waits when the device goes */
	test_netdev_del(eth1);
}

static void announcements_are_heard_as_the_settings_say(void **state)
{
	struct fixture *f = *state;
	struct in_device *in_dev = f->vb->ip_ptr;
	const struct arp_view far = { .op = ARP_OP_REQUEST,
				      .sip = IP(99, 0, 0, 8),
				      .tip = IP(99, 0, 0, 8) };
	const struct arp_view near = { .op = ARP_OP_REQUEST,
				       .sip = IP(10, 0, 0, 8),
				       .tip = IP(10, 0, 0, 8) };

	in_dev->arp_accept = 2;
	feed_arp(f, far, 28, SKB_PACKET_BROADCAST);
	assert_int_equal(neigh_state(f->vb, far.sip), 0);
	feed_arp(f, near, 28, SKB_PACKET_BROADCAST);
	assert_int_equal(neigh_state(f->vb, near.sip), NUD_STALE);
	in_dev->drop_gratuitous_arp = 1;
	assert_int_equal(feed_arp(f, near, 28, SKB_PACKET_BROADCAST), SKB_DROP_ARP_GRATUITOUS);
}

static u32 nr_unicast, nr_broadcast;

static void count_questions(struct packet_tap *tap, const struct sk_buff *skb,
			    struct net_device *dev, bool outgoing)
{
	if (!outgoing)
		return;
	nr_broadcast += skb_mac_header(skb)[0] == 0xff;
	nr_unicast += skb_mac_header(skb)[0] != 0xff;
}

/* RFC 1122 2.3.2.1: as many as ucast_solicit says; so does Linux. */
static void a_known_neighbour_is_probed_three_times_and_alone(void **state)
{
	static const u8 lladdr[6] = { 2, 0, 0, 0, 0, 77 };
	struct fixture *f = *state;
	struct packet_tap tap = { .dev = f->va, .type = ETH_P_ALL, .func = count_questions };
	be32 addr = IP(10, 0, 0, 77);
	struct neighbour *n;
	int err;

	nr_unicast = nr_broadcast = 0;
	cpu_lock(f->a->cpu);
	dev_add_tap(f->a, &tap);
	n = neigh_create(f->a->ipv4->arp_tbl, &addr, f->va, &err);
	assert_non_null(n);
	assert_int_equal(neigh_update(n, lladdr, NUD_PROBE, NEIGH_UPDATE_F_ADMIN), 0);
	neigh_release(n);
	cpu_unlock(f->a->cpu);
	test_run_for(f->m, 10 * NSEC_PER_SEC);
	assert_int_equal(neigh_state(f->va, addr), NUD_FAILED);
	assert_int_equal(nr_unicast, 3);
	assert_int_equal(nr_broadcast, 0);
	cpu_lock(f->a->cpu);
	dev_remove_tap(&tap);
	cpu_unlock(f->a->cpu);
}

static void entries_go_with_the_carrier(void **state)
{
	struct fixture *f = *state;

	feed_arp(f, (struct arp_view){ .op = ARP_OP_REQUEST, .sip = IP(10, 0, 0, 5), .tip = B }, 28,
		 SKB_PACKET_BROADCAST);
	neigh_set(f->vb, IP(10, 0, 0, 6));
	link_down(f->va); /* the other end of the cable */
	test_run_for(f->m, NSEC_PER_SEC);
	assert_int_equal(neigh_state(f->vb, IP(10, 0, 0, 5)), 0);
	assert_int_equal(neigh_state(f->vb, IP(10, 0, 0, 6)), NUD_PERMANENT);
}

/* RFC 5227 2.1.1: a probe for our address is answered, to the prober. */
static void a_probe_for_our_address_is_answered(void **state)
{
	struct fixture *f = *state;
	u64 sent = replies(f);

	feed_arp(f, (struct arp_view){ .op = ARP_OP_REQUEST, .sip = IP(0, 0, 0, 0), .tip = B }, 28,
		 SKB_PACKET_BROADCAST);
	assert_int_equal(replies(f), sent + 1);
	assert_int_equal(neigh_state(f->vb, IP(0, 0, 0, 0)), 0);
	feed_arp(f,
		 (struct arp_view){
			 .op = ARP_OP_REQUEST, .sip = IP(0, 0, 0, 0), .tip = IP(10, 0, 0, 9) },
		 28, SKB_PACKET_BROADCAST);
	assert_int_equal(replies(f), sent + 1);
}

static void arp_ignore_keeps_silent(void **state)
{
	struct fixture *f = *state;
	u64 sent = f->vb->stats.tx_packets;

	addr_add(f->b->loopback_dev, IP(192, 168, 9, 9), 32);
	assert_int_equal(feed_arp(f,
				  (struct arp_view){ .op = 1, .sip = A, .tip = IP(192, 168, 9, 9) },
				  28, 0),
			 0);
	((struct in_device *)f->vb->ip_ptr)->arp_ignore = 1;
	assert_int_equal(feed_arp(f,
				  (struct arp_view){ .op = 1,
						     .sip = IP(10, 0, 0, 9),
						     .tip = IP(192, 168, 9, 9) },
				  28, 0),
			 SKB_DROP_ARP_IGNORED);
	test_run_for(f->m, NSEC_PER_MSEC);
	assert_int_equal(f->vb->stats.tx_packets, sent + 1);
	/* RFC 5227 2.1.1: a probe for our address */
	assert_int_equal(
		feed_arp(f, (struct arp_view){ .op = 1, .tip = B }, 28, SKB_PACKET_BROADCAST), 0);
	test_run_for(f->m, NSEC_PER_MSEC);
	assert_int_equal(f->vb->stats.tx_packets, sent + 2);
}

/* ---- sockets ------------------------------------------------------------------------------------------------ */

static ssize_t udp_send(struct file *f, be32 dst, u16 port, u32 len)
{
	static u8 data[65536];
	struct sockaddr_storage ss = { 0 };
	struct sockaddr_in *sin = (struct sockaddr_in *)&ss;
	struct iovec iov = { data, len };
	struct kmsghdr msg = { .name = &ss, .namelen = sizeof(*sin), .flags = MSG_DONTWAIT };

	sin->sin_family = AF_INET;
	sin->sin_addr.s_addr = dst.v;
	sin->sin_port = htons(port);
	iov_iter_init(&msg.iter, &iov, 1, len);
	return sys_sendmsg(f, &msg);
}

static void datagrams_arrive_or_are_refused(void **state)
{
	struct fixture *f = *state;
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_port = htons(9) };
	struct file *sa, *sb;
	int on = IP_PMTUDISC_DO;

	assert_int_equal(sock_create_file(f->a, AF_INET, SOCK_DGRAM, 0, &sa), 0);
	assert_int_equal(sock_create_file(f->b, AF_INET, SOCK_DGRAM, 0, &sb), 0);
	assert_int_equal(sys_bind(sb, (struct sockaddr *)&sin, sizeof(sin)), 0);
	assert_int_equal(udp_send(sa, B, 9, 1000), 1000);
	test_run_for(f->m, NSEC_PER_MSEC);
	assert_int_equal(f->b->mib[MIB_Udp_InDatagrams] + f->b->mib[MIB_Ip_InDelivers] > 0, 1);
	assert_int_equal(f->b->mib[MIB_Udp_NoPorts], 0);
	assert_int_equal(udp_send(sa, B, 10, 1000), 1000);
	test_run_for(f->m, NSEC_PER_MSEC);
	assert_int_equal(f->b->mib[MIB_Udp_NoPorts], 1);
	assert_int_equal(f->a->mib[MIB_Icmp_InDestUnreachs], 1);
	/* larger than the path: cut, unless the program forbids it (ip(7), IP_MTU_DISCOVER) */
	assert_int_equal(udp_send(sa, B, 9, 5000), 5000);
	test_run_for(f->m, NSEC_PER_MSEC);
	assert_int_equal(f->a->mib[MIB_Ip_FragCreates], 4);
	assert_int_equal(f->b->mib[MIB_Ip_ReasmOKs], 1);
	assert_int_equal(udp_send(sa, B, 9, 65507), 65507);
	assert_int_equal(udp_send(sa, B, 9, 65508), -EMSGSIZE);
	assert_int_equal(sys_setsockopt(sa, IPPROTO_IP, IP_MTU_DISCOVER, &on, sizeof(on)), 0);
	assert_int_equal(udp_send(sa, B, 9, 1473), -EMSGSIZE);
	assert_int_equal(udp_send(sa, B, 9, 1472), 1472);
	assert_int_equal(udp_send(sa, IP(8, 8, 8, 8), 9, 10), -ENETUNREACH);
	test_run_for(f->m, NSEC_PER_MSEC);
	file_put(sa);
	file_put(sb);
}

static void broadcasts_reach_everybody_and_ourselves(void **state)
{
	struct fixture *f = *state;
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_port = htons(9) };
	struct file *sa, *sb;
	int on = 1;

	assert_int_equal(sock_create_file(f->a, AF_INET, SOCK_DGRAM, 0, &sa), 0);
	assert_int_equal(sock_create_file(f->b, AF_INET, SOCK_DGRAM, 0, &sb), 0);
	assert_int_equal(sys_bind(sa, (struct sockaddr *)&sin, sizeof(sin)), 0);
	assert_int_equal(sys_bind(sb, (struct sockaddr *)&sin, sizeof(sin)), 0);
	assert_int_equal(udp_send(sa, IP(10, 0, 0, 255), 9, 100), -EACCES);
	assert_int_equal(sys_setsockopt(sa, SOL_SOCKET, SO_BROADCAST, &on, sizeof(on)), 0);
	assert_int_equal(udp_send(sa, IP(10, 0, 0, 255), 9, 100), 100);
	test_run_for(f->m, NSEC_PER_MSEC);
	assert_int_equal(f->a->mib[MIB_IpExt_OutBcastPkts], 1);
	assert_int_equal(f->a->mib[MIB_IpExt_InBcastPkts], 1);
	assert_int_equal(f->b->mib[MIB_IpExt_InBcastPkts], 1);
	assert_int_equal(f->b->mib[MIB_Ip_InDelivers], 1);
	file_put(sa);
	file_put(sb);
}

/* a -- b(router) -- c, the second link takes 1000 octets. Returns c. */
static struct net *behind_a_router(struct fixture *f)
{
	struct net *c = ipv4_net(f->m, "c");
	struct net_device *vb2, *vc;

	rtnl_lock(f->m);
	assert_int_equal(veth_create(f->b, "eth1", c, "eth0", &vb2, &vc), 0);
	assert_int_equal(dev_set_mtu(vb2, 1000, NULL), 0);
	rtnl_unlock(f->m);
	link_up(vb2);
	link_up(vc);
	assert_int_equal(addr_add(vb2, IP(10, 0, 1, 1), 24), 0);
	assert_int_equal(addr_add(vc, IP(10, 0, 1, 2), 24), 0);
	assert_int_equal(route_request(f->a, (struct route_spec){ .gw = B }), 0);
	assert_int_equal(route_request(c, (struct route_spec){ .gw = IP(10, 0, 1, 1) }), 0);
	assert_int_equal(view_write(f->b, "/proc/sys/net/ipv4/ip_forward", "1", 1), 0);
	return c;
}

/* RFC 1191 end to end. */
static void path_mtu_is_discovered_through_a_router(void **state)
{
	struct fixture *f = *state;
	struct net *c = behind_a_router(f);
	struct route_answer r;
	struct file *sa;
	int on = IP_PMTUDISC_DO;

	assert_int_equal(sock_create_file(f->a, AF_INET, SOCK_DGRAM, 0, &sa), 0);
	assert_int_equal(sys_setsockopt(sa, IPPROTO_IP, IP_MTU_DISCOVER, &on, sizeof(on)), 0);
	assert_int_equal(udp_send(sa, IP(10, 0, 1, 2), 9, 1400), 1400);
	test_run_for(f->m, NSEC_PER_MSEC);
	assert_int_equal(drops(f->b, SKB_DROP_IP_PKT_TOO_BIG), 1);
	assert_int_equal(f->a->mib[MIB_Icmp_InDestUnreachs], 1);
	assert_int_equal(route_get(f->a, IP(10, 0, 1, 2), &r), 0);
	assert_int_equal(r.mtu, 1000);
	udp_send(sa, IP(10, 0, 1, 2), 9, 1); /* takes a pending error, if there is one */
	assert_int_equal(udp_send(sa, IP(10, 0, 1, 2), 9, 973), -EMSGSIZE);
	assert_int_equal(udp_send(sa, IP(10, 0, 1, 2), 9, 972), 972);
	test_run_for(f->m, NSEC_PER_MSEC);
	assert_true(c->mib[MIB_Udp_NoPorts] >= 1);
	file_put(sa);
}

/* ip(7): IP_PMTUDISC_PROBE sets DF and ignores what was learnt. */
static void a_probe_ignores_the_learnt_path_mtu(void **state)
{
	struct fixture *f = *state;
	struct file *sa;
	int probe = IP_PMTUDISC_PROBE;

	behind_a_router(f);
	cpu_lock(f->a->cpu);
	learn_pmtu(f->a, IP(10, 0, 1, 2), 900);
	cpu_unlock(f->a->cpu);
	assert_int_equal(sock_create_file(f->a, AF_INET, SOCK_DGRAM, 0, &sa), 0);
	assert_int_equal(sys_setsockopt(sa, IPPROTO_IP, IP_MTU_DISCOVER, &probe, sizeof(probe)), 0);
	assert_int_equal(udp_send(sa, IP(10, 0, 1, 2), 9, 1400), 1400);
	test_run_for(f->m, NSEC_PER_MSEC);
	assert_int_equal(drops(f->b, SKB_DROP_IP_PKT_TOO_BIG), 1);
	file_put(sa);
}

/* Or each packet would look its neighbour up. */
static void a_route_through_a_gateway_keeps_its_neighbour(void **state)
{
	struct fixture *f = *state;
	struct flowi4 fl = { .daddr = IP(10, 0, 1, 2) };
	struct rtable *rt;
	struct file *sa;
	int err;

	behind_a_router(f);
	assert_int_equal(sock_create_file(f->a, AF_INET, SOCK_DGRAM, 0, &sa), 0);
	assert_int_equal(udp_send(sa, IP(10, 0, 1, 2), 9, 100), 100);
	cpu_lock(f->a->cpu);
	rt = ip_route_output_key(f->a, &fl, &err);
	assert_non_null(rt);
	assert_non_null(rt->dst.neigh);
	ip_rt_put(rt);
	cpu_unlock(f->a->cpu);
	file_put(sa);
}

/* ---- views and settings --------------------------------------------------------------------------------------- */

static char *view(struct net *net, const char *path)
{
	struct text t = { 0 };

	if (view_read(net, path, &t)) {
		text_free(&t);
		return NULL;
	}
	return t.buf;
}

static void views_look_like_linux(void **state)
{
	struct fixture *f = *state;
	char *s;

	route_request(f->a, (struct route_spec){ .gw = B });
	ping(f, B, 64);
	test_run_for(f->m, NSEC_PER_MSEC);

	s = view(f->a, "/proc/net/route");
	assert_non_null(s);
	assert_int_equal(strcspn(s, "\n"), 127);
	assert_non_null(strstr(s, "\neth0\t00000000\t0200000A\t0003\t0\t0\t0\t00000000\t0\t0\t0 "));
	assert_non_null(strstr(s, "\neth0\t0000000A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0 "));
	free(s);
	s = view(f->a, "/proc/net/arp");
	assert_non_null(s);
	assert_non_null(strstr(s, "\n10.0.0.2         0x1         0x2         "));
	assert_non_null(strstr(s, "     *        eth0\n"));
	free(s);
	s = view(f->a, "/proc/net/snmp");
	assert_non_null(s);
	assert_non_null(strstr(s, "Ip: Forwarding DefaultTTL InReceives "));
	assert_non_null(strstr(s, "\nIp: 2 64 1 "));
	assert_non_null(strstr(s, "\nIcmpMsg: InType0 OutType8\nIcmpMsg: 1 1\n"));
	assert_non_null(strstr(s, "\nTcp: 1 200 120000 -1 "));
	free(s);
	s = view(f->a, "/proc/net/netstat");
	assert_non_null(s);
	assert_non_null(strstr(s, "IpExt: InNoRoutes "));
	free(s);
}

static void forwarding_is_one_setting_for_all(void **state)
{
	struct fixture *f = *state;
	char *s;

	assert_int_equal(view_write(f->a, "/proc/sys/net/ipv4/ip_forward", "1\n", 2), 0);
	s = view(f->a, "/proc/sys/net/ipv4/conf/eth0/forwarding");
	assert_string_equal(s, "1\n");
	free(s);
	assert_int_equal(view_write(f->a, "/proc/sys/net/ipv4/conf/all/forwarding", "0\n", 2), 0);
	s = view(f->a, "/proc/sys/net/ipv4/ip_forward");
	assert_string_equal(s, "0\n");
	free(s);
	s = view(f->a, "/proc/sys/net/ipv4/conf/eth0/forwarding");
	assert_string_equal(s, "0\n");
	free(s);
	s = view(f->b, "/proc/sys/net/ipv4/neigh/default/gc_thresh3");
	assert_string_equal(s, "1024\n");
	free(s);
	s = view(f->b, "/proc/sys/net/ipv4/neigh/eth0/base_reachable_time_ms");
	assert_string_equal(s, "30000\n");
	free(s);
	assert_int_equal(view_write(f->a, "/proc/sys/net/ipv4/ip_default_ttl", "0\n", 2), -EINVAL);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(echo_resolves_and_comes_back),
		T(echo_to_ourselves_stays_inside),
		T(nobody_there_is_reported_to_the_sender),
		T(big_echo_is_fragmented),
		T(malformed_arp_has_a_reason),
		T(questions_create_entries_chatter_does_not),
		T(a_question_from_the_broadcast_address_is_ignored),
		T(a_proxy_answers_after_a_while),
		T(announcements_are_heard_as_the_settings_say),
		T(a_known_neighbour_is_probed_three_times_and_alone),
		T(entries_go_with_the_carrier),
		T(a_probe_for_our_address_is_answered),
		T(arp_ignore_keeps_silent),
		T(datagrams_arrive_or_are_refused),
		T(broadcasts_reach_everybody_and_ourselves),
		T(path_mtu_is_discovered_through_a_router),
		T(a_probe_ignores_the_learnt_path_mtu),
		T(a_route_through_a_gateway_keeps_its_neighbour),
		T(views_look_like_linux),
		T(forwarding_is_one_setting_for_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
