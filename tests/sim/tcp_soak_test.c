/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_soak_test.c - everything at once, for a long time: random calls on random connections over a link that changes at random
 *
 *      a ---- eth0 =====[ loss, duplicates, reordering, corruption, delay, rate, queue: all change ]===== eth0 ---- b      port 7
 *
 * Eight connections come and go. Their ends send, peek, read, set options, shut down, close, abort and move to other sockets (TCP_REPAIR) as a
 * seeded generator says, in virtual time; sysctls change meanwhile, the listener is replaced, tcp_mem and the packets' memory become scarce. What must hold: each octet that is read is the one that was written at that position; who sees the end of a stream has read all of it;
 * after each event the invariants of tcp_check.h; at the end, over a link that works, all that was not aborted completes; and then nothing is left.
 * Urgent octets that are not read in line are missing from the stream: neighbours differ in their lowest bit, so that a gap shows.
 * WEIR_SOAK_SECONDS: virtual seconds per world (300), WEIR_SOAK_SEED: the first one, WEIR_SOAK_WORLDS: how many (4).
 */
#include "tests/support/topo.h"

#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <netinet/tcp.h>
#include <cmocka.h>

#include "core/netdevice.h"
#include "lib/random.h"
#include "stack/stack.h"
#include "tests/support/tcp_check.h"
#include "tests/support/tcp_move.h"

#define MS       1000000ULL
#define S        1000000000ULL
#define SLOTS    8
#define CONTENT  (1u << 20) /* even: neighbours differ also where it begins again */
#define MARKS    64
#define DRAIN_S  3600
#define LINGER_S 7200

struct direction {          /* octets from end i to end !i */
	u32 phase;          /* of the content */
	u64 sent, got, end; /* end: where it was shut down, while fin */
	bool fin, eof;
	u64 marks[MARKS]; /* positions of urgent octets */
	u32 nr_marks;
};

struct slot {
	struct weir_file *f[2]; /* NULL: closed, or not accepted yet */
	struct direction d[2];
	be16 port;
	bool open,
		broken; /* broken: ended by an error or on purpose, its streams need not complete */
	bool inline_urg;
	u64 id;
};

struct world {
	struct topo t;
	u64 rng[4], seed;
	struct slot slot[SLOTS];
	struct weir_file *listener;
	u64 octets, opened, completed, events, phantoms, moved;
	u64 mem_limit; /* of the machine, when it is not scarce */
};

static u8 content[2 * CONTENT], scratch[1 << 18];

static void make_content(void)
{
	u64 rng[4];

	random_seed(rng, 42);
	for (u32 i = 0; i < CONTENT; i++)
		content[i] = content[i + CONTENT] = (u8)((random_next(rng) & 0xfe) | (i & 1));
}

static u32 below(struct world *w, u32 n)
{
	return random_below(w->rng, n);
}

static bool one_in(struct world *w, u32 n)
{
	return !below(w, n);
}

/* Small numbers are as likely as large ones: up to 2^@bits. */
static u32 spread(struct world *w, u32 bits)
{
	return below(w, 1u << (1 + below(w, bits)));
}

static void show_end(struct weir_file *f)
{
	struct tcp_info i;
	socklen_t len = sizeof(i), name_len = 16;
	char name[16] = "";
	u32 mem[16] = { 0 };

	if (!f || weir_getsockopt(f, IPPROTO_TCP, TCP_INFO, &i, &len))
		return;
	weir_getsockopt(f, IPPROTO_TCP, TCP_CONGESTION, name, &name_len);
	print_error("  state %u ca %u %s: rto %u backoff %u probes %u retransmits %u, unacked %u "
		    "sacked %u lost %u "
		    "retrans %u cwnd %u, mss %u, last sent %u ms ago\n",
		    i.tcpi_state, i.tcpi_ca_state, name, i.tcpi_rto, i.tcpi_backoff, i.tcpi_probes,
		    i.tcpi_retransmits, i.tcpi_unacked, i.tcpi_sacked, i.tcpi_lost, i.tcpi_retrans,
		    i.tcpi_snd_cwnd, i.tcpi_snd_mss, i.tcpi_last_data_sent);
	len = sizeof(mem);
	if (!weir_getsockopt(f, SOL_SOCKET, SO_MEMINFO, mem, &len))
		print_error("  rmem %u of %u, wmem queued %u of %u, window %u\n", mem[0], mem[1],
			    mem[5], mem[3], i.tcpi_rcv_space);
}

static _Noreturn void give_up(struct world *w, const struct slot *s, const char *what)
{
	print_error("seed %" PRIu64 ", %.6f s, connection %" PRIu64 ": %s\n", w->seed,
		    (double)weir_now(w->t.m) / 1e9, s ? s->id : 0, what);
	for (int i = 0; s && i < 2; i++) {
		print_error("  from %s: sent %" PRIu64 " got %" PRIu64 "%s%s\n", i ? "b" : "a",
			    s->d[i].sent, s->d[i].got, s->d[i].fin ? " fin" : "",
			    s->d[i].eof ? " eof" : "");
		show_end(s->f[i]);
	}
	abort();
}

/* ---- the link ------------------------------------------------------------------------------------------ */

static void impair(struct world *w)
{
	static const double rates[] = { 0, 0, 0, 0.001, 0.01, 0.05, 0.2 };
	static const u64 bps[] = { 0, 64000, 1000000, 10000000, 100000000 };
	struct topo_link l = {
		.delay_ns = one_in(w, 4) ? 0 : (u64)spread(w, 9) * MS / 2,
		.jitter_ns = one_in(w, 3) ? (u64)spread(w, 6) * MS : 0,
		.rate_bps = bps[below(w, ARRAY_SIZE(bps))],
		.loss = one_in(w, 20) ? 1 : rates[below(w, ARRAY_SIZE(rates))],
		.duplicate = rates[below(w, ARRAY_SIZE(rates))],
		.reorder = rates[below(w, ARRAY_SIZE(rates))],
		.corrupt = rates[below(w, ARRAY_SIZE(rates) - 1)],
		.queue_packets = 2 + spread(w, 10),
		.ecn_packets = one_in(w, 2) ? 0 : 1 + spread(w, 6),
	};

	if (!topo_impair(&w->t, &l))
		give_up(w, NULL, "the link cannot be impaired");
}

/* IPv6 would lose its addresses. */
static void carrier(struct world *w, bool up)
{
	struct net *net = net_of(w->t.net[0]);
	struct net_device *dev;

	if (w->t.family != AF_INET)
		return;
	rtnl_lock(net->machine);
	dev = __dev_get_by_name(net, "eth0");
	if (up)
		dev_open(dev, NULL);
	else
		dev_close(dev);
	rtnl_unlock(net->machine);
}

/* Until @ns are over; looks at all connections after each event. */
static void run(struct world *w, u64 ns)
{
	u64 end = weir_now(w->t.m) + ns, now;

	while ((now = weir_now(w->t.m)) < end) {
		weir_run(w->t.m, end - now);
		tcp_check_net(w->t.net[0]);
		tcp_check_net(w->t.net[1]);
		w->events++;
	}
}

/* ---- calls --------------------------------------------------------------------------------------------- */

/* What a call returned: an error that tells of the connection's end ends it for the checks too. */
static bool failed(struct slot *s, ssize_t r)
{
	if (r >= 0)
		return false;
	if (r != -EAGAIN && r != -EINPROGRESS && r != -ENOBUFS && r != -EALREADY && r != -ENOMEM)
		s->broken = true;
	return true;
}

static bool is_mark(const struct direction *d, u64 pos)
{
	for (u32 i = 0; i < min(d->nr_marks, (u32)MARKS); i++)
		if (d->marks[i] == pos)
			return true;
	return false;
}

/* @n octets that were read must be those from @pos on. The position behind them. */
static u64 compare(struct world *w, const struct slot *s, const struct direction *d, u64 pos,
		   const u8 *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (p[i] != content[(pos + d->phase) % CONTENT] && is_mark(d, pos))
			pos++;
		if (p[i] != content[(pos + d->phase) % CONTENT]) {
			print_error("octet %" PRIu64 ", from %s, %zu of %zu\n", pos,
				    d == &s->d[1] ? "b" : "a", i, n);
			for (u32 m = 0; m < d->nr_marks; m++)
				print_error("  urgent: %" PRIu64 "\n", d->marks[m]);
			for (u32 at = 0; n - i >= 8 && at < CONTENT; at++)
				if (!memcmp(p + i, content + at, 8))
					print_error("  it is from position %d\n",
						    (int)(at - d->phase % CONTENT));
			give_up(w, s, "an octet is not what was written there");
		}
		pos++;
	}
	if (pos > d->sent)
		give_up(w, s, "more was read than was written");
	return pos;
}

static void end_of_stream(struct world *w, const struct slot *s, struct direction *d)
{
	u64 got = d->got;

	if (s->broken || d->eof)
		return;
	while (got < d->end && is_mark(d, got))
		got++;
	if (!d->fin || got != d->end)
		give_up(w, s, "the stream ended early");
	d->eof = true;
}

static void recv_some(struct world *w, struct slot *s, int e, size_t n)
{
	struct direction *d = &s->d[!e];
	int flags = one_in(w, 6) ? MSG_PEEK : 0;
	ssize_t r;

	if (!s->f[e])
		return;
	r = weir_recv(s->f[e], scratch, n, MSG_DONTWAIT | flags);
	if (failed(s, r) || !n)
		return;
	if (r == 0) {
		end_of_stream(w, s, d);
		return;
	}
	if (flags & MSG_PEEK) {
		compare(w, s, d, d->got, scratch, (size_t)r);
		return;
	}
	d->got = compare(w, s, d, d->got, scratch, (size_t)r);
	w->octets += (u64)r;
}

static void wrote(struct world *w, struct slot *s, int e, ssize_t r, int flags)
{
	struct direction *d = &s->d[e];

	if (failed(s, r))
		return;
	d->sent += (u64)r;
	if ((flags & MSG_OOB) && r)
		d->marks[d->nr_marks++ % MARKS] = d->sent - 1;
	(void)w;
}

static void send_some(struct world *w, struct slot *s, int e)
{
	struct direction *d = &s->d[e];
	size_t n = 2 + spread(w, 17);
	int flags = MSG_NOSIGNAL | MSG_DONTWAIT;

	if (!s->f[e] || d->fin)
		return;
	flags |= one_in(w, 6) ? MSG_MORE : 0;
	flags |= one_in(w, 6) ? MSG_ZEROCOPY : 0;
	flags |= one_in(w, 10) ? MSG_EOR : 0;
	if (d->nr_marks < MARKS && one_in(w, 15)) {
		flags |= MSG_OOB;
		n = 2 + below(w, 3000);
	}
	wrote(w, s, e, weir_send(s->f[e], content + (d->sent + d->phase) % CONTENT, n, flags),
	      flags);
}

static void recv_urgent(struct slot *s, int e)
{
	u8 c;

	if (s->f[e])
		weir_recv(s->f[e], &c, 1, MSG_OOB | MSG_DONTWAIT);
}

static void recv_errors(struct slot *s, int e)
{
	u8 control[256];
	struct msghdr msg = { .msg_control = control, .msg_controllen = sizeof(control) };

	while (s->f[e] && weir_recvmsg(s->f[e], &msg, MSG_ERRQUEUE | MSG_DONTWAIT) >= 0)
		msg.msg_controllen = sizeof(control);
}

/* Behind the end of a stream recv(2) goes on to tell of that. */
static void pending_error(struct slot *s, int e)
{
	int err = 0;
	socklen_t len = sizeof(err);

	if (s->f[e] && !weir_getsockopt(s->f[e], SOL_SOCKET, SO_ERROR, &err, &len))
		failed(s, -err);
}

static void shut(struct slot *s, int e)
{
	struct direction *d = &s->d[e];
	int r;

	if (!s->f[e] || d->fin)
		return;
	r = weir_shutdown(s->f[e], SHUT_WR);
	if (r) {
		s->broken = true;
		return;
	}
	d->fin = true;
	d->end = d->sent;
}

/* An end goes. Orderly only if all was read and sent, which the caller knows best. */
static void close_end(struct slot *s, int e)
{
	if (!s->f[e])
		return;
	weir_close(s->f[e]);
	s->f[e] = NULL;
}

static void abort_end(struct world *w, struct slot *s, int e)
{
	struct linger l = { 1, 0 };
	struct sockaddr none = { .sa_family = AF_UNSPEC };

	s->broken = true;
	if (!s->f[e])
		return;
	if (one_in(w, 2))
		weir_setsockopt(s->f[e], SOL_SOCKET, SO_LINGER, &l, sizeof(l));
	else if (one_in(w, 2))
		weir_connect(s->f[e], &none, sizeof(none));
	close_end(s, e);
}

static void set_cc(struct world *w, struct slot *s, int e)
{
	static const char *const names[] = { "reno", "cubic", "bbr", "bbr3", "dctcp" };
	const char *name = names[below(w, ARRAY_SIZE(names))];

	weir_setsockopt(s->f[e], IPPROTO_TCP, TCP_CONGESTION, name, (socklen_t)strlen(name));
}

static void set_option(struct world *w, struct slot *s, int e)
{
	static const struct {
		int level, name, values[4];
	} opts[] = {
		{ IPPROTO_TCP, TCP_NODELAY, { 0, 1, 0, 1 } },
		{ IPPROTO_TCP, TCP_CORK, { 0, 1, 0, 0 } },
		{ IPPROTO_TCP, TCP_QUICKACK, { 0, 1, 0, 1 } },
		{ IPPROTO_TCP, TCP_KEEPIDLE, { 1, 2, 60, 7200 } },
		{ IPPROTO_TCP, TCP_KEEPINTVL, { 1, 2, 60, 75 } },
		{ SOL_SOCKET, SO_KEEPALIVE, { 0, 1, 0, 1 } },
		{ IPPROTO_TCP, TCP_USER_TIMEOUT, { 0, 0, 60000, 600000 } },
		{ IPPROTO_TCP, TCP_WINDOW_CLAMP, { 0, 1000, 5000, 60000 } },
		{ SOL_SOCKET, SO_RCVBUF, { 2304, 8000, 100000, 1000000 } },
		{ SOL_SOCKET, SO_SNDBUF, { 4608, 8000, 100000, 1000000 } },
		{ SOL_SOCKET, SO_RCVLOWAT, { 1, 1, 100, 2000 } },
		{ IPPROTO_TCP, TCP_NOTSENT_LOWAT, { 0, 1, 9000, -1 } },
		{ SOL_SOCKET, SO_ZEROCOPY, { 0, 1, 1, 1 } },
		{ SOL_SOCKET, SO_MAX_PACING_RATE, { 10000, 100000, 10000000, -1 } },
		{ IPPROTO_TCP, TCP_MAXSEG, { 88, 536, 1000, 1400 } },
		{ IPPROTO_TCP, TCP_THIN_LINEAR_TIMEOUTS, { 0, 1, 0, 1 } },
	};
	u32 i = below(w, ARRAY_SIZE(opts) + 4);

	if (!s->f[e])
		return;
	if (i >= ARRAY_SIZE(opts))
		set_cc(w, s, e);
	else
		weir_setsockopt(s->f[e], opts[i].level, opts[i].name, &opts[i].values[below(w, 4)],
				sizeof(int));
}

static void look_at(struct slot *s, int e)
{
	struct tcp_info info;
	socklen_t len = sizeof(info);

	if (s->f[e])
		weir_getsockopt(s->f[e], IPPROTO_TCP, TCP_INFO, &info, &len);
}

/* The connection of an end goes on elsewhere. Where an urgent octet is cannot be taken along. */
static void move_end(struct world *w, struct slot *s, int e)
{
	int one = 1, err;

	if (!s->f[e] || s->d[0].nr_marks || s->d[1].nr_marks)
		return;
	err = tcp_move(w->t.net[e], &s->f[e]);
	if (err == -EAGAIN)
		return;
	if (err && err != -ENETUNREACH && err != -ENOMEM && err != -ENOBUFS && err != -EIO &&
	    err != -E2BIG && !s->broken) {
		print_error("error %d\n", err);
		give_up(w, s, "a connection cannot be moved");
	}
	s->broken |= err != 0;
	w->moved += !err;
	if (!err && s->inline_urg)
		weir_setsockopt(s->f[e], SOL_SOCKET, SO_OOBINLINE, &one, sizeof(one));
}

/* ---- connections --------------------------------------------------------------------------------------- */

static void open_slot(struct world *w, struct slot *s)
{
	union topo_addr a;
	socklen_t len = sizeof(a);
	int one = 1;
	ssize_t r;

	memset(s, 0, sizeof(*s));
	if (weir_socket(w->t.net[0], w->t.family, SOCK_STREAM | SOCK_NONBLOCK, 0, &s->f[0]))
		return;
	s->open = true;
	s->id = ++w->opened;
	s->inline_urg = one_in(w, 2);
	for (int i = 0; i < 2; i++)
		s->d[i].phase = below(w, CONTENT);
	if (s->inline_urg)
		weir_setsockopt(s->f[0], SOL_SOCKET, SO_OOBINLINE, &one, sizeof(one));
	for (u32 n = below(w, 4); n; n--)
		set_option(w, s, 0);
	if (one_in(w, 3)) {
		int flags = MSG_FASTOPEN | MSG_NOSIGNAL | MSG_DONTWAIT;

		wrote(w, s, 0,
		      weir_sendto(s->f[0], content + s->d[0].phase, 2 + spread(w, 13), flags,
				  &w->t.addr[1].sa, w->t.addrlen),
		      flags);
	} else {
		r = weir_connect(s->f[0], &w->t.addr[1].sa, w->t.addrlen);
		failed(s, r);
	}
	if (weir_getsockname(s->f[0], &a.sa, &len))
		s->broken = true;
	memcpy(&s->port, w->t.family == AF_INET6 ? &a.in6.sin6_port : &a.in.sin_port, 2);
}

/*
 * Connections that nobody knows of are closed: a SYN with data that the network had doubled makes one (RFC 7413 6.2), and so does an ACK that comes
 * for one that was aborted and began with a SYN cookie.
 */
static void accept_all(struct world *w)
{
	union topo_addr a;
	struct weir_file *f;
	be16 port;

	for (;;) {
		socklen_t len = sizeof(a);
		struct slot *s = NULL;
		int one = 1;

		if (weir_accept(w->listener, &a.sa, &len, SOCK_NONBLOCK, &f))
			return;
		memcpy(&port, w->t.family == AF_INET6 ? &a.in6.sin6_port : &a.in.sin_port, 2);
		for (u32 i = 0; i < SLOTS; i++)
			if (w->slot[i].open && be16_eq(w->slot[i].port, port))
				s = &w->slot[i];
		if (!s || s->broken || s->f[1] || s->d[1].fin || s->d[1].eof) {
			w->phantoms++;
			weir_close(f);
			/* It met the listener: the end here that it was for has given up, and no one hears what the other end is told. */
			if (s)
				s->broken = true;
			continue;
		}
		s->f[1] = f;
		if (s->inline_urg)
			weir_setsockopt(f, SOL_SOCKET, SO_OOBINLINE, &one, sizeof(one));
	}
}

static bool complete(const struct slot *s)
{
	return s->d[0].eof && s->d[1].eof;
}

/* Both streams are through, or it was aborted. */
static void reap(struct world *w, struct slot *s)
{
	if (!s->open || (!complete(s) && !s->broken))
		return;
	w->completed += complete(s);
	close_end(s, 0);
	close_end(s, 1);
	s->open = false;
}

static void set(struct world *w, const char *name, const char *v)
{
	for (int i = 0; i < 2; i++)
		if (weir_sysctl(w->t.net[i], name, v))
			give_up(w, NULL, name);
}

static void set_number(struct world *w, const char *name, u32 v)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", v);
	set(w, name, text);
}

/* Some matter to new connections only, others at once. */
static void configure(struct world *w)
{
	set_number(w, "net.ipv4.tcp_sack", !one_in(w, 4));
	set_number(w, "net.ipv4.tcp_dsack", !one_in(w, 4));
	set_number(w, "net.ipv4.tcp_timestamps", !one_in(w, 3));
	set_number(w, "net.ipv4.tcp_window_scaling", !one_in(w, 5));
	set_number(w, "net.ipv4.tcp_recovery", below(w, 8));
	set_number(w, "net.ipv4.tcp_frto", one_in(w, 3) ? 0 : 2);
	set_number(w, "net.ipv4.tcp_ecn", below(w, 6));
	set_number(w, "net.ipv4.tcp_ecn_option", below(w, 4));
	set_number(w, "net.ipv4.tcp_early_retrans", one_in(w, 4) ? 0 : 3);
	set_number(w, "net.ipv4.tcp_syncookies", below(w, 3));
	set_number(w, "net.ipv4.tcp_fastopen", one_in(w, 2) ? 0x603 : 3);
	set_number(w, "net.ipv4.tcp_retrans_collapse", below(w, 2));
	set_number(w, "net.ipv4.tcp_mtu_probing", below(w, 3));
	set_number(w, "net.ipv4.tcp_moderate_rcvbuf", !one_in(w, 4));
	set_number(w, "net.ipv4.tcp_tw_reuse", below(w, 3));
	set_number(w, "net.ipv4.tcp_no_metrics_save", below(w, 2));
}

/* Little for all connections, or none at all for packets; or enough. */
static void squeeze(struct world *w, bool enough)
{
	static const char *const mems[] = { "0 0 0", "1 4 9", "20 40 60", "0 0 100000" };
	struct machine *m = net_of(w->t.net[0])->machine;

	set(w, "net.ipv4.tcp_mem",
	    enough || one_in(w, 2) ? "100000 150000 200000" : mems[below(w, ARRAY_SIZE(mems))]);
	m->mem_limit = enough || !one_in(w, 3) ? w->mem_limit : m->arena_octets;
}

static void listen_again(struct world *w)
{
	int backlog = 10, qlen = 5;

	if (w->listener)
		weir_close(w->listener);
	for (u32 i = 0; i < SLOTS; i++) /* they may be in the middle of it */
		w->slot[i].broken |= w->slot[i].open && !w->slot[i].f[1];
	w->listener = topo_listen(&w->t, backlog);
	if (!w->listener)
		give_up(w, NULL, "no listener");
	weir_setsockopt(w->listener, IPPROTO_TCP, TCP_FASTOPEN, &qlen, sizeof(qlen));
}

static void rarely(struct world *w, struct slot *s, int e)
{
	switch (below(w, 12)) {
	case 0:
		carrier(w, false);
		break;
	case 1:
		squeeze(w, false);
		break;
	case 2:
	case 3:
		squeeze(w, true);
		break;
	case 4:
		configure(w);
		break;
	case 5:
		if (one_in(w, 4))
			listen_again(w);
		break;
	case 6:
	case 7:
		move_end(w, s, e);
		break;
	default:
		carrier(w, true);
		break;
	}
}

static void act(struct world *w)
{
	struct slot *s = &w->slot[below(w, SLOTS)];
	u32 what = below(w, 100);
	int e = (int)below(w, 2);

	if (!s->open) {
		open_slot(w, s);
		return;
	}
	if (what < 35)
		send_some(w, s, e);
	else if (what < 75)
		recv_some(w, s, e, spread(w, 17));
	else if (what < 83)
		set_option(w, s, e);
	else if (what < 86)
		recv_urgent(s, e);
	else if (what < 90)
		recv_errors(s, e);
	else if (what < 93)
		look_at(s, e);
	else if (what < 95)
		shut(s, e);
	else if (what < 96)
		abort_end(w, s, e);
	else if (what < 98)
		impair(w);
	else
		rarely(w, s, e);
	if (s->open && one_in(w, 10))
		reap(w, s);
}

/* ---- a world ------------------------------------------------------------------------------------------- */

static void create(struct world *w, u64 seed)
{
	struct topo_link l = { .delay_ns = 5 * MS };

	memset(w, 0, sizeof(*w));
	w->seed = seed;
	random_seed(w->rng, seed);
	assert_true(topo_create(&w->t, &l, seed));
	w->mem_limit = net_of(w->t.net[0])->machine->mem_limit;
	configure(w);
	listen_again(w);
}

/* The link works again and nobody writes any more: what is not broken must complete. */
static void drain(struct world *w)
{
	struct topo_link good = { .delay_ns = 5 * MS };
	u64 end = weir_now(w->t.m) + DRAIN_S * S;
	u32 left;
	int off = 0;

	carrier(w, true);
	squeeze(w, true);
	topo_impair(&w->t, &good);
	do {
		run(w, 50 * MS);
		accept_all(w);
		left = 0;
		for (u32 i = 0; i < SLOTS; i++) {
			struct slot *s = &w->slot[i];

			for (int e = 0; e < 2 && s->open; e++) {
				if (!s->f[e])
					continue;
				weir_setsockopt(s->f[e], IPPROTO_TCP, TCP_CORK, &off, sizeof(off));
				recv_some(w, s, e, sizeof(scratch));
				recv_some(w, s, e, sizeof(scratch));
				pending_error(s, e);
				if (!s->broken)
					shut(s, e);
			}
			reap(w, s);
			left += s->open;
			if (s->open && weir_now(w->t.m) > end)
				give_up(w, s, "it does not complete");
		}
	} while (left);
}

static void destroy(struct world *w)
{
	struct weir_memory mem;
	u64 end = weir_now(w->t.m) + LINGER_S * S;

	weir_close(w->listener);
	do {
		run(w, S);
		weir_memory(w->t.m, &mem);
	} while (mem.nr_socks && weir_now(w->t.m) < end);
	if (mem.nr_socks)
		give_up(w, NULL, "socks are left");
	for (int i = 0; i < 2; i++)
		weir_net_destroy(w->t.net[i]);
	weir_memory(w->t.m, &mem);
	if (mem.skb_live)
		give_up(w, NULL, "packets are left");
	topo_destroy(&w->t);
}

static u64 from_env(const char *name, u64 otherwise)
{
	const char *v = getenv(name);

	return v ? strtoull(v, NULL, 0) : otherwise;
}

/* Connections that completed. */
static u64 live(u64 seed, u64 seconds)
{
	static struct world w;
	u64 begin;

	create(&w, seed);
	begin = weir_now(w.t.m);
	while (weir_now(w.t.m) - begin < seconds * S) {
		accept_all(&w);
		act(&w);
		if (one_in(&w, 3))
			run(&w, (u64)spread(&w, 20) * 1000);
		else if (one_in(&w, 300))
			run(&w, (u64)below(&w, 60) * S);
	}
	drain(&w);
	destroy(&w);
	print_message("seed %" PRIu64 ": %" PRIu64 " connections, %" PRIu64 " complete, %" PRIu64
		      " octets, %" PRIu64 " events, %" PRIu64 " phantoms, %" PRIu64 " moves\n",
		      seed, w.opened, w.completed, w.octets, w.events, w.phantoms, w.moved);
	return w.completed;
}

static void random_connections_over_a_random_link_lose_no_octet(void **state)
{
	u64 seed = from_env("WEIR_SOAK_SEED", 1), n = from_env("WEIR_SOAK_WORLDS", 4);

	u64 completed = 0;

	(void)state;
	make_content();
	for (u64 i = 0; i < n; i++)
		completed += live(seed + i, from_env("WEIR_SOAK_SECONDS", 300));
	assert_true(completed > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_connections_over_a_random_link_lose_no_octet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
