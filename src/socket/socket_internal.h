/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * socket_internal.h - shared by the files of this folder
 */
#ifndef WEIR_SOCKET_SOCKET_INTERNAL_H
#define WEIR_SOCKET_SOCKET_INTERNAL_H

#include <pthread.h>

#include "core/machine.h"
#include "socket/socket.h"

struct machine_sock {
	pthread_mutex_t epoll_mutex; /* which files are watched by which epoll; before any ep->mtx */
	pthread_mutex_t files_lock;  /* leaf */
	struct list_head files;      /* struct file.node: all that are open */
};

/* file.c: off the list of the machine, for what is freed without file_put() */
void file_unlist(struct file *f);

/* socket.c */
struct socket *sock_alloc(struct net *net, u16 type); /* cpu lock not needed; NULL: no memory */
/* Frees a socket that never had a sock. */
void sock_discard(struct socket *sock);
void sock_attach_wq(struct socket *sock);
/* Begins and ends a call on @f's socket: 0, -ENOTSOCK, -EBADF or -ENETDOWN. With 0 the home cpu is locked. */
int sock_enter(struct file *f, struct socket **ret_sock);
ssize_t sock_leave(struct socket *sock, ssize_t ret);

#endif
