/* SPDX-License-Identifier: BSD-2-Clause */
/* udp_test.c - UDP and ping sockets between two nets over a veth, in virtual time */
#include "tests/api/two_nets.h"

#include <linux/errqueue.h>
#include <netinet/ip_icmp.h>
#include <netinet/udp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

static struct sockaddr_in address(const char *text, uint16_t port)
{
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_port = htons(port) };

	assert_int_equal(inet_pton(AF_INET, text, &sin.sin_addr), 1);
	return sin;
}

static int bind_to(struct weir_file *f, const char *text, uint16_t port)
{
	struct sockaddr_in sin = address(text, port);

	return weir_bind(f, (struct sockaddr *)&sin, sizeof(sin));
}

static int connect_to(struct weir_file *f, const char *text, uint16_t port)
{
	struct sockaddr_in sin = address(text, port);

	return weir_connect(f, (struct sockaddr *)&sin, sizeof(sin));
}

static ssize_t send_to(struct weir_file *f, const void *data, size_t n, const char *text,
		       uint16_t port)
{
	struct sockaddr_in sin = address(text, port);

	return weir_sendto(f, data, n, 0, (struct sockaddr *)&sin, sizeof(sin));
}

static struct weir_file *udp_socket(struct weir_net *net, const char *text, uint16_t port)
{
	struct weir_file *f;

	assert_int_equal(weir_socket(net, AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0, &f), 0);
	if (text)
		assert_int_equal(bind_to(f, text, port), 0);
	return f;
}

static void set_int(struct weir_file *f, int level, int name, int v)
{
	assert_int_equal(weir_setsockopt(f, level, name, &v, sizeof(v)), 0);
}

static int pending_error(struct weir_file *f)
{
	int v = -1;
	socklen_t len = sizeof(v);

	assert_int_equal(weir_getsockopt(f, SOL_SOCKET, SO_ERROR, &v, &len), 0);
	return v;
}

/* The number of counter @name in line @group of /proc/net/snmp. */
static long snmp(struct weir_net *net, const char *group, const char *name)
{
	char *text, *names, *numbers, *n_save, *v_save;
	long result = -1;
	size_t len;

	assert_int_equal(weir_view_read(net, "/proc/net/snmp", &text, &len), 0);
	names = strstr(text, group);
	assert_non_null(names);
	numbers = strstr(names + 1, group);
	assert_non_null(numbers);
	numbers[strcspn(numbers, "\n")] = '\0';
	names[strcspn(names, "\n")] = '\0';
	names = strtok_r(names, " ", &n_save);
	numbers = strtok_r(numbers, " ", &v_save);
	while (names && numbers) {
		if (strcmp(names, name) == 0)
			result = atol(numbers);
		names = strtok_r(NULL, " ", &n_save);
		numbers = strtok_r(NULL, " ", &v_save);
	}
	free(text);
	return result;
}

/* ---- data ----------------------------------------------------------------------------------------------- */

static void udp_carries_datagrams_both_ways(void **state)
{
	struct two_nets *t = *state;
	struct weir_file *a = udp_socket(t->net[0], NULL, 0),
			 *b = udp_socket(t->net[1], "0.0.0.0", 7);
	struct sockaddr_in from, self;
	socklen_t len = sizeof(from);
	char buf[64];

	assert_int_equal(weir_recv(b, buf, sizeof(buf), 0), -EAGAIN);
	assert_int_equal(send_to(a, "hello", 5, "10.0.0.2", 7), 5);
	settle(t);
	assert_int_equal(weir_recvfrom(b, buf, sizeof(buf), 0, (struct sockaddr *)&from, &len), 5);
	assert_memory_equal(buf, "hello", 5);
	assert_int_equal(len, sizeof(from));
	assert_int_equal(from.sin_addr.s_addr, t->addr[0].sin_addr.s_addr);
	len = sizeof(self);
	assert_int_equal(weir_getsockname(a, (struct sockaddr *)&self, &len), 0);
	assert_int_equal(self.sin_port, from.sin_port);
	assert_int_equal(weir_sendto(b, "", 0, 0, (struct sockaddr *)&from, sizeof(from)), 0);
	settle(t);
	assert_int_equal(weir_recv(a, buf, sizeof(buf), 0), 0); /* an empty datagram is one */
	assert_int_equal(weir_recv(a, buf, sizeof(buf), 0), -EAGAIN);
	assert_int_equal(snmp(t->net[1], "Udp:", "InDatagrams"), 1);
	assert_int_equal(snmp(t->net[1], "Udp:", "OutDatagrams"), 1);
	weir_close(a);
	weir_close(b);
}

static void udp_recv_truncates_and_peeks(void **state)
{
	struct two_nets *t = *state;
	struct weir_file *a = udp_socket(t->net[0], NULL, 0),
			 *b = udp_socket(t->net[1], "0.0.0.0", 7);
	char buf[4];
	struct iovec iov = { buf, sizeof(buf) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	int next = 0;

	send_to(a, "0123456789", 10, "10.0.0.2", 7);
	send_to(a, "x", 1, "10.0.0.2", 7);
	settle(t);
	assert_int_equal(weir_ioctl(b, 0x541b /* FIONREAD */, &next), 0);
	assert_int_equal(next, 10);
	assert_int_equal(weir_recv(b, buf, 4, MSG_PEEK), 4);
	assert_int_equal(weir_recv(b, buf, 4, MSG_PEEK | MSG_TRUNC), 10);
	assert_int_equal(weir_recvmsg(b, &msg, 0), 4);
	assert_true(msg.msg_flags & MSG_TRUNC);
	assert_memory_equal(buf, "0123", 4);
	assert_int_equal(weir_recvmsg(b, &msg, 0), 1); /* the rest of the first is gone */
	assert_false(msg.msg_flags & MSG_TRUNC);
	weir_close(a);
	weir_close(b);
}

static void udp_more_makes_one_datagram(void **state)
{
	struct two_nets *t = *state;
	struct weir_file *a = udp_socket(t->net[0], NULL, 0),
			 *b = udp_socket(t->net[1], "0.0.0.0", 7);
	char buf[16];

	assert_int_equal(connect_to(a, "10.0.0.2", 7), 0);
	assert_int_equal(weir_send(a, "ab", 2, MSG_MORE), 2);
	settle(t);
	assert_int_equal(weir_recv(b, buf, sizeof(buf), 0), -EAGAIN);
	assert_int_equal(weir_send(a, "cd", 2, 0), 2);
	settle(t);
	assert_int_equal(weir_recv(b, buf, sizeof(buf), 0), 4);
	assert_memory_equal(buf, "abcd", 4);
	set_int(a, IPPROTO_UDP, UDP_CORK, 1);
	weir_send(a, "1", 1, 0);
	weir_send(a, "2", 1, 0);
	set_int(a, IPPROTO_UDP, UDP_CORK, 0);
	settle(t);
	assert_int_equal(weir_recv(b, buf, sizeof(buf), 0), 2);
	weir_send(a, "lost", 4, MSG_MORE); /* goes with the socket */
	weir_close(a);
	weir_close(b);
}

static void udp_send_errors_are_those_of_linux(void **state)
{
	struct two_nets *t = *state;
	struct weir_file *a = udp_socket(t->net[0], NULL, 0);
	static char big[65536];

	assert_int_equal(weir_send(a, "x", 1, 0), -EDESTADDRREQ);
	assert_int_equal(send_to(a, "x", 1, "10.0.0.2", 0), -EINVAL);
	assert_int_equal(send_to(a, big, sizeof(big), "10.0.0.2", 7), -EMSGSIZE);
	assert_int_equal(send_to(a, big, 65508, "10.0.0.2", 7), -EMSGSIZE);
	assert_int_equal(send_to(a, "x", 1, "192.0.2.1", 7), -ENETUNREACH);
	assert_int_equal(send_to(a, "x", 1, "10.0.0.255", 7), -EACCES);
	set_int(a, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO);
	assert_int_equal(send_to(a, big, 1473, "10.0.0.2", 7), -EMSGSIZE);
	assert_int_equal(send_to(a, big, 1472, "10.0.0.2", 7), 1472);
	assert_int_equal(weir_shutdown(a, SHUT_WR), -ENOTCONN);
	assert_int_equal(send_to(a, "x", 1, "10.0.0.2", 7), -EPIPE);
	weir_close(a);
}

static void udp_loopback_works(void **state)
{
	struct two_nets *t = *state;
	struct weir_file *a = udp_socket(t->net[0], NULL, 0),
			 *b = udp_socket(t->net[0], "127.0.0.1", 9);
	char buf[8];

	assert_int_equal(send_to(a, "abc", 3, "0.0.0.0", 9), 3); /* "this host" */
	settle(t);
	assert_int_equal(weir_recv(b, buf, sizeof(buf), 0), 3);
	assert_int_equal(send_to(a, "x", 1, "10.0.0.1", 9),
			 1); /* ours too, but b has another address */
	settle(t);
	assert_int_equal(weir_recv(b, buf, sizeof(buf), 0), -EAGAIN);
	weir_close(a);
	weir_close(b);
}

static void udp_receive_buffer_is_bounded(void **state)
{
	struct two_nets *t = *state;
	struct weir_file *a = udp_socket(t->net[0], NULL, 0),
			 *b = udp_socket(t->net[1], "0.0.0.0", 7);
	static char data[1000];
	int got = 0;

	set_int(b, SOL_SOCKET, SO_RCVBUF, 4096);
	for (int i = 0; i < 50; i++) {
		send_to(a, data, sizeof(data), "10.0.0.2", 7);
		settle(t);
	}
	while (weir_recv(b, data, sizeof(data), 0) > 0)
		got++;
	assert_in_range(got, 1, 20);
	assert_int_equal(snmp(t->net[1], "Udp:", "RcvbufErrors"), 50 - got);
	weir_close(a);
	weir_close(b);
}

/* ---- errors --------------------------------------------------------------------------------------------- */

static void udp_port_unreachable_reaches_connected_sockets_only(void **state)
{
	struct two_nets *t = *state;
	struct weir_file *a = udp_socket(t->net[0], NULL, 0), *b = udp_socket(t->net[0], NULL, 0);
	char buf[8];

	assert_int_equal(connect_to(a, "10.0.0.2", 99), 0);
	assert_int_equal(weir_send(a, "x", 1, 0), 1);
	assert_int_equal(send_to(b, "x", 1, "10.0.0.2", 99), 1);
	settle(t);
	assert_true(weir_poll_now(a) & POLLERR);
	assert_int_equal(weir_recv(a, buf, sizeof(buf), 0), -ECONNREFUSED);
	assert_int_equal(weir_recv(a, buf, sizeof(buf), 0), -EAGAIN); /* told once */
	assert_int_equal(pending_error(b), 0);
	assert_int_equal(snmp(t->net[1], "Udp:", "NoPorts"), 2);
	weir_close(a);
	weir_close(b);
}

static void udp_error_queue_tells_what_was_lost(void **state)
{
	struct two_nets *t = *state;
	struct weir_file *a = udp_socket(t->net[0], NULL, 0);
	struct sockaddr_in name;
	char buf[16], control[256];
	struct iovec iov = { buf, sizeof(buf) };
	struct msghdr msg = { .msg_name = &name,
			      .msg_namelen = sizeof(name),
			      .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = control,
			      .msg_controllen = sizeof(control) };
	struct sock_extended_err *ee;
	struct cmsghdr *c;

	assert_int_equal(weir_recvmsg(a, &msg, MSG_ERRQUEUE), -EAGAIN);
	set_int(a, IPPROTO_IP, IP_RECVERR, 1);
	assert_int_equal(send_to(a, "payload", 7, "10.0.0.2", 99), 7);
	settle(t);
	assert_int_equal(weir_recv(a, buf, sizeof(buf), 0), -ECONNREFUSED);
	msg.msg_controllen = sizeof(control);
	msg.msg_namelen = sizeof(name);
	assert_int_equal(weir_recvmsg(a, &msg, MSG_ERRQUEUE), 7);
	assert_memory_equal(buf, "payload", 7);
	assert_true(msg.msg_flags & MSG_ERRQUEUE);
	assert_int_equal(name.sin_port, htons(99));
	assert_int_equal(name.sin_addr.s_addr, t->addr[1].sin_addr.s_addr);
	c = CMSG_FIRSTHDR(&msg);
	assert_non_null(c);
	assert_int_equal(c->cmsg_level, SOL_IP);
	assert_int_equal(c->cmsg_type, IP_RECVERR);
	ee = (struct sock_extended_err *)CMSG_DATA(c);
	assert_int_equal(ee->ee_errno, ECONNREFUSED);
	assert_int_equal(ee->ee_origin, SO_EE_ORIGIN_ICMP);
	assert_int_equal(ee->ee_type, ICMP_DEST_UNREACH);
	assert_int_equal(ee->ee_code, ICMP_PORT_UNREACH);
	assert_int_equal(((struct sockaddr_in *)SO_EE_OFFENDER(ee))->sin_addr.s_addr,
			 t->addr[1].sin_addr.s_addr);
	assert_int_equal(weir_recvmsg(a, &msg, MSG_ERRQUEUE), -EAGAIN);
	weir_close(a);
}

/* ---- ports and connections ------------------------------------------------------------------------------- */

static void udp_connected_socket_hears_its_peer_only(void **state)
{
	struct two_nets *t = *state;
	struct weir_file *a = udp_socket(t->net[0], "10.0.0.1", 5),
			 *b = udp_socket(t->net[0], "10.0.0.1", 6);
	struct weir_file *s = udp_socket(t->net[1], "0.0.0.0", 7);
	struct sockaddr_in self;
	socklen_t len = sizeof(self);
	struct sockaddr unspec = { .sa_family = AF_UNSPEC };
	char buf[8];

	assert_int_equal(connect_to(s, "10.0.0.1", 5), 0);
	send_to(b, "b", 1, "10.0.0.2", 7);
	send_to(a, "a", 1, "10.0.0.2", 7);
	settle(t);
	assert_int_equal(weir_recv(s, buf, sizeof(buf), 0), 1);
	assert_int_equal(buf[0], 'a');
	assert_int_equal(weir_recv(s, buf, sizeof(buf), 0), -EAGAIN);
	assert_int_equal(weir_getsockname(s, (struct sockaddr *)&self, &len), 0);
	assert_int_equal(self.sin_addr.s_addr, t->addr[1].sin_addr.s_addr);
	assert_int_equal(weir_connect(s, &unspec, sizeof(unspec)), 0);
	assert_int_equal(weir_getpeername(s, (struct sockaddr *)&self, &len), -ENOTCONN);
	send_to(b, "b", 1, "10.0.0.2", 7);
	settle(t);
	assert_int_equal(weir_recv(s, buf, sizeof(buf), 0), 1);
	weir_close(a);
	weir_close(b);
	weir_close(s);
}

static void udp_bind_after_connect_is_einval(void **state)
{
	struct two_nets *t = *state;
	struct weir_file *a = udp_socket(t->net[0], NULL, 0), *b = udp_socket(t->net[0], NULL, 0);
	struct sockaddr_in sin = address("10.0.0.1", 80);

	assert_int_equal(connect_to(a, "10.0.0.2", 7), 0);
	assert_int_equal(bind_to(a, "0.0.0.0", 0), -EINVAL);
	assert_int_equal(bind_to(b, "10.0.0.77", 0), -EADDRNOTAVAIL);
	sin.sin_family = AF_INET6;
	assert_int_equal(weir_bind(b, (struct sockaddr *)&sin, sizeof(sin)), -EAFNOSUPPORT);
	assert_int_equal(weir_bind(b, (struct sockaddr *)&sin, 8), -EINVAL);
	weir_set_inode(b, 1, 1000);
	assert_int_equal(bind_to(b, "0.0.0.0", 80), -EACCES);
	assert_int_equal(weir_sysctl(t->net[0], "net.ipv4.ip_unprivileged_port_start", "0"), 0);
	assert_int_equal(bind_to(b, "0.0.0.0", 80), 0);
	weir_close(a);
	weir_close(b);
}

/* As inet_hashtables_test.c, for UDP: 'b' bind works, '-' EADDRINUSE; recorded from Linux 6.18. */
static void udp_bind_conflicts_are_those_of_linux(void **state)
{
	static const char want[] = "--------------b--b--b--b---bbb---bbb--bbbb--bbbb"
				   "------bbbbbb--b--bbbbbbb---bbbbbbbbb--bbbbbbbbbb";
	static const char *const addrs[] = { "0.0.0.0", "127.0.0.1", "127.0.0.2" };
	struct two_nets *t = *state;

	for (int first = 0; first < 8; first++) {
		for (int second = 0; second < 12; second++) {
			struct weir_file *a = udp_socket(t->net[0], NULL, 0),
					 *b = udp_socket(t->net[0], NULL, 0);
			char got;

			set_int(a, SOL_SOCKET, SO_REUSEADDR, first >> 2 & 1);
			set_int(a, SOL_SOCKET, SO_REUSEPORT, first >> 1 & 1);
			assert_int_equal(bind_to(a, addrs[first & 1], 2000), 0);
			set_int(b, SOL_SOCKET, SO_REUSEADDR, second / 6);
			set_int(b, SOL_SOCKET, SO_REUSEPORT, second / 3 % 2);
			got = bind_to(b, addrs[second % 3], 2000) == 0 ? 'b' : '-';
			if (got != want[first * 12 + second])
				fail_msg("first %d second %d: %c", first, second, got);
			weir_close(a);
			weir_close(b);
		}
	}
}

static void udp_ephemeral_ports_run_out(void **state)
{
	struct two_nets *t = *state;
	struct weir_file *f[21];
	bool seen[20] = { 0 };

	assert_int_equal(weir_sysctl(t->net[0], "net.ipv4.ip_local_port_range", "40000 40019"), 0);
	for (int i = 0; i < 20; i++) {
		struct sockaddr_in self;
		socklen_t len = sizeof(self);

		f[i] = udp_socket(t->net[0], "0.0.0.0", 0);
		assert_int_equal(weir_getsockname(f[i], (struct sockaddr *)&self, &len), 0);
		assert_in_range(ntohs(self.sin_port), 40000, 40019);
		assert_false(seen[ntohs(self.sin_port) - 40000]);
		seen[ntohs(self.sin_port) - 40000] = true;
	}
	f[20] = udp_socket(t->net[0], NULL, 0);
	assert_int_equal(bind_to(f[20], "0.0.0.0", 0), -EADDRINUSE);
	assert_int_equal(send_to(f[20], "x", 1, "10.0.0.2", 7), -EAGAIN);
	for (int i = 0; i < 21; i++)
		weir_close(f[i]);
}

static void udp_many_sockets_are_found(void **state)
{
	struct two_nets *t = *state;
	struct weir_file *a = udp_socket(t->net[0], NULL, 0), *f[300];
	char buf[4];

	for (int i = 0; i < 300; i++)
		f[i] = udp_socket(t->net[1], "0.0.0.0", (uint16_t)(1000 + i));
	for (int i = 0; i < 300; i++)
		assert_int_equal(send_to(a, &i, sizeof(i), "10.0.0.2", (uint16_t)(1000 + i)),
				 sizeof(i));
	settle(t);
	for (int i = 0; i < 300; i++) {
		assert_int_equal(weir_recv(f[i], buf, sizeof(buf), 0), sizeof(i));
		assert_memory_equal(buf, &i, sizeof(i));
		weir_close(f[i]);
	}
	weir_close(a);
}

static void udp_broadcast_reaches_every_socket(void **state)
{
	struct two_nets *t = *state;
	struct weir_file *a = udp_socket(t->net[0], NULL, 0), *b = udp_socket(t->net[1], NULL, 0),
			 *c = udp_socket(t->net[1], NULL, 0);
	char buf[8];

	set_int(b, SOL_SOCKET, SO_REUSEADDR, 1);
	set_int(c, SOL_SOCKET, SO_REUSEADDR, 1);
	assert_int_equal(bind_to(b, "0.0.0.0", 67), 0);
	assert_int_equal(bind_to(c, "0.0.0.0", 67), 0);
	set_int(a, SOL_SOCKET, SO_BROADCAST, 1);
	assert_int_equal(send_to(a, "all", 3, "10.0.0.255", 67), 3);
	settle(t);
	assert_int_equal(weir_recv(b, buf, sizeof(buf), 0), 3);
	assert_int_equal(weir_recv(c, buf, sizeof(buf), 0), 3);
	assert_int_equal(send_to(a, "none", 4, "10.0.0.255", 68), 4);
	settle(t);
	assert_int_equal(snmp(t->net[1], "Udp:", "IgnoredMulti"), 1);
	weir_close(a);
	weir_close(b);
	weir_close(c);
}

/* ---- control messages -------------------------------------------------------------------------------------- */

static const void *find_cmsg(struct msghdr *msg, int level, int type)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c))
		if (c->cmsg_level == level && c->cmsg_type == type)
			return CMSG_DATA(c);
	return NULL;
}

static void udp_control_messages_describe_the_packet(void **state)
{
	struct two_nets *t = *state;
	struct weir_file *a = udp_socket(t->net[0], NULL, 0),
			 *b = udp_socket(t->net[1], "0.0.0.0", 7);
	char buf[8], control[256];
	struct iovec iov = { buf, sizeof(buf) };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = control,
			      .msg_controllen = sizeof(control) };
	const struct in_pktinfo *info;

	set_int(b, IPPROTO_IP, IP_PKTINFO, 1);
	set_int(b, IPPROTO_IP, IP_RECVTTL, 1);
	set_int(b, IPPROTO_IP, IP_RECVTOS, 1);
	set_int(b, SOL_SOCKET, SO_TIMESTAMP, 1);
	set_int(a, IPPROTO_IP, IP_TTL, 17);
	set_int(a, IPPROTO_IP, IP_TOS, 0x10);
	send_to(a, "x", 1, "10.0.0.2", 7);
	settle(t);
	assert_int_equal(weir_recvmsg(b, &msg, 0), 1);
	info = find_cmsg(&msg, IPPROTO_IP, IP_PKTINFO);
	assert_non_null(info);
	assert_int_equal(info->ipi_addr.s_addr, t->addr[1].sin_addr.s_addr);
	assert_int_equal(info->ipi_spec_dst.s_addr, t->addr[1].sin_addr.s_addr);
	assert_true(info->ipi_ifindex > 0);
	assert_int_equal(*(const int *)find_cmsg(&msg, IPPROTO_IP, IP_TTL), 17);
	assert_int_equal(*(const uint8_t *)find_cmsg(&msg, IPPROTO_IP, IP_TOS), 0x10);
	assert_non_null(find_cmsg(&msg, SOL_SOCKET, SO_TIMESTAMP));
	weir_close(a);
	weir_close(b);
}

static void udp_control_messages_choose_ttl_and_source(void **state)
{
	struct two_nets *t = *state;
	struct weir_file *a = udp_socket(t->net[0], NULL, 0),
			 *b = udp_socket(t->net[1], "0.0.0.0", 7);
	union {
		char buf[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} out = { 0 }, in;
	char data = 'x';
	struct iovec iov = { &data, 1 };
	struct msghdr msg = { .msg_name = &t->addr[1],
			      .msg_namelen = sizeof(t->addr[1]),
			      .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = out.buf,
			      .msg_controllen = sizeof(out.buf) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	set_int(b, IPPROTO_IP, IP_RECVTTL, 1);
	c->cmsg_level = IPPROTO_IP;
	c->cmsg_type = IP_TTL;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	*(int *)CMSG_DATA(c) = 300;
	assert_int_equal(weir_sendmsg(a, &msg, 0), -EINVAL);
	*(int *)CMSG_DATA(c) = 9;
	assert_int_equal(weir_sendmsg(a, &msg, 0), 1);
	settle(t);
	msg = (struct msghdr){ .msg_iov = &iov,
			       .msg_iovlen = 1,
			       .msg_control = in.buf,
			       .msg_controllen = sizeof(in.buf) };
	assert_int_equal(weir_recvmsg(b, &msg, 0), 1);
	assert_int_equal(*(const int *)find_cmsg(&msg, IPPROTO_IP, IP_TTL), 9);
	weir_close(a);
	weir_close(b);
}

/* ---- damage ------------------------------------------------------------------------------------------------ */

static void udp_corrupted_datagrams_are_never_delivered(void **state)
{
	struct two_nets *t = *state;
	struct weir_file *a = udp_socket(t->net[0], NULL, 0),
			 *b = udp_socket(t->net[1], "0.0.0.0", 7);
	struct lab_impairment imp = { .corrupt = 0x80000000u };
	struct net_error err;
	static char data[1200], buf[1200];
	long bad, good = 0;

	memset(data, 0x5a, sizeof(data));
	/* Neighbours first, or ARP frames would be damaged. */
	send_to(a, data, sizeof(data), "10.0.0.2", 7);
	settle(t);
	assert_int_equal(net_link_impair(t->net[0], "eth0", &imp, &err), 0);
	for (int i = 0; i < 200; i++) {
		send_to(a, data, sizeof(data), "10.0.0.2", 7);
		settle(t);
		while (weir_poll_now(b) & POLLIN) {
			assert_int_equal(weir_recv(b, buf, sizeof(buf), 0), sizeof(buf));
			assert_memory_equal(buf, data, sizeof(buf));
			good++;
		}
	}
	bad = snmp(t->net[1], "Udp:", "InCsumErrors");
	assert_in_range(good, 60, 160);
	assert_in_range(bad, 40, 140);
	weir_close(a);
	weir_close(b);
}

/* Every discard of UDP names its reason, and a datagram's walk has the functions a reader expects. */
static bool trace_has(struct two_nets *t, uint64_t cursor[64], const char *point,
		      const char *reason)
{
	static struct weir_trace_record records[4096];
	uint64_t lost, from[64];
	bool found = false;
	int n;

	memcpy(from, cursor, sizeof(from));
	n = weir_trace_read(t->m, from, records, 4096, &lost);
	for (int i = 0; i < n; i++)
		found |= (!point || strcmp(records[i].point, point) == 0) &&
			 (!reason ||
			  strcmp(weir_drop_reason_name(t->m, records[i].reason), reason) == 0);
	return found;
}

static void udp_trace_names_functions_and_reasons(void **state)
{
	struct two_nets *t = *state;
	struct weir_file *a = udp_socket(t->net[0], NULL, 0),
			 *b = udp_socket(t->net[1], "0.0.0.0", 7);
	struct lab_impairment imp = { .corrupt = UINT32_MAX };
	uint64_t cursor[64] = { 0 };
	struct net_error err;
	static char data[1200];

	assert_int_equal(weir_trace_enable(t->m, 4096), 0);
	send_to(a, data, sizeof(data), "10.0.0.2", 7);
	settle(t);
	assert_int_equal(weir_recv(b, data, sizeof(data), 0), sizeof(data));
	assert_true(trace_has(t, cursor, "udp_sendmsg", NULL));
	assert_true(trace_has(t, cursor, "udp_rcv", NULL));
	assert_true(trace_has(t, cursor, "udp_queue_rcv_skb", NULL));
	assert_true(trace_has(t, cursor, "udp_recvmsg", NULL));
	send_to(a, "x", 1, "10.0.0.2", 99);
	settle(t);
	assert_true(trace_has(t, cursor, NULL, "UDP_NO_SOCKET"));
	assert_true(trace_has(t, cursor, "udp_err", NULL));
	set_int(a, SOL_SOCKET, SO_BROADCAST, 1);
	send_to(a, "x", 1, "10.0.0.255", 99);
	settle(t);
	assert_true(trace_has(t, cursor, NULL, "UDP_NO_MEMBER"));
	assert_int_equal(net_link_impair(t->net[0], "eth0", &imp, &err), 0);
	for (int i = 0; i < 20; i++) {
		send_to(a, data, sizeof(data), "10.0.0.2", 7);
		settle(t);
		assert_int_equal(weir_recv(b, data, sizeof(data), 0), -EAGAIN);
	}
	assert_true(trace_has(t, cursor, NULL, "UDP_CSUM"));
	weir_trace_disable(t->m);
	weir_close(a);
	weir_close(b);
}

static void udp_blocking_receive_waits_for_data_or_time(void **state)
{
	struct two_nets *t = *state;
	struct timeval tv = { .tv_usec = 100000 };
	struct weir_file *a = udp_socket(t->net[0], NULL, 0), *b;
	uint64_t start;
	char buf[4];

	assert_int_equal(weir_socket(t->net[1], AF_INET, SOCK_DGRAM, 0, &b), 0);
	assert_int_equal(bind_to(b, "0.0.0.0", 7), 0);
	send_to(a, "x", 1, "10.0.0.2", 7);
	assert_int_equal(weir_recv(b, buf, sizeof(buf), 0), 1);
	assert_int_equal(weir_setsockopt(b, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)), 0);
	start = weir_now(t->m);
	assert_int_equal(weir_recv(b, buf, sizeof(buf), 0), -EAGAIN);
	assert_in_range(weir_now(t->m) - start, 100000000, 110000000);
	assert_int_equal(weir_shutdown(b, SHUT_RD), -ENOTCONN);
	assert_int_equal(weir_recv(b, buf, sizeof(buf), 0), 0);
	weir_close(a);
	weir_close(b);
}

/* ---- views ------------------------------------------------------------------------------------------------- */

static void proc_net_udp_has_linux_format(void **state)
{
	struct two_nets *t = *state;
	struct weir_file *b = udp_socket(t->net[1], "10.0.0.2", 7);
	static const char header[] = "   sl  local_address rem_address   st tx_queue rx_queue tr "
				     "tm->when retrnsmt   uid  "
				     "timeout inode ref pointer drops";
	char *text, *line;
	size_t len;

	weir_set_inode(b, 4711, 12);
	assert_int_equal(weir_view_read(t->net[1], "/proc/net/udp", &text, &len), 0);
	assert_memory_equal(text, header, sizeof(header) - 1);
	line = strchr(text, '\n') + 1;
	assert_int_equal(line - text, 128);
	assert_int_equal(len, 256);
	assert_non_null(strstr(line, " 0200000A:0007 00000000:0000 07 00000000:00000000 "
				     "00:00000000 00000000    12        0 4711 "));
	free(text);
	weir_close(b);
}

/* ---- ping ------------------------------------------------------------------------------------------------- */

static void ping_socket_gets_its_replies(void **state)
{
	struct two_nets *t = *state;
	struct icmphdr req = { .type = ICMP_ECHO, .un.echo.sequence = htons(3) }, *reply;
	uint8_t out[64] = { 0 }, in[64];
	struct sockaddr_in self, from;
	socklen_t len = sizeof(self);
	struct weir_file *a, *b;

	assert_int_equal(
		weir_socket(t->net[0], AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, IPPROTO_ICMP, &a), 0);
	assert_int_equal(
		weir_socket(t->net[0], AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, IPPROTO_ICMP, &b), 0);
	memcpy(out, &req, sizeof(req));
	memset(out + 8, 0x77, 48);
	assert_int_equal(send_to(a, out, 56, "10.0.0.2", 0), 56);
	assert_int_equal(send_to(b, out, 56, "10.0.0.2", 0), 56);
	settle(t);
	assert_int_equal(weir_getsockname(a, (struct sockaddr *)&self, &len), 0);
	assert_int_not_equal(self.sin_port, 0);
	len = sizeof(from);
	assert_int_equal(weir_recvfrom(a, in, sizeof(in), 0, (struct sockaddr *)&from, &len), 56);
	reply = (struct icmphdr *)in;
	assert_int_equal(reply->type, ICMP_ECHOREPLY);
	assert_int_equal(reply->un.echo.id, self.sin_port);
	assert_int_equal(reply->un.echo.sequence, htons(3));
	assert_memory_equal(in + 8, out + 8, 48);
	assert_int_equal(from.sin_addr.s_addr, t->addr[1].sin_addr.s_addr);
	assert_int_equal(weir_recv(a, in, sizeof(in), 0), -EAGAIN);
	assert_int_equal(weir_recv(b, in, sizeof(in), 0), 56);
	weir_close(a);
	weir_close(b);
}

static void ping_socket_hears_of_errors(void **state)
{
	struct two_nets *t = *state;
	struct icmphdr req = { .type = ICMP_ECHO };
	char control[256];
	uint8_t buf[32];
	struct iovec iov = { buf, sizeof(buf) };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = control,
			      .msg_controllen = sizeof(control) };
	const struct sock_extended_err *ee;
	struct lab_route via = { .dst.family = AF_INET,
				 .has_via = true,
				 .via = { .family = AF_INET, .v4 = t->addr[1].sin_addr } };
	struct weir_file *a;
	struct net_error err;

	/* The other net forwards and has no route. */
	assert_int_equal(net_route_add(t->net[0], &via, &err), 0);
	assert_int_equal(weir_sysctl(t->net[1], "net.ipv4.ip_forward", "1"), 0);
	assert_int_equal(
		weir_socket(t->net[0], AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, IPPROTO_ICMP, &a), 0);
	set_int(a, IPPROTO_IP, IP_RECVERR, 1);
	assert_int_equal(send_to(a, &req, sizeof(req), "192.0.2.9", 0), sizeof(req));
	settle(t);
	assert_true(weir_poll_now(a) & POLLERR);
	assert_int_equal(weir_recvmsg(a, &msg, MSG_ERRQUEUE),
			 sizeof(req)); /* our message comes back */
	assert_int_equal(buf[0], ICMP_ECHO);
	ee = find_cmsg(&msg, IPPROTO_IP, IP_RECVERR);
	assert_non_null(ee);
	assert_int_equal(ee->ee_errno, ENETUNREACH);
	assert_int_equal(ee->ee_type, ICMP_DEST_UNREACH);
	weir_close(a);
}

static void ping_socket_sends_requests_only(void **state)
{
	struct two_nets *t = *state;
	struct icmphdr h = { .type = ICMP_ECHOREPLY };
	struct weir_file *a;

	assert_int_equal(weir_socket(t->net[0], AF_INET, SOCK_DGRAM, IPPROTO_ICMP, &a), 0);
	assert_int_equal(send_to(a, &h, sizeof(h), "10.0.0.2", 0), -EINVAL);
	assert_int_equal(send_to(a, &h, 4, "10.0.0.2", 0), -EINVAL);
	weir_close(a);
	assert_int_equal(weir_sysctl(t->net[0], "net.ipv4.ping_group_range", "1 0"), 0);
	assert_int_equal(weir_socket(t->net[0], AF_INET, SOCK_DGRAM, IPPROTO_ICMP, &a), -EACCES);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

/* ---- several messages in one call ------------------------------------------------------------------------- */

enum { MANY = 100 };

struct many {
	struct mmsghdr msgs[MANY];
	struct iovec iov[MANY];
	char octets[MANY][1000];
};

/* Message @i says so, and has @len octets. */
static struct many *make_many(size_t len)
{
	struct many *m = calloc(1, sizeof(*m));

	assert_non_null(m);
	for (int i = 0; i < MANY; i++) {
		m->octets[i][0] = (char)i;
		m->iov[i] = (struct iovec){ m->octets[i], len };
		m->msgs[i].msg_hdr.msg_iov = &m->iov[i];
		m->msgs[i].msg_hdr.msg_iovlen = 1;
	}
	return m;
}

static void messages_of_one_call_arrive_in_order(void **state)
{
	struct sockaddr_in to[2] = { address("10.0.0.2", 7), address("10.0.0.2", 8) };
	struct two_nets *t = *state;
	struct many *m = make_many(10);
	struct weir_file *a = udp_socket(t->net[0], "10.0.0.1", 9), *b[2];
	char buf[100];

	b[0] = udp_socket(t->net[1], "10.0.0.2", 7);
	b[1] = udp_socket(t->net[1], "10.0.0.2", 8);
	assert_int_equal(send_to(a, "x", 1, "10.0.0.2", 7), 1); /* the neighbour is known then */
	settle(t);
	assert_int_equal(weir_recv(b[0], buf, sizeof(buf), 0), 1);
	for (int i = 0; i < MANY; i++) {
		m->msgs[i].msg_hdr.msg_name = &to[i % 2];
		m->msgs[i].msg_hdr.msg_namelen = sizeof(to[0]);
	}
	assert_int_equal(weir_sendmmsg(a, m->msgs, MANY, 0), MANY);
	settle(t);
	for (int i = 0; i < MANY; i++) {
		assert_int_equal(m->msgs[i].msg_len, 10);
		assert_int_equal(weir_recv(b[i % 2], buf, sizeof(buf), 0), 10);
		assert_int_equal(buf[0], i);
	}
	for (int i = 0; i < 2; i++) {
		assert_int_equal(weir_recv(b[i], buf, sizeof(buf), 0), -EAGAIN);
		weir_close(b[i]);
	}
	weir_close(a);
	free(m);
}

/* sendmmsg(2): the error of a later message is that of the next call. */
static void the_messages_before_one_that_fails_are_sent(void **state)
{
	struct two_nets *t = *state;
	struct many *m = make_many(10);
	struct weir_file *a = udp_socket(t->net[0], "10.0.0.1", 9);
	struct weir_file *b = udp_socket(t->net[1], "10.0.0.2", 7);
	char buf[100];

	assert_int_equal(weir_sendmmsg(a, m->msgs, MANY, 0), -EDESTADDRREQ);
	assert_int_equal(connect_to(a, "10.0.0.2", 7), 0);
	m->msgs[3].msg_hdr.msg_iovlen = 5000;
	assert_int_equal(weir_sendmmsg(a, m->msgs, MANY, 0), 3);
	assert_int_equal(m->msgs[3].msg_len, 0);
	assert_int_equal(weir_sendmmsg(a, m->msgs + 3, MANY - 3, 0), -EMSGSIZE);
	assert_int_equal(weir_sendmmsg(a, m->msgs, 0, 0), 0);
	settle(t);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(weir_recv(b, buf, sizeof(buf), 0), 10);
		assert_int_equal(buf[0], i);
	}
	assert_int_equal(weir_recv(b, buf, sizeof(buf), 0), -EAGAIN);
	weir_close(a);
	assert_int_equal(weir_sendmmsg(b, m->msgs, 1, MSG_OOB), -EOPNOTSUPP);
	weir_close(b);
	free(m);
}

/* A buffer for two or three datagrams, which softirqs empty, and one for all. */
static void a_small_send_buffer_does_not_end_the_call(void **state)
{
	struct two_nets *t = *state;
	struct many *m = make_many(1000);
	struct weir_file *a = udp_socket(t->net[0], "10.0.0.1", 9);
	struct weir_file *b = udp_socket(t->net[1], "10.0.0.2", 7);
	char buf[1000];

	set_int(a, SOL_SOCKET, SO_SNDBUF, 4608);
	set_int(b, SOL_SOCKET, SO_RCVBUFFORCE, 1 << 20);
	assert_int_equal(connect_to(a, "10.0.0.2", 7), 0);
	assert_int_equal(weir_send(a, "x", 1, 0), 1);
	settle(t);
	assert_int_equal(weir_recv(b, buf, sizeof(buf), 0), 1);
	assert_int_equal(weir_sendmmsg(a, m->msgs, MANY, 0), MANY);
	settle(t);
	for (int i = 0; i < MANY; i++) {
		assert_int_equal(weir_recv(b, buf, sizeof(buf), 0), 1000);
		assert_int_equal(buf[0], i);
	}
	weir_close(a);
	weir_close(b);
	free(m);
}

/* The call sleeps in the middle, as often as it must: SO_SNDBUF holds a tenth of what it sends. */
static void a_call_that_waits_goes_on_with_the_next_message(void **state)
{
	struct two_nets *t = *state;
	struct many *m = make_many(1000);
	struct weir_file *l, *a, *b;
	struct sockaddr_in sin = address("10.0.0.2", 7);
	char buf[1000];

	assert_int_equal(weir_socket(t->net[1], AF_INET, SOCK_STREAM, 0, &l), 0);
	assert_int_equal(bind_to(l, "10.0.0.2", 7), 0);
	assert_int_equal(weir_listen(l, 1), 0);
	assert_int_equal(weir_socket(t->net[0], AF_INET, SOCK_STREAM, 0, &a), 0);
	set_int(a, SOL_SOCKET, SO_SNDBUF, 10000);
	assert_int_equal(weir_connect(a, (struct sockaddr *)&sin, sizeof(sin)), 0);
	assert_int_equal(weir_accept(l, NULL, NULL, 0, &b), 0);
	assert_int_equal(weir_sendmmsg(a, m->msgs, MANY, 0), MANY);
	for (int i = 0; i < MANY; i++) {
		assert_int_equal(weir_recv(b, buf, sizeof(buf), MSG_WAITALL), 1000);
		assert_int_equal(buf[0], i);
	}
	weir_close(a);
	weir_close(b);
	weir_close(l);
	free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(udp_carries_datagrams_both_ways),
		T(udp_recv_truncates_and_peeks),
		T(udp_more_makes_one_datagram),
		T(udp_send_errors_are_those_of_linux),
		T(udp_loopback_works),
		T(udp_receive_buffer_is_bounded),
		T(udp_port_unreachable_reaches_connected_sockets_only),
		T(udp_error_queue_tells_what_was_lost),
		T(udp_connected_socket_hears_its_peer_only),
		T(udp_bind_after_connect_is_einval),
		T(udp_bind_conflicts_are_those_of_linux),
		T(udp_ephemeral_ports_run_out),
		T(udp_many_sockets_are_found),
		T(udp_broadcast_reaches_every_socket),
		T(udp_control_messages_describe_the_packet),
		T(udp_control_messages_choose_ttl_and_source),
		T(udp_corrupted_datagrams_are_never_delivered),
		T(udp_trace_names_functions_and_reasons),
		T(udp_blocking_receive_waits_for_data_or_time),
		T(proc_net_udp_has_linux_format),
		T(ping_socket_hears_of_errors),
		T(ping_socket_gets_its_replies),
		T(ping_socket_sends_requests_only),
		T(messages_of_one_call_arrive_in_order),
		T(the_messages_before_one_that_fails_are_sent),
		T(a_small_send_buffer_does_not_end_the_call),
		T(a_call_that_waits_goes_on_with_the_next_message),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
