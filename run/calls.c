/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * calls.c - notified system calls: the table, and those that make, name and connect sockets
 *
 * Theory of operation
 *   One handler for each call. It reads the caller's arguments once, works on its copy, and says what becomes of the call
 *   (enum call_result). A parked call runs its handler again, so a handler must come to the same point from any state.
 * Invariants
 *   CALL_CONTINUE is only returned for descriptors that are not attached sockets (they are AF_UNIX sockets of the host, or no sockets),
 *   and for operations on an attached socket that are harmless on the AF_UNIX end the program holds. What it is returned for must be
 *   harmless on any descriptor and with any argument that the program could have: another thread may change both before the
 *   kernel looks. It is never returned for socket() and connect(), nor, where there are copies, for a send with a message header.
 */
#include "run_internal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* ---- helpers ---------------------------------------------------------------------------------------------- */

unsigned fdinfo_flags(pid_t tid, int fd)
{
	unsigned flags = 0;
	char path[48], line[64];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/fdinfo/%d", tid, fd);
	f = fopen(path, "re");
	if (!f)
		return 0;
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "flags: %o", &flags) == 1)
			break;
	fclose(f);
	return flags;
}

bool call_nonblock(const struct call *c, int flags)
{
	if (flags & MSG_DONTWAIT)
		return true;
	if (c->a >= 0)
		return fcntl(c->a, F_GETFL) & O_NONBLOCK;
	return fdinfo_flags((pid_t)c->n.pid, call_int(c, 0)) & O_NONBLOCK;
}

enum call_result call_park(struct call *c, uint64_t timeout_ns, int expire)
{
	if (c->parked) /* it keeps its deadline */
		return CALL_PARK;
	c->wait_on = c->sock;
	c->deadline = timeout_ns ? run_now(c->run) + timeout_ns : 0;
	c->expire = expire;
	return CALL_PARK;
}

int call_read_addr(struct call *c, uint64_t addr, uint64_t len, struct sockaddr_storage *ret)
{
	int n = (int)len;

	if (n < 0 || (size_t)n > sizeof(*ret))
		return -EINVAL;
	memset(ret, 0, sizeof(*ret));
	return mem_read(c, addr, ret, (size_t)n);
}

int call_write_addr(struct call *c, uint64_t addr, uint64_t lenp, const struct sockaddr_storage *ss,
		    socklen_t len)
{
	int room;
	int err;

	if (!addr)
		return 0;
	err = mem_read(c, lenp, &room, sizeof(room));
	if (err)
		return err;
	if (room < 0)
		return -EINVAL;
	err = mem_write(c, addr, ss, (socklen_t)room < len ? (size_t)room : len);
	return err ? err : mem_write(c, lenp, &len, sizeof(len));
}

void call_no_way_out(struct call *c, const struct sockaddr_storage *to)
{
	const struct sockaddr_in *sin = (const struct sockaddr_in *)to;
	char text[INET_ADDRSTRLEN] = "?";

	if (c->tree->node->said_no_way_out || to->ss_family != AF_INET)
		return;
	c->tree->node->said_no_way_out = true;
	inet_ntop(AF_INET, &sin->sin_addr, text, sizeof(text));
	loop_say("no way out of this instance: %s has no route to %s (said once)",
		 c->tree->node->name, text);
}

static struct sockaddr *generic(struct sockaddr_storage *ss)
{
	return (struct sockaddr *)ss;
}

/* ---- socket, bind, listen --------------------------------------------------------------------------------- */

static enum call_result call_socket(struct call *c)
{
	int domain = call_int(c, 0), type = call_int(c, 1), protocol = call_int(c, 2);
	int kind = type & ~(SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct weir_file *file;
	struct asock *s;
	int a, fd, err;

	/* The filter lets AF_UNIX pass; this is one with something in the upper half of the register. */
	if (domain == AF_UNIX)
		return call_return(c, -EAFNOSUPPORT);
	err = weir_socket(c->tree->node->net, domain, kind | SOCK_NONBLOCK, protocol, &file);
	if (err)
		return call_return(c, err);
	err = asock_create(c->tree->node, file, domain, kind, protocol, true, &s, &a);
	if (err)
		return call_return(c, err);
	if (type & SOCK_NONBLOCK)
		fcntl(a, F_SETFL, O_NONBLOCK);
	fd = notify_addfd(c, a, type & SOCK_CLOEXEC, -1, true);
	close(a);
	if (fd < 0) {
		asock_free(s);
		/* Its table is full, or it is gone. */
		return fd == -ENOENT ? CALL_DONE : call_return(c, fd);
	}
	asock_set_hint(s, (pid_t)c->n.pid, fd);
	return CALL_DONE;
}

/* One whose connect() has failed may be used anew; its end cannot. 0, -errno */
static int revive(struct call *c, struct asock *s)
{
	return s->stream && s->state == AS_FAILED ? asock_renew(s, c, call_int(c, 0)) : 0;
}

static enum call_result call_bind(struct call *c)
{
	struct asock *s = call_sock(c, call_int(c, 0));
	struct sockaddr_storage ss;
	int err;

	if (!s)
		return unix_bind(c);
	err = call_read_addr(c, call_ptr(c, 1), call_ptr(c, 2), &ss);
	if (err)
		return call_return(c, err);
	err = weir_bind(s->file, generic(&ss), (socklen_t)call_int(c, 2));
	if (err == -EADDRINUSE && !TAILQ_EMPTY(&c->run->orphans)) {
		/* Perhaps its owner is closed and we have not noticed yet. */
		c->run->orphan_scan = 0;
		ident_scan_orphans(c->run);
		err = weir_bind(s->file, generic(&ss), (socklen_t)call_int(c, 2));
	}
	if (!err)
		err = revive(c, s);
	/* So that its port is free as soon as it is closed. */
	return call_return(c, err ? err : asock_join(s, c->a));
}

static enum call_result call_listen(struct call *c)
{
	struct asock *s = call_sock(c, call_int(c, 0));
	int err;

	if (!s)
		return CALL_CONTINUE;
	if (s->stream && s->state != AS_NEW && s->state != AS_LISTENING)
		return call_return(c, -EINVAL);
	err = asock_join(s, c->a);
	if (!err)
		err = weir_listen(s->file, call_int(c, 1));
	if (!err && s->stream)
		s->state = AS_LISTENING;
	return call_return(c, err);
}

/* ---- connect ---------------------------------------------------------------------------------------------- */

static bool connect_ended(struct asock *s)
{
	return weir_poll_now(s->file) & (POLLOUT | POLLERR | POLLHUP);
}

static enum call_result connect_succeeded(struct call *c)
{
	struct asock *s = c->sock;

	if (s->state != AS_CONNECTED)
		stream_connected(s, c->a);
	s->undelivered_connect = notify_answer(c, 0) != 0;
	stream_pump(s);
	return CALL_DONE;
}

static enum call_result connect_failed(struct call *c, int err)
{
	stream_connect_failed(c->sock);
	return call_return(c, -err);
}

static enum call_result connect_wait(struct call *c)
{
	struct asock *s = c->sock;
	int err;

	if (connect_ended(s)) {
		err = asock_error(s);
		return err ? connect_failed(c, err) : connect_succeeded(c);
	}
	return call_park(c, s->sndtimeo, -EINPROGRESS);
}

static enum call_result connect_start(struct call *c)
{
	struct asock *s = c->sock;
	struct sockaddr_storage ss;
	int err = call_read_addr(c, call_ptr(c, 1), call_ptr(c, 2), &ss), joined;

	if (err)
		return call_return(c, err);
	err = weir_connect(s->file, generic(&ss), (socklen_t)call_int(c, 2));
	if (err == -ENETUNREACH)
		call_no_way_out(c, &ss);
	if (!s->stream)
		return call_return(c, err);
	if (!err && ss.ss_family == AF_UNSPEC)
		return call_return(c, 0);
	if (err && err != -EINPROGRESS)
		return call_return(c, err);
	joined = asock_join(s, c->a);
	if (joined)
		return connect_failed(c, -joined);
	if (!err)
		return connect_succeeded(c);
	s->state = AS_CONNECTING;
	if (!call_nonblock(c, 0))
		return connect_wait(c);
	/* A non-blocking caller gets EINPROGRESS even if it is over already, as over Linux's loopback it is not. */
	if (notify_answer(c, -EINPROGRESS) == 0 && connect_ended(s))
		stream_connect_done(s, c->a);
	return CALL_DONE;
}

static enum call_result call_connect(struct call *c)
{
	struct asock *s = call_sock(c, call_int(c, 0));
	int err;

	if (!s)
		return unix_connect(c);
	ident_check_listeners(c->run);
	if (!s->stream)
		return connect_start(c);
	switch (s->state) {
	case AS_CONNECTED:
		if (!s->undelivered_connect)
			return call_return(c, -EISCONN);
		s->undelivered_connect = notify_answer(c, 0) != 0;
		return CALL_DONE;
	case AS_CONNECTING:
		return !c->parked && call_nonblock(c, 0) ? call_return(c, -EALREADY)
							 : connect_wait(c);
	case AS_LISTENING:
		return call_return(c, -EISCONN);
	case AS_FAILED:
		if (s->err) { /* not yet fetched: connect() reports it, as Linux does */
			err = s->err;
			s->err = 0;
			return call_return(c, -err);
		}
		err = asock_renew(s, c, call_int(c, 0));
		if (err)
			return call_return(c, err);
		return connect_start(c);
	default:
		return connect_start(c);
	}
}

/* ---- accept ------------------------------------------------------------------------------------------------ */

/* The next connection: one that a vanished caller left, or a new one. */
static int next_connection(struct asock *s, struct asock **ret_conn, int *ret_a)
{
	struct weir_file *file;
	int err;

	if (s->stash) {
		*ret_conn = s->stash;
		*ret_a = s->stash->stash_fd;
		s->stash->stash_fd = -1;
		s->stash = NULL;
		return 0;
	}
	err = weir_accept(s->file, NULL, NULL, SOCK_NONBLOCK, &file);
	if (err)
		return err;
	return asock_create(s->node, file, s->domain, s->type, s->protocol, false, ret_conn, ret_a);
}

static void put_connection_back(struct asock *s, struct asock *conn, int a)
{
	conn->stash_fd = a;
	s->stash = conn;
	stream_token_put(s);
}

static enum call_result deliver_connection(struct call *c, struct asock *conn, int a, int flags)
{
	struct asock *s = c->sock;
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	int fd, err;

	memset(&ss, 0, sizeof(ss));
	err = weir_getpeername(conn->file, generic(&ss), &len);
	if (err) /* reset while it waited */
		len = 0;
	err = call_write_addr(c, call_ptr(c, 1), call_ptr(c, 2), &ss, len);
	if (err == -ENOENT)
		goto undo;
	if (err) {
		close(a);
		asock_free(conn);
		return call_return(c, err);
	}
	fcntl(a, F_SETFL, flags & SOCK_NONBLOCK ? O_NONBLOCK : 0);
	fd = notify_addfd(c, a, flags & SOCK_CLOEXEC, -1, true);
	if (fd < 0) {
		err = fd;
		goto undo;
	}
	close(a);
	asock_set_hint(conn, (pid_t)c->n.pid, fd);
	shortcut_accepted(conn);
	stream_pump(conn);
	return CALL_DONE;
undo:
	put_connection_back(s, conn, a);
	return err == -ENOENT ? CALL_DONE : call_return(c, err);
}

static enum call_result accept_flags(struct call *c, int flags)
{
	struct asock *s = call_sock(c, call_int(c, 0));
	enum call_result res;
	struct asock *conn;
	int a, err;

	if (!s)
		return CALL_CONTINUE;
	if (flags & ~(SOCK_NONBLOCK | SOCK_CLOEXEC))
		return call_return(c, -EINVAL);
	if (!s->stream)
		return call_return(c, -EOPNOTSUPP);
	if (s->state != AS_LISTENING)
		return call_return(c, -EINVAL);
	err = next_connection(s, &conn, &a);
	if (err == -EAGAIN) {
		stream_token_take(s, c->a);
		return call_nonblock(c, 0) ? call_return(c, -EAGAIN)
					   : call_park(c, s->rcvtimeo, -EAGAIN);
	}
	if (err)
		return call_return(c, err);
	/* First the token, so that the program finds poll as it must be when it has its descriptor; a new token is a new edge. */
	stream_token_take(s, c->a);
	res = deliver_connection(c, conn, a, flags);
	if (!s->dead && (s->stash || (weir_poll_now(s->file) & POLLIN)))
		stream_token_put(s);
	return res;
}

static enum call_result call_accept(struct call *c)
{
	return accept_flags(c, 0);
}

static enum call_result call_accept4(struct call *c)
{
	return accept_flags(c, call_int(c, 3));
}

/* ---- names, shutdown ---------------------------------------------------------------------------------------- */

static enum call_result return_name(struct call *c, int err, const struct sockaddr_storage *ss,
				    socklen_t len)
{
	if (!err && !call_ptr(c, 1))
		err = -EFAULT;
	if (!err)
		err = call_write_addr(c, call_ptr(c, 1), call_ptr(c, 2), ss, len);
	return call_return(c, err);
}

static enum call_result call_getsockname(struct call *c)
{
	struct asock *s = call_sock(c, call_int(c, 0));
	struct sockaddr_storage ss = { 0 };
	socklen_t len = sizeof(ss);
	int err;

	if (!s)
		return CALL_CONTINUE;
	err = weir_getsockname(s->file, generic(&ss), &len);
	return return_name(c, err, &ss, len);
}

static enum call_result call_getpeername(struct call *c)
{
	struct asock *s = call_sock(c, call_int(c, 0));
	struct sockaddr_storage ss = { 0 };
	socklen_t len = sizeof(ss);
	int err;

	if (!s)
		return CALL_CONTINUE;
	err = weir_getpeername(s->file, generic(&ss), &len);
	return return_name(c, err, &ss, len);
}

static enum call_result shutdown_listener(struct call *c, struct asock *s, int how)
{
	int err = weir_shutdown(s->file, how);

	if (!err && how != SHUT_WR) {
		park_fail(s, -EINVAL);
		stream_token_take(s, c->a);
		s->state = AS_NEW;
	}
	return call_return(c, err);
}

static enum call_result call_shutdown(struct call *c)
{
	struct asock *s = call_sock(c, call_int(c, 0));
	int how = call_int(c, 1);
	int err;

	if (!s)
		return CALL_CONTINUE;
	if (how < SHUT_RD || how > SHUT_RDWR)
		return call_return(c, -EINVAL);
	if (!s->stream) {
		err = weir_shutdown(s->file, how);
		return err ? call_return(c, err) : CALL_CONTINUE;
	}
	if (s->state == AS_LISTENING)
		return shutdown_listener(c, s, how);
	if (s->state != AS_CONNECTED)
		return call_return(c, -ENOTCONN);
	/* Native on the program's end; ours sees it, behind the octets that were written before. */
	s->app_shut_rd |= how != SHUT_WR;
	s->app_shut_wr |= how != SHUT_RD;
	if (how != SHUT_WR)
		weir_shutdown(s->file, SHUT_RD);
	return CALL_CONTINUE;
}

/* ---- other processes ------------------------------------------------------------------------------------------ */

/* ptrace(request, pid, ...), process_vm_*(pid, ...): only towards our own. Registers do not change under us. */
enum call_result call_target_pid(struct call *c)
{
	pid_t pid = call_int(c, c->n.data.nr == SYS_ptrace ? 1 : 0);
	bool traceme = c->n.data.nr == SYS_ptrace && call_int(c, 0) == 0;

	if (traceme || ident_in_tree(pid))
		return CALL_CONTINUE;
	return call_return(c, -EPERM);
}

/* ---- the table --------------------------------------------------------------------------------------------------- */

static const struct call_row rows[] = {
	{ SYS_socket, call_socket },
	{ SYS_socketpair, unix_pair },
	{ SYS_connect, call_connect, 1, 2 },
	{ SYS_bind, call_bind, 1, 2 },
	{ SYS_listen, call_listen },
#ifdef SYS_accept
	{ SYS_accept, call_accept },
#endif
	{ SYS_accept4, call_accept4 },
	{ SYS_getsockname, call_getsockname, .early_addr = 2, .early_size = sizeof(int) },
	{ SYS_getpeername, call_getpeername, .early_addr = 2, .early_size = sizeof(int) },
	{ SYS_getsockopt, call_getsockopt, .early_addr = 4, .early_size = sizeof(int) },
	{ SYS_setsockopt, call_setsockopt, 3, 4 },
	{ SYS_shutdown, call_shutdown },
	{ SYS_sendto, call_sendto },
	{ SYS_recvfrom, call_recvfrom, .early_addr = 5, .early_size = sizeof(int) },
	{ SYS_sendmsg, call_sendmsg },
	{ SYS_recvmsg, call_recvmsg },
	{ SYS_sendmmsg, call_sendmmsg },
	{ SYS_recvmmsg, call_recvmmsg },
	{ SYS_ioctl, call_ioctl },
	{ SYS_mmap, call_mmap },
#ifdef SYS_open
	{ SYS_open, call_open },
#endif
#ifdef SYS_creat
	{ SYS_creat, call_creat },
#endif
	{ SYS_openat, call_openat },
	{ SYS_openat2, call_openat2 },
	{ SYS_uname, call_uname },
	{ SYS_sethostname, call_sethostname },
	{ SYS_ptrace, call_target_pid },
	{ SYS_process_vm_readv, call_target_pid },
	{ SYS_process_vm_writev, call_target_pid },
};

const struct call_row *calls_find(int nr)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].nr == nr)
			return &rows[i];
	return NULL;
}
