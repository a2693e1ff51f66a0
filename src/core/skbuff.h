/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * skbuff.h - the packet buffer
 *
 * Theory of operation
 *   An skb describes one packet. Its head area lies in a power-of-two slab of its cpu's arena:
 *
 *        head      data            tail        end
 *         | headroom | packet octets | tailroom | struct skb_shared_info |
 *
 *   skb_reserve/put/push/pull/trim move data and tail. Octets beyond the head area lie in up to
 *   MAX_SKB_FRAGS page fragments and, behind them, in a list of further skbs (frag_list): len counts all,
 *   data_len what is not in the head area (skb_headlen() = len - data_len).
 *   A clone shares head area, fragments and shared info with its origin (dataref); it must not write to
 *   them before skb_unshare()/skb_cow_head(). Fragments carry their own reference (struct page).
 *   Fast paths never copy payload: segments of a big skb reference the fragments of the big one.
 *
 * Ownership
 *   borrow | consume | transform, as STYLE.md section 9. A packet ends with consume_skb() when it reached its
 *   end, and with kfree_skb_reason() when it was discarded. There is no third way.
 *   skb->cpu is the cpu whose lock guards the skb now; allocation and release use its caches.
 *   cb[] belongs to the layer that holds the skb.
 *
 * Checksums (ip_summed): NONE: nothing known. UNNECESSARY: verified (by a device or by us).
 *   COMPLETE: csum is the sum over the packet from data on. PARTIAL: on output the device (or
 *   skb_checksum_help()) must fill the field at csum_start + csum_offset; on input over loopback or veth it
 *   means "never left the machine, no check needed".
 */
#ifndef WEIR_CORE_SKBUFF_H
#define WEIR_CORE_SKBUFF_H

#include <errno.h>

#include "core/drop_reason.h"
#include "core/uio.h"
#include "lib/list.h"
#include "lib/rbtree.h"
#include "lib/types.h"

struct cpu;
struct dst_entry;
struct net_device;
struct sk_buff;
struct sock;
struct nf_conn;

#define MAX_SKB_FRAGS 17
#define NET_SKB_PAD   64 /* headroom that drivers leave */
#define GSO_MAX_SIZE  65536
#define GSO_MAX_SEGS  65535
#define SKB_PAGE_SIZE 32768 /* size of a data page of the arena, header included */

/* ---- pages: reference-counted pieces of the arena that fragments point into ------------------------- */

/* Lies in the first 64 octets of an SKB_PAGE_SIZE-aligned block; the rest is data. */
struct page {
	u32 refcount;      /* guarded by the lock of the owner cpu */
	u32 size;          /* of the whole block, this header included */
	struct cpu *owner; /* whose lock guards refcount; skb_migrate() changes it */
	struct page *next; /* for the holder */
	void *priv;        /* zero-copy completion: struct ubuf_info or NULL */
	void (*release)(
		struct page *page); /* foreign memory (zero copy); NULL: back to the arena */
	u8 *addr; /* start of the data octets (inside the block, or foreign memory) */
} __cacheline_aligned;

struct page *page_alloc(struct cpu *cpu); /* one reference; NULL: limit reached or out of memory */
void page_put(struct page *page);
static inline void page_get(struct page *page)
{
	page->refcount++;
}

typedef struct skb_frag {
	struct page *page;
	u32 offset; /* from page->addr */
	u32 size;
} skb_frag_t;

/* ---- slots: small state that comes and goes with packets (TCP's, while segments are in flight) -------- */

#define PACKET_SLOT_SIZE 256
/* Of the same memory as packets: bounded with them, last in first out, no malloc once it is warm. Not zeroed. NULL: limit reached or out
 * of memory. */
void *packet_slot_alloc(struct cpu *cpu);
void packet_slot_free(struct cpu *cpu, void *slot);

static inline u8 *skb_frag_address(const skb_frag_t *f)
{
	return f->page->addr + f->offset;
}

/* ---- shared info: behind the head area, shared between clones --------------------------------------- */

enum skb_gso_type {
	SKB_GSO_TCPV4 = 1 << 0,
	SKB_GSO_TCPV6 = 1 << 1,
	SKB_GSO_UDP_L4 = 1 << 2,
	SKB_GSO_TCP_ECN = 1 << 3,
	SKB_GSO_TCP_FIXEDID = 1 << 4,
	SKB_GSO_DODGY = 1 << 5,
	SKB_GSO_PARTIAL = 1 << 6,
	SKB_GSO_TCP_ACCECN = 1 << 7, /* CWR belongs to all segments (RFC 9768) */
};

struct skb_shared_info {
	u8 nr_frags : 7;
	u8 zerocopy : 1; /* fragments may be a program's memory: core/zerocopy.h */
	u8 tx_flags;
	u16 gso_size; /* payload octets per wire segment; 0: not a GSO packet */
	u16 gso_segs;
	u16 gso_type; /* enum skb_gso_type */
	u32 dataref; /* skbs that share this head area; high half: those of them that use its payload only (nohdr) */
	u32 tskey; /* SO_TIMESTAMPING id */
	struct sk_buff *frag_list;
	skb_frag_t frags[MAX_SKB_FRAGS];
};

/* ---- the buffer -------------------------------------------------------------------------------------- */

enum skb_ip_summed { CHECKSUM_NONE, CHECKSUM_UNNECESSARY, CHECKSUM_COMPLETE, CHECKSUM_PARTIAL };

enum { /* skb->pkt_type; values of linux/if_packet.h */
       SKB_PACKET_HOST = 0,
       SKB_PACKET_BROADCAST = 1,
       SKB_PACKET_MULTICAST = 2,
       SKB_PACKET_OTHERHOST = 3,
       SKB_PACKET_OUTGOING = 4,
       SKB_PACKET_LOOPBACK = 5,
};

#define SKB_CB_SIZE 64

struct sk_buff {
	/* line 0: list, memory - every path */
	union {
		struct {
			struct sk_buff *next, *prev;
		};
		struct rb_node rbnode; /* TCP retransmit and out-of-order trees, delay lines */
	};
	u8 *head;
	u8 *data;
	u32 tail; /* offsets from head */
	u32 end;
	u32 len;
	u32 data_len;
	u16 transport_header; /* offsets from head; SKB_NO_HEADER: not set */
	u16 network_header;
	u16 mac_header;
	u16 mac_len;

	/* line 1: owner and path state */
	struct cpu *cpu;
	struct net_device *dev; /* where it came from or where it goes */
	struct sock *sk;        /* charged to; see destructor */
	void (*destructor)(struct sk_buff *skb);
	struct dst_entry *dst; /* holds a reference */
	u64 tstamp;            /* ns: arrival on input; earliest departure on output (0: now) */
	u32 users;             /* references to this struct */
	u32 truesize;          /* memory charged: struct, head area, fragments */
	be16 protocol;         /* Ethernet type */
	u16 queue_mapping;
	union {
		struct {
			u16 pkt_type : 3;
			u16 ip_summed : 2;
			u16 csum_level : 2;
			u16 csum_not_inet : 1;
			u16 encapsulation : 1;
			u16 vlan_present : 1;
			u16 redirected : 1;
			u16 l4_hash : 1;
			u16 sw_hash : 1;
			u16 nf_trace : 1;
		};
		u16 packet_bits; /* all of these: what the parts of a packet that is cut have in common */
	};
	u8 cloned : 1;     /* head area may be shared: look at dataref */
	u8 nohdr : 1;      /* only payload is referenced (retransmit queue) */
	u8 csum_valid : 1; /* software has verified the L4 checksum */
	u8 peeked : 1;
	u8 dst_pending_confirm : 1; /* confirm the neighbour when sending: TCP made progress */
	u8 decrypted : 1;
	u8 tc_at_ingress : 1;
	u8 offload_fwd_mark : 1;
	u8 pfmemalloc : 1;
	u8 steered : 1;   /* net_steer() of another cpu has looked at it */
	u8 head_slab : 5; /* which slab class head came from (core/skbuff.c) */

	/* line 2: identity, classification */
	u64 id;          /* unique per machine: trace points name it */
	u64 parent_id;   /* clone, segment, fragment: the id it came from; else 0 */
	u32 csum;        /* COMPLETE: the sum. PARTIAL: see the two below */
	u16 csum_start;  /* offset from head */
	u16 csum_offset; /* offset from csum_start */
	u32 hash;
	u32 priority;
	u32 mark;
	u32 skb_iif; /* ifindex of the device it first came in by */
	u16 tc_index;
	be16 vlan_proto;
	u16 vlan_tci;
	u16 napi_id;
	struct nf_conn *nfct; /* netfilter: tracked connection | ctinfo */

	/* line 3: the layer that holds it */
	u8 cb[SKB_CB_SIZE] __attribute__((aligned(8)));
};

static_assert(sizeof(struct sk_buff) <= 4 * CACHE_LINE, "sk_buff must fit four cache lines");

#define SKB_NO_HEADER 0xffff

/* ---- flow_hash.c --------------------------------------------------------------------------------------- */

/* Equal for both directions of a flow; borrow @skb, whose network header is set. */
u32 skb_flow_hash_salted(const struct sk_buff *skb, u32 salt);
static inline u32 skb_flow_hash(const struct sk_buff *skb)
{
	return skb_flow_hash_salted(skb, 0);
}

/* ---- skbuff.c: life --------------------------------------------------------------------------------- */

/* An skb with room for @size octets and nothing in it. NULL: arena limit reached or out of memory. */
struct sk_buff *alloc_skb(struct cpu *cpu, u32 size);
/* As above with NET_SKB_PAD headroom reserved and dev set: what drivers use for frames. */
struct sk_buff *netdev_alloc_skb(struct net_device *dev, u32 size);
/* Head area of @header octets and @data octets in fragments (unwritten). */
struct sk_buff *alloc_skb_with_frags(struct cpu *cpu, u32 header, u32 data);
void consume_skb(struct sk_buff *skb); /* NULL is fine */
/* Discard: counts the reason, writes the trace record. NULL is fine. */
void kfree_skb_reason(struct sk_buff *skb, skb_drop_reason_t reason);
void kfree_skb_list_reason(struct sk_buff *skb, skb_drop_reason_t reason);
static inline struct sk_buff *skb_get(struct sk_buff *skb)
{
	skb->users++;
	return skb;
}

/* borrow; a new skb that shares data, without destructor and sk. NULL: out of memory. */
struct sk_buff *skb_clone(const struct sk_buff *skb);
/* borrow; everything copied, head room kept, linear. */
struct sk_buff *skb_copy(const struct sk_buff *skb);
/* borrow; head area copied, fragments referenced. */
struct sk_buff *pskb_copy(const struct sk_buff *skb);
/* transform: an skb that nobody else references (struct and data). NULL: consumed, out of memory. */
struct sk_buff *skb_unshare(struct sk_buff *skb);
struct sk_buff *__skb_share_check(struct sk_buff *skb);
/* Gives the head area a private copy with @nhead more headroom and @ntail more tailroom (if memory is short: @ntail in all).
 * Header pointers die. */
int pskb_expand_head(struct sk_buff *skb, u32 nhead, u32 ntail);
/* Makes @headroom octets of writable headroom and the header area private. 0 or -ENOMEM. */
int skb_cow_head(struct sk_buff *skb, u32 headroom);
/* Makes octets [0, len) from data linear and writable. 0 or -ENOMEM. */
int skb_ensure_writable(struct sk_buff *skb, u32 len);
int skb_linearize(struct sk_buff *skb);
/* Reattaches an skb to another cpu: what crosses must not be shared (see doc/locking.md). */
struct sk_buff *skb_migrate(struct sk_buff *skb, struct cpu *cpu);

/* What the arena and the caches of one cpu hold, for weir_memory(). Lock held. */
struct skb_memory {
	u64 skb_live;     /* struct sk_buff in use */
	u64 arena_octets; /* taken from the system */
	u64 mallocs;      /* how often memory was asked of the system */
};
void skb_memory(struct cpu *cpu, struct skb_memory *ret);

/* ---- skbuff.c: octets ------------------------------------------------------------------------------- */

/* Pulls @delta more octets from fragments into the head area. NULL: not enough octets or memory. */
void *__pskb_pull_tail(struct sk_buff *skb, u32 delta);
int ___pskb_trim(struct sk_buff *skb, u32 len);
/* Sees @n octets at @p, which lie @pos octets into the range. 0, or an errno that ends the walk. */
typedef int (*skb_visit_t)(void *ctx, u8 *p, u32 n, u32 pos);
/* The contiguous pieces of [off, off+len), in order. 0, -EFAULT when out of range, or what @visit said. */
int skb_walk(const struct sk_buff *skb, u32 off, u32 len, skb_visit_t visit, void *ctx);
/* Copies octets [offset, offset+len) of the packet. 0 or -EFAULT when out of range. */
int skb_copy_bits(const struct sk_buff *skb, u32 offset, void *to, u32 len);
int skb_store_bits(struct sk_buff *skb, u32 offset, const void *from, u32 len);
/* Sum (not folded) of [offset, offset+len), continuing from @csum. */
u32 skb_checksum(const struct sk_buff *skb, u32 offset, u32 len, u32 csum);
int __skb_copy_datagram_iter(const struct sk_buff *skb, u32 offset, struct iov_iter *to, u32 len);
/* The same, verifying the checksum on the way; -EINVAL: wrong checksum. */
int skb_copy_and_csum_datagram_iter(struct sk_buff *skb, u32 hlen, struct iov_iter *to);
/* Appends up to @len octets from @from to the skb: tail room first if @linear_ok, then page fragments of
 * the cpu's current page. Returns octets appended (fewer: fragments are full) or -ENOMEM/-EFAULT. truesize grows by what went
 * into fragments; if the skb is charged to a socket already, the caller charges the difference. */
s64 skb_append_iter(struct sk_buff *skb, struct iov_iter *from, u32 len, bool linear_ok);
/* Appends octets [off, off+len) of @page as a reference. False: no free fragment slot. truesize as skb_append_iter(). */
bool skb_append_page(struct sk_buff *skb, struct page *page, u32 off, u32 len);
/* Moves fragment references: appends octets [off, off+len) of @src as references to @dst's fragments.
 * Returns octets appended (fewer: no free fragment slot). Octets in @src's head area must not be in range. @dst's truesize
 * grows by them (the caller charges that, if @dst is charged); @src's stays. */
u32 skb_append_frag_refs(struct sk_buff *dst, const struct sk_buff *src, u32 off, u32 len);
/* Appends @from's octets to @to if that costs no copy of payload; true: @from is consumed. @to's truesize grows by
 * *ret_delta_truesize, and so does its charge to a socket by sock_rfree or sock_wfree: the caller has nothing to charge. */
bool skb_try_coalesce(struct sk_buff *to, struct sk_buff *from, u32 *ret_delta_truesize);
/* Splits at @len (neither skb is cloned: skb_unclone()): the rest becomes @skb1's (allocated empty by the caller, with tail room for what lies in @skb's head area
 * behind @len). Fragments move without a copy, and with them their octets of truesize (and of a charge of either). */
void skb_split(struct sk_buff *skb, struct sk_buff *skb1, u32 len);
/* Resolves CHECKSUM_PARTIAL in software. 0 or -ENOMEM. */
int skb_checksum_help(struct sk_buff *skb);
/* Puts the VLAN tag that is kept beside the octets among them, behind the Ethernet addresses at data. 0 or -ENOMEM. */
int skb_vlan_push_inside(struct sk_buff *skb);

static inline struct skb_shared_info *skb_shinfo(const struct sk_buff *skb)
{
	return (struct skb_shared_info *)(skb->head + skb->end);
}

static inline u32 skb_headlen(const struct sk_buff *skb)
{
	return skb->len - skb->data_len;
}

static inline bool skb_is_nonlinear(const struct sk_buff *skb)
{
	return skb->data_len != 0;
}

static inline u8 *skb_tail_pointer(const struct sk_buff *skb)
{
	return skb->head + skb->tail;
}

static inline u8 *skb_end_pointer(const struct sk_buff *skb)
{
	return skb->head + skb->end;
}

static inline u32 skb_headroom(const struct sk_buff *skb)
{
	return (u32)(skb->data - skb->head);
}

static inline u32 skb_tailroom(const struct sk_buff *skb)
{
	return skb_is_nonlinear(skb) ? 0 : skb->end - skb->tail;
}

static inline void skb_reserve(struct sk_buff *skb, u32 len)
{
	assert(skb->len == 0 && skb->tail + len <= skb->end);
	skb->data += len;
	skb->tail += len;
}

static inline void *skb_put(struct sk_buff *skb, u32 len)
{
	u8 *p = skb_tail_pointer(skb);

	assert(!skb_is_nonlinear(skb) && skb->tail + len <= skb->end);
	skb->tail += len;
	skb->len += len;
	return p;
}

static inline void *skb_put_zero(struct sk_buff *skb, u32 len)
{
	return memset(skb_put(skb, len), 0, len);
}

static inline void *skb_put_data(struct sk_buff *skb, const void *from, u32 len)
{
	return memcpy(skb_put(skb, len), from, len);
}

static inline void *skb_push(struct sk_buff *skb, u32 len)
{
	assert(skb_headroom(skb) >= len);
	skb->data -= len;
	skb->len += len;
	return skb->data;
}

/* The octets must be in the head area: see pskb_may_pull(). */
static inline void *__skb_pull(struct sk_buff *skb, u32 len)
{
	assert(len <= skb_headlen(skb));
	skb->len -= len;
	return skb->data += len;
}

/* Makes sure that @len octets are in the head area. False: the packet is shorter, or no memory. */
static inline bool pskb_may_pull(struct sk_buff *skb, u32 len)
{
	if (likely(len <= skb_headlen(skb)))
		return true;
	if (unlikely(len > skb->len))
		return false;
	return __pskb_pull_tail(skb, len - skb_headlen(skb)) != NULL;
}

static inline void *pskb_pull(struct sk_buff *skb, u32 len)
{
	return pskb_may_pull(skb, len) ? __skb_pull(skb, len) : NULL;
}

/* Cuts the packet to @len octets. 0 or -ENOMEM. */
static inline int pskb_trim(struct sk_buff *skb, u32 len)
{
	if (len >= skb->len)
		return 0;
	if (!skb_is_nonlinear(skb)) {
		skb->len = len;
		skb->tail = (u32)(skb->data - skb->head) + len;
		return 0;
	}
	return ___pskb_trim(skb, len);
}

#define SKB_DATAREF_SHIFT 16
#define SKB_DATAREF_MASK  ((1u << SKB_DATAREF_SHIFT) - 1)

static inline bool skb_cloned(const struct sk_buff *skb)
{
	return skb->cloned && (skb_shinfo(skb)->dataref & SKB_DATAREF_MASK) != 1;
}

/* Gives the skb a head area and fragment slots of its own: before its fragments are changed. 0 or -ENOMEM. */
static inline int skb_unclone(struct sk_buff *skb)
{
	return skb_cloned(skb) ? pskb_expand_head(skb, 0, 0) : 0;
}

/* May somebody else read the headers in front of the payload? False for the one clone of an skb that has given its headers
 * up with __skb_header_release(): it may push and write headers without a copy. */
static inline bool skb_header_cloned(const struct sk_buff *skb)
{
	u32 dataref = skb_shinfo(skb)->dataref;

	return skb->cloned && (dataref & SKB_DATAREF_MASK) - (dataref >> SKB_DATAREF_SHIFT) != 1;
}

/* The caller keeps @skb for its payload only (TCP's retransmit queue). Not cloned yet. */
static inline void __skb_header_release(struct sk_buff *skb)
{
	assert(!skb_cloned(skb));
	skb->nohdr = 1;
	skb_shinfo(skb)->dataref = 1 + (1u << SKB_DATAREF_SHIFT);
}

static inline bool skb_shared(const struct sk_buff *skb)
{
	return skb->users != 1;
}

/* transform: an skb whose struct nobody else refers to. NULL: consumed, out of memory. */
static inline struct sk_buff *skb_share_check(struct sk_buff *skb)
{
	return likely(!skb_shared(skb)) ? skb : __skb_share_check(skb);
}

/* To a program's buffers; advances @to. 0 or -EFAULT. */
static inline int skb_copy_datagram_iter(const struct sk_buff *skb, u32 offset, struct iov_iter *to,
					 u32 len)
{
	if (likely((u64)offset + len <= skb_headlen(skb)))
		return likely(copy_to_iter(skb->data + offset, len, to) == len) ? 0 : -EFAULT;
	return __skb_copy_datagram_iter(skb, offset, to, len);
}

static inline bool skb_is_gso(const struct sk_buff *skb)
{
	return skb_shinfo(skb)->gso_size != 0;
}

static inline void skb_reset_mac_header(struct sk_buff *skb)
{
	skb->mac_header = (u16)(skb->data - skb->head);
}

static inline void skb_reset_network_header(struct sk_buff *skb)
{
	skb->network_header = (u16)(skb->data - skb->head);
}

static inline void skb_reset_transport_header(struct sk_buff *skb)
{
	skb->transport_header = (u16)(skb->data - skb->head);
}

static inline void skb_set_transport_header(struct sk_buff *skb, int off)
{
	skb->transport_header = (u16)(skb->data - skb->head + off);
}

static inline void skb_reset_mac_len(struct sk_buff *skb)
{
	skb->mac_len = (u16)(skb->network_header - skb->mac_header);
}

static inline bool skb_mac_header_was_set(const struct sk_buff *skb)
{
	return skb->mac_header != SKB_NO_HEADER;
}

static inline bool skb_transport_header_was_set(const struct sk_buff *skb)
{
	return skb->transport_header != SKB_NO_HEADER;
}

static inline u8 *skb_mac_header(const struct sk_buff *skb)
{
	return skb->head + skb->mac_header;
}

static inline u8 *skb_network_header(const struct sk_buff *skb)
{
	return skb->head + skb->network_header;
}

static inline u8 *skb_transport_header(const struct sk_buff *skb)
{
	return skb->head + skb->transport_header;
}

/* Offset of the header from data; may be negative. */
static inline int skb_network_offset(const struct sk_buff *skb)
{
	return (int)(skb_network_header(skb) - skb->data);
}

static inline int skb_transport_offset(const struct sk_buff *skb)
{
	return (int)(skb_transport_header(skb) - skb->data);
}

static inline u32 skb_network_header_len(const struct sk_buff *skb)
{
	return skb->transport_header - skb->network_header;
}

/* Where the checksum starts, from data. */
static inline int skb_checksum_start_offset(const struct sk_buff *skb)
{
	return (int)skb->csum_start - (int)skb_headroom(skb);
}

static inline bool skb_csum_unnecessary(const struct sk_buff *skb)
{
	return skb->ip_summed == CHECKSUM_UNNECESSARY || skb->csum_valid ||
	       (skb->ip_summed == CHECKSUM_PARTIAL && skb_checksum_start_offset(skb) >= 0);
}

/* Ends the charge to the socket early: what a device does that keeps packets for long. */
static inline void skb_orphan(struct sk_buff *skb)
{
	if (skb->destructor) {
		void (*destructor)(struct sk_buff *) = skb->destructor;

		skb->destructor = NULL;
		destructor(skb);
	}
	skb->sk = NULL;
}

void __skb_dst_drop(struct sk_buff *skb);
static inline void skb_dst_drop(struct sk_buff *skb)
{
	if (skb->dst)
		__skb_dst_drop(skb);
}
/* Takes over the caller's reference. */
static inline void skb_dst_set(struct sk_buff *skb, struct dst_entry *dst)
{
	skb_dst_drop(skb);
	skb->dst = dst;
}
/* Everything that must not cross from one instance to another: dst, mark, nfct, timestamps, hash. */
void skb_scrub_packet(struct sk_buff *skb, bool xnet);

/* ---- queues ------------------------------------------------------------------------------------------ */

struct sk_buff_head {
	struct sk_buff *next, *prev; /* must be first: the head plays an skb */
	u32 qlen;
};

static inline void skb_queue_head_init(struct sk_buff_head *q)
{
	q->next = q->prev = (struct sk_buff *)q;
	q->qlen = 0;
}

static inline bool skb_queue_empty(const struct sk_buff_head *q)
{
	return q->next == (const struct sk_buff *)q;
}

static inline struct sk_buff *skb_peek(const struct sk_buff_head *q)
{
	return skb_queue_empty(q) ? NULL : q->next;
}

static inline struct sk_buff *skb_peek_tail(const struct sk_buff_head *q)
{
	return skb_queue_empty(q) ? NULL : q->prev;
}

static inline struct sk_buff *skb_peek_next(const struct sk_buff *skb, const struct sk_buff_head *q)
{
	return skb->next == (const struct sk_buff *)q ? NULL : skb->next;
}

/* What an skb and the head of a queue have in common: a neighbour on a list may be either. */
struct sk_buff_links {
	struct sk_buff *next, *prev;
};

static inline struct sk_buff_links *skb_links(struct sk_buff *skb)
{
	return (struct sk_buff_links *)skb;
}

static inline void __skb_insert(struct sk_buff *n, struct sk_buff *prev, struct sk_buff *next,
				struct sk_buff_head *q)
{
	n->next = next;
	n->prev = prev;
	skb_links(next)->prev = n;
	skb_links(prev)->next = n;
	q->qlen++;
}

static inline void skb_queue_tail(struct sk_buff_head *q, struct sk_buff *skb)
{
	__skb_insert(skb, q->prev, (struct sk_buff *)q, q);
}

static inline void skb_queue_head(struct sk_buff_head *q, struct sk_buff *skb)
{
	__skb_insert(skb, (struct sk_buff *)q, q->next, q);
}

static inline void skb_queue_after(struct sk_buff_head *q, struct sk_buff *prev, struct sk_buff *n)
{
	__skb_insert(n, prev, prev->next, q);
}

static inline void skb_unlink(struct sk_buff *skb, struct sk_buff_head *q)
{
	q->qlen--;
	skb_links(skb->next)->prev = skb->prev;
	skb_links(skb->prev)->next = skb->next;
	skb->next = skb->prev = NULL;
}

static inline struct sk_buff *skb_dequeue(struct sk_buff_head *q)
{
	struct sk_buff *skb = skb_peek(q);

	if (skb)
		skb_unlink(skb, q);
	return skb;
}

void skb_queue_splice_tail_init(struct sk_buff_head *from, struct sk_buff_head *to);
void skb_queue_purge_reason(struct sk_buff_head *q, skb_drop_reason_t reason);
/* Normal end of life for all of @q. */
void skb_queue_consume(struct sk_buff_head *q);

/* Packets on their way through the same functions: filled at the end and emptied from the beginning, by ->next alone. */
struct skb_list {
	struct sk_buff *first;
	struct sk_buff **end; /* where the next one is put */
};

static inline void skb_list_init(struct skb_list *l)
{
	l->first = NULL;
	l->end = &l->first;
}

static inline bool skb_list_empty(const struct skb_list *l)
{
	return !l->first;
}

static inline void skb_list_add(struct skb_list *l, struct sk_buff *skb)
{
	skb->next = NULL;
	*l->end = skb;
	l->end = &skb->next;
}

/* The first one, or NULL. */
static inline struct sk_buff *skb_list_take(struct skb_list *l)
{
	struct sk_buff *skb = l->first;

	if (!skb)
		return NULL;
	l->first = skb->next;
	if (!l->first)
		l->end = &l->first;
	skb->next = NULL;
	return skb;
}

/* What is in @from becomes @to, which is not initialised. */
static inline void skb_list_move(struct skb_list *from, struct skb_list *to)
{
	to->first = from->first;
	to->end = from->first ? from->end : &to->first;
	skb_list_init(from);
}

#define skb_queue_walk(q, skb) for (skb = (q)->next; skb != (struct sk_buff *)(q); skb = skb->next)
#define skb_queue_walk_safe(q, skb, tmp)                                                           \
	for (skb = (q)->next, tmp = skb->next; skb != (struct sk_buff *)(q);                       \
	     skb = tmp, tmp = skb->next)

#endif
