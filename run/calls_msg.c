/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * calls_msg.c - sendto, recvfrom, sendmsg, recvmsg, sendmmsg, recvmmsg
 *
 * Theory of operation
 *   Streams need us only where AF_UNIX would answer differently: with an address or control messages, which TCP ignores or interprets;
 *   such octets go straight to the stack, behind all that was written natively. Otherwise the kernel moves them; but a send with a
 *   message header is not left to it, because the header could name somebody else, and the descriptor be another, by then.
 *   Datagrams with an address or control messages pass through here one by one. A receive takes the datagram, writes it to
 *   the caller, answers; if nobody is there to take the answer, the datagram is put back for the restarted call.
 */
#include "run_internal.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stddef.h>
#include <string.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define CONTROL_LIMIT    1024
#define MSG_CMSG_COMPAT_ 0x80000000u /* the kernel's own */
#define MMSG_LIMIT       1024
#define LIMIT_MAX        1000000000L /* s */
#define IOV_AT_ONCE      16 /* more of the caller's pieces than that take a system call of their own */

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
	if (h.msg_name && (int)h.msg_namelen < 0)
		return -EINVAL;
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

	if (flags & (int)MSG_CMSG_COMPAT_)
		return -EINVAL;
	/* On a connection that is there it asks for nothing. */
	if (flags & MSG_FASTOPEN && s->state != AS_CONNECTED)
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

/* The first @n octets of the caller's pieces, of which there are at most IOV_AT_ONCE. Returns how many parts that makes. */
static unsigned data_parts(const struct user_msg *m, char *buf, size_t n, struct mem_part *parts)
{
	unsigned nr = 0;

	for (unsigned i = 0; i < m->iovlen && n; i++) {
		size_t len = m->iov[i].iov_len < n ? m->iov[i].iov_len : n;

		parts[nr++] = (struct mem_part){ (uintptr_t)m->iov[i].iov_base, buf, len };
		buf += len;
		n -= len;
	}
	return nr;
}

static long dgram_send(struct call *c, const struct user_msg *m, int flags)
{
	struct asock *s = c->sock;
	char control[CONTROL_LIMIT];
	struct sockaddr_storage ss;
	struct iovec iov = { s->run->scratch, m->len };
	struct msghdr h = { .msg_iov = &iov, .msg_iovlen = 1 };
	long n;
	struct mem_part parts[MEM_PARTS];
	unsigned nr = 0;
	int err = 0;

	if (m->len > SCRATCH_SIZE)
		return -EMSGSIZE;
	if (m->controllen > sizeof(control))
		return -ENOBUFS;
	if (m->name) {
		if (m->namelen > sizeof(ss))
			return -EINVAL;
		memset(&ss, 0, sizeof(ss));
		parts[nr++] = (struct mem_part){ m->name, &ss, m->namelen };
		h.msg_name = &ss;
		h.msg_namelen = m->namelen;
	}
	if (m->controllen) {
		parts[nr++] = (struct mem_part){ m->control, control, m->controllen };
		h.msg_control = control;
		h.msg_controllen = m->controllen;
	}
	if (m->iovlen <= IOV_AT_ONCE)
		nr += data_parts(m, s->run->scratch, m->len, parts + nr);
	else
		err = mem_read_iov(c, m->iov, m->iovlen, s->run->scratch, m->len);
	if (!err)
		err = mem_read_parts(c, parts, nr);
	if (!err)
		err = -dgram_error(s, c->a);
	if (err)
		return err;
	n = weir_sendmsg(s->file, &h, (flags & ~MSG_DONTWAIT) | MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n == -ENETUNREACH && m->name)
		call_no_way_out(c, &ss);
	return n;
}

/* Steps over the octets that went already. */
static void skip_octets(struct user_msg *m, size_t n)
{
	m->len -= n;
	for (unsigned i = 0; i < m->iovlen && n; i++) {
		size_t k = n < m->iov[i].iov_len ? n : m->iov[i].iov_len;

		m->iov[i].iov_base = (char *)m->iov[i].iov_base + k;
		m->iov[i].iov_len -= k;
		n -= k;
	}
}

static long send_one(struct call *c, const struct user_msg *m, int flags)
{
	if (!c->sock)
		return unix_send(c, m, flags);
	return c->sock->stream ? stream_send(c, m, flags) : dgram_send(c, m, flags);
}

/* As the kernel does it for a write to a broken stream. */
static void raise_pipe(struct call *c, int flags)
{
	if (!(flags & MSG_NOSIGNAL))
		syscall(SYS_tgkill, ident_process((pid_t)c->n.pid), (pid_t)c->n.pid, SIGPIPE);
}

static bool is_stream(struct call *c)
{
	socklen_t len = sizeof(int);
	int type = 0;

	if (c->sock)
		return c->sock->stream;
	return c->a >= 0 && getsockopt(c->a, SOL_SOCKET, SO_TYPE, &type, &len) == 0 &&
	       type == SOCK_STREAM;
}

static enum call_result send_waits(struct call *c)
{
	return c->sock ? call_park(c, c->sock->sndtimeo, -EAGAIN) : unix_send_wait(c);
}

/* A stream takes all of it, in pieces, if the caller waits; c->done is how much went. */
static enum call_result send_all(struct call *c, struct user_msg *m, int flags)
{
	bool stream = is_stream(c);
	long n;

	skip_octets(m, c->done);
	do {
		n = send_one(c, m, flags);
		if (n < 0)
			break;
		c->done += (unsigned)n;
		skip_octets(m, (size_t)n);
		/* Descriptors went with the first octets. */
		m->controllen = 0;
	} while (stream && m->len);
	if (n == -EAGAIN && !call_nonblock(c, flags))
		return send_waits(c);
	if (n == -EPIPE && stream && !c->done)
		raise_pipe(c, flags);
	return call_return(c, c->done ? (long)c->done : n);
}

/* Not one of the stack's. A runner around us looks after it; without copies there is nothing in it that could be sent to a foreign address: unix.c. */
static bool left_to_kernel(const struct call *c)
{
	return !c->sock && (!c->run->fac.pidfd_getfd || c->run->nested);
}

enum call_result call_sendto(struct call *c)
{
	struct user_msg m;

	__call_sock(c, call_int(c, 0));
	if (left_to_kernel(c))
		return CALL_CONTINUE;
	plain_msg(&m, call_ptr(c, 1), call_ptr(c, 2));
	m.name = call_ptr(c, 4);
	m.namelen = (socklen_t)call_ptr(c, 5);
	return send_all(c, &m, call_int(c, 3));
}

enum call_result call_sendmsg(struct call *c)
{
	struct asock *s = __call_sock(c, call_int(c, 0));
	struct user_msg m;
	int err;

	if (left_to_kernel(c))
		return CALL_CONTINUE;
	err = read_msghdr(c, call_ptr(c, 1), &m);
	if (err)
		return call_return(c, err);
	if (s && s->stream && s->state == AS_CONNECTED && !m.name && !m.controllen &&
	    !c->run->fac.pidfd_getfd)
		return CALL_CONTINUE;
	return send_all(c, &m, call_int(c, 2));
}

enum call_result call_sendmmsg(struct call *c)
{
	unsigned nr = (unsigned)call_int(c, 2);
	int flags = call_int(c, 3);
	struct user_msg m;
	long n = 0;

	call_sock(c, call_int(c, 0));
	if (left_to_kernel(c))
		return CALL_CONTINUE;
	if (nr > MMSG_LIMIT)
		nr = MMSG_LIMIT;
	for (; c->done < nr; c->done++) {
		uint64_t at = call_ptr(c, 1) + c->done * sizeof(struct mmsghdr);
		unsigned len;

		n = read_msghdr(c, at, &m);
		if (!n)
			n = send_one(c, &m, flags);
		if (n < 0)
			break;
		len = (unsigned)n;
		mem_write(c, at + offsetof(struct mmsghdr, msg_len), &len, sizeof(len));
	}
	/* As many as there are, unless it must not wait. */
	if (n == -EAGAIN && !call_nonblock(c, flags))
		return send_waits(c);
	if (n == -EPIPE && !c->done && is_stream(c))
		raise_pipe(c, flags);
	return call_return(c, c->done ? (long)c->done : n);
}

/* ---- receive ------------------------------------------------------------------------------------------------ */

/* What a receiving call says besides the octets. */
struct said {
	socklen_t namelen;
	size_t controllen;
	int flags;
};

/*
 * Control messages cut to @room octets: the last of them has a part of its data, if any, and its length says so. Padding that is cut off is
 * not missed. Returns what is left; *ret_flags gets MSG_CTRUNC if data is lost.
 */
static size_t cut_control(char *control, size_t len, size_t room, int *ret_flags)
{
	size_t off = 0;

	while (off < len && off + sizeof(struct cmsghdr) <= room) {
		struct cmsghdr *cm = (struct cmsghdr *)(void *)(control + off);

		if (cm->cmsg_len > room - off) {
			cm->cmsg_len = room - off;
			*ret_flags |= MSG_CTRUNC;
			return room;
		}
		off += CMSG_ALIGN(cm->cmsg_len);
	}
	if (off < len)
		*ret_flags |= MSG_CTRUNC;
	return off < room ? off : room;
}

/* The fields of a struct msghdr that recvmsg() sets. Returns how many parts that makes. */
static unsigned msghdr_parts(const struct user_msg *m, struct dgram_msg *d, struct said *said,
			     struct mem_part *parts)
{
	unsigned nr = 0;

	said->flags = d->flags | (d->len > m->len ? MSG_TRUNC : 0);
	said->controllen = d->controllen;
	if (said->controllen > m->controllen)
		said->controllen =
			cut_control(d->control, d->controllen, m->controllen, &said->flags);
	if (m->name) {
		said->namelen = d->addrlen;
		parts[nr++] =
			(struct mem_part){ m->name, &d->addr,
					   d->addrlen < m->namelen ? d->addrlen : m->namelen };
		parts[nr++] = (struct mem_part){ m->hdr + offsetof(struct msghdr, msg_namelen),
						 &said->namelen, sizeof(said->namelen) };
	}
	if (said->controllen)
		parts[nr++] = (struct mem_part){ m->control, d->control, said->controllen };
	parts[nr++] = (struct mem_part){ m->hdr + offsetof(struct msghdr, msg_controllen),
					 &said->controllen, sizeof(said->controllen) };
	parts[nr++] = (struct mem_part){ m->hdr + offsetof(struct msghdr, msg_flags), &said->flags,
					 sizeof(said->flags) };
	return nr;
}

/* The address of recvfrom(), and its length. Returns the number of parts, or -errno. */
static int name_parts(struct call *c, const struct user_msg *m, struct dgram_msg *d,
		      struct said *said, struct mem_part *parts)
{
	int room, err = mem_read(c, m->lenp, &room, sizeof(room));

	if (err)
		return err;
	if (room < 0)
		return -EINVAL;
	said->namelen = d->addrlen;
	parts[0] = (struct mem_part){ m->name, &d->addr,
				      (socklen_t)room < d->addrlen ? (size_t)room : d->addrlen };
	parts[1] = (struct mem_part){ m->lenp, &said->namelen, sizeof(said->namelen) };
	return 2;
}

/* The datagram to the caller's memory. Its length as the call returns it, or -errno. */
static long write_dgram(struct call *c, const struct user_msg *m, struct dgram_msg *d, int flags)
{
	size_t n = d->len < m->len ? d->len : m->len;
	struct mem_part parts[MEM_PARTS];
	struct said said;
	unsigned nr = 0;
	int err = 0;

	if (m->hdr) {
		nr = msghdr_parts(m, d, &said, parts);
		said.flags |= flags & MSG_CMSG_CLOEXEC;
	} else if (m->name) {
		err = name_parts(c, m, d, &said, parts);
		if (err < 0)
			return err;
		nr = (unsigned)err;
	}
	if (m->iovlen <= IOV_AT_ONCE)
		nr += data_parts(m, c->run->scratch, n, parts + nr);
	else
		err = mem_write_iov(c, m->iov, m->iovlen, c->run->scratch, n);
	if (err >= 0)
		err = mem_write_parts(c, parts, nr);
	if (err)
		return err;
	return (long)(flags & MSG_TRUNC ? d->len : n);
}

/* Which flags a socket refuses, the stack knows. */
static int flags_refused(const struct asock *s, int flags)
{
	struct msghdr nothing = { 0 };
	ssize_t n;

	flags &= MSG_OOB | (int)MSG_CMSG_COMPAT_;
	if (!flags)
		return 0;
	n = weir_recvmsg(s->file, &nothing, flags | MSG_PEEK | MSG_DONTWAIT);
	return n < 0 && n != -EAGAIN ? (int)n : 0;
}

static int take(struct call *c, int flags, struct dgram_msg *d)
{
	int err = flags_refused(c->sock, flags);

	return err ? err : dgram_take(c->sock, c->a, flags & MSG_PEEK, d);
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
	if (errors)
		dgram_error_read(s, c->a);
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

/* No name, no control messages. 0, -errno */
static int say_nothing(struct call *c, const struct user_msg *m, int flags)
{
	struct said said = { .flags = flags & (MSG_CMSG_CLOEXEC | MSG_OOB) };
	struct mem_part parts[] = {
		{ m->hdr + offsetof(struct msghdr, msg_namelen), &said.namelen,
		  sizeof(said.namelen) },
		{ m->hdr + offsetof(struct msghdr, msg_controllen), &said.controllen,
		  sizeof(said.controllen) },
		{ m->hdr + offsetof(struct msghdr, msg_flags), &said.flags, sizeof(said.flags) },
	};

	if (m->hdr)
		return mem_write_parts(c, parts, sizeof(parts) / sizeof(parts[0]));
	return mem_write(c, m->lenp, &said.namelen, sizeof(said.namelen));
}

/*
 * Octets from the caller's end to its memory. They are taken out when they are there: what cannot be written, or finds nobody any more,
 * stays. Another thread may read in between, and gets what was seen here: then it is the next ones that count.
 */
static long take_octets(struct call *c, const struct user_msg *m, int how)
{
	char *seen = c->run->scratch, *taken = seen + SCRATCH_SIZE / 2;
	size_t room = m->len < SCRATCH_SIZE / 2 ? m->len : SCRATCH_SIZE / 2;
	ssize_t n = recv(c->a, seen, room, how | MSG_PEEK);
	int err;

	if (n <= 0)
		return n < 0 ? -errno : 0;
	err = mem_write_iov(c, m->iov, m->iovlen, seen, (size_t)n);
	if (err || (how & MSG_PEEK))
		return err ? err : n;
	n = recv(c->a, taken, (size_t)n, how);
	if (n < 0)
		return -errno;
	if (memcmp(seen, taken, (size_t)n) != 0)
		err = mem_write_iov(c, m->iov, m->iovlen, taken, (size_t)n);
	return err ? err : n;
}

/*
 * TCP tells no name, but the kernel would tell that of our end, which has one since it was joined (sock.c). So we read for the caller,
 * from a copy of his end.
 */
static enum call_result recv_unnamed(struct call *c, struct user_msg *m, int flags)
{
	bool all = (flags & MSG_WAITALL) && !(flags & MSG_PEEK);
	int how = (flags & ~(MSG_WAITALL | MSG_CMSG_CLOEXEC)) | MSG_DONTWAIT, err;
	long n;

	skip_octets(m, c->done);
	do {
		n = take_octets(c, m, how);
		if (n <= 0)
			break;
		c->done += (unsigned)n;
		skip_octets(m, (size_t)n);
	} while (all && m->len);
	if (n == -EAGAIN && (all || !c->done) && !call_nonblock(c, flags))
		return call_park(c, c->sock->rcvtimeo, -EAGAIN);
	if (!c->done && n < 0)
		return call_return(c, n);
	err = say_nothing(c, m, flags);
	return call_return(c, err ? err : (long)c->done);
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
		if (err || !s->joined || !call_ptr(c, 4))
			return err ? call_return(c, err) : CALL_CONTINUE;
	}
	plain_msg(&m, call_ptr(c, 1), call_ptr(c, 2));
	m.name = call_ptr(c, 4);
	m.lenp = call_ptr(c, 5);
	return s->stream ? recv_unnamed(c, &m, flags) : recv_dgram(c, &m, flags);
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
		if (err || !s->joined)
			return err ? call_return(c, err) : CALL_CONTINUE;
	}
	err = read_msghdr(c, call_ptr(c, 1), &m);
	if (err)
		return call_return(c, err);
	if (!s->stream)
		return recv_dgram(c, &m, flags);
	return m.name ? recv_unnamed(c, &m, flags) : CALL_CONTINUE;
}

/* One message of recvmmsg(). 0, or -errno: -ENOENT, the caller is gone. */
static long recv_one(struct call *c, uint64_t at, int flags)
{
	bool errors = flags & MSG_ERRQUEUE;
	struct user_msg m;
	struct dgram_msg d;
	unsigned len;
	long n = read_msghdr(c, at, &m);

	if (!n)
		n = errors ? take_error(c, &d) : take(c, flags, &d);
	if (n)
		return n;
	n = write_dgram(c, &m, &d, flags);
	if (errors)
		dgram_error_read(c->sock, c->a);
	else if (n == -ENOENT)
		dgram_put_back(c->sock, &d);
	if (n < 0)
		return n;
	len = (unsigned)n;
	return mem_write(c, at + offsetof(struct mmsghdr, msg_len), &len, sizeof(len));
}

/* The time limit, which counts from the call's first look at it. */
static int read_limit(struct call *c)
{
	struct timespec ts;
	int err;

	if (c->until || !call_ptr(c, 4))
		return 0;
	err = mem_read(c, call_ptr(c, 4), &ts, sizeof(ts));
	if (err)
		return err;
	if (ts.tv_sec < 0 || ts.tv_nsec < 0 || ts.tv_nsec >= (long)NS_PER_S)
		return -EINVAL;
	if (ts.tv_sec > LIMIT_MAX)
		ts.tv_sec = LIMIT_MAX;
	c->until = run_now(c->run) + (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
	return 0;
}

/* What is left of it goes to the caller. True: it has passed. It is only looked at when a message came: recvmmsg(2), BUGS. */
static bool limit_passed(struct call *c)
{
	uint64_t now = run_now(c->run), left;
	struct timespec ts;

	if (!c->until)
		return false;
	left = now < c->until ? c->until - now : 0;
	ts = (struct timespec){ (time_t)(left / NS_PER_S), (long)(left % NS_PER_S) };
	mem_write(c, call_ptr(c, 4), &ts, sizeof(ts));
	return left == 0;
}

enum call_result call_recvmmsg(struct call *c)
{
	struct asock *s = call_sock(c, call_int(c, 0));
	unsigned nr = (unsigned)call_int(c, 2), before = c->done;
	int flags = call_int(c, 3);
	long n = 0;

	if (!s)
		return CALL_CONTINUE;
	if (s->stream) {
		n = stream_recv_error(s, flags);
		return n ? call_return(c, n) : CALL_CONTINUE;
	}
	if (nr > MMSG_LIMIT)
		nr = MMSG_LIMIT;
	n = read_limit(c);
	while (!n && c->done < nr) {
		n = recv_one(c, call_ptr(c, 1) + c->done * sizeof(struct mmsghdr),
			     flags & ~MSG_WAITFORONE);
		if (n)
			break;
		c->done++;
		if (limit_passed(c))
			break;
	}
	if (n == -ENOENT)
		return CALL_DONE;
	if (c->done != before)
		asock_again(s); /* there is room for the next */
	if (n == -EAGAIN && !(flags & MSG_ERRQUEUE) && !(c->done && (flags & MSG_WAITFORONE)) &&
	    !call_nonblock(c, flags)) {
		if (c->done != before && c->parked) /* each message has the time of SO_RCVTIMEO */
			c->deadline = s->rcvtimeo ? run_now(c->run) + s->rcvtimeo : 0;
		return call_park(c, s->rcvtimeo, -EAGAIN);
	}
	/* An error behind the first message is the next call's. */
	if (c->done && n < 0 && n != -EAGAIN) {
		s->err = (int)-n;
		dgram_look_for_errors(s, c->a);
	}
	return call_return(c, c->done ? (long)c->done : n);
}
