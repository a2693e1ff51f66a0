/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * icmp.c - ICMP for IPv4: answers, errors sent, errors received
 *
 * Theory of operation
 *   icmp_rcv() counts and dispatches by type. Echo and timestamp requests are answered with a copy of the request
 *   turned round (fragments shared). Errors go to the transport protocol of the packet they contain (err_handler), which
 *   finds the socket. Echo replies go to ping sockets.
 *
 *   icmp_send() reports a packet that could not be delivered, with as much of it as fits 576 octets (RFC 1812 4.3.2.3). It is silent
 *   where RFC 1122 3.2.2 and RFC 1812 4.3.2.7 demand that: about ICMP errors, fragments other than the first, broadcasts, and sources
 *   that are no single host.
 *
 *   Two limits hold the rate down (RFC 1812 4.3.2.8): a token bucket of the net (icmp_msgs_per_sec, icmp_msgs_burst), whose
 *   level is blurred by a random amount so that it tells a stranger nothing (the SAD DNS attack, CVE-2020-25705), and one per remote host
 *   (icmp_ratelimit) for the types in icmp_ratemask. "Fragmentation needed" is never held back: path MTU discovery needs it.
 * Context: softirq or user context, cpu lock.
 * See RFC 792, RFC 1122 3.2.2, RFC 1191, RFC 1812 4.3, RFC 4884.
 */
#include "wire/icmp.h"

#include <errno.h>
#include <netinet/in.h>

#include "core/sock.h"
#include "inet/ping.h"
#include "ipv4/ipv4_internal.h"
#include "lib/csum.h"
#include "lib/hash.h"

#define ICMP_ERROR_MAX_LEN  576u /* of the whole packet */
#define ICMP_PEER_BURST     6    /* messages */
#define TOS_ERROR_BITS      0x1e
#define TOS_INTERNETCONTROL 0xc0 /* RFC 1812 4.3.2.5 */

int icmp_err_convert(u8 code, bool *ret_fatal)
{
	/* RFC 1122 3.2.2.1, 4.2.3.9; the errno values are ip(7)'s. */
	static const struct {
		u8 err;
		bool fatal;
	} table[] = {
		[ICMP4_NET_UNREACH] = { ENETUNREACH, false },
		[ICMP4_HOST_UNREACH] = { EHOSTUNREACH, false },
		[ICMP4_PROT_UNREACH] = { ENOPROTOOPT, true },
		[ICMP4_PORT_UNREACH] = { ECONNREFUSED, true },
		[ICMP4_FRAG_NEEDED] = { EMSGSIZE, false },
		[ICMP4_SR_FAILED] = { EOPNOTSUPP, false },
		[ICMP4_NET_UNKNOWN] = { ENETUNREACH, true },
		[ICMP4_HOST_UNKNOWN] = { EHOSTDOWN, true },
		[ICMP4_HOST_ISOLATED] = { ENONET, true },
		[ICMP4_NET_ANO] = { ENETUNREACH, true },
		[ICMP4_HOST_ANO] = { EHOSTUNREACH, true },
		[ICMP4_NET_UNR_TOS] = { ENETUNREACH, false },
		[ICMP4_HOST_UNR_TOS] = { EHOSTUNREACH, false },
		[ICMP4_PKT_FILTERED] = { EHOSTUNREACH, true },
		[ICMP4_PREC_VIOLATION] = { EHOSTUNREACH, true },
		[ICMP4_PREC_CUTOFF] = { EHOSTUNREACH, true },
	};

	if (code >= ARRAY_SIZE(table)) {
		*ret_fatal = true;
		return EHOSTUNREACH;
	}
	*ret_fatal = table[code].fatal;
	return table[code].err;
}

/* ---- rate limits ---------------------------------------------------------------------------------------- */

static bool icmp_type_exempt(u8 type, u8 code)
{
	return type > ICMP4_MAX || (type == ICMP4_DEST_UNREACH && code == ICMP4_FRAG_NEEDED);
}

/* The bucket of the whole net. */
static bool icmp_global_allow(struct net *net)
{
	struct netns_ipv4 *ip4 = net->ipv4;
	u64 now = net_now(net), fresh;

	if (!ip4->icmp_msgs_per_sec)
		return false;
	fresh = (now - ip4->icmp_global_stamp) * ip4->icmp_msgs_per_sec / NSEC_PER_SEC;
	if (now - ip4->icmp_global_stamp > NSEC_PER_SEC)
		fresh = ip4->icmp_msgs_burst;
	if (fresh) {
		ip4->icmp_global_credit =
			(u32)min((u64)ip4->icmp_global_credit + fresh, (u64)ip4->icmp_msgs_burst);
		ip4->icmp_global_stamp = now;
	}
	if (!ip4->icmp_global_credit)
		return false;
	/* One, and sometimes one or two more. */
	ip4->icmp_global_credit -=
		min(ip4->icmp_global_credit, 1 + (u32)(cpu_random(net->cpu) % 3));
	return true;
}

/* The bucket of one remote host. Hosts that share a slot push each other out and start afresh: the net's bucket bounds that. */
static bool icmp_peer_allow(struct net *net, be32 daddr)
{
	struct netns_ipv4 *ip4 = net->ipv4;
	struct icmp_peer *p =
		&ip4->icmp_peers[jhash_2words(daddr.v, (u32)net->machine->hash_seed[0], 0) %
				 ICMP_PEERS];
	u64 cost = ip4->icmp_ratelimit_ms * NSEC_PER_MSEC, now = net_now(net);

	if (!cost)
		return true;
	if (!be32_eq(p->daddr, daddr))
		*p = (struct icmp_peer){ .daddr = daddr,
					 .stamp = now,
					 .tokens = ICMP_PEER_BURST * cost };
	p->tokens = min(p->tokens + (now - p->stamp), ICMP_PEER_BURST * cost);
	p->stamp = now;
	if (p->tokens < cost)
		return false;
	p->tokens -= cost;
	return true;
}

static bool icmp_allowed(struct net *net, const struct rtable *rt, be32 daddr, u8 type, u8 code)
{
	if (icmp_type_exempt(type, code) || !(net->ipv4->icmp_ratemask & (1u << type)))
		return true;
	/* Nobody is harmed by what does not leave this host. */
	if (rt->dst.dev->flags & IFF_LOOPBACK)
		return true;
	if (!icmp_global_allow(net)) {
		NET_INC_STATS(net, MIB_Icmp_OutRateLimitGlobal);
		return false;
	}
	if (!icmp_peer_allow(net, daddr)) {
		NET_INC_STATS(net, MIB_Icmp_OutRateLimitHost);
		return false;
	}
	return true;
}

/* ---- counters --------------------------------------------------------------------------------------------- */

static const struct {
	s16 in, out;
} icmp_counters[ICMP4_MAX + 1] = {
	[ICMP4_ECHOREPLY] = { MIB_Icmp_InEchoReps, MIB_Icmp_OutEchoReps },
	[ICMP4_DEST_UNREACH] = { MIB_Icmp_InDestUnreachs, MIB_Icmp_OutDestUnreachs },
	[ICMP4_SOURCE_QUENCH] = { MIB_Icmp_InSrcQuenchs, MIB_Icmp_OutSrcQuenchs },
	[ICMP4_REDIRECT] = { MIB_Icmp_InRedirects, MIB_Icmp_OutRedirects },
	[ICMP4_ECHO] = { MIB_Icmp_InEchos, MIB_Icmp_OutEchos },
	[ICMP4_TIME_EXCEEDED] = { MIB_Icmp_InTimeExcds, MIB_Icmp_OutTimeExcds },
	[ICMP4_PARAMETERPROB] = { MIB_Icmp_InParmProbs, MIB_Icmp_OutParmProbs },
	[ICMP4_TIMESTAMP] = { MIB_Icmp_InTimestamps, MIB_Icmp_OutTimestamps },
	[ICMP4_TIMESTAMPREPLY] = { MIB_Icmp_InTimestampReps, MIB_Icmp_OutTimestampReps },
	[ICMP4_ADDRESS] = { MIB_Icmp_InAddrMasks, MIB_Icmp_OutAddrMasks },
	[ICMP4_ADDRESSREPLY] = { MIB_Icmp_InAddrMaskReps, MIB_Icmp_OutAddrMaskReps },
};

void icmp_count_sent(struct net *net, const struct sk_buff *skb)
{
	u8 type;

	if (ip_hdr(skb)->protocol == IPPROTO_ICMP &&
	    !skb_copy_bits(skb, (u32)skb_transport_offset(skb), &type, 1))
		icmp_count_out(net, type);
}

void icmp_count_out(struct net *net, u8 type)
{
	NET_INC_STATS(net, MIB_Icmp_OutMsgs);
	net->ipv4->icmp_msg_out[type]++;
	if (type <= ICMP4_MAX && icmp_counters[type].out)
		NET_INC_STATS(net, icmp_counters[type].out);
}

static void icmp_count_in(struct net *net, u8 type)
{
	net->ipv4->icmp_msg_in[type]++;
	if (type <= ICMP4_MAX && icmp_counters[type].in)
		NET_INC_STATS(net, icmp_counters[type].in);
}

/* ---- sending ----------------------------------------------------------------------------------------------- */

/* Puts the IP header in front of a complete ICMP message and sends. Consumes @skb; takes over @rt. */
static void icmp_push_reply(struct net *net, struct sk_buff *skb, struct rtable *rt, be32 saddr,
			    be32 daddr, u8 tos, u32 mark, const struct ip_options *opt)
{
	u32 hop = dst_metric(&rt->dst, DST_METRIC_HOPLIMIT);
	struct ip_hdr *iph;

	skb_reset_transport_header(skb);
	iph = skb_push(skb, sizeof(*iph) + opt->optlen);
	skb_reset_network_header(skb);
	iph->ihl_version = (u8)(0x40 | (sizeof(*iph) + opt->optlen) / 4);
	iph->tos = tos;
	iph->id = cpu_to_be16((u16)net->ipv4->ip_id_counter++);
	iph->frag_off = BE16_INIT(0);
	iph->ttl = hop ? (u8)hop : net->ipv4->default_ttl;
	iph->protocol = IPPROTO_ICMP;
	iph->saddr = saddr;
	iph->daddr = daddr;
	if (opt->optlen)
		ip_options_build(net, iph, opt, daddr, saddr);
	skb->mark = mark;
	skb->priority = 0;
	skb->tstamp = 0;
	skb->ip_summed = CHECKSUM_NONE;
	memset(IPCB(skb), 0, sizeof(*IPCB(skb)));
	skb_dst_set(skb, &rt->dst);
	icmp_count_out(net, *skb_transport_header(skb));
	ip_local_out(net, NULL, skb);
}

/* RFC 1122 3.2.1.3: an answer comes from the address that was asked, or one of the device if that was no single host's. */
static be32 icmp_reply_source(const struct sk_buff *skb)
{
	const struct rtable *rt = skb_rtable(skb);

	if (rt->rt_type == RTN_LOCAL)
		return ip_hdr(skb)->daddr;
	return inet_select_addr(skb->dev, ip_hdr(skb)->saddr, RT_SCOPE_LINK);
}

/* Back to fl->daddr: by the way the options say, if they do. */
static struct rtable *icmp_route(struct net *net, struct flowi4 *fl, const struct ip_options *opt,
				 int *ret_err)
{
	be32 daddr = fl->daddr;
	struct rtable *rt;

	if (unlikely(opt->srr))
		fl->daddr = opt->faddr;
	rt = ip_route_output_key(net, fl, ret_err);
	fl->daddr = daddr;
	return rt;
}

/* Answers a request with the same message but another type. Consumes @skb; data at the ICMP header. */
static void icmp_reply(struct sk_buff *skb, struct net *net, u8 type)
{
	const struct ip_hdr *iph = ip_hdr(skb);
	struct flowi4 fl = {
		.daddr = iph->saddr,
		.saddr = icmp_reply_source(skb),
		.tos = iph->tos & IPTOS_RT_MASK,
		.proto = IPPROTO_ICMP,
		.mark = ip_reply_mark(net, skb),
	};
	u8 tos = iph->tos;
	struct ip_options opt;
	struct sk_buff *reply;
	struct icmp_hdr *icmph;
	be16 old_word, new_word, check;
	struct rtable *rt;
	int err;

	ip_options_echo(skb, &opt);
	rt = icmp_route(net, &fl, &opt, &err);
	if (!rt) {
		kfree_skb_reason(skb, SKB_DROP_ICMP_REPLY_FAILED);
		return;
	}
	if (!icmp_allowed(net, rt, fl.daddr, type, 0)) {
		ip_rt_put(rt);
		kfree_skb_reason(skb, SKB_DROP_ICMP_RATELIMIT);
		return;
	}
	reply = pskb_copy(skb);
	if (!reply || skb_cow_head(reply, LL_MAX_HEADER + sizeof(*iph) + opt.optlen)) {
		NET_INC_STATS(net, MIB_Icmp_OutErrors);
		kfree_skb_reason(reply, SKB_DROP_NOMEM);
		ip_rt_put(rt);
		kfree_skb_reason(skb, SKB_DROP_NOMEM);
		return;
	}
	skb_orphan(reply);
	skb_dst_drop(reply);
	icmph = (struct icmp_hdr *)reply->data;
	memcpy(&old_word, icmph, 2);
	icmph->type = type;
	memcpy(&new_word, icmph, 2);
	if (skb->ip_summed ==
	    CHECKSUM_PARTIAL) { /* came over loopback with its checksum not filled in */
		icmph->checksum = BE16_INIT(0);
		icmph->checksum.v = csum_fold(skb_checksum(reply, 0, reply->len, 0));
	} else {
		check = icmph->checksum;
		csum_replace2(&check, old_word, new_word);
		/* Either zero verifies, but a message of nothing but zeros only with this one (RFC 1624 3). */
		icmph->checksum = be16_zero(check) ? BE16_INIT(0xffff) : check;
	}
	if (unlikely(reply->cpu->trace_on))
		__trace_skb(reply, net, TP_icmp_reply, TRACE_CREATE, 0, skb->id, type, 0);
	icmp_push_reply(net, reply, rt, fl.saddr, fl.daddr, tos, fl.mark, &opt);
	consume_skb(skb);
}

/* ICMP types that ask or answer: errors may be sent about these (RFC 1122 3.2.2). */
static bool icmp_is_query(u8 type)
{
	switch (type) {
	case ICMP4_ECHO:
	case ICMP4_ECHOREPLY:
	case ICMP4_TIMESTAMP:
	case ICMP4_TIMESTAMPREPLY:
	case ICMP4_ADDRESS:
	case ICMP4_ADDRESSREPLY:
	case 9:  /* router advertisement, RFC 1256 */
	case 10: /* router solicitation */
	case 15: /* information request and reply */
	case 16:
	case 42: /* extended echo, RFC 8335 */
	case 43:
		return true;
	default:
		return false;
	}
}

static bool icmp_is_error(u8 type)
{
	return type == ICMP4_DEST_UNREACH || type == ICMP4_SOURCE_QUENCH ||
	       type == ICMP4_REDIRECT || type == ICMP4_TIME_EXCEEDED || type == ICMP4_PARAMETERPROB;
}

/* Octets [off, off + len) of the packet from its network header on; data may be anywhere behind or at it. */
static int skb_copy_from_network(const struct sk_buff *skb, u32 off, void *to, u32 len)
{
	int at = skb_network_offset(skb) + (int)off;
	u32 front;

	if (at >= 0)
		return skb_copy_bits(skb, (u32)at, to, len);
	front = min(len, (u32)-at);
	memcpy(to, skb->data + at, front);
	return front == len ? 0 : skb_copy_bits(skb, 0, (u8 *)to + front, len - front);
}

/* RFC 1122 3.2.2, RFC 1812 4.3.2.7: what no error is sent about. */
static bool icmp_may_report(struct net *net, const struct sk_buff *skb, u8 type)
{
	const struct rtable *rt = skb_rtable(skb);
	const struct ip_hdr *iph = ip_hdr(skb);
	be32 src = iph->saddr;
	u8 inner;

	if (skb->pkt_type != SKB_PACKET_HOST && skb->pkt_type != SKB_PACKET_OUTGOING)
		return false;
	if (rt->rt_flags & (RTCF_BROADCAST | RTCF_MULTICAST))
		return false;
	if (be16_to_cpu(iph->frag_off) & IP_F_OFFSET)
		return false;
	if (icmp_is_error(type) && iph->protocol == IPPROTO_ICMP &&
	    (skb_copy_from_network(skb, ip_hdr_len(iph), &inner, 1) || !icmp_is_query(inner)))
		return false;
	/* A source that does not name a single host; class E. */
	if (ipv4_is_zeronet(src) || ipv4_is_multicast(src) || be32_to_cpu(src) >> 28 == 15)
		return false;
	return !ipv4_is_loopback(src) || (skb->dev && (skb->dev->flags & IFF_LOOPBACK)) ||
	       (rt->rt_flags & RTCF_LOCAL);
}

void icmp_send(struct sk_buff *skb_in, u8 type, u8 code, u32 info)
{
	struct ip_options opt;
	struct rtable *rt_in = skb_rtable(skb_in), *rt;
	const struct ip_hdr *iph = ip_hdr(skb_in);
	struct icmp_hdr *icmph;
	struct sk_buff *skb;
	struct flowi4 fl;
	struct net *net;
	u32 len, room;
	int err;

	if (!rt_in || !rt_in->net)
		return;
	net = rt_in->net;
	if (skb_network_header(skb_in) + sizeof(*iph) > skb_tail_pointer(skb_in) ||
	    !icmp_may_report(net, skb_in, type))
		return;

	/* From the address that was written to, if it is ours: else as the route says. */
	fl = (struct flowi4){
		.daddr = iph->saddr,
		.saddr = rt_in->rt_flags & RTCF_LOCAL ? iph->daddr : (be32){ 0 },
		.flags = FLOWI_FLAG_ANYSRC, /* ours by the route it came by, if by no other */
		.tos = icmp_is_error(type) ? (u8)((iph->tos & TOS_ERROR_BITS) | TOS_INTERNETCONTROL)
					   : iph->tos,
		.proto = IPPROTO_ICMP,
		.mark = ip_reply_mark(net, skb_in),
	};
	if (be32_zero(fl.saddr) && rt_in->rt_is_input &&
	    net->ipv4->icmp_errors_use_inbound_ifaddr && skb_in->dev)
		fl.saddr = inet_select_addr(skb_in->dev, iph->saddr, RT_SCOPE_LINK);
	memset(&opt, 0, sizeof(opt));
	if (type != ICMP4_PARAMETERPROB) /* what is wrong is not repeated */
		ip_options_echo(skb_in, &opt);
	rt = icmp_route(net, &fl, &opt, &err);
	if (!rt)
		return;
	if (!icmp_allowed(net, rt, fl.daddr, type, code))
		goto put;
	if (be32_zero(fl.saddr))
		fl.saddr = inet_select_addr(rt->dst.dev, fl.daddr, RT_SCOPE_UNIVERSE);

	len = (u32)((int)skb_in->len - skb_network_offset(skb_in));
	/* 68: what every link takes (RFC 791 3.2), whatever a route's metric says. */
	room = clamp(dst_mtu(&rt->dst), 68u + opt.optlen, ICMP_ERROR_MAX_LEN) -
	       (u32)(sizeof(struct ip_hdr) + sizeof(*icmph) + opt.optlen);
	len = min(len, room);
	skb = alloc_skb(net->cpu,
			MAX_HEADER + sizeof(struct ip_hdr) + opt.optlen + sizeof(*icmph) + len);
	if (!skb) {
		NET_INC_STATS(net, MIB_Icmp_OutErrors);
		goto put;
	}
	skb_reserve(skb, MAX_HEADER + sizeof(struct ip_hdr) + opt.optlen);
	icmph = skb_put_zero(skb, sizeof(*icmph));
	icmph->type = type;
	icmph->code = code;
	icmph->un.rest = cpu_to_be32(info);
	if (skb_copy_from_network(skb_in, 0, skb_put(skb, len), len)) {
		kfree_skb_reason(skb, SKB_DROP_NOMEM);
		goto put;
	}
	icmph->checksum.v = csum_fold(csum_partial(icmph, skb->len, 0));
	skb->parent_id = skb_in->id;
	if (unlikely(skb->cpu->trace_on))
		__trace_skb(skb, net, TP_icmp_send, TRACE_CREATE, 0, skb_in->id, type, code);
	icmp_push_reply(net, skb, rt, fl.saddr, fl.daddr, fl.tos, fl.mark, &opt);
	return;
put:
	ip_rt_put(rt);
}

/* ---- receiving ----------------------------------------------------------------------------------------------- */

/* RFC 1191 7.1: what to guess when an old router does not say the MTU. */
static u32 icmp_guess_mtu(u32 tot_len)
{
	static const u16 plateau[] = { 32000, 17914, 8166, 4352, 2002, 1492, 1006, 508, 296 };

	for (u32 i = 0; i < ARRAY_SIZE(plateau); i++)
		if (plateau[i] < tot_len)
			return plateau[i];
	return 68;
}

/* Hands an error to the protocol of the packet inside; data moves to the inner IP header. Consumes. */
static void icmp_deliver_error(struct sk_buff *skb, struct net *net, u8 type, u8 code, u32 info)
{
	const struct net_protocol *p;
	const struct ip_hdr *inner;

	/* The inner header and 8 octets behind it: ports, sequence number. */
	if (!pskb_pull(skb, sizeof(struct icmp_hdr)) || !pskb_may_pull(skb, sizeof(*inner)))
		goto too_short;
	inner = (const struct ip_hdr *)skb->data;
	if (inner->ihl_version >> 4 != 4 || ip_hdr_len(inner) < sizeof(*inner) ||
	    !pskb_may_pull(skb, ip_hdr_len(inner) + 8))
		goto too_short;
	inner = (const struct ip_hdr *)skb->data;
	/* RFC 1122 3.2.2.6 in reverse: an error about a broadcast of ours says nothing about a connection. */
	if (net->ipv4->icmp_ignore_bogus_error_responses &&
	    inet_addr_type(net, inner->daddr) == RTN_BROADCAST) {
		kfree_skb_reason(skb, SKB_DROP_ICMP_BOGUS);
		return;
	}
	if (type == ICMP4_DEST_UNREACH && code == ICMP4_FRAG_NEEDED) {
		if (net->ipv4->no_pmtu_disc)
			info = 0;
		else if (!info)
			info = icmp_guess_mtu(be16_to_cpu(inner->tot_len));
	}
	raw_icmp_error(net, skb, type, code, info);
	p = net->ipv4->protos[inner->protocol];
	if (p && p->err_handler)
		p->err_handler(skb, type, code, info);
	consume_skb(skb);
	return;

too_short:
	NET_INC_STATS(net, MIB_Icmp_InErrors);
	kfree_skb_reason(skb, SKB_DROP_ICMP_INNER);
}

static void icmp_rcv_error(struct sk_buff *skb, struct net *net)
{
	struct icmp_hdr h;

	memcpy(&h, skb->data, sizeof(h));
	if (h.type == ICMP4_DEST_UNREACH && h.code > ICMP4_PREC_CUTOFF) {
		NET_INC_STATS(net, MIB_Icmp_InErrors);
		kfree_skb_reason(skb, SKB_DROP_ICMP_TYPE);
		return;
	}
	if (h.type == ICMP4_DEST_UNREACH && h.code == ICMP4_FRAG_NEEDED)
		icmp_deliver_error(skb, net, h.type, h.code, be16_to_cpu(h.un.frag.mtu));
	else if (h.type == ICMP4_PARAMETERPROB)
		icmp_deliver_error(skb, net, h.type, h.code, be32_to_cpu(h.un.rest) >> 24);
	else
		icmp_deliver_error(skb, net, h.type, h.code, 0);
}

static void icmp_rcv_echo(struct sk_buff *skb, struct net *net)
{
	if (net->ipv4->icmp_echo_ignore_all) {
		kfree_skb_reason(skb, SKB_DROP_ICMP_ECHO_IGNORED);
		return;
	}
	icmp_reply(skb, net, ICMP4_ECHOREPLY);
}

/* RFC 792: originate, receive and transmit time, ms since midnight UT. */
static void icmp_rcv_timestamp(struct sk_buff *skb, struct net *net)
{
	struct icmp_hdr *icmph;
	be32 times[2];

	if (skb->len < sizeof(*icmph) + 12 || skb_ensure_writable(skb, sizeof(*icmph) + 12)) {
		NET_INC_STATS(net, MIB_Icmp_InErrors);
		kfree_skb_reason(skb, SKB_DROP_ICMP_SHORT);
		return;
	}
	times[0] = times[1] = inet_current_timestamp(net);
	memcpy(skb->data + sizeof(*icmph) + 4, times, sizeof(times));
	icmph = (struct icmp_hdr *)skb->data;
	icmph->checksum = BE16_INIT(0);
	icmph->checksum.v = csum_fold(skb_checksum(skb, 0, skb->len, 0));
	skb->ip_summed = CHECKSUM_NONE;
	icmp_reply(skb, net, ICMP4_TIMESTAMPREPLY);
}

static void icmp_rcv_echo_reply(struct sk_buff *skb, struct net *net)
{
	ping_rcv(skb);
}

/* RFC 1122 3.2.2.2: hosts treat all four codes as for the host. Only who has sent the packet in question believes it. */
static void icmp_rcv_redirect(struct sk_buff *skb, struct net *net)
{
	struct icmp_hdr h;

	memcpy(&h, skb->data, sizeof(h));
	if (h.code > 3) {
		kfree_skb_reason(skb, SKB_DROP_ICMP_TYPE);
		return;
	}
	icmp_deliver_error(skb, net, h.type, h.code, be32_to_cpu(h.un.gateway));
}

static void icmp_rcv_obsolete(struct sk_buff *skb, struct net *net)
{
	kfree_skb_reason(skb, SKB_DROP_ICMP_OBSOLETE);
}

/* Consume; data at the ICMP header, which is in the head area, checksum verified. */
static void (*const icmp_handlers[ICMP4_MAX + 1])(struct sk_buff *skb, struct net *net) = {
	[ICMP4_ECHOREPLY] = icmp_rcv_echo_reply,   [ICMP4_DEST_UNREACH] = icmp_rcv_error,
	[ICMP4_SOURCE_QUENCH] = icmp_rcv_obsolete, /* RFC 6633 */
	[ICMP4_REDIRECT] = icmp_rcv_redirect,      [ICMP4_ECHO] = icmp_rcv_echo,
	[ICMP4_TIME_EXCEEDED] = icmp_rcv_error,    [ICMP4_PARAMETERPROB] = icmp_rcv_error,
	[ICMP4_TIMESTAMP] = icmp_rcv_timestamp,    [ICMP4_TIMESTAMPREPLY] = icmp_rcv_obsolete,
	[ICMP4_ADDRESS] = icmp_rcv_obsolete, /* RFC 6918 */
	[ICMP4_ADDRESSREPLY] = icmp_rcv_obsolete,
};

static bool icmp_csum_ok(struct sk_buff *skb)
{
	if (skb_csum_unnecessary(skb))
		return true;
	return csum_fold(skb_checksum(skb, 0, skb->len, 0)) == 0;
}

static void icmp_rcv(struct sk_buff *skb)
{
	struct rtable *rt = skb_rtable(skb);
	struct net *net = skb->dev->net;
	skb_drop_reason_t reason;
	const struct icmp_hdr *icmph;

	NET_INC_STATS(net, MIB_Icmp_InMsgs);
	reason = SKB_DROP_ICMP_SHORT;
	if (!pskb_may_pull(skb, sizeof(*icmph)))
		goto error;
	if (!icmp_csum_ok(skb)) {
		NET_INC_STATS(net, MIB_Icmp_InCsumErrors);
		reason = SKB_DROP_ICMP_CSUM;
		goto error;
	}
	icmph = (const struct icmp_hdr *)skb->data;
	trace_skb(skb, net, TP_icmp_rcv, TRACE_PASS, icmph->type, icmph->code);
	icmp_count_in(net, icmph->type);
	/* RFC 1122 3.2.2: an unknown type is silently discarded. */
	reason = SKB_DROP_ICMP_TYPE;
	if (icmph->type > ICMP4_MAX || !icmp_handlers[icmph->type])
		goto error;
	if (rt->rt_flags & (RTCF_BROADCAST | RTCF_MULTICAST)) {
		/* RFC 1122 3.2.2.6 and 3.2.2.8 allow both; answering makes us an amplifier (smurf). */
		reason = SKB_DROP_ICMP_BROADCAST;
		if (icmph->type != ICMP4_ECHO && icmph->type != ICMP4_TIMESTAMP)
			goto error;
		if (net->ipv4->icmp_echo_ignore_broadcasts) {
			kfree_skb_reason(skb, reason);
			return;
		}
	}
	icmp_handlers[icmph->type](skb, net);
	return;

error:
	NET_INC_STATS(net, MIB_Icmp_InErrors);
	kfree_skb_reason(skb, reason);
}

/* An error about an ICMP message of ours: only echo has a socket behind it. */
static void icmp_err(struct sk_buff *skb, u8 type, u8 code, u32 info)
{
	const struct ip_hdr *inner = (const struct ip_hdr *)skb->data;
	const struct icmp_hdr *icmph = (const struct icmp_hdr *)(skb->data + ip_hdr_len(inner));

	/* A path MTU is learnt when a socket has sent that echo: the error may be anybody's. */
	if (icmph->type == ICMP4_ECHO)
		ping_err(skb, type, code, info);
}

const struct net_protocol icmp_protocol = {
	.handler = icmp_rcv,
	.err_handler = icmp_err,
};

void icmp_net_init(struct net *net)
{
	net->ipv4->icmp_global_credit = net->ipv4->icmp_msgs_burst;
	net->ipv4->icmp_global_stamp = net_now(net);
}
