/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stream.c - TCP sockets: octets between the supervisor's end and the stack
 *
 * Theory of operation
 *   Both sides are edge triggered: an event says "look", and the pump moves what it can in both directions. A side that takes only part
 *   leaves the rest in a leftover buffer; nothing more is read for it until that is gone. So back-pressure passes through: a full
 *   send buffer in the stack leaves octets in the socketpair, and the program's write blocks.
 *   EOF travels as shutdown() on either side. An error is shown by closing our end while it holds unread octets, which makes
 *   the kernel report ECONNRESET on the program's end.
 *
 *   Hang-up on our end means that the program's end was closed by its last holder - or that both directions were shut down. The
 *   second we know of, because shutdown() is notified; then it is verified who still holds the end.
 *
 *   Octets may go around the packets: shortcut.c. What is here asks it which way they go now, and keeps their order.
 *
 *   A listener has one octet (the token) in the program's end while connections wait, so that poll and epoll work; accept() takes
 *   it and, if more wait, puts it back, which is also a new edge for edge-triggered pollers.
 * Invariants
 *   Octets are read from one side only when the leftover towards the other is empty.
 *   b_ready is false only when b was read empty since its last event.
 * See RUNNER.md; RFC 9293 3.9.1 (what programs expect of open, send, receive, close, abort).
 */
#include "run_internal.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define ROUNDS      4 /* pump steps before other sockets have their turn */
#define CHUNK_MIN   (16 * 1024)
#define CONN_SNDBUF (1 << 20)

void leftover_free(struct leftover *l)
{
	free(l->buf);
	*l = (struct leftover){ 0 };
}

static void leftover_keep(struct leftover *l, const char *buf, size_t len)
{
	l->buf = malloc(len);
	if (!l->buf)
		abort(); /* octets that were acknowledged must not be lost silently */
	memcpy(l->buf, buf, len);
	l->off = 0;
	l->len = len;
}

static void leftover_advance(struct leftover *l, size_t n)
{
	l->off += n;
	l->len -= n;
	if (!l->len)
		leftover_free(l);
}

static void begin_lag(struct asock *s);

/* ---- errors, opening, closing -------------------------------------------------------------------------- */

/* Without an unread octet the close would look like an orderly end. */
static void ensure_unread(struct asock *s, int a)
{
	int unread = 0, own = -1;

	ioctl(s->b, FIONREAD, &unread);
	if (unread > 0)
		return;
	if (a < 0)
		a = own = ident_find(s);
	if (a >= 0)
		send(a, "", 1, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (own >= 0)
		close(own);
}

/* Reset behind the peer's end: as TCP has it, reading says the end, again and again, and writing EPIPE. So does an end without unread octets. */
static void ensure_read(struct asock *s)
{
	while (recv(s->b, s->run->scratch, SCRATCH_SIZE, MSG_DONTWAIT) > 0)
		;
}

void stream_fail(struct asock *s, int a)
{
	if (s->b >= 0) {
		if (s->peer_eof && s->err == EPIPE)
			ensure_read(s);
		else
			ensure_unread(s, a);
		loop_remove(s->run->ep_ends, &s->end);
		close(s->b);
		s->b = -1;
	}
	s->stuffed = 0;
	leftover_free(&s->up);
	leftover_free(&s->down);
	s->state = AS_FAILED;
	asock_orphan(s);
}

static void stream_error(struct asock *s, int err)
{
	if (s->closed) {
		asock_free(s);
		return;
	}
	s->err = err;
	stream_fail(s, -1);
	park_fail(s, -err);
}

void stream_connected(struct asock *s, int a)
{
	int size = CONN_SNDBUF, own = -1;

	s->state = AS_CONNECTED;
	s->b_ready = s->b_edge = true;
	if (a < 0)
		a = own = ident_find(s);
	if (a >= 0) /* this alone wakes who waits for POLLOUT */
		setsockopt(a, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	if (own >= 0)
		close(own);
	asock_unkeep(s);
	if (!s->run->fac.pidfd_getfd)
		begin_lag(s);
	else if (
		a <
		0) { /* nobody's at hand: an empty buffer makes it writable, though it stays small */
		while (s->stuffed) {
			ssize_t n = recv(s->b, s->run->scratch, s->stuffed, MSG_DONTWAIT);

			if (n <= 0)
				break;
			s->stuffed -= (size_t)n;
		}
	}
}

/* A blocking caller gets the error as its result, and the socket may be used again, as Linux has it. */
void stream_connect_failed(struct asock *s)
{
	struct sockaddr none = { .sa_family = AF_UNSPEC };

	weir_connect(s->file, &none, sizeof(none));
	s->state = AS_NEW;
	s->err = 0;
}

/* connect() has come to an end in the stack. Those who wait for it are answered; others learn from their end. */
void stream_connect_done(struct asock *s, int a)
{
	int err = asock_error(s);

	if (!err && !(weir_poll_now(s->file) & POLLOUT))
		return;
	if (!err) {
		/* As in Linux, the next connect() reports it, a waiting one first, and only the one after that says EISCONN. */
		s->undelivered_connect = true;
		park_wake(s);
		if (s->dead)
			return;
		if (s->state !=
		    AS_CONNECTED) /* nobody waited, who has a copy of the program's end at hand */
			stream_connected(s, a);
		stream_pump(s);
		return;
	}
	s->err = err;
	if (TAILQ_EMPTY(&s->waiters)) {
		stream_fail(s, a);
		return;
	}
	stream_connect_failed(s);
	park_fail(s, -err);
}

static void close_stream(struct asock *s)
{
	if (s->down.len)
		s->abort = true;
	if (s->abort) {
		struct linger l = { .l_onoff = 1, .l_linger = 0 };

		weir_setsockopt(s->file, SOL_SOCKET, SO_LINGER, &l, sizeof(l));
	}
	asock_free(s);
}

static void hang_up(struct asock *s)
{
	bool expected = s->app_shut_wr && (s->app_shut_rd || s->peer_eof);

	if (s->closed)
		return;
	if (!expected) {
		s->closed = true;
	} else if (s->orphan && !s->out_armed && !ident_hint_holds(s)) {
		/* Hung up before, and now something changed again. */
		s->closed = true;
	} else {
		asock_orphan(s);
	}
}

/* EOF is seen by whoever pumps, perhaps before the event: a close must not pass for a shutdown, which sends a FIN. */
static void look_for_hang_up(struct asock *s)
{
	struct pollfd p = { .fd = s->b };

	if (poll(&p, 1, 0) > 0 && (p.revents & (POLLHUP | POLLERR)))
		hang_up(s);
}

void stream_end_event(struct asock *s, uint32_t events)
{
	if (s->state != AS_CONNECTED) {
		if (events & (EPOLLHUP | EPOLLERR))
			asock_free(s);
		return;
	}
	if (events & (EPOLLHUP | EPOLLERR))
		hang_up(s);
	s->b_edge |= (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR | EPOLLPRI)) != 0;
	s->b_ready |= s->b_edge || (events & EPOLLIN);
	stream_pump(s);
}

/* ---- the pump ------------------------------------------------------------------------------------------- */

enum pump_result {
	PUMP_IDLE,  /* nothing to do before the next event */
	PUMP_MORE,  /* stopped for fairness */
	PUMP_ERROR, /* the stack reports s->err */
};

/*
 * Without pidfd_getfd there is nobody to put an octet into our end when it is to be closed with an error. So one stays there
 * always: the last that was read. It is read again, and skipped, in front of the next.
 */
static ssize_t read_end_lagging(struct asock *s, size_t max, char **ret_data)
{
	ssize_t n = recv(s->b, s->run->scratch, max, MSG_PEEK | MSG_DONTWAIT);
	struct pollfd p = { .fd = s->b, .events = POLLRDHUP };
	socklen_t len = sizeof(int);
	int err = 0;

	if (n <= 1) {
		if (poll(&p, 1, 0) <= 0 || !(p.revents & (POLLRDHUP | POLLHUP)))
			return -EAGAIN;
		/* The last octets may have come between the look and the hang-up; behind a hang-up there are no more. */
		n = recv(s->b, s->run->scratch, max, MSG_PEEK | MSG_DONTWAIT);
	}
	if (n > 1) {
		if (recv(s->b, s->run->junk, (size_t)n - 1, MSG_DONTWAIT) != n - 1)
			return -EIO;
		*ret_data = s->run->scratch + 1;
		return n - 1;
	}
	getsockopt(s->b, SOL_SOCKET, SO_ERROR, &err, &len);
	return -err;
}

/* From now on one octet lags; the stuffing, or the octet that an accepted socket began with, is the first. */
static void begin_lag(struct asock *s)
{
	while (s->stuffed > 1) {
		ssize_t n = recv(s->b, s->run->scratch, s->stuffed - 1, MSG_DONTWAIT);

		if (n <= 0)
			return;
		s->stuffed -= (size_t)n;
	}
	s->lag = s->stuffed == 1;
	s->stuffed = 0;
}

/*
 * From the program's end, without the stuffing. > 0, 0: EOF, or -errno. *ret_data points into the scratch buffer. What ends before @max and
 * has nothing but octets behind it was all there is; what comes later is another edge.
 */
static ssize_t read_end(struct asock *s, size_t max, char **ret_data)
{
	size_t skip;
	ssize_t n;

	if (s->lag)
		return read_end_lagging(s, max, ret_data);
	do {
		n = recv(s->b, s->run->scratch, max, MSG_DONTWAIT);
		if (n <= 0)
			return n < 0 ? -errno : 0;
		if ((size_t)n < max && !s->b_edge && s->run->fac.pidfd_getfd)
			s->b_ready = false;
		skip = (size_t)n < s->stuffed ? (size_t)n : s->stuffed;
		s->stuffed -= skip;
	} while ((size_t)n == skip);
	*ret_data = s->run->scratch + skip;
	return n - (ssize_t)skip;
}

static bool urgent_is_next(const struct asock *s)
{
	int at_mark = 0;
	char c[2];

	if (!s->lag)
		return ioctl(s->b, SIOCATMARK, &at_mark) == 0 && at_mark;
	/* The octet that lags is in front of the mark: next is what nothing else is in front of, now that it is there. */
	return recv(s->b, c, 1, MSG_OOB | MSG_PEEK | MSG_DONTWAIT) == 1 &&
	       recv(s->b, c, 2, MSG_PEEK | MSG_DONTWAIT) <= 1;
}

/*
 * An urgent octet that is next on the program's end goes to the stack as such. A read would step over it, and ends in front of it:
 * so this must be asked before each; the event may come too late.
 */
static void relay_oob_up(struct asock *s)
{
	char c;

	if (!urgent_is_next(s))
		return;
	if (recv(s->b, &c, 1, MSG_OOB | MSG_DONTWAIT) == 1)
		weir_send(s->file, &c, 1, MSG_OOB | MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* ---- up --------------------------------------------------------------------------------------------------- */

/* The rest is kept. */
static void keep_up(struct asock *s, const char *data, size_t len, size_t taken)
{
	if (taken < len) {
		leftover_keep(&s->up, data + taken, len - taken);
		s->chunk = s->chunk / 2 > CHUNK_MIN ? s->chunk / 2 : CHUNK_MIN;
	} else if (len == s->chunk && s->chunk < SCRATCH_SIZE) {
		s->chunk *= 2;
	}
}

/* Gives the stack @len octets; what it does not take is kept. False: the connection is broken. */
static bool give_stack(struct asock *s, const char *data, size_t len)
{
	ssize_t n = weir_send(s->file, data, len, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (n < 0 && n != -EAGAIN) {
		s->err = (int)-n;
		return false;
	}
	keep_up(s, data, len, n > 0 ? (size_t)n : 0);
	return true;
}

/* SHORTCUT_WAIT: not from the program's end, but from a call that has it already. */
static bool give_up(struct asock *s, enum shortcut_way way, const char *data, size_t len)
{
	if (way == SHORTCUT_NONE)
		return give_stack(s, data, len);
	keep_up(s, data, len, way == SHORTCUT_OPEN ? shortcut_give(s, data, len) : 0);
	return true;
}

long stream_give(struct asock *s, const char *data, size_t len, int flags)
{
	int err;

	if (flags & MSG_OOB)
		return weir_send(s->file, data, len, MSG_OOB | MSG_DONTWAIT | MSG_NOSIGNAL);
	if (give_up(s, shortcut_way(s), data, len))
		return (long)len;
	err = s->err;
	s->err = 0;
	return -err;
}

static enum pump_result flush_up(struct asock *s)
{
	enum shortcut_way way;
	ssize_t n;

	if (!s->up.len)
		return PUMP_IDLE;
	way = shortcut_way(s);
	if (way == SHORTCUT_WAIT)
		return PUMP_IDLE;
	if (way == SHORTCUT_OPEN) {
		leftover_advance(&s->up, shortcut_give(s, s->up.buf + s->up.off, s->up.len));
		return PUMP_IDLE;
	}
	n = weir_send(s->file, s->up.buf + s->up.off, s->up.len, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n > 0)
		leftover_advance(&s->up, (size_t)n);
	else if (n != -EAGAIN) {
		s->err = (int)-n;
		return PUMP_ERROR;
	}
	return PUMP_IDLE;
}

/* EOF from the program: FIN, behind the last octet. A socket that is about to be closed says so by closing. */
static void finish_up(struct asock *s)
{
	if (s->b_eof && !s->up.len && !s->fin_sent && !s->closed) {
		s->fin_sent = true;
		weir_shutdown(s->file, SHUT_WR);
	}
}

static enum pump_result pump_up(struct asock *s)
{
	enum pump_result res = flush_up(s);

	if (res == PUMP_ERROR)
		return res;
	for (int round = 0; !s->up.len && !s->b_eof && s->b_ready; round++) {
		char *data = NULL;
		enum shortcut_way way;
		ssize_t n;

		if (round == ROUNDS)
			return PUMP_MORE;
		relay_oob_up(s);
		way = shortcut_way(s); /* behind an urgent octet, which is always a packet */
		if (way == SHORTCUT_WAIT)
			break;
		n = read_end(s, s->chunk, &data);
		if (n == -EAGAIN)
			s->b_ready = s->b_edge = false;
		if (n == -EAGAIN || n == -EINTR)
			break;
		if (n <= 0) {
			/* ECONNRESET: the program's end was closed with unread octets in it. */
			s->b_eof = true;
			s->abort |= n == -ECONNRESET;
			if (!s->closed)
				look_for_hang_up(s);
			break;
		}
		if (!give_up(s, way, data, (size_t)n))
			return PUMP_ERROR;
	}
	finish_up(s);
	return PUMP_IDLE;
}

/* Gives the program's end @len octets. What does not fit is kept; nobody reads on the other side: it is thrown away. */
ssize_t stream_give_end(struct asock *s, const char *data, size_t len, int flags)
{
	ssize_t n = send(s->b, data, len, MSG_DONTWAIT | MSG_NOSIGNAL | flags);

	if (n < (ssize_t)len && !s->b_large && (n >= 0 || errno == EAGAIN)) {
		size_t had = n > 0 ? (size_t)n : 0;

		/* Most streams never need it. */
		s->b_large = true;
		asock_set_buffer(s->b);
		n = send(s->b, data + had, len - had, MSG_DONTWAIT | MSG_NOSIGNAL | flags);
		if (n >= 0 || had)
			return (n > 0 ? n : 0) + (ssize_t)had;
	}
	if (n >= 0)
		return n;
	return errno == EAGAIN || errno == ENOBUFS || errno == EINTR ? 0 : (ssize_t)len;
}

static void flush_down(struct asock *s)
{
	if (s->down.len)
		leftover_advance(&s->down, (size_t)stream_give_end(s, s->down.buf + s->down.off,
								   s->down.len, 0));
	asock_arm_out(s, s->down.len > 0);
}

static bool at_mark_down(const struct asock *s)
{
	int at_mark = 0;

	return weir_ioctl(s->file, SIOCATMARK, &at_mark) == 0 && at_mark;
}

/* Octets for the program. An urgent one goes to its end as such; if it does not fit there, it stays (-EAGAIN). */
static ssize_t recv_down(struct asock *s)
{
	ssize_t n;
	char c;

	while ((n = weir_recv(s->file, s->run->scratch, SCRATCH_SIZE,
			      MSG_DONTWAIT | WEIR_MSG_TO_MARK)) == -EAGAIN &&
	       at_mark_down(s)) {
		n = weir_recv(s->file, &c, 1, MSG_OOB | MSG_DONTWAIT | MSG_PEEK);
		if (n == -EINVAL) /* it is read in line */
			return weir_recv(s->file, s->run->scratch, SCRATCH_SIZE, MSG_DONTWAIT);
		if (n != 1)
			return -EAGAIN;
		if (stream_give_end(s, &c, 1, MSG_OOB) != 1) {
			asock_arm_out(s, true);
			return -EAGAIN;
		}
		weir_recv(s->file, &c, 1, MSG_OOB | MSG_DONTWAIT);
	}
	return n;
}

static enum pump_result pump_down(struct asock *s)
{
	flush_down(s);
	for (int round = 0; !s->down.len && !s->peer_eof; round++) {
		ssize_t n, k;

		if (round == ROUNDS)
			return PUMP_MORE;
		n = recv_down(s);
		if (n == -EAGAIN || n == -EINTR)
			break;
		if (n == 0) {
			s->peer_eof = true;
			shutdown(s->b, SHUT_WR);
			break;
		}
		if (n < 0) {
			s->err = (int)-n;
			return PUMP_ERROR;
		}
		k = stream_give_end(s, s->run->scratch, (size_t)n, 0);
		if (k < n) {
			leftover_keep(&s->down, s->run->scratch + k, (size_t)(n - k));
			asock_arm_out(s, true);
		}
	}
	return PUMP_IDLE;
}

/*
 * A broken connection may still hold octets that came before the break: the program reads them first. EPIPE alone says only
 * that we cannot send; the receiving side knows whether it was a reset. @told: it has said so; asked once more it would say EOF.
 */
static void broken(struct asock *s, bool told)
{
	int err = s->err;

	if (!s->closed && !told) {
		if (pump_down(s) != PUMP_ERROR && s->down.len)
			return; /* the end of it comes with the next event */
		if (s->err == EPIPE && err == EPIPE && s->peer_eof) {
			if (!s->b_eof) {
				stream_error(s, EPIPE);
				return;
			}
			/* Both directions have ended in order: what is still written has nowhere to go. */
			leftover_free(&s->up);
			s->fin_sent = true;
			s->err = 0;
			return;
		}
	}
	stream_error(s, s->err == EPIPE ? ECONNRESET : s->err);
}

void stream_pump(struct asock *s)
{
	enum pump_result up, down = PUMP_IDLE;

	if (s->dead || s->state != AS_CONNECTED)
		return;
	up = pump_up(s);
	if (up != PUMP_ERROR && !s->closed)
		down = pump_down(s);
	if (up == PUMP_ERROR || down == PUMP_ERROR) {
		broken(s, down == PUMP_ERROR);
		return;
	}
	if (up == PUMP_MORE || down == PUMP_MORE)
		asock_again(s);
	if (s->closed && s->b_eof && !s->up.len) {
		close_stream(s);
		return;
	}
	shortcut_look(s);
	if (!s->up.len)
		park_wake(s); /* sendto() with an address, sendmsg() with control messages */
}

/* ---- listeners ------------------------------------------------------------------------------------------ */

void stream_token_put(struct asock *s)
{
	if (s->token)
		return;
	s->token = send(s->b, "", 1, MSG_DONTWAIT | MSG_NOSIGNAL) == 1;
}

void stream_token_take(struct asock *s, int a)
{
	char c;

	if (s->token && a >= 0 && recv(a, &c, 1, MSG_DONTWAIT) >= 0)
		s->token = false;
}

void stream_listener_event(struct asock *s)
{
	while (!s->dead && (s->stash || (weir_poll_now(s->file) & POLLIN)) && park_wake_one(s))
		;
	if (!s->dead && (s->stash || (weir_poll_now(s->file) & POLLIN)))
		stream_token_put(s);
}
