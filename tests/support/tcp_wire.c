/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/support/tcp_wire.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/tcp.h>

#include "lab/lab_net.h"
#include "lib/csum.h"

static void set_addr(union wire_addr *a, int family, uint32_t host, uint16_t port)
{
	memset(a, 0, sizeof(*a));
	a->sa.sa_family = (sa_family_t)family;
	if (family == AF_INET) {
		a->in.sin_port = htons(port);
		a->in.sin_addr.s_addr = htonl(0x0a000000 + host);
	} else {
		a->in6.sin6_port = htons(port);
		a->in6.sin6_addr.s6_addr[0] = 0xfd;
		host = htonl(host);
		memcpy(a->in6.sin6_addr.s6_addr + 12, &host, 4);
	}
}

bool wire_create(struct wire *w)
{
	struct weir_machine_config cfg = { .clock = WEIR_CLOCK_VIRTUAL };
	struct lab_ip ip = { 0 };
	struct net_error err;

	memset(w, 0, sizeof(*w));
	w->family = getenv("WEIR_TEST_IPV6") ? AF_INET6 : AF_INET;
	w->addrlen =
		w->family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
	set_addr(&w->local, w->family, 1, WIRE_PORT);
	set_addr(&w->peer, w->family, 2, WIRE_PEER_PORT);
	w->m = weir_machine_create(&cfg);
	w->net = w->m ? weir_net_create(w->m, "a") : NULL;
	if (!w->net)
		return false;
	/* What the stack says by itself is not for the test. */
	weir_sysctl(w->net, "net.ipv6.conf.default.accept_dad", "0");
	weir_sysctl(w->net, "net.ipv6.conf.default.router_solicitations", "0");
	w->dev = weir_dev_create(w->net, "wire", WEIR_DEV_L3, 4096);
	ip.family = w->family;
	if (w->family == AF_INET)
		ip.v4 = w->local.in.sin_addr;
	else
		ip.v6 = w->local.in6.sin6_addr;
	return w->dev && !net_link_up(w->net, "wire", &err) &&
	       !net_ip_add(w->net, "wire", &ip, 8, &err);
}

void wire_destroy(struct wire *w)
{
	weir_dev_destroy(w->dev);
	weir_net_destroy(w->net);
	weir_machine_destroy(w->m);
}

void wire_sysctl(struct wire *w, const char *name, const char *value)
{
	assert_int_equal(weir_sysctl(w->net, name, value), 0);
}

void wire_run(struct wire *w, uint64_t ns)
{
	uint64_t end = weir_now(w->m) + ns, now;

	while ((now = weir_now(w->m)) < end)
		weir_run(w->m, end - now);
	weir_run(w->m, 0);
}

void wire_send_raw(struct wire *w, const void *packet, size_t len)
{
	assert_int_equal(weir_dev_input(w->dev, packet, len), 0);
	weir_run(w->m, 0);
}

/* The IP header in front of @len octets of @proto; its length. */
static size_t ip_header(struct wire *w, uint8_t *p, uint8_t proto, size_t len, uint8_t tos)
{
	union wire_addr peer = w->peer;

	if (w->peer_host)
		set_addr(&peer, w->family, w->peer_host, WIRE_PEER_PORT);
	if (w->family == AF_INET) {
		uint16_t sum;

		memset(p, 0, 20);
		p[0] = 0x45;
		p[1] = tos;
		p[2] = (uint8_t)((20 + len) >> 8);
		p[3] = (uint8_t)(20 + len);
		p[8] = 64;
		p[9] = proto;
		memcpy(p + 12, &peer.in.sin_addr, 4);
		memcpy(p + 16, &w->local.in.sin_addr, 4);
		sum = csum_fold(csum_partial(p, 20, 0));
		memcpy(p + 10, &sum, 2);
		return 20;
	}
	memset(p, 0, 40);
	p[0] = (uint8_t)(0x60 | tos >> 4);
	p[1] = (uint8_t)(tos << 4);
	p[4] = (uint8_t)(len >> 8);
	p[5] = (uint8_t)len;
	p[6] = proto;
	p[7] = 64;
	memcpy(p + 8, &peer.in6.sin6_addr, 16);
	memcpy(p + 24, &w->local.in6.sin6_addr, 16);
	return 40;
}

static uint16_t l4_csum(struct wire *w, const uint8_t *ip, const uint8_t *l4, uint32_t len,
			uint8_t proto)
{
	if (w->family == AF_INET) {
		be32 s, d;

		memcpy(&s, ip + 12, 4);
		memcpy(&d, ip + 16, 4);
		return csum_tcpudp_magic(s, d, len, proto, csum_partial(l4, len, 0));
	}
	return csum_ipv6_magic((const struct in6_addr *)(ip + 8),
			       (const struct in6_addr *)(ip + 24), len, proto,
			       csum_partial(l4, len, 0));
}

void wire_send(struct wire *w, const struct wire_seg *s)
{
	uint32_t optlen = (s->opt_len + 3u) & ~3u, len = 20 + optlen + s->len;
	struct tcphdr th = {
		.th_sport = htons(s->sport ? s->sport : WIRE_PEER_PORT),
		.th_dport = htons(s->dport ? s->dport : WIRE_PORT),
		.th_seq = htonl(s->seq),
		.th_ack = htonl(s->ack),
		.th_off = (uint8_t)((20 + optlen) / 4) & 15,
		.th_flags = s->flags,
		.th_win = htons(s->win),
		.th_urp = htons(s->urg),
	};
	uint8_t p[4096];
	size_t h = ip_header(w, p, IPPROTO_TCP, len, s->tos);
	uint16_t sum;

	assert_true(h + len <= sizeof(p));
	memcpy(p + h, &th, 20);
	memset(p + h + 20, 1, optlen);
	memcpy(p + h + 20, s->opt, s->opt_len);
	if (s->len)
		memcpy(p + h + 20 + optlen, s->data, s->len);
	sum = l4_csum(w, p, p + h, len, IPPROTO_TCP);
	memcpy(p + h + 16, &sum, 2);
	wire_send_raw(w, p, h + len);
}

bool wire_recv(struct wire *w, struct wire_seg *ret)
{
	uint8_t p[4096];
	ssize_t n;

	while ((n = weir_dev_output(w->dev, p, sizeof(p), 0)) >= 0) {
		size_t h = p[0] >> 4 == 4 ? 20 : 40, off;
		struct tcphdr th;

		if ((size_t)n < h + 20 || (p[0] >> 4 == 4 ? p[9] : p[6]) != IPPROTO_TCP)
			continue;
		memcpy(&th, p + h, 20);
		off = h + th.th_off * 4u;
		assert_true(off <= (size_t)n && (size_t)n - off <= sizeof(ret->payload));
		memset(ret, 0, sizeof(*ret));
		ret->tos = h == 20 ? p[1] : (uint8_t)(p[0] << 4 | p[1] >> 4);
		ret->sport = ntohs(th.th_sport);
		ret->dport = ntohs(th.th_dport);
		ret->seq = ntohl(th.th_seq);
		ret->ack = ntohl(th.th_ack);
		ret->flags = th.th_flags;
		ret->win = ntohs(th.th_win);
		ret->urg = ntohs(th.th_urp);
		ret->opt_len = (uint8_t)(off - h - 20);
		memcpy(ret->opt, p + h + 20, ret->opt_len);
		ret->len = (uint32_t)((size_t)n - off);
		memcpy(ret->payload, p + off, ret->len);
		return true;
	}
	return false;
}

unsigned wire_flush(struct wire *w)
{
	struct wire_seg s;
	unsigned n = 0;

	while (wire_recv(w, &s))
		n++;
	return n;
}

void wire_send_too_big(struct wire *w, const struct wire_seg *s, uint32_t mtu)
{
	uint8_t p[256] = { 0 }, *icmp, *inner;
	struct tcphdr th = { .th_sport = htons(s->sport),
			     .th_dport = htons(s->dport),
			     .th_seq = htonl(s->seq),
			     .th_off = 5 };
	size_t inner_ip = w->family == AF_INET ? 20 : 40, h;
	uint32_t len = (uint32_t)(8 + inner_ip + 20);
	uint16_t sum;

	h = ip_header(w, p, w->family == AF_INET ? IPPROTO_ICMP : IPPROTO_ICMPV6, len, 0);
	icmp = p + h;
	inner = icmp + 8;
	ip_header(w, inner, IPPROTO_TCP, 20 + s->len, 0);
	/* It was sent the other way. */
	if (w->family == AF_INET) {
		memcpy(inner + 12, p + 16, 4);
		memcpy(inner + 16, p + 12, 4);
		memset(inner + 10, 0, 2);
		sum = csum_fold(csum_partial(inner, 20, 0));
		memcpy(inner + 10, &sum, 2);
	} else {
		memcpy(inner + 8, p + 24, 16);
		memcpy(inner + 24, p + 8, 16);
	}
	memcpy(inner + inner_ip, &th, 20);
	icmp[0] = w->family == AF_INET ? 3 : 2;
	icmp[1] = w->family == AF_INET ? 4 : 0;
	mtu = htonl(mtu);
	memcpy(icmp + 4, &mtu, 4);
	sum = w->family == AF_INET ? csum_fold(csum_partial(icmp, len, 0))
				   : l4_csum(w, p, icmp, len, IPPROTO_ICMPV6);
	memcpy(icmp + 2, &sum, 2);
	wire_send_raw(w, p, h + len);
}

const uint8_t *wire_opt(const struct wire_seg *s, uint8_t kind, unsigned *ret_len)
{
	for (unsigned i = 0; i < s->opt_len && s->opt[i];) {
		if (s->opt[i] == 1) {
			i++;
			continue;
		}
		assert_true(i + 1 < s->opt_len && s->opt[i + 1] >= 2 &&
			    i + s->opt[i + 1] <= s->opt_len);
		if (s->opt[i] == kind) {
			if (ret_len)
				*ret_len = s->opt[i + 1] - 2u;
			return s->opt + i + 2;
		}
		i += s->opt[i + 1];
	}
	return NULL;
}

uint32_t wire_opt32(const struct wire_seg *s, uint8_t kind, unsigned offset)
{
	unsigned len;
	const uint8_t *p = wire_opt(s, kind, &len);
	uint32_t v;

	assert_non_null(p);
	assert_true(offset + 4 <= len);
	memcpy(&v, p + offset, 4);
	return ntohl(v);
}

static long counter_in(struct wire *w, const char *path, const char *name)
{
	char *text, *h, *v, *hs, *vs, *save, *a, *b;
	size_t len;
	long r = -1;

	assert_int_equal(weir_view_read(w->net, path, &text, &len), 0);
	for (h = strtok_r(text, "\n", &save); h && r < 0; h = strtok_r(NULL, "\n", &save)) {
		v = strtok_r(NULL, "\n", &save);
		if (!v)
			break;
		a = strtok_r(h, " ", &hs);
		b = strtok_r(v, " ", &vs);
		for (; a && b; a = strtok_r(NULL, " ", &hs), b = strtok_r(NULL, " ", &vs))
			if (!strcmp(a, name))
				r = atol(b);
	}
	free(text);
	return r;
}

long wire_counter(struct wire *w, const char *name)
{
	long r = counter_in(w, "/proc/net/netstat", name);

	return r >= 0 ? r : counter_in(w, "/proc/net/snmp", name);
}

struct weir_file *wire_socket(struct wire *w)
{
	struct weir_file *f;

	assert_int_equal(weir_socket(w->net, w->family, SOCK_STREAM | SOCK_NONBLOCK, 0, &f), 0);
	return f;
}

struct weir_file *wire_listen(struct wire *w, int backlog)
{
	struct weir_file *f = wire_socket(w);

	assert_int_equal(weir_bind(f, &w->local.sa, w->addrlen), 0);
	assert_int_equal(weir_listen(f, backlog), 0);
	return f;
}

struct weir_file *wire_accept(struct wire *w, struct weir_file *listener, const void *opts,
			      unsigned opt_len, uint32_t *ret_nxt)
{
	struct wire_seg syn = { .flags = TH_SYN, .seq = 1000, .win = 65535 }, r;
	struct weir_file *f;

	memcpy(syn.opt, "\2\4\5\264", 4);
	if (opt_len)
		memcpy(syn.opt + 4, opts, opt_len);
	syn.opt_len = (uint8_t)(4 + opt_len);
	wire_send(w, &syn);
	assert_true(wire_recv(w, &r));
	assert_int_equal(r.flags & (TH_SYN | TH_ACK | TH_RST), TH_SYN | TH_ACK);
	assert_int_equal(r.ack, 1001);
	syn = (struct wire_seg){ .flags = TH_ACK, .seq = 1001, .ack = r.seq + 1, .win = 65535 };
	if (wire_opt(&r, 8, NULL)) {
		uint32_t ts[2];

		memcpy(ts, wire_opt(&r, 8, NULL), 8);
		memcpy(syn.opt, "\1\1\10\12", 4);
		memcpy(syn.opt + 4, &ts[1], 4); /* our time stands still */
		memcpy(syn.opt + 8, &ts[0], 4);
		syn.opt_len = 12;
	}
	wire_send(w, &syn);
	assert_int_equal(weir_accept(listener, NULL, NULL, SOCK_NONBLOCK, &f), 0);
	if (ret_nxt)
		*ret_nxt = r.seq + 1;
	return f;
}

struct weir_file *wire_connect(struct wire *w, struct weir_file *f, uint32_t *ret_nxt,
			       uint16_t *ret_port)
{
	struct wire_seg s = { .flags = TH_SYN | TH_ACK,
			      .seq = 5000,
			      .win = 65535,
			      .opt = "\2\4\5\264",
			      .opt_len = 4 },
			r;
	int err;

	if (!f)
		f = wire_socket(w);
	err = weir_connect(f, &w->peer.sa, w->addrlen);
	assert_true(err == -EINPROGRESS || !err);
	assert_true(wire_recv(w, &r));
	assert_int_equal(r.flags & (TH_SYN | TH_ACK), TH_SYN);
	s.dport = r.sport;
	s.ack = r.seq + 1;
	wire_send(w, &s);
	assert_true(wire_recv(w, &s));
	assert_int_equal(s.flags & (TH_SYN | TH_ACK), TH_ACK);
	*ret_nxt = r.seq + 1;
	*ret_port = r.sport;
	return f;
}
