/* SPDX-License-Identifier: BSD-2-Clause */
/* zerocopy.h - MSG_ZEROCOPY: fragments that are a program's memory, and the message that they are not needed any more */
#ifndef WEIR_CORE_ZEROCOPY_H
#define WEIR_CORE_ZEROCOPY_H

#include "core/sock.h"

/* One send call. */
struct zerocopy {
	struct sk_buff *uarg; /* NULL: nothing to be told */
	struct page *page;    /* of the piece of the program's memory that was used last */
};

int __zerocopy_begin(struct zerocopy *zc, struct sock *sk);
/* @flags: MSG_*. 0, or -ENOBUFS. */
static inline int zerocopy_begin(struct zerocopy *zc, struct sock *sk, u32 flags)
{
	*zc = (struct zerocopy){ NULL, NULL };
	return unlikely(flags & MSG_ZEROCOPY) ? __zerocopy_begin(zc, sk) : 0;
}
/* Appends up to @len octets of the program's memory itself to @skb. Octets (0: no free fragment slot), or -ENOMEM. */
s64 zerocopy_append(struct zerocopy *zc, struct sk_buff *skb, struct iov_iter *from, u32 len);
void __zerocopy_end(struct zerocopy *zc, bool used);
/* @used: something was sent. */
static inline void zerocopy_end(struct zerocopy *zc, bool used)
{
	if (unlikely(zc->uarg))
		__zerocopy_end(zc, used);
}
void __zerocopy_was_copied(struct zerocopy *zc);
/* What a call has sent was copied after all: that is told. */
static inline void zerocopy_was_copied(struct zerocopy *zc)
{
	if (unlikely(zc->uarg))
		__zerocopy_was_copied(zc);
}

/* Their memory as skb->zerocopy of the shared info says: a copy of it, for who keeps it. borrow; NULL: no memory */
struct sk_buff *__skb_copy_zerocopy(const struct sk_buff *skb);
struct sk_buff *__skb_orphan_frags_rx(struct sk_buff *skb);

/* A clone for somebody who may keep it for long (taps, error queues). borrow; NULL: no memory */
static inline struct sk_buff *skb_clone_to_keep(const struct sk_buff *skb)
{
	return unlikely(skb_shinfo(skb)->zerocopy) ? __skb_copy_zerocopy(skb) : skb_clone(skb);
}
/* transform: what comes in has no memory of a sender's program, which waits for it. NULL: consumed, no memory */
static inline struct sk_buff *skb_orphan_frags_rx(struct sk_buff *skb)
{
	return unlikely(skb_shinfo(skb)->zerocopy) ? __skb_orphan_frags_rx(skb) : skb;
}

#endif
