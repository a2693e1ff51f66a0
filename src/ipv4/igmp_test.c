/* SPDX-License-Identifier: BSD-2-Clause */
/* igmp_test.c - groups of sockets and devices: who receives what, and what routers are told in each version of IGMP */
#include <netinet/in.h>

#include "core/sysctl.h"
#include "drivers/veth.h"
#include "ipv4/igmp.h"
#include "ipv4/ipv4_test.h"
#include "socket/socket.h"

#define A     IP(10, 0, 0, 1)
#define B     IP(10, 0, 0, 2)
#define GROUP IP(239, 1, 2, 3)
#define OTHER IP(239, 1, 2, 4)
#define SRC1  IP(10, 0, 0, 2)
#define SRC2  IP(10, 0, 0, 3)
#define PORT  9

struct fixture {
	struct machine *m;
	struct net *a, *b;                 /* joined by va, vb */
	struct net_device *va, *vb, *eth1; /* eth1: of a; keeps what it sends */
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
	f->eth1 = test_netdev(f->a, "eth1", true);
	assert_int_equal(addr_add(f->eth1, IP(10, 0, 1, 1), 24), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	test_netdev_del(f->eth1);
	machine_destroy(f->m);
	free(f);
	return 0;
}

static struct file *udp_socket(struct net *net)
{
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_port = htons(PORT) };
	struct file *file;
	int on = 1;

	assert_int_equal(sock_create_file(net, AF_INET, SOCK_DGRAM, 0, &file), 0);
	assert_int_equal(sys_setsockopt(file, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)), 0);
	assert_int_equal(sys_bind(file, (struct sockaddr *)&sin, sizeof(sin)), 0);
	return file;
}

static int member(struct file *file, int name, be32 group, struct net_device *dev)
{
	struct ip_mreqn m = { .imr_multiaddr.s_addr = group.v,
			      .imr_ifindex = dev ? dev->ifindex : 0 };

	return sys_setsockopt(file, IPPROTO_IP, name, &m, sizeof(m));
}

/* By the address of the device. */
static int source(struct file *file, int name, be32 group, be32 dev_addr, be32 src)
{
	struct ip_mreq_source m = { .imr_multiaddr.s_addr = group.v,
				    .imr_interface.s_addr = dev_addr.v,
				    .imr_sourceaddr.s_addr = src.v };

	return sys_setsockopt(file, IPPROTO_IP, name, &m, sizeof(m));
}

static void send_to(struct fixture *f, struct file *file, be32 dst)
{
	struct sockaddr_storage ss = { 0 };
	struct sockaddr_in *sin = (struct sockaddr_in *)&ss;
	struct iovec iov = { (void *)"hello", 5 };
	struct kmsghdr msg = { .name = &ss, .namelen = sizeof(*sin), .flags = MSG_DONTWAIT };

	sin->sin_family = AF_INET;
	sin->sin_addr.s_addr = dst.v;
	sin->sin_port = htons(PORT);
	iov_iter_init(&msg.iter, &iov, 1, 5);
	assert_int_equal(sys_sendmsg(file, &msg), 5);
	test_run_for(f->m, NSEC_PER_MSEC);
}

/* How many datagrams wait at @file. */
static u32 received(struct file *file)
{
	u8 buf[16];
	u32 n = 0;

	for (;;) {
		struct iovec iov = { buf, sizeof(buf) };
		struct kmsghdr msg = { .flags = MSG_DONTWAIT };

		iov_iter_init(&msg.iter, &iov, 1, sizeof(buf));
		if (sys_recvmsg(file, &msg) != 5)
			return n;
		n++;
	}
}

/* ---- delivery ------------------------------------------------------------------------------------------------- */

static void members_receive_others_do_not(void **state)
{
	struct fixture *f = *state;
	struct file *sa = udp_socket(f->a), *sb = udp_socket(f->b);

	assert_int_equal(member(sa, IP_MULTICAST_IF, (be32){ 0 }, f->va), 0);
	send_to(f, sa, GROUP);
	assert_int_equal(received(sb), 0);
	assert_int_equal(drops(f->b, SKB_DROP_IP_MULTICAST_NOT_JOINED), 1);
	assert_int_equal(member(sb, IP_ADD_MEMBERSHIP, GROUP, f->vb), 0);
	send_to(f, sa, GROUP);
	assert_int_equal(received(sb), 1);
	send_to(f, sa, OTHER);
	assert_int_equal(received(sb), 0);
	assert_int_equal(received(sa), 0); /* no member itself */
	assert_int_equal(member(sb, IP_DROP_MEMBERSHIP, GROUP, f->vb), 0);
	send_to(f, sa, GROUP);
	assert_int_equal(received(sb), 0);
	file_put(sa);
	file_put(sb);
}

static void own_packets_come_back_unless_switched_off(void **state)
{
	struct fixture *f = *state;
	struct file *sa = udp_socket(f->a);
	int off = 0;

	assert_int_equal(member(sa, IP_MULTICAST_IF, (be32){ 0 }, f->va), 0);
	assert_int_equal(member(sa, IP_ADD_MEMBERSHIP, GROUP, f->va), 0);
	send_to(f, sa, GROUP);
	assert_int_equal(received(sa), 1);
	assert_int_equal(sys_setsockopt(sa, IPPROTO_IP, IP_MULTICAST_LOOP, &off, sizeof(off)), 0);
	send_to(f, sa, GROUP);
	assert_int_equal(received(sa), 0);
	file_put(sa);
}

static void sources_are_filtered_per_socket(void **state)
{
	struct fixture *f = *state;
	struct file *sa = udp_socket(f->a), *all = udp_socket(f->b), *block = udp_socket(f->b),
		    *only = udp_socket(f->b), *none = udp_socket(f->b);
	int off = 0;

	assert_int_equal(member(sa, IP_MULTICAST_IF, (be32){ 0 }, f->va), 0);
	assert_int_equal(member(all, IP_ADD_MEMBERSHIP, GROUP, f->vb), 0);
	assert_int_equal(member(block, IP_ADD_MEMBERSHIP, GROUP, f->vb), 0);
	assert_int_equal(source(block, IP_BLOCK_SOURCE, GROUP, B, A), 0);
	assert_int_equal(source(only, IP_ADD_SOURCE_MEMBERSHIP, GROUP, B, SRC2), 0);
	assert_int_equal(sys_setsockopt(none, IPPROTO_IP, IP_MULTICAST_ALL, &off, sizeof(off)), 0);
	send_to(f, sa, GROUP);
	assert_int_equal(received(all), 1);
	assert_int_equal(received(block), 0);
	assert_int_equal(received(only), 0);
	assert_int_equal(received(none), 0);
	assert_int_equal(source(block, IP_UNBLOCK_SOURCE, GROUP, B, A), 0);
	assert_int_equal(source(only, IP_ADD_SOURCE_MEMBERSHIP, GROUP, B, A), 0);
	send_to(f, sa, GROUP);
	assert_int_equal(received(block), 1);
	assert_int_equal(received(only), 1);
	file_put(sa);
	file_put(all);
	file_put(block);
	file_put(only);
	file_put(none);
}

/* Nobody on the device wants the source: the IP layer drops it. */
static void unwanted_source_is_dropped_for_the_device(void **state)
{
	struct fixture *f = *state;
	struct file *sa = udp_socket(f->a), *only = udp_socket(f->b);

	assert_int_equal(member(sa, IP_MULTICAST_IF, (be32){ 0 }, f->va), 0);
	assert_int_equal(source(only, IP_ADD_SOURCE_MEMBERSHIP, GROUP, B, SRC2), 0);
	send_to(f, sa, GROUP);
	assert_int_equal(drops(f->b, SKB_DROP_IP_MULTICAST_NOT_JOINED), 1);
	assert_int_equal(source(only, IP_ADD_SOURCE_MEMBERSHIP, GROUP, B, A), 0);
	send_to(f, sa, GROUP);
	assert_int_equal(received(only), 1);
	file_put(sa);
	file_put(only);
}

static void options_answer_as_ip7_says(void **state)
{
	struct fixture *f = *state;
	struct file *s = udp_socket(f->a), *tcp;
	struct group_req g = { .gr_interface = (u32)f->va->ifindex };
	struct group_source_req gs = { .gsr_interface = (u32)f->va->ifindex };
	u32 filter[6] = { GROUP.v, A.v, MCAST_EXCLUDE, 2, SRC1.v, SRC2.v }, got[6];
	u8 gf_buf[GROUP_FILTER_SIZE(4)] __attribute__((aligned(8))) = { 0 };
	struct group_filter *gf = (struct group_filter *)gf_buf;
	socklen_t len = sizeof(got);
	struct ip_mreqn none = { .imr_multiaddr.s_addr = GROUP.v, .imr_ifindex = 999 };

	assert_int_equal(member(s, IP_ADD_MEMBERSHIP, A, f->va), -EINVAL);
	assert_int_equal(sys_setsockopt(s, IPPROTO_IP, IP_ADD_MEMBERSHIP, &none, sizeof(none)),
			 -ENODEV);
	assert_int_equal(member(s, IP_ADD_MEMBERSHIP, GROUP, f->va), 0);
	assert_int_equal(member(s, IP_ADD_MEMBERSHIP, GROUP, f->va), -EADDRINUSE);
	assert_int_equal(member(s, IP_DROP_MEMBERSHIP, OTHER, f->va), -EADDRNOTAVAIL);
	assert_int_equal(source(s, IP_UNBLOCK_SOURCE, GROUP, A, SRC1), -EADDRNOTAVAIL);
	assert_int_equal(source(s, IP_BLOCK_SOURCE, GROUP, A, SRC1), 0);
	assert_int_equal(source(s, IP_BLOCK_SOURCE, GROUP, A, SRC1), -EADDRNOTAVAIL);
	assert_int_equal(source(s, IP_ADD_SOURCE_MEMBERSHIP, GROUP, A, SRC1), -EINVAL);
	assert_int_equal(sys_setsockopt(s, IPPROTO_IP, IP_MSFILTER, filter, sizeof(filter)), 0);
	memcpy(got, filter, sizeof(got));
	got[3] = 2;
	got[4] = got[5] = 0;
	assert_int_equal(sys_getsockopt(s, IPPROTO_IP, IP_MSFILTER, got, &len), 0);
	assert_int_equal(len, 24);
	assert_memory_equal(got, filter, sizeof(got));

	((struct sockaddr_in *)&gf->gf_group)->sin_family = AF_INET;
	((struct sockaddr_in *)&gf->gf_group)->sin_addr.s_addr = GROUP.v;
	gf->gf_interface = (u32)f->va->ifindex;
	gf->gf_numsrc = 1;
	len = sizeof(gf_buf);
	assert_int_equal(sys_getsockopt(s, IPPROTO_IP, MCAST_MSFILTER, gf, &len), 0);
	assert_int_equal(len, GROUP_FILTER_SIZE(1)); /* as many as there was room for */
	assert_int_equal(gf->gf_numsrc, 2);
	assert_int_equal(gf->gf_fmode, MCAST_EXCLUDE);
	assert_int_equal(((struct sockaddr_in *)&gf->gf_slist[0])->sin_addr.s_addr, SRC1.v);
	gf->gf_interface = 999;
	assert_int_equal(sys_getsockopt(s, IPPROTO_IP, MCAST_MSFILTER, gf, &len), -EADDRNOTAVAIL);
	len = GROUP_FILTER_SIZE(0) - 1;
	assert_int_equal(sys_getsockopt(s, IPPROTO_IP, MCAST_MSFILTER, gf, &len), -EINVAL);

	((struct sockaddr_in *)&g.gr_group)->sin_family = AF_INET;
	((struct sockaddr_in *)&g.gr_group)->sin_addr.s_addr = OTHER.v;
	assert_int_equal(sys_setsockopt(s, IPPROTO_IP, MCAST_JOIN_GROUP, &g, sizeof(g)), 0);
	assert_int_equal(sys_setsockopt(s, IPPROTO_IP, MCAST_LEAVE_GROUP, &g, sizeof(g)), 0);
	gs.gsr_group = gs.gsr_source = g.gr_group;
	((struct sockaddr_in *)&gs.gsr_source)->sin_addr.s_addr = SRC1.v;
	assert_int_equal(sys_setsockopt(s, IPPROTO_IP, MCAST_JOIN_SOURCE_GROUP, &gs, sizeof(gs)),
			 0);
	assert_int_equal(sys_setsockopt(s, IPPROTO_IP, MCAST_LEAVE_SOURCE_GROUP, &gs, sizeof(gs)),
			 0);
	/* With its last source the membership went. */
	assert_int_equal(member(s, IP_DROP_MEMBERSHIP, OTHER, f->va), -EADDRNOTAVAIL);
	for (u32 i = 1; i < 20; i++)
		assert_int_equal(member(s, IP_ADD_MEMBERSHIP, IP(239, 9, 9, i), f->va), 0);
	assert_int_equal(member(s, IP_ADD_MEMBERSHIP, IP(239, 9, 9, 99), f->va), -ENOBUFS);
	for (u32 i = 0; i < 8; i++)
		assert_int_equal(source(s, IP_BLOCK_SOURCE, GROUP, A, IP(10, 9, 0, i)), 0);
	assert_int_equal(source(s, IP_BLOCK_SOURCE, GROUP, A, IP(10, 9, 0, 99)), -ENOBUFS);
	if (!sock_create_file(f->a, AF_INET, SOCK_STREAM, 0, &tcp)) {
		assert_int_equal(member(tcp, IP_ADD_MEMBERSHIP, GROUP, f->va), -EPROTO);
		file_put(tcp);
	}
	file_put(s);
	assert_false(ip_check_mc(f->va->ip_ptr, GROUP, A, IPPROTO_UDP));
}

static void device_filter_follows_membership(void **state)
{
	struct fixture *f = *state;
	struct file *s = udp_socket(f->a);
	struct netdev_hw_addr *ha;
	u32 found = 0;

	assert_int_equal(member(s, IP_ADD_MEMBERSHIP, IP(239, 129, 2, 3), f->eth1), 0);
	list_for_each_entry(ha, &f->eth1->mc, node)
		found += !memcmp(ha->addr, "\x01\x00\x5e\x01\x02\x03", 6);
	assert_int_equal(found, 1);
	file_put(s);
	list_for_each_entry(ha, &f->eth1->mc, node)
		found += !memcmp(ha->addr, "\x01\x00\x5e\x01\x02\x03", 6);
	assert_int_equal(found, 1);
}

static void proc_net_igmp_lists_groups(void **state)
{
	struct fixture *f = *state;
	struct file *s = udp_socket(f->a);
	struct text t = { 0 };

	assert_int_equal(member(s, IP_ADD_MEMBERSHIP, GROUP, f->eth1), 0);
	assert_int_equal(source(s, IP_BLOCK_SOURCE, GROUP, IP(10, 0, 1, 1), SRC1), 0);
	assert_int_equal(view_read(f->a, "/proc/net/igmp", &t), 0);
	assert_non_null(strstr(t.buf, "\teth1      :     2      V3\n"));
	assert_non_null(strstr(t.buf, "\t\t\t\t030201EF     1 0:00000000\t\t0\n"));
	assert_non_null(strstr(t.buf, "\t\t\t\t010000E0     1 0:00000000\t\t0\n"));
	text_free(&t);
	assert_int_equal(view_read(f->a, "/proc/net/mcfilter", &t), 0);
	assert_non_null(strstr(t.buf, "0xef010203 0x0a000002      0      1\n"));
	text_free(&t);
	file_put(s);
}

/* ---- what routers are told --------------------------------------------------------------------------------------- */

/* The IGMP message that eth1 sent next, checked as far as every message goes; 0: none. */
static int igmp_message(struct fixture *f, u8 *msg, u32 size, be32 *ret_dst)
{
	u8 pkt[1600];
	u16 type;
	int len;

	do {
		len = sent_frame(f->eth1, pkt, sizeof(pkt), &type);
		if (len < 0)
			return 0;
	} while (type != ETH_P_IP || pkt[9] != IPPROTO_IGMP);
	assert_int_equal(pkt[0], 0x46); /* router alert */
	assert_int_equal(pkt[20], 148);
	assert_int_equal(pkt[8], 1); /* TTL */
	assert_int_equal(csum_fold(csum_partial(pkt + 24, (u32)len - 24, 0)), 0);
	assert_true((u32)len - 24 <= size);
	memcpy(ret_dst, pkt + 16, 4);
	memcpy(msg, pkt + 24, (u32)len - 24);
	return len - 24;
}

/* The next message must be a version 3 report of one record. */
static void expect_record(struct fixture *f, u8 type, be32 group, const be32 *srcs, u16 n)
{
	u8 msg[1500];
	be32 dst;
	int len = igmp_message(f, msg, sizeof(msg), &dst);

	assert_int_equal(len, 16 + 4 * n);
	assert_true(be32_eq(dst, IP(224, 0, 0, 22)));
	assert_int_equal(msg[0], 0x22);
	assert_int_equal(msg[7], 1);
	assert_int_equal(msg[8], type);
	assert_int_equal(msg[11], n);
	assert_memory_equal(msg + 12, &group, 4);
	if (n)
		assert_memory_equal(msg + 16, srcs, 4u * n);
}

static void expect_silence(struct fixture *f, u64 ns)
{
	u8 msg[1500];
	be32 dst;

	test_run_for(f->m, ns);
	assert_int_equal(igmp_message(f, msg, sizeof(msg), &dst), 0);
}

static void expect_old(struct fixture *f, u8 type, be32 group, be32 want_dst)
{
	u8 msg[64];
	be32 dst;

	assert_int_equal(igmp_message(f, msg, sizeof(msg), &dst), 8);
	assert_int_equal(msg[0], type);
	assert_memory_equal(msg + 4, &group, 4);
	assert_true(be32_eq(dst, want_dst));
}

/* A message from a router or another host comes in by eth1. */
static void hear(struct fixture *f, be32 dst, const u8 *msg, u16 len)
{
	struct sk_buff *skb;
	u16 sum;

	cpu_lock(f->a->cpu);
	skb = ip_packet(f->eth1, (struct packet_spec){ .src = IP(10, 0, 1, 9),
						       .dst = dst,
						       .ttl = 1,
						       .protocol = IPPROTO_IGMP,
						       .payload = len,
						       .pkt_type = SKB_PACKET_MULTICAST });
	memcpy(skb->data + 20, msg, len);
	sum = csum_fold(csum_partial(skb->data + 20, len, 0));
	memcpy(skb->data + 22, &sum, 2);
	ip_input(skb);
	cpu_unlock(f->a->cpu);
}

static void query3(struct fixture *f, u8 code, be32 group, be32 src)
{
	u8 q[16] = { 0x11, code, 0, 0, 0, 0, 0, 0, 2, 125, 0, !be32_zero(src) };

	memcpy(q + 4, &group, 4);
	memcpy(q + 12, &src, 4);
	hear(f, be32_zero(group) ? IP(224, 0, 0, 1) : group, q, be32_zero(src) ? 12 : 16);
}

static void changes_are_reported_twice(void **state)
{
	struct fixture *f = *state;
	struct file *s = udp_socket(f->a);
	const be32 src[] = { SRC1, SRC2 }, me = IP(10, 0, 1, 1);

	assert_int_equal(member(s, IP_ADD_MEMBERSHIP, GROUP, f->eth1), 0);
	test_run_for(f->m, 3 * NSEC_PER_SEC);
	expect_record(f, 4, GROUP, NULL, 0); /* TO_EXCLUDE {} */
	expect_record(f, 4, GROUP, NULL, 0);
	expect_silence(f, 300 * NSEC_PER_SEC);

	assert_int_equal(source(s, IP_BLOCK_SOURCE, GROUP, me, SRC1), 0);
	test_run_for(f->m, 3 * NSEC_PER_SEC);
	expect_record(f, 6, GROUP, src, 1); /* BLOCK */
	expect_record(f, 6, GROUP, src, 1);
	assert_int_equal(source(s, IP_UNBLOCK_SOURCE, GROUP, me, SRC1), 0);
	test_run_for(f->m, 3 * NSEC_PER_SEC);
	expect_record(f, 5, GROUP, src, 1); /* ALLOW */
	expect_record(f, 5, GROUP, src, 1);
	expect_silence(f, 10 * NSEC_PER_SEC);

	file_put(s);
	test_run_for(f->m, 3 * NSEC_PER_SEC);
	expect_record(f, 3, GROUP, NULL, 0); /* TO_INCLUDE {} */
	expect_record(f, 3, GROUP, NULL, 0);
	expect_silence(f, 300 * NSEC_PER_SEC);
	/* 224.0.0.1 is all that is left. */
	assert_int_equal(((struct in_device *)f->eth1->ip_ptr)->mc.groups.next->next ==
				 &((struct in_device *)f->eth1->ip_ptr)->mc.groups,
			 1);
}

static void include_sources_are_allowed_and_blocked(void **state)
{
	struct fixture *f = *state;
	struct file *s = udp_socket(f->a);
	const be32 src[] = { SRC1, SRC2 }, me = IP(10, 0, 1, 1);

	assert_int_equal(source(s, IP_ADD_SOURCE_MEMBERSHIP, GROUP, me, SRC1), 0);
	test_run_for(f->m, 3 * NSEC_PER_SEC);
	expect_record(f, 5, GROUP, src, 1);
	expect_record(f, 5, GROUP, src, 1);
	assert_int_equal(source(s, IP_ADD_SOURCE_MEMBERSHIP, GROUP, me, SRC2), 0);
	test_run_for(f->m, 3 * NSEC_PER_SEC);
	expect_record(f, 5, GROUP, src + 1, 1);
	expect_record(f, 5, GROUP, src + 1, 1);
	query3(f, 10, (be32){ 0 }, (be32){ 0 });
	test_run_for(f->m, NSEC_PER_SEC + NSEC_PER_MSEC * 10);
	expect_record(f, 1, GROUP, src, 2); /* IS_INCLUDE */
	file_put(s);
	test_run_for(f->m, 3 * NSEC_PER_SEC);
	expect_record(f, 6, GROUP, src, 2);
	expect_record(f, 6, GROUP, src, 2);
	expect_silence(f, 10 * NSEC_PER_SEC);
}

static void queries_are_answered_within_their_time(void **state)
{
	struct fixture *f = *state;
	struct file *s = udp_socket(f->a);
	const be32 src[] = { SRC1 }, me = IP(10, 0, 1, 1);

	assert_int_equal(member(s, IP_ADD_MEMBERSHIP, GROUP, f->eth1), 0);
	test_run_for(f->m, 3 * NSEC_PER_SEC);
	expect_record(f, 4, GROUP, NULL, 0);
	expect_record(f, 4, GROUP, NULL, 0);
	query3(f, 100, (be32){ 0 }, (be32){ 0 });
	test_run_for(f->m, 10 * NSEC_PER_SEC + 10 * NSEC_PER_MSEC);
	expect_record(f, 2, GROUP, NULL, 0); /* IS_EXCLUDE {} */
	query3(f, 10, GROUP, (be32){ 0 });
	test_run_for(f->m, NSEC_PER_SEC + 10 * NSEC_PER_MSEC);
	expect_record(f, 2, GROUP, NULL, 0);
	query3(f, 10, OTHER, (be32){ 0 });
	expect_silence(f, 20 * NSEC_PER_SEC);
	file_put(s);
	test_run_for(f->m, 3 * NSEC_PER_SEC);
	expect_record(f, 3, GROUP, NULL, 0);
	expect_record(f, 3, GROUP, NULL, 0);
	/* For sources: those that are wanted. */
	s = udp_socket(f->a);
	assert_int_equal(source(s, IP_ADD_SOURCE_MEMBERSHIP, GROUP, me, SRC1), 0);
	test_run_for(f->m, 3 * NSEC_PER_SEC);
	expect_record(f, 5, GROUP, src, 1);
	expect_record(f, 5, GROUP, src, 1);
	query3(f, 10, GROUP, SRC1);
	test_run_for(f->m, NSEC_PER_SEC + 10 * NSEC_PER_MSEC);
	expect_record(f, 1, GROUP, src, 1);
	query3(f, 10, GROUP, SRC2);
	expect_silence(f, 20 * NSEC_PER_SEC);
	file_put(s);
}

static void old_routers_are_spoken_to_in_their_version(void **state)
{
	struct fixture *f = *state;
	struct in_device *in_dev = f->eth1->ip_ptr;
	const u8 v2[8] = { 0x11, 100 }, v1[8] = { 0x11, 0 };
	u8 report[8] = { 0x16, 0, 0, 0, 239, 1, 2, 3 };
	struct file *s;

	hear(f, IP(224, 0, 0, 1), v2, 8);
	s = udp_socket(f->a);
	assert_int_equal(member(s, IP_ADD_MEMBERSHIP, GROUP, f->eth1), 0);
	test_run_for(f->m, 11 * NSEC_PER_SEC);
	expect_old(f, 0x16, GROUP, GROUP);
	expect_old(f, 0x16, GROUP, GROUP);
	/* A query is answered, unless another host does it first. */
	hear(f, IP(224, 0, 0, 1), v2, 8);
	test_run_for(f->m, 11 * NSEC_PER_SEC);
	expect_old(f, 0x16, GROUP, GROUP);
	hear(f, IP(224, 0, 0, 1), v2, 8);
	hear(f, GROUP, report, 8);
	expect_silence(f, 11 * NSEC_PER_SEC);
	/* Who reported last says goodbye. */
	hear(f, IP(224, 0, 0, 1), v2, 8);
	test_run_for(f->m, 11 * NSEC_PER_SEC);
	expect_old(f, 0x16, GROUP, GROUP);
	file_put(s);
	expect_old(f, 0x17, GROUP, IP(224, 0, 0, 2));
	/* Version 1, which has no goodbye. */
	hear(f, IP(224, 0, 0, 1), v1, 8);
	s = udp_socket(f->a);
	assert_int_equal(member(s, IP_ADD_MEMBERSHIP, GROUP, f->eth1), 0);
	test_run_for(f->m, 11 * NSEC_PER_SEC);
	expect_old(f, 0x12, GROUP, GROUP);
	expect_old(f, 0x12, GROUP, GROUP);
	file_put(s);
	expect_silence(f, NSEC_PER_SEC);
	/* They have gone: version 3 again. */
	test_run_for(f->m, 500 * NSEC_PER_SEC);
	assert_true(in_dev->mc.v1_seen < net_now(f->a));
	s = udp_socket(f->a);
	assert_int_equal(member(s, IP_ADD_MEMBERSHIP, GROUP, f->eth1), 0);
	test_run_for(f->m, 3 * NSEC_PER_SEC);
	expect_record(f, 4, GROUP, NULL, 0);
	file_put(s);
}

static void damaged_messages_have_their_reasons(void **state)
{
	struct fixture *f = *state;
	const u8 cut[16] = { 0x11, 10, 0, 0, 0, 0, 0, 0, 2, 125, 0, 5 };
	struct sk_buff *skb;

	hear(f, IP(224, 0, 0, 1), cut, 4);
	hear(f, IP(224, 0, 0, 1), cut, 10);
	hear(f, IP(224, 0, 0, 1), cut, 16);
	assert_int_equal(drops(f->a, SKB_DROP_IGMP_BAD), 3);
	cpu_lock(f->a->cpu);
	skb = ip_packet(f->eth1, (struct packet_spec){ .src = IP(10, 0, 1, 9),
						       .dst = IP(224, 0, 0, 1),
						       .protocol = IPPROTO_IGMP,
						       .payload = 8 });
	skb->data[20] = 0x11;
	ip_input(skb);
	cpu_unlock(f->a->cpu);
	assert_int_equal(drops(f->a, SKB_DROP_IGMP_CSUM), 1);
}

static void membership_outlives_the_link_but_not_the_device(void **state)
{
	struct fixture *f = *state;
	struct file *s = udp_socket(f->a);
	struct net_device *eth2 = test_netdev(f->a, "eth2", true);

	assert_int_equal(addr_add(f->eth1, IP(10, 0, 1, 2), 24), 0);
	assert_int_equal(member(s, IP_ADD_MEMBERSHIP, GROUP, f->eth1), 0);
	test_run_for(f->m, 3 * NSEC_PER_SEC);
	expect_record(f, 4, GROUP, NULL, 0);
	expect_record(f, 4, GROUP, NULL, 0);
	link_down(f->eth1);
	test_run_for(f->m, 3 * NSEC_PER_SEC);
	link_up(f->eth1);
	test_run_for(f->m, 3 * NSEC_PER_SEC);
	expect_record(f, 4, GROUP, NULL, 0);
	expect_record(f, 4, GROUP, NULL, 0);
	/* A device goes while a socket is member on it. */
	assert_int_equal(member(s, IP_ADD_MEMBERSHIP, GROUP, eth2), 0);
	test_netdev_del(eth2);
	file_put(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(members_receive_others_do_not),
		TEST(own_packets_come_back_unless_switched_off),
		TEST(sources_are_filtered_per_socket),
		TEST(unwanted_source_is_dropped_for_the_device),
		TEST(options_answer_as_ip7_says),
		TEST(device_filter_follows_membership),
		TEST(proc_net_igmp_lists_groups),
		TEST(changes_are_reported_twice),
		TEST(include_sources_are_allowed_and_blocked),
		TEST(queries_are_answered_within_their_time),
		TEST(old_routers_are_spoken_to_in_their_version),
		TEST(damaged_messages_have_their_reasons),
		TEST(membership_outlives_the_link_but_not_the_device),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
