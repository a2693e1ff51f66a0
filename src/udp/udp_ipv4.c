/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * udp_ipv4.c - UDP and UDP-Lite over IPv4: addresses, lookup, packets in, ICMP errors
 *
 * Theory of operation
 *   The one socket of a port that says most about the packet gets it (udp4_score()): the local address first, then the peer,
 *   then the device. Among equals of a SO_REUSEPORT group the group's program or the flow's hash decides, else the one that was
 *   bound last. Broadcast and multicast go to every socket that matches; each but the last gets a clone.
 *   Everything that does not depend on addresses is in udp_input.c and udp_offload.c.
 * Locking: softirq, the home cpu's lock.
 * See RFC 768, RFC 1122 4.1.
 */
#include <linux/in_route.h>

#include "ipv4/igmp.h"
#include "lib/csum.h"
#include "lib/siphash.h"
#include "udp/udp.h"
#include "wire/icmp.h"

/* ---- lookup ---------------------------------------------------------------------------------------------- */

/* 0: not for @sk; else the more, the closer. */
static u32 udp4_score(const struct sock *sk, be32 saddr, be16 sport, be32 daddr, u16 hnum, int dif)
{
	u32 score = 1 + (sk->sk_family == AF_INET);

	if (sk->sk_num != hnum || sk->sk_ipv6only)
		return 0;
	if (!be32_zero(sk->sk_rcv_saddr)) {
		if (!be32_eq(sk->sk_rcv_saddr, daddr))
			return 0;
		score += 32;
	}
	if (!be32_zero(sk->sk_daddr)) {
		if (!be32_eq(sk->sk_daddr, saddr))
			return 0;
		score += 8;
	}
	if (!be16_zero(sk->sk_dport)) {
		if (!be16_eq(sk->sk_dport, sport))
			return 0;
		score += 8;
	}
	if (sk->sk_bound_dev_if) {
		if (sk->sk_bound_dev_if != dif)
			return 0;
		score += 4;
	}
	return score;
}

struct sock *udp4_lookup(struct net *net, const struct udp_variant *v, be32 saddr, be16 sport,
			 be32 daddr, u16 hnum, int dif)
{
	const struct udp_table *t = &net->udp->table[v->id];
	struct sock *best = NULL;
	struct sock_common *c;
	u32 best_score = 0, group = 0, pick;

	hlist_for_each_entry(c, udp_bucket(t, hnum), skc_node) {
		struct sock *sk = (struct sock *)c;
		u32 score = udp4_score(sk, saddr, sport, daddr, hnum, dif);

		if (score > best_score) {
			best = sk;
			best_score = score;
			group = 0;
		}
		group += score && score == best_score && udp_shares_packets(sk);
	}
	if (group < 2 || !udp_shares_packets(best))
		return best;
	pick = (u32)((siphash_3u32(saddr.v, daddr.v, (u32)hnum << 16 | sport.v, net->udp->key) &
		      UINT32_MAX) *
			     group >>
		     32);
	hlist_for_each_entry(c, udp_bucket(t, hnum), skc_node) {
		struct sock *sk = (struct sock *)c;

		if (udp_shares_packets(sk) &&
		    udp4_score(sk, saddr, sport, daddr, hnum, dif) == best_score && pick-- == 0)
			return sk;
	}
	return best;
}

/* Does @sk want a packet with these addresses that goes to many? */
static bool udp4_mcast_match(const struct sock *sk, be32 saddr, be16 sport, be32 daddr, u16 hnum,
			     int dif)
{
	return udp4_score(sk, saddr, sport, daddr, hnum, dif) != 0 &&
	       ip_mc_sf_allow(sk, daddr, saddr, dif);
}

/* ---- packets in -------------------------------------------------------------------------------------------- */

static u32 pseudo4(const struct ip_hdr *iph)
{
	return csum_tcpudp_nofold(iph->saddr, iph->daddr, 0, 0, 0);
}

static struct sock *udp4_lookup_skb(struct net *net, const struct udp_variant *v,
				    const struct sk_buff *skb, const struct ip_hdr *iph,
				    const struct udp_hdr *uh)
{
	return udp4_lookup(net, v, iph->saddr, uh->source, iph->daddr, be16_to_cpu(uh->dest),
			   skb->dev->ifindex);
}

/* Consumes @skb: a copy for every socket that wants it. */
static void udp4_mcast_deliver(struct net *net, const struct udp_variant *v, struct sk_buff *skb)
{
	const struct ip_hdr *iph = ip_hdr(skb);
	be32 saddr = iph->saddr, daddr = iph->daddr;
	be16 sport = udp_hdr(skb)->source;
	u16 hnum = be16_to_cpu(udp_hdr(skb)->dest);
	int dif = skb->dev->ifindex;
	struct sock *last = NULL;
	struct sock_common *c;
	u32 n = 0;

	hlist_for_each_entry(c, udp_bucket(&net->udp->table[v->id], hnum), skc_node) {
		struct sock *sk = (struct sock *)c;
		struct sk_buff *copy;

		if (!udp4_mcast_match(sk, saddr, sport, daddr, hnum, dif))
			continue;
		n++;
		if (last) {
			copy = skb_clone(skb);
			if (copy)
				udp_queue_rcv_skb(last, copy);
		}
		last = sk;
	}
	trace_skb(skb, net, TP_udp_mcast_deliver, last ? TRACE_PASS : TRACE_DROP, n, 0);
	if (last) {
		udp_queue_rcv_skb(last, skb);
		return;
	}
	NET_INC_STATS(net, v->mib[0].ignored_multi);
	kfree_skb_reason(skb, SKB_DROP_UDP_NO_MEMBER);
}

static void udp4_unreachable(struct sk_buff *skb)
{
	icmp_send(skb, ICMP4_DEST_UNREACH, ICMP4_PORT_UNREACH, 0);
}

static void udp4_rcv_variant(struct sk_buff *skb, const struct udp_variant *v)
{
	struct net *net = skb->dev->net;
	const struct rtable *rt = skb_rtable(skb);
	struct sock *sk;

	if (!udp_rcv_check(skb, v, pseudo4(ip_hdr(skb))))
		return;
	if (rt && rt->rt_flags & (RTCF_BROADCAST | RTCF_MULTICAST)) {
		udp4_mcast_deliver(net, v, skb);
		return;
	}
	sk = udp4_lookup_skb(net, v, skb, ip_hdr(skb), udp_hdr(skb));
	if (sk)
		udp_queue_rcv_skb(sk, skb);
	else
		udp_no_socket(skb, v, udp4_unreachable);
}

static void udp4_rcv(struct sk_buff *skb)
{
	udp4_rcv_variant(skb, &udp_variants[UDP_PLAIN]);
}

static void udplite4_rcv(struct sk_buff *skb)
{
	udp4_rcv_variant(skb, &udp_variants[UDP_LITE]);
}

/* An ICMP error about a datagram of ours: data at the inner IP header. borrow */
static void udp4_err_variant(struct sk_buff *skb, const struct udp_variant *v, u8 type, u8 code,
			     u32 info)
{
	const struct ip_hdr *inner;
	struct udp_hdr *uh;
	struct sock *sk;
	u32 hlen;

	if (!pskb_may_pull(skb, sizeof(*inner)))
		return;
	hlen = ip_hdr_len((const struct ip_hdr *)skb->data);
	if (!pskb_may_pull(skb, hlen + sizeof(*uh)))
		return;
	inner = (const struct ip_hdr *)skb->data;
	uh = (struct udp_hdr *)(skb->data + hlen);
	sk = udp4_lookup(skb->dev->net, v, inner->daddr, uh->dest, inner->saddr,
			 be16_to_cpu(uh->source), skb->dev->ifindex);
	trace_skb(skb, skb->dev->net, TP_udp_err, TRACE_PASS, type, code);
	if (sk)
		udp_err_sock(sk, skb, uh, type, code, info);
}

static void udp4_err(struct sk_buff *skb, u8 type, u8 code, u32 info)
{
	udp4_err_variant(skb, &udp_variants[UDP_PLAIN], type, code, info);
}

static void udplite4_err(struct sk_buff *skb, u8 type, u8 code, u32 info)
{
	udp4_err_variant(skb, &udp_variants[UDP_LITE], type, code, info);
}

/* ---- merging: inet_gro_receive() has checked the IPv4 header at data ------------------------------------------ */

static struct sk_buff *udp4_gro_receive(struct sk_buff_head *held, struct sk_buff *skb)
{
	const struct ip_hdr *iph = (const struct ip_hdr *)(skb->head + skb->network_header);
	u32 off = NAPI_GRO_CB(skb)->data_offset;
	struct net *net = skb->dev->net;
	const struct sock *sk = NULL;

	if (net->udp->gro_socks && skb_headlen(skb) >= off + sizeof(struct udp_hdr))
		sk = udp4_lookup_skb(net, &udp_variants[UDP_PLAIN], skb, iph,
				     (const struct udp_hdr *)(skb->data + off));
	return udp_gro_receive(held, skb, sk, pseudo4(iph));
}

static int udp4_gro_complete(struct sk_buff *skb, int nhoff)
{
	return udp_gro_complete(skb, nhoff, pseudo4(ip_hdr(skb)));
}

static const struct offload_callbacks udp4_offload = {
	.gro_receive = udp4_gro_receive,
	.gro_complete = udp4_gro_complete,
	.gso_segment = udp_gso_segment,
};

const struct net_protocol udp4_protocols[NR_UDP_VARIANTS] = {
	[UDP_PLAIN] = { .handler = udp4_rcv, .err_handler = udp4_err, .offload = &udp4_offload },
	[UDP_LITE] = { .handler = udplite4_rcv, .err_handler = udplite4_err },
};
