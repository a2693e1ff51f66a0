/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ip_fragment.c - IPv4 fragments become datagrams
 *
 * Theory of operation
 *   ip_defrag() keeps fragments in queues by (identification, source, destination, protocol) - RFC 791 3.2 - and by the user and the
 *   routing domain that asks, until one is complete; inet/inet_fragment.c has the mechanism and what bounds it. The datagram is the
 *   first fragment with its header made whole: total length, no offset, the ECN bits that all fragments together mean (RFC 3168
 *   5.3), DF if every fragment had it. It takes dst and device from the fragment that completed it.
 *
 *   Identifications come round again. When a source has sent max_dist other fragments since a queue's last one, what the queue holds
 *   is likely from another round, and the queue starts afresh (RFC 4963). Sources are counted in a small table; sources
 *   that share a slot take it from each other, and the distance is unknown then.
 *
 *   When the time is over, the sender is told if the first fragment is there (RFC 792, RFC 1122 3.3.2).
 * Locking: softirq, the home cpu's lock.
 */
#include "ipv4/ipv4_internal.h"

#include "inet/inet_reasons.h"
#include "lib/hash.h"
#include "wire/icmp.h"

#define ICMP4_EXC_FRAGTIME 1
#define IP_MAX_LEN         65535u

/* ---- queues ---------------------------------------------------------------------------------------------------- */

static struct inet_frag_key frag_key(const struct ip_hdr *iph, enum ip_defrag_user user, u32 vif)
{
	return (struct inet_frag_key){ { iph->saddr.v, iph->daddr.v,
					 (u32)iph->id.v << 16 | iph->protocol, user, vif } };
}

static void ip_expire(struct inet_frag_queue *q)
{
	struct sk_buff *head = inet_frag_first(q);
	const struct ip_hdr *iph;

	if (!head)
		return;
	iph = ip_hdr(head);
	/* Only the host it was for may say so. */
	if (ip_route_input(head, iph->daddr, iph->saddr, iph->tos, head->dev) ||
	    !(skb_rtable(head)->rt_flags & RTCF_LOCAL))
		return;
	icmp_send(head, ICMP4_TIME_EXCEEDED, ICMP4_EXC_FRAGTIME, 0);
}

static const struct inet_frags ip4_frags = {
	.expire = ip_expire,
	.mib_fails = MIB_Ip_ReasmFails,
	.mib_timeout = MIB_Ip_ReasmTimeout,
	.mib_overlaps = MIB_IpExt_ReasmOverlaps,
};

int ip_frag_net_init(struct net *net)
{
	fqdir_init(&net->ipv4->frags, &ip4_frags, net);
	return 0;
}

void ip_frag_net_exit(struct net *net)
{
	fqdir_exit(&net->ipv4->frags);
}

/* ---- distance --------------------------------------------------------------------------------------------------- */

/* Counts a fragment of @saddr. The count; *ret_since: from where on it is about this source. */
static u32 peer_count(struct net *net, be32 saddr, u32 *ret_since)
{
	struct ip_frag_peer *p =
		&net->ipv4->frag_peers[jhash_2words(saddr.v, (u32)net->machine->hash_seed[0], 0) %
				       IP_FRAG_PEERS];

	p->count++;
	if (!be32_eq(p->saddr, saddr)) {
		p->saddr = saddr;
		p->since = p->count;
	}
	*ret_since = p->since;
	return p->count;
}

static void frag_check_distance(struct net *net, struct inet_frag_queue *q, be32 saddr)
{
	u32 since, last = q->rid, count = peer_count(net, saddr, &since);

	q->rid = count;
	if (!q->fqdir->max_dist || RB_EMPTY_ROOT(&q->fragments))
		return;
	if (count - since >= count - last && count - last > q->fqdir->max_dist)
		inet_frag_restart(q, SKB_DROP_FRAG_DISTANCE);
}

/* ---- ip_defrag() ------------------------------------------------------------------------------------------------- */

/* @iph: a copy, the packet may have moved. */
static void frag_account(struct inet_frag_queue *q, const struct ip_hdr *iph)
{
	u16 size = be16_to_cpu(iph->tot_len);

	q->ecn |= (u8)(1u << (iph->tos & 3));
	q->max_size = max(q->max_size, size);
	if (be16_to_cpu(iph->frag_off) & IP_F_DF)
		q->max_df_size = max(q->max_df_size, size);
}

/* The header of a complete datagram. 0 or a reason why there is none. */
static skb_drop_reason_t frag_write_header(struct sk_buff *head, int ecn, u16 max_size,
					   u16 max_df_size)
{
	struct ip_hdr *iph = ip_hdr(head);

	if (head->len > IP_MAX_LEN)
		return SKB_DROP_FRAG_BAD;
	iph->tot_len = cpu_to_be16((u16)head->len);
	iph->frag_off = BE16_INIT(0);
	if (max_df_size == max_size) {
		iph->frag_off = BE16_INIT(IP_F_DF);
		IPCB(head)->flags |= IPSKB_FRAG_PMTU;
	}
	if (ecn >= 0)
		iph->tos |= (u8)ecn;
	ip_send_check(iph);
	IPCB(head)->frag_max_size = max_size;
	return 0;
}

/* Consumes the queue. @dst and @dev: of the fragment that completed it. */
static struct sk_buff *ip_frag_reasm(struct net *net, struct inet_frag_queue *q,
				     const struct sk_buff *skb, struct dst_entry *dst)
{
	struct net_device *dev = skb->dev;
	u16 max_size = q->max_size, max_df_size = q->max_df_size;
	u8 pkt_type = skb->pkt_type;
	u32 skb_iif = skb->skb_iif;
	u64 tstamp = skb->tstamp, id = skb->id;
	int iif = IPCB(skb)->iif, ecn = inet_frag_ecn(q->ecn);
	skb_drop_reason_t reason;
	struct sk_buff *head;

	if (ecn == -1) {
		inet_frag_kill(q, SKB_DROP_FRAG_ECN);
		dst_release(dst);
		return NULL;
	}
	head = inet_frag_reasm(q);
	if (!head) {
		dst_release(dst);
		return NULL;
	}
	head->dev = dev;
	head->pkt_type = pkt_type;
	head->skb_iif = skb_iif;
	head->tstamp = tstamp;
	IPCB(head)->iif = iif;
	skb_dst_set(head, dst);
	skb_push(head, skb_network_header_len(head));
	reason = frag_write_header(head, ecn, max_size, max_df_size);
	if (reason) {
		NET_INC_STATS(net, MIB_Ip_ReasmFails);
		kfree_skb_reason(head, reason);
		return NULL;
	}
	NET_INC_STATS(net, MIB_Ip_ReasmOKs);
	if (unlikely(head->cpu->trace_on))
		__trace_skb(head, net, TP_ip_frag_reasm, TRACE_CREATE, 0, id, head->len, max_size);
	return head;
}

static struct sk_buff *frag_refuse(struct net *net, struct sk_buff *skb, skb_drop_reason_t reason)
{
	NET_INC_STATS(net, MIB_Ip_ReasmFails);
	kfree_skb_reason(skb, reason);
	return NULL;
}

struct sk_buff *ip_defrag(struct net *net, struct sk_buff *skb, enum ip_defrag_user user)
{
	const struct ip_hdr h = *ip_hdr(skb);
	u32 hlen = ip_hdr_len(&h);
	u16 field = be16_to_cpu(h.frag_off);
	u32 offset = (field & IP_F_OFFSET) * 8u;
	struct inet_frag_queue *q;
	struct inet_frag_key key;
	struct dst_entry *dst;

	NET_INC_STATS(net, MIB_Ip_ReasmReqds);
	/* "Ping of death": the end would lie behind the longest datagram. */
	if (offset + skb->len > IP_MAX_LEN)
		return frag_refuse(net, skb, SKB_DROP_FRAG_BAD);
	key = frag_key(&h, user, 0);
	q = inet_frag_find(&net->ipv4->frags, &key);
	if (!q)
		return frag_refuse(net, skb, SKB_DROP_FRAG_MEM);
	frag_check_distance(net, q, h.saddr);
	trace_skb(skb, net, TP_ip_defrag, TRACE_QUEUED, offset, q->meat);

	dst = skb->dst;
	skb->dst = NULL;
	__skb_pull(skb, hlen);
	switch (inet_frag_queue_insert(q, skb, offset, field & IP_F_MF)) {
	case INET_FRAG_WAIT:
		frag_account(q, &h);
		break;
	case INET_FRAG_COMPLETE:
		frag_account(q, &h);
		return ip_frag_reasm(net, q, skb, dst);
	case INET_FRAG_DROPPED:
		break;
	}
	dst_release(dst);
	return NULL;
}
