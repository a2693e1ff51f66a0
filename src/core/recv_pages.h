/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * recv_pages.h - receiving without copying: where the octets of a stream lie, and the packets that keep them there
 *
 * Theory of operation
 *   A recvmsg() with kmsghdr.pages describes pieces of its packets instead of copying them, and takes a reference to each packet. The stream goes on as
 *   if they had been read. The packets stay charged to the sock (sk_rmem_alloc), so that a program that keeps them closes its own window and can
 *   never hold more than its receive buffer, until recv_pages_put() gives them back.
 * Locking: the sock's home cpu's lock.
 */
#ifndef WEIR_CORE_RECV_PAGES_H
#define WEIR_CORE_RECV_PAGES_H

#include "core/sock.h"

struct recv_pages {
	struct sock *sk; /* held */
	struct iovec *iov;
	u32 nr_iov, max_iov;
	u32 nr_skbs; /* at most max_iov */
	struct sk_buff *skb[];
};

struct recv_pages *recv_pages_alloc(struct iovec *iov, u32 max_iov); /* NULL: no memory */
/* Adds up to @len octets of @skb from @off on. Octets; 0: no piece is left. */
u32 recv_pages_add(struct recv_pages *p, struct sk_buff *skb, u32 off, u32 len);
/* Everything goes back, and the peer may hear of the room. cpu lock held if there is a sock. */
void recv_pages_put(struct recv_pages *p);

#endif
