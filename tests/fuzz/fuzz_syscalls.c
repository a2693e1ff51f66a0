/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_syscalls.c - random sequences of socket calls in two nets, compared with a model of what they may say
 *
 * An input is a program: one octet of operation, whose high bits let time pass first, then operands. Sockets of all kinds are in SLOTS, in the
 * nets a (10.0.0.1) and b (10.0.0.2); an octet at the start says whether the veth between them has a delay, and thus wire-size
 * packets and GRO, or hands over in the same call. The link loses nothing, so the model can be strict:
 *   - states: which error a call gives to a new, listening, connecting, connected or shut down socket
 *   - streams: octet n of a stream is a function of n and of its sender; its end comes after all that was sent, and only when the sender
 *     ended it; a connection does not fail while both ends are there
 *   - datagrams: whole, unchanged, once, in order per sender, at the socket they were for
 *   - ports: nobody gets one that another has, and EADDRINUSE is not said without reason
 *   - readiness: what poll says holds of the next call, and epoll says the same as poll
 *   - in the end nothing is left.
 * A socket that has met an error the model cannot foresee is LOST: any documented error will do.
 */
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>

#include "tests/fuzz/fuzz_net.h"

enum op {
	OP_SOCKET,
	OP_BIND,
	OP_LISTEN,
	OP_ACCEPT,
	OP_CONNECT,
	OP_SEND,
	OP_RECV,
	OP_SHUTDOWN,
	OP_CLOSE,
	OP_DUP,
	OP_NAMES,
	OP_OPTION,
	OP_EPOLL,
	NR_OPS
};

enum kind { TCP, UDP, RAW, PING, PACKET, NETLINK, NR_KINDS };
enum state { NEW, LISTENING, CONNECTING, CONNECTED, LOST };

#define SLOTS     12
#define PORTS     4 /* to be bound to: 7, 8 ... */
#define MAX_SEND  4000
#define RAW_PROTO 253 /* RFC 3692: for experiments */

/* What the call that returned @r may say. */
#define SAYS(r, cond)                                                                              \
	do {                                                                                       \
		if (!(cond))                                                                       \
			fprintf(stderr, "a call returned %ld\n", (long)(r));                       \
		FUZZ_CHECK(cond);                                                                  \
	} while (0)

struct msock {
	struct weir_file *f; /* NULL: free */
	u8 users;            /* slots */
	u8 kind, state, net;
	bool chosen; /* the program bound it to this port */
	bool reuse;  /* SO_REUSEADDR */
	bool unsure; /* a listener that was LOST or shut down before */
	bool ended;  /* LOST, but what it has received is still known */
	bool shut_rd,
		shut_wr; /* also of sockets that are not connected: the call fails, and has its effect */
	u16 port, peer_port; /* host order; 0: none */
	u8 peer_net;
	u32 tx, rx;  /* octets of the stream so far */
	u32 last[2]; /* number of the last message from each net */
	u32 id;
};

struct bed {
	struct weir_machine *m;
	struct weir_net *net[2];
	struct weir_file *ep;
	struct msock pool[SLOTS], *slot[SLOTS];
	bool tcp_used[2][65536]; /* ports that connections had: they may be in TIME_WAIT */
	u32 messages, ids;
};

/* At the head of every message. */
struct header {
	u32 number, len, id;
	u16 port, to_port;
	u8 kind, net, to_net, pad;
};

#define FILLER 0xee /* what messages too short for a header consist of */

static struct sockaddr_in name_of(u8 net, u16 port)
{
	return (struct sockaddr_in){ .sin_family = AF_INET,
				     .sin_port = htons(port),
				     .sin_addr.s_addr = htonl(0x0a000001u + net) };
}

static u8 net_of_name(const struct sockaddr_in *a)
{
	u32 addr = ntohl(a->sin_addr.s_addr);

	FUZZ_CHECK(a->sin_family == AF_INET && (addr == 0x0a000001 || addr == 0x0a000002));
	return addr == 0x0a000002;
}

static u8 octet(u8 net, u16 port, u32 pos)
{
	return (u8)(pos * 7 + (pos >> 8) + port + net * 101u);
}

/* Any of the errors that the manual pages give to calls of a connection that ended. */
static bool lost_error(ssize_t r)
{
	return r == -EPIPE || r == -ECONNRESET || r == -ECONNREFUSED || r == -ETIMEDOUT ||
	       r == -ENOTCONN || r == -EHOSTUNREACH || r == -ECONNABORTED || r == -EAGAIN;
}

/* ---- sockets ------------------------------------------------------------------------------------------------ */

static void put(struct bed *b, u32 at, struct msock *s)
{
	struct msock *old = b->slot[at];

	b->slot[at] = s;
	if (s)
		s->users++;
	if (!old || --old->users)
		return;
	if (old->kind == TCP)
		b->tcp_used[old->net][old->port] = true;
	weir_close(old->f);
	old->f = NULL;
}

/* There are as many as slots: one of them becomes free if @at is emptied first. */
static struct msock *fresh(struct bed *b, u32 at)
{
	u32 i = 0;

	put(b, at, NULL);
	while (b->pool[i].f)
		FUZZ_CHECK(++i < SLOTS);
	b->pool[i] = (struct msock){ .id = ++b->ids };
	return &b->pool[i];
}

static void keep(struct bed *b, u32 at, struct msock *s, struct weir_file *f)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP };

	s->f = f;
	ev.data.u32 = (u32)(s - b->pool);
	FUZZ_CHECK(!weir_epoll_ctl(b->ep, EPOLL_CTL_ADD, f, &ev));
	put(b, at, s);
}

static struct msock *pick(struct bed *b, struct fuzz_input *in)
{
	return b->slot[fuzz_u8(in) % SLOTS];
}

static void learn_port(struct bed *b, struct msock *s)
{
	struct sockaddr_in a;
	socklen_t len = sizeof(a);

	FUZZ_CHECK(!weir_getsockname(s->f, (struct sockaddr *)&a, &len) && len == sizeof(a));
	if (s->port && s->state != LOST)
		FUZZ_CHECK(ntohs(a.sin_port) == s->port);
	s->port = ntohs(a.sin_port);
	if (s->kind == TCP && s->port)
		b->tcp_used[s->net][s->port] = true;
}

/* A connection may have come about, failed, or ended since we looked. */
static void refresh(struct msock *s)
{
	struct sockaddr_in a;
	socklen_t len = sizeof(a);
	int r;

	if (s->kind != TCP || (s->state != CONNECTING && s->state != CONNECTED))
		return;
	r = weir_getpeername(s->f, (struct sockaddr *)&a, &len);
	if (!r) {
		s->state = CONNECTED;
	} else if (s->state == CONNECTED || weir_poll_now(s->f) & (POLLERR | POLLHUP)) {
		s->ended = s->state == CONNECTED;
		s->state = LOST;
	}
}

static struct msock *peer_of(struct bed *b, const struct msock *s)
{
	for (u32 i = 0; i < SLOTS; i++) {
		struct msock *p = &b->pool[i];

		if (!p->f || p->kind != TCP)
			continue;
		if (p->state == CONNECTING)
			refresh(p);
		if (p->state == CONNECTED && p->net == s->peer_net && p->port == s->peer_port &&
		    p->peer_net == s->net && p->peer_port == s->port)
			return p;
	}
	return NULL;
}

/* Both have ended their stream; or one will read no more either, so that octets for it reset the connection. */
static bool may_end(const struct msock *s, const struct msock *peer)
{
	return !peer || (s->shut_wr && (peer->shut_wr || s->shut_rd)) ||
	       (peer->shut_wr && peer->shut_rd);
}

/* To begin a call with. */
static void look(struct bed *b, struct msock *s)
{
	const struct msock *peer = s->state == CONNECTED && s->kind == TCP ? peer_of(b, s) : NULL;

	refresh(s);
	if (s->state == LOST && peer)
		FUZZ_CHECK(may_end(s, peer));
}

static void make_socket(struct bed *b, struct fuzz_input *in)
{
	static const struct {
		int family, type, protocol;
	} kinds[NR_KINDS] = {
		[TCP] = { AF_INET, SOCK_STREAM, 0 },
		[UDP] = { AF_INET, SOCK_DGRAM, 0 },
		[RAW] = { AF_INET, SOCK_RAW, RAW_PROTO },
		[PING] = { AF_INET, SOCK_DGRAM, IPPROTO_ICMP },
		[PACKET] = { AF_PACKET, SOCK_RAW, 0x0300 }, /* ETH_P_ALL in network order */
		[NETLINK] = { AF_NETLINK, SOCK_RAW, NETLINK_ROUTE },
	};
	u8 what = fuzz_u8(in), kind = (what >> 1) % NR_KINDS;
	u32 at = fuzz_u8(in) % SLOTS;
	struct msock *s = fresh(b, at);
	struct weir_file *f;

	s->kind = kind;
	s->net = what & 1;
	FUZZ_CHECK(!weir_socket(b->net[s->net], kinds[kind].family,
				kinds[kind].type | SOCK_NONBLOCK, kinds[kind].protocol, &f));
	keep(b, at, s, f);
}

enum conflict { NO_CONFLICT, MAY_CONFLICT, CONFLICT };

/* Is another socket in the way of @s having that port? All addresses of a net are the same: one, or any. */
static enum conflict conflict_of(const struct bed *b, const struct msock *s, u16 port)
{
	enum conflict ret =
		s->kind == TCP && b->tcp_used[s->net][port] ? MAY_CONFLICT : NO_CONFLICT;

	for (u32 i = 0; i < SLOTS; i++) {
		const struct msock *o = &b->pool[i];

		if (!o->f || o == s || o->kind != s->kind || o->net != s->net || o->port != port)
			continue;
		if (o->reuse && s->reuse && o->state != LISTENING)
			continue;
		/* A connection gives its port back when it ends, unless the program chose it. */
		if (s->kind == UDP || o->state == NEW || o->state == LISTENING)
			return CONFLICT;
		ret = MAY_CONFLICT;
	}
	return ret;
}

static void do_bind(struct bed *b, struct fuzz_input *in)
{
	struct msock *s = pick(b, in);
	u8 how = fuzz_u8(in);
	u16 port = how & 1 ? 0 : (u16)(7 + (how >> 1) % PORTS);
	bool any = how & 0x40, foreign = how & 0x80;
	struct sockaddr_in a;
	int r;

	if (!s || (s->kind != TCP && s->kind != UDP))
		return;
	look(b, s);
	a = name_of(foreign ? !s->net : s->net, port);
	if (any && !foreign)
		a.sin_addr.s_addr = 0;
	r = weir_bind(s->f, (struct sockaddr *)&a, sizeof(a));
	if (foreign) {
		SAYS(r, r == -EADDRNOTAVAIL);
	} else if (s->state == LOST) {
		SAYS(r, r == 0 || r == -EINVAL || r == -EADDRINUSE);
	} else if (s->port || s->state != NEW) {
		SAYS(r, r == -EINVAL);
	} else if (!port) {
		SAYS(r, !r);
	} else {
		enum conflict c = conflict_of(b, s, port);

		SAYS(r, (!r && c != CONFLICT) || (r == -EADDRINUSE && c != NO_CONFLICT));
	}
	if (r)
		return;
	learn_port(b, s);
	s->chosen = port;
	FUZZ_CHECK(s->port && (!port || s->port == port || s->state == LOST));
}

static void do_listen(struct bed *b, struct fuzz_input *in)
{
	struct msock *s = pick(b, in);
	int backlog = fuzz_u8(in) % 4, r;

	if (!s)
		return;
	look(b, s);
	r = weir_listen(s->f, backlog);
	if (s->kind != TCP)
		SAYS(r, r == -EOPNOTSUPP);
	else if (s->state == CONNECTING || s->state == CONNECTED)
		SAYS(r, r == -EINVAL);
	else if (s->state == LISTENING)
		SAYS(r, !r);
	else /* others with SO_REUSEADDR may have the port, too */
		SAYS(r, !r || r == -EADDRINUSE || (s->state == LOST && r == -EINVAL));
	if (s->kind == TCP && !r) {
		s->unsure |= s->state == LOST || s->shut_rd || s->shut_wr;
		s->ended = false;
		if (s->state == LOST)
			s->port = 0; /* one that it had automatically is another now */
		s->state = LISTENING;
		learn_port(b, s);
	}
}

static void do_accept(struct bed *b, struct fuzz_input *in)
{
	u32 from = fuzz_u8(in) % SLOTS, at = fuzz_u8(in) % SLOTS;
	struct msock *s = b->slot[from], *c;
	struct sockaddr_in a = { 0 };
	socklen_t len = sizeof(a);
	struct weir_file *f;
	unsigned events;
	int r;

	if (!s || at == from || s->users > 1)
		return;
	events = weir_poll_now(s->f);
	r = weir_accept(s->f, (struct sockaddr *)&a, &len, SOCK_NONBLOCK, &f);
	if (s->kind != TCP) {
		SAYS(r, r == -EOPNOTSUPP);
		return;
	}
	if (s->state != LISTENING) {
		SAYS(r, r == -EINVAL);
		return;
	}
	SAYS(r, r == (events & POLLIN ? 0 : -EAGAIN));
	if (r)
		return;
	c = fresh(b, at);
	c->kind = TCP;
	c->state = s->unsure ? LOST : CONNECTED;
	c->net = s->net;
	c->reuse = s->reuse;
	c->peer_net = net_of_name(&a);
	c->peer_port = ntohs(a.sin_port);
	FUZZ_CHECK(c->peer_port);
	keep(b, at, c, f);
	learn_port(b, c);
	FUZZ_CHECK(c->port == s->port || c->state == LOST);
	refresh(c); /* it may have been reset before */
}

/* A name to connect or send to: where somebody may be. */
static struct sockaddr_in somewhere(struct bed *b, struct fuzz_input *in)
{
	u8 where = fuzz_u8(in);
	const struct msock *o = b->slot[where % SLOTS];

	if (where & 0x80 || !o || !o->port)
		return name_of(where & 1, (u16)(7 + (where >> 1) % PORTS));
	return name_of(o->net, o->port);
}

static void do_connect(struct bed *b, struct fuzz_input *in)
{
	struct msock *s = pick(b, in);
	u8 how = fuzz_u8(in);
	struct sockaddr_in a = somewhere(b, in);
	socklen_t len = sizeof(int);
	int r, err;

	if (!s || (s->kind != TCP && s->kind != UDP))
		return;
	look(b, s);
	if (how % 8 == 7) {
		a.sin_family = AF_UNSPEC;
		r = weir_connect(s->f, (struct sockaddr *)&a, sizeof(a));
		SAYS(r, !r);
		if (s->state == LOST)
			return;
		weir_getsockopt(s->f, SOL_SOCKET, SO_ERROR, &err,
				&len); /* of the connection that ended */
		/* What was bound automatically is free again, what the program chose stays. */
		*s = (struct msock){ .f = s->f,
				     .users = s->users,
				     .kind = s->kind,
				     .net = s->net,
				     .reuse = s->reuse,
				     .id = s->id,
				     .chosen = s->chosen,
				     .port = s->chosen || (s->kind == TCP && s->state == NEW)
						     ? s->port
						     : 0,
				     .last = { s->last[0], s->last[1] },
				     .shut_rd = s->kind == UDP && s->shut_rd,
				     .shut_wr = s->kind == UDP && s->shut_wr };
		return;
	}
	if (s->state == LOST)
		return; /* nobody knows whose octets it would receive */
	r = weir_connect(s->f, (struct sockaddr *)&a, sizeof(a));
	if (s->kind == UDP) {
		SAYS(r, !r);
		s->state = CONNECTED;
	} else if (s->state == NEW) {
		/* Without a delay the answer is there before the call returns. */
		SAYS(r, r == -EINPROGRESS || !r || r == -ECONNREFUSED || r == -EADDRNOTAVAIL);
		if (r == -EADDRNOTAVAIL)
			return;
		s->state = r == -EINPROGRESS ? CONNECTING : r ? LOST : CONNECTED;
		s->tx = s->rx = 0;
	} else if (s->state == CONNECTING) {
		SAYS(r, r == -EALREADY);
		return;
	} else {
		/* The first call after the connection came about says that it did. */
		SAYS(r, r == -EISCONN || (!r && s->state == CONNECTED));
		return;
	}
	s->peer_net = net_of_name(&a);
	s->peer_port = ntohs(a.sin_port);
	if (s->state != LOST)
		learn_port(b, s);
}

/* ---- streams ------------------------------------------------------------------------------------------------ */

static void send_stream(struct bed *b, struct msock *s, u32 n, u32 cut)
{
	static u8 buf[MAX_SEND];
	struct iovec iov[2] = { { buf, cut % (n + 1) },
				{ buf + cut % (n + 1), n - cut % (n + 1) } };
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 2 };
	unsigned events = weir_poll_now(s->f);
	ssize_t r;

	for (u32 i = 0; i < n; i++)
		buf[i] = octet(s->net, s->port, s->tx + i);
	r = weir_sendmsg(s->f, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
	switch ((enum state)s->state) {
	case NEW:
	case LISTENING:
		SAYS(r, r == -EPIPE || (s->unsure && lost_error(r)));
		return;
	case CONNECTING:
		SAYS(r, r == -EAGAIN || (s->shut_wr && r == -EPIPE));
		return;
	case LOST:
		SAYS(r, lost_error(r) || (r >= 0 && r <= n));
		s->tx += r > 0 ? (u32)r : 0;
		return;
	case CONNECTED:
		break;
	}
	if (r >= 0) {
		SAYS(r, r <= n && (r || !n) && !s->shut_wr);
		s->tx += (u32)r;
	} else if (s->shut_wr && r == -EPIPE) {
		return;
	} else if (r == -EAGAIN) {
		FUZZ_CHECK(!(events & POLLOUT));
	} else {
		SAYS(r, lost_error(r) && may_end(s, peer_of(b, s)));
		s->state = LOST;
	}
}

static void recv_stream(struct bed *b, struct msock *s, u32 room, u8 how)
{
	static u8 buf[MAX_SEND];
	bool peek = how & 1, discard = how & 2;
	unsigned events = weir_poll_now(s->f);
	const struct msock *peer;
	int inq = 0;
	ssize_t r;

	if (s->state != LISTENING)
		FUZZ_CHECK(!weir_ioctl(s->f, FIONREAD, &inq));
	r = weir_recv(s->f, buf, room,
		      MSG_DONTWAIT | (peek ? MSG_PEEK : 0) | (discard ? MSG_TRUNC : 0) |
			      (how & 4 ? MSG_WAITALL : 0));
	if (s->state == NEW || s->state == LISTENING) {
		SAYS(r, r == (s->shut_rd && s->state == NEW ? 0 : -ENOTCONN));
		return;
	}
	if (s->state == CONNECTING) {
		SAYS(r, r == -EAGAIN || (s->shut_rd && !r));
		return;
	}
	SAYS(r, r <= (ssize_t)room);
	if (r > 0) {
		FUZZ_CHECK(events & (POLLIN | POLLERR | POLLHUP));
		SAYS(r, r >= min((ssize_t)room, (ssize_t)inq));
		for (ssize_t i = 0; i < r && !discard && (s->state == CONNECTED || s->ended); i++)
			FUZZ_CHECK(buf[i] == octet(s->peer_net, s->peer_port, s->rx + (u32)i));
		s->rx += peek ? 0 : (u32)r;
		return;
	}
	FUZZ_CHECK(inq == 0);
	if (s->state == LOST) {
		SAYS(r, !r || lost_error(r));
		return;
	}
	peer = peer_of(b, s);
	if (r == -EAGAIN) {
		FUZZ_CHECK(!(events & POLLIN));
	} else if (r < 0) {
		SAYS(r, lost_error(r) && may_end(s, peer));
		s->state = LOST;
	} else if (!s->shut_rd && peer) {
		FUZZ_CHECK(peer->shut_wr && s->rx == peer->tx);
	}
}

/* ---- messages ----------------------------------------------------------------------------------------------- */

static void fill_message(struct bed *b, const struct msock *s, const struct sockaddr_in *to,
			 u8 *buf, u32 n)
{
	struct header h = { .number = ++b->messages,
			    .len = n,
			    .id = s->id,
			    .port = s->port,
			    .to_port = ntohs(to->sin_port),
			    .kind = s->kind,
			    .net = s->net,
			    .to_net = net_of_name(to) };

	memset(buf, FILLER, n);
	if (n < sizeof(h))
		return;
	for (u32 i = sizeof(h); i < n; i++)
		buf[i] = (u8)(h.number + i);
	memcpy(buf, &h, sizeof(h));
}

/* The net that an answer to an echo request came from is the one asked. */
static u8 from_where(const struct msock *s, const struct header *h)
{
	return s->kind == PING ? h->to_net : h->net;
}

/* @len octets of a message of which @room fit. */
static void check_message(struct msock *s, const u8 *buf, u32 len, u32 room,
			  const struct sockaddr_in *from)
{
	struct header h;

	if (room < sizeof(h))
		return;
	if (len < sizeof(h)) {
		for (u32 i = 0; i < len; i++)
			FUZZ_CHECK(buf[i] == FILLER);
		return;
	}
	memcpy(&h, buf, sizeof(h));
	FUZZ_CHECK(h.kind == s->kind && len == min(h.len, room));
	for (u32 i = sizeof(h); i < len; i++)
		FUZZ_CHECK(buf[i] == (u8)(h.number + i));
	if (s->kind == PING) {
		FUZZ_CHECK(h.id == s->id && net_of_name(from) == h.to_net);
	} else {
		FUZZ_CHECK(h.net == net_of_name(from) && h.to_net == s->net);
	}
	if (s->kind == UDP) {
		FUZZ_CHECK(h.to_port == s->port);
		FUZZ_CHECK(!h.port || h.port == ntohs(from->sin_port));
	}
	FUZZ_CHECK(h.number > s->last[from_where(s, &h)]);
}

static void took_message(struct msock *s, const u8 *buf, u32 len, u32 room)
{
	struct header h;

	if (room < sizeof(h) || len < sizeof(h))
		return;
	memcpy(&h, buf, sizeof(h));
	s->last[from_where(s, &h)] = h.number;
}

static void send_message(struct bed *b, struct fuzz_input *in, struct msock *s, u32 n)
{
	static u8 buf[8 + MAX_SEND];
	u32 head = s->kind == PING ? 8 : 0;
	bool connected = s->state == CONNECTED, named;
	struct sockaddr_in to = somewhere(b, in);
	ssize_t r;

	named = !connected || fuzz_u8(in) & 1;
	if (!named)
		to = name_of(s->peer_net, s->peer_port);
	fill_message(b, s, &to, buf + head, n);
	if (head)
		memcpy(buf, "\x08\0\0\0\0\0\0\1", 8); /* an echo request */
	if (s->kind == UDP && !connected) {
		/* First without a name, which must not work. */
		r = weir_send(s->f, buf, n, MSG_DONTWAIT | MSG_NOSIGNAL);
		SAYS(r, r == -EDESTADDRREQ);
	}
	r = weir_sendto(s->f, buf, head + n, MSG_DONTWAIT | MSG_NOSIGNAL,
			named ? (struct sockaddr *)&to : NULL, named ? sizeof(to) : 0);
	SAYS(r, r == head + n || r == -EAGAIN || r == -ENOBUFS ||
			(connected && r == -ECONNREFUSED) || (s->shut_wr && r == -EPIPE));
	if (s->kind == UDP)
		learn_port(b, s); /* bound automatically before anything can fail */
}

static void recv_message(struct msock *s, u32 room, u8 how)
{
	static u8 buf[64 + 8 + MAX_SEND];
	u32 head = s->kind == PING ? 8 : s->kind == RAW ? 20 : 0;
	struct sockaddr_in from = { 0 };
	struct iovec iov = { buf, head + room };
	struct msghdr msg = {
		.msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &iov, .msg_iovlen = 1
	};
	unsigned events = weir_poll_now(s->f);
	ssize_t r = weir_recvmsg(s->f, &msg, MSG_DONTWAIT | (how & 1 ? MSG_PEEK : 0));

	if (r < 0) {
		SAYS(r, (r == -EAGAIN && !(events & POLLIN)) ||
				(r == -ECONNREFUSED && events & POLLERR));
		return;
	}
	if (s->shut_rd)
		return; /* the end, or what was there before */
	SAYS(r, events & POLLIN && r >= head && msg.msg_namelen == sizeof(from));
	if (head == 8)
		FUZZ_CHECK(buf[0] == 0 && buf[1] == 0); /* an echo reply */
	if (head == 20)
		FUZZ_CHECK(buf[0] == 0x45 && buf[9] == RAW_PROTO);
	check_message(s, buf + head, (u32)r - head, room, &from);
	if (!(how & 1))
		took_message(s, buf + head, (u32)r - head, room);
	if (r < head + room)
		FUZZ_CHECK(!(msg.msg_flags & MSG_TRUNC));
}

/* ---- packet and netlink sockets ----------------------------------------------------------------------------- */

static void send_frame(struct msock *s, u32 n)
{
	struct sockaddr_ll ll = { .sll_family = AF_PACKET,
				  .sll_ifindex = 2,
				  .sll_protocol = htons(0x88b5) };
	u8 frame[1514] = { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x88, 0xb5 };
	ssize_t r;

	n = min(n, 1514u);
	r = weir_sendto(s->f, frame, n, MSG_DONTWAIT, (struct sockaddr *)&ll, sizeof(ll));
	SAYS(r, r == n || r == -EAGAIN || r == -ENOBUFS || (n < 14 && r == -EINVAL));
}

static void recv_frame(struct msock *s, u32 room)
{
	u8 buf[MAX_SEND];
	struct sockaddr_ll ll = { 0 };
	socklen_t len = sizeof(ll);
	unsigned events = weir_poll_now(s->f);
	ssize_t r = weir_recvfrom(s->f, buf, room, MSG_DONTWAIT | MSG_TRUNC, (struct sockaddr *)&ll,
				  &len);

	if (r < 0) {
		SAYS(r, r == -EAGAIN && !(events & POLLIN));
		return;
	}
	SAYS(r, events & POLLIN && r >= 14 && len >= 18 && ll.sll_family == AF_PACKET);
	FUZZ_CHECK((ll.sll_ifindex == 1 || ll.sll_ifindex == 2) &&
		   ll.sll_pkttype <= PACKET_OUTGOING);
}

static void send_request(struct bed *b, struct msock *s, u8 what)
{
	static const u16 types[] = { RTM_GETLINK, RTM_GETADDR, RTM_GETROUTE, RTM_GETNEIGH };
	struct {
		struct nlmsghdr h;
		struct rtmsg body;
	} q = { .h = { .nlmsg_len = sizeof(q),
		       .nlmsg_type = types[what % 4],
		       .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
		       .nlmsg_seq = ++b->messages } };
	ssize_t r = weir_send(s->f, &q, sizeof(q), MSG_DONTWAIT);

	SAYS(r, r == sizeof(q) || r == -EAGAIN || r == -ENOBUFS);
	s->tx += r > 0;
}

static void recv_answer(struct msock *s)
{
	static u8 buf[65536];
	unsigned events = weir_poll_now(s->f);
	ssize_t r = weir_recv(s->f, buf, sizeof(buf), MSG_DONTWAIT);
	const struct nlmsghdr *h = (const void *)buf;

	if (r < 0) {
		SAYS(r, (r == -EAGAIN && !(events & POLLIN)) || r == -ENOBUFS);
		return;
	}
	SAYS(r, r && events & POLLIN && s->tx);
	for (; NLMSG_OK(h, r); h = NLMSG_NEXT(h, r)) {
		FUZZ_CHECK(h->nlmsg_seq >= s->rx); /* answers keep the order of the requests */
		s->rx = h->nlmsg_seq;
		if (h->nlmsg_type == NLMSG_ERROR) /* another dump is still going on */
			FUZZ_CHECK(((const struct nlmsgerr *)NLMSG_DATA(h))->error == -EBUSY);
	}
	SAYS(r, r <= 0);
}

/* ---- all kinds ---------------------------------------------------------------------------------------------- */

static void do_send(struct bed *b, struct fuzz_input *in)
{
	struct msock *s = pick(b, in);
	u8 what = fuzz_u8(in), cut = fuzz_u8(in);
	u32 n = what & 0x80 ? (what & 0x7fu) * 30u : what;

	if (!s)
		return;
	look(b, s);
	if (s->kind == TCP)
		send_stream(b, s, n, cut);
	else if (s->kind == PACKET)
		send_frame(s, n);
	else if (s->kind == NETLINK)
		send_request(b, s, what);
	else
		send_message(b, in, s, n);
}

static void do_recv(struct bed *b, struct fuzz_input *in)
{
	struct msock *s = pick(b, in);
	u8 how = fuzz_u8(in);
	u32 room = 1 + fuzz_u8(in) * 15u;

	if (!s)
		return;
	look(b, s);
	if (s->kind == TCP)
		recv_stream(b, s, room, how);
	else if (s->kind == PACKET)
		recv_frame(s, room);
	else if (s->kind == NETLINK)
		recv_answer(s);
	else
		recv_message(s, room, how);
}

static void do_shutdown(struct bed *b, struct fuzz_input *in)
{
	struct msock *s = pick(b, in);
	int how = fuzz_u8(in) % 3, r;

	if (!s || (s->kind != TCP && s->kind != UDP))
		return;
	look(b, s);
	r = weir_shutdown(s->f, how);
	if (s->state == NEW) {
		SAYS(r, r == -ENOTCONN);
	} else if (s->state == LOST) {
		SAYS(r, !r || r == -ENOTCONN);
		return;
	} else {
		SAYS(r, !r);
	}
	if (s->state == CONNECTING) {
		s->state = LOST;
		return;
	}
	if (s->state == LISTENING) {
		if (how != SHUT_WR)
			s->state = LOST; /* it no longer listens, and may again */
		return;
	}
	s->shut_rd |= how != SHUT_WR;
	s->shut_wr |= how != SHUT_RD;
}

static void do_names(struct bed *b, struct fuzz_input *in)
{
	struct msock *s = pick(b, in);
	struct sockaddr_in a;
	socklen_t len = sizeof(a);
	int r;

	if (!s || (s->kind != TCP && s->kind != UDP) || s->state == LOST)
		return;
	look(b, s);
	if (s->state == LOST)
		return;
	r = weir_getpeername(s->f, (struct sockaddr *)&a, &len);
	if (s->state != CONNECTED) {
		SAYS(r, r == -ENOTCONN);
		if (s->port) /* after a connection that ended the old one is still told */
			learn_port(b, s);
		return;
	}
	SAYS(r, !r);
	FUZZ_CHECK(net_of_name(&a) == s->peer_net && ntohs(a.sin_port) == s->peer_port);
	learn_port(b, s);
}

static void do_option(struct bed *b, struct fuzz_input *in)
{
	struct msock *s = pick(b, in);
	u8 which = fuzz_u8(in), val = fuzz_u8(in);
	struct linger hard = { .l_onoff = 1 };
	int v = val & 1, size = 2000 + val * 100, got = -1;
	socklen_t len = sizeof(got);

	if (!s)
		return;
	switch (which % 6) {
	case 0:
		if (s->port || s->kind > UDP)
			break; /* the model compares ports as they were bound */
		FUZZ_CHECK(!weir_setsockopt(s->f, SOL_SOCKET, SO_REUSEADDR, &v, sizeof(v)));
		FUZZ_CHECK(!weir_getsockopt(s->f, SOL_SOCKET, SO_REUSEADDR, &got, &len) &&
			   got == v);
		s->reuse = v;
		break;
	case 1:
		FUZZ_CHECK(!weir_setsockopt(s->f, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)));
		break;
	case 2:
		FUZZ_CHECK(!weir_setsockopt(s->f, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)));
		break;
	case 3:
		got = weir_setsockopt(s->f, IPPROTO_TCP, val & 2 ? TCP_NODELAY : TCP_CORK, &v,
				      sizeof(v));
		FUZZ_CHECK(s->kind == TCP ? !got : got < 0);
		break;
	case 4:
		FUZZ_CHECK(!weir_setsockopt(s->f, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard)));
		break;
	default:
		FUZZ_CHECK(!weir_getsockopt(s->f, SOL_SOCKET, SO_ERROR, &got, &len));
		if (!got || s->kind != TCP)
			break;
		FUZZ_CHECK(lost_error(-got) &&
			   (s->state != CONNECTED || may_end(s, peer_of(b, s))));
		s->state = LOST;
		break;
	}
}

static void do_epoll(struct bed *b)
{
	const u32 mask = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLERR | EPOLLHUP;
	struct epoll_event ev[SLOTS];
	u32 told[SLOTS] = { 0 };
	int n = weir_epoll_wait(b->ep, ev, SLOTS, 0);

	FUZZ_CHECK(n >= 0 && n <= SLOTS);
	for (int i = 0; i < n; i++) {
		FUZZ_CHECK(ev[i].events && b->pool[ev[i].data.u32].f && !told[ev[i].data.u32]);
		told[ev[i].data.u32] = ev[i].events;
	}
	for (u32 i = 0; i < SLOTS; i++)
		if (b->pool[i].f)
			FUZZ_CHECK(told[i] == (weir_poll_now(b->pool[i].f) & mask));
}

static void one(struct bed *b, struct fuzz_input *in)
{
	u8 what = fuzz_u8(in);
	u32 at, to;

	if (what >> 4)
		fuzz_run(b->m, (u64)10000 << what / 16);
	switch ((enum op)((what & 15) % NR_OPS)) {
	case OP_SOCKET:
		make_socket(b, in);
		break;
	case OP_BIND:
		do_bind(b, in);
		break;
	case OP_LISTEN:
		do_listen(b, in);
		break;
	case OP_ACCEPT:
		do_accept(b, in);
		break;
	case OP_CONNECT:
		do_connect(b, in);
		break;
	case OP_SEND:
		do_send(b, in);
		break;
	case OP_RECV:
		do_recv(b, in);
		break;
	case OP_SHUTDOWN:
		do_shutdown(b, in);
		break;
	case OP_CLOSE:
		put(b, fuzz_u8(in) % SLOTS, NULL);
		break;
	case OP_DUP:
		at = fuzz_u8(in) % SLOTS;
		to = fuzz_u8(in) % SLOTS;
		if (b->slot[at] && b->slot[at] != b->slot[to])
			put(b, to, b->slot[at]);
		break;
	case OP_NAMES:
		do_names(b, in);
		break;
	case OP_OPTION:
		do_option(b, in);
		break;
	default:
		do_epoll(b);
		break;
	}
}

static void bed_init(struct bed *b, bool delay)
{
	struct weir_machine_config cfg = { .clock = WEIR_CLOCK_VIRTUAL, .mem_limit = 64 << 20 };

	memset(b, 0, sizeof(*b));
	b->m = weir_machine_create(&cfg);
	FUZZ_CHECK(b->m);
	for (u32 i = 0; i < 2; i++) {
		b->net[i] = weir_net_create(b->m, i ? "b" : "a");
		FUZZ_CHECK(b->net[i]);
	}
	fuzz_veth(b->net[0], "eth0", b->net[1], "eth0");
	for (u32 i = 0; i < 2; i++) {
		fuzz_lo_up(b->net[i]);
		fuzz_addr(b->net[i], "eth0", 0x0a000001u + i);
		FUZZ_CHECK(!weir_sysctl(b->net[i], "net.ipv4.ping_group_range", "0 2147483647"));
	}
	if (delay)
		fuzz_delay(fuzz_dev(b->net[0], "eth0"));
	FUZZ_CHECK(!weir_epoll_create(b->m, &b->ep));
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct fuzz_input in = { data, size };
	struct weir_memory mem;
	static struct bed b;

	bed_init(&b, fuzz_u8(&in) & 1);
	while (in.left)
		one(&b, &in);
	do_epoll(&b);
	for (u32 i = 0; i < SLOTS; i++)
		put(&b, i, NULL);
	fuzz_run_until_idle(b.m, 0);
	weir_close(b.ep);
	weir_net_destroy(b.net[0]);
	weir_net_destroy(b.net[1]);
	weir_memory(b.m, &mem);
	FUZZ_CHECK(mem.nr_socks == 0 && mem.skb_live == 0);
	weir_machine_destroy(b.m);
	return 0;
}

FUZZ_SEEDS(
	/* a listener in b, a connection from a, octets both ways, an orderly end */
	SEED("\1\0\1\0\1\0\0\2\0\2\0\0\1\4\1\0\0\x93\0\2\4\1\0\0\5\1\xff\7\5\2\xc0\0\xd6\2\0\xff"
	     "\xc6\1\0\xff"
	     "\6\2\1\x10\7\1\1\xc6\2\0\xff\6\2\0\xff\6\2\0\xff\6\2\0\xff\7\2\1\xc6\1\0\xff\6\1\0"
	     "\xff\6\1\0\xff\x0c"
	     "\x08\1\x08\2"),
	/* the same in one net, without delay; the listener is shut down; both ends are closed with octets unread */
	SEED("\0\0\0\0\1\0\2\2\0\2\0\0\1\4\1\0\0\3\0\2\5\1\x50\0\5\2\x50\0\x0c\7\0\0\3\0\3\x0b\1\4"
	     "\0\x08\1\6"
	     "\2\0\1\6\2\0\xff\5\2\5\0"),
	/* a connection to nobody, and again after AF_UNSPEC; its names */
	SEED("\1\0\0\0\4\0\0\x83\x0a\0\x94\0\0\x83\x0b\0\5\0\4\0\7\0\x0a\0\4\0\0\x83\5\0\1\0\x98"
	     "\0"),
	/* datagrams between bound sockets, a peek, a short read, to a closed port and connected */
	SEED("\1\0\2\0\0\3\1\1\0\0\1\1\2\5\0\x40\0\1\5\0\xff\0\1\5\0\5\0\1\x96\1\1\xff\6\1\0\xff\6"
	     "\1\0\1\6\1\0\xff"
	     "\4\0\0\x83\5\0\x30\0\1\0\x96\0\0\xff\4\0\7\0\7\0\2"),
	/* raw and ping sockets */
	SEED("\1\0\4\0\0\5\1\5\0\x40\0\1\5\1\x40\0\0\x96\1\0\xff\6\0\0\xff\0\6\2\0\7\3\5\2\x60\0\1"
	     "\5\3\x60\0\x80"
	     "\x96\2\0\xff\6\3\1\xff\6\3\0\xff"),
	/* packet sockets see frames, netlink answers */
	SEED("\0\0\x08\0\0\x09\1\5\0\x60\0\x96\1\0\xff\6\0\0\xff\0\x0a\2\5\2\0\0\6\2\0\0\6\2\0\0\5"
	     "\2\1\0\6\2\0"
	     "\0\6\2\0\0"),
	/* the same port twice, with and without SO_REUSEADDR */
	SEED("\0\0\0\0\0\0\1\1\0\2\1\1\2\0\0\2\0\0\3\x0b\2\0\1\x0b\3\0\1\1\2\4\1\3\4\2\2\0\2\3\0"
	     "\x08\0\1\1\2"));
