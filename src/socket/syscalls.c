/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * syscalls.c - the socket calls of a program: lock, delegate to the family, unlock
 *
 * Each call counts itself in sock->inflight (see socket.c) and holds the home cpu's lock while it is in the stack; operations
 * that sleep drop and retake the lock in core/wait.c. User buffers are copied by the protocols.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <linux/sockios.h>

#include "core/module.h"
#include "core/net_group.h"
#include "core/netdevice.h"
#include "core/recv_pages.h"
#include "core/slab.h"
#include "socket/sock_replica.h"
#include "socket/socket.h"
#include "socket/socket_internal.h"

#define FILE_IS_NONBLOCK(f) (__atomic_load_n(&(f)->flags, __ATOMIC_RELAXED) & O_NONBLOCK)

/* ---- entering and leaving ------------------------------------------------------------------------------ */

static inline int __sock_enter(struct file *f, struct socket **ret_sock)
{
	struct socket *sock = file_socket(f);
	struct cpu *cpu;
	int err;

	if (unlikely(!file_is_socket(f)))
		return -ENOTSOCK;
	cpu = sock_cpu(sock);
	cpu_lock(cpu);
	if (unlikely(sock->dead || file_closed(f))) {
		err = sock->dead ? -ENETDOWN : -EBADF;
		cpu_unlock(cpu);
		return err;
	}
	sock->inflight++;
	*ret_sock = sock;
	return 0;
}

int sock_enter(struct file *f, struct socket **ret_sock)
{
	return __sock_enter(f, ret_sock);
}

/* What the call reports when it was thrown out: the error that was put on the sock may have been eaten. */
static ssize_t sock_thrown_out(const struct socket *sock, ssize_t ret)
{
	if (sock->dead)
		return -ENETDOWN;
	return file_closed(&sock->file) ? -EBADF : ret;
}

static inline ssize_t __sock_leave(struct socket *sock, ssize_t ret)
{
	if (ret <= 0)
		ret = sock_thrown_out(sock, ret);
	if (--sock->inflight == 0 && unlikely(sock->dead) && sock->net)
		wake_up(sock_cpu(sock), &sock->net->sock->shutdown_wq, EPOLLIN);
	cpu_unlock(sock_cpu(sock));
	file_batches_put(sock->file.machine);
	return ret;
}

ssize_t sock_leave(struct socket *sock, ssize_t ret)
{
	return __sock_leave(sock, ret);
}

/* ---- the calls ------------------------------------------------------------------------------------------- */

int sys_bind(struct file *f, const struct sockaddr *addr, socklen_t len)
{
	struct socket *sock;
	int err;

	if (len < sizeof(addr->sa_family) || len > sizeof(struct sockaddr_storage))
		return -EINVAL;
	err = sock_enter(f, &sock);
	if (err)
		return err;
	err = sock->ops->bind ? sock->ops->bind(sock, addr, len) : -EOPNOTSUPP;
	return (int)sock_leave(sock, err);
}

int sys_listen(struct file *f, int backlog)
{
	struct socket *sock;
	int err = sock_enter(f, &sock);

	if (err)
		return err;
	if ((u32)backlog > sock->net->core->somaxconn)
		backlog = (int)sock->net->core->somaxconn;
	err = sock->ops->listen ? sock->ops->listen(sock, backlog) : -EOPNOTSUPP;
	return (int)sock_leave(sock, err);
}

int sys_listen_any(struct file *f, int backlog)
{
	struct socket *sock;
	int err = sock_enter(f, &sock);

	if (err)
		return err;
	err = sock->ops->listen_any ? sock->ops->listen_any(sock, backlog) : -EOPNOTSUPP;
	return (int)sock_leave(sock, err);
}

int sys_connect(struct file *f, const struct sockaddr *addr, socklen_t len)
{
	struct socket *sock;
	int err;

	if (len < sizeof(addr->sa_family) || len > sizeof(struct sockaddr_storage))
		return -EINVAL;
	err = sock_enter(f, &sock);
	if (err)
		return err;
	err = sock->ops->connect
		      ? sock->ops->connect(sock, addr, len, FILE_IS_NONBLOCK(f) ? O_NONBLOCK : 0)
		      : -EOPNOTSUPP;
	return (int)sock_leave(sock, err);
}

/* The half of accept with the lock held: the new socket is complete, or still empty on failure. */
static int accept_locked(struct socket *sock, struct socket *newsock,
			 struct sockaddr_storage *ret_addr, socklen_t *ret_len, bool nonblock)
{
	struct net *net = sock->net;
	int len, err = sock->ops->accept(sock, newsock, nonblock ? O_NONBLOCK : 0);

	if (err)
		return err;
	sock_attach_wq(newsock);
	list_add_tail(&newsock->net_node, &net->sock->sockets);
	newsock->dead = sock->dead;
	if (!ret_addr)
		return 0;
	len = newsock->ops->getname(newsock, ret_addr, 2);
	if (len < 0)
		return -ECONNABORTED;
	*ret_len = (socklen_t)len;
	return 0;
}

/* The call has entered @sock, and leaves it. */
static int accept_entered(struct socket *sock, struct sockaddr_storage *ret_addr,
			  socklen_t *ret_len, int flags, bool nonblock, struct file **ret_file)
{
	struct machine *m = sock->file.machine;
	struct socket *newsock;
	int err;

	if (!sock->ops->accept)
		return (int)sock_leave(sock, -EOPNOTSUPP);
	newsock = sock_alloc(sock->net, sock->type);
	if (!newsock)
		return (int)sock_leave(sock, -ENOMEM);
	if (!try_module_get(m, sock->ops->owner)) {
		slab_free(sock_cpu(newsock), newsock, sizeof(*newsock));
		return (int)sock_leave(sock, -ENETDOWN);
	}
	newsock->ops = sock->ops;
	if (flags & SOCK_NONBLOCK)
		newsock->file.flags |= O_NONBLOCK;

	err = accept_locked(sock, newsock, ret_addr, ret_len, nonblock);
	if (!newsock->sk) {
		module_put(m, newsock->ops->owner);
		slab_free(sock_cpu(newsock), newsock, sizeof(*newsock));
		return (int)sock_leave(sock, err);
	}
	err = (int)sock_leave(sock, err);
	if (err)
		file_close(&newsock->file);
	else
		*ret_file = &newsock->file;
	return err;
}

static int accept_one(struct file *f, struct sockaddr_storage *ret_addr, socklen_t *ret_len,
		      int flags, bool nonblock, struct file **ret_file)
{
	struct socket *sock;
	int err = sock_enter(f, &sock);

	return err ? err : accept_entered(sock, ret_addr, ret_len, flags, nonblock, ret_file);
}

/* Waits until a connection is there, here or at a replica, or the socket's time is over. */
static int accept_wait(struct file *f, u64 timeo)
{
	struct file_poll p = { .file = f, .events = EPOLLIN };
	int n = files_poll(f->machine, &p, 1, timeo);

	return n > 0 ? 0 : n ? n : -EAGAIN;
}

/* Of a socket that may have replicas: the own queue, then theirs, and again. */
static int accept_any(struct file *f, struct sockaddr_storage *ret_addr, socklen_t *ret_len,
		      int flags, u64 timeo, struct file **ret_file)
{
	int err;

	do {
		err = accept_one(f, ret_addr, ret_len, flags, true, ret_file);
		if (err == -EAGAIN)
			err = sock_replicas_accept(f, ret_addr, ret_len, flags, ret_file);
	} while (err == -EAGAIN && timeo && !(err = accept_wait(f, timeo)));
	return err;
}

int sys_accept4(struct file *f, struct sockaddr_storage *ret_addr, socklen_t *ret_len, int flags,
		struct file **ret_file)
{
	struct socket *sock;
	bool many;
	u64 timeo;
	int err;

	if (flags & ~(SOCK_NONBLOCK | SOCK_CLOEXEC))
		return -EINVAL;
	err = sock_enter(f, &sock);
	if (err)
		return err;
	many = sock_wants_replicas(sock) && sock->ops->accept;
	timeo = many ? sock_rcvtimeo(sock->sk, FILE_IS_NONBLOCK(f)) : 0;
	if (many) {
		sock_leave(sock, 1);
		return accept_any(f, ret_addr, ret_len, flags, timeo, ret_file);
	}
	return accept_entered(sock, ret_addr, ret_len, flags, FILE_IS_NONBLOCK(f), ret_file);
}

static int get_name(struct file *f, struct sockaddr_storage *ret_addr, socklen_t *ret_len, int peer)
{
	struct socket *sock;
	int len, err = sock_enter(f, &sock);

	if (err)
		return err;
	memset(ret_addr, 0, sizeof(*ret_addr));
	len = sock->ops->getname ? sock->ops->getname(sock, ret_addr, peer) : -EOPNOTSUPP;
	if (len >= 0)
		*ret_len = (socklen_t)len;
	return (int)sock_leave(sock, len < 0 ? len : 0);
}

int sys_getsockname(struct file *f, struct sockaddr_storage *ret_addr, socklen_t *ret_len)
{
	return get_name(f, ret_addr, ret_len, 0);
}

int sys_getpeername(struct file *f, struct sockaddr_storage *ret_addr, socklen_t *ret_len)
{
	return get_name(f, ret_addr, ret_len, 1);
}

#define MSG_CMSG_COMPAT 0x80000000u /* the kernel's: a 32-bit caller */

ssize_t sys_sendmsg(struct file *f, struct kmsghdr *msg)
{
	struct socket *sock;
	int err = msg->flags & MSG_CMSG_COMPAT ? -EINVAL : __sock_enter(f, &sock);

	if (unlikely(err))
		return err;
	if (FILE_IS_NONBLOCK(f))
		msg->flags |= MSG_DONTWAIT;
	return __sock_leave(sock, likely(sock->ops->sendmsg)
					  ? sock->ops->sendmsg(sock, msg, msg->iter.count)
					  : -EOPNOTSUPP);
}

#define SECTION_MESSAGES 64
#define SECTION_OCTETS   (64u << 10) /* as much is copied with the lock held */

/*
 * As many of the messages as one section of the lock takes: a driver's system call for what is on its ring is made once. One whose receiver is on this
 * cpu ends the section: what its receiver makes of it, a refusal for instance, is known before the next is sent, as on Linux. *ret_more: there are
 * more. 0 or -errno
 */
static int send_section(struct file *f, struct send_list *l, bool *ret_more)
{
	u32 room = SECTION_OCTETS, done;
	struct socket *sock;
	ssize_t n = sock_enter(f, &sock);

	*ret_more = false;
	if (n)
		return (int)n;
	sock_cpu(sock)->sent_here = false;
	for (done = 0; done < SECTION_MESSAGES && room; done++) {
		struct kmsghdr msg;
		size_t octets;

		n = l->next(l, &msg);
		if (n <= 0)
			break;
		if (FILE_IS_NONBLOCK(f))
			msg.flags |= MSG_DONTWAIT;
		octets = msg.iter.count;
		room -= (u32)min((size_t)room, octets);
		n = msg.flags & MSG_CMSG_COMPAT ? -EINVAL
		    : sock->ops->sendmsg        ? sock->ops->sendmsg(sock, &msg, msg.iter.count)
						: -EOPNOTSUPP;
		if (n < 0)
			break;
		l->sent(l, (size_t)n);
		/* As on Linux, what a stream took only a part of is the last: the next would stand where its rest belongs. */
		n = (size_t)n == octets;
		if (!n || sock_cpu(sock)->sent_here)
			break;
	}
	/* Softirqs, which have not run since the first, may make room. */
	*ret_more = n > 0 || (n == -EAGAIN && done);
	return (int)sock_leave(sock, *ret_more ? 0 : n);
}

int sys_send_list(struct file *f, struct send_list *l)
{
	bool more;
	int err;

	do
		err = send_section(f, l, &more);
	while (more && !err);
	return err;
}

ssize_t sys_recvmsg(struct file *f, struct kmsghdr *msg)
{
	struct socket *sock;
	int flags, err = msg->flags & MSG_CMSG_COMPAT ? -EINVAL : __sock_enter(f, &sock);

	if (unlikely(err))
		return err;
	flags = (int)msg->flags;
	if (FILE_IS_NONBLOCK(f))
		flags |= MSG_DONTWAIT;
	/* From here on msg->flags is what is reported. The one flag that is handed through is MSG_CMSG_CLOEXEC. */
	msg->flags = (u32)flags & MSG_CMSG_CLOEXEC;
	return __sock_leave(sock, likely(sock->ops->recvmsg)
					  ? sock->ops->recvmsg(sock, msg, msg->iter.count, flags)
					  : -EOPNOTSUPP);
}

ssize_t sys_recv_pages(struct file *f, struct kmsghdr *msg)
{
	int flags = (int)msg->flags, err;
	struct socket *sock;
	ssize_t n;

	err = sock_enter(f, &sock);
	if (err)
		return err;
	if (!sock->sk || !sock->sk->sk_prot->recv_released)
		return sock_leave(sock, -EOPNOTSUPP);
	if (FILE_IS_NONBLOCK(f))
		flags |= MSG_DONTWAIT;
	msg->flags = 0;
	n = sock->ops->recvmsg(sock, msg, msg->iter.count, flags);
	if (n > 0) {
		msg->pages->sk = sock->sk;
		sock_hold(sock->sk);
	}
	return sock_leave(sock, n);
}

void sys_put_pages(struct recv_pages *pages)
{
	struct cpu *cpu = pages->sk->sk_cpu;

	cpu_lock(cpu);
	recv_pages_put(pages);
	cpu_unlock(cpu);
}

int sys_setsockopt(struct file *f, int level, int name, const void *val, socklen_t len)
{
	struct socket *sock;
	int err;

	if ((int)len < 0)
		return -EINVAL;
	err = sock_enter(f, &sock);
	if (err)
		return err;
	if (level == SOL_SOCKET)
		err = sock_setsockopt(sock, name, val, len);
	else
		err = sock->ops->setsockopt ? sock->ops->setsockopt(sock, level, name, val, len)
					    : -EOPNOTSUPP;
	if (!err && unlikely(sock_wants_replicas(sock)))
		err = sock_replicas_setsockopt(sock, level, name, val, len);
	return (int)sock_leave(sock, err);
}

/* A negative length is EINVAL, unless nobody knows the level. */
static int getsockopt_negative(struct socket *sock, int level, int name)
{
	socklen_t none = 0;
	u8 nothing;

	if (level == SOL_SOCKET)
		return -EINVAL;
	return !sock->ops->getsockopt || sock->ops->getsockopt(sock, level, name, &nothing,
							       &none) == -EOPNOTSUPP
		       ? -EOPNOTSUPP
		       : -EINVAL;
}

int sys_getsockopt(struct file *f, int level, int name, void *val, socklen_t *len)
{
	struct socket *sock;
	int err;

	err = sock_enter(f, &sock);
	if (err)
		return err;
	if ((int)*len < 0)
		err = getsockopt_negative(sock, level, name);
	else if (level == SOL_SOCKET)
		err = sock_getsockopt(sock, name, val, len);
	else
		err = sock->ops->getsockopt ? sock->ops->getsockopt(sock, level, name, val, len)
					    : -EOPNOTSUPP;
	return (int)sock_leave(sock, err);
}

int sys_shutdown(struct file *f, int how)
{
	struct socket *sock;
	int err;

	if (how < SHUT_RD || how > SHUT_RDWR)
		return -EINVAL;
	err = sock_enter(f, &sock);
	if (err)
		return err;
	err = sock->ops->shutdown ? sock->ops->shutdown(sock, how) : -EOPNOTSUPP;
	return (int)sock_leave(sock, err);
}

static int file_set_nonblock(struct file *f, const int *on)
{
	if (*on)
		__atomic_fetch_or(&f->flags, O_NONBLOCK, __ATOMIC_RELAXED);
	else
		__atomic_fetch_and(&f->flags, ~(u32)O_NONBLOCK, __ATOMIC_RELAXED);
	return 0;
}

/* Who gets SIGIO and SIGURG: nobody, since the library knows no processes. That can be said and asked; more is refused. */
static int ioctl_owner(unsigned long cmd, int *arg)
{
	switch (cmd) {
	case FIOASYNC:
	case FIOSETOWN:
	case SIOCSPGRP:
		return *arg ? -EOPNOTSUPP : 0;
	case FIOGETOWN:
	case SIOCGPGRP:
		*arg = 0;
		return 0;
	default:
		return -ENOIOCTLCMD;
	}
}

int sys_ioctl(struct file *f, unsigned long cmd, void *arg)
{
	struct socket *sock;
	struct net *net;
	int err;

	if (cmd == FIONBIO)
		return file_set_nonblock(f, arg);
	err = ioctl_owner(cmd, arg);
	if (err != -ENOIOCTLCMD)
		return err;
	err = sock_enter(f, &sock);
	if (err)
		return err;
	err = sock->ops->ioctl ? sock->ops->ioctl(sock, (unsigned)cmd, arg) : -ENOIOCTLCMD;
	if (err == -ENOIOCTLCMD) {
		/* Requests about devices take rtnl, which comes before a cpu lock. The net cannot go: we are inflight. */
		net = net_lead(sock->net);
		cpu_unlock(sock_cpu(sock));
		err = dev_ioctl(net, (unsigned)cmd, arg);
		cpu_lock(sock_cpu(sock));
		if (err == -ENOIOCTLCMD)
			err = -ENOTTY;
	}
	return (int)sock_leave(sock, err);
}
