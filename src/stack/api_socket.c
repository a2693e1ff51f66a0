/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * api_socket.c - the POSIX socket calls of the embedding API on files
 *
 * Each call holds a reference of its own on the file, so that another thread may close it meanwhile.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>

#include "core/net_group.h"
#include "core/recv_pages.h"
#include "packet/packet.h"
#include "socket/socket.h"
#include "stack/stack.h"
#include "unix/unix.h"

/* Runs @expr on file f with a reference held. */
#define WITH_FILE(wf, type, expr)                                                                  \
	({                                                                                         \
		struct file *f = file_get(file_of(wf));                                            \
		type ret_ = (expr);                                                                \
		file_put(f);                                                                       \
		ret_;                                                                              \
	})

static int socket_in(struct net *net, int domain, int type, int protocol,
		     struct weir_file **ret_file)
{
	struct file *f;
	int err = sock_create_file(net, domain, type, protocol, &f);

	if (!err)
		*ret_file = to_weir_file(f);
	return err;
}

/* Sockets that may be on any cpu of their net. */
static bool is_tcp(int domain, int type, int protocol)
{
	return (domain == AF_INET || domain == AF_INET6) && (type & 0xf) == SOCK_STREAM &&
	       (!protocol || protocol == IPPROTO_TCP);
}

static bool is_udp(int domain, int type, int protocol)
{
	return (domain == AF_INET || domain == AF_INET6) && (type & 0xf) == SOCK_DGRAM &&
	       (!protocol || protocol == IPPROTO_UDP);
}

int weir_socket(struct weir_net *wn, int domain, int type, int protocol,
		struct weir_file **ret_file)
{
	struct net *net = net_of(wn);

	if (unlikely(net->group) && is_tcp(domain, type, protocol))
		net = net_group_next(net);
	return socket_in(net, domain, type, protocol, ret_file);
}

int weir_socket_on(struct weir_net *wn, uint32_t cpu, int domain, int type, int protocol,
		   struct weir_file **ret_file)
{
	struct net *net = net_of(wn);

	if (cpu >= (net->group ? net->group->n : 1))
		return -EINVAL;
	if (net->group)
		net = net->group->shards[cpu];
	if (!net_is_lead(net) && !is_tcp(domain, type, protocol) && !is_udp(domain, type, protocol))
		return -EOPNOTSUPP;
	return socket_in(net, domain, type, protocol, ret_file);
}

int weir_socketpair(struct weir_net *net, int domain, int type, int protocol,
		    struct weir_file *ret_files[2])
{
	struct file *f[2];
	int err = sys_socketpair(net_of(net), domain, type, protocol, f);

	if (!err) {
		ret_files[0] = to_weir_file(f[0]);
		ret_files[1] = to_weir_file(f[1]);
	}
	return err;
}

int weir_close(struct weir_file *f)
{
	if (!f)
		return -EBADF;
	file_close(file_of(f));
	return 0;
}

struct weir_file *weir_file_get(struct weir_file *f)
{
	return to_weir_file(file_dup(file_of(f)));
}

int weir_bind(struct weir_file *wf, const struct sockaddr *addr, socklen_t len)
{
	return WITH_FILE(wf, int, sys_bind(f, addr, len));
}

int weir_listen(struct weir_file *wf, int backlog)
{
	return WITH_FILE(wf, int, sys_listen(f, backlog));
}

int weir_connect(struct weir_file *wf, const struct sockaddr *addr, socklen_t len)
{
	return WITH_FILE(wf, int, sys_connect(f, addr, len));
}

/* As Linux's move_addr_to_user(): copies what fits, and tells how long the address is. */
static int give_address(const struct sockaddr_storage *ss, socklen_t have, struct sockaddr *addr,
			socklen_t *len)
{
	if (!addr || !len)
		return 0;
	if ((int)*len < 0)
		return -EINVAL;
	memcpy(addr, ss, min(*len, have));
	*len = have;
	return 0;
}

int weir_accept(struct weir_file *wf, struct sockaddr *addr, socklen_t *len, int flags,
		struct weir_file **ret_file)
{
	struct sockaddr_storage ss;
	socklen_t have = 0;
	struct file *newf;
	int err = WITH_FILE(wf, int, sys_accept4(f, addr ? &ss : NULL, &have, flags, &newf));

	if (err)
		return err;
	err = give_address(&ss, have, addr, len);
	if (err)
		file_close(newf);
	else
		*ret_file = to_weir_file(newf);
	return err;
}

int weir_getsockname(struct weir_file *wf, struct sockaddr *addr, socklen_t *len)
{
	struct sockaddr_storage ss;
	socklen_t have;
	int err = WITH_FILE(wf, int, sys_getsockname(f, &ss, &have));

	return err ? err : give_address(&ss, have, addr, len);
}

int weir_getpeername(struct weir_file *wf, struct sockaddr *addr, socklen_t *len)
{
	struct sockaddr_storage ss;
	socklen_t have;
	int err = WITH_FILE(wf, int, sys_getpeername(f, &ss, &have));

	return err ? err : give_address(&ss, have, addr, len);
}

int weir_setsockopt(struct weir_file *wf, int level, int name, const void *val, socklen_t len)
{
	return WITH_FILE(wf, int, sys_setsockopt(f, level, name, val, len));
}

int weir_getsockopt(struct weir_file *wf, int level, int name, void *val, socklen_t *len)
{
	return WITH_FILE(wf, int, sys_getsockopt(f, level, name, val, len));
}

int weir_shutdown(struct weir_file *wf, int how)
{
	return WITH_FILE(wf, int, sys_shutdown(f, how));
}

/* ---- data ---------------------------------------------------------------------------------------------- */

#define RW_MAX 0x7ffff000 /* what one call of Linux moves at most: read(2) */

/* The octets of @n pieces, as many as one call moves; -EINVAL when there are too many. */
static ssize_t iov_total(const struct iovec *iov, size_t n)
{
	size_t total = 0;

	if (n > IOV_MAX)
		return -EINVAL;
	for (size_t i = 0; i < n; i++) {
		if (iov[i].iov_len > (size_t)SSIZE_MAX - total)
			return -EINVAL;
		total += iov[i].iov_len;
	}
	return (ssize_t)min(total, (size_t)RW_MAX);
}

static ssize_t rw(struct weir_file *wf, const struct iovec *iov, int n, bool write)
{
	struct kmsghdr msg = { 0 };
	ssize_t total = n < 0 ? -EINVAL : iov_total(iov, (size_t)n);

	if (total < 0)
		return total;
	iov_iter_init(&msg.iter, iov, (u32)n, (size_t)total);
	return WITH_FILE(
		wf, ssize_t,
		write ? (f->ops->write_iter ? f->ops->write_iter(f, &msg, (size_t)total) : -EINVAL)
		      : (f->ops->read_iter ? f->ops->read_iter(f, &msg, (size_t)total) : -EINVAL));
}

ssize_t weir_read(struct weir_file *wf, void *buf, size_t n)
{
	struct iovec iov = { buf, n };

	return rw(wf, &iov, 1, false);
}

ssize_t weir_write(struct weir_file *wf, const void *buf, size_t n)
{
	struct iovec iov = { (void *)buf, n };

	return rw(wf, &iov, 1, true);
}

ssize_t weir_readv(struct weir_file *wf, const struct iovec *iov, int n)
{
	return rw(wf, iov, n, false);
}

ssize_t weir_writev(struct weir_file *wf, const struct iovec *iov, int n)
{
	return rw(wf, iov, n, true);
}

/* A program's message as the stack takes it; @ss: room for its address. 0 or -errno */
static int take_msghdr(const struct msghdr *msg, int flags, struct sockaddr_storage *ss,
		       struct kmsghdr *k)
{
	ssize_t total =
		msg->msg_iovlen > IOV_MAX ? -EMSGSIZE : iov_total(msg->msg_iov, msg->msg_iovlen);

	if (total < 0)
		return (int)total;
	*k = (struct kmsghdr){ .control = msg->msg_control,
			       .controllen = msg->msg_control ? msg->msg_controllen : 0,
			       .flags = (u32)flags };
	if (msg->msg_name && msg->msg_namelen) {
		if ((int)msg->msg_namelen < 0)
			return -EINVAL;
		k->namelen = min(msg->msg_namelen, (socklen_t)sizeof(*ss));
		memset(ss, 0, sizeof(*ss));
		memcpy(ss, msg->msg_name, k->namelen);
		k->name = ss;
	}
	iov_iter_init(&k->iter, msg->msg_iov, (u32)msg->msg_iovlen, (size_t)total);
	return 0;
}

ssize_t weir_sendmsg(struct weir_file *wf, const struct msghdr *msg, int flags)
{
	struct sockaddr_storage ss;
	struct kmsghdr k;
	int err = take_msghdr(msg, flags, &ss, &k);

	return err ? err : WITH_FILE(wf, ssize_t, sys_sendmsg(f, &k));
}

#define MMSG_MAX 1024u /* UIO_MAXIOV: sendmmsg(2) */

struct mmsg_list {
	struct send_list list;
	struct mmsghdr *msgs;
	unsigned n, done;
	int flags;
	struct sockaddr_storage ss; /* of the one that is being sent */
};

static int mmsg_next(struct send_list *l, struct kmsghdr *k)
{
	struct mmsg_list *m = container_of(l, struct mmsg_list, list);
	int err;

	if (m->done == m->n)
		return 0;
	err = take_msghdr(&m->msgs[m->done].msg_hdr, m->flags, &m->ss, k);
	return err ? err : 1;
}

static void mmsg_sent(struct send_list *l, size_t n)
{
	struct mmsg_list *m = container_of(l, struct mmsg_list, list);

	m->msgs[m->done++].msg_len = (unsigned)n;
}

int weir_sendmmsg(struct weir_file *wf, struct mmsghdr *msgs, unsigned n, int flags)
{
	struct mmsg_list m = { .list = { .next = mmsg_next, .sent = mmsg_sent },
			       .msgs = msgs,
			       .n = min(n, MMSG_MAX),
			       .flags = flags };
	int err = WITH_FILE(wf, int, sys_send_list(f, &m.list));

	return m.done ? (int)m.done : err;
}

#define RECV_PIECES_MAX 1024

ssize_t weir_recv_zc(struct weir_file *wf, struct iovec *iov, int *nr_iov, size_t n, int flags,
		     struct weir_recv_hold **ret_hold)
{
	struct kmsghdr k = { .flags = (u32)flags, .iter.count = min(n, (size_t)SSIZE_MAX) };
	ssize_t r;

	if (*nr_iov <= 0 || *nr_iov > RECV_PIECES_MAX || flags & ~MSG_DONTWAIT)
		return -EINVAL;
	k.pages = recv_pages_alloc(iov, (u32)*nr_iov);
	if (!k.pages)
		return -ENOMEM;
	r = WITH_FILE(wf, ssize_t, sys_recv_pages(f, &k));
	if (r <= 0) {
		recv_pages_put(k.pages);
		return r;
	}
	*nr_iov = (int)k.pages->nr_iov;
	*ret_hold = (struct weir_recv_hold *)k.pages;
	return r;
}

void weir_recv_release(struct weir_recv_hold *hold)
{
	if (hold)
		sys_put_pages((struct recv_pages *)hold);
}

ssize_t weir_recvmsg(struct weir_file *wf, struct msghdr *msg, int flags)
{
	struct sockaddr_storage ss;
	struct kmsghdr k = { .control = msg->msg_control,
			     .controllen = msg->msg_control ? msg->msg_controllen : 0,
			     .flags = (u32)flags };
	ssize_t n, total = msg->msg_iovlen > IOV_MAX ? -EMSGSIZE
						     : iov_total(msg->msg_iov, msg->msg_iovlen);

	if (total < 0)
		return total;
	if (msg->msg_name && (int)msg->msg_namelen < 0)
		return -EINVAL;
	k.name = msg->msg_name ? &ss : NULL;
	iov_iter_init(&k.iter, msg->msg_iov, (u32)msg->msg_iovlen, (size_t)total);
	n = WITH_FILE(wf, ssize_t, sys_recvmsg(f, &k));
	if (n < 0)
		return n;
	if (msg->msg_name) {
		memcpy(msg->msg_name, &ss, min(msg->msg_namelen, k.namelen));
		msg->msg_namelen = k.namelen;
	}
	msg->msg_controllen = k.control_used;
	msg->msg_flags = (int)k.flags;
	return n;
}

ssize_t weir_send(struct weir_file *f, const void *buf, size_t n, int flags)
{
	return weir_sendto(f, buf, n, flags, NULL, 0);
}

ssize_t weir_recv(struct weir_file *f, void *buf, size_t n, int flags)
{
	return weir_recvfrom(f, buf, n, flags, NULL, NULL);
}

ssize_t weir_sendto(struct weir_file *wf, const void *buf, size_t n, int flags,
		    const struct sockaddr *addr, socklen_t len)
{
	struct iovec iov = { (void *)buf, n };
	struct msghdr msg;
	struct kmsghdr k;

	/* Without an address there is nothing in a message but its octets. */
	if (addr || n > RW_MAX) {
		msg = (struct msghdr){ .msg_name = (void *)addr,
				       .msg_namelen = addr ? len : 0,
				       .msg_iov = &iov,
				       .msg_iovlen = 1 };
		return weir_sendmsg(wf, &msg, flags);
	}
	k = (struct kmsghdr){ .flags = (u32)flags };
	iov_iter_init(&k.iter, &iov, 1, n);
	return WITH_FILE(wf, ssize_t, sys_sendmsg(f, &k));
}

ssize_t weir_recvfrom(struct weir_file *wf, void *buf, size_t n, int flags, struct sockaddr *addr,
		      socklen_t *len)
{
	struct iovec iov = { buf, n };
	struct msghdr msg;
	struct kmsghdr k;
	ssize_t r;

	if (addr || n > RW_MAX) {
		msg = (struct msghdr){ .msg_name = addr && len ? addr : NULL,
				       .msg_namelen = addr && len ? *len : 0,
				       .msg_iov = &iov,
				       .msg_iovlen = 1 };
		r = weir_recvmsg(wf, &msg, flags);
		if (r >= 0 && addr && len)
			*len = msg.msg_namelen;
		return r;
	}
	k = (struct kmsghdr){ .flags = (u32)flags };
	iov_iter_init(&k.iter, &iov, 1, n);
	return WITH_FILE(wf, ssize_t, sys_recvmsg(f, &k));
}

/* ---- the file ------------------------------------------------------------------------------------------ */

int weir_ioctl(struct weir_file *wf, unsigned long cmd, void *arg)
{
	return WITH_FILE(wf, int, f->ops->ioctl ? f->ops->ioctl(f, cmd, arg) : -ENOTTY);
}

int weir_fcntl(struct weir_file *wf, int cmd, int arg)
{
	struct file *f = file_of(wf);

	switch (cmd) {
	case F_GETFL:
		return O_RDWR | (int)__atomic_load_n(&f->flags, __ATOMIC_RELAXED);
	case F_SETFL:
		if (arg & O_NONBLOCK)
			__atomic_fetch_or(&f->flags, O_NONBLOCK, __ATOMIC_RELAXED);
		else
			__atomic_fetch_and(&f->flags, ~(u32)O_NONBLOCK, __ATOMIC_RELAXED);
		return 0;
	default:
		return -EINVAL;
	}
}

int weir_packet_ring_fd(struct weir_file *wf, int *ret_fd, size_t *ret_size)
{
	return WITH_FILE(wf, int, packet_ring_fd(f, ret_fd, ret_size));
}

int weir_unix_unlink(struct weir_net *net, const char *path)
{
	return unix_unlink(net_of(net), path);
}

uint64_t weir_cookie(const struct weir_file *f)
{
	socklen_t len = sizeof(uint64_t);
	uint64_t cookie = 0;

	return weir_getsockopt((struct weir_file *)f, SOL_SOCKET, SO_COOKIE, &cookie, &len)
		       ? 0
		       : cookie;
}

uint64_t weir_inode(const struct weir_file *f)
{
	return file_is_socket(file_of(f)) ? file_socket(file_of(f))->inode.ino : 0;
}

void weir_set_inode(struct weir_file *wf, uint64_t ino, uint32_t uid)
{
	struct file *f = file_of(wf);
	struct socket *sock = file_socket(f);

	if (!file_is_socket(f))
		return;
	cpu_lock(sock_cpu(sock));
	sock->inode.ino = ino;
	sock->inode.uid = uid;
	if (sock->sk)
		sock->sk->sk_uid = uid;
	cpu_unlock(sock_cpu(sock));
}
