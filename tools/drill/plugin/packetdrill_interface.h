/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * packetdrill_interface.h - what packetdrill asks of a stack in a shared object (--so_filename)
 *
 * Our own declaration of the structure that the tool hands to packetdrill_interface_init(): the members' order and types are the interface.
 * Functions behave as the system calls of their names: -1 and errno on failure.
 */
#ifndef WEIR_DRILL_PACKETDRILL_INTERFACE_H
#define WEIR_DRILL_PACKETDRILL_INTERFACE_H

#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/uio.h>

struct packetdrill_interface {
	void *user; /* first argument of every function */
	void (*free)(void *user);
	int (*socket)(void *user, int domain, int type, int protocol);
	int (*bind)(void *user, int fd, const struct sockaddr *addr, socklen_t len);
	int (*listen)(void *user, int fd, int backlog);
	int (*accept)(void *user, int fd, struct sockaddr *addr, socklen_t *len);
	int (*connect)(void *user, int fd, const struct sockaddr *addr, socklen_t len);
	ssize_t (*read)(void *user, int fd, void *buf, size_t n);
	ssize_t (*readv)(void *user, int fd, const struct iovec *iov, int n);
	ssize_t (*recv)(void *user, int fd, void *buf, size_t n, int flags);
	ssize_t (*recvfrom)(void *user, int fd, void *buf, size_t n, int flags,
			    struct sockaddr *addr, socklen_t *len);
	ssize_t (*recvmsg)(void *user, int fd, struct msghdr *msg, int flags);
	ssize_t (*write)(void *user, int fd, const void *buf, size_t n);
	ssize_t (*writev)(void *user, int fd, const struct iovec *iov, int n);
	ssize_t (*send)(void *user, int fd, const void *buf, size_t n, int flags);
	ssize_t (*sendto)(void *user, int fd, const void *buf, size_t n, int flags,
			  const struct sockaddr *addr, socklen_t len);
	ssize_t (*sendmsg)(void *user, int fd, const struct msghdr *msg, int flags);
	int (*fcntl)(void *user, int fd, int cmd, ...);
	int (*ioctl)(void *user, int fd, unsigned long cmd, ...);
	int (*close)(void *user, int fd);
	int (*shutdown)(void *user, int fd, int how);
	int (*getsockopt)(void *user, int fd, int level, int name, void *val, socklen_t *len);
	int (*setsockopt)(void *user, int fd, int level, int name, const void *val, socklen_t len);
	int (*poll)(void *user, struct pollfd *fds, nfds_t n, int timeout);
	/* An IP packet comes in. */
	int (*netdev_send)(void *user, const void *packet, size_t len);
	/* The next packet that leaves. *@len: room in @buf; the packet's length after the call, 0: none. *@usec: when it left */
	int (*netdev_receive)(void *user, void *buf, size_t *len, long long *usec);
	int (*usleep)(void *user, useconds_t usec);
	int (*gettimeofday)(void *user, struct timeval *tv, struct timezone *tz);
	int (*epoll_create)(void *user, int size);
	int (*epoll_ctl)(void *user, int epfd, int op, int fd, struct epoll_event *ev);
	int (*epoll_wait)(void *user, int epfd, struct epoll_event *evs, int max, int timeout);
	int (*pipe)(void *user, int fds[2]);
	int (*splice)(void *user, int in, loff_t *in_off, int out, loff_t *out_off, size_t n,
		      unsigned flags);
};

/* @flags: what --so_flags says, or NULL. Exits with a sentence if it makes no sense: there is no way to say so to the tool. */
void packetdrill_interface_init(const char *flags, struct packetdrill_interface *ifc);

#endif
