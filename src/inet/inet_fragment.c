/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * inet_fragment.c - putting fragments together
 *
 * Theory of operation
 *   A queue (struct inet_frag_queue) holds the fragments of one datagram in a tree ordered by offset. The IP version makes the key,
 *   checks the header and says where a fragment belongs; here it is put in its place, and the datagram is built when octets
 *   counted (meat) and end seen (len) agree. The result is the first fragment with the payload of the others behind it, as page
 *   fragments where these are in pages, else as frag_list: no payload is copied.
 *
 *   What an attacker might send:
 *   - Overlaps: fragments that say different things about the same octets have fooled packet filters (RFC 1858, RFC 3128). A fragment
 *     all of whose octets are there already is a duplicate of the network and is dropped alone; one that overlaps otherwise takes the
 *     whole datagram with it, as RFC 5722 demands for IPv6 and Linux does for both.
 *   - Beginnings without ends: each queue dies after fqdir.timeout. Memory (truesize of everything held, and of the queues
 *     themselves) is bounded by high_thresh: when the next fragment would exceed it the oldest queues go until low_thresh
 *     is kept. Linux, since 4.17, refuses new queues instead, which lets one sender shut the others out for half a minute; with
 *     eviction a datagram survives that arrives faster than the flood fills the memory.
 *   - Keys that collide: the table is hashed with the machine's secret.
 *   - Contradictory ends: the datagram is dropped.
 *   A queue lies in an skb of the arena, so nothing here asks the system for memory.
 * Invariants
 *   q->meat is the sum of lengths in the tree; no two fragments overlap; q->mem is counted in fqdir.mem. A queue in the table
 *   has its timer armed. A fragment in a queue keeps its dev and has no dst.
 * Locking: softirq, the home cpu's lock.
 * See RFC 791 3.2, RFC 815, RFC 1122 3.3.2, RFC 5722, RFC 8200 4.5.
 */
#include "inet/inet_fragment.h"

#include <errno.h>
#include <stdlib.h>

#include "core/cpu.h"
#include "core/dst.h"
#include "core/machine.h"
#include "core/net.h"
#include "core/netdevice.h"
#include "core/trace.h"
#include "inet/inet_reasons.h"
#include "lib/csum.h"
#include "lib/siphash.h"

#define FRAG_HASH_BUCKETS 256

/* At the end of cb: the IP version's own fields come first. */
struct frag_cb {
	u32 offset, end;
};
#define FRAG_CB(skb) ((struct frag_cb *)((skb)->cb + SKB_CB_SIZE - sizeof(struct frag_cb)))

#define rb_to_skb(node)      rb_entry(node, struct sk_buff, rbnode)
#define rb_to_skb_safe(node) rb_entry_safe(node, struct sk_buff, rbnode)

/* ---- life ---------------------------------------------------------------------------------------------------- */

void fqdir_init(struct fqdir *d, const struct inet_frags *f, struct net *net)
{
	d->f = f;
	d->net = net;
	d->mem = d->nqueues = 0;
	list_init(&d->lru);
}

void fqdir_exit(struct fqdir *d)
{
	if (!d->f)
		return;
	while (!list_empty(&d->lru))
		inet_frag_kill(list_first_entry(&d->lru, struct inet_frag_queue, lru),
			       SKB_DROP_FRAG_GONE);
}

/* The table is there while there are queues, in the packets' memory like these: an idle net has none. */
static bool table_make(struct fqdir *d)
{
	const u32 size = FRAG_HASH_BUCKETS * sizeof(*d->table);

	if (d->table)
		return true;
	d->table_home = alloc_skb(d->net->cpu, size);
	if (!d->table_home)
		return false;
	d->table = skb_put_zero(d->table_home, size);
	return true;
}

static void table_free(struct fqdir *d)
{
	consume_skb(d->table_home); /* a box, not a packet */
	d->table_home = NULL;
	d->table = NULL;
}

static struct hlist_head *frag_bucket(const struct fqdir *d, const struct inet_frag_key *key)
{
	return &d->table[siphash13(key, sizeof(*key), d->net->machine->hash_seed) %
			 FRAG_HASH_BUCKETS];
}

static void mem_add(struct inet_frag_queue *q, u32 n)
{
	q->mem += n;
	q->fqdir->mem += n;
}

/* Takes @q out of the table; its memory is counted no more. The fragments stay. */
static void frag_unlink(struct inet_frag_queue *q)
{
	struct fqdir *d = q->fqdir;

	assert(!(q->flags & INET_FRAG_DEAD));
	q->flags |= INET_FRAG_DEAD;
	hlist_del_init(&q->hash);
	list_del(&q->lru);
	del_timer(&q->timer);
	d->mem -= q->mem;
	q->mem = 0;
	if (!--d->nqueues)
		table_free(d);
}

static void frag_purge(struct inet_frag_queue *q, skb_drop_reason_t reason)
{
	struct rb_node *node, *next;

	rb_for_each_safe(node, next, &q->fragments) {
		struct sk_buff *skb = rb_to_skb(node);

		rb_erase(node, &q->fragments);
		skb->next = skb->prev = NULL;
		kfree_skb_reason(skb, reason);
	}
}

static void frag_free(struct inet_frag_queue *q)
{
	assert(RB_EMPTY_ROOT(&q->fragments));
	consume_skb(q->home);
}

void inet_frag_kill(struct inet_frag_queue *q, skb_drop_reason_t reason)
{
	NET_INC_STATS(q->fqdir->net, q->fqdir->f->mib_fails);
	frag_unlink(q);
	frag_purge(q, reason);
	frag_free(q);
}

void inet_frag_restart(struct inet_frag_queue *q, skb_drop_reason_t reason)
{
	struct fqdir *d = q->fqdir;

	NET_INC_STATS(d->net, d->f->mib_fails);
	frag_purge(q, reason);
	d->mem -= q->mem - q->home->truesize;
	q->mem = q->home->truesize;
	q->len = q->meat = 0;
	q->flags = q->ecn = 0;
	q->max_size = q->max_df_size = 0;
	list_move_tail(&q->lru, &d->lru);
	mod_timer(d->net->cpu, &q->timer, net_now(d->net) + d->timeout);
}

static void frag_timer(struct cpu *cpu, struct timer_list *t)
{
	struct inet_frag_queue *q = container_of(t, struct inet_frag_queue, timer);

	(void)cpu;
	NET_INC_STATS(q->fqdir->net, q->fqdir->f->mib_timeout);
	q->fqdir->f->expire(q);
	inet_frag_kill(q, SKB_DROP_FRAG_TIMEOUT);
}

static bool queue_has_dev(const struct inet_frag_queue *q, const struct net_device *dev)
{
	struct rb_node *node;

	rb_for_each(node, &q->fragments)
		if (rb_to_skb(node)->dev == dev)
			return true;
	return false;
}

void fqdir_drop_dev(struct fqdir *d, const struct net_device *dev)
{
	struct inet_frag_queue *q, *next;

	list_for_each_entry_safe(q, next, &d->lru, lru)
		if (queue_has_dev(q, dev))
			inet_frag_kill(q, SKB_DROP_FRAG_GONE);
}

/* Room for @need more octets: the oldest queues make it, but not @keep. False: there is none. */
static bool frag_make_room(struct fqdir *d, u32 need, const struct inet_frag_queue *keep)
{
	u32 low = min(d->low_thresh, d->high_thresh);
	struct inet_frag_queue *q, *next;

	if (likely(d->mem + need <= d->high_thresh))
		return true;
	list_for_each_entry_safe(q, next, &d->lru, lru) {
		if (d->mem + need <= low)
			break;
		if (q != keep)
			inet_frag_kill(q, SKB_DROP_FRAG_MEM);
	}
	return d->mem + need <= d->high_thresh;
}

static struct inet_frag_queue *frag_create(struct fqdir *d, const struct inet_frag_key *key)
{
	struct sk_buff *home = alloc_skb(d->net->cpu, sizeof(struct inet_frag_queue));
	struct inet_frag_queue *q;

	if (!home)
		return NULL;
	if (!frag_make_room(d, home->truesize, NULL) || !table_make(d)) {
		consume_skb(home); /* a box, not a packet */
		return NULL;
	}
	q = skb_put_zero(home, sizeof(*q));
	q->home = home;
	q->fqdir = d;
	q->key = *key;
	mem_add(q, home->truesize);
	d->nqueues++;
	hlist_add_head(&q->hash, frag_bucket(d, key));
	list_add_tail(&q->lru, &d->lru);
	timer_setup(&q->timer, frag_timer);
	mod_timer(d->net->cpu, &q->timer, net_now(d->net) + d->timeout);
	return q;
}

struct inet_frag_queue *inet_frag_find(struct fqdir *d, const struct inet_frag_key *key)
{
	struct inet_frag_queue *q;

	if (d->table)
		hlist_for_each_entry(q, frag_bucket(d, key), hash)
			if (!memcmp(&q->key, key, sizeof(*key)))
				return q;
	return frag_create(d, key);
}

/* ---- a fragment finds its place -------------------------------------------------------------------------------- */

/* How octets [off, end) relate to what is there. */
enum frag_overlap { FRAG_NEW, FRAG_DUP, FRAG_OVERLAP };

/* Are all octets of [off, end) there? @node: the fragment that holds @off. Looks at no more fragments than fit in the range. */
static bool frag_covered(const struct rb_node *node, u32 end)
{
	u32 have = FRAG_CB(rb_to_skb(node))->end;

	while (have < end) {
		node = rb_next(node);
		if (!node || FRAG_CB(rb_to_skb(node))->offset != have)
			return false;
		have = FRAG_CB(rb_to_skb(node))->end;
	}
	return true;
}

/* FRAG_NEW: *ret_parent and *ret_link are the place in the tree. */
static enum frag_overlap frag_place(struct inet_frag_queue *q, u32 off, u32 end,
				    struct rb_node **ret_parent, struct rb_node ***ret_link)
{
	struct rb_node **link = &q->fragments.node, *parent = NULL;

	while (*link) {
		const struct frag_cb *cb = FRAG_CB(rb_to_skb(*link));

		parent = *link;
		if (end <= cb->offset)
			link = &parent->left;
		else if (off >= cb->end)
			link = &parent->right;
		else if (off >= cb->offset && frag_covered(parent, end))
			return FRAG_DUP;
		else if (off >= cb->offset || !parent->left)
			return FRAG_OVERLAP;
		else
			break; /* begins in an earlier one or in a gap */
	}
	if (!*link) {
		*ret_parent = parent;
		*ret_link = link;
		return FRAG_NEW;
	}
	/* It reaches into *link and begins before: a duplicate only if the fragments before hold the rest. */
	for (struct rb_node *n = *link; n; n = rb_prev(n)) {
		const struct frag_cb *cb = FRAG_CB(rb_to_skb(n));

		if (off >= cb->end)
			return FRAG_OVERLAP; /* a gap lies between */
		if (off >= cb->offset)
			return frag_covered(n, end) ? FRAG_DUP : FRAG_OVERLAP;
	}
	return FRAG_OVERLAP;
}

/* RFC 791 3.2: where the datagram ends. False: this fragment contradicts others. */
static bool frag_note_end(struct inet_frag_queue *q, u32 end, bool more)
{
	if (!more) {
		if (end < q->len || (q->flags & INET_FRAG_LAST && end != q->len))
			return false;
		q->flags |= INET_FRAG_LAST;
		q->len = end;
		return true;
	}
	if (end > q->len) {
		if (q->flags & INET_FRAG_LAST)
			return false;
		q->len = end;
	}
	return true;
}

enum inet_frag_verdict inet_frag_queue_insert(struct inet_frag_queue *q, struct sk_buff *skb,
					      u32 offset, bool more)
{
	struct fqdir *d = q->fqdir;
	skb_drop_reason_t reason = SKB_DROP_FRAG_BAD;
	struct rb_node **link = NULL, *parent = NULL;
	u32 end = offset + skb->len;

	if (more && end & 7) { /* RFC 791 3.2: only the end may be no multiple of eight */
		end &= ~7u;
		if (pskb_trim(skb, end > offset ? end - offset : 0))
			goto drop;
		skb->ip_summed = CHECKSUM_NONE;
	}
	if (end <= offset)
		goto drop;
	switch (frag_place(q, offset, end, &parent, &link)) {
	case FRAG_DUP:
		reason = SKB_DROP_FRAG_DUP;
		goto drop;
	case FRAG_OVERLAP:
		NET_INC_STATS(d->net, d->f->mib_overlaps);
		reason = SKB_DROP_FRAG_OVERLAP;
		goto kill;
	case FRAG_NEW:
		break;
	}
	if (!frag_note_end(q, end, more))
		goto kill;
	if (!frag_make_room(d, skb->truesize, q)) {
		reason = SKB_DROP_FRAG_MEM;
		goto kill;
	}
	assert(!skb->dst);
	FRAG_CB(skb)->offset = offset;
	FRAG_CB(skb)->end = end;
	rb_link_node(&skb->rbnode, parent, link);
	rb_insert_color(&skb->rbnode, &q->fragments);
	q->meat += end - offset;
	mem_add(q, skb->truesize);
	if (offset == 0)
		q->flags |= INET_FRAG_FIRST;
	return (q->flags & (INET_FRAG_FIRST | INET_FRAG_LAST)) ==
				       (INET_FRAG_FIRST | INET_FRAG_LAST) &&
			       q->meat == q->len
		       ? INET_FRAG_COMPLETE
		       : INET_FRAG_WAIT;

kill:
	inet_frag_kill(q, reason);
drop:
	kfree_skb_reason(skb, reason);
	return INET_FRAG_DROPPED;
}

struct sk_buff *inet_frag_first(const struct inet_frag_queue *q)
{
	return q->flags & INET_FRAG_FIRST ? rb_to_skb(rb_first(&q->fragments)) : NULL;
}

/* ---- all are there ---------------------------------------------------------------------------------------------- */

/* Hangs the payload of @skb behind @head's; @last is the last of its frag_list, or NULL. Returns the new last. */
static struct sk_buff *frag_append(struct sk_buff *head, struct sk_buff *last, struct sk_buff *skb)
{
	u32 len = skb->len, truesize = skb->truesize, delta;

	if (head->ip_summed != skb->ip_summed)
		head->ip_summed = CHECKSUM_NONE;
	else if (head->ip_summed == CHECKSUM_COMPLETE)
		head->csum = csum_add(head->csum, skb->csum);

	if (!last && skb_try_coalesce(head, skb, &delta))
		return NULL;
	if (last && skb_try_coalesce(last, skb, &delta)) {
		truesize = delta;
	} else {
		skb->dev = NULL; /* part of a packet that has one */
		if (last)
			last->next = skb;
		else
			skb_shinfo(head)->frag_list = skb;
		last = skb;
	}
	head->len += len;
	head->data_len += len;
	head->truesize += truesize;
	return last;
}

struct sk_buff *inet_frag_reasm(struct inet_frag_queue *q)
{
	struct sk_buff *head = inet_frag_first(q), *last = NULL, *skb;
	struct rb_node *node, *next;

	/* Its fragment slots will be written. What a fragment brings as frag_list cannot be followed by others. */
	if (skb_unclone(head) || (skb_shinfo(head)->frag_list && skb_linearize(head))) {
		inet_frag_kill(q, SKB_DROP_NOMEM);
		return NULL;
	}
	frag_unlink(q);
	node = rb_next(&head->rbnode);
	for (; node; node = next) {
		next = rb_next(node);
		rb_erase(node, &q->fragments);
		skb = rb_to_skb(node);
		skb->next = skb->prev = NULL;
		last = frag_append(head, last, skb);
	}
	rb_erase(&head->rbnode, &q->fragments);
	head->next = head->prev = NULL;
	frag_free(q);
	return head;
}

int inet_frag_ecn(u8 seen)
{
	enum { NOT_ECT = 1, ECT_1 = 2, ECT_0 = 4, CE = 8 };

	/* Congestion was met by a fragment: the datagram says so. What cannot come from one sender is refused. */
	if (seen & NOT_ECT)
		return seen == NOT_ECT ? -2 : -1;
	return seen & CE ? 3 : -2;
}

/* ---- cutting ---------------------------------------------------------------------------------------------- */

struct sk_buff *inet_frag_piece(const struct sk_buff *skb, u32 hlen, u32 off, u32 len)
{
	u32 head = off < skb_headlen(skb) ? min(len, skb_headlen(skb) - off) : 0;
	struct sk_buff *frag = alloc_skb(skb->cpu, MAX_HEADER + hlen + head);

	if (!frag)
		return NULL;
	skb_reserve(frag, MAX_HEADER + hlen);
	if (head)
		memcpy(skb_put(frag, head), skb->data + off, head);
	if (head == len || skb_append_frag_refs(frag, skb, off + head, len - head) == len - head)
		return frag;
	/* Too many small pieces: one that holds all. */
	consume_skb(frag);
	frag = alloc_skb(skb->cpu, MAX_HEADER + hlen + len);
	if (!frag)
		return NULL;
	skb_reserve(frag, MAX_HEADER + hlen);
	if (skb_copy_bits(skb, off, skb_put(frag, len), len)) {
		kfree_skb_reason(frag, SKB_DROP_NOMEM);
		return NULL;
	}
	return frag;
}

void inet_frag_copy_metadata(struct sk_buff *to, const struct sk_buff *from)
{
	to->protocol = from->protocol;
	to->priority = from->priority;
	to->mark = from->mark;
	to->dev = from->dev;
	to->pkt_type = from->pkt_type;
	to->skb_iif = from->skb_iif;
	to->tstamp = from->tstamp;
	to->hash = from->hash;
	to->l4_hash = from->l4_hash;
	to->parent_id = from->id;
	dst_hold(from->dst);
	skb_dst_set(to, from->dst);
}
