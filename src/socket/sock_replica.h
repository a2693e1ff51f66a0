/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sock_replica.h - a bound connection-oriented socket of a net on several cpus has a replica on each of the others
 *
 * Theory of operation
 *   A replica is a socket like others, of another shard (core/net_group.h), that nobody but its main socket knows. It is bound as the main
 *   one is, so that each shard by itself finds all conflicts, and listens when that listens, so that each cpu has request and accept
 *   queues of its own. Options that were set before bind(2) are remembered and set on the replicas too; later ones are set on all.
 *   accept(2) takes from the own queue first and then from those that have said they have something; what comes of it is a socket of
 *   the shard that its flow belongs to.
 * Invariants
 *   sk_rare->replicas is NULL, or complete. ready has a bit for each replica whose accept queue is not empty.
 * Locking: the main socket's cpu lock guards its set; a replica's wake-up comes under its own. Functions marked * drop the main one's.
 */
#ifndef WEIR_SOCKET_SOCK_REPLICA_H
#define WEIR_SOCKET_SOCK_REPLICA_H

#include "socket/socket.h"

/* Does @sock need replicas when it is bound? */
bool sock_wants_replicas(const struct socket *sock);
/*
 * * Between these two nobody else in the net gets or loses replicas: of two sockets that want what only one can have, on different cpus, each would
 * find the other's way barred by its own beginning, and neither would get it. Who fails gives up what it has before the second.
 */
void sock_replicas_lock(struct socket *sock);
void sock_replicas_unlock(struct socket *sock);
/* * @sock, which has a port, gets its replicas. 0, -EADDRINUSE: a shard has a conflict; -ENOMEM */
int sock_replicas_bind(struct socket *sock);
int sock_replicas_listen(struct socket *sock, int backlog); /* * 0 or -errno */
/* They are closed when the call leaves the stack. */
void sock_replicas_end(struct socket *sock);
/* Has a replica a connection for accept(2)? */
bool sock_replicas_ready(const struct sock *sk);
/* For syscalls.c. * An option was set on @sock. 0 or -errno */
int sock_replicas_setsockopt(struct socket *sock, int level, int name, const void *val,
			     socklen_t len);
/* No lock held. As accept4(2), from a replica only and without waiting: -EAGAIN: no one has any */
int sock_replicas_accept(struct file *f, struct sockaddr_storage *ret_addr, socklen_t *ret_len,
			 int flags, struct file **ret_file);
/* For file_batches_put(): no lock held. */
void sock_replicas_put(struct machine *m);
void sock_option_log_free(struct sock *sk);

#endif
