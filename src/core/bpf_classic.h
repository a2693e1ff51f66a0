/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bpf_classic.h - socket filters in classic BPF: verified once, then run on packets
 *
 * See bpf_classic.c for what the verifier promises.
 */
#ifndef WEIR_CORE_BPF_CLASSIC_H
#define WEIR_CORE_BPF_CLASSIC_H

#include <linux/filter.h>

#include "lib/types.h"

struct sk_buff;

struct bpf_prog {
	u32 refcount; /* the cpu lock of the socks that use it, which share one */
	u32 len;
	struct sock_filter insns[];
};

/* 0, or -EINVAL as Linux's verifier says. */
int bpf_check_classic(const struct sock_filter *insns, u32 len);
/* Copies and verifies; *ret_prog has one reference. 0, -EINVAL, -ENOMEM. */
int bpf_prog_create(const struct sock_filter *insns, u32 len, struct bpf_prog **ret_prog);
static inline struct bpf_prog *bpf_prog_get(struct bpf_prog *prog)
{
	prog->refcount++;
	return prog;
}
void bpf_prog_put(struct bpf_prog *prog); /* NULL is fine */

/* borrow; runs a verified program on the packet that begins @off octets behind skb->data (negative: in front of it). Returns how many
 * octets to keep, 0: none; of a SO_REUSEPORT group: which member. Cpu lock held. */
u32 bpf_prog_run(const struct bpf_prog *prog, const struct sk_buff *skb, int off);

#endif
