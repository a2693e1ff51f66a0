/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * zerocopy.c - MSG_ZEROCOPY: fragments that are a program's memory, and the message that they are not needed any more
 *
 * Theory of operation
 *   A send call has an skb without octets (the uarg) that becomes its message in the error queue; struct ubuf_info in its cb counts who
 *   needs it: the call itself, and each struct page that stands for a piece of the program's memory. Such a page lies in a slot of
 *   the arena, its octets do not (page->release). Fragments refer to it as to any page, also those of clones and segments; when the
 *   last is gone (acknowledged, and no clone under way), the page gives back the uarg, and the last page queues the message.
 *   Calls are numbered; messages that follow each other become one range. Until its message is read a uarg counts against
 *   net.core.optmem_max: a program that reads none cannot have any number of calls under way.
 *   Who keeps a packet for as long as it likes must not keep a program waiting: what enters a stack, a tap or an error queue is
 *   copied, which the message then says (SO_EE_CODE_ZEROCOPY_COPIED). skb_shinfo()->zerocopy tells that there may be such fragments.
 * Invariants
 *   A uarg holds its sock. Its pages and the sock belong to one cpu: what crosses to another is copied (skb_migrate()).
 *   The program may write to its memory at any time: nothing in the stack relies on octets staying as they are.
 * Locking: the home cpu's lock.
 */
#include "core/zerocopy.h"

#include <errno.h>

#include "core/cpu.h"
#include "core/netdevice.h"

#define PIECE_MAX (1u << 30) /* octets that one page stands for */

struct ubuf_info { /* in the cb of a uarg */
	struct sock *sk;
	u32 refcount;
	u32 id;
	bool copied;
};
#define UBUF(skb) ((struct ubuf_info *)(skb)->cb)
static_assert(sizeof(struct ubuf_info) <= SKB_CB_SIZE, "cb");

/* ---- the message ---------------------------------------------------------------------------------------- */

/* Does the message of call @id fit behind the range that @last tells of? */
static bool range_extend(struct sk_buff *last, u32 id, bool copied)
{
	struct sock_extended_err *ee;

	if (!last)
		return false;
	ee = &SOCK_ERR_CB(last)->ee;
	if (ee->ee_origin != SO_EE_ORIGIN_ZEROCOPY || ee->ee_data + 1 != id ||
	    (ee->ee_code == SO_EE_CODE_ZEROCOPY_COPIED) != copied)
		return false;
	ee->ee_data = id;
	return true;
}

/* Consumes. Not lost for want of receive buffer: the program would wait for ever. */
static void complete(struct sk_buff *uarg)
{
	const struct ubuf_info u = *UBUF(uarg);
	struct sk_buff_head *q = &u.sk->sk_rare->error_queue;

	if (sock_flag(u.sk, SOCK_DEAD)) {
		consume_skb(uarg);
	} else if (range_extend(skb_peek_tail(q), u.id, u.copied)) {
		consume_skb(uarg);
		sk_error_report(u.sk); /* news for an edge-triggered epoll all the same */
	} else {
		memset(uarg->cb, 0, sizeof(uarg->cb));
		SOCK_ERR_CB(uarg)->ee = (struct sock_extended_err){
			.ee_origin = SO_EE_ORIGIN_ZEROCOPY,
			.ee_code = u.copied ? SO_EE_CODE_ZEROCOPY_COPIED : 0,
			.ee_info = u.id,
			.ee_data = u.id,
		};
		skb_queue_tail(q, uarg);
		sk_error_report(u.sk);
	}
	sock_put(u.sk);
}

static void uarg_put(struct sk_buff *uarg)
{
	assert(UBUF(uarg)->refcount > 0);
	if (--UBUF(uarg)->refcount == 0)
		complete(uarg);
}

/* ---- a send call ---------------------------------------------------------------------------------------- */

static void omem_free(struct sk_buff *uarg)
{
	assert(uarg->sk->sk_rare->omem_alloc >= uarg->truesize);
	uarg->sk->sk_rare->omem_alloc -= uarg->truesize;
}

int __zerocopy_begin(struct zerocopy *zc, struct sock *sk)
{
	if (!sock_flag(sk, SOCK_ZEROCOPY))
		return 0;
	if (!sock_rare(sk))
		return -ENOBUFS;
	zc->uarg = alloc_skb(sk->sk_cpu, 0);
	if (!zc->uarg)
		return -ENOBUFS;
	if (sk->sk_rare->omem_alloc + zc->uarg->truesize > sock_net(sk)->core->optmem_max) {
		consume_skb(zc->uarg);
		zc->uarg = NULL;
		return -ENOBUFS;
	}
	zc->uarg->sk = sk;
	zc->uarg->destructor = omem_free;
	sk->sk_rare->omem_alloc += zc->uarg->truesize;
	*UBUF(zc->uarg) = (struct ubuf_info){ .sk = sk, .refcount = 1, .id = sk->sk_rare->zckey++ };
	sock_hold(sk);
	return 0;
}

static void piece_release(struct page *page)
{
	struct sk_buff *uarg = page->priv;

	packet_slot_free(page->owner, page);
	uarg_put(uarg);
}

/* The page that stands for the memory at @p, of which @len octets follow. */
static struct page *piece_at(struct zerocopy *zc, struct cpu *cpu, u8 *p, size_t len)
{
	struct page *page = zc->page;

	if (page && p >= page->addr && p < page->addr + page->size)
		return page;
	page = packet_slot_alloc(cpu);
	if (!page)
		return NULL;
	*page = (struct page){
		.refcount = 1,
		.size = (u32)min_t(size_t, len, PIECE_MAX),
		.owner = cpu,
		.priv = zc->uarg,
		.release = piece_release,
		.addr = p,
	};
	UBUF(zc->uarg)->refcount++;
	if (zc->page)
		page_put(zc->page);
	return zc->page = page;
}

s64 zerocopy_append(struct zerocopy *zc, struct sk_buff *skb, struct iov_iter *from, u32 len)
{
	struct page *page;
	size_t left;
	u8 *p;

	left = iov_iter_front(from, from->count, &p);
	if (!left)
		return 0;
	page = piece_at(zc, skb->cpu, p, left);
	if (!page)
		return -ENOMEM;
	len = (u32)min_t(size_t, len, min_t(size_t, left, (size_t)(page->addr + page->size - p)));
	if (!skb_append_page(skb, page, (u32)(p - page->addr), len))
		return 0;
	skb_shinfo(skb)->zerocopy = 1;
	iov_iter_advance(from, len);
	return len;
}

void __zerocopy_end(struct zerocopy *zc, bool used)
{
	struct sk_buff *uarg = zc->uarg;
	struct sock *sk;

	if (zc->page)
		page_put(zc->page);
	if (used) {
		uarg_put(uarg);
		return;
	}
	/* As if it had never been. */
	sk = UBUF(uarg)->sk;
	sk->sk_rare->zckey--;
	consume_skb(uarg);
	sock_put(sk);
}

void __zerocopy_was_copied(struct zerocopy *zc)
{
	UBUF(zc->uarg)->copied = true;
}

/* ---- copies --------------------------------------------------------------------------------------------- */

struct sk_buff *__skb_copy_zerocopy(const struct sk_buff *skb)
{
	const struct skb_shared_info *sh = skb_shinfo(skb);

	for (u32 i = 0; i < sh->nr_frags; i++)
		if (sh->frags[i].page->release == piece_release)
			UBUF((struct sk_buff *)sh->frags[i].page->priv)->copied = true;
	return skb_copy(skb);
}

struct sk_buff *__skb_orphan_frags_rx(struct sk_buff *skb)
{
	struct sk_buff *n = __skb_copy_zerocopy(skb);

	if (n)
		consume_skb(skb);
	else
		kfree_skb_reason(skb, SKB_DROP_NOMEM);
	return n;
}
