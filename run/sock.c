/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sock.c - attached sockets: life and common state
 *
 * Theory of operation
 *   An attached socket is a weir_file and a socketpair. The program holds one end (A) under the descriptor it asked for; we hold
 *   the other (B) and move octets or datagrams between B and the file. A stream uses a stream pair: B hangs up when the last holder of A is
 *   gone. Everything else uses a SOCK_DGRAM pair, on which A can show an error and go on (dgram.c). B does not notice there that A was
 *   closed, nor where it has hung up before, or is not there: inotify tells.
 *
 *   A stream begins as A alone (where there is pidfd_getfd), not connected to anything: so it polls, reads and writes as a fresh socket does (HUP, errors). When it is
 *   bound, listens or connects it is joined to its B, by a connect() of ours to a listener of ours in the state directory.
 *   A must not be writable before the socket is connected. Its send buffer is made as small as the kernel allows and filled
 *   ("stuffed"). When the connection stands, raising the buffer wakes whoever polls for POLLOUT, and the stuffing is thrown away
 *   on our side. Where no copy of A can be had later (no pidfd_getfd) we keep one (kept_a) until a stream is connected, and for
 *   ever for datagrams; closing is then found by looking who holds A (orphans, ident.c): ours would never be the last close.
 * Invariants
 *   hash contains every asock that is not dead, under the inode of A. If an inode number turns up again, the old one's A is gone.
 *   b == -1 only in AS_FAILED, for a stream after an error, and for a fresh stream; such a socket is an orphan (ident.c).
 *   A dead asock stays allocated until asock_bury(): events already fetched may point to it.
 */
#include "run_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define END_SNDBUF (1 << 20)
#define MEET       "meet" /* our listener, in the state directory */

static unsigned hash_of(ino_t ino)
{
	return (unsigned)(ino % SOCK_HASH);
}

struct asock *asock_find(struct run *r, ino_t ino)
{
	struct asock *s;

	if (!ino)
		return NULL;
	LIST_FOREACH(s, &r->hash[hash_of(ino)], hash_link)
	if (s->ino == ino)
		return s;
	return NULL;
}

static void hash_insert(struct asock *s)
{
	struct asock *old = asock_find(s->run, s->ino);

	if (old)
		asock_free(old);
	LIST_INSERT_HEAD(&s->run->hash[hash_of(s->ino)], s, hash_link);
}

void asock_set_hint(struct asock *s, pid_t tid, int fd)
{
	s->hint_tid = tid;
	s->hint_fd = fd;
}

static size_t stuff(int a)
{
	static const char zeros[8192];
	size_t n = 0;
	ssize_t k;

	/* Less than was asked for: full. */
	do {
		k = send(a, zeros, sizeof(zeros), MSG_DONTWAIT | MSG_NOSIGNAL);
		n += k > 0 ? (size_t)k : 0;
	} while (k == (ssize_t)sizeof(zeros));
	return n;
}

/* Best effort: the kernel caps it at net.core.wmem_max. */
static void set_buffer(int fd, int size)
{
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
}

void asock_set_buffer(int fd)
{
	set_buffer(fd, END_SNDBUF);
}

static void end_event(struct loop_source *src, uint32_t events)
{
	struct asock *s = (struct asock *)src;

	if (s->dead || s->b < 0)
		return;
	if (s->stream)
		stream_end_event(s, events);
	else
		dgram_end_event(s, events);
}

/* @a and @b are connected: @b, consumed, becomes our end of @s. */
static int take_end(struct asock *s, int a, int b, bool stuffed)
{
	int err;

	/* It stays blocking: each call on it says MSG_DONTWAIT. */
	s->b_large = !s->stream;
	if (!s->stream)
		set_buffer(b, END_SNDBUF);
	s->stuffed = 0;
	if (!s->stream || !stuffed) {
		set_buffer(a, END_SNDBUF);
		/* See read_end_lagging(). */
		s->lag = s->stream && !s->run->fac.pidfd_getfd && send(a, "", 1, MSG_NOSIGNAL) == 1;
	} else {
		s->lag = false;
		set_buffer(a, 1);
		s->stuffed = stuff(a);
	}
	err = loop_add(s->run, s->run->ep_ends, &s->end, b,
		       EPOLLIN | EPOLLRDHUP | EPOLLPRI | EPOLLET, end_event);
	if (err) {
		close(b);
		return err;
	}
	s->out_armed = false;
	s->b = b;
	return 0;
}

static int set_inode(struct asock *s, int a)
{
	struct stat st;

	if (fstat(a, &st) < 0)
		return -errno;
	s->ino = st.st_ino;
	return 0;
}

int asock_pair_type(const struct asock *s)
{
	if (s->stream)
		return SOCK_STREAM;
	/* A runner around us that cannot have copies lets nobody have SOCK_DGRAM: see unix_pair(). */
	return s->run->nested && !s->run->fac.pidfd_getfd ? SOCK_SEQPACKET : SOCK_DGRAM;
}

/* The pair of @s: sets ino and b. Returns the program's end, or -errno. */
static int make_pair(struct asock *s, bool stuffed)
{
	int sv[2], err;

	if (socketpair(AF_UNIX, asock_pair_type(s) | SOCK_CLOEXEC, 0, sv) < 0)
		return -errno;
	err = set_inode(s, sv[0]);
	if (err)
		close(sv[1]);
	else
		err = take_end(s, sv[0], sv[1], stuffed);
	if (err)
		close(sv[0]);
	return err ? err : sv[0];
}

/* Without copies the other end's name could not be hidden (recv_unnamed() in calls_msg.c). */
static bool single_possible(const struct asock *s)
{
	return s->stream && s->run->fac.pidfd_getfd;
}

/* The same for a fresh stream: the program's end alone. */
static int make_single(struct asock *s)
{
	int a = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), err;

	if (a < 0)
		return -errno;
	err = set_inode(s, a);
	if (!err)
		return a;
	close(a);
	return err;
}

/* ---- joining ------------------------------------------------------------------------------------------------ */

/* By the directory's descriptor, so that the path fits whatever the directory is called. */
static void meet_address(const struct run *r, struct sockaddr_un *sun)
{
	memset(sun, 0, sizeof(*sun));
	sun->sun_family = AF_UNIX;
	snprintf(sun->sun_path, sizeof(sun->sun_path), "/proc/self/fd/%d/" MEET, r->dir_fd);
}

static int meet_open(struct run *r)
{
	struct sockaddr_un sun;
	int fd, err = 0;

	if (r->meet >= 0)
		return 0;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	meet_address(r, &sun);
	if (bind(fd, (struct sockaddr *)&sun, sizeof(sun)) < 0 || listen(fd, 16) < 0)
		err = -errno;
	if (err)
		close(fd);
	else
		r->meet = fd;
	return err;
}

/*
 * Others of our user could connect to it, too: their connections are not ours. Under a runner around us it is that which connects, for all its
 * programs: there a number tells, written into @a, which nobody else has yet.
 */
static int meet_accept(struct run *r, int a)
{
	uint64_t mark, got;

	if (r->nested && (getrandom(&mark, sizeof(mark), 0) != sizeof(mark) ||
			  send(a, &mark, sizeof(mark), MSG_DONTWAIT) != sizeof(mark)))
		return -EAGAIN;
	for (;;) {
		int fd = accept4(r->meet, NULL, NULL, SOCK_CLOEXEC);
		struct ucred cred = { 0 };
		socklen_t len = sizeof(cred);

		if (fd < 0 && errno == EINTR)
			continue;
		if (fd < 0)
			return -errno;
		if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) == 0 &&
		    cred.pid == r->unix_pid &&
		    (!r->nested ||
		     (recv(fd, &got, sizeof(got), MSG_DONTWAIT) == sizeof(got) && got == mark)))
			return fd;
		close(fd);
	}
}

/* ---- closing -------------------------------------------------------------------------------------------------- */

static void forget_close(struct asock *s)
{
	if (!s->close_wd)
		return;
	LIST_REMOVE(s, close_link);
	s->close_wd = 0;
}

static void unawait_close(struct asock *s)
{
	if (s->close_wd)
		inotify_unwatch(s->run, s->close_wd);
	forget_close(s);
}

void asock_await_close(struct asock *s, int a)
{
	int wd;

	if (s->close_wd || s->dead)
		return;
	wd = s->kept_a >= 0 ? -EBADF : inotify_watch(s->run, a, IN_CLOSE | IN_ONESHOT);
	if (wd < 0) {
		asock_orphan(s);
		return;
	}
	s->close_wd = wd;
	LIST_INSERT_HEAD(&s->run->closes[(unsigned)wd % CLOSE_HASH], s, close_link);
	if (s->orphan)
		TAILQ_REMOVE(&s->run->orphans, s, orphan_link);
	s->orphan = false;
}

void asock_close_event(struct run *r, int wd)
{
	struct asock *s;

	LIST_FOREACH(s, &r->closes[(unsigned)wd % CLOSE_HASH], close_link)
	if (s->close_wd == wd)
		break;
	if (!s)
		return;
	forget_close(s);
	/* Before Linux 6.10 it may have been another one's: of a descriptor with O_PATH, opened by /proc/PID/fd. */
	if (ident_hint_holds(s))
		asock_orphan(s);
	else if (s->stream)
		asock_free(s);
	else
		dgram_closed(s);
}

void asock_close_events_lost(struct run *r)
{
	for (unsigned i = 0; i < CLOSE_HASH; i++) {
		while (!LIST_EMPTY(&r->closes[i])) {
			struct asock *s = LIST_FIRST(&r->closes[i]);

			unawait_close(s);
			asock_orphan(s);
		}
	}
	r->orphan_scan = 0;
}

/* Its closing is seen on our end, or it is another end from now on. */
static void unorphan(struct asock *s)
{
	unawait_close(s);
	if (!s->orphan || s->kept_a >= 0)
		return;
	TAILQ_REMOVE(&s->run->orphans, s, orphan_link);
	s->orphan = false;
}

int asock_join(struct asock *s, int a)
{
	struct sockaddr_un sun;
	int err, b;

	if (!s->stream || s->b >= 0)
		return 0;
	if (a < 0)
		return -EBADF;
	err = meet_open(s->run);
	if (err)
		return err;
	meet_address(s->run, &sun);
	if (connect(a, (struct sockaddr *)&sun, sizeof(sun)) < 0)
		return -errno;
	b = meet_accept(s->run, a);
	err = b < 0 ? b : take_end(s, a, b, true);
	if (err)
		return err;
	s->joined = true;
	unorphan(s);
	return 0;
}

static int watch_file(struct asock *s)
{
	struct epoll_event ev = {
		.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLPRI | EPOLLET,
		.data.ptr = s,
	};

	return weir_epoll_ctl(s->run->wep, EPOLL_CTL_ADD, s->file, &ev);
}

/* Where no copy can be had later. */
static void keep(struct asock *s, int a)
{
	if (s->run->fac.pidfd_getfd || s->state == AS_CONNECTED)
		return;
	s->kept_a = fcntl(a, F_DUPFD_CLOEXEC, 3);
	asock_orphan(s);
}

int asock_create(struct run_node *node, struct weir_file *file, int domain, int type, int protocol,
		 bool fresh, struct asock **ret_sock, int *ret_a)
{
	struct asock *s = calloc(1, sizeof(*s));
	bool connected = false;
	int a, err;

	if (!s) {
		weir_close(file);
		return -ENOMEM;
	}
	s->run = node->run;
	s->node = node;
	s->file = file;
	s->domain = domain;
	s->type = type;
	s->protocol = protocol;
	s->stream = type == SOCK_STREAM;
	s->stash_fd = s->kept_a = -1;
	s->b = -1;
	s->chunk = SCRATCH_SIZE;
	TAILQ_INIT(&s->waiters);
	TAILQ_INIT(&s->queue);
	if (s->stream) {
		struct sockaddr_storage ss;
		socklen_t len = sizeof(ss);

		connected = weir_getpeername(file, (struct sockaddr *)&ss, &len) == 0;
	}
	s->state = connected ? AS_CONNECTED : AS_NEW;
	s->b_ready = s->b_edge = true;
	a = fresh && single_possible(s) ? make_single(s) : make_pair(s, !connected);
	if (a < 0) {
		weir_close(file);
		free(s);
		return a;
	}
	hash_insert(s);
	s->run->nr_asocks++;
	weir_set_inode(file, s->ino, s->run->uid);
	keep(s, a);
	if (!s->stream)
		asock_await_close(s, a);
	else if (s->b < 0)
		asock_orphan(
			s); /* nothing would tell us that it was closed; most are connected before we look */
	err = watch_file(s);
	if (err) {
		close(a);
		asock_free(s);
		return err;
	}
	*ret_sock = s;
	*ret_a = a;
	return 0;
}

/* The new end must close on exec if the old one did. */
static bool fd_cloexec(struct call *c, int fd)
{
	unsigned flags = 0;
	char path[48], line[64];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/fdinfo/%d", (int)c->n.pid, fd);
	f = fopen(path, "re");
	if (!f)
		return false;
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "flags: %o", &flags) == 1)
			break;
	fclose(f);
	return flags & O_CLOEXEC;
}

void asock_unkeep(struct asock *s)
{
	if (s->kept_a < 0)
		return;
	close(s->kept_a);
	s->kept_a = -1;
	TAILQ_REMOVE(&s->run->orphans, s, orphan_link);
	s->orphan = false;
}

int asock_renew(struct asock *s, struct call *c, int fd)
{
	int fl = c->a >= 0 ? fcntl(c->a, F_GETFL) : 0;
	int a, err;

	LIST_REMOVE(s, hash_link);
	a = single_possible(s) ? make_single(s) : make_pair(s, true);
	if (a < 0) {
		LIST_INSERT_HEAD(&s->run->hash[hash_of(s->ino)], s, hash_link);
		return a;
	}
	hash_insert(s);
	asock_unkeep(s);
	unorphan(s);
	s->state = AS_NEW;
	keep(s, a);
	if (s->b < 0)
		asock_orphan(s);
	s->joined = false;
	weir_set_inode(s->file, s->ino, s->run->uid);
	if (fl > 0)
		fcntl(a, F_SETFL, fl & O_NONBLOCK);
	err = notify_addfd(c, a, fd_cloexec(c, fd), fd, false);
	if (err < 0) {
		close(a);
		return err;
	}
	if (c->a >= 0)
		close(c->a);
	c->a = a;
	s->b_eof = s->fin_sent = s->peer_eof = false;
	return 0;
}

void asock_observe(struct asock *s)
{
	struct run *r = s->run;

	if (!s->stream || s->observed || !r->on_stream_end ||
	    (s->state != AS_CONNECTED && s->state != AS_FAILED))
		return;
	s->observed = true;
	r->on_stream_end(s->node, s->file, r->on_stream_end_arg);
}

void asock_free(struct asock *s)
{
	struct run *r = s->run;

	if (s->dead)
		return;
	asock_observe(s);
	shortcut_end(s);
	s->dead = true;
	park_fail(s, -EBADF);
	LIST_REMOVE(s, hash_link);
	r->nr_asocks--;
	unawait_close(s);
	if (s->orphan)
		TAILQ_REMOVE(&r->orphans, s, orphan_link);
	if (s->in_again)
		TAILQ_REMOVE(&r->again, s, again_link);
	if (s->b >= 0) {
		loop_remove(r->ep_ends, &s->end);
		close(s->b);
		s->b = -1;
	}
	if (s->kept_a >= 0)
		close(s->kept_a);
	if (s->stash)
		asock_free(s->stash);
	if (s->stash_fd >= 0)
		close(s->stash_fd);
	if (s->file)
		weir_close(s->file);
	s->file = NULL;
	leftover_free(&s->up);
	leftover_free(&s->down);
	dgram_free(s);
	packet_free(s);
	TAILQ_INSERT_TAIL(&r->graveyard, s, dead_link);
}

void asock_bury(struct run *r)
{
	struct asock *s;

	while ((s = TAILQ_FIRST(&r->graveyard))) {
		TAILQ_REMOVE(&r->graveyard, s, dead_link);
		free(s);
	}
}

void asock_orphan(struct asock *s)
{
	if (s->orphan || s->close_wd || s->dead)
		return;
	s->orphan = true;
	TAILQ_INSERT_TAIL(&s->run->orphans, s, orphan_link);
	if (s->run->orphan_scan <= run_now(s->run))
		s->run->orphan_scan = run_now(s->run) + 200 * NS_PER_MS;
}

void asock_again(struct asock *s)
{
	if (s->in_again || s->dead)
		return;
	s->in_again = true;
	TAILQ_INSERT_TAIL(&s->run->again, s, again_link);
}

void asock_arm_out(struct asock *s, bool on)
{
	uint32_t events = EPOLLIN | EPOLLRDHUP | EPOLLPRI | EPOLLET | (on ? EPOLLOUT : 0);

	if (s->out_armed == on || s->b < 0)
		return;
	s->out_armed = on;
	loop_modify(s->run->ep_ends, &s->end, events);
}

int asock_error(struct asock *s)
{
	socklen_t len = sizeof(int);
	int err = 0;

	if (weir_getsockopt(s->file, SOL_SOCKET, SO_ERROR, &err, &len) < 0)
		return 0;
	return err;
}

/* What happened in the stack. */
void asock_event(struct asock *s, uint32_t events)
{
	if (s->dead)
		return;
	if (!s->stream) {
		if (packet_event(s) && !(events & EPOLLOUT))
			return;
		dgram_up(s);
		dgram_down(s);
		if (!s->dead)
			park_wake(s);
		return;
	}
	switch (s->state) {
	case AS_CONNECTING:
		if (events & (EPOLLOUT | EPOLLERR | EPOLLHUP))
			stream_connect_done(s, -1);
		break;
	case AS_LISTENING:
		stream_listener_event(s);
		break;
	case AS_CONNECTED:
		stream_pump(s);
		break;
	default:
		break;
	}
}
