/* SPDX-License-Identifier: BSD-2-Clause */
/* recv_pages.c - receiving without copying (recv_pages.h) */
#include "core/recv_pages.h"

#include <errno.h>
#include <stdlib.h>

#include "core/cpu.h"

struct recv_pages *recv_pages_alloc(struct iovec *iov, u32 max_iov)
{
	struct recv_pages *p = calloc(1, sizeof(*p) + max_iov * sizeof(p->skb[0]));

	if (p) {
		p->iov = iov;
		p->max_iov = max_iov;
	}
	return p;
}

struct piece_walk {
	struct recv_pages *p;
	u32 octets;
};

static int visit_piece(void *ctx, u8 *octets, u32 n, u32 pos)
{
	struct piece_walk *w = ctx;

	(void)pos;
	if (w->p->nr_iov == w->p->max_iov)
		return -ENOSPC;
	w->p->iov[w->p->nr_iov++] = (struct iovec){ octets, n };
	w->octets += n;
	return 0;
}

u32 recv_pages_add(struct recv_pages *p, struct sk_buff *skb, u32 off, u32 len)
{
	struct piece_walk w = { p, 0 };

	/* What does not fit is for the next call. */
	(void)skb_walk(skb, off, len, visit_piece, &w);
	if (w.octets && (!p->nr_skbs || p->skb[p->nr_skbs - 1] != skb))
		p->skb[p->nr_skbs++] = skb_get(skb);
	return w.octets;
}

void recv_pages_put(struct recv_pages *p)
{
	struct sock *sk = p->sk;

	for (u32 i = 0; i < p->nr_skbs; i++)
		consume_skb(p->skb[i]);
	if (sk) {
		lock_assert_held(sk->sk_cpu);
		if (p->nr_skbs)
			sk->sk_prot->recv_released(sk);
		sock_put(sk);
	}
	free(p);
}
