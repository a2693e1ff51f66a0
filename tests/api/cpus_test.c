/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cpus_test.c - machines with several cpus: instances on different ones, joined by a veth
 *
 * The same claims hold whoever drives: the program under a virtual clock, the program in real time, or a worker per cpu. With
 * ThreadSanitizer this is the stress test of what crosses from cpu to cpu.
 */
#include <linux/filter.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "tests/api/two_nets.h"

#define STREAM_OCTETS (4u << 20)
#define NR_STREAMS    4
#define MS            1000000ull

static const struct weir_machine_config virtual_time = { .clock = WEIR_CLOCK_VIRTUAL, .ncpus = 2 };
static const struct weir_machine_config real_time = { .ncpus = 2 };
static const struct weir_machine_config workers = { .ncpus = 2, .workers = true };

/* Lets time pass, whoever drives. */
static void pass(struct weir_machine *m, uint64_t ns)
{
	weir_sleep(m, ns);
}

/* Octet @at of stream @n. */
static uint8_t octet(uint32_t n, uint64_t at)
{
	return (uint8_t)((at * 2654435761u >> 13) + n * 31 + (at >> 16));
}

static struct weir_file *listen_in(struct two_nets *t, int side)
{
	struct weir_file *l;

	assert_int_equal(weir_socket(t->net[side], AF_INET, SOCK_STREAM, 0, &l), 0);
	assert_int_equal(weir_bind(l, (struct sockaddr *)&t->addr[side], sizeof(t->addr[0])), 0);
	assert_int_equal(weir_listen(l, 64), 0);
	return l;
}

/* From the other side to @l, which listens in @side. Both block until they are connected. */
static void connect_to(struct two_nets *t, int side, struct weir_file *l, int flags,
		       struct weir_file **c, struct weir_file **s)
{
	assert_int_equal(weir_socket(t->net[!side], AF_INET, SOCK_STREAM, 0, c), 0);
	assert_int_equal(weir_connect(*c, (struct sockaddr *)&t->addr[side], sizeof(t->addr[0])),
			 0);
	assert_int_equal(weir_accept(l, NULL, NULL, flags, s), 0);
}

struct stream {
	struct two_nets *t;
	uint32_t n;
	struct weir_file *client, *server;
	uint64_t sent, received, wrong;
};

/* One step of a non-blocking stream. False: it is over. */
static bool stream_step(struct stream *s)
{
	uint8_t buf[16384];
	ssize_t r;

	if (s->sent < STREAM_OCTETS) {
		for (size_t i = 0; i < sizeof(buf); i++)
			buf[i] = octet(s->n, s->sent + i);
		r = weir_send(s->client, buf, sizeof(buf), MSG_DONTWAIT);
		if (r > 0)
			s->sent += (uint64_t)r;
	}
	r = weir_recv(s->server, buf, sizeof(buf), MSG_DONTWAIT);
	for (ssize_t i = 0; i < r; i++)
		s->wrong += buf[i] != octet(s->n, s->received + (uint64_t)i);
	if (r > 0)
		s->received += (uint64_t)r;
	return s->received < STREAM_OCTETS;
}

static void streams_of_one_thread(const struct weir_machine_config *cfg)
{
	struct stream s[NR_STREAMS];
	struct weir_file *l;
	struct two_nets t;
	bool more = true;

	two_nets_create(&t, cfg);
	l = listen_in(&t, 1);
	for (uint32_t i = 0; i < NR_STREAMS; i++) {
		s[i] = (struct stream){ .t = &t, .n = i };
		connect_to(&t, 1, l, 0, &s[i].client, &s[i].server);
	}
	for (uint32_t turns = 0; more && turns < 1000000; turns++) {
		more = false;
		for (uint32_t i = 0; i < NR_STREAMS; i++)
			more |= stream_step(&s[i]);
		weir_run(t.m, MS);
	}
	for (uint32_t i = 0; i < NR_STREAMS; i++) {
		assert_int_equal(s[i].received, STREAM_OCTETS);
		assert_int_equal(s[i].wrong, 0);
		weir_close(s[i].client);
		weir_close(s[i].server);
	}
	weir_close(l);
	two_nets_destroy(&t);
}

static void a_veth_joins_instances_of_two_cpus(void **state)
{
	streams_of_one_thread(&virtual_time);
	streams_of_one_thread(&real_time);
}

/* ---- threads -------------------------------------------------------------------------------------------- */

static void *send_all(void *arg)
{
	struct stream *s = arg;
	uint8_t buf[16384];

	while (s->sent < STREAM_OCTETS) {
		ssize_t r;

		for (size_t i = 0; i < sizeof(buf); i++)
			buf[i] = octet(s->n, s->sent + i);
		r = weir_send(s->client, buf, sizeof(buf), 0);
		if (r <= 0)
			break;
		s->sent += (uint64_t)r;
	}
	weir_shutdown(s->client, SHUT_WR);
	return NULL;
}

static void *receive_all(void *arg)
{
	struct stream *s = arg;
	uint8_t buf[16384];
	ssize_t r;

	while ((r = weir_recv(s->server, buf, sizeof(buf), 0)) > 0) {
		for (ssize_t i = 0; i < r; i++)
			s->wrong += buf[i] != octet(s->n, s->received + (uint64_t)i);
		s->received += (uint64_t)r;
	}
	return NULL;
}

/* Both directions, a thread at each end of each stream, a worker per cpu. */
static void threads_on_both_sides_of_a_veth_across_cpus(void **state)
{
	struct stream s[NR_STREAMS];
	pthread_t threads[2 * NR_STREAMS];
	struct weir_file *l[2];
	struct two_nets t;

	two_nets_create(&t, &workers);
	for (int side = 0; side < 2; side++)
		l[side] = listen_in(&t, side);
	for (uint32_t i = 0; i < NR_STREAMS; i++) {
		s[i] = (struct stream){ .t = &t, .n = i };
		connect_to(&t, (int)(i & 1), l[i & 1], 0, &s[i].client, &s[i].server);
	}
	for (uint32_t i = 0; i < NR_STREAMS; i++) {
		assert_int_equal(pthread_create(&threads[2 * i], NULL, receive_all, &s[i]), 0);
		assert_int_equal(pthread_create(&threads[2 * i + 1], NULL, send_all, &s[i]), 0);
	}
	for (uint32_t i = 0; i < 2 * NR_STREAMS; i++)
		pthread_join(threads[i], NULL);
	for (uint32_t i = 0; i < NR_STREAMS; i++) {
		assert_int_equal(s[i].received, STREAM_OCTETS);
		assert_int_equal(s[i].wrong, 0);
		weir_close(s[i].client);
		weir_close(s[i].server);
	}
	for (int side = 0; side < 2; side++)
		weir_close(l[side]);
	two_nets_destroy(&t);
}

/* ---- requests that lab_net.h has not --------------------------------------------------------------------- */

static int link_request(struct weir_net *net, uint16_t type, const char *ifname, uint32_t flags)
{
	struct {
		struct nlmsghdr nlh;
		struct ifinfomsg ifi;
		struct nlattr name;
		char text[16];
	} q = {
		.nlh = { sizeof(q), type, NLM_F_REQUEST | NLM_F_ACK, 1, 0 },
		.ifi = { .ifi_flags = flags, .ifi_change = type == RTM_NEWLINK ? IFF_UP : 0 },
		.name = { sizeof(q.name) + sizeof(q.text), IFLA_IFNAME },
	};

	snprintf(q.text, sizeof(q.text), "%s", ifname);
	return weir_netlink(net, NETLINK_ROUTE, &q.nlh, NULL, NULL, NULL, 0);
}

static int link_down(struct weir_net *net, const char *ifname)
{
	return link_request(net, RTM_NEWLINK, ifname, 0);
}

static int link_del(struct weir_net *net, const char *ifname)
{
	return link_request(net, RTM_DELLINK, ifname, 0);
}

/* ---- control while packets cross ------------------------------------------------------------------------- */

struct flood {
	struct two_nets *t;
	int from;
	bool stop; /* atomic */
};

static void *flood(void *arg)
{
	struct flood *f = arg;
	struct sockaddr *to = (struct sockaddr *)&f->t->addr[!f->from];
	struct weir_file *s;
	char c[64] = { 0 };

	assert_int_equal(weir_socket(f->t->net[f->from], AF_INET, SOCK_DGRAM, 0, &s), 0);
	while (!__atomic_load_n(&f->stop, __ATOMIC_RELAXED))
		weir_sendto(s, c, sizeof(c), MSG_DONTWAIT, to, sizeof(f->t->addr[0]));
	weir_close(s);
	return NULL;
}

static void a_veth_goes_while_both_sides_send(void **state)
{
	for (int round = 0; round < 4; round++) {
		struct net_error err;
		struct flood f[2];
		pthread_t threads[2];
		struct two_nets t;

		two_nets_create(&t, &workers);
		for (int i = 0; i < 2; i++) {
			f[i] = (struct flood){ .t = &t, .from = i };
			assert_int_equal(pthread_create(&threads[i], NULL, flood, &f[i]), 0);
		}
		pass(t.m, 5 * MS);
		assert_int_equal(link_down(t.net[0], "eth0"), 0);
		assert_int_equal(net_link_up(t.net[0], "eth0", &err), 0);
		pass(t.m, 5 * MS);
		assert_int_equal(link_del(t.net[round & 1], "eth0"), 0);
		assert_int_not_equal(net_link_up(t.net[!(round & 1)], "eth0", &err), 0);
		for (int i = 0; i < 2; i++)
			__atomic_store_n(&f[i].stop, true, __ATOMIC_RELAXED);
		for (int i = 0; i < 2; i++)
			pthread_join(threads[i], NULL);
		two_nets_destroy(&t);
	}
}

static bool has_carrier(struct weir_net *net)
{
	char *text = NULL;
	size_t len;
	bool is;

	if (weir_view_read(net, "/sys/class/net/eth0/carrier", &text, &len))
		return false;
	is = text[0] == '1';
	free(text);
	return is;
}

/* Each end knows what the other one did as soon as the request is answered. */
static void carrier_of_a_veth_across_cpus_follows_both_ends(void **state)
{
	const struct weir_machine_config *cfgs[] = { &virtual_time, &workers };

	for (size_t i = 0; i < 2; i++) {
		struct net_error err;
		struct two_nets t;

		two_nets_create(&t, cfgs[i]);
		assert_true(has_carrier(t.net[0]));
		assert_true(has_carrier(t.net[1]));
		for (int side = 0; side < 2; side++) {
			assert_int_equal(link_down(t.net[side], "eth0"), 0);
			assert_false(has_carrier(t.net[!side]));
			assert_int_equal(net_link_up(t.net[side], "eth0", &err), 0);
			assert_true(has_carrier(t.net[0]));
			assert_true(has_carrier(t.net[1]));
		}
		two_nets_destroy(&t);
	}
}

/* ---- one net on two cpus ---------------------------------------------------------------------------------- */

/* @t: net 0 is on one cpu, net 1 on two. */
static void wide_create(struct two_nets *t, const struct weir_machine_config *cfg)
{
	struct net_error err;

	t->m = weir_machine_create(cfg);
	assert_non_null(t->m);
	t->net[0] = weir_net_create(t->m, "client");
	t->net[1] = weir_net_create_on(t->m, "wide", 2);
	assert_non_null(t->net[0]);
	assert_non_null(t->net[1]);
	assert_int_equal(net_veth_add(t->net[0], "eth0", t->net[1], "eth0", 0, &err), 0);
	for (int i = 0; i < 2; i++) {
		t->addr[i] = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(7) };
		t->addr[i].sin_addr.s_addr = htonl(0x0a000001u + (uint32_t)i);
		assert_int_equal(net_addr_add(t->net[i], "eth0", t->addr[i].sin_addr, 24, &err), 0);
		assert_int_equal(net_link_up(t->net[i], "lo", &err), 0);
		assert_int_equal(net_link_up(t->net[i], "eth0", &err), 0);
	}
}

static int incoming_cpu(struct weir_file *f)
{
	int cpu = -2;
	socklen_t len = sizeof(cpu);

	assert_int_equal(weir_getsockopt(f, SOL_SOCKET, SO_INCOMING_CPU, &cpu, &len), 0);
	return cpu;
}

#define NR_FLOWS 24

struct echo_client {
	struct two_nets *t;
	struct sockaddr_in to;
	struct weir_net *from;
	uint32_t octets, wrong;
	int err;
};

static void *echo_client(void *arg)
{
	struct echo_client *c = arg;
	uint8_t out[4096], in[4096];
	struct weir_file *f;

	for (size_t i = 0; i < sizeof(out); i++)
		out[i] = octet(7, i);
	assert_int_equal(weir_socket(c->from, AF_INET, SOCK_STREAM, 0, &f), 0);
	c->err = weir_connect(f, (struct sockaddr *)&c->to, sizeof(c->to));
	for (int round = 0; !c->err && round < 8; round++) {
		size_t got = 0;
		ssize_t r = weir_send(f, out, sizeof(out), 0);

		if (r != sizeof(out)) {
			c->err = r < 0 ? (int)r : -EIO;
			break;
		}
		while (got < sizeof(in) && (r = weir_recv(f, in + got, sizeof(in) - got, 0)) > 0)
			got += (size_t)r;
		if (got < sizeof(in))
			c->err = r < 0 ? (int)r : -EPIPE;
		for (size_t i = 0; i < got; i++)
			c->wrong += in[i] != out[i];
		c->octets += (uint32_t)got;
	}
	weir_close(f);
	return NULL;
}

static void *echo_server(void *arg)
{
	struct weir_file *f = arg;
	char buf[4096];
	ssize_t r;

	while ((r = weir_recv(f, buf, sizeof(buf), 0)) > 0)
		weir_send(f, buf, (size_t)r, 0);
	weir_close(f);
	return NULL;
}

/* Echoes over NR_FLOWS connections, a thread at each end, from @from to @t's net 1. */
static void echo_flows(struct two_nets *t, struct weir_net *from)
{
	struct echo_client c[NR_FLOWS];
	pthread_t clients[NR_FLOWS], servers[NR_FLOWS];
	struct weir_file *l = listen_in(t, 1), *s;
	unsigned cpus = 0;

	for (int i = 0; i < NR_FLOWS; i++) {
		c[i] = (struct echo_client){ .t = t, .to = t->addr[1], .from = from };
		assert_int_equal(pthread_create(&clients[i], NULL, echo_client, &c[i]), 0);
	}
	for (int i = 0; i < NR_FLOWS; i++) {
		assert_int_equal(weir_accept(l, NULL, NULL, 0, &s), 0);
		cpus |= 1u << incoming_cpu(s);
		assert_int_equal(pthread_create(&servers[i], NULL, echo_server, s), 0);
	}
	for (int i = 0; i < NR_FLOWS; i++) {
		pthread_join(clients[i], NULL);
		pthread_join(servers[i], NULL);
		assert_int_equal(c[i].err, 0);
		assert_int_equal(c[i].wrong, 0);
		assert_int_equal(c[i].octets, 8 * 4096);
	}
	assert_int_equal(cpus, 3); /* chance is 2^-23 to meet one only */
	weir_close(l);
}

static void one_listener_accepts_the_flows_of_all_cpus(void **state)
{
	struct two_nets t;

	wide_create(&t, &workers);
	echo_flows(&t, t.net[0]);
	echo_flows(&t, t.net[1]);
	two_nets_destroy(&t);
}

/* A connection from @from to net 1 of @t; -errno of connect, or what accept gave in *s. */
static int connect_from(struct two_nets *t, struct weir_net *from, uint16_t port,
			const struct sockaddr *to, socklen_t tolen, struct weir_file *l,
			struct weir_file **c, struct weir_file **s)
{
	struct sockaddr_in mine = { .sin_family = AF_INET, .sin_port = htons(port) };
	int r;

	assert_int_equal(weir_socket(from, to->sa_family, SOCK_STREAM, 0, c), 0);
	if (port)
		assert_int_equal(weir_bind(*c, (struct sockaddr *)&mine, sizeof(mine)), 0);
	r = weir_connect(*c, to, tolen);
	return r ? r : weir_accept(l, NULL, NULL, 0, s);
}

static void pass_one(struct weir_file *from, struct weir_file *to)
{
	char c = 'x';

	assert_int_equal(weir_send(from, &c, 1, 0), 1);
	assert_int_equal(weir_recv(to, &c, 1, 0), 1);
}

/* Whatever port bind(2) chose for a client, and wherever its hash leads: from outside, and within. */
static void connections_from_bound_ports_work(void **state)
{
	struct weir_file *l, *c, *s;
	struct two_nets t;

	wide_create(&t, &virtual_time);
	l = listen_in(&t, 1);
	for (uint16_t port = 2000; port < 2064; port++) {
		for (int from = 0; from < 2; from++) {
			assert_int_equal(connect_from(&t, t.net[from], port,
						      (struct sockaddr *)&t.addr[1],
						      sizeof(t.addr[1]), l, &c, &s),
					 0);
			pass_one(c, s);
			pass_one(s, c);
			weir_close(c);
			weir_close(s);
		}
	}
	weir_close(l);
	two_nets_destroy(&t);
}

static int bind_at(struct weir_file *f, uint16_t port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port) };

	return weir_bind(f, (struct sockaddr *)&a, sizeof(a));
}

static void set_int(struct weir_file *f, int name, int v)
{
	assert_int_equal(weir_setsockopt(f, SOL_SOCKET, name, &v, sizeof(v)), 0);
}

/* What bind(2) repeats for the other cpus is what was given, not what its memory holds by then. */
static void a_filter_is_copied_when_it_is_attached(void **state)
{
	struct sock_filter all = BPF_STMT(BPF_RET | BPF_K, 0xffff);
	struct sock_fprog prog = { 1, &all };
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(9) };
	struct weir_file *f;
	struct two_nets t;

	wide_create(&t, &real_time);
	assert_int_equal(weir_socket(t.net[1], AF_INET, SOCK_STREAM, 0, &f), 0);
	assert_int_equal(weir_setsockopt(f, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof(prog)), 0);
	memset(&all, 0xff, sizeof(all));
	assert_int_equal(weir_bind(f, (struct sockaddr *)&a, sizeof(a)), 0);
	weir_close(f);
	two_nets_destroy(&t);
}

/* As before each accept(2) of a server with time limits. */
static void an_option_may_be_set_again_and_again(void **state)
{
	struct weir_file *l;
	struct two_nets t;

	wide_create(&t, &real_time);
	l = listen_in(&t, 1);
	for (int i = 0; i < 3000; i++)
		set_int(l, SO_RCVBUF, 100000 + i);
	for (int i = 0; i < 3000; i++) {
		int on = i & 1, ttl = 1 + i % 255;

		assert_int_equal(weir_setsockopt(l, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)), 0);
		assert_int_equal(weir_setsockopt(l, IPPROTO_IP, IP_TTL, &ttl, sizeof(ttl)), 0);
	}
	weir_close(l);
	two_nets_destroy(&t);
}

/* Sockets go to the cpus in turn; a port is one all the same. */
static void tcp_ports_conflict_across_cpus(void **state)
{
	struct weir_file *f[4];
	struct two_nets t;

	wide_create(&t, &virtual_time);
	for (int i = 0; i < 4; i++)
		assert_int_equal(weir_socket(t.net[1], AF_INET, SOCK_STREAM, 0, &f[i]), 0);
	assert_int_equal(bind_at(f[0], 80), 0);
	for (int i = 1; i < 4; i++)
		assert_int_equal(bind_at(f[i], 80), -EADDRINUSE);
	weir_close(f[0]);
	assert_int_equal(bind_at(f[1], 80), 0);
	weir_close(f[1]);
	set_int(f[2], SO_REUSEADDR, 1);
	set_int(f[3], SO_REUSEADDR, 1);
	assert_int_equal(bind_at(f[2], 80), 0);
	assert_int_equal(bind_at(f[3], 80), 0);
	assert_int_equal(weir_listen(f[2], 5), 0);
	assert_int_equal(weir_listen(f[3], 5), -EADDRINUSE);
	assert_int_equal(weir_shutdown(f[2], SHUT_RD), 0);
	assert_int_equal(weir_listen(f[3], 5), 0);
	weir_close(f[2]);
	weir_close(f[3]);
	two_nets_destroy(&t);
}

static struct weir_file *udp_on(struct two_nets *t, uint32_t cpu, uint16_t port)
{
	struct weir_file *f;

	assert_int_equal(weir_socket_on(t->net[1], cpu, AF_INET, SOCK_DGRAM, 0, &f), 0);
	if (port)
		assert_int_equal(bind_at(f, port), 0);
	return f;
}

struct binder {
	pthread_barrier_t *both;
	struct weir_net *net;
	uint32_t cpu;
	int got; /* of how many rounds */
	int errors;
	struct weir_file *f;
};

#define BIND_ROUNDS 200

static void *bind_it(void *arg)
{
	struct binder *b = arg;

	for (int i = 0; i < BIND_ROUNDS; i++) {
		int r;

		assert_int_equal(weir_socket_on(b->net, b->cpu, AF_INET, SOCK_STREAM, 0, &b->f), 0);
		pthread_barrier_wait(b->both);
		r = bind_at(b->f, 5000);
		b->got += !r;
		b->errors += r && r != -EADDRINUSE;
		pthread_barrier_wait(b->both);
		weir_close(b->f);
		pthread_barrier_wait(b->both);
	}
	return NULL;
}

/* Each has it on its own cpu, and finds the other on the other's: they must not both go away. */
static void of_two_that_bind_a_port_at_once_one_gets_it(void **state)
{
	pthread_barrier_t both;
	pthread_t threads[2];
	struct binder b[2];
	struct two_nets t;

	wide_create(&t, &workers);
	pthread_barrier_init(&both, NULL, 2);
	for (uint32_t i = 0; i < 2; i++) {
		b[i] = (struct binder){ .both = &both, .net = t.net[1], .cpu = i };
		assert_int_equal(pthread_create(&threads[i], NULL, bind_it, &b[i]), 0);
	}
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(b[0].errors + b[1].errors, 0);
	assert_int_equal(b[0].got + b[1].got, BIND_ROUNDS);
	pthread_barrier_destroy(&both);
	two_nets_destroy(&t);
}

/* Also when the datagram came in fragments, and when it came from the net itself. */
static void a_datagram_finds_the_cpu_of_its_socket(void **state)
{
	static char big[4000];
	struct two_nets t;

	wide_create(&t, &virtual_time);
	for (uint32_t cpu = 0; cpu < 2; cpu++) {
		struct weir_file *f = udp_on(&t, cpu, (uint16_t)(5000 + cpu)), *c;
		struct sockaddr_in to = t.addr[1], from;
		socklen_t len = sizeof(from);

		to.sin_port = htons((uint16_t)(5000 + cpu));
		for (int side = 0; side < 2; side++) {
			assert_int_equal(weir_socket(t.net[side], AF_INET, SOCK_DGRAM, 0, &c), 0);
			assert_int_equal(weir_sendto(c, big, sizeof(big), 0, (struct sockaddr *)&to,
						     sizeof(to)),
					 sizeof(big));
			assert_int_equal(weir_recvfrom(f, big, sizeof(big), 0,
						       (struct sockaddr *)&from, &len),
					 sizeof(big));
			assert_int_equal(weir_sendto(f, "re", 2, 0, (struct sockaddr *)&from, len),
					 2);
			assert_int_equal(weir_recv(c, big, sizeof(big), 0), 2);
			weir_close(c);
		}
		weir_close(f);
	}
	two_nets_destroy(&t);
}

static void udp_ports_conflict_across_cpus_unless_they_are_shared(void **state)
{
	struct sockaddr_in to;
	struct weir_file *a, *b, *c;
	struct two_nets t;
	int got[2] = { 0 };

	wide_create(&t, &virtual_time);
	a = udp_on(&t, 0, 5000);
	b = udp_on(&t, 1, 0);
	assert_int_equal(bind_at(b, 5000), -EADDRINUSE);
	set_int(b, SO_REUSEPORT, 1);
	assert_int_equal(bind_at(b, 5000), -EADDRINUSE);
	weir_close(a);
	assert_int_equal(bind_at(b, 5000), 0);
	a = udp_on(&t, 0, 0);
	set_int(a, SO_REUSEPORT, 1);
	assert_int_equal(bind_at(a, 5000), 0);
	to = t.addr[1];
	to.sin_port = htons(5000);
	for (int i = 0; i < 64; i++) {
		char buf[2];

		assert_int_equal(weir_socket(t.net[0], AF_INET, SOCK_DGRAM, 0, &c), 0);
		assert_int_equal(weir_sendto(c, "x", 1, 0, (struct sockaddr *)&to, sizeof(to)), 1);
		weir_run(t.m, MS);
		got[0] += weir_recv(a, buf, 1, MSG_DONTWAIT) == 1;
		got[1] += weir_recv(b, buf, 1, MSG_DONTWAIT) == 1;
		weir_close(c);
	}
	assert_int_equal(got[0] + got[1], 64);
	assert_true(got[0] && got[1]);
	weir_close(a);
	weir_close(b);
	two_nets_destroy(&t);
}

/* The quoted packet says whose error it is. */
static void errors_reach_the_cpu_that_they_are_about(void **state)
{
	struct two_nets t;

	wide_create(&t, &virtual_time);
	for (uint32_t cpu = 0; cpu < 2; cpu++) {
		struct weir_file *f = udp_on(&t, cpu, 0);
		struct sockaddr_in to = t.addr[0];
		char c;

		to.sin_port = htons(9);
		assert_int_equal(weir_connect(f, (struct sockaddr *)&to, sizeof(to)), 0);
		assert_int_equal(weir_send(f, "x", 1, 0), 1);
		assert_int_equal(weir_recv(f, &c, 1, 0), -ECONNREFUSED);
		weir_close(f);
	}
	two_nets_destroy(&t);
}

static int count_of(const char *text, const char *what)
{
	int n = 0;

	for (; (text = strstr(text, what)); text++)
		n++;
	return n;
}

/* One listener and all connections, whichever cpu they are on; and counters are of the whole net. */
static void views_show_all_cpus(void **state)
{
	struct weir_file *l, *c[16], *s[16];
	char *text = NULL;
	struct two_nets t;
	size_t len;

	wide_create(&t, &virtual_time);
	l = listen_in(&t, 1);
	for (int i = 0; i < 16; i++)
		assert_int_equal(connect_from(&t, t.net[0], 0, (struct sockaddr *)&t.addr[1],
					      sizeof(t.addr[1]), l, &c[i], &s[i]),
				 0);
	assert_int_equal(weir_view_read(t.net[1], "/proc/net/tcp", &text, &len), 0);
	assert_int_equal(count_of(text, ":0007 00000000:0000 0A"), 1);
	assert_int_equal(count_of(text, ":0007 0100000A:"), 16);
	assert_int_equal(count_of(text, "local_address"), 1);
	free(text);
	assert_int_equal(weir_view_read(t.net[1], "/proc/net/snmp", &text, &len), 0);
	assert_non_null(strstr(text, "Tcp: 1 200 120000 -1 0 16 "));
	free(text);
	for (int i = 0; i < 16; i++) {
		weir_close(c[i]);
		weir_close(s[i]);
	}
	weir_close(l);
	two_nets_destroy(&t);
}

static void connections_over_ipv6_spread_too(void **state)
{
	struct sockaddr_in6 to = { .sin6_family = AF_INET6, .sin6_port = htons(7) };
	struct weir_file *l, *c, *s;
	unsigned cpus = 0;
	struct two_nets t;

	wide_create(&t, &virtual_time);
	for (int i = 0; i < 2; i++) {
		struct lab_ip ip = { .family = AF_INET6,
				     .v6 = { .s6_addr = { 0xfd, [15] = (uint8_t)(i + 1) } } };
		struct net_error err;

		assert_int_equal(net_ip_add(t.net[i], "eth0", &ip, 64, &err), 0);
		to.sin6_addr = ip.v6;
	}
	weir_sleep(t.m, 3000 * MS); /* duplicate address detection */
	assert_int_equal(weir_socket(t.net[1], AF_INET6, SOCK_STREAM, 0, &l), 0);
	assert_int_equal(weir_bind(l, (struct sockaddr *)&to, sizeof(to)), 0);
	assert_int_equal(weir_listen(l, 5), 0);
	for (int i = 0; i < 32; i++) {
		assert_int_equal(connect_from(&t, t.net[i & 1], 0, (struct sockaddr *)&to,
					      sizeof(to), l, &c, &s),
				 0);
		cpus |= 1u << incoming_cpu(s);
		pass_one(c, s);
		pass_one(s, c);
		weir_close(c);
		weir_close(s);
	}
	assert_int_equal(cpus, 3);
	weir_close(l);
	two_nets_destroy(&t);
}

static void *accept_until_closed(void *arg)
{
	struct weir_file *s;
	int err;

	while (!(err = weir_accept(arg, NULL, NULL, 0, &s)))
		weir_close(s);
	return (void *)(intptr_t)err;
}

static void *connect_again_and_again(void *arg)
{
	struct flood *f = arg;
	struct weir_file *c;

	while (!__atomic_load_n(&f->stop, __ATOMIC_RELAXED)) {
		struct weir_pollfd p = { .events = POLLOUT };

		assert_int_equal(
			weir_socket(f->t->net[0], AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0, &c), 0);
		weir_connect(c, (struct sockaddr *)&f->t->addr[1], sizeof(f->t->addr[1]));
		p.file = c;
		weir_poll(f->t->m, &p, 1, MS);
		weir_close(c);
	}
	return NULL;
}

/* Listeners that others sleep in close, options change, and the net goes: while connections come. */
static void a_net_on_two_cpus_ends_while_it_is_used(void **state)
{
	for (int round = 0; round < 6; round++) {
		pthread_t accepting[2], connecting;
		struct weir_file *l;
		struct two_nets t;
		struct flood f = { .t = &t };
		void *err;

		wide_create(&t, &workers);
		l = listen_in(&t, 1);
		for (int i = 0; i < 2; i++)
			assert_int_equal(
				pthread_create(&accepting[i], NULL, accept_until_closed, l), 0);
		assert_int_equal(pthread_create(&connecting, NULL, connect_again_and_again, &f), 0);
		pass(t.m, 10 * MS);
		set_int(l, SO_RCVBUF, 100000 + round);
		assert_int_equal(weir_listen(l, 10 + round), 0);
		pass(t.m, 5 * MS);
		if (round & 1) {
			/* A handle that was closed must not be used: let both fall asleep in their calls. */
			__atomic_store_n(&f.stop, true, __ATOMIC_RELAXED);
			pthread_join(connecting, NULL);
			pass(t.m, 50 * MS);
			weir_close(l);
		} else {
			weir_net_destroy(t.net[1]);
		}
		for (int i = 0; i < 2; i++) {
			pthread_join(accepting[i], &err);
			assert_int_equal((intptr_t)err, round & 1 ? -EBADF : -ENETDOWN);
		}
		if (round & 1) {
			weir_net_destroy(t.net[1]);
		} else {
			__atomic_store_n(&f.stop, true, __ATOMIC_RELAXED);
			pthread_join(connecting, NULL);
			weir_close(l);
		}
		weir_net_destroy(t.net[0]);
		weir_machine_destroy(t.m);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_veth_joins_instances_of_two_cpus),
		cmocka_unit_test(threads_on_both_sides_of_a_veth_across_cpus),
		cmocka_unit_test(a_veth_goes_while_both_sides_send),
		cmocka_unit_test(carrier_of_a_veth_across_cpus_follows_both_ends),
		cmocka_unit_test(one_listener_accepts_the_flows_of_all_cpus),
		cmocka_unit_test(connections_from_bound_ports_work),
		cmocka_unit_test(a_filter_is_copied_when_it_is_attached),
		cmocka_unit_test(an_option_may_be_set_again_and_again),
		cmocka_unit_test(tcp_ports_conflict_across_cpus),
		cmocka_unit_test(of_two_that_bind_a_port_at_once_one_gets_it),
		cmocka_unit_test(a_datagram_finds_the_cpu_of_its_socket),
		cmocka_unit_test(udp_ports_conflict_across_cpus_unless_they_are_shared),
		cmocka_unit_test(errors_reach_the_cpu_that_they_are_about),
		cmocka_unit_test(views_show_all_cpus),
		cmocka_unit_test(connections_over_ipv6_spread_too),
		cmocka_unit_test(a_net_on_two_cpus_ends_while_it_is_used),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
