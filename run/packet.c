/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * packet.c - packet sockets with rings: what tcpdump and its kin use
 *
 * Theory of operation
 *   Without a ring a packet socket is like any datagram socket (dgram.c). A ring is memory that the stack fills; the program maps its
 *   socket to get at it. The program's end is an AF_UNIX socket, which cannot be mapped: so at the notified mmap() the memfd of
 *   the ring takes the place of the end, under the same number, the kernel carries out the call, and with the next notified call of that
 *   process, before it is looked at, the end is put back. libpcap makes such calls (statistics, filter) right after mmap().
 *   poll() on the end must tell of frames in the ring: one datagram of one octet lies in the end while there are any ("token"). The
 *   program takes frames without a call, so while a token lies there, a timer looks whether the ring is empty, and takes it out.
 * Invariants
 *   While the memfd is in its place, we hold the program's end (struct swap), and thus do not see it close: the timer looks whether the
 *   process and its descriptor are still there.
 *   The program may read the token natively: what our end has unread (TIOCOUTQ) tells.
 * A child that is forked between mmap() and the next notified call keeps the memfd in place of the socket: doc/limits.md.
 */
#include "run_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define TOKEN_CHECK (1 * NS_PER_MS)
#define SWAP_CHECK  (200 * NS_PER_MS)

/* The program's end, while the memory of the ring is in its place. */
struct swap {
	LIST_ENTRY(swap) link;
	struct asock *sock;
	pid_t tgid;
	int fd;   /* the number in the process */
	int held; /* the end */
	bool cloexec;
	dev_t dev;
	ino_t ino; /* of the memfd */
};

/* What a packet socket with a ring has more than others. */
struct packet_end {
	bool token; /* in the program's end */
	struct run_timer *timer;
	uint64_t wait; /* until the next look at the ring */
};

static void token_update(struct asock *s);

/* ---- the token ---------------------------------------------------------------------------------------------- */

static bool token_is_unread(const struct asock *s)
{
	int unread = 0;

	return s->b >= 0 && ioctl(s->b, TIOCOUTQ, &unread) == 0 && unread > 0;
}

static void token_take(struct asock *s)
{
	int a = ident_find(s);
	char c;

	if (a < 0)
		return;
	if (recv(a, &c, 1, MSG_DONTWAIT) >= 0 || !token_is_unread(s))
		s->packet->token = false;
	close(a);
}

static void token_timer(void *arg)
{
	struct asock *s = arg;

	s->packet->timer = NULL;
	token_update(s);
}

static void token_update(struct asock *s)
{
	struct packet_end *p = s->packet;
	bool readable = weir_poll_now(s->file) & POLLIN;

	if (p->token && !token_is_unread(s))
		p->token = false;
	if (p->token && !readable) {
		token_take(s);
		p->wait = TOKEN_CHECK;
	}
	if (!p->token && readable && s->b >= 0 &&
	    send(s->b, "", 1, MSG_DONTWAIT | MSG_NOSIGNAL) == 1) {
		p->token = true;
		p->wait = TOKEN_CHECK;
	}
	if (!p->token || p->timer)
		return;
	/* A program that does not look for long need not be watched closely. */
	p->timer = run_timer_add(s->run, run_now(s->run) + p->wait, token_timer, s);
	if (p->wait < 32 * TOKEN_CHECK)
		p->wait *= 2;
}

bool packet_event(struct asock *s)
{
	if (!s->packet)
		return false;
	token_update(s);
	return true;
}

/* ---- options ------------------------------------------------------------------------------------------------- */

void packet_option_set(struct asock *s, int level, int name, const void *val, socklen_t len)
{
	struct tpacket_req req;

	if (s->domain != AF_PACKET || level != SOL_PACKET || name != PACKET_RX_RING ||
	    len < sizeof(req))
		return;
	memcpy(&req, val, sizeof(req));
	if (!req.tp_block_nr) {
		packet_free(s);
		return;
	}
	if (!s->packet)
		s->packet = calloc(1, sizeof(*s->packet));
	if (s->packet)
		s->packet->wait = TOKEN_CHECK;
}

/* ---- mmap ------------------------------------------------------------------------------------------------------ */

static pid_t tgid_of(pid_t tid)
{
	char path[40], line[128];
	int tgid = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", tid);
	f = fopen(path, "re");
	if (!f)
		return -1;
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "Tgid: %d", &tgid) == 1)
			break;
	fclose(f);
	return tgid;
}

/* Is the memfd still where we put it? */
static bool swap_in_place(const struct swap *w)
{
	char path[48];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", w->tgid, w->fd);
	return stat(path, &st) == 0 && st.st_dev == w->dev && st.st_ino == w->ino;
}

static void swap_free(struct swap *w)
{
	LIST_REMOVE(w, link);
	close(w->held);
	free(w);
}

/* Processes that ended, or closed the descriptor, before they made another notified call. */
static void swap_timer(void *arg)
{
	struct run *r = arg;
	struct swap *w, *next;

	r->swap_timer = NULL;
	for (w = LIST_FIRST(&r->swaps); w; w = next) {
		next = LIST_NEXT(w, link);
		if (!swap_in_place(w))
			swap_free(w);
	}
	if (!LIST_EMPTY(&r->swaps))
		r->swap_timer = run_timer_add(r, run_now(r) + SWAP_CHECK, swap_timer, r);
}

void packet_swap_back(struct call *c)
{
	struct swap *w, *next;
	pid_t tgid;

	if (LIST_EMPTY(&c->run->swaps))
		return;
	tgid = tgid_of((pid_t)c->n.pid);
	for (w = LIST_FIRST(&c->run->swaps); w; w = next) {
		next = LIST_NEXT(w, link);
		if (w->tgid != tgid)
			continue;
		if (swap_in_place(w))
			notify_addfd(c, w->held, w->cloexec, w->fd, false);
		swap_free(w);
	}
}

static int swap_in(struct call *c, int fd, int memfd)
{
	struct run *r = c->run;
	struct stat st;
	struct swap *w;
	int err;

	if (c->a < 0 || fstat(memfd, &st) < 0)
		return -ENODEV;
	w = calloc(1, sizeof(*w));
	if (!w)
		return -ENOMEM;
	w->sock = c->sock;
	w->tgid = tgid_of((pid_t)c->n.pid);
	w->fd = fd;
	w->cloexec = fdinfo_flags((pid_t)c->n.pid, fd) & O_CLOEXEC;
	w->dev = st.st_dev;
	w->ino = st.st_ino;
	w->held = fcntl(c->a, F_DUPFD_CLOEXEC, 3);
	if (w->held < 0) {
		err = -errno;
		free(w);
		return err;
	}
	err = notify_addfd(c, memfd, w->cloexec, fd, false);
	if (err < 0) {
		close(w->held);
		free(w);
		return err;
	}
	LIST_INSERT_HEAD(&r->swaps, w, link);
	if (!r->swap_timer)
		r->swap_timer = run_timer_add(r, run_now(r) + SWAP_CHECK, swap_timer, r);
	return 0;
}

/* mmap(addr, length, prot, MAP_SHARED, fd, offset): of a packet socket only what Linux allows, the whole of its rings. */
enum call_result call_mmap(struct call *c)
{
	struct asock *s = call_sock(c, call_int(c, 4));
	size_t size = 0;
	int memfd, err;

	if (!s)
		return CALL_CONTINUE;
	if (s->domain != AF_PACKET)
		return call_return(c, -ENODEV);
	if (weir_packet_ring_fd(s->file, &memfd, &size))
		return call_return(c, -EINVAL);
	err = call_ptr(c, 1) == size && !call_ptr(c, 5) ? swap_in(c, call_int(c, 4), memfd)
							: -EINVAL;
	close(memfd);
	return err ? call_return(c, err) : CALL_CONTINUE;
}

/* ---- the end ---------------------------------------------------------------------------------------------------- */

void packet_free(struct asock *s)
{
	struct swap *w, *next;

	for (w = LIST_FIRST(&s->run->swaps); w; w = next) {
		next = LIST_NEXT(w, link);
		if (w->sock == s)
			swap_free(w);
	}
	if (s->packet && s->packet->timer)
		run_timer_cancel(s->run, s->packet->timer);
	free(s->packet);
	s->packet = NULL;
}
