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
 *   An error of the socket (ICMP), or one in its queue (IP_RECVERR), must show as POLLERR, and wake who waits in recv(): an end of
 *   AF_UNIX has an error when its peer turns away while it has unread datagrams, so ours does, and comes back (show_error()). The next
 *   notified call tells which error it is; a native one says ECONNRESET, and then it is told.
 *   A datagram whose caller vanished is kept, and given to the restarted call before any other.
 * Invariants
 *   queue describes the datagrams in the program's end, oldest first, except for stale entries at its front.
 *   shown: the program's end had the error that err tells of, or that of the error queue; whether it still has it the end itself says.
 */
#include "run_internal.h"

#include <errno.h>
#include <poll.h>
#include <linux/sockios.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/un.h>
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

/* Drops the entries whose datagrams were read natively. */
static void sync_queue(struct asock *s)
{
	size_t left;

	if (!s->queue_len || s->b < 0)
		return;
	left = (size_t)unread_weight(s->b);
	while (s->queue_len && (!left || s->queue_weight > left))
		entry_pop(s);
}

/* ---- errors ----------------------------------------------------------------------------------------------- */

static void raise_error(struct asock *s, int err)
{
	s->err = err;
	s->shown = false; /* perhaps it was fetched natively: it is shown anew */
}

static bool end_is_empty(const struct asock *s)
{
	char c;

	return recv(s->b, &c, 1, MSG_DONTWAIT | MSG_PEEK) < 0;
}

static void take_native_sends(struct asock *s);

/*
 * The program's end, of which @a is a copy, gets an error. Our end finds back to it by a name, which the kernel chooses. A datagram that the program
 * sends in between, two system calls long, is lost with the one that is there for the purpose.
 */
static void show_error(struct asock *s, int a)
{
	const struct sockaddr none = { .sa_family = AF_UNSPEC };
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	socklen_t len = sizeof(name);

	if (bind(a, (const struct sockaddr *)&name, sizeof(sa_family_t)) < 0 ||
	    getsockname(a, (struct sockaddr *)&name, &len) < 0)
		return;
	take_native_sends(s);
	if (!end_is_empty(s) || send(a, "", 0, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		return;
	connect(s->b, &none, sizeof(none));
	s->shown = connect(s->b, (const struct sockaddr *)&name, len) == 0;
}

void dgram_look_for_errors(struct asock *s, int a)
{
	bool queued = weir_poll_now(s->file) & POLLERR;
	int err = queued ? asock_error(s) : 0, own = -1;

	if (err)
		raise_error(s, err);
	if (s->shown || (!s->err && !queued) || s->b < 0 || asock_pair_type(s) != SOCK_DGRAM)
		return;
	if (a < 0)
		a = own = ident_find(s);
	if (a >= 0)
		show_error(s, a);
	if (own >= 0)
		close(own);
}

/* The program's end shows no error any more. False: it did not; the program has fetched it there. */
static bool hide_error(struct asock *s, int a)
{
	socklen_t len = sizeof(int);
	int native = 0;

	if (!s->shown || a < 0)
		return true;
	s->shown = false;
	return getsockopt(a, SOL_SOCKET, SO_ERROR, &native, &len) < 0 || native;
}

int dgram_error(struct asock *s, int a)
{
	int err;

	if (!hide_error(s, a))
		s->err = 0;
	err = s->err;
	s->err = 0;
	if (!(weir_poll_now(s->file) & POLLERR))
		return err;
	if (!err)
		err = asock_error(s);
	dgram_look_for_errors(s, a); /* there may be more in the queue */
	return err;
}

void dgram_error_read(struct asock *s, int a)
{
	hide_error(s, a);
	s->err = 0;
	dgram_look_for_errors(s, a);
}

int dgram_next_len(struct asock *s)
{
	int len = 0;

	sync_queue(s);
	if (s->queue_len)
		return (int)TAILQ_FIRST(&s->queue)->len;
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
	if (s->dead)
		return;
	asock_arm_out(s, fill_end(s));
	dgram_look_for_errors(s, -1);
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
	sync_queue(s);
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

/* Nothing may be an empty datagram, or, where the ends are a SEQPACKET pair, the end, or what shutdown() made. */
static bool hung_up(struct asock *s)
{
	struct pollfd p = { .fd = s->b, .events = POLLRDHUP };

	return poll(&p, 1, 0) > 0 && (p.revents & (POLLHUP | POLLERR | POLLRDHUP));
}

/* Native sends. The stack's send buffer being full leaves them where they are. */
static void take_native_sends(struct asock *s)
{
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

void dgram_up(struct asock *s)
{
	if (s->dead || s->b < 0)
		return;
	take_native_sends(s);
	if (s->err)
		dgram_look_for_errors(s, -1);
}

/* The last words of a program that has closed its end: all of them. */
static void dgram_drain(struct asock *s)
{
	for (;;) {
		ssize_t n = recv(s->b, s->run->scratch, SCRATCH_SIZE, MSG_DONTWAIT);

		if (n < 0 || (n == 0 && hung_up(s)))
			return;
		weir_send(s->file, s->run->scratch, (size_t)n, MSG_DONTWAIT | MSG_NOSIGNAL);
	}
}

void dgram_closed(struct asock *s)
{
	if (s->b >= 0)
		dgram_drain(s);
	asock_free(s);
}

void dgram_end_event(struct asock *s, uint32_t events)
{
	if (events & EPOLLHUP) { /* of a SEQPACKET pair */
		dgram_closed(s);
		return;
	}
	dgram_up(s);
	if (!s->dead && ((events & EPOLLOUT) || (weir_poll_now(s->file) & POLLIN)))
		dgram_down(s);
}
