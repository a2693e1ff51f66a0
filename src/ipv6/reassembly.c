/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * reassembly.c - IPv6 fragments become datagrams
 *
 * Theory of operation
 *   ipv6_frag_rcv() keeps fragments in queues by (identification, source, destination), and by the device where the destination's
 *   scope asks for it, until one is complete; inet/inet_fragment.c has the mechanism and what bounds it. The datagram is the
 *   first fragment without its fragment header: the headers before it move up, their last "next header" names what the first
 *   fragment header named (RFC 8200 4.5), the payload length is made whole, the ECN bits are those that all fragments together mean.
 *
 *   A fragment that is all of its datagram is processed alone, whatever else is queued (RFC 6946). Fragments that overlap
 *   end the whole datagram (RFC 5722). The first fragment must hold all headers (RFC 7112).
 *   When the time is over, the sender is told if the first fragment is there (RFC 8200 4.5).
 * Locking: softirq, the home cpu's lock.
 */
#include <errno.h>

#include "core/trace.h"
#include "inet/inet_reasons.h"
#include "ipv6/ipv6_internal.h"
#include "wire/icmpv6.h"

#define IP6_MAX_PAYLOAD 65535u
#define IP6F_OFFSET     0xfff8
#define IP6F_MORE       1
#define IP6_FRAG_HDR    8u

enum { FRAG_NEXTHDR = 0, FRAG_OFF = 2, FRAG_ID = 4 }; /* RFC 8200 4.5 */

static void ip6_expire(struct inet_frag_queue *q)
{
	struct sk_buff *head = inet_frag_first(q);

	if (head)
		icmpv6_send(head, ICMPV6_TIME_EXCEED, ICMPV6_EXC_FRAGTIME, 0);
}

static const struct inet_frags ip6_frags = {
	.expire = ip6_expire,
	.mib_fails = MIB_Ip6_ReasmFails,
	.mib_timeout = MIB_Ip6_ReasmTimeout,
	.mib_overlaps = MIB_IpExt_ReasmOverlaps, /* there is one for both versions */
};

static int ip6_frag_net_init(struct net *net)
{
	fqdir_init(&net->ipv6->frags, &ip6_frags, net);
	return 0;
}

static void ip6_frag_net_exit(struct net *net)
{
	fqdir_exit(&net->ipv6->frags);
}

static int ip6_frag_event(struct net_device *dev, enum netdev_event ev)
{
	if (ev != NETDEV_UNREGISTER)
		return 0;
	cpu_lock(dev->net->cpu);
	fqdir_drop_dev(&dev->net->ipv6->frags, dev);
	cpu_unlock(dev->net->cpu);
	return 0;
}

const struct ipv6_part ip6_frag_part = {
	.name = "reassembly",
	.net_init = ip6_frag_net_init,
	.net_exit = ip6_frag_net_exit,
	.netdev_event = ip6_frag_event,
};

static struct inet_frag_key frag_key(const struct sk_buff *skb, u32 id)
{
	const struct ipv6_hdr *h = ipv6_hdr(skb);
	struct inet_frag_key key = { 0 };

	memcpy(&key.w[0], &h->saddr, 16);
	memcpy(&key.w[4], &h->daddr, 16);
	key.w[8] = id;
	/* RFC 4007 6: the same link-local address or group on two links are two. */
	if (ipv6_addr_type(&h->daddr) & (IPV6_ADDR_MULTICAST | IPV6_ADDR_LINKLOCAL))
		key.w[9] = (u32)IP6CB(skb)->iif;
	return key;
}

static struct sk_buff *frag_refuse(struct net *net, struct sk_buff *skb, u16 counter,
				   skb_drop_reason_t reason)
{
	NET_INC_STATS(net, counter);
	kfree_skb_reason(skb, reason);
	return NULL;
}

/* What is wrong with the header of this fragment is reported where it stands: @field from the network header on. */
static struct sk_buff *frag_param_problem(struct net *net, struct sk_buff *skb, u8 code, u32 field)
{
	icmpv6_send(skb, ICMPV6_PARAMPROB, code, field);
	return frag_refuse(net, skb, MIB_Ip6_InHdrErrors, SKB_DROP_FRAG_BAD);
}

/* RFC 7112 5: does the first fragment (data behind the fragment header) end before the upper-layer header? */
static bool frag_headers_incomplete(struct sk_buff *skb, u8 nexthdr)
{
	u8 buf[256];
	u32 len = min(skb->len, (u32)sizeof(buf));
	u16 frag_off;
	u8 next = nexthdr;
	int skip;

	if (skb_copy_bits(skb, 0, buf, len))
		return true;
	skip = ipv6_skip_exthdr(buf, len, &next, &frag_off);
	/* Longer chains than we looked at are left to the receiver's own checks. */
	if (skip < 0)
		return skb->len <= sizeof(buf);
	switch (next) {
	case IPPROTO_TCP:
		return skb->len - (u32)skip < 20;
	case IPPROTO_UDP:
	case IPPROTO_UDPLITE:
	case IPPROTO_ICMPV6:
		return skb->len - (u32)skip < 8;
	case IPPROTO_NONE:
		return false;
	default:
		return skb->len == (u32)skip;
	}
}

/* The headers of the first fragment close up over where its fragment header was. Data at the payload. 0 or a drop reason */
static skb_drop_reason_t frag_write_headers(struct sk_buff *head, int ecn, u16 max_size)
{
	u32 hlen = skb_network_header_len(head), nhoff = IP6CB(head)->nhoff;
	u8 *nh = skb_network_header(head);
	struct ipv6_hdr *h;

	/* The transport header stands at the fragment header still: hlen octets before it stay. */
	nh[nhoff] = nh[hlen + FRAG_NEXTHDR];
	memmove(nh + IP6_FRAG_HDR, nh, hlen);
	head->network_header = (u16)(head->network_header + IP6_FRAG_HDR);
	head->transport_header = (u16)(head->transport_header + IP6_FRAG_HDR);
	if (head->len + hlen - sizeof(*h) > IP6_MAX_PAYLOAD)
		return SKB_DROP_FRAG_BAD;
	h = ipv6_hdr(head);
	h->payload_len = cpu_to_be16((u16)(head->len + hlen - sizeof(*h)));
	if (ecn >= 0)
		h->ver_tc_flow = cpu_to_be32(be32_to_cpu(h->ver_tc_flow) | (u32)ecn << 20);
	IP6CB(head)->flags |= IP6SKB_FRAGMENTED;
	IP6CB(head)->frag_max_size = max_size;
	/* Sums over pieces say nothing about the whole's header any more. */
	if (head->ip_summed == CHECKSUM_COMPLETE)
		head->ip_summed = CHECKSUM_NONE;
	return 0;
}

/* Consumes the queue. @skb: the fragment that completed it; only its fields are read. */
static struct sk_buff *ip6_frag_reasm(struct net *net, struct inet_frag_queue *q,
				      const struct sk_buff *skb, struct dst_entry *dst)
{
	struct net_device *dev = skb->dev;
	u16 max_size = q->max_size;
	u8 pkt_type = skb->pkt_type;
	u32 skb_iif = skb->skb_iif;
	u64 tstamp = skb->tstamp, id = skb->id;
	int iif = IP6CB(skb)->iif, ecn = inet_frag_ecn(q->ecn);
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
	IP6CB(head)->iif = iif;
	skb_dst_set(head, dst);
	reason = frag_write_headers(head, ecn, max_size);
	if (reason)
		return frag_refuse(net, head, MIB_Ip6_ReasmFails, reason);
	NET_INC_STATS(net, MIB_Ip6_ReasmOKs);
	if (unlikely(head->cpu->trace_on))
		__trace_skb(head, net, TP_ip6_frag_reasm, TRACE_CREATE, 0, id, head->len, max_size);
	return head;
}

/* RFC 6946: an atomic fragment is a whole packet with a header too many, which is stepped over. */
static struct sk_buff *frag_atomic(struct net *net, struct sk_buff *skb)
{
	IP6CB(skb)->nhoff = (u16)skb_network_header_len(skb);
	IP6CB(skb)->flags |= IP6SKB_FRAGMENTED;
	IP6CB(skb)->frag_max_size =
		(u16)(be16_to_cpu(ipv6_hdr(skb)->payload_len) + sizeof(struct ipv6_hdr));
	__skb_pull(skb, IP6_FRAG_HDR);
	skb_reset_transport_header(skb);
	NET_INC_STATS(net, MIB_Ip6_ReasmOKs);
	return skb;
}

struct sk_buff *ipv6_frag_rcv(struct sk_buff *skb)
{
	struct net *net = skb->dev->net;
	const struct ipv6_hdr *h = ipv6_hdr(skb);
	u32 hlen = skb_network_header_len(skb), offset, id;
	struct inet_frag_queue *q;
	struct inet_frag_key key;
	struct dst_entry *dst;
	u8 fh[IP6_FRAG_HDR];
	u16 field, size;
	u8 dsfield;

	NET_INC_STATS(net, MIB_Ip6_ReasmReqds);
	/* A fragment of a fragment is nothing that a sender makes: filters would see another packet than the receiver. */
	if (IP6CB(skb)->flags & IP6SKB_FRAGMENTED)
		return frag_param_problem(net, skb, ICMPV6_HDR_FIELD, hlen);
	/* RFC 2675 6: a jumbogram has no fragments. */
	if (be16_zero(h->payload_len) || !pskb_may_pull(skb, IP6_FRAG_HDR))
		return frag_param_problem(net, skb, ICMPV6_HDR_FIELD, hlen);
	memcpy(fh, skb->data, sizeof(fh));
	h = ipv6_hdr(skb);
	field = (u16)(fh[FRAG_OFF] << 8 | fh[FRAG_OFF + 1]);
	memcpy(&id, fh + FRAG_ID, sizeof(id));
	offset = field & IP6F_OFFSET;
	if (!(field & (IP6F_OFFSET | IP6F_MORE)))
		return frag_atomic(net, skb);
	size = (u16)(be16_to_cpu(h->payload_len) + sizeof(*h));
	dsfield = ipv6_get_dsfield(h);
	key = frag_key(skb, id);
	__skb_pull(skb, IP6_FRAG_HDR);

	/* RFC 8200 4.5: the checks of a fragment, and what its sender is told. */
	if (offset + skb->len + hlen - sizeof(*h) > IP6_MAX_PAYLOAD)
		return frag_param_problem(net, skb, ICMPV6_HDR_FIELD, hlen + FRAG_OFF);
	if ((field & IP6F_MORE) && skb->len % 8)
		return frag_param_problem(net, skb, ICMPV6_HDR_FIELD,
					  offsetof(struct ipv6_hdr, payload_len));
	if (!offset && frag_headers_incomplete(skb, fh[FRAG_NEXTHDR]))
		return frag_param_problem(net, skb, ICMPV6_HDR_INCOMP, 0);

	q = inet_frag_find(&net->ipv6->frags, &key);
	if (!q)
		return frag_refuse(net, skb, MIB_Ip6_ReasmFails, SKB_DROP_FRAG_MEM);
	trace_skb(skb, net, TP_ipv6_frag_rcv, TRACE_QUEUED, offset, q->meat);
	dst = skb->dst;
	skb->dst = NULL;
	switch (inet_frag_queue_insert(q, skb, offset, field & IP6F_MORE)) {
	case INET_FRAG_WAIT:
		q->ecn |= (u8)(1u << (dsfield & 3));
		q->max_size = max(q->max_size, size);
		break;
	case INET_FRAG_COMPLETE:
		q->ecn |= (u8)(1u << (dsfield & 3));
		q->max_size = max(q->max_size, size);
		return ip6_frag_reasm(net, q, skb, dst);
	case INET_FRAG_DROPPED:
		break;
	}
	dst_release(dst);
	return NULL;
}
