/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_unix.c - random sequences of calls on AF_UNIX sockets, compared with a model of what they may say
 *
 * An input is a program: one octet of operation, then operands. Sockets are in SLOTS; they travel through each other as files, so that the
 * same one may be in several slots, in none, or in a message only. The model knows sockets by their inode: what came out of pairs must
 * be what went in, in order; what poll says must hold of the next call; and in the end nothing may be left, whatever
 * circles the messages made.
 */
#include <errno.h>
#include <sys/ioctl.h>
#include <sys/un.h>

#include "tests/fuzz/fuzz_net.h"

enum op {
	OP_PAIR,
	OP_SOCKET,
	OP_SEND,
	OP_RECV,
	OP_FILES,
	OP_RECV_FILES,
	OP_CLOSE,
	OP_DUP,
	OP_SHUTDOWN,
	OP_BIND,
	OP_LISTEN,
	OP_CONNECT,
	OP_ACCEPT,
	OP_SENDTO,
	OP_OPTION,
	OP_UNLINK,
	NR_OPS
};

#define SLOTS      12
#define MAX_INOS   512
#define MAX_OCTETS 300

/* An end of a pair, until something happens that the model does not follow. */
struct model {
	u8 type;    /* 0: not followed */
	u16 peer;   /* inode */
	u8 tx, rx;  /* the next octet (streams) or message number */
	u32 queued; /* octets on their way to here */
};

struct bed {
	struct weir_machine *m;
	struct weir_net *net;
	struct weir_file *f[SLOTS];
	struct model model[MAX_INOS];
	u8 peek_off_used;
};

static struct model *model_of(struct bed *b, const struct weir_file *f)
{
	u64 ino = weir_inode(f);

	FUZZ_CHECK(ino);
	return ino < MAX_INOS ? &b->model[ino] : NULL;
}

static struct model *followed(struct bed *b, const struct weir_file *f)
{
	struct model *m = model_of(b, f);

	return m && m->type ? m : NULL;
}

/* Both ends of what @f belongs to do things that the model does not know. */
static void forget(struct bed *b, const struct weir_file *f)
{
	struct model *m = followed(b, f);

	if (!m)
		return;
	b->model[m->peer].type = 0;
	m->type = 0;
}

static void put(struct bed *b, u32 slot, struct weir_file *f)
{
	if (b->f[slot])
		weir_close(b->f[slot]);
	b->f[slot] = f;
}

static void make_pair(struct bed *b, struct fuzz_input *in)
{
	static const int types[] = { SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET };
	int type = types[fuzz_u8(in) % 3];
	u32 at = fuzz_u8(in) % (SLOTS - 1);
	struct weir_file *f[2];

	FUZZ_CHECK(!weir_socketpair(b->net, AF_UNIX, type | SOCK_NONBLOCK, 0, f));
	for (int i = 0; i < 2; i++) {
		struct model *m = model_of(b, f[i]);

		if (m && model_of(b, f[!i]))
			*m = (struct model){ .type = (u8)type, .peer = (u16)weir_inode(f[!i]) };
		put(b, at + (u32)i, f[i]);
	}
}

static void make_socket(struct bed *b, struct fuzz_input *in)
{
	static const int types[] = { SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET };
	struct weir_file *f;

	FUZZ_CHECK(!weir_socket(b->net, AF_UNIX, types[fuzz_u8(in) % 3] | SOCK_NONBLOCK, 0, &f));
	put(b, fuzz_u8(in) % SLOTS, f);
}

/* Fills @buf with what @m sends next: a sequence, or messages of one repeated number. */
static void fill(const struct model *m, u8 *buf, u32 n)
{
	for (u32 i = 0; i < n; i++)
		buf[i] = m->type == SOCK_STREAM ? (u8)(m->tx + i) : m->tx;
}

static void sent(struct bed *b, struct model *m, ssize_t n)
{
	if (!m || n < 0)
		return;
	m->tx += m->type == SOCK_STREAM ? (u8)n : 1;
	b->model[m->peer].queued += (u32)n;
}

static void received(struct model *m, const u8 *buf, ssize_t n, u32 room, bool peek, bool off)
{
	if (!m || n <= 0 || off)
		return;
	for (ssize_t i = 0; i < n && i < room; i++)
		FUZZ_CHECK(buf[i] == (m->type == SOCK_STREAM ? (u8)(m->rx + i) : buf[0]));
	if (peek)
		return;
	if (m->type == SOCK_STREAM) {
		m->rx += (u8)n;
		FUZZ_CHECK(m->queued >= (u32)n);
		m->queued -= (u32)n;
	} else {
		/* Empty messages have no number to look at. */
		FUZZ_CHECK((u8)(buf[0] - m->rx) < 128);
		m->rx = (u8)(buf[0] + 1);
	}
}

static void send_octets(struct bed *b, struct fuzz_input *in)
{
	struct weir_file *f = b->f[fuzz_u8(in) % SLOTS];
	u32 n = fuzz_u8(in);
	struct model *m;
	u8 buf[MAX_OCTETS] = { 0 };
	ssize_t r;

	if (!f)
		return;
	m = followed(b, f);
	if (m)
		fill(m, buf, n);
	r = weir_send(f, buf, n, MSG_DONTWAIT | MSG_NOSIGNAL);
	FUZZ_CHECK(r == -EAGAIN || r == -EPIPE || r == -ENOTCONN || r == -ECONNREFUSED ||
		   r == -ECONNRESET || r == n || (r > 0 && r < n && m && m->type == SOCK_STREAM) ||
		   r == -ENOBUFS || r == -EMSGSIZE || (r >= 0 && !m) ||
		   (r == -EPERM && !m)); /* the receiver has connected to somebody else since */
	sent(b, m, r);
}

static void recv_octets(struct bed *b, struct fuzz_input *in)
{
	struct weir_file *f = b->f[fuzz_u8(in) % SLOTS];
	u8 how = fuzz_u8(in), buf[MAX_OCTETS];
	u32 room = 1 + fuzz_u8(in);
	unsigned events;
	ssize_t r;
	int inq = -1;

	if (!f)
		return;
	events = weir_poll_now(f);
	weir_ioctl(f, FIONREAD, &inq);
	r = weir_recv(f, buf, room, MSG_DONTWAIT | (how & 1 ? MSG_PEEK : 0));
	/* What poll says holds: no POLLIN, nothing to read; POLLIN, something, be it the end. */
	if (!(events & (POLLIN | POLLHUP | POLLERR)))
		FUZZ_CHECK(r == -EAGAIN || r == -ENOTCONN || r == -EINVAL);
	if (inq > 0 && !(how & 1) && !(events & POLLERR))
		FUZZ_CHECK(r >= 0 && r <= inq); /* the first of some messages may be empty */
	received(followed(b, f), buf, r, room, how & 1, b->peek_off_used);
}

static void send_files(struct bed *b, struct fuzz_input *in)
{
	struct weir_file *f = b->f[fuzz_u8(in) % SLOTS], *give[3];
	union {
		struct cmsghdr c;
		char buf[CMSG_SPACE(sizeof(give))];
	} u = { 0 };
	u8 octet = 0;
	struct iovec iov = { &octet, 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &u };
	struct model *m;
	u32 n = 0;

	for (u32 i = 0; i < 3; i++) {
		struct weir_file *g = b->f[fuzz_u8(in) % SLOTS];

		if (g)
			give[n++] = g;
	}
	if (!f || !n)
		return;
	msg.msg_controllen = CMSG_SPACE(n * sizeof(give[0]));
	u.c = (struct cmsghdr){ CMSG_LEN(n * sizeof(give[0])), SOL_SOCKET, SCM_RIGHTS };
	memcpy(CMSG_DATA(&u.c), give, n * sizeof(give[0]));
	m = followed(b, f);
	if (m)
		fill(m, &octet, 1);
	sent(b, m, weir_sendmsg(f, &msg, MSG_DONTWAIT | MSG_NOSIGNAL));
}

static void recv_files(struct bed *b, struct fuzz_input *in)
{
	struct weir_file *f = b->f[fuzz_u8(in) % SLOTS];
	u8 how = fuzz_u8(in), to = fuzz_u8(in), buf[MAX_OCTETS];
	union {
		struct cmsghdr c;
		char buf[128];
	} u;
	u32 room = 1 + (how >> 4) * 8;
	struct iovec iov = { buf, room };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = &u,
			      .msg_controllen = sizeof(u) - (how >> 2 & 3) * 40u };
	struct cmsghdr *c;
	ssize_t r;

	if (!f)
		return;
	r = weir_recvmsg(f, &msg, MSG_DONTWAIT | (how & 1 ? MSG_PEEK : 0));
	received(followed(b, f), buf, r, room, how & 1, b->peek_off_used);
	if (r < 0)
		return;
	for (c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c)) {
		if (c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; CMSG_LEN((i + 1) * sizeof(f)) <= c->cmsg_len; i++) {
			struct weir_file *got;

			memcpy(&got, CMSG_DATA(c) + i * sizeof(got), sizeof(got));
			FUZZ_CHECK(weir_inode(got));
			put(b, to++ % SLOTS, got);
		}
	}
}

static socklen_t name_of(struct sockaddr_un *sun, u8 what)
{
	*sun = (struct sockaddr_un){ .sun_family = AF_UNIX };
	sun->sun_path[0] = what & 4 ? 'p' : 0; /* a path, or abstract */
	sun->sun_path[1] = (char)('a' + what % 4);
	return offsetof(struct sockaddr_un, sun_path) + 2;
}

static void with_name(struct bed *b, struct fuzz_input *in, enum op op)
{
	struct weir_file *f = b->f[fuzz_u8(in) % SLOTS];
	struct sockaddr_un sun;
	socklen_t len = name_of(&sun, fuzz_u8(in));
	char path[3] = { sun.sun_path[0], sun.sun_path[1], 0 };

	if (op == OP_UNLINK) {
		weir_unix_unlink(b->net, path);
		return;
	}
	if (!f)
		return;
	if (op == OP_BIND)
		weir_bind(f, (struct sockaddr *)&sun, len);
	forget(b, f); /* others may write to it, or it to others */
	if (op == OP_CONNECT)
		weir_connect(f, (struct sockaddr *)&sun, len);
	if (op == OP_SENDTO)
		weir_sendto(f, "to", 2, MSG_DONTWAIT, (struct sockaddr *)&sun, len);
}

static void accept_one(struct bed *b, struct fuzz_input *in)
{
	struct weir_file *f = b->f[fuzz_u8(in) % SLOTS], *child;
	u32 to = fuzz_u8(in) % SLOTS;
	unsigned events;
	int err;

	if (!f)
		return;
	events = weir_poll_now(f);
	err = weir_accept(f, NULL, NULL, SOCK_NONBLOCK, &child);
	if (!err) {
		FUZZ_CHECK(events & POLLIN);
		put(b, to, child);
	}
}

static void option(struct bed *b, struct fuzz_input *in)
{
	static const int names[] = { SO_PASSCRED, SO_PEEK_OFF, SO_SNDBUF, SO_RCVLOWAT };
	struct weir_file *f = b->f[fuzz_u8(in) % SLOTS];
	u8 which = fuzz_u8(in);
	int v = (int8_t)fuzz_u8(in);

	if (f && !weir_setsockopt(f, SOL_SOCKET, names[which % 4], &v, sizeof(v)) && which % 4 == 1)
		b->peek_off_used = 1;
}

static void one(struct bed *b, struct fuzz_input *in)
{
	enum op op = (enum op)(fuzz_u8(in) % NR_OPS);
	u32 slot, to;

	switch (op) {
	case OP_PAIR:
		make_pair(b, in);
		break;
	case OP_SOCKET:
		make_socket(b, in);
		break;
	case OP_SEND:
		send_octets(b, in);
		break;
	case OP_RECV:
		recv_octets(b, in);
		break;
	case OP_FILES:
		send_files(b, in);
		break;
	case OP_RECV_FILES:
		recv_files(b, in);
		break;
	case OP_CLOSE:
		put(b, fuzz_u8(in) % SLOTS, NULL);
		break;
	case OP_DUP:
		slot = fuzz_u8(in) % SLOTS;
		to = fuzz_u8(in) % SLOTS;
		if (b->f[slot] && slot != to)
			put(b, to, weir_file_get(b->f[slot]));
		break;
	case OP_SHUTDOWN:
		slot = fuzz_u8(in) % SLOTS;
		to = fuzz_u8(in) % 3;
		if (b->f[slot])
			FUZZ_CHECK(!weir_shutdown(b->f[slot], (int)to));
		break;
	case OP_LISTEN:
		slot = fuzz_u8(in) % SLOTS;
		to = fuzz_u8(in) % 4;
		if (b->f[slot])
			weir_listen(b->f[slot], (int)to);
		break;
	case OP_ACCEPT:
		accept_one(b, in);
		break;
	case OP_OPTION:
		option(b, in);
		break;
	default:
		with_name(b, in, op);
		break;
	}
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct weir_machine_config cfg = { .clock = WEIR_CLOCK_VIRTUAL, .mem_limit = 32 << 20 };
	struct fuzz_input in = { data, size };
	static struct bed b;
	struct weir_memory mem;
	struct weir_file *last;

	b = (struct bed){ .m = weir_machine_create(&cfg) };
	FUZZ_CHECK(b.m);
	b.net = weir_net_create(b.m, "a");
	FUZZ_CHECK(b.net);
	while (in.left)
		one(&b, &in);
	for (u32 i = 0; i < SLOTS; i++)
		put(&b, i, NULL);
	/* Circles are collected when a socket is closed. */
	FUZZ_CHECK(!weir_socket(b.net, AF_UNIX, SOCK_DGRAM, 0, &last));
	weir_close(last);
	weir_memory(b.m, &mem);
	FUZZ_CHECK(mem.nr_socks == 0 && mem.skb_live == 0);
	weir_net_destroy(b.net);
	weir_machine_destroy(b.m);
	return 0;
}

FUZZ_SEEDS(
	/* octets through a pair, read in pieces, peeked at */
	SEED("\0\0\0\2\0\x20\3\1\1\5\3\1\0\7\3\1\0\x40\6\0\3\1\0\1"),
	/* messages */
	SEED("\0\1\0\2\0\x20\2\0\x10\3\1\0\x40\3\1\0\x40\x0e\1\1\2\3\1\1\1"),
	/* each end travels through the other, and all handles go */
	SEED("\0\0\0\4\0\1\1\1\4\1\0\0\0\6\0\6\1"),
	/* three pairs in a circle */
	SEED("\0\0\0\0\1\2\0\2\4\4\0\2\3\2\4\2\4\5\4\4\4\0\1\0\6\0\6\1\6\2\6\3\6\4\6\5"),
	/* a listener, connections that are accepted and not, files in an embryo */
	SEED("\1\0\0\x09\0\1\x0a\0\2\1\0\1\x0b\1\1\1\0\2\x0b\2\1\4\1\0\1\2\x0c\0\3\5\3\xf0\4\6\0\6"
	     "\1"),
	/* names: datagrams to a path, unlinked, again */
	SEED("\1\1\0\x09\0\5\1\1\1\x0d\1\5\x0f\0\5\x0d\1\5\3\0\0\x10\x09\1\5\6\0\x0b\1\5"),
	/* a datagram to who has connected elsewhere */
	SEED("\x00\x00\x00\x00\x01\x02\x00\x00\x00\x00\x02\x04\x70\x01\x00\x01\x01\xff\xff\x00"
	     "\xff\x74\x6f\x04\x01\x01\x02\x09\x05\xfb\xfd\x00\x09\xff\xfe\xfe\xfd\x74\x6f\x6b"
	     "\x0d\xfe\xfe\xfd\x74\x6f\x6b\x0d\x05\xff\x74\x6f\x6b\x0d\x05\xfb\xfd\x00\x09\xff"
	     "\xfe\x02"));
