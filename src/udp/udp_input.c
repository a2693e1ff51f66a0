/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * udp_input.c - received datagrams and ICMP errors (RFC 768, RFC 1122 4.1)
 *
 * Theory of operation
 *   udp_rcv() checks the header, prepares the checksum (skb->csum becomes the pseudo header's sum; the rest is summed when the
 *   program copies the data, in udp_recvmsg()), finds the socket and queues. What nobody wants is checked in full before an
 *   ICMP port unreachable goes out, so that a damaged packet draws no answer (RFC 1122 4.1.3.1).
 *   Broadcast and multicast go to every socket that matches; each but the last gets a clone.
 * cb: reads IPCB; struct ip_sock_cb is written by af_ops->rcv_prepare().
 * Locking: softirq, the home cpu's lock.
 */
#include <errno.h>
#include <linux/in_route.h>

#include "core/cpu.h"
#include "core/sock_reasons.h"
#include "lib/csum.h"
#include "udp/udp.h"
#include "wire/icmp.h"

/* Cuts off padding and says what is wrong with the header. */
static skb_drop_reason_t udp_check_header(struct sk_buff *skb)
{
	u32 len;

	if (!pskb_may_pull(skb, sizeof(struct udp_hdr)))
		return SKB_DROP_UDP_HEADER;
	len = be16_to_cpu(((const struct udp_hdr *)skb->data)->len);
	if (len < sizeof(struct udp_hdr) || len > skb->len)
		return SKB_DROP_UDP_HEADER;
	if (len < skb->len) {
		if (pskb_trim(skb, len))
			return SKB_DROP_NOMEM;
		/* A sum over the whole packet counts the padding. */
		if (skb->ip_summed == CHECKSUM_COMPLETE)
			skb->ip_summed = CHECKSUM_NONE;
	}
	return SKB_NOT_DROPPED;
}

/* Leaves skb->csum as the sum that everything from the UDP header on completes, or knows the answer already. */
static void udp_csum_init(struct sk_buff *skb)
{
	const struct ip_hdr *iph = ip_hdr(skb);
	u32 pseudo;

	if (be16_zero(udp_hdr(skb)->check)) { /* RFC 768: none was made */
		skb->csum_valid = 1;
		return;
	}
	if (skb_csum_unnecessary(skb))
		return;
	pseudo = csum_tcpudp_nofold(iph->saddr, iph->daddr, skb->len, IPPROTO_UDP, 0);
	if (skb->ip_summed == CHECKSUM_COMPLETE && csum_fold(csum_add(pseudo, skb->csum)) == 0) {
		skb->csum_valid = 1;
		return;
	}
	skb->csum = pseudo;
	skb->ip_summed = CHECKSUM_NONE;
}

static void udp_csum_error(struct net *net, struct sk_buff *skb)
{
	NET_INC_STATS(net, MIB_Udp_InCsumErrors);
	NET_INC_STATS(net, MIB_Udp_InErrors);
	kfree_skb_reason(skb, SKB_DROP_UDP_CSUM);
}

/* udp_queue_rcv_skb() - hands a datagram to its socket. Consumes @skb. */
static void udp_queue_rcv_skb(struct sock *sk, struct sk_buff *skb)
{
	struct net *net = sock_net(sk);

	if (sk_has_filter(sk)) {
		/* The checksum covers what the filter may cut off. */
		if (!udp_checksum_ok(skb)) {
			udp_csum_error(net, skb);
			return;
		}
		skb->csum_valid = 1;
		if (sk_filter_trim_cap(sk, skb, sizeof(struct udp_hdr))) {
			sk->sk_drops++;
			kfree_skb_reason(skb, SKB_DROP_SOCKET_FILTER);
			return;
		}
	}
	trace_skb(skb, net, TP_udp_queue_rcv_skb, TRACE_QUEUED, sk->sk_rmem_alloc, 0);
	inet_af_ops(net, AF_INET)->rcv_prepare(sk, skb);
	if (__sock_queue_rcv_skb(sk, skb)) {
		NET_INC_STATS(net, MIB_Udp_InErrors);
		NET_INC_STATS(net, MIB_Udp_RcvbufErrors);
	}
}

/* Consumes @skb: a copy for every socket that wants it. */
static void udp_mcast_deliver(struct net *net, struct sk_buff *skb)
{
	const struct ip_hdr *iph = ip_hdr(skb);
	be32 saddr = iph->saddr, daddr = iph->daddr;
	be16 sport = udp_hdr(skb)->source;
	u16 hnum = be16_to_cpu(udp_hdr(skb)->dest);
	int dif = skb->dev->ifindex;
	struct sock *last = NULL;
	struct sock_common *c;
	u32 n = 0;

	hlist_for_each_entry(c, udp_bucket(net->udp, hnum), skc_node) {
		struct sock *sk = (struct sock *)c;
		struct sk_buff *copy;

		if (!udp_mcast_match(sk, saddr, sport, daddr, hnum, dif))
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
	NET_INC_STATS(net, MIB_Udp_IgnoredMulti);
	kfree_skb_reason(skb, SKB_DROP_UDP_NO_MEMBER);
}

static void udp_no_socket(struct net *net, struct sk_buff *skb)
{
	if (!udp_checksum_ok(skb)) {
		udp_csum_error(net, skb);
		return;
	}
	NET_INC_STATS(net, MIB_Udp_NoPorts);
	icmp_send(skb, ICMP4_DEST_UNREACH, ICMP4_PORT_UNREACH, 0);
	kfree_skb_reason(skb, SKB_DROP_UDP_NO_SOCKET);
}

static void udp_rcv(struct sk_buff *skb)
{
	struct net *net = skb->dev->net;
	skb_drop_reason_t reason = udp_check_header(skb);
	const struct rtable *rt = skb_rtable(skb);
	const struct udp_hdr *uh;
	struct sock *sk;

	if (reason) {
		NET_INC_STATS(net, MIB_Udp_InErrors);
		kfree_skb_reason(skb, reason);
		return;
	}
	skb_reset_transport_header(skb);
	uh = udp_hdr(skb);
	trace_skb(skb, net, TP_udp_rcv, TRACE_PASS, be16_to_cpu(uh->source), be16_to_cpu(uh->dest));
	udp_csum_init(skb);
	if (rt && rt->rt_flags & (RTCF_BROADCAST | RTCF_MULTICAST)) {
		udp_mcast_deliver(net, skb);
		return;
	}
	sk = udp4_lookup(net, ip_hdr(skb)->saddr, uh->source, ip_hdr(skb)->daddr,
			 be16_to_cpu(uh->dest), skb->dev->ifindex);
	if (sk)
		udp_queue_rcv_skb(sk, skb);
	else
		udp_no_socket(net, skb);
}

/* An ICMP error about a datagram of ours: data at the inner IP header. borrow */
static void udp_err(struct sk_buff *skb, u8 type, u8 code, u32 info)
{
	struct net *net = skb->dev->net;
	const struct inet_af_ops *af = inet_af_ops(net, AF_INET);
	const struct ip_hdr *inner;
	const struct udp_hdr *uh;
	struct sock *sk;
	u32 hlen;
	bool hard;
	int err;

	if (!pskb_may_pull(skb, sizeof(*inner)))
		return;
	hlen = ip_hdr_len((const struct ip_hdr *)skb->data);
	if (!pskb_may_pull(skb, hlen + sizeof(*uh)))
		return;
	inner = (const struct ip_hdr *)skb->data;
	uh = (const struct udp_hdr *)(skb->data + hlen);
	trace_skb(skb, net, TP_udp_err, TRACE_PASS, type, code);
	sk = udp4_lookup(net, inner->daddr, uh->dest, inner->saddr, be16_to_cpu(uh->source),
			 skb->dev->ifindex);
	if (!sk)
		return;
	err = af->icmp_errno(sk, skb, type, code, info, &hard);
	if (!err)
		return;
	/* RFC 1122 4.1.3.3: a program that did not ask for errors hears of hard ones on a connected socket only. */
	if (inet_sk(sk)->recverr)
		af->icmp_error(sk, skb, err, uh->dest, info,
			       (u8 *)(skb->data + hlen + sizeof(*uh)));
	else if (!hard || sk->sk_state != SS_TCP_ESTABLISHED)
		return;
	sk->sk_err = err;
	sk_error_report(sk);
}

const struct net_protocol udp_protocol = {
	.handler = udp_rcv,
	.err_handler = udp_err,
};
