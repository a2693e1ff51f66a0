/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * calls_msg.c - sendto, recvfrom, sendmsg, recvmsg, sendmmsg, recvmmsg
 *
 * Theory of operation
 *   Streams need us only where AF_UNIX would answer differently: with an address or control messages, which TCP ignores or interprets;
 *   such octets go straight to the stack, behind all that was written natively. Otherwise the kernel moves them.
 *   Datagrams with an address or control messages pass through here one by one. A receive takes the datagram, writes it to
 *   the caller, answers; if nobody is there to take the answer, the datagram is put back for the restarted call.
 */
#include "run_internal.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stddef.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#define IOV_LIMIT     1024
#define CONTROL_LIMIT 1024
#define MMSG_LIMIT    1024

/* A struct msghdr of the caller, copied once. */
struct user_msg {
	uint64_t hdr; /* 0: not from a msghdr; the name length is behind lenp */
	uint64_t name, lenp, control;
	socklen_t namelen;
	size_t controllen, len;
	unsigned iovlen;
	struct iovec iov[IOV_LIMIT];
};

static int sum_iov(struct user_msg *m)
{
	size_t len = 0;

	for (unsigned i = 0; i < m->iovlen; i++) {
		if (m->iov[i].iov_len > SSIZE_MAX || len + m->iov[i].iov_len > SSIZE_MAX)
			return -EINVAL;
		len += m->iov[i].iov_len;
	}
	m->len = len;
	return 0;
}

static int read_msghdr(struct call *c, uint64_t addr, struct user_msg *m)
{
	struct msghdr h;
	int err = mem_read(c, addr, &h, sizeof(h));

	if (err)
		return err;
	if (h.msg_iovlen > IOV_LIMIT)
		return -EMSGSIZE;
	m->hdr = addr;
	m->name = (uintptr_t)h.msg_name;
	m->namelen = h.msg_name ? h.msg_namelen : 0;
	m->control = (uintptr_t)h.msg_control;
	m->controllen = h.msg_control ? h.msg_controllen : 0;
	m->iovlen = (unsigned)h.msg_iovlen;
	err = mem_read(c, (uintptr_t)h.msg_iov, m->iov, m->iovlen * sizeof(m->iov[0]));
	return err ? err : sum_iov(m);
}

static void plain_msg(struct user_msg *m, uint64_t buf, uint64_t len)
{
	m->hdr = m->name = m->lenp = m->control = 0;
	m->namelen = 0;
	m->controllen = 0;
	m->len = len;
	m->iovlen = 1;
	m->iov[0] = (struct iovec){ (void *)(uintptr_t)buf, len };
}

/* ---- send --------------------------------------------------------------------------------------------------- */

/* Octets that cannot go natively. They must not overtake those that did. */
static long stream_send(struct call *c, const struct user_msg *m, int flags)
{
	struct asock *s = c->sock;
	size_t n = m->len < SCRATCH_SIZE ? m->len : SCRATCH_SIZE;
	int err;

	if (flags & MSG_FASTOPEN)
		return -EOPNOTSUPP;
	if (s->state != AS_CONNECTED || s->app_shut_wr)
		return -EPIPE;
	if (s->up.len || !(weir_poll_now(s->file) & POLLOUT))
		return -EAGAIN;
	err = mem_read_iov(c, m->iov, m->iovlen, s->run->scratch, n);
	if (err)
		return err;
	return stream_give(s, s->run->scratch, n, flags & MSG_OOB);
}

static long dgram_send(struct call *c, const struct user_msg *m, int flags)
{
	struct asock *s = c->sock;
	char control[CONTROL_LIMIT];
	struct sockaddr_storage ss;
	struct iovec iov = { s->run->scratch, m->len };
	struct msghdr h = { .msg_iov = &iov, .msg_iovlen = 1 };
	long n;
	int err;

	if (m->len > SCRATCH_SIZE)
		return -EMSGSIZE;
	if (m->controllen > sizeof(control))
		return -ENOBUFS;
	if (m->name) {
		err = call_read_addr(c, m->name, m->namelen, &ss);
		if (err)
			return err;
		h.msg_name = &ss;
		h.msg_namelen = m->namelen;
	}
	err = mem_read(c, m->control, control, m->controllen);
	if (!err)
		err = mem_read_iov(c, m->iov, m->iovlen, s->run->scratch, m->len);
	if (err)
		return err;
	if (m->controllen) {
		h.msg_control = control;
		h.msg_controllen = m->controllen;
	}
	if (s->err) {
		err = -s->err;
		s->err = 0;
		return err;
	}
	n = weir_sendmsg(s->file, &h, (flags & ~MSG_DONTWAIT) | MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n == -ENETUNREACH && m->name)
		call_no_way_out(c, &ss);
	return n;
}

static long send_one(struct call *c, const struct user_msg *m, int flags)
{
	return c->sock->stream ? stream_send(c, m, flags) : dgram_send(c, m, flags);
}

static enum call_result send_result(struct call *c, long n, int flags)
{
	if (n == -EAGAIN && !call_nonblock(c, flags))
		return call_park(c, c->sock->sndtimeo, -EAGAIN);
	return call_return(c, n);
}

enum call_result call_sendto(struct call *c)
{
	struct asock *s = call_sock(c, call_int(c, 0));
	struct user_msg m;

	if (!s)
		return CALL_CONTINUE;
	plain_msg(&m, call_ptr(c, 1), call_ptr(c, 2));
	m.name = call_ptr(c, 4);
	m.namelen = (socklen_t)call_ptr(c, 5);
	return send_result(c, send_one(c, &m, call_int(c, 3)), call_int(c, 3));
}

enum call_result call_sendmsg(struct call *c)
{
	struct asock *s = call_sock(c, call_int(c, 0));
	struct user_msg m;
	int err;

	if (!s)
		return CALL_CONTINUE;
	err = read_msghdr(c, call_ptr(c, 1), &m);
	if (err)
		return call_return(c, err);
	if (s->stream && s->state == AS_CONNECTED && !m.name && !m.controllen)
		return CALL_CONTINUE;
	return send_result(c, send_one(c, &m, call_int(c, 2)), call_int(c, 2));
}

enum call_result call_sendmmsg(struct call *c)
{
	struct asock *s = call_sock(c, call_int(c, 0));
	unsigned nr = (unsigned)call_int(c, 2), done = 0;
	uint64_t at = call_ptr(c, 1);
	struct user_msg m;
	long n = 0;

	if (!s)
		return CALL_CONTINUE;
	if (nr > MMSG_LIMIT)
		nr = MMSG_LIMIT;
	for (; done < nr; done++, at += sizeof(struct mmsghdr)) {
		unsigned len;

		n = read_msghdr(c, at, &m);
		if (!n)
			n = send_one(c, &m, call_int(c, 3));
		if (n < 0)
			break;
		len = (unsigned)n;
		mem_write(c, at + offsetof(struct mmsghdr, msg_len), &len, sizeof(len));
	}
	return send_result(c, done ? (long)done : n, call_int(c, 3));
}

/* ---- receive ------------------------------------------------------------------------------------------------ */

/* The fields of a struct msghdr that recvmsg() sets. */
static int write_msghdr(struct call *c, const struct user_msg *m, const struct dgram_msg *d,
			int flags)
{
	size_t controllen = d->controllen;
	int err = 0;

	if (controllen > m->controllen) {
		controllen = m->controllen;
		flags |= MSG_CTRUNC;
	}
	if (m->name) {
		err = mem_write(c, m->name, &d->addr,
				d->addrlen < m->namelen ? d->addrlen : m->namelen);
		if (!err)
			err = mem_write(c, m->hdr + offsetof(struct msghdr, msg_namelen),
					&d->addrlen, sizeof(d->addrlen));
	}
	if (!err)
		err = mem_write(c, m->control, d->control, controllen);
	if (!err)
		err = mem_write(c, m->hdr + offsetof(struct msghdr, msg_controllen), &controllen,
				sizeof(controllen));
	if (!err)
		err = mem_write(c, m->hdr + offsetof(struct msghdr, msg_flags), &flags,
				sizeof(flags));
	return err;
}

/* The datagram to the caller's memory. Its length as the call returns it, or -errno. */
static long write_dgram(struct call *c, const struct user_msg *m, const struct dgram_msg *d,
			int flags)
{
	size_t n = d->len < m->len ? d->len : m->len;
	int err = mem_write_iov(c, m->iov, m->iovlen, c->run->scratch, n);

	if (!err && m->hdr)
		err = write_msghdr(c, m, d, d->flags | (d->len > m->len ? MSG_TRUNC : 0));
	else if (!err && m->name)
		err = call_write_addr(c, m->name, m->lenp, &d->addr, d->addrlen);
	if (err)
		return err;
	return (long)(flags & MSG_TRUNC ? d->len : n);
}

static int take(struct call *c, int flags, struct dgram_msg *d)
{
	return dgram_take(c->sock, c->a, flags & MSG_PEEK, d);
}

/* Errors that were queued for IP_RECVERR: the stack writes them as it would write a datagram. */
static int take_error(struct call *c, struct dgram_msg *d)
{
	struct iovec iov = { c->run->scratch, SCRATCH_SIZE };
	struct msghdr h = {
		.msg_name = &d->addr,
		.msg_namelen = sizeof(d->addr),
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = d->control,
		.msg_controllen = sizeof(d->control),
	};
	ssize_t n = weir_recvmsg(c->sock->file, &h, MSG_ERRQUEUE | MSG_DONTWAIT);

	if (n < 0)
		return (int)n;
	d->len = (size_t)n;
	d->addrlen = h.msg_namelen;
	d->controllen = h.msg_controllen;
	d->flags = h.msg_flags;
	return 0;
}

static enum call_result recv_dgram(struct call *c, const struct user_msg *m, int flags)
{
	struct asock *s = c->sock;
	struct dgram_msg d;
	bool errors = flags & MSG_ERRQUEUE;
	int err = errors ? take_error(c, &d) : take(c, flags, &d);
	long n;

	if (err == -EAGAIN && !errors && !call_nonblock(c, flags))
		return call_park(c, s->rcvtimeo, -EAGAIN);
	if (err)
		return call_return(c, err);
	n = write_dgram(c, m, &d, flags);
	if (n == -EFAULT)
		return call_return(c, n);
	if ((n < 0 || notify_answer(c, n)) && !(flags & MSG_PEEK) && !errors)
		dgram_put_back(s, &d);
	else if (!errors)
		asock_again(s); /* there is room for the next */
	return CALL_DONE;
}

/* What a stream answers when it is not the kernel that does. 0: it is. */
static int stream_recv_error(const struct asock *s, int flags)
{
	if (flags & MSG_ERRQUEUE)
		return -EAGAIN;
	if (s->state == AS_NEW || s->state == AS_LISTENING)
		return -ENOTCONN;
	return 0;
}

enum call_result call_recvfrom(struct call *c)
{
	struct asock *s = call_sock(c, call_int(c, 0));
	int flags = call_int(c, 3), err;
	struct user_msg m;

	if (!s)
		return CALL_CONTINUE;
	if (s->stream) {
		err = stream_recv_error(s, flags);
		return err ? call_return(c, err) : CALL_CONTINUE;
	}
	plain_msg(&m, call_ptr(c, 1), call_ptr(c, 2));
	m.name = call_ptr(c, 4);
	m.lenp = call_ptr(c, 5);
	return recv_dgram(c, &m, flags);
}

enum call_result call_recvmsg(struct call *c)
{
	struct asock *s = call_sock(c, call_int(c, 0));
	int flags = call_int(c, 2), err;
	struct user_msg m;

	if (!s)
		return CALL_CONTINUE;
	if (s->stream) {
		err = stream_recv_error(s, flags);
		return err ? call_return(c, err) : CALL_CONTINUE;
	}
	err = read_msghdr(c, call_ptr(c, 1), &m);
	return err ? call_return(c, err) : recv_dgram(c, &m, flags);
}

enum call_result call_recvmmsg(struct call *c)
{
	struct asock *s = call_sock(c, call_int(c, 0));
	unsigned nr = (unsigned)call_int(c, 2), done = 0;
	int flags = call_int(c, 3);
	uint64_t at = call_ptr(c, 1);
	struct user_msg m;
	struct dgram_msg d;
	long n = 0;

	if (!s)
		return CALL_CONTINUE;
	if (s->stream) {
		n = stream_recv_error(s, flags);
		return n ? call_return(c, n) : CALL_CONTINUE;
	}
	if (nr > MMSG_LIMIT)
		nr = MMSG_LIMIT;
	for (; done < nr; done++, at += sizeof(struct mmsghdr)) {
		unsigned len;

		n = read_msghdr(c, at, &m);
		if (!n)
			n = flags & MSG_ERRQUEUE ? take_error(c, &d) : take(c, flags, &d);
		if (n)
			break;
		n = write_dgram(c, &m, &d, flags);
		if (n == -ENOENT)
			dgram_put_back(s, &d);
		if (n < 0)
			break;
		len = (unsigned)n;
		mem_write(c, at + offsetof(struct mmsghdr, msg_len), &len, sizeof(len));
	}
	if (n == -ENOENT)
		return CALL_DONE;
	if (!done && n == -EAGAIN && !(flags & MSG_ERRQUEUE) && !call_nonblock(c, flags))
		return call_park(c, s->rcvtimeo, -EAGAIN);
	asock_again(s);
	return call_return(c, done ? (long)done : n);
}
