/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/support/topo.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lab/lab_net.h"

#define CHUNK 65536

static uint32_t probability(double p)
{
	return p >= 1 ? UINT32_MAX : (uint32_t)(p * 4294967296.0);
}

static int impair(struct topo *t, const struct topo_link *l, struct net_error *err)
{
	struct lab_impairment imp = {
		.delay_ns = l->delay_ns,
		.jitter_ns = l->jitter_ns,
		.rate_bps = l->rate_bps,
		.loss = probability(l->loss),
		.duplicate = probability(l->duplicate),
		.reorder = probability(l->reorder),
		.corrupt = probability(l->corrupt),
		.queue_packets = l->queue_packets ? l->queue_packets : 1000,
		.ecn_packets = l->ecn_packets,
	};
	int r;

	for (int i = 0; i < 2; i++) {
		r = net_link_impair(t->net[i], "eth0", &imp, err);
		if (r)
			return r;
	}
	return 0;
}

union topo_addr topo_address(int family, unsigned i)
{
	union topo_addr a = { .sa = { .sa_family = (sa_family_t)family } };

	if (family == AF_INET6) {
		a.in6.sin6_port = htons(7);
		a.in6.sin6_addr.s6_addr[0] = 0xfd;
		a.in6.sin6_addr.s6_addr[15] = (uint8_t)(i + 1);
	} else {
		a.in.sin_port = htons(7);
		a.in.sin_addr.s_addr = htonl(0x0a000001u + i);
	}
	return a;
}

static int add_address(struct topo *t, int i, struct net_error *err)
{
	struct lab_ip ip = { .family = t->family };

	t->addr[i] = topo_address(t->family, (unsigned)i);
	if (t->family == AF_INET6)
		ip.v6 = t->addr[i].in6.sin6_addr;
	else
		ip.v4 = t->addr[i].in.sin_addr;
	return net_ip_add(t->net[i], "eth0", &ip, t->family == AF_INET6 ? 64 : 24, err);
}

/* Over IPv4 nothing else is sent, so that a seed means the same whatever IPv6 does; over IPv6 the addresses are usable at once. */
static int one_family(struct topo *t, int i)
{
	return t->family == AF_INET6
		       ? weir_sysctl(t->net[i], "net.ipv6.conf.default.accept_dad", "0")
		       : weir_sysctl(t->net[i], "net.ipv6.conf.all.disable_ipv6", "1");
}

/* A link that loses one frame in five: three questions for an address are too few, and this is not about neighbours. */
static int patient(struct weir_net *net)
{
	int r = weir_sysctl(net, "net.ipv4.neigh.default.mcast_solicit", "30");

	return r ? r : weir_sysctl(net, "net.ipv6.neigh.default.mcast_solicit", "30");
}

bool topo_create(struct topo *t, const struct topo_link *l, uint64_t seed)
{
	struct weir_machine_config cfg = { .clock = WEIR_CLOCK_VIRTUAL,
					   .seeded = true,
					   .seed = seed };
	struct net_error err = { "" };
	int r = -ENOMEM;

	memset(t, 0, sizeof(*t));
	t->family = getenv("WEIR_TEST_IPV6") ? AF_INET6 : AF_INET;
	t->addrlen = t->family == AF_INET6 ? sizeof(t->addr[0].in6) : sizeof(t->addr[0].in);
	t->m = weir_machine_create(&cfg);
	if (!t->m)
		goto fail;
	t->net[0] = weir_net_create(t->m, "a");
	t->net[1] = weir_net_create(t->m, "b");
	if (!t->net[0] || !t->net[1])
		goto fail;
	r = one_family(t, 0);
	if (!r)
		r = one_family(t, 1);
	for (int i = 0; !r && i < 2 && l->loss >= 0.1; i++)
		r = patient(t->net[i]);
	if (!r)
		r = net_veth_add(t->net[0], "eth0", t->net[1], "eth0", l->mtu, &err);
	for (int i = 0; !r && i < 2; i++) {
		r = add_address(t, i, &err);
		if (!r)
			r = net_link_up(t->net[i], "eth0", &err);
		if (!r)
			r = net_link_up(t->net[i], "lo", &err);
	}
	if (!r && !l->plain)
		r = impair(t, l, &err);
	if (!r)
		return true;
fail:
	fprintf(stderr, "topology: %s %s\n", strerror(-r), err.text);
	topo_destroy(t);
	return false;
}

bool topo_impair(struct topo *t, const struct topo_link *l)
{
	struct net_error err;

	return impair(t, l, &err) == 0;
}

void topo_destroy(struct topo *t)
{
	if (t->m)
		weir_machine_destroy(t->m);
	memset(t, 0, sizeof(*t));
}

void topo_run(struct topo *t, uint64_t ns)
{
	uint64_t end = weir_now(t->m) + ns;

	while (weir_now(t->m) < end)
		weir_run(t->m, end - weir_now(t->m));
}

struct weir_file *topo_listen(struct topo *t, int backlog)
{
	struct weir_file *l;
	int one = 1;

	if (weir_socket(t->net[1], t->family, SOCK_STREAM | SOCK_NONBLOCK, 0, &l))
		return NULL;
	weir_setsockopt(l, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (!weir_bind(l, &t->addr[1].sa, t->addrlen) && !weir_listen(l, backlog))
		return l;
	weir_close(l);
	return NULL;
}

/* Until @l has a connection, @c has failed, or @end. 0 or -errno */
static int wait_for_connection(struct topo *t, struct weir_file *l, struct weir_file *c,
			       struct weir_file **s, uint64_t end)
{
	socklen_t len = sizeof(int);
	int r, err = 0;

	while ((r = weir_accept(l, NULL, NULL, SOCK_NONBLOCK, s)) == -EAGAIN &&
	       weir_now(t->m) < end) {
		weir_run(t->m, 1000000000);
		if (!weir_getsockopt(c, SOL_SOCKET, SO_ERROR, &err, &len) && err)
			return -err;
	}
	return r;
}

bool topo_connect(struct topo *t, struct weir_file **c, struct weir_file **s)
{
	struct weir_file *l = topo_listen(t, 5);
	uint64_t end = weir_now(t->m) + 200000000000ULL;
	int r = -EHOSTUNREACH;

	/* On a bad link all three probes for the neighbour may be lost. */
	for (int tries = 0; l && tries < 5 && r == -EHOSTUNREACH; tries++) {
		if (weir_socket(t->net[0], t->family, SOCK_STREAM | SOCK_NONBLOCK, 0, c))
			break;
		r = weir_connect(*c, &t->addr[1].sa, t->addrlen);
		if (!r || r == -EINPROGRESS)
			r = wait_for_connection(t, l, *c, s, end);
		if (r)
			weir_close(*c);
	}
	weir_close(l);
	return r == 0;
}

/* ---- streams ------------------------------------------------------------------------------------------- */

struct stream { /* one direction */
	struct weir_file *from, *to;
	uint64_t size, sent, received;
	uint64_t gen_state, check_state;
	uint64_t digest;
	bool shut, ended;
	uint8_t buf[CHUNK]; /* what is to be sent next */
	size_t pos, len;
};

static uint8_t next_octet(uint64_t *state)
{
	*state = *state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (uint8_t)(*state >> 56);
}

static void stream_send(struct stream *s, bool *progress)
{
	while (s->sent < s->size) {
		ssize_t n;

		if (s->pos == s->len) {
			s->len = s->size - s->sent < CHUNK ? (size_t)(s->size - s->sent) : CHUNK;
			s->pos = 0;
			for (size_t i = 0; i < s->len; i++)
				s->buf[i] = next_octet(&s->gen_state);
		}
		n = weir_send(s->from, s->buf + s->pos, s->len - s->pos,
			      MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n <= 0)
			return;
		s->pos += (size_t)n;
		s->sent += (uint64_t)n;
		*progress = true;
	}
	if (!s->shut) {
		weir_shutdown(s->from, SHUT_WR);
		s->shut = true;
		*progress = true;
	}
}

/* NULL, or what is wrong. */
static const char *stream_receive(struct stream *s, bool *progress)
{
	uint8_t buf[16384];

	while (!s->ended) {
		ssize_t n = weir_recv(s->to, buf, sizeof(buf), MSG_DONTWAIT);

		if (n == -EAGAIN)
			return NULL;
		if (n < 0)
			return n == -ECONNRESET  ? "connection was reset"
			       : n == -ETIMEDOUT ? "connection timed out"
						 : "recv failed";
		*progress = true;
		if (n == 0) {
			s->ended = true;
			return s->received == s->size ? NULL : "stream ended early";
		}
		for (ssize_t i = 0; i < n; i++) {
			if (buf[i] != next_octet(&s->check_state))
				return "octets differ";
			s->digest = (s->digest ^ buf[i]) * 0x100000001b3ULL;
		}
		s->received += (uint64_t)n;
		if (s->received > s->size)
			return "more octets than were sent";
	}
	return NULL;
}

static void stream_init(struct stream *s, struct weir_file *from, struct weir_file *to,
			uint64_t size, uint64_t seed)
{
	memset(s, 0, offsetof(struct stream, buf));
	s->pos = s->len = 0;
	s->from = from;
	s->to = to;
	s->size = size;
	s->gen_state = s->check_state = seed;
	s->digest = 0xcbf29ce484222325ULL;
}

struct topo_result topo_transfer(struct topo *t, uint64_t up, uint64_t down, uint64_t limit_ns)
{
	struct topo_result r = { .problem = "no connection" };
	uint64_t start = weir_now(t->m);
	struct weir_file *c = NULL, *s = NULL;
	struct stream *st = calloc(2, sizeof(*st));

	if (!st || !topo_connect(t, &c, &s))
		goto out;
	stream_init(&st[0], c, s, up, 1);
	stream_init(&st[1], s, c, down, 2);
	r.problem = NULL;
	while (!(st[0].ended && st[1].ended)) {
		bool progress = false;

		for (int i = 0; i < 2 && !r.problem; i++) {
			stream_send(&st[i], &progress);
			r.problem = stream_receive(&st[i], &progress);
		}
		if (r.problem)
			break;
		if (weir_now(t->m) - start > limit_ns) {
			r.problem = "took too long";
			break;
		}
		weir_run(t->m, progress ? 0 : 1000000000);
	}
	r.ok = !r.problem;
	r.ns = weir_now(t->m) - start;
	r.digest[0] = st[0].digest;
	r.digest[1] = st[1].digest;
out:
	if (c)
		weir_close(c);
	if (s)
		weir_close(s);
	free(st);
	return r;
}
