/* SPDX-License-Identifier: BSD-2-Clause */
/* bypass_test.c - octets that go around the packets: when they may, and that nothing shows it */
#include "tests/api/two_nets.h"

#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <linux/tcp.h>
#include <stdlib.h>
#include <string.h>

static const struct weir_machine_config virtual_clock = { .clock = WEIR_CLOCK_VIRTUAL,
							  .seeded = true,
							  .seed = 1 };

enum { TCP_ESTABLISHED = 1, TCP_CLOSE = 7 };

struct pair {
	struct two_nets t;
	struct weir_file *c, *s;
};

static void settle(struct pair *p)
{
	for (int i = 0; i < 300; i++)
		weir_run(p->t.m, 1000000);
}

static int setup(void **state)
{
	struct pair *p = calloc(1, sizeof(*p));

	two_nets_create(&p->t, &virtual_clock);
	two_nets_connect(&p->t, &p->c, &p->s);
	settle(p);
	*state = p;
	return 0;
}

static int teardown(void **state)
{
	struct pair *p = *state;

	weir_close(p->c);
	weir_close(p->s);
	two_nets_destroy(&p->t);
	free(p);
	return 0;
}

static struct tcp_info info_of(struct weir_file *f)
{
	struct tcp_info info = { 0 };
	socklen_t len = sizeof(info);

	assert_int_equal(weir_getsockopt(f, IPPROTO_TCP, TCP_INFO, &info, &len), 0);
	return info;
}

static uint64_t dev_counter(struct weir_net *net, const char *name)
{
	char path[64], *text;
	uint64_t v;
	size_t len;

	snprintf(path, sizeof(path), "/sys/class/net/eth0/statistics/%s", name);
	assert_int_equal(weir_view_read(net, path, &text, &len), 0);
	v = strtoull(text, NULL, 10);
	free(text);
	return v;
}

/* @n octets as packets: all of them arrive. */
static void send_packets(struct pair *p, struct weir_file *from, struct weir_file *to, size_t n)
{
	char buf[4096] = "";
	size_t got = 0;

	assert_true(n <= sizeof(buf));
	assert_int_equal(weir_send(from, buf, n, 0), (ssize_t)n);
	for (int i = 0; i < 1000 && got < n; i++) {
		ssize_t k = weir_recv(to, buf, sizeof(buf), 0);

		if (k > 0)
			got += (size_t)k;
		else
			weir_run(p->t.m, 1000000);
	}
	assert_int_equal(got, n);
}

static void each_end_is_found_from_the_other(void **state)
{
	struct pair *p = *state;

	weir_set_inode(p->c, 4711, 0);
	assert_int_equal(weir_peer_inode(p->s, p->t.net[0]), 4711);
	assert_int_equal(weir_peer_inode(p->c, p->t.net[1]), weir_inode(p->s));
	assert_int_equal(weir_peer_inode(p->c, p->t.net[0]), 0);
}

static void sequence_numbers_agree_after_it_and_packets_go_on(void **state)
{
	struct pair *p = *state;

	for (int i = 0; i < 5; i++) {
		assert_int_equal(weir_bypass_ready(p->c, p->s), 0);
		weir_bypass(p->c, p->s, 3000000000u); /* the numbers wrap */
		assert_int_equal(weir_bypass_ready(p->s, p->c), 0);
		weir_bypass(p->s, p->c, 123457);
		send_packets(p, p->c, p->s, 1000);
		send_packets(p, p->s, p->c, 4000);
		settle(p);
	}
	assert_int_equal(info_of(p->c).tcpi_total_retrans, 0);
	assert_int_equal(info_of(p->s).tcpi_total_retrans, 0);
	assert_int_equal(info_of(p->c).tcpi_state, TCP_ESTABLISHED);
}

static void counters_are_those_of_segments(void **state)
{
	struct pair *p = *state;
	struct tcp_info c, s, c0 = info_of(p->c), s0 = info_of(p->s);
	uint64_t tx = dev_counter(p->t.net[0], "tx_bytes"),
		 rx = dev_counter(p->t.net[1], "rx_bytes");
	uint64_t back = dev_counter(p->t.net[0], "rx_packets");
	unsigned segs = (1000000 + c0.tcpi_snd_mss - 1) / c0.tcpi_snd_mss;

	assert_int_equal(weir_bypass_ready(p->c, p->s), 0);
	weir_bypass(p->c, p->s, 1000000);
	c = info_of(p->c);
	s = info_of(p->s);
	assert_int_equal(c.tcpi_bytes_acked - c0.tcpi_bytes_acked, 1000000);
	assert_int_equal(c.tcpi_bytes_sent - c0.tcpi_bytes_sent, 1000000);
	assert_int_equal(s.tcpi_bytes_received - s0.tcpi_bytes_received, 1000000);
	assert_int_equal(c.tcpi_data_segs_out - c0.tcpi_data_segs_out, segs);
	assert_int_equal(s.tcpi_data_segs_in - s0.tcpi_data_segs_in, segs);
	assert_int_equal(c.tcpi_segs_in - c0.tcpi_segs_in, s.tcpi_segs_out - s0.tcpi_segs_out);
	tx = dev_counter(p->t.net[0], "tx_bytes") - tx;
	rx = dev_counter(p->t.net[1], "rx_bytes") - rx;
	assert_int_equal(tx, rx);
	assert_in_range(tx, 1000000, 1010000);
	assert_true(dev_counter(p->t.net[0], "rx_packets") > back);
}

static void what_is_under_way_as_packets_goes_first(void **state)
{
	struct pair *p = *state;
	char buf[64];

	assert_int_equal(weir_send(p->c, "one", 3, 0), 3);
	assert_int_equal(weir_bypass_ready(p->c, p->s), -EAGAIN);
	settle(p);
	assert_int_equal(weir_bypass_ready(p->c, p->s), -EAGAIN); /* arrived, and not read */
	assert_int_equal(weir_bypass_ready(p->s, p->c), 0);       /* the other way is free */
	assert_int_equal(weir_recv(p->s, buf, sizeof(buf), 0), 3);
	assert_int_equal(weir_bypass_ready(p->c, p->s), 0);
}

static void a_delayed_ack_does_not_delay_it(void **state)
{
	struct pair *p = *state;
	char buf[64];

	for (int i = 0; i < 40; i++) { /* beyond the quick ACKs of the beginning */
		assert_int_equal(weir_send(p->c, "x", 1, 0), 1);
		while (weir_recv(p->s, buf, sizeof(buf), 0) != 1)
			weir_run(p->t.m, 0);
		assert_int_equal(weir_bypass_ready(p->c, p->s), 0);
		weir_bypass(p->c, p->s, 1);
	}
}

static void a_tap_sees_packets_from_the_next_octet_on(void **state)
{
	struct pair *p = *state;
	struct weir_file *tap;

	for (int i = 0; i < 2; i++) {
		assert_int_equal(weir_socket(p->t.net[i], AF_PACKET, SOCK_RAW | SOCK_NONBLOCK,
					     htons(ETH_P_ALL), &tap),
				 0);
		assert_int_equal(weir_bypass_ready(p->c, p->s), -EBUSY);
		assert_int_equal(weir_bypass_ready(p->s, p->c), -EBUSY);
		weir_close(tap);
		assert_int_equal(weir_bypass_ready(p->c, p->s), 0);
	}
	assert_int_equal(weir_socket(p->t.net[0], AF_INET, SOCK_RAW, IPPROTO_TCP, &tap), 0);
	assert_int_equal(weir_bypass_ready(p->c, p->s), -EBUSY);
	weir_close(tap);
	assert_int_equal(weir_trace_enable(p->t.m, 64), 0);
	assert_int_equal(weir_bypass_ready(p->c, p->s), -EBUSY);
	weir_trace_disable(p->t.m);
	assert_int_equal(weir_bypass_ready(p->c, p->s), 0);
}

static void a_discipline_has_every_packet(void **state)
{
	struct pair *p = *state;
	struct {
		struct nlmsghdr nlh;
		struct tcmsg tc;
		struct nlattr kind;
		char name[8];
	} q = { .nlh = { sizeof(q), RTM_NEWQDISC,
			 NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE },
		.tc = { .tcm_ifindex = 2, .tcm_parent = TC_H_ROOT },
		.kind = { sizeof(q.kind) + 6, TCA_KIND },
		.name = "pfifo" };

	assert_int_equal(weir_netlink(p->t.net[1], NETLINK_ROUTE, &q.nlh, NULL, NULL, NULL, 0), 0);
	assert_int_equal(weir_bypass_ready(p->c, p->s), -EBUSY);
	q.nlh.nlmsg_type = RTM_DELQDISC;
	assert_int_equal(weir_netlink(p->t.net[1], NETLINK_ROUTE, &q.nlh, NULL, NULL, NULL, 0), 0);
	assert_int_equal(weir_bypass_ready(p->c, p->s), 0);
}

static void a_way_that_is_not_there_carries_nothing(void **state)
{
	struct pair *p = *state;
	struct net_error err;
	struct {
		struct nlmsghdr nlh;
		struct ifinfomsg ifi;
	} q = { .nlh = { sizeof(q), RTM_NEWLINK, NLM_F_REQUEST | NLM_F_ACK },
		.ifi = { .ifi_index = 2, .ifi_change = IFF_UP } };

	assert_int_equal(weir_netlink(p->t.net[0], NETLINK_ROUTE, &q.nlh, NULL, NULL, NULL, 0), 0);
	assert_int_equal(weir_bypass_ready(p->c, p->s), -EBUSY);
	assert_int_equal(weir_bypass_ready(p->s, p->c), -EBUSY);
	assert_int_equal(net_link_up(p->t.net[0], "eth0", &err), 0);
	/* The route is looked up, and the neighbour asked for, by packets. */
	send_packets(p, p->c, p->s, 1);
	send_packets(p, p->s, p->c, 1);
	settle(p);
	assert_int_equal(weir_bypass_ready(p->c, p->s), 0);
}

static void ends_that_are_not_of_one_connection_are_refused(void **state)
{
	struct pair *p = *state;
	struct weir_file *c, *s, *u;

	p->t.addr[1].sin_port = htons(8);
	two_nets_connect(&p->t, &c, &s);
	settle(p);
	assert_int_equal(weir_bypass_ready(p->c, s), -EBUSY);
	assert_int_equal(weir_bypass_ready(c, p->s), -EBUSY);
	assert_int_equal(weir_bypass_ready(c, c), -EBUSY);
	assert_int_equal(weir_socket(p->t.net[0], AF_INET, SOCK_DGRAM, 0, &u), 0);
	assert_int_equal(weir_bypass_ready(u, s), -EBUSY);
	weir_close(u);
	weir_close(c);
	weir_close(s);
}

static void corked_filtered_and_shut_ends_are_refused(void **state)
{
	struct pair *p = *state;
	int on = 1, off = 0;

	assert_int_equal(weir_setsockopt(p->c, IPPROTO_TCP, TCP_CORK, &on, sizeof(on)), 0);
	assert_int_equal(weir_bypass_ready(p->c, p->s), -EBUSY);
	assert_int_equal(weir_setsockopt(p->c, IPPROTO_TCP, TCP_CORK, &off, sizeof(off)), 0);
	assert_int_equal(weir_bypass_ready(p->c, p->s), 0);
	assert_int_equal(weir_shutdown(p->c, SHUT_WR), 0);
	assert_int_equal(weir_bypass_ready(p->c, p->s), -EBUSY);
	settle(p);
	/* A half that is open goes on. */
	assert_int_equal(weir_bypass_ready(p->s, p->c), 0);
	weir_bypass(p->s, p->c, 100000);
	send_packets(p, p->s, p->c, 1000);
	assert_int_equal(weir_shutdown(p->s, SHUT_WR), 0);
	settle(p);
	assert_int_equal(info_of(p->s).tcpi_state, TCP_CLOSE);
}

static void urgent_octets_are_packets(void **state)
{
	struct pair *p = *state;
	char c;

	assert_int_equal(weir_send(p->c, "u", 1, MSG_OOB), 1);
	settle(p);
	assert_int_equal(weir_bypass_ready(p->c, p->s), -EBUSY);
	assert_int_equal(weir_recv(p->s, &c, 1, MSG_OOB), 1);
	send_packets(p, p->c, p->s, 1);
	settle(p);
	assert_int_equal(weir_bypass_ready(p->c, p->s), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_end_is_found_from_the_other),
		TEST(sequence_numbers_agree_after_it_and_packets_go_on),
		TEST(counters_are_those_of_segments),
		TEST(what_is_under_way_as_packets_goes_first),
		TEST(a_delayed_ack_does_not_delay_it),
		TEST(a_tap_sees_packets_from_the_next_octet_on),
		TEST(a_discipline_has_every_packet),
		TEST(a_way_that_is_not_there_carries_nothing),
		TEST(ends_that_are_not_of_one_connection_are_refused),
		TEST(corked_filtered_and_shut_ends_are_refused),
		TEST(urgent_octets_are_packets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
