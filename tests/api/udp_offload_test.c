/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * udp_offload_test.c - UDP_SEGMENT and UDP_GRO, UDP-Lite, corking with control messages, SO_PEEK_OFF, SO_TIMESTAMPING
 *
 * What is expected was seen on Linux 6.18 (veth and lo with an MTU of 1500).
 */
#include "tests/api/two_nets.h"

#include <linux/errqueue.h>
#include <linux/sockios.h>
#include <netinet/udp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sys/ioctl.h>

#define UDPLITE_SEND 10
#define UDPLITE_RECV 11

static const struct weir_machine_config virtual_clock = { .clock = WEIR_CLOCK_VIRTUAL,
							  .seeded = true,
							  .seed = 1 };

static int setup(void **state)
{
	struct two_nets *t = calloc(1, sizeof(*t));
	struct net_error err;

	two_nets_create(t, &virtual_clock);
	for (int i = 0; i < 2; i++)
		assert_int_equal(net_link_up(t->net[i], "lo", &err), 0);
	*state = t;
	return 0;
}

static int teardown(void **state)
{
	two_nets_destroy(*state);
	free(*state);
	return 0;
}

static void settle(struct two_nets *t)
{
	for (int i = 0; i < 50; i++)
		weir_run(t->m, 1000000);
}

/* A socket of net @i with port 7; connected to the other one's for i == 0. */
static struct weir_file *endpoint(struct two_nets *t, int i, int protocol)
{
	struct weir_file *f;

	assert_int_equal(weir_socket(t->net[i], AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, protocol, &f),
			 0);
	assert_int_equal(weir_bind(f, (struct sockaddr *)&t->addr[i], sizeof(t->addr[i])), 0);
	if (!i)
		assert_int_equal(
			weir_connect(f, (struct sockaddr *)&t->addr[1], sizeof(t->addr[1])), 0);
	return f;
}

static void set_int(struct weir_file *f, int level, int name, int v)
{
	assert_int_equal(weir_setsockopt(f, level, name, &v, sizeof(v)), 0);
}

static ssize_t send_cmsg(struct weir_file *f, size_t n, int flags, int level, int type,
			 const void *val, size_t len)
{
	static char octets[65536];
	union {
		struct cmsghdr align;
		char room[64];
	} control = { 0 };
	struct iovec iov = { octets, n };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *c = &control.align;

	for (size_t i = 0; i < sizeof(octets); i++)
		octets[i] = (char)(i * 7);
	if (val) {
		msg.msg_control = control.room;
		msg.msg_controllen = CMSG_SPACE(len);
		c->cmsg_level = level;
		c->cmsg_type = type;
		c->cmsg_len = CMSG_LEN(len);
		memcpy(CMSG_DATA(c), val, len);
	}
	return weir_sendmsg(f, &msg, flags);
}

static ssize_t send_gso(struct weir_file *f, size_t n, uint16_t size)
{
	return send_cmsg(f, n, 0, SOL_UDP, UDP_SEGMENT, &size, sizeof(size));
}

/* Octets; *ret_size: what UDP_GRO says, 0: nothing */
static ssize_t recv_gro(struct weir_file *f, int *ret_size)
{
	static char octets[65536];
	union {
		struct cmsghdr align;
		char room[256];
	} control;
	struct iovec iov = { octets, sizeof(octets) };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = control.room,
			      .msg_controllen = sizeof(control) };
	ssize_t n = weir_recvmsg(f, &msg, 0);

	*ret_size = 0;
	if (n < 0)
		return n;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c))
		if (c->cmsg_level == SOL_UDP && c->cmsg_type == UDP_GRO)
			memcpy(ret_size, CMSG_DATA(c), sizeof(*ret_size));
	return n;
}

static void expect(struct weir_file *f, ssize_t octets, int size)
{
	int got_size;

	assert_int_equal(recv_gro(f, &got_size), octets);
	assert_int_equal(got_size, size);
}

static uint64_t snmp_value(struct weir_net *net, const char *group, unsigned column)
{
	char *text, *at, *save = NULL;
	size_t len;
	uint64_t v = 0;

	assert_int_equal(weir_view_read(net, "/proc/net/snmp", &text, &len), 0);
	at = strstr(text, group);
	at = at ? strstr(at + 1, group) : NULL; /* the line of values */
	assert_non_null(at);
	at = strtok_r(at, " \n", &save);
	for (unsigned i = 0; at && i < column; i++)
		at = strtok_r(NULL, " \n", &save);
	if (at)
		v = strtoull(at, NULL, 10);
	free(text);
	return v;
}

/* ---- UDP_SEGMENT and UDP_GRO ---------------------------------------------------------------------------- */

static void udp_segment_is_cut_for_a_socket_without_gro(void **state)
{
	struct two_nets *t = *state;
	struct weir_file *a = endpoint(t, 0, 0), *b = endpoint(t, 1, 0);

	assert_int_equal(send_gso(a, 2500, 1000), 2500);
	settle(t);
	expect(b, 1000, 0);
	expect(b, 1000, 0);
	expect(b, 500, 0);
	expect(b, -EAGAIN, 0);
	assert_int_equal(snmp_value(t->net[1], "\nUdp:", 4), 0); /* OutDatagrams of the receiver */
	weir_close(a);
	weir_close(b);
}

static void udp_segment_stays_whole_for_a_socket_with_gro(void **state)
{
	struct two_nets *t = *state;
	struct weir_file *a = endpoint(t, 0, 0), *b = endpoint(t, 1, 0);

	set_int(a, SOL_UDP, UDP_SEGMENT, 1000);
	set_int(b, SOL_UDP, UDP_GRO, 1);
	assert_int_equal(weir_send(a, (char[2500]){ 0 }, 2500, 0), 2500);
	assert_int_equal(weir_send(a, (char[800]){ 0 }, 800, 0), 800);
	settle(t);
	expect(b, 2500, 1000);
	expect(b, 800, 0);
	weir_close(a);
	weir_close(b);
}

/* An impaired link sees wire packets: cut in software, and merged again by the receiver's GRO. */
static void udp_segment_crosses_a_link_without_offloads(void **state)
{
	struct two_nets *t = *state;
	const struct lab_impairment delay = { .delay_ns = 1000000 };
	struct net_link_stats stats;
	struct net_error err;
	struct weir_file *a, *b;
	char out[2500], in[2500];
	size_t got = 0;
	ssize_t n;

	assert_int_equal(net_link_impair(t->net[0], "eth0", &delay, &err), 0);
	for (int gro = 0; gro < 2; gro++) {
		unsigned reads = 0;

		a = endpoint(t, 0, 0);
		b = endpoint(t, 1, 0);
		set_int(b, SOL_UDP, UDP_GRO, gro);
		set_int(a, SOL_UDP, UDP_SEGMENT, 1000);
		for (size_t i = 0; i < sizeof(out); i++)
			out[i] = (char)rand();
		assert_int_equal(weir_send(a, out, sizeof(out), 0), sizeof(out));
		settle(t);
		for (got = 0; (n = weir_recv(b, in + got, sizeof(in) - got, 0)) > 0; reads++)
			got += (size_t)n;
		assert_int_equal(got, sizeof(out));
		assert_memory_equal(in, out, sizeof(out));
		if (gro)
			assert_true(reads < 3);
		else
			assert_int_equal(reads, 3);
		weir_close(a);
		weir_close(b);
	}
	assert_int_equal(net_link_stats(t->net[0], "eth0", &stats), 0);
	assert_true(stats.tx_packets >= 6);
	assert_int_equal(snmp_value(t->net[1], "\nUdp:", 7), 0); /* InCsumErrors */
}

static void udp_segment_obeys_the_rules_of_linux(void **state)
{
	static const struct {
		size_t n;
		uint16_t size;
		ssize_t result;
		unsigned datagrams;
	} rows[] = {
		{ 3000, 1472, 3000, 3 },
		{ 3000, 1473, -EMSGSIZE, 0 },
		{ 1000, 1473, 1000, 1 },
		{ 1000, 2000, 1000, 1 },
		{ 1280, 10, 1280, 128 },
		{ 1281, 10, -EINVAL, 0 },
		{ 0, 10, 0, 1 },
		{ 10, 0, 10, 1 },
		{ 10, 1, 10, 10 },
		{ 65500, 1472, 65500, 45 },
		{ 65508, 1472, -EMSGSIZE, 0 },
	};
	struct two_nets *t = *state;
	int four_octets = 1000, size;
	uint8_t one_octet = 1;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct weir_file *a = endpoint(t, 0, 0), *b = endpoint(t, 1, 0);
		unsigned datagrams = 0;

		set_int(b, SOL_SOCKET, SO_RCVBUFFORCE, 1 << 20);
		set_int(a, SOL_SOCKET, SO_SNDBUFFORCE, 1 << 20);
		assert_int_equal(send_gso(a, rows[i].n, rows[i].size), rows[i].result);
		settle(t);
		while (recv_gro(b, &size) >= 0)
			datagrams++;
		assert_int_equal(datagrams, rows[i].datagrams);
		weir_close(a);
		weir_close(b);
	}
	for (int no_check = 0; no_check < 2; no_check++) {
		struct weir_file *a = endpoint(t, 0, 0), *b = endpoint(t, 1, 0);

		set_int(a, SOL_SOCKET, SO_NO_CHECK, no_check);
		assert_int_equal(send_gso(a, 3000, 1000), no_check ? -EINVAL : 3000);
		assert_int_equal(send_cmsg(a, 3000, 0, SOL_UDP, UDP_SEGMENT, &four_octets, 4),
				 -EINVAL);
		assert_int_equal(send_cmsg(a, 3000, 0, SOL_UDP, UDP_SEGMENT, &one_octet, 1),
				 -EINVAL);
		assert_int_equal(send_cmsg(a, 3000, 0, SOL_UDP, UDP_GRO, &four_octets, 2), -EINVAL);
		set_int(a, SOL_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO);
		set_int(a, SOL_SOCKET, SO_NO_CHECK, 0);
		assert_int_equal(send_gso(a, 3000, 1000), 3000);
		assert_int_equal(send_gso(a, 3000, 1473), -EMSGSIZE);
		weir_close(a);
		weir_close(b);
	}
}

/* ---- corking ---------------------------------------------------------------------------------------------- */

static void a_corked_datagram_keeps_the_control_messages_of_its_first_piece(void **state)
{
	struct two_nets *t = *state;
	struct weir_file *a = endpoint(t, 0, 0), *b = endpoint(t, 1, 0);
	union {
		struct cmsghdr align;
		char room[64];
	} control;
	char octets[64];
	struct iovec iov = { octets, sizeof(octets) };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = control.room,
			      .msg_controllen = sizeof(control) };
	int ttl = 7, other = 9, wrong = 1000;

	set_int(b, SOL_IP, IP_RECVTTL, 1);
	/* What is wrong is refused with the first piece. */
	assert_int_equal(send_cmsg(a, 10, MSG_MORE, SOL_IP, IP_TTL, &wrong, sizeof(wrong)),
			 -EINVAL);
	assert_int_equal(send_cmsg(a, 10, MSG_MORE, SOL_IP, IP_TTL, &ttl, sizeof(ttl)), 10);
	assert_int_equal(send_cmsg(a, 5, 0, SOL_IP, IP_TTL, &other, sizeof(other)), 5);
	settle(t);
	assert_int_equal(weir_recvmsg(b, &msg, 0), 15);
	assert_int_equal(control.align.cmsg_type, IP_TTL);
	memcpy(&ttl, CMSG_DATA(&control.align), sizeof(ttl));
	assert_int_equal(ttl, 7);
	weir_close(a);
	weir_close(b);
}

static void corked_pieces_are_cut_as_one(void **state)
{
	struct two_nets *t = *state;
	struct weir_file *a = endpoint(t, 0, 0), *b = endpoint(t, 1, 0);

	set_int(a, SOL_UDP, UDP_SEGMENT, 1000);
	set_int(b, SOL_UDP, UDP_GRO, 1);
	assert_int_equal(send_cmsg(a, 2500, MSG_MORE, 0, 0, NULL, 0), 2500);
	assert_int_equal(send_cmsg(a, 100, 0, 0, 0, NULL, 0), 100);
	settle(t);
	expect(b, 2600, 1000);
	weir_close(a);
	weir_close(b);
}

static int charged(struct weir_file *f)
{
	int v = -1;

	assert_int_equal(weir_ioctl(f, SIOCOUTQ, &v), 0);
	return v;
}

/* A few octets cost a few KiB; what is held back is charged to the send buffer, which bounds it. */
static void a_cork_is_charged_to_the_send_buffer(void **state)
{
	struct two_nets *t = *state;
	struct weir_file *a = endpoint(t, 0, 0), *b = endpoint(t, 1, 0);
	int n = 0, r;

	assert_int_equal(send_cmsg(a, 10, MSG_MORE, 0, 0, NULL, 0), 10);
	assert_in_range(charged(a), 2048, 3000);
	assert_int_equal(send_cmsg(a, 30000, MSG_MORE, 0, 0, NULL, 0), 30000);
	assert_in_range(charged(a), 30010, 40000);
	assert_int_equal(send_cmsg(a, 10, 0, 0, 0, NULL, 0), 10);
	settle(t);
	expect(b, 30020, 0);
	assert_int_equal(charged(a), 0);

	set_int(a, SOL_SOCKET, SO_SNDBUF, 1);
	do
		r = (int)send_cmsg(a, 1000, MSG_MORE, 0, 0, NULL, 0);
	while (r == 1000 && ++n < 100);
	assert_int_equal(r, -ENOBUFS);
	assert_in_range(n, 8, 32);
	assert_int_equal(charged(a), 0); /* it is gone, as in Linux */
	assert_int_equal(send_cmsg(a, 10, 0, 0, 0, NULL, 0), 10);
	settle(t);
	expect(b, 10, 0);

	assert_int_equal(send_cmsg(a, 10, MSG_MORE, 0, 0, NULL, 0), 10);
	weir_close(a);
	weir_close(b);
}

/* ---- SO_PEEK_OFF ---------------------------------------------------------------------------------------------- */

static void peek_off_walks_through_the_queue(void **state)
{
	struct two_nets *t = *state;
	struct weir_file *a = endpoint(t, 0, 0), *b = endpoint(t, 1, 0);
	char in[32];

	set_int(b, SOL_SOCKET, SO_PEEK_OFF, 0);
	weir_send(a, "abcdef", 6, 0);
	weir_send(a, "ghi", 3, 0);
	settle(t);
	assert_int_equal(weir_recv(b, in, 4, MSG_PEEK), 4);
	assert_memory_equal(in, "abcd", 4);
	assert_int_equal(weir_recv(b, in, 4, MSG_PEEK), 2);
	assert_memory_equal(in, "ef", 2);
	assert_int_equal(weir_recv(b, in, 4, MSG_PEEK), 3);
	assert_memory_equal(in, "ghi", 3);
	assert_int_equal(weir_recv(b, in, 4, MSG_PEEK), -EAGAIN);
	assert_int_equal(weir_recv(b, in, sizeof(in), 0), 6);
	assert_int_equal(weir_recv(b, in, 4, MSG_PEEK), -EAGAIN);
	assert_int_equal(weir_recv(b, in, sizeof(in), 0), 3);
	weir_close(a);
	weir_close(b);
}

/* ---- SO_TIMESTAMPING ---------------------------------------------------------------------------------------- */

#define TS_TX_SOFTWARE 0x2
#define TS_RX_SOFTWARE 0x8
#define TS_SOFTWARE    0x10
#define TS_OPT_ID      0x80
#define TS_TX_SCHED    0x100
#define TS_OPT_TSONLY  0x800

/* One message of the error queue, or of the socket: octets; *ret_stamped: it had SCM_TIMESTAMPING. */
static ssize_t recv_stamp(struct weir_file *f, int flags, struct sock_extended_err *ret_ee,
			  bool *ret_stamped)
{
	static char octets[2048];
	union {
		struct cmsghdr align;
		char room[256];
	} control;
	struct iovec iov = { octets, sizeof(octets) };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = control.room,
			      .msg_controllen = sizeof(control) };
	ssize_t n = weir_recvmsg(f, &msg, flags);

	*ret_stamped = false;
	*ret_ee = (struct sock_extended_err){ 0 };
	if (n < 0)
		return n;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c)) {
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_TIMESTAMPING)
			*ret_stamped = c->cmsg_len == CMSG_LEN(48);
		if (c->cmsg_level == SOL_IP && c->cmsg_type == IP_RECVERR)
			memcpy(ret_ee, CMSG_DATA(c), sizeof(*ret_ee));
	}
	return n;
}

/* As on Linux: for each datagram one stamp before the qdisc and one at the driver, with the frame or without. */
static void timestamps_of_what_was_sent_come_by_the_error_queue(void **state)
{
	struct two_nets *t = *state;

	for (int only = 0; only < 2; only++) {
		struct weir_file *a = endpoint(t, 0, 0), *b = endpoint(t, 1, 0);
		struct sock_extended_err ee;
		bool stamped;

		set_int(b, SOL_SOCKET, SO_TIMESTAMPING, TS_SOFTWARE | TS_RX_SOFTWARE);
		set_int(a, SOL_SOCKET, SO_TIMESTAMPING,
			TS_SOFTWARE | TS_TX_SOFTWARE | TS_TX_SCHED | TS_OPT_ID |
				(only ? TS_OPT_TSONLY : 0));
		assert_int_equal(weir_send(a, "abc", 3, 0), 3);
		assert_int_equal(weir_send(a, "defg", 4, 0), 4);
		settle(t);
		assert_true(weir_poll_now(a) & EPOLLERR);
		for (unsigned i = 0; i < 4; i++) {
			assert_int_equal(recv_stamp(a, MSG_ERRQUEUE, &ee, &stamped),
					 only ? 0 : 14 + 20 + 8 + 3 + i / 2);
			assert_true(stamped);
			assert_int_equal(ee.ee_errno, ENOMSG);
			assert_int_equal(ee.ee_origin, SO_EE_ORIGIN_TIMESTAMPING);
			assert_int_equal(ee.ee_info, i & 1 ? SCM_TSTAMP_SND : SCM_TSTAMP_SCHED);
			assert_int_equal(ee.ee_data, i / 2);
		}
		assert_int_equal(recv_stamp(a, MSG_ERRQUEUE, &ee, &stamped), -EAGAIN);
		assert_false(weir_poll_now(a) & EPOLLERR);
		assert_int_equal(recv_stamp(b, 0, &ee, &stamped), 3);
		assert_true(stamped);
		weir_close(a);
		weir_close(b);
	}
}

static void a_timestamp_may_be_asked_for_by_one_message(void **state)
{
	struct two_nets *t = *state;
	struct weir_file *a = endpoint(t, 0, 0), *b = endpoint(t, 1, 0);
	struct sock_extended_err ee;
	uint32_t record = TS_TX_SOFTWARE, other = TS_SOFTWARE;
	bool stamped;

	set_int(a, SOL_SOCKET, SO_TIMESTAMPING, TS_SOFTWARE);
	assert_int_equal(weir_send(a, "abc", 3, 0), 3);
	assert_int_equal(send_cmsg(a, 10, 0, SOL_SOCKET, SO_TIMESTAMPING, &record, 4), 10);
	assert_int_equal(send_cmsg(a, 10, 0, SOL_SOCKET, SO_TIMESTAMPING, &other, 4), -EINVAL);
	settle(t);
	assert_int_equal(recv_stamp(a, MSG_ERRQUEUE, &ee, &stamped), 14 + 20 + 8 + 10);
	assert_true(stamped);
	assert_int_equal(recv_stamp(a, MSG_ERRQUEUE, &ee, &stamped), -EAGAIN);
	weir_close(a);
	weir_close(b);
}

/* ---- UDP-Lite, RFC 3828 ------------------------------------------------------------------------------------ */

static unsigned sum16(const uint8_t *p, size_t n, unsigned sum)
{
	for (size_t i = 0; i < n; i++)
		sum += i & 1 ? p[i] : (unsigned)p[i] << 8;
	return sum;
}

/* What an untrusty link makes of it: a datagram by hand, with the checksum over @coverage octets. */
static void send_by_hand(struct two_nets *t, uint16_t coverage, bool damage_covered,
			 bool damage_rest)
{
	struct weir_file *raw;
	uint8_t p[8 + 16] = { 0, 9, 0, 7, (uint8_t)(coverage >> 8), (uint8_t)coverage };
	uint8_t pseudo[12];
	size_t covered = coverage && coverage < sizeof(p) ? coverage : sizeof(p);
	unsigned sum;

	memset(p + 8, 'x', 16);
	memcpy(pseudo, &t->addr[0].sin_addr, 4);
	memcpy(pseudo + 4, &t->addr[1].sin_addr, 4);
	memcpy(pseudo + 8, (uint8_t[]){ 0, IPPROTO_UDPLITE, 0, sizeof(p) }, 4);
	sum = sum16(p, covered, sum16(pseudo, 12, 0));
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	p[6] = (uint8_t)(~sum >> 8);
	p[7] = (uint8_t)~sum;
	p[8] ^= damage_covered;
	p[23] ^= damage_rest;
	assert_int_equal(weir_socket(t->net[0], AF_INET, SOCK_RAW, IPPROTO_UDPLITE, &raw), 0);
	assert_int_equal(weir_sendto(raw, p, sizeof(p), 0, (struct sockaddr *)&t->addr[1],
				     sizeof(t->addr[1])),
			 sizeof(p));
	weir_close(raw);
	settle(t);
}

static void udplite_delivers_what_is_damaged_outside_its_coverage(void **state)
{
	struct two_nets *t = *state;
	struct weir_file *b = endpoint(t, 1, IPPROTO_UDPLITE);
	char in[32];

	send_by_hand(t, 12, false, true);
	assert_int_equal(weir_recv(b, in, sizeof(in), 0), 16);
	send_by_hand(t, 12, true, false);
	assert_int_equal(weir_recv(b, in, sizeof(in), 0), -EAGAIN);
	send_by_hand(t, 0, false, true);
	assert_int_equal(weir_recv(b, in, sizeof(in), 0), -EAGAIN);
	send_by_hand(t, 0, false, false);
	assert_int_equal(weir_recv(b, in, sizeof(in), 0), 16);
	send_by_hand(t, 7, false, false);  /* less than the header */
	send_by_hand(t, 25, false, false); /* more than there is */
	assert_int_equal(weir_recv(b, in, sizeof(in), 0), -EAGAIN);
	assert_int_equal(snmp_value(t->net[1], "\nUdpLite:", 1), 2); /* InDatagrams */
	assert_int_equal(snmp_value(t->net[1], "\nUdpLite:", 3), 4); /* InErrors */
	assert_int_equal(snmp_value(t->net[1], "\nUdpLite:", 7), 2); /* InCsumErrors */
	assert_int_equal(snmp_value(t->net[1], "\nUdp:", 1), 0);
	weir_close(b);
}

static void udplite_receiver_may_want_more_coverage(void **state)
{
	struct two_nets *t = *state;
	struct weir_file *b = endpoint(t, 1, IPPROTO_UDPLITE);
	char in[32];

	set_int(b, IPPROTO_UDPLITE, UDPLITE_RECV, 16);
	send_by_hand(t, 12, false, false);
	assert_int_equal(weir_recv(b, in, sizeof(in), 0), -EAGAIN);
	send_by_hand(t, 16, false, false);
	assert_int_equal(weir_recv(b, in, sizeof(in), 0), 16);
	set_int(b, IPPROTO_UDPLITE, UDPLITE_RECV, 0); /* all of it */
	send_by_hand(t, 16, false, false);
	assert_int_equal(weir_recv(b, in, sizeof(in), 0), -EAGAIN);
	send_by_hand(t, 24, false, false);
	assert_int_equal(weir_recv(b, in, sizeof(in), 0), 16);
	weir_close(b);
}

static void udplite_sends_the_coverage_that_was_asked_for(void **state)
{
	/* Value of UDPLITE_SEND_CSCOV, third field of the header for 16 octets. */
	static const int rows[][2] = { { -1, 24 }, { 0, 0 },   { 1, 8 },
				       { 8, 8 },   { 20, 20 }, { 5000, 24 } };
	struct two_nets *t = *state;
	struct weir_file *raw, *b = endpoint(t, 1, IPPROTO_UDPLITE);
	uint8_t p[64];
	char in[32];

	assert_int_equal(
		weir_socket(t->net[1], AF_INET, SOCK_RAW | SOCK_NONBLOCK, IPPROTO_UDPLITE, &raw),
		0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct weir_file *a = endpoint(t, 0, IPPROTO_UDPLITE);

		if (rows[i][0] >= 0)
			set_int(a, IPPROTO_UDPLITE, UDPLITE_SEND, rows[i][0]);
		assert_int_equal(weir_send(a, "0123456789abcdef", 16, 0), 16);
		settle(t);
		assert_int_equal(weir_recv(raw, p, sizeof(p), 0), 20 + 8 + 16);
		assert_int_equal(p[24] << 8 | p[25], rows[i][1]);
		assert_int_equal(weir_recv(b, in, sizeof(in), 0), 16);
		weir_close(a);
	}
	weir_close(raw);
	weir_close(b);
}

static void udplite_has_ports_of_its_own(void **state)
{
	struct two_nets *t = *state;
	struct weir_file *lite = endpoint(t, 1, IPPROTO_UDPLITE), *plain = endpoint(t, 1, 0);
	struct weir_file *a = endpoint(t, 0, 0);
	char in[8], *text;
	size_t len;

	assert_int_equal(weir_send(a, "u", 1, 0), 1);
	settle(t);
	assert_int_equal(weir_recv(lite, in, sizeof(in), 0), -EAGAIN);
	assert_int_equal(weir_recv(plain, in, sizeof(in), 0), 1);
	assert_int_equal(weir_view_read(t->net[1], "/proc/net/udplite", &text, &len), 0);
	assert_non_null(strstr(text, ":0007 "));
	free(text);
	weir_close(lite);
	weir_close(plain);
	weir_close(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		T(udp_segment_is_cut_for_a_socket_without_gro),
		T(udp_segment_stays_whole_for_a_socket_with_gro),
		T(udp_segment_crosses_a_link_without_offloads),
		T(udp_segment_obeys_the_rules_of_linux),
		T(a_corked_datagram_keeps_the_control_messages_of_its_first_piece),
		T(corked_pieces_are_cut_as_one),
		T(a_cork_is_charged_to_the_send_buffer),
		T(peek_off_walks_through_the_queue),
		T(timestamps_of_what_was_sent_come_by_the_error_queue),
		T(a_timestamp_may_be_asked_for_by_one_message),
		T(udplite_delivers_what_is_damaged_outside_its_coverage),
		T(udplite_receiver_may_want_more_coverage),
		T(udplite_sends_the_coverage_that_was_asked_for),
		T(udplite_has_ports_of_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
