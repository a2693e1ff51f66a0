/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * udp_input.c - received datagrams, whatever the IP version (RFC 768, RFC 1122 4.1, RFC 3828)
 *
 * Theory of operation
 *   udp_rcv_check() checks the header and prepares the checksum (skb->csum becomes the pseudo header's sum; the rest is summed when
 *   the program copies the data, in udp_recvmsg()). A checksum that covers a part only (UDP-Lite) is verified at once. Then the IP
 *   version finds the socket. What nobody wants is checked in full before an ICMP error goes out, so that a damaged packet
 *   draws no answer (RFC 1122 4.1.3.1).
 *   A big datagram (GSO) that comes over loopback, a veth or from GRO stays whole for a socket with UDP_GRO, and is cut for others.
 * cb: the IP version's until af_ops->rcv_prepare(), which leaves struct inet_sock_cb.
 * Locking: softirq, the home cpu's lock.
 */
#include <errno.h>

#include "core/cpu.h"
#include "core/sock_reasons.h"
#include "lib/csum.h"
#include "udp/udp.h"

/* Leaves skb->csum as the sum that everything from the UDP header on completes, or knows the answer already. False: wrong. */
static bool udp_csum_init(struct sk_buff *skb, const struct udp_variant *v, udp_pseudo_fn addrs,
			  u32 coverage)
{
	u32 pseudo;

	if (be16_zero(
		    udp_hdr(skb)
			    ->check)) { /* RFC 768: none was made; IPv6: udp_zero_csum_refused() */
		skb->csum_valid = 1;
		return true;
	}
	if (skb_csum_unnecessary(skb))
		return true;
	pseudo = csum_add(addrs(skb),
			  csum_add(cpu_to_be16((u16)skb->len).v, cpu_to_be16(v->protocol).v));
	if (coverage < skb->len) {
		skb->csum_valid = csum_fold(skb_checksum(skb, 0, coverage, pseudo)) == 0;
		return skb->csum_valid;
	}
	if (skb->ip_summed == CHECKSUM_COMPLETE && csum_fold(csum_add(pseudo, skb->csum)) == 0) {
		skb->csum_valid = 1;
		return true;
	}
	skb->csum = pseudo;
	skb->ip_summed = CHECKSUM_NONE;
	return true;
}

static void udp_csum_error(struct net *net, const struct udp_variant *v, struct sk_buff *skb)
{
	const struct udp_mib *mib = udp_skb_mib(skb, v);

	NET_INC_STATS(net, mib->in_csum_errors);
	NET_INC_STATS(net, mib->in_errors);
	kfree_skb_reason(skb, SKB_DROP_UDP_CSUM);
}

/* RFC 8200 8.1: over IPv6 there is always a checksum, but for sockets that do without (RFC 6935). @sk NULL: none has the port */
static bool udp_zero_csum_refused(const struct sk_buff *skb, const struct sock *sk)
{
	return unlikely(be16_zero(udp_hdr(skb)->check)) &&
	       be16_to_cpu(skb->protocol) == ETH_P_IPV6 && !(sk && udp_sk(sk)->no_check6_rx);
}

/* Sets the octets that the checksum covers. What is all of it, as nearly always, has nothing that could be wrong with it. */
static inline skb_drop_reason_t udp_check_header(struct sk_buff *skb, const struct udp_variant *v,
						 u32 *ret_coverage)
{
	if (!pskb_may_pull(skb, sizeof(struct udp_hdr)))
		return SKB_DROP_UDP_HEADER;
	*ret_coverage = be16_to_cpu(((const struct udp_hdr *)skb->data)->len);
	if (likely(*ret_coverage == skb->len && v->id == UDP_PLAIN))
		return SKB_NOT_DROPPED;
	return v->check_header(skb, ret_coverage);
}

bool udp_rcv_check(struct sk_buff *skb, const struct udp_variant *v, udp_pseudo_fn addrs)
{
	struct net *net = skb->dev->net;
	u32 coverage;
	skb_drop_reason_t reason = udp_check_header(skb, v, &coverage);

	if (unlikely(reason)) {
		NET_INC_STATS(net, udp_skb_mib(skb, v)->in_errors);
		kfree_skb_reason(skb, reason);
		return false;
	}
	skb_reset_transport_header(skb);
	trace_skb(skb, net, TP_udp_rcv, TRACE_PASS, be16_to_cpu(udp_hdr(skb)->source),
		  be16_to_cpu(udp_hdr(skb)->dest));
	if (unlikely(!udp_csum_init(skb, v, addrs, coverage))) {
		udp_csum_error(net, v, skb);
		return false;
	}
	return true;
}

/* RFC 3828 3.3: a receiver may want a minimum of coverage; 0 of the program means "all". */
static bool udplite_coverage_too_small(const struct sock *sk, const struct sk_buff *skb)
{
	u32 field = be16_to_cpu(udp_hdr(skb)->len);

	if (likely(!udp_sk(sk)->recv_cscov_set) || !field || field >= skb->len)
		return false;
	return !udp_sk(sk)->recv_cscov || field < udp_sk(sk)->recv_cscov;
}

static inline skb_drop_reason_t udp_sock_wants(struct sock *sk, struct sk_buff *skb)
{
	if (unlikely(sk->sk_protocol == IPPROTO_UDPLITE) && udplite_coverage_too_small(sk, skb))
		return SKB_DROP_UDPLITE_WANTED;
	if (!sk_has_filter(sk))
		return SKB_NOT_DROPPED;
	/* The checksum covers what the filter may cut off. */
	if (!udp_checksum_ok(skb))
		return SKB_DROP_UDP_CSUM;
	skb->csum_valid = 1;
	return sk_filter_trim_cap(sk, skb, sizeof(struct udp_hdr)) ? SKB_DROP_SOCKET_FILTER
								   : SKB_NOT_DROPPED;
}

/* What was not queued: counted. */
static void udp_not_queued(struct sock *sk, const struct udp_mib *mib, int err)
{
	NET_INC_STATS(sock_net(sk), mib->in_errors);
	NET_INC_STATS(sock_net(sk), err == -ENOMEM ? mib->rcvbuf_errors : mib->mem_errors);
}

static void udp_not_wanted(struct sock *sk, struct sk_buff *skb, skb_drop_reason_t reason)
{
	const struct udp_mib *mib = udp_skb_mib(skb, udp_sk_variant(sk));
	struct net *net = sock_net(sk);

	sk->sk_drops++;
	if (reason == SKB_DROP_UDP_CSUM)
		NET_INC_STATS(net, mib->in_csum_errors);
	if (reason != SKB_DROP_SOCKET_FILTER)
		NET_INC_STATS(net, mib->in_errors);
	kfree_skb_reason(skb, reason);
}

static __inlined void udp_queue_rcv_one_skb(struct sock *sk, struct sk_buff *skb)
{
	bool v6 = be16_to_cpu(skb->protocol) == ETH_P_IPV6;
	struct net *net = sock_net(sk);
	skb_drop_reason_t reason = udp_sock_wants(sk, skb);
	int err;

	if (unlikely(reason)) {
		udp_not_wanted(sk, skb, reason);
		return;
	}
	trace_skb(skb, net, TP_udp_queue_rcv_skb, TRACE_QUEUED, sk->sk_rmem_alloc, 0);
	inet_af_ops(net, v6 ? AF_INET6 : AF_INET)->rcv_prepare(sk, skb);
	err = __sock_queue_rcv_skb(sk, skb);
	if (unlikely(err))
		udp_not_queued(sk, &udp_sk_variant(sk)->mib[v6], err);
}

/* A merged datagram for a socket that does not know of merging: each as it was sent. consume; data at the UDP header */
static void udp_queue_rcv_segments(struct sock *sk, struct sk_buff *skb)
{
	u32 off = skb->transport_header - skb->mac_header;
	struct sk_buff *segs, *next;
	int err;

	skb_push(skb, (u32)(skb->data - skb_mac_header(skb)));
	segs = skb_gso_segment(skb, 0, &err);
	if (!segs) {
		sk->sk_drops++;
		NET_INC_STATS(sock_net(sk), udp_skb_mib(skb, udp_sk_variant(sk))->in_errors);
		kfree_skb_reason(skb, SKB_DROP_UDP_SEGMENT);
		return;
	}
	consume_skb(skb);
	for (; segs; segs = next) {
		next = segs->next;
		segs->next = NULL;
		__skb_pull(segs, off);
		udp_queue_rcv_one_skb(sk, segs);
	}
}

void udp_queue_rcv_skb(struct sock *sk, struct sk_buff *skb)
{
	if (unlikely(skb_is_gso(skb)) && !udp_sk(sk)->gro)
		udp_queue_rcv_segments(sk, skb);
	else
		udp_queue_rcv_one_skb(sk, skb);
}

void udp_unicast_deliver(struct net *net, const struct udp_variant *v, struct sk_buff *skb,
			 const struct inet_tuple *t, void (*unreachable)(struct sk_buff *skb))
{
	struct sock *sk = skb_steal_sock(skb);

	if (!sk)
		sk = udp_lookup(net, v, t, skb);
	if (udp_zero_csum_refused(skb, sk)) {
		udp_csum_error(net, v, skb);
		return;
	}
	if (likely(sk)) {
		udp_queue_rcv_skb(sk, skb);
		return;
	}
	if (!udp_checksum_ok(skb)) {
		udp_csum_error(net, v, skb);
		return;
	}
	NET_INC_STATS(net, udp_skb_mib(skb, v)->no_ports);
	unreachable(skb);
	kfree_skb_reason(skb, SKB_DROP_UDP_NO_SOCKET);
}

void udp_mcast_deliver(struct net *net, const struct udp_variant *v, struct sk_buff *skb,
		       const struct inet_tuple *t,
		       bool (*allow)(const struct sock *sk, const struct inet_tuple *t))
{
	struct sock *last = NULL;
	struct sock_common *c;
	u32 n = 0;

	hlist_for_each_entry(c, udp_bucket(&net->udp->table[v->id], t->hnum), skc_node) {
		struct sock *sk = (struct sock *)c;
		struct sk_buff *copy;

		if (!udp_score(sk, t) || !allow(sk, t) || udp_zero_csum_refused(skb, sk))
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
	NET_INC_STATS(net, udp_skb_mib(skb, v)->ignored_multi);
	kfree_skb_reason(skb, SKB_DROP_UDP_NO_MEMBER);
}

void udp_err_sock(struct sock *sk, struct sk_buff *skb, struct udp_hdr *uh, u8 type, u8 code,
		  u32 info)
{
	inet_dgram_icmp_err(sk, skb, type, code, info, uh->dest, (u8 *)(uh + 1));
}
