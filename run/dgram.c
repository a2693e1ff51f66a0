/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dgram.c - UDP, ping, netlink: datagrams between the supervisor's end and the stack
 *
 * Theory of operation
 *   What arrives is moved to the program's end, so that poll, read and recv are native there; its source address and control messages
 *   wait in a queue beside it. A call that wants those is notified; it takes the datagram out of the program's end and
 *   the entry off the queue. Native reads take datagrams without telling us: the octets that are left (FIONREAD counts all of
 *   them on such a pair) tell how many entries at the front are stale. The number moved ahead is bounded; the rest waits in the stack's
 *   receive buffer, where drops are counted as usual.
 *   A datagram whose caller vanished is kept, and given to the restarted call before any other.
 * Invariants
 *   queue describes the datagrams in the program's end, oldest first, except for stale entries at its front.
 *   Native reads that take empty datagrams leave stale entries that only the next one with octets clears.
 */
#include "run_internal.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define QUEUE_MAX   256 /* datagrams moved ahead */
#define ROUNDS      64
#define CONTROL_MAX sizeof(((struct dgram_msg *)0)->control)

static void entry_pop(struct asock *s)
{
	struct dgram_entry *e = TAILQ_FIRST(&s->queue);

	TAILQ_REMOVE(&s->queue, e, link);
	s->queue_len--;
	s->queue_octets -= e->len;
	free(e);
}

static void entry_free(struct dgram_entry *e)
{
	if (e)
		free(e->data);
	free(e);
}

void dgram_free(struct asock *s)
{
	while (s->queue_len)
		entry_pop(s);
	entry_free(s->undelivered);
	s->undelivered = NULL;
}

static struct dgram_entry *entry_new(const struct dgram_msg *m)
{
	struct dgram_entry *e = malloc(sizeof(*e) + m->controllen);

	if (!e)
		return NULL;
	e->addr = m->addr;
	e->addrlen = m->addrlen;
	e->len = m->len;
	e->flags = m->flags;
	e->controllen = m->controllen;
	e->data = NULL;
	memcpy(e->control, m->control, m->controllen);
	return e;
}

static void entry_to_msg(const struct dgram_entry *e, struct dgram_msg *m)
{
	m->addr = e->addr;
	m->addrlen = e->addrlen;
	m->flags = e->flags;
	m->len = e->len;
	m->controllen = e->controllen;
	memcpy(m->control, e->control, e->controllen);
}

/* Drops the entries whose datagrams were read natively. @left: octets in the program's end. */
static void drop_stale(struct asock *s, size_t left)
{
	while (s->queue_len && s->queue_octets > left)
		entry_pop(s);
}

/* FIONREAD is asked on the program's end; without a copy, our own record is the best there is. */
static void sync_queue(struct asock *s, int a)
{
	int left = 0;

	if (a >= 0 && s->queue_len && ioctl(a, FIONREAD, &left) == 0 && left >= 0)
		drop_stale(s, (size_t)left);
}

/*
 * Without a call at hand: when all was read, our end says so; else the program's end is asked, if it is still where it was seen
 * last. (Searching for it is too much for each datagram.)
 */
static void sync_queue_unasked(struct asock *s)
{
	int unread = 0, a;

	if (!s->queue_len)
		return;
	if (ioctl(s->b, TIOCOUTQ, &unread) == 0 && unread == 0) {
		while (s->queue_len)
			entry_pop(s);
		return;
	}
	if (s->queue_len < QUEUE_MAX || !ident_hint_holds(s))
		return;
	a = ident_find(s);
	sync_queue(s, a);
	if (a >= 0)
		close(a);
}

/* ---- from the stack -------------------------------------------------------------------------------------- */

/* One datagram from the stack into the scratch buffer. */
static int take_from_stack(struct asock *s, int flags, struct dgram_msg *m)
{
	struct iovec iov = { s->run->scratch, SCRATCH_SIZE };
	struct msghdr h = {
		.msg_name = &m->addr,
		.msg_namelen = sizeof(m->addr),
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = m->control,
		.msg_controllen = CONTROL_MAX,
	};
	ssize_t n = weir_recvmsg(s->file, &h, MSG_DONTWAIT | flags);

	if (n < 0)
		return (int)n;
	m->len = (size_t)n;
	m->addrlen = h.msg_namelen;
	m->controllen = h.msg_controllen;
	m->flags = h.msg_flags & ~MSG_TRUNC;
	return 0;
}

/* Moves one datagram to the program's end. False: none was there, or none fits. */
static bool move_down(struct asock *s)
{
	struct dgram_msg m;
	struct dgram_entry *e;
	int err = take_from_stack(s, 0, &m);

	if (err == -EAGAIN)
		return false;
	if (err) {
		s->err = -err;
		return false;
	}
	e = entry_new(&m);
	if (e && send(s->b, s->run->scratch, m.len, MSG_DONTWAIT | MSG_NOSIGNAL) < 0) {
		if (errno != EAGAIN && errno != ENOBUFS) {
			free(e);
			return true; /* nobody reads any more */
		}
		/* It does not fit: it waits for a caller that asks with an address, or for room. */
		dgram_put_back(s, &m);
		free(e);
		return false;
	}
	if (!e)
		return true; /* as a full receive buffer: lost */
	TAILQ_INSERT_TAIL(&s->queue, e, link);
	s->queue_len++;
	s->queue_octets += m.len;
	return true;
}

/* A kept datagram must go down before any newer one. */
static bool flush_undelivered(struct asock *s)
{
	struct dgram_entry *e = s->undelivered;

	if (!e)
		return true;
	if (send(s->b, e->data, e->len, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		return false;
	s->undelivered = NULL;
	free(e->data);
	e->data = NULL;
	TAILQ_INSERT_TAIL(&s->queue, e, link);
	s->queue_len++;
	s->queue_octets += e->len;
	return true;
}

/* Is there something for a caller that waits? */
static bool deliverable(struct asock *s)
{
	return !s->dead && (s->undelivered || (weir_poll_now(s->file) & POLLIN));
}

/* Moves ahead what may be moved. True: more waits in the stack, and there is no room. */
static bool fill_end(struct asock *s)
{
	if (!flush_undelivered(s))
		return true;
	sync_queue_unasked(s);
	for (int i = 0; i < ROUNDS && s->queue_len < QUEUE_MAX; i++)
		if (!move_down(s))
			return s->undelivered != NULL;
	if (!(weir_poll_now(s->file) & POLLIN))
		return false;
	if (s->queue_len < QUEUE_MAX)
		asock_again(s);
	return s->queue_len >= QUEUE_MAX;
}

void dgram_down(struct asock *s)
{
	if (s->dead || s->b < 0)
		return;
	/* Those who wait with an address are served directly. */
	while (!TAILQ_EMPTY(&s->waiters) && deliverable(s) && park_wake_one(s))
		;
	/* While EPOLLOUT is asked for, each read by the program is an event. It must not be asked for anew: that is one, too. */
	if (!s->dead)
		asock_arm_out(s, fill_end(s));
}

int dgram_take(struct asock *s, int a, bool peek, struct dgram_msg *ret)
{
	struct dgram_entry *e;
	ssize_t n;

	sync_queue(s, a);
	e = TAILQ_FIRST(&s->queue);
	if (e && a >= 0) {
		n = recv(a, s->run->scratch, SCRATCH_SIZE, MSG_DONTWAIT | (peek ? MSG_PEEK : 0));
		if (n >= 0) {
			entry_to_msg(e, ret);
			ret->len = (size_t)n;
			if (!peek)
				entry_pop(s);
			return 0;
		}
		/* Read natively in this very moment, or empty ones before. */
		while (s->queue_len)
			entry_pop(s);
	}
	if (s->undelivered) {
		entry_to_msg(s->undelivered, ret);
		memcpy(s->run->scratch, s->undelivered->data, ret->len);
		if (!peek) {
			entry_free(s->undelivered);
			s->undelivered = NULL;
		}
		return 0;
	}
	if (s->err) {
		int err = s->err;

		s->err = 0;
		return -err;
	}
	return take_from_stack(s, peek ? MSG_PEEK : 0, ret);
}

void dgram_put_back(struct asock *s, const struct dgram_msg *m)
{
	struct dgram_entry *e = entry_new(m);

	if (!e)
		return;
	e->data = malloc(m->len ? m->len : 1);
	if (!e->data) {
		free(e);
		return;
	}
	memcpy(e->data, s->run->scratch, m->len);
	entry_free(s->undelivered);
	s->undelivered = e;
}

/* ---- from the program ------------------------------------------------------------------------------------- */

/* Nothing may be an empty datagram, or the end that the event has yet to tell. */
static bool hung_up(struct asock *s)
{
	struct pollfd p = { .fd = s->b };

	return poll(&p, 1, 0) > 0 && (p.revents & (POLLHUP | POLLERR));
}

/* Native sends. The stack's send buffer being full leaves them where they are. */
void dgram_up(struct asock *s)
{
	if (s->dead || s->b < 0)
		return;
	for (int i = 0; i < ROUNDS; i++) {
		ssize_t n, k;

		if (!(weir_poll_now(s->file) & (POLLOUT | POLLERR)))
			return;
		n = recv(s->b, s->run->scratch, SCRATCH_SIZE, MSG_DONTWAIT);
		if (n < 0 || (n == 0 && hung_up(s)))
			return;
		k = weir_send(s->file, s->run->scratch, (size_t)n, MSG_DONTWAIT | MSG_NOSIGNAL);
		/* The caller has gone on: like an ICMP error, it is told with its next call. */
		if (k < 0 && k != -EAGAIN)
			s->err = (int)-k;
	}
	asock_again(s);
}

/* The last words of a program that has closed its end: all of them. */
static void dgram_drain(struct asock *s)
{
	int left = 0;

	while (ioctl(s->b, FIONREAD, &left) == 0 && left > 0) {
		ssize_t n = recv(s->b, s->run->scratch, SCRATCH_SIZE, MSG_DONTWAIT);

		if (n < 0)
			return;
		weir_send(s->file, s->run->scratch, (size_t)n, MSG_DONTWAIT | MSG_NOSIGNAL);
	}
}

void dgram_end_event(struct asock *s, uint32_t events)
{
	if (events & (EPOLLHUP | EPOLLERR)) {
		dgram_drain(s);
		asock_free(s);
		return;
	}
	dgram_up(s);
	if (!s->dead && ((events & EPOLLOUT) || (weir_poll_now(s->file) & POLLIN)))
		dgram_down(s);
}
