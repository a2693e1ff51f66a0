/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * device_test.c - frames in and out: weir_dev, and devices over descriptors
 *
 * Two nets are joined by a socketpair that plays the tap of a host, or by a program that carries frames between two weir_devs.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <linux/errqueue.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include "tests/api/two_nets.h"

static const struct weir_machine_config virtual_time = { .clock = WEIR_CLOCK_VIRTUAL };

/* ---- helpers ---------------------------------------------------------------------------------------------- */

static void give_addresses(struct two_nets *t, const char *ifname)
{
	struct net_error err;

	for (int i = 0; i < 2; i++) {
		t->addr[i] = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(7) };
		t->addr[i].sin_addr.s_addr = htonl(0x0a000001u + (uint32_t)i);
		assert_int_equal(net_addr_add(t->net[i], ifname, t->addr[i].sin_addr, 24, &err), 0);
		assert_int_equal(net_link_up(t->net[i], ifname, &err), 0);
	}
}

static void nets_create(struct two_nets *t, const struct weir_machine_config *cfg)
{
	t->m = weir_machine_create(cfg);
	assert_non_null(t->m);
	for (int i = 0; i < 2; i++) {
		t->net[i] = weir_net_create(t->m, i ? "b" : "a");
		assert_non_null(t->net[i]);
	}
}

/* Two nets on the ends of a socketpair. */
static void join_by_descriptors(struct two_nets *t, const struct weir_machine_config *cfg,
				unsigned flags)
{
	int fds[2];

	nets_create(t, cfg);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(weir_dev_attach_tap(t->net[i], "tap0", fds[i], flags), 0);
		close(fds[i]);
	}
	give_addresses(t, "tap0");
}

static unsigned long counter(struct weir_net *net, const char *name)
{
	char path[128], *text;
	unsigned long v;
	size_t len;

	snprintf(path, sizeof(path), "/sys/class/net/tap0/statistics/%s", name);
	assert_int_equal(weir_view_read(net, path, &text, &len), 0);
	v = strtoul(text, NULL, 10);
	free(text);
	return v;
}

static uint32_t octet_at(size_t i)
{
	return (uint32_t)(i * 2654435761u >> 24 & 0xff);
}

/* @total octets from @c to @s, compared octet by octet. */
static void check_transfer(struct two_nets *t, struct weir_file *c, struct weir_file *s,
			   size_t total)
{
	static unsigned char out[65536], in[65536];
	size_t sent = 0, got = 0;

	for (int idle = 0; got < total && idle < 3000;) {
		size_t n = sizeof(out) < total - sent ? sizeof(out) : total - sent;
		ssize_t w, r;

		for (size_t i = 0; i < n; i++)
			out[i] = (unsigned char)octet_at(sent + i);
		w = n ? weir_send(c, out, n, 0) : -EAGAIN;
		assert_true(w > 0 || w == -EAGAIN);
		sent += w > 0 ? (size_t)w : 0;
		r = weir_recv(s, in, sizeof(in), 0);
		assert_true(r > 0 || r == -EAGAIN);
		for (ssize_t i = 0; i < r; i++)
			assert_int_equal(in[i], octet_at(got + (size_t)i));
		got += r > 0 ? (size_t)r : 0;
		idle = w > 0 || r > 0 ? 0 : idle + 1;
		weir_run(t->m, idle ? 10000000 : 0);
	}
	assert_int_equal(got, total);
}

static void tcp_over_descriptors(unsigned flags)
{
	struct weir_file *c, *s;
	struct two_nets t;

	join_by_descriptors(&t, NULL, flags);
	two_nets_connect(&t, &c, &s);
	check_transfer(&t, c, s, 3000000);
	check_transfer(&t, s, c, 3000000);
	weir_close(c);
	weir_close(s);
	two_nets_destroy(&t);
}

/* ---- descriptors ------------------------------------------------------------------------------------------- */

static void tcp_crosses_ethernet_frames_of_a_descriptor(void **state)
{
	tcp_over_descriptors(0);
}

static void tcp_crosses_packets_without_a_link_layer(void **state)
{
	tcp_over_descriptors(WEIR_DEV_L3);
}

static void big_segments_cross_whole_behind_virtio_headers(void **state)
{
	struct weir_file *c, *s;
	struct two_nets t;
	unsigned long octets, frames;

	join_by_descriptors(&t, NULL, WEIR_DEV_VNET_HDR);
	two_nets_connect(&t, &c, &s);
	check_transfer(&t, c, s, 3000000);
	octets = counter(t.net[0], "tx_bytes");
	frames = counter(t.net[0], "tx_packets");
	assert_true(octets >= 3000000);
	assert_true(octets / frames > 4000);
	assert_int_equal(counter(t.net[1], "rx_errors"), 0);
	weir_close(c);
	weir_close(s);
	two_nets_destroy(&t);
	tcp_over_descriptors(WEIR_DEV_VNET_HDR | WEIR_DEV_L3);
}

static void workers_are_woken_by_a_descriptor(void **state)
{
	static const struct weir_machine_config cfg = { .workers = true };
	char buf[10] = "";
	struct weir_file *a, *b;
	struct two_nets t;

	join_by_descriptors(&t, &cfg, 0);
	assert_int_equal(weir_socket(t.net[0], AF_INET, SOCK_DGRAM, 0, &a), 0);
	assert_int_equal(weir_socket(t.net[1], AF_INET, SOCK_DGRAM, 0, &b), 0);
	assert_int_equal(weir_bind(b, (struct sockaddr *)&t.addr[1], sizeof(t.addr[1])), 0);
	for (int i = 0; i < 100; i++) {
		assert_int_equal(weir_sendto(a, "hello", 5, 0, (struct sockaddr *)&t.addr[1],
					     sizeof(t.addr[1])),
				 5);
		assert_int_equal(weir_recv(b, buf, sizeof(buf), 0), 5);
	}
	weir_close(a);
	weir_close(b);
	two_nets_destroy(&t);
}

static void a_full_descriptor_stops_the_queue_and_loses_nothing(void **state)
{
	struct weir_machine_config cfg = { 0 };
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(9) };
	int fds[2], got = 0, room = 16384;
	struct net_error err;
	struct weir_machine *m = weir_machine_create(&cfg);
	struct weir_net *net = weir_net_create(m, "a");
	struct in_addr addr = { htonl(0x0a000001) };
	struct weir_file *u;
	char payload[1000] = "", frame[2000];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
	setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	assert_int_equal(weir_dev_attach_tap(net, "tap0", fds[0], WEIR_DEV_L3), 0);
	assert_int_equal(net_addr_add(net, "tap0", addr, 24, &err), 0);
	assert_int_equal(net_link_up(net, "tap0", &err), 0);
	assert_int_equal(weir_socket(net, AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0, &u), 0);
	to.sin_addr.s_addr = htonl(0x0a000002);
	for (int i = 0; i < 60; i++)
		assert_int_equal(weir_sendto(u, payload, sizeof(payload), 0, (struct sockaddr *)&to,
					     sizeof(to)),
				 sizeof(payload));
	assert_true(counter(net, "tx_packets") < 60); /* the others wait in the qdisc */
	fcntl(fds[1], F_SETFL, O_NONBLOCK);
	for (int idle = 0; got < 60 && idle < 1000; idle++) {
		while (read(fds[1], frame, sizeof(frame)) > 0)
			got++;
		weir_run(m, 5000000);
	}
	assert_int_equal(got, 60);
	assert_int_equal(counter(net, "tx_dropped") + counter(net, "tx_errors"), 0);
	weir_close(u);
	close(fds[0]);
	close(fds[1]);
	weir_net_destroy(net);
	weir_machine_destroy(m);
}

static void the_other_end_closing_takes_the_carrier(void **state)
{
	struct weir_machine *m = weir_machine_create(NULL);
	struct weir_net *net = weir_net_create(m, "a");
	struct net_error err;
	char *text;
	size_t len;
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
	assert_int_equal(weir_dev_attach_tap(net, "tap0", fds[0], 0), 0);
	close(fds[0]);
	assert_int_equal(net_link_up(net, "tap0", &err), 0);
	weir_run(m, 0);
	assert_int_equal(weir_view_read(net, "/sys/class/net/tap0/carrier", &text, &len), 0);
	assert_string_equal(text, "1\n");
	free(text);
	close(fds[1]);
	for (int i = 0; i < 500; i++) {
		weir_run(m, 10000000);
		assert_int_equal(weir_view_read(net, "/sys/class/net/tap0/carrier", &text, &len),
				 0);
		if (!strcmp(text, "0\n"))
			break;
		free(text);
		text = NULL;
	}
	assert_non_null(text);
	free(text);
	weir_net_destroy(net);
	weir_machine_destroy(m);
}

/* As an empty message is the end of a SOCK_SEQPACKET socket. */
static void an_empty_datagram_is_not_the_end(void **state)
{
	struct weir_machine *m = weir_machine_create(NULL);
	struct weir_net *net = weir_net_create(m, "a");
	struct net_error err;
	char *text;
	size_t len;
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, fds), 0);
	assert_int_equal(weir_dev_attach_tap(net, "tap0", fds[0], 0), 0);
	close(fds[0]);
	assert_int_equal(net_link_up(net, "tap0", &err), 0);
	assert_int_equal(send(fds[1], "", 0, 0), 0);
	for (int i = 0; i < 500 && !counter(net, "rx_errors"); i++)
		weir_run(m, 10000000);
	assert_int_equal(counter(net, "rx_errors"), 1);
	weir_run(m, 0);
	assert_int_equal(weir_view_read(net, "/sys/class/net/tap0/carrier", &text, &len), 0);
	assert_string_equal(text, "1\n");
	free(text);
	close(fds[1]);
	weir_net_destroy(net);
	weir_machine_destroy(m);
}

/* What a datagram socket is told of its peer (here: it threw away what we sent, and came back) is over with the telling. */
static void an_error_of_a_datagram_socket_is_not_the_end(void **state)
{
	struct weir_machine *m = weir_machine_create(NULL);
	struct weir_net *net = weir_net_create(m, "a");
	struct sockaddr_un us, none = { .sun_family = AF_UNIX }, elsewhere;
	socklen_t len = sizeof(sa_family_t), us_len = sizeof(us), there_len = sizeof(elsewhere);
	struct net_error err;
	int fds[2], there = socket(AF_UNIX, SOCK_DGRAM, 0);

	/* Names without a file, of the kernel's choice. */
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, fds), 0);
	assert_int_equal(bind(fds[0], (struct sockaddr *)&none, len), 0);
	assert_int_equal(bind(there, (struct sockaddr *)&none, len), 0);
	assert_int_equal(getsockname(fds[0], (struct sockaddr *)&us, &us_len), 0);
	assert_int_equal(getsockname(there, (struct sockaddr *)&elsewhere, &there_len), 0);
	assert_int_equal(weir_dev_attach_tap(net, "tap0", fds[0], 0), 0);
	assert_int_equal(net_link_up(net, "tap0", &err), 0);
	assert_int_equal(send(fds[0], "frame", 5, 0), 5);
	assert_int_equal(connect(fds[1], (struct sockaddr *)&elsewhere, there_len), 0);
	assert_int_equal(connect(fds[1], (struct sockaddr *)&us, us_len), 0);
	assert_int_equal(send(fds[1], "x", 1, 0), 1);
	for (int i = 0; i < 500 && !counter(net, "rx_errors"); i++)
		weir_run(m, 10000000);
	assert_int_equal(counter(net, "rx_errors"), 1);
	close(fds[0]);
	close(fds[1]);
	close(there);
	weir_net_destroy(net);
	weir_machine_destroy(m);
}

static void what_is_no_message_descriptor_is_refused(void **state)
{
	struct weir_machine *m = weir_machine_create(NULL), *v = weir_machine_create(&virtual_time);
	struct weir_net *net = weir_net_create(m, "a"), *vnet = weir_net_create(v, "a");
	int fds[2], file = open("/dev/null", O_RDWR);

	assert_int_equal(weir_dev_attach_tap(net, "tap0", -1, 0), -EBADF);
	assert_int_equal(weir_dev_attach_tap(net, "tap0", file, 0), -EINVAL);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	assert_int_equal(weir_dev_attach_tap(net, "tap0", fds[0], 0), -EINVAL);
	close(fds[0]);
	close(fds[1]);
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, fds), 0);
	assert_int_equal(weir_dev_attach_tap(net, "tap0", fds[0], 8), -EINVAL);
	assert_int_equal(weir_dev_attach_tap(vnet, "tap0", fds[0], 0), -EOPNOTSUPP);
	assert_int_equal(weir_dev_attach_tap(net, "tap0", fds[0], 0), 0);
	assert_int_equal(weir_dev_attach_tap(net, "tap0", fds[1], 0), -EEXIST);
	close(fds[0]);
	close(fds[1]);
	close(file);
	weir_net_destroy(net);
	weir_machine_destroy(m);
	weir_net_destroy(vnet);
	weir_machine_destroy(v);
}

/* What a program in the net may ask for: no descriptor of the embedder's. */
static void netlink_cannot_make_one(void **state)
{
	static const char *const kinds[] = { "tun", "port" };
	struct weir_machine *m = weir_machine_create(NULL);
	struct weir_net *net = weir_net_create(m, "a");

	for (int i = 0; i < 2; i++) {
		struct {
			struct nlmsghdr h;
			struct ifinfomsg ifi;
			struct nlattr info, kind;
			char name[8];
		} req = { .h = { sizeof(req), RTM_NEWLINK, NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE,
				 1, 0 },
			  .info = { (unsigned short)(2 * NLA_HDRLEN + 8), IFLA_LINKINFO },
			  .kind = { NLA_HDRLEN + 8, IFLA_INFO_KIND } };
		char error[200];

		strcpy(req.name, kinds[i]);
		assert_int_equal(
			weir_netlink(net, NETLINK_ROUTE, &req.h, NULL, NULL, error, sizeof(error)),
			-EOPNOTSUPP);
		assert_non_null(strstr(error, "embeds the stack"));
	}
	weir_net_destroy(net);
	weir_machine_destroy(m);
}

/* ---- weir_dev ------------------------------------------------------------------------------------------------ */

/* Carries frames between the two devices until there are none; the length of the longest. */
static size_t carry(struct weir_dev *const dev[2])
{
	static char frame[65536];
	size_t longest = 0;
	bool any;

	do {
		any = false;
		for (int i = 0; i < 2; i++) {
			ssize_t n = weir_dev_output(dev[i], frame, sizeof(frame), 0);

			if (n == -EAGAIN)
				continue;
			assert_true(n > 0);
			longest = (size_t)n > longest ? (size_t)n : longest;
			assert_int_equal(weir_dev_input(dev[1 - i], frame, (size_t)n), 0);
			any = true;
		}
	} while (any);
	return longest;
}

/* Two nets whose devices the program joins, and a connection between them. */
static void join_by_program(struct two_nets *t, unsigned flags, struct weir_dev *dev[2],
			    struct weir_file **c, struct weir_file **s)
{
	struct weir_file *l;
	int r = -EAGAIN;

	nets_create(t, &virtual_time);
	for (int i = 0; i < 2; i++) {
		dev[i] = weir_dev_create(t->net[i], "tap0", flags, 0);
		assert_non_null(dev[i]);
	}
	give_addresses(t, "tap0");
	assert_int_equal(weir_socket(t->net[1], AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0, &l), 0);
	assert_int_equal(weir_bind(l, (struct sockaddr *)&t->addr[1], sizeof(t->addr[1])), 0);
	assert_int_equal(weir_listen(l, 5), 0);
	assert_int_equal(weir_socket(t->net[0], AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0, c), 0);
	weir_connect(*c, (struct sockaddr *)&t->addr[1], sizeof(t->addr[1]));
	for (int i = 0; i < 100 && r == -EAGAIN; i++) {
		carry(dev);
		weir_run(t->m, 1000000);
		r = weir_accept(l, NULL, NULL, SOCK_NONBLOCK, s);
	}
	assert_int_equal(r, 0);
	weir_close(l);
}

/* Sends @total octets from @c to @s; the length of the longest frame. */
static size_t transfer_by_program(struct two_nets *t, struct weir_dev *const dev[2],
				  struct weir_file *c, struct weir_file *s, size_t total)
{
	size_t sent = 0, got = 0, longest = 0;
	static char buf[30000];

	for (int i = 0; i < 10000 && got < total; i++) {
		ssize_t n = weir_send(c, buf, sent < total ? sizeof(buf) : 0, 0);
		size_t len;

		sent += n > 0 ? (size_t)n : 0;
		len = carry(dev);
		longest = len > longest ? len : longest;
		n = weir_recv(s, buf, sizeof(buf), 0);
		got += n > 0 ? (size_t)n : 0;
		weir_run(t->m, 1000000);
	}
	assert_true(got >= total);
	return longest;
}

static void a_program_carries_frames_between_two_nets(void **state)
{
	struct weir_file *c, *s;
	struct weir_dev *dev[2];
	struct two_nets t;
	char buf[100];

	join_by_program(&t, 0, dev, &c, &s);
	assert_int_equal(transfer_by_program(&t, dev, c, s, 300000), 1514);
	weir_close(c);
	weir_close(s);
	weir_dev_destroy(dev[0]);
	weir_net_destroy(t.net[1]);
	/* Its device went with the net. */
	assert_int_equal(weir_dev_output(dev[1], buf, sizeof(buf), WEIR_FOREVER), -ENODEV);
	assert_int_equal(weir_dev_input(dev[1], buf, 100), -ENODEV);
	weir_dev_destroy(dev[1]);
	weir_net_destroy(t.net[0]);
	weir_machine_destroy(t.m);
}

/* The receiver checks the checksums, which nothing but the device could have finished. */
static void big_segments_leave_and_enter_whole(void **state)
{
	static unsigned char frame[65600];
	struct weir_file *c, *s;
	struct weir_dev *dev[2];
	struct two_nets t;

	join_by_program(&t, WEIR_DEV_L3 | WEIR_DEV_GSO, dev, &c, &s);
	assert_true(transfer_by_program(&t, dev, c, s, 300000) > 10000);
	frame[0] = 0x45;
	assert_int_equal(weir_dev_input(dev[0], frame, 65535), 0);
	assert_int_equal(weir_dev_input(dev[0], frame, sizeof(frame)), -EMSGSIZE);
	/* Merged can only be what is TCP, with its headers there. */
	frame[9] = 6;
	frame[32] = 0x50;
	assert_int_equal(weir_dev_input_merged(dev[0], frame, 5000, 1000), 0);
	assert_int_equal(weir_dev_input_merged(dev[0], frame, 5000, 65536), -EINVAL);
	assert_int_equal(weir_dev_input_merged(dev[0], frame, 39, 10), -EINVAL);
	frame[32] = 0x40;
	assert_int_equal(weir_dev_input_merged(dev[0], frame, 5000, 1000), -EINVAL);
	frame[9] = 17;
	assert_int_equal(weir_dev_input_merged(dev[0], frame, 5000, 1000), -EINVAL);
	frame[0] = 0x60;
	assert_int_equal(weir_dev_input_merged(dev[0], frame, 59, 10), -EINVAL);
	weir_close(c);
	weir_close(s);
	weir_dev_destroy(dev[0]);
	weir_dev_destroy(dev[1]);
	two_nets_destroy(&t);
}

static void frames_that_do_not_fit_the_device_are_refused(void **state)
{
	struct weir_machine *m = weir_machine_create(&virtual_time);
	struct weir_net *net = weir_net_create(m, "a");
	struct weir_dev *eth, *ip;
	struct net_error err;
	static char frame[3000];

	assert_null(weir_dev_create(net, "x", WEIR_DEV_VNET_HDR, 0));
	assert_int_equal(errno, EINVAL);
	eth = weir_dev_create(net, "eth0", 0, 0);
	ip = weir_dev_create(net, "ip0", WEIR_DEV_L3, 0);
	assert_non_null(eth);
	assert_non_null(ip);
	assert_null(weir_dev_create(net, "eth0", 0, 0));
	assert_int_equal(errno, EEXIST);
	assert_int_equal(weir_dev_input(eth, frame, 100), -ENETDOWN);
	assert_int_equal(net_link_up(net, "eth0", &err), 0);
	assert_int_equal(net_link_up(net, "ip0", &err), 0);
	assert_int_equal(weir_dev_input(eth, frame, 13), -EINVAL);
	assert_int_equal(weir_dev_input(eth, frame, 14), 0);
	assert_int_equal(weir_dev_input(eth, frame, 1522), 0);
	assert_int_equal(weir_dev_input(eth, frame, 1523), -EMSGSIZE);
	assert_int_equal(weir_dev_input(ip, frame, 0), -EINVAL);
	assert_int_equal(weir_dev_input(ip, frame, 20), -EINVAL); /* version 0 */
	weir_dev_destroy(eth);
	weir_dev_destroy(ip);
	weir_net_destroy(net);
	weir_machine_destroy(m);
}

/* Nobody takes frames: the device, its qdisc and the socket fill up, and that is all. */
static void a_slow_program_costs_bounded_memory(void **state)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(9) };
	struct weir_machine *m = weir_machine_create(&virtual_time);
	struct weir_net *net = weir_net_create(m, "a");
	struct weir_dev *dev = weir_dev_create(net, "tap0", WEIR_DEV_L3, 16);
	struct in_addr addr = { htonl(0x0a000001) };
	int big = 1 << 28, taken = 0;
	struct weir_memory mem;
	struct net_error err;
	struct weir_file *u;
	static char buf[2000];

	/* Nothing is sent but what the test sends. */
	assert_int_equal(weir_sysctl(net, "net.ipv6.conf.all.disable_ipv6", "1"), 0);
	assert_int_equal(net_addr_add(net, "tap0", addr, 24, &err), 0);
	assert_int_equal(net_link_up(net, "tap0", &err), 0);
	assert_int_equal(weir_socket(net, AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0, &u), 0);
	weir_setsockopt(u, SOL_SOCKET, SO_SNDBUFFORCE, &big, sizeof(big));
	to.sin_addr.s_addr = htonl(0x0a000002);
	for (int i = 0; i < 20000; i++) {
		weir_sendto(u, buf, 100, 0, (struct sockaddr *)&to, sizeof(to));
		weir_memory(m, &mem);
		assert_true(mem.skb_live <= 16 + 1000 + 2);
	}
	assert_int_equal(counter(net, "tx_packets"), 16);
	while (weir_dev_output(dev, buf, sizeof(buf), 0) == 128) {
		taken++;
		weir_run(m, 0);
	}
	assert_in_range(taken, 16 + 999, 16 + 1001);
	/* A longer frame than the buffer is dropped, and said. */
	assert_int_equal(weir_sendto(u, buf, 500, 0, (struct sockaddr *)&to, sizeof(to)), 500);
	assert_int_equal(weir_run(m, 0), 1);
	assert_int_equal(weir_dev_output(dev, buf, 100, 0), -EMSGSIZE);
	assert_int_equal(weir_dev_output(dev, buf, 100, 1000000), -EAGAIN);
	weir_close(u);
	weir_dev_destroy(dev);
	weir_net_destroy(net);
	weir_machine_destroy(m);
}

/* An IPv4 packet with a datagram of @len octets from 10.0.0.2 to port 9 of 10.0.0.1. Its octets in all */
static size_t build_datagram(uint8_t *p, size_t len)
{
	static const uint8_t ip[12] = { 0x45, 0, 0, 0, 0, 0, 0, 0, 64, IPPROTO_UDP, 0, 0 };
	static const uint8_t addrs[8] = { 10, 0, 0, 2, 10, 0, 0, 1 };
	size_t total = 28 + len;
	uint32_t sum = 0;

	memset(p, 0, total);
	memcpy(p, ip, sizeof(ip));
	memcpy(p + 12, addrs, sizeof(addrs));
	p[2] = (uint8_t)(total >> 8);
	p[3] = (uint8_t)total;
	for (int i = 0; i < 20; i += 2)
		sum += (uint32_t)p[i] << 8 | p[i + 1];
	sum = (sum & 0xffff) + (sum >> 16);
	sum = ~((sum & 0xffff) + (sum >> 16));
	p[10] = (uint8_t)(sum >> 8);
	p[11] = (uint8_t)sum;
	p[21] = 9; /* source port */
	p[23] = 9;
	p[24] = (uint8_t)((8 + len) >> 8);
	p[25] = (uint8_t)(8 + len);
	return total;
}

/* A tun device brings more than the machine may hold, and nobody reads: what does not fit is lost, nothing else is; when it is over
 * every datagram arrives again, round after round. */
static void a_flood_at_the_limit_of_memory_passes(void **state)
{
	const struct weir_machine_config cfg = { .mem_limit = 4 << 20 };
	struct sockaddr_in here = { .sin_family = AF_INET, .sin_port = htons(9) };
	struct weir_machine *m = weir_machine_create(&cfg);
	struct weir_net *net = weir_net_create(m, "a");
	struct in_addr addr = { htonl(0x0a000001) };
	int big = 1 << 28, fds[2], queued;
	static uint8_t out[1100], in[1100];
	size_t total = build_datagram(out, 1000);
	uint32_t live[3];
	struct weir_memory mem;
	struct net_error err;
	struct weir_file *u;
	unsigned long sent;
	ssize_t r;

	assert_int_equal(weir_sysctl(net, "net.ipv6.conf.all.disable_ipv6", "1"), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
	assert_int_equal(weir_dev_attach_tap(net, "tap0", fds[0], WEIR_DEV_L3), 0);
	close(fds[0]);
	assert_int_equal(net_addr_add(net, "tap0", addr, 24, &err), 0);
	assert_int_equal(net_link_up(net, "tap0", &err), 0);
	assert_int_equal(weir_socket(net, AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0, &u), 0);
	assert_int_equal(weir_bind(u, (struct sockaddr *)&here, sizeof(here)), 0);
	assert_int_equal(weir_setsockopt(u, SOL_SOCKET, SO_RCVBUFFORCE, &big, sizeof(big)), 0);
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 8000; i++) {
			while (send(fds[1], out, total, MSG_DONTWAIT) < 0)
				weir_run(m, 1000000);
			weir_memory(m, &mem);
			assert_true(mem.arena_octets <= cfg.mem_limit);
		}
		/* What was sent has come, or could not be taken. */
		sent = 8000 * (unsigned long)(round + 1) + 300 * (unsigned long)round;
		for (int k = 0;
		     counter(net, "rx_packets") + counter(net, "rx_dropped") != sent && k < 1000;
		     k++)
			weir_run(m, 10000000);
		assert_int_equal(counter(net, "rx_packets") + counter(net, "rx_dropped"), sent);
		for (queued = 0; weir_recv(u, in, sizeof(in), 0) == 1000; queued++)
			;
		assert_in_range(queued, 500, 4000);
		for (int i = 0; i < 300; i++) {
			assert_int_equal(send(fds[1], out, total, MSG_DONTWAIT), total);
			for (int k = 0;
			     (r = weir_recv(u, in, sizeof(in), 0)) == -EAGAIN && k < 1000; k++)
				weir_run(m, 10000000);
			assert_int_equal(r, 1000);
		}
		weir_memory(m, &mem);
		live[round] = (uint32_t)mem.skb_live;
	}
	assert_true(live[0] == live[1] && live[1] == live[2]);
	weir_close(u);
	close(fds[1]);
	weir_net_destroy(net);
	weir_machine_destroy(m);
}

/* ---- MSG_ZEROCOPY --------------------------------------------------------------------------------------------- */

/* The next message: which calls are done. 0, or -errno. */
static int next_done(struct weir_file *f, struct sock_extended_err *ee)
{
	union {
		struct cmsghdr h;
		char room[256];
	} control;
	struct msghdr msg = { .msg_control = &control, .msg_controllen = sizeof(control) };
	ssize_t n = weir_recvmsg(f, &msg, MSG_ERRQUEUE | MSG_DONTWAIT);

	if (n < 0)
		return (int)n;
	assert_int_equal(n, 0);
	assert_non_null(CMSG_FIRSTHDR(&msg));
	memcpy(ee, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(*ee));
	assert_int_equal(ee->ee_origin, SO_EE_ORIGIN_ZEROCOPY);
	return 0;
}

/* The first long frame of each flight is lost; short ones are not: a neighbour that is not found is told by ICMP, which copies. */
static void carry_with_loss(struct two_nets *t, struct weir_dev *const dev[2])
{
	static char frame[65536];

	for (int i = 0; i < 10; i++) {
		ssize_t n = weir_dev_output(dev[0], frame, sizeof(frame), 0);

		if (n > 0 && n < 500)
			assert_int_equal(weir_dev_input(dev[1], frame, (size_t)n), 0);
		carry(dev);
		weir_run(t->m, 500000000);
	}
}

static void zerocopy_through_a_program(unsigned flags)
{
	const size_t len = 100000;
	struct sock_extended_err ee;
	struct weir_file *c, *s;
	struct weir_dev *dev[2];
	size_t sent = 0, got = 0;
	struct two_nets t;
	int one = 1;
	char *memory = malloc(len), in[1000];

	assert_non_null(memory);
	memset(memory, 'x', len);
	join_by_program(&t, flags, dev, &c, &s);
	assert_int_equal(weir_setsockopt(c, SOL_SOCKET, SO_ZEROCOPY, &one, sizeof(one)), 0);
	while (sent < len) {
		ssize_t n = weir_send(c, memory + sent, len - sent, MSG_ZEROCOPY);

		if (n == -EAGAIN)
			carry_with_loss(&t, dev);
		else
			assert_true(n > 0);
		sent += n > 0 ? (size_t)n : 0;
	}
	assert_int_equal(next_done(c, &ee), -EAGAIN);
	for (int i = 0; i < 100 && got < len; i++) {
		carry_with_loss(&t, dev);
		for (ssize_t n; (n = weir_recv(s, in, sizeof(in), 0)) > 0; got += (size_t)n)
			assert_true(in[0] == 'x' && in[n - 1] == 'x');
	}
	assert_int_equal(got, len);
	carry_with_loss(&t, dev);
	assert_int_equal(next_done(c, &ee), 0);
	assert_int_equal(ee.ee_code, SO_EE_CODE_ZEROCOPY_COPIED);
	assert_int_equal(ee.ee_info, 0);
	assert_int_equal(next_done(c, &ee), -EAGAIN);
	/* Nobody looks at it any more: a sanitizer would tell. */
	free(memory);
	weir_close(c);
	carry_with_loss(&t, dev);
	weir_close(s);
	weir_dev_destroy(dev[0]);
	weir_dev_destroy(dev[1]);
	two_nets_destroy(&t);
}

static void frames_that_wait_for_the_program_are_copies(void **state)
{
	zerocopy_through_a_program(0);
	zerocopy_through_a_program(WEIR_DEV_L3 | WEIR_DEV_GSO);
}

static void carry_all(struct two_nets *t, struct weir_dev *const dev[2])
{
	for (int i = 0; i < 10; i++) {
		carry(dev);
		weir_run(t->m, 100000000);
	}
}

/* What a device writes out at once is never copied. */
static void zerocopy_tells_of_no_copy_when_a_descriptor_took_the_memory(void **state)
{
	struct sock_extended_err ee;
	struct weir_file *c, *s;
	char memory[20000], in[20000];
	struct two_nets t;
	int one = 1, err = -EAGAIN;

	memset(memory, 'x', sizeof(memory));
	join_by_descriptors(&t, NULL, 0);
	two_nets_connect(&t, &c, &s);
	assert_int_equal(weir_setsockopt(c, SOL_SOCKET, SO_ZEROCOPY, &one, sizeof(one)), 0);
	assert_int_equal(weir_send(c, memory, sizeof(memory), MSG_ZEROCOPY), sizeof(memory));
	for (int i = 0; i < 1000 && err == -EAGAIN; i++) {
		weir_run(t.m, 10000000);
		weir_recv(s, in, sizeof(in), 0);
		err = next_done(c, &ee);
	}
	assert_int_equal(err, 0);
	assert_int_equal(ee.ee_code, 0); /* not SO_EE_CODE_ZEROCOPY_COPIED */
	weir_close(c);
	weir_close(s);
	two_nets_destroy(&t);
}

static void zerocopy_messages_that_nobody_reads_are_bounded(void **state)
{
	static char memory[1000];
	struct sock_extended_err ee;
	struct weir_file *c, *s;
	struct weir_dev *dev[2];
	struct two_nets t;
	int one = 1, calls = 0;
	ssize_t n;

	join_by_program(&t, 0, dev, &c, &s);
	assert_int_equal(weir_sysctl(t.net[0], "net.core.optmem_max", "8192"), 0);
	assert_int_equal(weir_setsockopt(c, SOL_SOCKET, SO_ZEROCOPY, &one, sizeof(one)), 0);
	do
		n = weir_send(c, memory, 1, MSG_ZEROCOPY);
	while (n == 1 && ++calls < 100);
	assert_int_equal(n, -ENOBUFS);
	assert_in_range(calls, 2, 30);
	assert_int_equal(weir_send(c, memory, 1, 0), 1); /* copied ones need none */
	carry_all(&t, dev);
	assert_int_equal(next_done(c, &ee), 0);
	assert_int_equal(ee.ee_info, 0);
	assert_int_equal(ee.ee_data, calls - 1);
	assert_int_equal(weir_send(c, memory, 1000, MSG_ZEROCOPY), 1000);
	/* Closed with octets of the memory on their way. */
	weir_close(c);
	carry_all(&t, dev);
	assert_int_equal(weir_recv(s, memory, sizeof(memory), 0), 1000);
	weir_close(s);
	weir_dev_destroy(dev[0]);
	weir_dev_destroy(dev[1]);
	two_nets_destroy(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tcp_crosses_ethernet_frames_of_a_descriptor),
		cmocka_unit_test(tcp_crosses_packets_without_a_link_layer),
		cmocka_unit_test(big_segments_cross_whole_behind_virtio_headers),
		cmocka_unit_test(workers_are_woken_by_a_descriptor),
		cmocka_unit_test(a_full_descriptor_stops_the_queue_and_loses_nothing),
		cmocka_unit_test(the_other_end_closing_takes_the_carrier),
		cmocka_unit_test(an_empty_datagram_is_not_the_end),
		cmocka_unit_test(an_error_of_a_datagram_socket_is_not_the_end),
		cmocka_unit_test(what_is_no_message_descriptor_is_refused),
		cmocka_unit_test(netlink_cannot_make_one),
		cmocka_unit_test(a_program_carries_frames_between_two_nets),
		cmocka_unit_test(big_segments_leave_and_enter_whole),
		cmocka_unit_test(frames_that_do_not_fit_the_device_are_refused),
		cmocka_unit_test(a_slow_program_costs_bounded_memory),
		cmocka_unit_test(a_flood_at_the_limit_of_memory_passes),
		cmocka_unit_test(frames_that_wait_for_the_program_are_copies),
		cmocka_unit_test(zerocopy_tells_of_no_copy_when_a_descriptor_took_the_memory),
		cmocka_unit_test(zerocopy_messages_that_nobody_reads_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
