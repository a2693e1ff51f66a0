/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_mem_test.c - the memory of all sockets of a protocol together: tcp_mem, udp_mem, pressure
 *
 *      a --- eth0 =====[ 5 ms ]===== eth0 --- b
 */
#include "tests/support/topo.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/sock_diag.h>

#include <cmocka.h>

#include "core/sock_reasons.h"
#include "stack/stack.h"
#include "tcp/tcp.h"
#include "tests/support/tcp_check.h"
#include "udp/udp.h"

#define MS 1000000ULL
#define S  1000000000ULL

struct bed {
	struct topo t;
	struct weir_file *c, *s; /* c in a, s in b */
};

static const struct topo_link plain_link = { .delay_ns = 5 * MS };

static void begin(struct bed *b, const struct topo_link *link, const char *tcp_mem)
{
	memset(b, 0, sizeof(*b));
	assert_true(topo_create(&b->t, link, 1));
	for (int i = 0; i < 2; i++)
		if (tcp_mem)
			assert_int_equal(weir_sysctl(b->t.net[i], "net.ipv4.tcp_mem", tcp_mem), 0);
}

static void connect_pair(struct bed *b)
{
	assert_true(topo_connect(&b->t, &b->c, &b->s));
}

static u64 counter(struct bed *b, int i, enum mib_counter c)
{
	return net_of(b->t.net[i])->mib[c];
}

static const struct sock_mem *mem_of(struct bed *b, int i)
{
	return &net_of(b->t.net[i])->tcp->mem;
}

/* The number behind @field in the line of /proc/net/sockstat that begins with @line. */
static unsigned sockstat(struct bed *b, int i, const char *line, const char *field)
{
	char *text, *at;
	unsigned v;
	size_t len;

	assert_int_equal(weir_view_read(b->t.net[i], "/proc/net/sockstat", &text, &len), 0);
	at = strstr(text, line);
	assert_non_null(at);
	at = strstr(at, field);
	assert_non_null(at);
	v = (unsigned)strtoul(at + strlen(field), NULL, 10);
	free(text);
	return v;
}

static u32 meminfo(struct weir_file *f, int what)
{
	u32 m[SK_MEMINFO_VARS] = { 0 };
	socklen_t len = sizeof(m);

	assert_int_equal(weir_getsockopt(f, SOL_SOCKET, SO_MEMINFO, m, &len), 0);
	return m[what];
}

static struct tcp_info info_of(struct weir_file *f)
{
	struct tcp_info info = { 0 };
	socklen_t len = sizeof(info);

	assert_int_equal(weir_getsockopt(f, IPPROTO_TCP, TCP_INFO, &info, &len), 0);
	return info;
}

/* As much as the socket takes. */
static u64 fill(struct weir_file *f)
{
	static char buf[65536];
	u64 sum = 0;
	ssize_t n;

	while ((n = weir_send(f, buf, sizeof(buf), MSG_DONTWAIT)) > 0)
		sum += (u64)n;
	assert_int_equal(n, -EAGAIN);
	return sum;
}

static u64 drain(struct weir_file *f)
{
	static char buf[65536];
	u64 sum = 0;
	ssize_t n;

	while ((n = weir_recv(f, buf, sizeof(buf), MSG_DONTWAIT)) > 0)
		sum += (u64)n;
	return sum;
}

static void transfer(struct bed *b, u64 ns)
{
	u64 end = weir_now(b->t.m) + ns;

	while (weir_now(b->t.m) < end) {
		fill(b->c);
		topo_run(&b->t, MS);
		drain(b->s);
		tcp_check_net(b->t.net[0]);
		tcp_check_net(b->t.net[1]);
	}
}

static void end(struct bed *b)
{
	weir_close(b->c);
	if (b->s)
		weir_close(b->s);
	topo_run(&b->t, 300 * S);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(mem_of(b, i)->allocated, 0);
		assert_int_equal(mem_of(b, i)->socks, 0);
		assert_int_equal(mem_of(b, i)->pressure_ns, 0);
	}
	topo_destroy(&b->t);
}

static void limits_have_linux_proportions_and_come_from_the_machine(void **state)
{
	struct bed b;
	const u32 *l;

	(void)state;
	begin(&b, &plain_link, NULL);
	l = mem_of(&b, 0)->limit;
	assert_int_equal(l[1], net_of(b.t.net[0])->machine->mem_limit / 4096 / 4);
	assert_int_equal(l[0], l[1] / 4 * 3);
	assert_int_equal(l[2], l[0] * 2);
	assert_int_equal(weir_sysctl(b.t.net[0], "net.ipv4.tcp_mem", "10 20 30"), 0);
	assert_int_equal(l[2], 30);
	topo_destroy(&b.t);
}

static void sockstat_and_so_meminfo_tell_what_is_queued(void **state)
{
	struct bed b;

	(void)state;
	begin(&b, &plain_link, NULL);
	connect_pair(&b);
	assert_int_equal(sockstat(&b, 1, "TCP:", "mem "), 0);
	assert_int_equal(weir_send(b.c, "x", 1, 0), 1);
	topo_run(&b.t, 100 * MS);
	/* One page serves; nothing was asked for. */
	assert_int_equal(sockstat(&b, 1, "TCP:", "mem "), 1);
	assert_int_equal(mem_of(&b, 1)->allocated, 0);
	assert_int_equal(meminfo(b.s, SK_MEMINFO_FWD_ALLOC),
			 4096 - meminfo(b.s, SK_MEMINFO_RMEM_ALLOC));
	drain(b.s);
	assert_int_equal(sockstat(&b, 1, "TCP:", "mem "), 0);
	assert_int_equal(meminfo(b.s, SK_MEMINFO_FWD_ALLOC), 0);
	fill(b.c);
	topo_run(&b.t, S);
	assert_int_equal(sockstat(&b, 1, "TCP:", "mem "),
			 (meminfo(b.s, SK_MEMINFO_RMEM_ALLOC) + 4095) / 4096);
	assert_true(mem_of(&b, 1)->allocated > 10);
	drain(b.s);
	topo_run(&b.t, S);
	drain(b.s);
	assert_int_equal(sockstat(&b, 1, "TCP:", "mem "), 0);
	end(&b);
}

static void under_pressure_neither_windows_nor_buffers_grow(void **state)
{
	struct tcp_info free_info, tight_info;
	u32 free_buf, tight_buf;
	struct bed b;

	(void)state;
	begin(&b, &plain_link, NULL);
	connect_pair(&b);
	transfer(&b, S);
	free_info = info_of(b.s);
	free_buf = meminfo(b.c, SK_MEMINFO_SNDBUF);
	assert_int_equal(counter(&b, 1, MIB_TcpExt_TCPMemoryPressures), 0);
	end(&b);

	/* Pressure from the first page on, and no hard limit in reach. */
	begin(&b, &plain_link, "0 0 100000");
	connect_pair(&b);
	transfer(&b, S);
	tight_info = info_of(b.s);
	tight_buf = meminfo(b.c, SK_MEMINFO_SNDBUF);
	assert_true(counter(&b, 0, MIB_TcpExt_TCPMemoryPressures) > 0);
	assert_true(counter(&b, 1, MIB_TcpExt_TCPMemoryPressures) > 0);
	assert_true(tight_info.tcpi_rcv_ssthresh < free_info.tcpi_rcv_ssthresh / 4);
	assert_true(tight_buf < free_buf / 4);
	weir_close(b.c);
	weir_close(b.s);
	topo_destroy(&b.t);
}

static void pressure_begins_and_ends_at_different_marks_and_is_timed(void **state)
{
	const struct sock_mem *mem;
	struct bed b;

	(void)state;
	begin(&b, &plain_link, "4 8 1000");
	connect_pair(&b);
	mem = mem_of(&b, 1);
	fill(b.c);
	topo_run(&b.t, S);
	assert_true(mem->allocated > 8);
	assert_true(mem->pressure_ns);
	assert_int_equal(counter(&b, 1, MIB_TcpExt_TCPMemoryPressures), 1);
	topo_run(&b.t, S);
	drain(b.s);
	assert_int_equal(mem->pressure_ns, 0);
	assert_true(counter(&b, 1, MIB_TcpExt_TCPMemoryPressuresChrono) >= 1000);
	assert_true(counter(&b, 1, MIB_TcpExt_TCPMemoryPressuresChrono) <= 2100);
	drain(b.s);
	topo_run(&b.t, 10 * S);
	drain(b.s);
	end(&b);
}

static void beyond_the_hard_limit_a_send_call_gets_no_more_and_what_was_taken_arrives(void **state)
{
	u64 sent, got = 0;
	struct bed b;
	int big = 1 << 20;

	(void)state;
	begin(&b, &plain_link, NULL);
	connect_pair(&b);
	assert_int_equal(weir_setsockopt(b.c, SOL_SOCKET, SO_SNDBUF, &big, sizeof(big)), 0);
	assert_int_equal(weir_sysctl(b.t.net[0], "net.ipv4.tcp_mem", "2 4 16"), 0);
	sent = fill(b.c);
	assert_true(sent > 0 && sent <= 16 * 4096 + 65536);
	assert_true(meminfo(b.c, SK_MEMINFO_WMEM_QUEUED) <
		    meminfo(b.c, SK_MEMINFO_SNDBUF) / 2); /* not its own limit */
	for (int i = 0; i < 100; i++) {
		topo_run(&b.t, 50 * MS);
		got += drain(b.s);
		tcp_check_net(b.t.net[0]);
	}
	assert_int_equal(got, sent);
	assert_true(fill(b.c) > 0); /* and now there is room again */
	weir_close(b.c);
	weir_close(b.s);
	topo_destroy(&b.t);
}

/* Also across losses: what waits out of order is given up first, and no octet is lost. */
static void streams_complete_in_very_little_memory(void **state)
{
	static const struct topo_link lossy = { .delay_ns = 5 * MS, .loss = 0.02, .reorder = 0.05 };
	static const char *const mems[] = { "0 0 0", "1 2 3", "4 8 16", "16 24 32" };
	struct topo_result r;
	struct bed b;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(mems); i++) {
		begin(&b, &lossy, mems[i]);
		r = topo_transfer(&b.t, 1 << 20, 1 << 20, 3600 * S);
		if (!r.ok)
			print_error("tcp_mem %s: %s\n", mems[i], r.problem);
		assert_true(r.ok);
		assert_true(counter(&b, 1, MIB_TcpExt_TCPMemoryPressures) > 0);
		topo_destroy(&b.t);
	}
}

static void an_orphan_with_much_to_send_is_reset_when_memory_is_gone(void **state)
{
	struct bed b;

	(void)state;
	begin(&b, &plain_link, NULL);
	connect_pair(&b);
	fill(b.c);
	topo_run(&b.t, S);
	fill(b.c); /* the peer does not read: this stays */
	assert_int_equal(weir_sysctl(b.t.net[0], "net.ipv4.tcp_mem", "1 1 1"), 0);
	weir_close(b.c);
	b.c = NULL;
	assert_int_equal(counter(&b, 0, MIB_TcpExt_TCPAbortOnMemory), 1);
	assert_int_equal(mem_of(&b, 0)->allocated, 0);
	topo_run(&b.t, S);
	drain(b.s);
	assert_int_equal(weir_send(b.s, "x", 1, MSG_DONTWAIT | MSG_NOSIGNAL), -EPIPE);
	end(&b);
}

static void udp_datagrams_beyond_udp_mem_are_dropped_and_counted(void **state)
{
	static char buf[1400];
	struct weir_file *tx, *rx;
	int big = 1 << 20, got = 0;
	struct bed b;
	struct net *net;

	(void)state;
	begin(&b, &plain_link, NULL);
	net = net_of(b.t.net[1]);
	assert_int_equal(weir_sysctl(b.t.net[1], "net.ipv4.udp_mem", "1 2 4"), 0);
	assert_int_equal(weir_socket(b.t.net[0], b.t.family, SOCK_DGRAM, 0, &tx), 0);
	assert_int_equal(weir_socket(b.t.net[1], b.t.family, SOCK_DGRAM, 0, &rx), 0);
	assert_int_equal(weir_setsockopt(rx, SOL_SOCKET, SO_RCVBUF, &big, sizeof(big)), 0);
	assert_int_equal(weir_bind(rx, &b.t.addr[1].sa, b.t.addrlen), 0);
	for (int i = 0; i < 50; i++)
		assert_int_equal(weir_sendto(tx, buf, sizeof(buf), 0, &b.t.addr[1].sa, b.t.addrlen),
				 sizeof(buf));
	topo_run(&b.t, S);
	assert_int_equal(net->udp->mem.allocated, 4);
	assert_int_equal(sockstat(&b, 1, "UDP:", "mem "), 5); /* and the first page */
	assert_true(meminfo(rx, SK_MEMINFO_RMEM_ALLOC) <= 5 * 4096);
	while (weir_recv(rx, buf, sizeof(buf), MSG_DONTWAIT) > 0)
		got++;
	assert_true(got > 0 && got < 50);
	if (b.t.family == AF_INET) {
		assert_int_equal(counter(&b, 1, MIB_Udp_MemErrors), 50 - got);
		assert_int_equal(counter(&b, 1, MIB_Udp_InErrors), 50 - got);
	}
	assert_int_equal(counter(&b, 1, MIB_Udp_RcvbufErrors), 0);
	assert_int_equal(net_drops(net, SKB_DROP_SOCKET_PROTO_MEM), 50 - got);
	assert_int_equal(net->udp->mem.allocated, 0);
	weir_sendto(tx, buf, sizeof(buf), 0, &b.t.addr[1].sa, b.t.addrlen);
	topo_run(&b.t, S);
	assert_int_equal(weir_recv(rx, buf, sizeof(buf), MSG_DONTWAIT), sizeof(buf));
	weir_close(tx);
	weir_close(rx);
	assert_int_equal(net->udp->mem.socks, 0);
	topo_destroy(&b.t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(limits_have_linux_proportions_and_come_from_the_machine),
		cmocka_unit_test(sockstat_and_so_meminfo_tell_what_is_queued),
		cmocka_unit_test(under_pressure_neither_windows_nor_buffers_grow),
		cmocka_unit_test(pressure_begins_and_ends_at_different_marks_and_is_timed),
		cmocka_unit_test(
			beyond_the_hard_limit_a_send_call_gets_no_more_and_what_was_taken_arrives),
		cmocka_unit_test(streams_complete_in_very_little_memory),
		cmocka_unit_test(an_orphan_with_much_to_send_is_reset_when_memory_is_gone),
		cmocka_unit_test(udp_datagrams_beyond_udp_mem_are_dropped_and_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
