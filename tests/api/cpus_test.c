/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cpus_test.c - machines with several cpus: instances on different ones, joined by a veth
 *
 * The same claims hold whoever drives: the program under a virtual clock, the program in real time, or a worker per cpu. With
 * ThreadSanitizer this is the stress test of what crosses from cpu to cpu.
 */
#include <linux/rtnetlink.h>
#include <net/if.h>
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_veth_joins_instances_of_two_cpus),
		cmocka_unit_test(threads_on_both_sides_of_a_veth_across_cpus),
		cmocka_unit_test(a_veth_goes_while_both_sides_send),
		cmocka_unit_test(carrier_of_a_veth_across_cpus_follows_both_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
