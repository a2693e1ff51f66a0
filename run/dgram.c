/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dgram.c - UDP, ping, netlink: datagrams between the supervisor's end and the stack
 *
 * Theory of operation
 *   What arrives is moved to the program's end, so that poll, read and recv are native there; its source address and control messages
 *   wait in a queue beside it. A call that wants those is notified; it takes the datagram out of the program's end and
 *   the entry off the queue. Native reads take datagrams without telling us: what our end still owes for unread ones (SIOCOUTQ:
 *   buffers, not octets, so that empty datagrams weigh too) tells how many entries at the front are stale. What one of a given length
 *   weighs is the kernel's matter; it is weighed once, on a pair of our own. The number moved ahead is bounded; the rest waits in
 *   the stack's receive buffer, where drops are counted as usual.
 *   An error of the socket (ICMP) must wake who polls, or waits in recv(): an empty datagram, the token, goes to the program's end. The next
 *   notified call reports the error and takes the token away; a native read finds it empty, and then the error is told.
 *   A datagram whose caller vanished is kept, and given to the restarted call before any other.
 * Invariants
 *   queue describes the datagrams in the program's end, oldest first, except for stale entries at its front.
 *   At most one entry is the token.
 */
#include "run_internal.h"

#include <errno.h>
#include <poll.h>
#include <linux/sockios.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define QUEUE_MAX   256 /* datagrams moved ahead */
#define ROUNDS      64
#define CONTROL_MAX sizeof(((struct dgram_msg *)0)->control)

/* ---- weights ---------------------------------------------------------------------------------------------- */

static int unread_weight(int fd)
{
	int n = 0;

	return ioctl(fd, SIOCOUTQ, &n) < 0 ? 0 : n;
}

/* What the kernel charges for @len octets on such a pair. 0: it cannot be told. */
static unsigned weigh(struct run *r, size_t len)
{
	int sv[2], n = 0;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv) < 0)
		return 0;
	asock_set_buffer(sv[1]);
	if (send(sv[1], r->weigh_octets, len, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
		n = unread_weight(sv[1]);
	close(sv[0]);
	close(sv[1]);
	return (unsigned)n;
}

static unsigned weight_of(struct run *r, size_t len)
{
	if (len >= DGRAM_WEIGHTS)
		return weigh(r, len);
	if (!r->weights[len])
		r->weights[len] = weigh(r, len);
	return r->weights[len];
}

/* ---- the queue -------------------------------------------------------------------------------------------- */

static void entry_push(struct asock *s, struct dgram_entry *e)
{
	e->weight = weight_of(s->run, e->len);
	TAILQ_INSERT_TAIL(&s->queue, e, link);
	s->queue_len++;
	s->queue_weight += e->weight;
}

static void entry_pop(struct asock *s)
{
	struct dgram_entry *e = TAILQ_FIRST(&s->queue);

	TAILQ_REMOVE(&s->queue, e, link);
	s->queue_len--;
	s->queue_weight -= e->weight;
	if (e->kind == DGRAM_TOKEN)
		s->token = false;
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
	e->kind = DGRAM_DATA;
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

/* Drops the entries whose datagrams were read natively: a token among them has told its error. */
static void sync_queue(struct asock *s)
{
	size_t left;

	if (!s->queue_len || s->b < 0)
		return;
	left = (size_t)unread_weight(s->b);
	while (s->queue_len && (!left || s->queue_weight > left)) {
		if (TAILQ_FIRST(&s->queue)->kind == DGRAM_TOKEN)
			s->err = 0;
		entry_pop(s);
	}
}

/* ---- errors ----------------------------------------------------------------------------------------------- */

/* Who polls, or waits natively, learns that there is something to ask for. */
static void raise_error(struct asock *s, int err)
{
	struct dgram_msg none = { 0 };
	struct dgram_entry *e;

	s->err = err;
	if (s->token || s->b < 0 || (s->domain != AF_INET && s->domain != AF_INET6))
		return;
	e = entry_new(&none);
	if (!e || send(s->b, "", 0, MSG_DONTWAIT | MSG_NOSIGNAL) < 0) {
		free(e);
		return;
	}
	e->kind = DGRAM_TOKEN;
	s->token = true;
	entry_push(s, e);
}

/* The error was told: its token goes. What lies in front of it is taken out and put behind what follows, in order. */
static void lower_token(struct asock *s, int a)
{
	unsigned n = s->queue_len;

	if (!s->token || a < 0)
		return;
	while (n--) {
		struct dgram_entry *e = TAILQ_FIRST(&s->queue);
		ssize_t len = recv(a, s->run->scratch, SCRATCH_SIZE, MSG_DONTWAIT);

		if (len < 0 || e->kind == DGRAM_TOKEN ||
		    send(s->b, s->run->scratch, (size_t)len, MSG_DONTWAIT | MSG_NOSIGNAL) < 0) {
			entry_pop(s);
			continue;
		}
		TAILQ_REMOVE(&s->queue, e, link);
		TAILQ_INSERT_TAIL(&s->queue, e, link);
	}
}

int dgram_error(struct asock *s, int a)
{
	int err;

	sync_queue(s);
	err = s->err;
	s->err = 0;
	if (err)
		lower_token(s, a);
	return err;
}

int dgram_next_len(struct asock *s, int a)
{
	struct dgram_entry *e;
	int len = 0;

	sync_queue(s);
	TAILQ_FOREACH(e, &s->queue, link)
	if (e->kind == DGRAM_DATA)
		return (int)e->len;
	if (s->undelivered)
		return (int)s->undelivered->len;
	return weir_ioctl(s->file, FIONREAD, &len) < 0 ? 0 : len;
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
		raise_error(s, -err);
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
	entry_push(s, e);
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
	entry_push(s, e);
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
	sync_queue(s);
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

/* The first datagram in the program's end. -EAGAIN: none is there. */
static int take_from_end(struct asock *s, int a, bool peek, struct dgram_msg *ret)
{
	struct dgram_entry *e;
	ssize_t n;

	e = TAILQ_FIRST(&s->queue);
	if (!e || a < 0)
		return -EAGAIN;
	n = recv(a, s->run->scratch, SCRATCH_SIZE, MSG_DONTWAIT | (peek ? MSG_PEEK : 0));
	if (n < 0) { /* read natively in this very moment */
		while (s->queue_len)
			entry_pop(s);
		return -EAGAIN;
	}
	entry_to_msg(e, ret);
	ret->len = (size_t)n;
	if (!peek)
		entry_pop(s);
	return 0;
}

int dgram_take(struct asock *s, int a, bool peek, struct dgram_msg *ret)
{
	int err;

	/* As Linux has it, an error comes before what was received earlier. */
	err = dgram_error(s, a);
	if (err)
		return -err;
	err = take_from_end(s, a, peek, ret);
	if (err != -EAGAIN)
		return err;
	if (s->undelivered) {
		entry_to_msg(s->undelivered, ret);
		memcpy(s->run->scratch, s->undelivered->data, ret->len);
		if (!peek) {
			entry_free(s->undelivered);
			s->undelivered = NULL;
		}
		return 0;
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

/* Nothing may be an empty datagram, or the end: that the event has yet to tell of, or that shutdown() made. */
static bool hung_up(struct asock *s)
{
	struct pollfd p = { .fd = s->b, .events = POLLRDHUP };

	return poll(&p, 1, 0) > 0 && (p.revents & (POLLHUP | POLLERR | POLLRDHUP));
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
			raise_error(s, (int)-k);
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
