/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sock_reuseport.h - sockets that share an address and port by SO_REUSEPORT, and which of them a packet is for
 *
 * See sock_reuseport.c. Locking: the home cpu's lock.
 */
#ifndef WEIR_CORE_SOCK_REUSEPORT_H
#define WEIR_CORE_SOCK_REUSEPORT_H

#include "core/sock.h"

struct bpf_prog;

struct sock_reuseport {
	u32 num_socks, max_socks;
	struct bpf_prog *prog; /* NULL: the flow's hash decides */
	struct sock **
		socks; /* in the order in which they joined, but for holes: see reuseport_detach_sock() */
};

static inline struct sock_reuseport *sk_reuseport_cb(const struct sock *sk)
{
	return sk->sk_rare ? sk->sk_rare->reuseport_cb : NULL;
}
/* @sk gets a group of its own, or keeps it. 0 or -ENOMEM. */
int reuseport_alloc(struct sock *sk);
/* @sk joins the group of @sk2 (which gets one if it has none) and gives up its own, with its program. 0, -ENOMEM; -EBUSY: @sk shares
 * with others already. */
int reuseport_add_sock(struct sock *sk, struct sock *sk2);
void reuseport_detach_sock(struct sock *sk); /* without a group: nothing happens */

/* The member of @sk's group that a packet is for: @hash is that of its flow. The group's program, if any, sees the packet @skb from @hdr_len
 * octets behind data on; @skb NULL: there is none to be seen, the hash decides. NULL: @sk has no group, or all are connected. borrow */
struct sock *reuseport_select_sock(struct sock *sk, u32 hash, const struct sk_buff *skb,
				   u32 hdr_len);

/* Takes over the reference to @prog on success. 0, -ENOMEM; -EINVAL: not a socket that shares. */
int reuseport_attach_prog(struct sock *sk, struct bpf_prog *prog);
/* 0, -ENOENT: there is no program, -EINVAL */
int reuseport_detach_prog(struct sock *sk);

#endif
