/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * udp_ipv4.c - UDP and UDP-Lite over IPv4: addresses, packets in, ICMP errors
 *
 * Everything that does not depend on addresses is in udp_table.c, udp_input.c and udp_offload.c; udp_ipv6.c is the twin.
 * Locking: softirq, the home cpu's lock.
 * See RFC 768, RFC 1122 4.1.
 */
#include <linux/in_route.h>

#include "ipv4/igmp.h"
#include "lib/csum.h"
#include "udp/udp.h"
#include "wire/icmp.h"

/* ---- packets in -------------------------------------------------------------------------------------------- */

static u32 pseudo4(const struct ip_hdr *iph)
{
	return csum_tcpudp_nofold(iph->saddr, iph->daddr, 0, 0, 0);
}

static u32 udp4_pseudo(const struct sk_buff *skb)
{
	return pseudo4(ip_hdr(skb));
}

static struct inet_tuple udp4_tuple(const struct sk_buff *skb, const struct ip_hdr *iph,
				    const struct udp_hdr *uh)
{
	return inet_tuple_v4(iph->saddr, uh->source, iph->daddr, be16_to_cpu(uh->dest),
			     skb->dev->ifindex);
}

static bool udp4_mcast_allow(const struct sock *sk, const struct inet_tuple *t)
{
	return ip_mc_sf_allow(sk, t->daddr.v4, t->saddr.v4, t->dif);
}

static void udp4_unreachable(struct sk_buff *skb)
{
	icmp_send(skb, ICMP4_DEST_UNREACH, ICMP4_PORT_UNREACH, 0);
}

static void udp4_rcv_variant(struct sk_buff *skb, const struct udp_variant *v)
{
	struct net *net = skb->dev->net;
	const struct rtable *rt = skb_rtable(skb);
	struct inet_tuple t;

	if (!udp_rcv_check(skb, v, udp4_pseudo))
		return;
	t = udp4_tuple(skb, ip_hdr(skb), udp_hdr(skb));
	if (rt && rt->rt_flags & (RTCF_BROADCAST | RTCF_MULTICAST))
		udp_mcast_deliver(net, v, skb, &t, udp4_mcast_allow);
	else
		udp_unicast_deliver(net, v, skb, &t, udp4_unreachable);
}

static void udp4_rcv(struct sk_buff *skb)
{
	udp4_rcv_variant(skb, &udp_variants[UDP_PLAIN]);
}

static void udp4_early_demux(struct sk_buff *skb)
{
	const struct udp_hdr *uh = udp_early_header(skb);
	struct inet_tuple t;

	if (!uh)
		return;
	t = udp4_tuple(skb, ip_hdr(skb), uh);
	udp_early_sock(skb, &t);
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
	struct inet_tuple t;
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
	t = inet_tuple_v4(inner->daddr, uh->dest, inner->saddr, be16_to_cpu(uh->source),
			  skb->dev->ifindex);
	sk = udp_lookup(skb->dev->net, v, &t, NULL);
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

	if (net->udp->gro_socks && skb_headlen(skb) >= off + sizeof(struct udp_hdr)) {
		struct inet_tuple t =
			udp4_tuple(skb, iph, (const struct udp_hdr *)(skb->data + off));

		sk = udp_lookup(net, &udp_variants[UDP_PLAIN], &t, NULL);
	}
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
	[UDP_PLAIN] = { .handler = udp4_rcv,
			.err_handler = udp4_err,
			.early_demux = udp4_early_demux,
			.offload = &udp4_offload },
	[UDP_LITE] = { .handler = udplite4_rcv, .err_handler = udplite4_err },
};
