/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * socket_internal.h - shared by the files of this folder
 */
#ifndef WEIR_SOCKET_SOCKET_INTERNAL_H
#define WEIR_SOCKET_SOCKET_INTERNAL_H

#include <pthread.h>

#include "core/busy_poll.h"
#include "core/machine.h"
#include "socket/socket.h"

struct net_device;

struct machine_sock {
	pthread_mutex_t
		epoll_mutex;        /* which files are watched by which epoll; before any ep->mtx */
	pthread_mutex_t files_lock; /* leaf: what is open and on no net's list */
	struct list_head dead_sockets; /* struct socket.net_node: files whose net is gone */
	struct list_head epolls;
	struct list_head pipes;            /* struct pipe.node; files_lock */
	struct list_head retired;          /* struct file_batch.node; files_lock */
	struct list_head retired_replicas; /* struct sock_replicas.node; files_lock */
	bool have_retired;                 /* atomic hint: the list is not empty */
	u32 busy_read, busy_poll;          /* us: net.core.busy_read, busy_poll; atomic */
	bool putting;                      /* files_lock: a thread empties the list */
};

/* file.c */
void __file_batches_put(struct machine *m);
/* Gives back what was retired. No lock is held. */
static inline void file_batches_put(struct machine *m)
{
	if (unlikely(__atomic_load_n(&m->sock->have_retired, __ATOMIC_RELAXED)))
		__file_batches_put(m);
}

/* poll.c: what poll(2) and epoll_wait(2) spend on looking before they sleep */
struct busy_poll machine_busy_poll(const struct machine *m);

/* socket.c */
struct socket *sock_alloc(struct net *net, u16 type); /* slab_free(); NULL: no memory */
void sock_attach_wq(struct socket *sock);

/* syscalls.c */
/* Begins and ends a call on @f's socket: 0, -ENOTSOCK, -EBADF or -ENETDOWN. With 0 the home cpu is locked. */
int sock_enter(struct file *f, struct socket **ret_sock);
ssize_t sock_leave(struct socket *sock, ssize_t ret);

/* ethtool_ioctl.c: SIOCETHTOOL; @arg: the structure that begins with the command. rtnl held, the cpu lock not */
int dev_ethtool(struct net_device *dev, void *arg);

/* eventpoll.c: one of the epolls that are open, or NULL */
struct file *eventpoll_first(struct machine *m);

#endif
