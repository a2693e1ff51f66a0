/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * floods_test.c - what an attacker may send as much of as he likes: memory stays bounded, and all goes on afterwards
 *
 *      attacker ---- weir_dev "wire" (IP packets, or Ethernet frames) ---- net a: 10.0.0.1/8
 *
 * Each flood is far more than the bound it meets. Asserted are the drop reason that counts it, how many packet buffers live and how much the
 * arena takes meanwhile, and that after the time-outs nothing is left and an honest packet is served. Virtual time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <string.h>

#include <weir/weir.h>

#include "core/net.h"
#include "core/skbuff.h"
#include "core/sock_reasons.h"
#include "inet/inet_reasons.h"
#include "lab/lab_net.h"
#include "lib/csum.h"
#include "stack/stack.h"
#include "tcp/tcp.h"

#define SEC 1000000000ull
#define MIB (1u << 20)

struct bed {
	struct weir_machine *m;
	struct weir_net *net;
	struct weir_dev *dev;
	struct in_addr addr;
};

static void bed_init(struct bed *b, unsigned dev_flags)
{
	struct weir_machine_config cfg = { .clock = WEIR_CLOCK_VIRTUAL };
	struct net_error err;

	b->m = weir_machine_create(&cfg);
	assert_non_null(b->m);
	b->net = weir_net_create(b->m, "a");
	assert_non_null(b->net);
	/* What the stack says by itself would be counted, too. */
	assert_int_equal(weir_sysctl(b->net, "net.ipv6.conf.default.disable_ipv6", "1"), 0);
	b->dev = weir_dev_create(b->net, "wire", dev_flags, 4096);
	assert_non_null(b->dev);
	b->addr.s_addr = htonl(0x0a000001);
	assert_int_equal(net_addr_add(b->net, "wire", b->addr, 8, &err), 0);
	assert_int_equal(net_link_up(b->net, "wire", &err), 0);
}

static int setup_ip(void **state)
{
	static struct bed b;

	bed_init(&b, WEIR_DEV_L3);
	*state = &b;
	return 0;
}

static int setup_ethernet(void **state)
{
	static struct bed b;

	bed_init(&b, 0);
	*state = &b;
	return 0;
}

static int teardown(void **state)
{
	struct bed *b = *state;

	weir_dev_destroy(b->dev);
	weir_net_destroy(b->net);
	weir_machine_destroy(b->m);
	return 0;
}

static void pass_time(struct bed *b, uint64_t ns)
{
	uint64_t end = weir_now(b->m) + ns, now;

	while ((now = weir_now(b->m)) < end)
		weir_run(b->m, end - now);
	weir_run(b->m, 0);
}

static u64 dropped(const struct bed *b, skb_drop_reason_t reason)
{
	return net_drops(net_of(b->net), reason);
}

static struct weir_memory memory(const struct bed *b)
{
	struct weir_memory mem;

	weir_memory(b->m, &mem);
	return mem;
}

/* Frames that the net has sent since it was last asked. */
static unsigned answers(struct bed *b, uint8_t *first, size_t room)
{
	uint8_t frame[2048];
	unsigned n = 0;
	ssize_t r;

	while ((r = weir_dev_output(b->dev, frame, sizeof(frame), 0)) >= 0)
		if (!n++ && first)
			memcpy(first, frame, (size_t)r < room ? (size_t)r : room);
	return n;
}

/* One packet of an invented source: @l4 behind an IP header. */
static void attack(struct bed *b, u32 source, u8 proto, u16 id, u16 frag, const void *l4, u32 len)
{
	u8 p[1500] = { 0x45, 0, 0, 0, 0, 0, 0, 0, 64 };
	u32 saddr = htonl(0x0a010000 + source);
	int r;

	assert_true(20 + len <= sizeof(p));
	p[2] = (u8)((20 + len) >> 8);
	p[3] = (u8)(20 + len);
	p[4] = (u8)(id >> 8);
	p[5] = (u8)id;
	p[6] = (u8)(frag >> 8);
	p[7] = (u8)frag;
	p[9] = proto;
	memcpy(p + 12, &saddr, 4);
	memcpy(p + 16, &b->addr, 4);
	memcpy(p + 10, &(u16){ csum_fold(csum_partial(p, 20, 0)) }, 2);
	memcpy(p + 20, l4, len);
	if (proto == IPPROTO_TCP) {
		be32 s, d;
		u16 sum;

		memcpy(&s, p + 12, 4);
		memcpy(&d, p + 16, 4);
		sum = csum_tcpudp_magic(s, d, len, proto, csum_partial(p + 20, len, 0));
		memcpy(p + 20 + 16, &sum, 2);
	}
	r = weir_dev_input(b->dev, p, 20 + len);
	assert_true(r == 0 || r == -ENOBUFS);
	weir_run(b->m, 0);
}

static void syn(struct bed *b, u32 source)
{
	struct tcphdr th = { .th_sport = htons(1000),
			     .th_dport = htons(7),
			     .th_seq = htonl(source),
			     .th_off = 5,
			     .th_flags = TH_SYN,
			     .th_win = htons(1000) };

	attack(b, source, IPPROTO_TCP, 0, 0, &th, sizeof(th));
}

static void syns_fill_the_queue_of_the_listener_and_expire(void **state)
{
	struct bed *b = *state;
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(7) };
	struct weir_file *l;
	uint8_t reply[60] = { 0 };
	uint64_t arena;

	assert_int_equal(weir_sysctl(b->net, "net.ipv4.tcp_syncookies", "0"), 0);
	assert_int_equal(weir_socket(b->net, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0, &l), 0);
	assert_int_equal(weir_bind(l, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(weir_listen(l, 16), 0);
	syn(b, 1);
	arena = memory(b).arena_octets;
	for (u32 i = 2; i <= 20000; i++) {
		syn(b, i);
		if (i % 100 == 0)
			answers(b, NULL, 0);
	}
	assert_true(dropped(b, SKB_DROP_TCP_REQ_OVERFLOW) > 19900);
	assert_true(memory(b).nr_socks < 100);
	assert_true(memory(b).arena_octets <= arena + MIB);
	/* Nobody answered: the last SYN-ACK goes out after some time, and then the queue is free. */
	for (int i = 0; i < 20; i++) {
		pass_time(b, 10 * SEC);
		answers(b, NULL, 0);
	}
	assert_int_equal(memory(b).nr_socks, 1);
	assert_int_equal(memory(b).skb_live, 0);
	syn(b, 99999);
	assert_int_equal(answers(b, reply, sizeof(reply)), 1);
	assert_int_equal(reply[33], TH_SYN | TH_ACK);
	weir_close(l);
	answers(b, NULL, 0);
}

static void fragments_that_never_become_whole_are_bounded_and_time_out(void **state)
{
	struct bed *b = *state;
	static const u8 piece[1400];

	for (u32 i = 0; i < 20000; i++) {
		attack(b, i % 5000, IPPROTO_UDP, (u16)(i / 5000), 0x2000 | 100, piece,
		       sizeof(piece));
		assert_true(memory(b).arena_octets < 16 * MIB);
	}
	assert_true(dropped(b, SKB_DROP_FRAG_MEM) > 10000);
	assert_true(memory(b).skb_live > 100);
	pass_time(b, 40 * SEC);
	assert_int_equal(memory(b).skb_live, 0);
}

static void datagrams_that_nobody_reads_are_bounded(void **state)
{
	struct bed *b = *state;
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(7) };
	u8 udp[1008] = { 0, 5, 0, 7, 3, 240 };
	struct weir_file *f;
	unsigned got = 0;

	assert_int_equal(weir_socket(b->net, AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0, &f), 0);
	assert_int_equal(weir_bind(f, (struct sockaddr *)&a, sizeof(a)), 0);
	for (u32 i = 0; i < 20000; i++)
		attack(b, i, IPPROTO_UDP, 0, 0, udp, sizeof(udp));
	assert_true(dropped(b, SKB_DROP_SOCKET_RCVBUFF) > 19000);
	assert_true(memory(b).arena_octets < 4 * MIB);
	while (weir_recv(f, udp, sizeof(udp), 0) == 1000)
		got++;
	assert_int_equal(got + dropped(b, SKB_DROP_SOCKET_RCVBUFF), 20000);
	assert_int_equal(memory(b).skb_live, 0);
	attack(b, 1, IPPROTO_UDP, 0, 0, (u8[]){ 0, 5, 0, 7, 0, 9, 0, 0, 'x' }, 9);
	assert_int_equal(weir_recv(f, udp, sizeof(udp), 0), 1);
	weir_close(f);
}

static void icmp_errors_keep_their_rate_however_many_are_asked_for(void **state)
{
	struct bed *b = *state;
	static const u8 udp[9] = { 0, 5, 0, 99, 0, 9 };
	unsigned n;

	for (u32 i = 0; i < 5000; i++)
		attack(b, i, IPPROTO_UDP, 0, 0, udp, sizeof(udp));
	n = answers(b, NULL, 0);
	assert_in_range(n, 10, 60); /* icmp_msgs_burst is 50 */
	/* One source gets one a second (icmp_ratelimit) after its first few. */
	pass_time(b, 2 * SEC);
	for (u32 i = 0; i < 100; i++) {
		attack(b, 77777, IPPROTO_UDP, 0, 0, udp, sizeof(udp));
		pass_time(b, SEC / 10);
	}
	n = answers(b, NULL, 0);
	assert_in_range(n, 10, 17);
	assert_int_equal(memory(b).skb_live, 0);
}

static void addresses_that_do_not_answer_fill_the_neighbour_table_and_leave(void **state)
{
	struct bed *b = *state;
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(7) };
	static const u8 data[1000];
	struct weir_file *f;
	unsigned refused = 0;

	assert_int_equal(weir_socket(b->net, AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0, &f), 0);
	for (u32 i = 0; i < 5000; i++) {
		ssize_t r;

		a.sin_addr.s_addr = htonl(0x0a000100 + i);
		r = weir_sendto(f, data, 100, 0, (struct sockaddr *)&a, sizeof(a));
		assert_true(r == 100 || r == -ENOBUFS || r == -EAGAIN || r == -EINVAL);
		refused += r < 0;
		weir_run(b->m, 0);
		answers(b, NULL, 0);
	}
	assert_true(refused + dropped(b, SKB_DROP_NEIGH_CREATEFAIL) > 3000);
	assert_true(memory(b).skb_live < 1100);
	assert_true(memory(b).arena_octets < 8 * MIB);
	for (int i = 0; i < 20; i++) {
		pass_time(b, 10 * SEC);
		answers(b, NULL, 0);
	}
	assert_int_equal(memory(b).skb_live, 0);
	/* There is room again: somebody new is asked for. */
	a.sin_addr.s_addr = htonl(0x0a0000fe);
	assert_int_equal(weir_sendto(f, data, 100, 0, (struct sockaddr *)&a, sizeof(a)), 100);
	weir_run(b->m, 0);
	assert_true(answers(b, NULL, 0) >= 1);
	weir_close(f);
	pass_time(b, 10 * SEC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(syns_fill_the_queue_of_the_listener_and_expire,
						setup_ip, teardown),
		cmocka_unit_test_setup_teardown(
			fragments_that_never_become_whole_are_bounded_and_time_out, setup_ip,
			teardown),
		cmocka_unit_test_setup_teardown(datagrams_that_nobody_reads_are_bounded, setup_ip,
						teardown),
		cmocka_unit_test_setup_teardown(
			icmp_errors_keep_their_rate_however_many_are_asked_for, setup_ip, teardown),
		cmocka_unit_test_setup_teardown(
			addresses_that_do_not_answer_fill_the_neighbour_table_and_leave,
			setup_ethernet, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
