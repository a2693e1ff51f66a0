/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * udp_ipv6.c - UDP and UDP-Lite over IPv6: addresses, packets in, ICMPv6 errors
 *
 * Everything that does not depend on addresses is in udp_table.c, udp_input.c and udp_offload.c; udp_ipv4.c is the twin.
 * Locking: softirq, the home cpu's lock.
 * See RFC 8200 8.1, RFC 6935, RFC 8201 (path MTU).
 */
#include "ipv6/ipv6.h"
#include "lib/csum.h"
#include "udp/udp.h"
#include "wire/icmpv6.h"

/* ---- packets in -------------------------------------------------------------------------------------------- */

static u32 pseudo6(const struct ipv6_hdr *h)
{
	return csum_ipv6_nofold(&h->saddr, &h->daddr, 0, 0, 0);
}

static u32 udp6_pseudo(const struct sk_buff *skb)
{
	return pseudo6(ipv6_hdr(skb));
}

static struct inet_tuple udp6_tuple(const struct sk_buff *skb, const struct ipv6_hdr *h,
				    const struct udp_hdr *uh)
{
	return inet_tuple_v6(&h->saddr, uh->source, &h->daddr, be16_to_cpu(uh->dest),
			     IP6CB(skb)->iif);
}

static bool udp6_mcast_allow(const struct sock *sk, const struct inet_tuple *t)
{
	return inet6_mc_check(sk, &t->daddr.v6, &t->saddr.v6, t->dif);
}

static void udp6_unreachable(struct sk_buff *skb)
{
	icmpv6_send(skb, ICMPV6_DEST_UNREACH, ICMPV6_PORT_UNREACH, 0);
}

static void udp6_rcv_variant(struct sk_buff *skb, const struct udp_variant *v)
{
	struct net *net = skb->dev->net;
	struct inet_tuple t;

	if (!udp_rcv_check(skb, v, udp6_pseudo))
		return;
	t = udp6_tuple(skb, ipv6_hdr(skb), udp_hdr(skb));
	if (ipv6_addr_is_multicast(&t.daddr.v6))
		udp_mcast_deliver(net, v, skb, &t, udp6_mcast_allow);
	else
		udp_unicast_deliver(net, v, skb, &t, udp6_unreachable);
}

static void udp6_rcv(struct sk_buff *skb)
{
	udp6_rcv_variant(skb, &udp_variants[UDP_PLAIN]);
}

static void udp6_early_demux(struct sk_buff *skb)
{
	const struct udp_hdr *uh = udp_early_header(skb);
	struct inet_tuple t;

	if (!uh)
		return;
	t = udp6_tuple(skb, ipv6_hdr(skb), uh);
	udp_early_sock(skb, &t);
}

static void udplite6_rcv(struct sk_buff *skb)
{
	udp6_rcv_variant(skb, &udp_variants[UDP_LITE]);
}

/* An ICMPv6 error about a datagram of ours: data at the inner IPv6 header, the transport header is the inner UDP header. borrow */
static void udp6_err_variant(struct sk_buff *skb, const struct udp_variant *v, u8 type, u8 code,
			     u32 info)
{
	const struct ipv6_hdr *inner = (const struct ipv6_hdr *)skb->data;
	struct udp_hdr *uh = udp_hdr(skb);
	struct inet_tuple t;
	struct sock *sk;

	t = inet_tuple_v6(&inner->daddr, uh->dest, &inner->saddr, be16_to_cpu(uh->source),
			  IP6CB(skb)->iif);
	sk = udp_lookup(skb->dev->net, v, &t, NULL);
	trace_skb(skb, skb->dev->net, TP_udp_err, TRACE_PASS, type, code);
	if (!sk) {
		NET_INC_STATS(skb->dev->net, MIB_Icmp6_InErrors);
		return;
	}
	if (type == ICMPV6_PKT_TOOBIG)
		ip6_sk_update_pmtu(skb, sk, info);
	udp_err_sock(sk, skb, uh, type, code, info);
}

static void udp6_err(struct sk_buff *skb, u8 type, u8 code, u32 info)
{
	udp6_err_variant(skb, &udp_variants[UDP_PLAIN], type, code, info);
}

static void udplite6_err(struct sk_buff *skb, u8 type, u8 code, u32 info)
{
	udp6_err_variant(skb, &udp_variants[UDP_LITE], type, code, info);
}

/* ---- merging: ipv6_gro_receive() has checked the IPv6 header -------------------------------------------------- */

static struct sk_buff *udp6_gro_receive(struct sk_buff_head *held, struct sk_buff *skb)
{
	const struct ipv6_hdr *h = (const struct ipv6_hdr *)(skb->head + skb->network_header);
	u32 off = NAPI_GRO_CB(skb)->data_offset;
	struct net *net = skb->dev->net;
	const struct sock *sk = NULL;

	if (net->udp->gro_socks && skb_headlen(skb) >= off + sizeof(struct udp_hdr)) {
		struct inet_tuple t = udp6_tuple(skb, h, (const struct udp_hdr *)(skb->data + off));

		sk = udp_lookup(net, &udp_variants[UDP_PLAIN], &t, NULL);
	}
	return udp_gro_receive(held, skb, sk, pseudo6(h));
}

static int udp6_gro_complete(struct sk_buff *skb, int nhoff)
{
	return udp_gro_complete(skb, nhoff, pseudo6(ipv6_hdr(skb)));
}

static const struct offload_callbacks udp6_offload = {
	.gro_receive = udp6_gro_receive,
	.gro_complete = udp6_gro_complete,
	.gso_segment = udp_gso_segment,
};

const struct net_protocol udp6_protocols[NR_UDP_VARIANTS] = {
	[UDP_PLAIN] = { .handler = udp6_rcv,
			.err_handler = udp6_err,
			.early_demux = udp6_early_demux,
			.offload = &udp6_offload },
	[UDP_LITE] = { .handler = udplite6_rcv, .err_handler = udplite6_err },
};
