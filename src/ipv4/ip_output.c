/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ip_output.c - IPv4 packets on their way out
 *
 * Theory of operation
 *   ip_queue_xmit()      a stream's segment: the socket's cached route, header in place
 *   ip_make_skb(),
 *   ip_send_skb()        a datagram
 *   ip_local_out()       length and checksum; LOCAL_OUT hook; then dst_output()
 *   ip_output()          POST_ROUTING hook (forwarded packets join here)
 *   ip_finish_output()   segments or fragments what is too big
 *   ip_finish_output2()  the next hop's neighbour puts the link-layer header in front and sends
 *
 *   Identification (RFC 6864): packets with DF set are atomic and may carry any value; a connected socket counts its own, so
 *   that header compression and GRO are happy; other packets take a value from a keyed hash of the address pair and protocol plus
 *   a counter, which a stranger cannot guess.
 *   All functions here consume their skb. Context: cpu lock.
 * See RFC 791, RFC 1122 3.2.1, 3.3.
 */
#include "ipv4/ip_sockglue.h"
#include "ipv4/ipv4_internal.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/ip.h>

#include "core/nf_hook.h"
#include "core/sock.h"
#include "core/uio.h"
#include "lib/csum.h"
#include "lib/siphash.h"

#define IP_MAX_LEN    65535u
#define IP_LINEAR_MAX 2048u /* datagrams up to this size lie in one piece */

/* ---- identification and header ---------------------------------------------------------------------------- */

static u16 ip_select_ident(struct net *net, be32 saddr, be32 daddr, u8 protocol)
{
	struct netns_ipv4 *ip4 = net->ipv4;
	const u64 *key = net->machine->hash_seed;

	return (u16)(siphash13_3u32(saddr.v, daddr.v, protocol, key) + ip4->ip_id_counter++);
}

be16 ip_new_ident(struct net *net, const struct ip_hdr *iph)
{
	return cpu_to_be16(ip_select_ident(net, iph->saddr, iph->daddr, iph->protocol));
}

/* IP_PMTUDISC_* of ip(7): may routers fragment? */
static bool ip_dont_fragment(const struct sock *sk, const struct rtable *rt)
{
	u8 disc = inet_sk(sk)->pmtudisc;

	return disc == IP_PMTUDISC_DO || disc == IP_PMTUDISC_PROBE ||
	       (disc == IP_PMTUDISC_WANT && !rt->rt_mtu_locked);
}

/* What the packet must fit. IP_PMTUDISC_PROBE and above look at the link only, not at what was learnt: ip(7). */
static inline u32 ip_skb_mtu(const struct sock *sk, const struct sk_buff *skb)
{
	if (IPCB(skb)->flags & IPSKB_FORWARDED)
		return ip_rt_mtu_forward(skb_rtable(skb));
	if (sk && unlikely(inet_sk(sk)->pmtudisc >= IP_PMTUDISC_PROBE))
		return min(skb->dst->dev->mtu, IP_MAX_LEN);
	return ip_rt_mtu(skb_rtable(skb));
}

static u8 ip_select_ttl(const struct sock *sk, const struct rtable *rt)
{
	const struct inet_sock *inet = sk ? inet_sk(sk) : NULL;
	u32 hop;

	if (rt->rt_type == RTN_MULTICAST && inet)
		return inet->mc_ttl;
	if (inet && inet->uc_ttl >= 0)
		return (u8)inet->uc_ttl;
	hop = dst_metric(&rt->dst, DST_METRIC_HOPLIMIT);
	return hop ? (u8)hop : rt->net->ipv4->default_ttl;
}

u32 rt_tos2priority(u8 tos)
{
	static const u8 prio[16] = { 0, 1, 0, 0, 2, 2, 2, 2, 6, 6, 6, 6, 4, 4, 4, 4 };

	return prio[(tos >> 1) & 15];
}

static inline struct ip_hdr *ip_push_header(struct sk_buff *skb, u32 optlen)
{
	struct ip_hdr *iph;

	skb_reset_transport_header(skb);
	iph = skb_push(skb, sizeof(*iph) + optlen);
	skb_reset_network_header(skb);
	iph->ihl_version = (u8)(0x40 | (sizeof(*iph) + optlen) / 4);
	return iph;
}

/* ---- out of this host -------------------------------------------------------------------------------------- */

static int ip_local_out_finish(struct net *net, struct sock *sk, struct sk_buff *skb)
{
	return dst_output(net, sk, skb);
}

int ip_local_out(struct net *net, struct sock *sk, struct sk_buff *skb)
{
	struct ip_hdr *iph = ip_hdr(skb);

	NET_INC_STATS(net, MIB_Ip_OutRequests);
	if (unlikely(skb->len > IP_MAX_LEN)) {
		NET_INC_STATS(net, MIB_Ip_OutDiscards);
		kfree_skb_reason(skb, SKB_DROP_IP_OUT_TOO_LONG);
		return -EMSGSIZE;
	}
	iph->tot_len = cpu_to_be16((u16)skb->len);
	ip_send_check(iph);
	skb->protocol = BE16_INIT(ETH_P_IP);
	trace_skb(skb, net, TP_ip_local_out, TRACE_PASS, be32_to_cpu(iph->daddr), 0);
	return NF_HOOK(NFPROTO_INDEX_IPV4, NF_INET_LOCAL_OUT, net, sk, skb, NULL, skb->dst->dev,
		       ip_local_out_finish);
}

static struct rtable *ip_sk_route(struct sock *sk)
{
	const struct inet_sock *inet = inet_sk(sk);
	struct dst_entry *dst = sk_dst_check(sk);
	struct flowi4 fl;
	struct rtable *rt;
	int err;

	if (likely(dst))
		return (struct rtable *)dst;
	fl = (struct flowi4){
		.oif = sk->sk_bound_dev_if,
		.mark = sk->sk_mark,
		.tos = inet->tos & IPTOS_RT_MASK,
		.proto = sk->sk_protocol,
		.saddr = inet->inet_saddr,
		.daddr = inet->inet_opt && inet->inet_opt->srr ? inet->inet_opt->faddr
							       : sk->sk_daddr,
		.sport = inet->inet_sport,
		.dport = sk->sk_dport,
		.uid = sk->sk_uid,
	};
	rt = ip_route_output_flow(sock_net(sk), &fl, sk, &err);
	if (rt)
		sk_dst_set(sk, &rt->dst);
	return rt;
}

int ip_queue_xmit(struct sock *sk, struct sk_buff *skb)
{
	struct inet_sock *inet = inet_sk(sk);
	const struct ip_options *opt = inet->inet_opt;
	struct net *net = sock_net(sk);
	struct rtable *rt = skb->dst ? skb_rtable(skb) : NULL;
	u32 optlen = opt ? opt->optlen : 0, segs;
	struct ip_hdr *iph;

	if (likely(!rt)) {
		rt = ip_sk_route(sk);
		if (unlikely(!rt || (opt && opt->is_strictroute && rt->rt_uses_gateway))) {
			kfree_skb_reason(skb, SKB_DROP_IP_OUT_NOROUTE);
			return -EHOSTUNREACH;
		}
		dst_hold(&rt->dst);
		skb_dst_set(skb, &rt->dst);
	}
	iph = ip_push_header(skb, optlen);
	iph->tos = inet->tos;
	iph->frag_off = ip_dont_fragment(sk, rt) ? BE16_INIT(IP_F_DF) : BE16_INIT(0);
	iph->ttl = ip_select_ttl(sk, rt);
	iph->protocol = sk->sk_protocol;
	iph->saddr = inet->inet_saddr;
	iph->daddr = sk->sk_daddr;
	segs = max(1u, (u32)skb_shinfo(skb)->gso_segs);
	iph->id = cpu_to_be16(inet->inet_id);
	inet->inet_id = (u16)(inet->inet_id + segs);
	if (unlikely(optlen)) {
		ip_options_build(net, iph, opt, sk->sk_daddr, inet->inet_saddr);
	}
	skb->priority = sk->sk_priority;
	skb->mark = sk->sk_mark;
	trace_skb(skb, net, TP_ip_queue_xmit, TRACE_PASS, be32_to_cpu(iph->daddr), 0);
	return ip_local_out(net, sk, skb);
}

int ip_build_and_send_pkt(struct sk_buff *skb, const struct sock *sk, be32 saddr, be32 daddr,
			  const struct ip_options *opt, u8 tos)
{
	struct rtable *rt = skb_rtable(skb);
	struct net *net = sock_net(sk);
	u32 optlen = opt ? opt->optlen : 0;
	struct ip_hdr *iph = ip_push_header(skb, optlen);

	iph->tos = tos;
	iph->ttl = ip_select_ttl(sk, rt);
	iph->daddr = daddr;
	iph->saddr = saddr;
	iph->protocol = sk->sk_protocol;
	if (ip_dont_fragment(sk, rt)) {
		iph->frag_off = BE16_INIT(IP_F_DF);
		iph->id = BE16_INIT(0);
	} else {
		iph->frag_off = BE16_INIT(0);
		iph->id = cpu_to_be16(ip_select_ident(net, saddr, daddr, iph->protocol));
	}
	if (optlen)
		ip_options_build(net, iph, opt, daddr, saddr);
	skb->priority = sk->sk_priority;
	if (!skb->mark)
		skb->mark = sk->sk_mark;
	return ip_local_out(net, NULL, skb);
}

void ip_send_unicast_reply(struct net *net, struct sk_buff *skb, be32 daddr, be32 saddr, u8 proto,
			   const void *segment, u32 len, u32 csum_offset,
			   const struct ip_reply_arg *arg)
{
	u32 reflected = ip_reply_mark(net, skb);
	struct flowi4 fl = {
		.oif = arg->oif,
		.mark = reflected ? reflected : arg->mark,
		.tos = arg->tos & IPTOS_RT_MASK,
		.proto = proto,
		.flags = FLOWI_FLAG_ANYSRC,
		.daddr = daddr,
		.saddr = saddr,
	};
	struct sk_buff *nskb;
	struct rtable *rt;
	struct ip_hdr *iph;
	be16 check;
	u8 *p;
	int err;

	rt = ip_route_output_key(net, &fl, &err);
	if (!rt)
		return;
	nskb = alloc_skb(net->cpu, MAX_HEADER + sizeof(*iph) + len);
	if (!nskb) {
		ip_rt_put(rt);
		return;
	}
	skb_reserve(nskb, MAX_HEADER + sizeof(*iph));
	p = skb_put_data(nskb, segment, len);
	check.v = csum_tcpudp_magic(saddr, daddr, len, proto, csum_partial(p, len, 0));
	memcpy(p + csum_offset, &check, sizeof(check));
	skb_dst_set(nskb, &rt->dst);
	iph = ip_push_header(nskb, 0);
	iph->tos = arg->tos;
	iph->id = BE16_INIT(0);
	iph->frag_off = BE16_INIT(IP_F_DF);
	iph->ttl = ip_select_ttl(NULL, rt);
	iph->protocol = proto;
	iph->saddr = saddr;
	iph->daddr = daddr;
	nskb->priority = rt_tos2priority(arg->tos);
	nskb->mark = fl.mark;
	nskb->parent_id = skb->id;
	ip_local_out(net, NULL, nskb);
}

/* ---- datagrams ----------------------------------------------------------------------------------------------- */

/* RFC 1191 6.1: a datagram that must not be fragmented and does not fit is the program's problem, at once. */
static int ip_check_datagram_len(struct sock *sk, const struct flowi4 *fl, u32 mtu, u32 length)
{
	u8 disc = inet_sk(sk)->pmtudisc;
	bool whole =
		disc != IP_PMTUDISC_DONT && disc != IP_PMTUDISC_WANT && disc != IP_PMTUDISC_OMIT;
	u32 limit = whole ? min(mtu, IP_MAX_LEN) : IP_MAX_LEN;

	if (likely(length <= limit))
		return 0;
	ip_local_error(sk, EMSGSIZE, fl->daddr, sk->sk_dport, mtu);
	return -EMSGSIZE;
}

struct sk_buff *ip_make_skb(struct sock *sk, struct flowi4 *fl, struct iov_iter *from, u32 length,
			    u32 transhdrlen, struct rtable **rtp, u32 flags,
			    const struct ipcm_cookie *ipc, int *ret_err)
{
	struct net *net = sock_net(sk);
	const struct ip_options *set = ipc->opt;
	struct rtable *rt = *rtp;
	u32 optlen = set ? set->optlen : 0, hlen = sizeof(struct ip_hdr) + optlen;
	u32 data = length - transhdrlen, wire_len = length, truesize;
	u8 disc = inet_sk(sk)->pmtudisc;
	u32 mtu = disc >= IP_PMTUDISC_PROBE ? rt->dst.dev->mtu : ip_rt_mtu(rt);
	bool linear = length <= IP_LINEAR_MAX, df;
	struct ip_options opt;
	struct sk_buff *skb;
	struct ip_hdr *iph;
	s64 n;

	/* Another thread may set others while we wait for room. */
	if (unlikely(set))
		opt = *set;
	/* What will be cut must fit piece by piece. */
	if (ipc->gso_size && data > ipc->gso_size)
		wire_len = transhdrlen + ipc->gso_size;
	*ret_err = length > IP_MAX_LEN - hlen ? -EMSGSIZE
					      : ip_check_datagram_len(sk, fl, mtu, hlen + wire_len);
	if (*ret_err)
		return NULL;
	skb = sock_alloc_send_skb(sk, MAX_HEADER + hlen + transhdrlen + (linear ? data : 0), 0,
				  flags & MSG_DONTWAIT, ret_err);
	if (!skb)
		return NULL;
	skb_reserve(skb, MAX_HEADER + hlen);
	if (linear) {
		u8 *to = skb_put(skb, length);

		n = (s64)copy_from_iter(to + transhdrlen, data, from);
	} else {
		skb_put(skb, transhdrlen);
		truesize = skb->truesize;
		n = skb_append_iter(skb, from, data, false);
		if (skb->destructor) /* the fragments are charged too */
			sk->sk_wmem_alloc += skb->truesize - truesize;
	}
	if (n != (s64)data) {
		*ret_err = n < 0 ? (int)n : -EFAULT;
		kfree_skb_reason(skb, SKB_DROP_NOMEM);
		return NULL;
	}

	iph = ip_push_header(skb, optlen);
	iph->tos = ipc->tos;
	/* Under IP_PMTUDISC_WANT what does not fit is fragmented here, and may be again further on. */
	df = ip_dont_fragment(sk, rt) &&
	     (disc != IP_PMTUDISC_WANT || hlen + wire_len <= ip_rt_mtu(rt));
	iph->frag_off = df ? BE16_INIT(IP_F_DF) : BE16_INIT(0);
	iph->ttl = ipc->ttl >= 0 && rt->rt_type != RTN_MULTICAST ? (u8)ipc->ttl
								 : ip_select_ttl(sk, rt);
	iph->protocol = sk->sk_protocol;
	iph->saddr = fl->saddr;
	iph->daddr = fl->daddr;
	iph->tot_len = cpu_to_be16((u16)skb->len);
	/* RFC 6864 4.1: what cannot be fragmented needs none, a connected socket's counter is good enough. */
	if (df && be32_eq(fl->daddr, sk->sk_daddr))
		iph->id = cpu_to_be16(inet_sk(sk)->inet_id++);
	else
		iph->id = cpu_to_be16(ip_select_ident(net, fl->saddr, fl->daddr, sk->sk_protocol));
	if (optlen)
		ip_options_build(net, iph, &opt, fl->daddr, fl->saddr);
	skb->priority = ipc->sockc.priority;
	sock_tx_timestamp(sk, skb, &ipc->sockc);
	skb->mark = fl->mark;
	skb_dst_set(skb, &rt->dst);
	*rtp = NULL;
	return skb;
}

int ip_send_skb(struct net *net, struct sk_buff *skb)
{
	trace_skb(skb, net, TP_ip_send_skb, TRACE_PASS, be32_to_cpu(ip_hdr(skb)->daddr), 0);
	return ip_local_out(net, skb->sk, skb);
}

/* ---- to the link ----------------------------------------------------------------------------------------------- */

/* Held by the dst while it can be: routes through a gateway and links with one other end have one neighbour. */
static struct neighbour *ip_dst_neigh(struct rtable *rt, const struct ip_hdr *iph)
{
	struct neighbour *n = rt->dst.neigh;

	if (likely(n && !n->dead))
		return n;
	if (n) {
		rt->dst.neigh = NULL;
		neigh_release(n);
	}
	return rt->dst.ops->neigh_lookup(&rt->dst, &iph->daddr);
}

static __inlined int __ip_finish_output2(struct net *net, struct sk_buff *skb)
{
	struct rtable *rt = skb_rtable(skb);
	struct net_device *dev = rt->dst.dev;
	u32 room = dev->hard_header_len + dev->needed_headroom;
	struct neighbour *n;
	bool keep;
	int ret;

	if (rt->rt_type == RTN_MULTICAST) {
		NET_INC_STATS(net, MIB_IpExt_OutMcastPkts);
		NET_ADD_STATS(net, MIB_IpExt_OutMcastOctets, skb->len);
	} else if (rt->rt_type == RTN_BROADCAST) {
		NET_INC_STATS(net, MIB_IpExt_OutBcastPkts);
		NET_ADD_STATS(net, MIB_IpExt_OutBcastOctets, skb->len);
	}
	if (unlikely(skb_headroom(skb) < room && dev->header_ops) && skb_cow_head(skb, room)) {
		NET_INC_STATS(net, MIB_Ip_OutDiscards);
		kfree_skb_reason(skb, SKB_DROP_NOMEM);
		return -ENOMEM;
	}
	n = ip_dst_neigh(rt, ip_hdr(skb));
	if (unlikely(!n)) {
		NET_INC_STATS(net, MIB_Ip_OutDiscards);
		kfree_skb_reason(skb, SKB_DROP_NEIGH_CREATEFAIL);
		return -ENOBUFS;
	}
	trace_skb(skb, net, TP_ip_finish_output2, TRACE_PASS,
		  be32_to_cpu(rt->rt_uses_gateway ? rt->rt_gateway : ip_hdr(skb)->daddr), 0);
	if (skb->dst_pending_confirm) {
		skb->dst_pending_confirm = 0;
		neigh_confirm(n);
	}
	keep = rt->dst.neigh == n;
	if (!keep && !rt->dst.obsolete &&
	    (rt->rt_uses_gateway || (dev->flags & (IFF_LOOPBACK | IFF_POINTOPOINT)))) {
		rt->dst.neigh = n; /* takes over the reference */
		keep = true;
	}
	/* If it is kept, the dst may go with the packet, and with the dst the neighbour: it is not touched then. */
	ret = neigh_output(n, skb);
	if (unlikely(!keep))
		neigh_release(n);
	return ret;
}

static int ip_finish_output2(struct net *net, struct sock *sk, struct sk_buff *skb)
{
	return __ip_finish_output2(net, skb);
}

/* One packet of a list that was cut here: the list ends with the first that fails, the others are tried all the same. */
static int ip_finish_output_gso(struct net *net, struct sock *sk, struct sk_buff *skb, u32 mtu)
{
	struct sk_buff *segs, *next;
	int ret = 0, err = 0;

	skb_reset_mac_header(
		skb); /* there is no link-layer header yet: segments begin at the IP header */
	segs = skb_gso_segment(skb, 0, &err);
	if (!segs) {
		NET_INC_STATS(net, MIB_Ip_OutDiscards);
		kfree_skb_reason(skb, SKB_DROP_GSO);
		return err ? err : -ENOMEM;
	}
	consume_skb(skb);
	for (; segs; segs = next) {
		next = segs->next;
		segs->next = NULL;
		err = segs->len > mtu ? ip_do_fragment(net, sk, segs, ip_finish_output2)
				      : ip_finish_output2(net, sk, segs);
		if (err && !ret)
			ret = err;
	}
	return ret;
}

static u32 ip_gso_wire_len(const struct sk_buff *skb)
{
	u32 headers = skb->transport_header - skb->network_header;

	/* Transport headers are at most 60 octets; an exact figure is needed only near the MTU. */
	if (skb_shinfo(skb)->gso_type & SKB_GSO_TCPV4)
		headers += (u32)(skb_transport_header(skb)[12] >> 4) * 4;
	else
		headers += 8;
	return headers + skb_shinfo(skb)->gso_size;
}

static int ip_finish_output(struct net *net, struct sock *sk, struct sk_buff *skb)
{
	u32 mtu = ip_skb_mtu(sk, skb);

	trace_skb(skb, net, TP_ip_finish_output, TRACE_PASS, mtu, 0);
	if (unlikely((skb_is_gso(skb) ? ip_gso_wire_len(skb) : skb->len) > mtu))
		return skb_is_gso(skb) ? ip_finish_output_gso(net, sk, skb, mtu)
				       : ip_do_fragment(net, sk, skb, ip_finish_output2);
	return __ip_finish_output2(net, skb);
}

int ip_output(struct net *net, struct sock *sk, struct sk_buff *skb)
{
	struct net_device *dev = skb->dst->dev, *in = skb->dev;

	NET_INC_STATS(net, MIB_Ip_OutTransmits);
	NET_ADD_STATS(net, MIB_IpExt_OutOctets, skb->len);
	skb->dev = dev;
	skb->protocol = BE16_INIT(ETH_P_IP);
	trace_skb(skb, net, TP_ip_output, TRACE_PASS, dev->ifindex, 0);
	return NF_HOOK(NFPROTO_INDEX_IPV4, NF_INET_POST_ROUTING, net, sk, skb, in, dev,
		       ip_finish_output);
}

static int ip_mc_loopback(struct net *net, struct sock *sk, struct sk_buff *skb)
{
	return dev_loopback_xmit(skb);
}

/* Broadcast and multicast: a copy for ourselves too (RFC 1112 6.1), unless the socket does not want it. */
int ip_mc_output(struct net *net, struct sock *sk, struct sk_buff *skb)
{
	struct rtable *rt = skb_rtable(skb);
	struct net_device *dev = rt->dst.dev;
	struct sk_buff *copy;

	NET_INC_STATS(net, MIB_Ip_OutTransmits);
	NET_ADD_STATS(net, MIB_IpExt_OutOctets, skb->len);
	skb->dev = dev;
	skb->protocol = BE16_INIT(ETH_P_IP);
	trace_skb(skb, net, TP_ip_mc_output, TRACE_PASS, dev->ifindex, 0);
	if ((rt->rt_flags & RTCF_LOCAL) && !(dev->flags & IFF_LOOPBACK) &&
	    (rt->rt_type == RTN_BROADCAST || !sk || inet_sk(sk)->mc_loop)) {
		copy = skb_clone(skb);
		if (copy) {
			dst_hold(skb->dst);
			skb_dst_set(copy, skb->dst);
			NF_HOOK(NFPROTO_INDEX_IPV4, NF_INET_POST_ROUTING, net, sk, copy, NULL, dev,
				ip_mc_loopback);
		}
	}
	/* RFC 1112 6.1: TTL 0 does not leave this host. */
	if (rt->rt_type == RTN_MULTICAST && ip_hdr(skb)->ttl == 0) {
		consume_skb(skb);
		return 0;
	}
	return NF_HOOK(NFPROTO_INDEX_IPV4, NF_INET_POST_ROUTING, net, sk, skb, NULL, dev,
		       ip_finish_output);
}

/* ---- fragments ------------------------------------------------------------------------------------------------- */

static void ip_copy_metadata(struct sk_buff *to, const struct sk_buff *from)
{
	inet_frag_copy_metadata(to, from);
	*IPCB(to) = *IPCB(from);
}

int ip_do_fragment(struct net *net, struct sock *sk, struct sk_buff *skb,
		   int (*output)(struct net *, struct sock *, struct sk_buff *))
{
	u32 mtu = ip_skb_mtu(sk, skb);
	u32 hlen = ip_hdr_len(ip_hdr(skb)), room, off, len, ret_len;
	u16 flags = be16_to_cpu(ip_hdr(skb)->frag_off);
	u8 hdr[60];
	int err = 0, reason = SKB_DROP_IP_FRAG_FAILED;

	if (flags & IP_F_DF) {
		/* The socket learns what the path takes by the same message as from a router. */
		icmp_send(skb, 3, 4, mtu);
		reason = SKB_DROP_IP_PKT_TOO_BIG;
		err = -EMSGSIZE;
		goto fail;
	}
	if (mtu < hlen + 8) {
		err = -EMSGSIZE;
		goto fail;
	}
	/* A checksum over the whole cannot be left to a device that sees pieces. */
	if (skb->ip_summed == CHECKSUM_PARTIAL && skb_checksum_help(skb)) {
		err = -ENOMEM;
		goto fail;
	}
	memcpy(hdr, ip_hdr(skb), hlen);
	room = (mtu - hlen) & ~7u;
	ret_len = skb->len;
	for (off = hlen; off < ret_len; off += len) {
		struct sk_buff *frag;
		struct ip_hdr *iph;
		bool last;

		len = min(room, ret_len - off);
		last = off + len == ret_len;
		frag = inet_frag_piece(skb, hlen, off, len);
		if (!frag) {
			err = -ENOMEM;
			goto fail;
		}
		if (skb->sk && skb->destructor == sock_wfree)
			skb_set_owner_w(frag, skb->sk);
		ip_copy_metadata(frag, skb);
		iph = ip_push_header(frag, hlen - sizeof(*iph));
		memcpy(iph, hdr, hlen);
		iph->tot_len = cpu_to_be16((u16)frag->len);
		/* A fragment of a fragment keeps its place, and "more" unless it is the last of the last. */
		iph->frag_off = cpu_to_be16((u16)((flags & ~IP_F_OFFSET & ~IP_F_MF) |
						  ((flags & IP_F_OFFSET) + (off - hlen) / 8) |
						  (last ? flags & IP_F_MF : IP_F_MF)));
		ip_send_check(iph);
		if (off == hlen) /* the others carry only options that are copied */
			ip_options_fragment(hdr + sizeof(*iph), hlen - sizeof(*iph));
		NET_INC_STATS(net, MIB_Ip_FragCreates);
		if (unlikely(frag->cpu->trace_on))
			__trace_skb(frag, net, TP_ip_do_fragment, TRACE_CREATE, 0, skb->id,
				    off - hlen, skb->id);
		err = output(net, sk, frag);
		if (err)
			goto fail;
	}
	NET_INC_STATS(net, MIB_Ip_FragOKs);
	consume_skb(skb);
	return 0;

fail:
	NET_INC_STATS(net, MIB_Ip_FragFails);
	kfree_skb_reason(skb, (skb_drop_reason_t)reason);
	return err;
}
