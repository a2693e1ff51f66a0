/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * icmp.c - ICMPv6: answers, errors sent, errors received
 *
 * Theory of operation
 *   icmpv6_rcv() checks the sum, counts and dispatches by type. Echo requests are answered with a copy of the request
 *   turned round. Errors go to the transport protocol of the packet they contain (err_handler), which finds the socket; data is then
 *   at the inner IPv6 header and the transport header at the inner transport's. Neighbour discovery is ndisc.c's, MLD mcast.c's,
 *   echo replies are ping sockets'.
 *
 *   icmpv6_send() reports a packet that could not be delivered, with as much of it as fits 1,280 octets. It is silent where RFC 4443
 *   2.4 (e) demands that: about ICMPv6 errors and redirects, groups (except "too big", and parameter problem code 2), and sources that are no
 *   single node. It needs of the packet its network header and where it came from, not a route.
 *
 *   Two limits hold the rate down (RFC 4443 2.4 (f)): a bucket of the whole net (1,000 a second, 50 at once), and one
 *   per remote /64 (net.ipv6.icmp.ratelimit) for the types in ratemask. "Too big" is in neither: path MTU discovery needs it.
 * Context: softirq or user context, cpu lock.
 * See RFC 4443, RFC 4884, RFC 8201.
 */
#include "wire/icmpv6.h"

#include <errno.h>
#include <stdlib.h>

#include "core/cpu.h"
#include "core/sock.h"
#include "core/trace.h"
#include "inet/ping.h"
#include "ipv6/ipv6_internal.h"
#include "lib/csum.h"
#include "lib/hash.h"

#define IPV6_MIN_MTU_ 1280u
#define ICMPV6_PEERS  128 /* direct mapped, by /64 */
#define ICMPV6_BURST  6   /* messages */

struct icmpv6_peer {
	u64 prefix;
	u64 stamp;  /* ns */
	u64 tokens; /* ns that may be spent */
};

struct icmpv6_limits {
	u64 global_stamp;
	u32 global_credit;
	struct icmpv6_peer peers[ICMPV6_PEERS];
};

static struct icmpv6_limits *limits(const struct net *net)
{
	return net->ipv6->icmp_limits;
}

bool icmpv6_err_convert(u8 type, u8 code, int *ret_err)
{
	/* RFC 4443 3.1; errno values and what is fatal as ipv6(7) and the kernel have it. */
	static const struct {
		u8 err;
		bool fatal;
	} unreach[] = {
		[ICMPV6_NOROUTE] = { ENETUNREACH, false },
		[ICMPV6_ADM_PROHIBITED] = { EACCES, true },
		[ICMPV6_NOT_NEIGHBOUR] = { EHOSTUNREACH, false },
		[ICMPV6_ADDR_UNREACH] = { EHOSTUNREACH, false },
		[ICMPV6_PORT_UNREACH] = { ECONNREFUSED, true },
		[ICMPV6_POLICY_FAIL] = { EACCES, true },
		[ICMPV6_REJECT_ROUTE] = { EACCES, true },
	};

	*ret_err = EPROTO;
	switch (type) {
	case ICMPV6_DEST_UNREACH:
		if (code >= ARRAY_SIZE(unreach))
			return true;
		*ret_err = unreach[code].err;
		return unreach[code].fatal;
	case ICMPV6_PKT_TOOBIG:
		*ret_err = EMSGSIZE;
		return false;
	case ICMPV6_PARAMPROB:
		return true;
	case ICMPV6_TIME_EXCEED:
		*ret_err = EHOSTUNREACH;
		return false;
	default:
		return false;
	}
}

/* ---- rate limits ---------------------------------------------------------------------------------------- */

static bool type_limited(const struct net *net, u8 type)
{
	return type != ICMPV6_PKT_TOOBIG &&
	       net->ipv6->icmpv6_ratemask[type / 32] & (1u << type % 32);
}

/* A token bucket of the whole net: 1,000 a second, 50 at once, blurred so that its level tells a stranger nothing. */
static bool global_allow(struct net *net)
{
	const u32 per_sec = 1000, burst = 50;
	struct icmpv6_limits *l = limits(net);
	u64 now = net_now(net), elapsed = now - l->global_stamp, fresh;

	fresh = elapsed > NSEC_PER_SEC ? burst : elapsed * per_sec / NSEC_PER_SEC;
	if (fresh) {
		l->global_credit = (u32)min((u64)l->global_credit + fresh, (u64)burst);
		l->global_stamp = now;
	}
	if (!l->global_credit)
		return false;
	l->global_credit -= min(l->global_credit, 1 + (u32)(cpu_random(net->cpu) % 3));
	return true;
}

/* Nodes that share a slot push each other out and start afresh: the net's bucket bounds that. */
bool icmpv6_peer_allow(struct net *net, const struct in6_addr *daddr)
{
	u64 cost = net->ipv6->icmpv6_ratelimit_ms * NSEC_PER_MSEC, now = net_now(net), prefix;
	struct icmpv6_peer *p;

	if (!cost)
		return true;
	memcpy(&prefix, daddr, sizeof(prefix));
	p = &limits(net)->peers[jhash_2words((u32)prefix, (u32)(prefix >> 32),
					     (u32)net->machine->hash_seed[0]) %
				ICMPV6_PEERS];
	if (p->prefix != prefix || !p->stamp)
		*p = (struct icmpv6_peer){ prefix, now, ICMPV6_BURST * cost };
	p->tokens = min(p->tokens + (now - p->stamp), ICMPV6_BURST * cost);
	p->stamp = now;
	if (p->tokens < cost)
		return false;
	p->tokens -= cost;
	return true;
}

static bool icmpv6_allowed(struct net *net, const struct rt6_info *rt, const struct in6_addr *daddr,
			   u8 type)
{
	if (!type_limited(net, type) || rt->dst.dev->flags & IFF_LOOPBACK)
		return true;
	if (global_allow(net) && icmpv6_peer_allow(net, daddr))
		return true;
	NET_INC_STATS(net, MIB_Icmp6_OutRateLimitHost);
	return false;
}

/* ---- counters --------------------------------------------------------------------------------------------- */

static const struct {
	u8 type;
	u16 in, out;
} icmpv6_counters[] = {
	{ ICMPV6_DEST_UNREACH, MIB_Icmp6_InDestUnreachs, MIB_Icmp6_OutDestUnreachs },
	{ ICMPV6_PKT_TOOBIG, MIB_Icmp6_InPktTooBigs, MIB_Icmp6_OutPktTooBigs },
	{ ICMPV6_TIME_EXCEED, MIB_Icmp6_InTimeExcds, MIB_Icmp6_OutTimeExcds },
	{ ICMPV6_PARAMPROB, MIB_Icmp6_InParmProblems, MIB_Icmp6_OutParmProblems },
	{ ICMPV6_ECHO_REQUEST, MIB_Icmp6_InEchos, MIB_Icmp6_OutEchos },
	{ ICMPV6_ECHO_REPLY, MIB_Icmp6_InEchoReplies, MIB_Icmp6_OutEchoReplies },
	{ ICMPV6_MGM_QUERY, MIB_Icmp6_InGroupMembQueries, MIB_Icmp6_OutGroupMembQueries },
	{ ICMPV6_MGM_REPORT, MIB_Icmp6_InGroupMembResponses, MIB_Icmp6_OutGroupMembResponses },
	{ ICMPV6_MGM_REDUCTION, MIB_Icmp6_InGroupMembReductions, MIB_Icmp6_OutGroupMembReductions },
	{ NDISC_ROUTER_SOLICITATION, MIB_Icmp6_InRouterSolicits, MIB_Icmp6_OutRouterSolicits },
	{ NDISC_ROUTER_ADVERTISEMENT, MIB_Icmp6_InRouterAdvertisements,
	  MIB_Icmp6_OutRouterAdvertisements },
	{ NDISC_NEIGHBOUR_SOLICITATION, MIB_Icmp6_InNeighborSolicits,
	  MIB_Icmp6_OutNeighborSolicits },
	{ NDISC_NEIGHBOUR_ADVERTISEMENT, MIB_Icmp6_InNeighborAdvertisements,
	  MIB_Icmp6_OutNeighborAdvertisements },
	{ NDISC_REDIRECT, MIB_Icmp6_InRedirects, MIB_Icmp6_OutRedirects },
	{ ICMPV6_MLD2_REPORT, MIB_Icmp6_InMLDv2Reports, MIB_Icmp6_OutMLDv2Reports },
};

void icmpv6_count_out(struct net *net, u8 type)
{
	NET_INC_STATS(net, MIB_Icmp6_OutMsgs);
	net->ipv6->icmpv6_msg_out[type]++;
	for (u32 i = 0; i < ARRAY_SIZE(icmpv6_counters); i++)
		if (icmpv6_counters[i].type == type)
			NET_INC_STATS(net, icmpv6_counters[i].out);
}

static void icmpv6_count_in(struct net *net, u8 type)
{
	net->ipv6->icmpv6_msg_in[type]++;
	for (u32 i = 0; i < ARRAY_SIZE(icmpv6_counters); i++)
		if (icmpv6_counters[i].type == type)
			NET_INC_STATS(net, icmpv6_counters[i].in);
}

/* ---- sending ----------------------------------------------------------------------------------------------- */

/* Sums and sends a complete message (data at the ICMPv6 header, linear or not). Consumes @skb; takes over @rt. */
static void icmpv6_push(struct net *net, struct sk_buff *skb, struct rt6_info *rt,
			const struct flowi6 *fl)
{
	struct icmpv6_hdr *h = (struct icmpv6_hdr *)skb->data;

	h->checksum = BE16_INIT(0);
	h->checksum.v = csum_ipv6_magic(&fl->saddr, &fl->daddr, skb->len, IPPROTO_ICMPV6,
					skb_checksum(skb, 0, skb->len, 0));
	skb->ip_summed = CHECKSUM_NONE;
	skb->mark = fl->mark;
	skb->priority = 0;
	skb->tstamp = 0;
	memset(IP6CB(skb), 0, sizeof(*IP6CB(skb)));
	skb_dst_set(skb, &rt->dst);
	icmpv6_count_out(net, h->type);
	ip6_xmit(net, NULL, skb, fl, NULL, -1);
}

static bool icmpv6_is_error(u8 type)
{
	return type < 128;
}

/* Octets [off, off + len) of the packet from its network header on; data may be anywhere behind or at it. */
static int copy_from_network(const struct sk_buff *skb, u32 off, void *to, u32 len)
{
	int at = skb_network_offset(skb) + (int)off;
	u32 front;

	if (at >= 0)
		return skb_copy_bits(skb, (u32)at, to, len);
	front = min(len, (u32)-at);
	memcpy(to, skb->data + at, front);
	return front == len ? 0 : skb_copy_bits(skb, 0, (u8 *)to + front, len - front);
}

/* RFC 4443 2.4 (e): is the packet an ICMPv6 error or redirect itself? What cannot be read might be. */
static bool is_ineligible(const struct sk_buff *skb)
{
	u8 next = ipv6_hdr(skb)->nexthdr, buf[256], type;
	u32 total = (u32)((int)skb->len - skb_network_offset(skb));
	u32 len = min(total - (u32)sizeof(struct ipv6_hdr), (u32)sizeof(buf));
	u16 frag_off;
	int skip;

	if (copy_from_network(skb, sizeof(struct ipv6_hdr), buf, len))
		return true;
	skip = ipv6_skip_exthdr(buf, len, &next, &frag_off);
	if (skip < 0) /* cut off: no upper-layer header; else longer than we looked */
		return total - sizeof(struct ipv6_hdr) > sizeof(buf);
	if (next != IPPROTO_ICMPV6 || frag_off & ~1)
		return false;
	if ((u32)skip >=
	    len) /* of a first fragment RFC 8200 4.5 wants it reported that the rest is not there */
		return !frag_off || total - sizeof(struct ipv6_hdr) > sizeof(buf);
	type = buf[skip];
	return icmpv6_is_error(type) || type == NDISC_REDIRECT;
}

static bool icmpv6_may_report(const struct sk_buff *skb, u8 type, u8 code)
{
	const struct ipv6_hdr *h = ipv6_hdr(skb);
	bool many = ipv6_addr_is_multicast(&h->daddr) ||
		    (skb->pkt_type != SKB_PACKET_HOST && skb->pkt_type != SKB_PACKET_OUTGOING &&
		     skb->pkt_type != SKB_PACKET_LOOPBACK);

	if (many && type != ICMPV6_PKT_TOOBIG &&
	    !(type == ICMPV6_PARAMPROB && code == ICMPV6_UNK_OPTION))
		return false;
	if (ipv6_addr_any(&h->saddr) || ipv6_addr_is_multicast(&h->saddr))
		return false;
	return !is_ineligible(skb);
}

void icmpv6_send(struct sk_buff *skb_in, u8 type, u8 code, u32 info)
{
	struct net_device *dev = skb_in->dev ? skb_in->dev : skb_in->dst ? skb_in->dst->dev : NULL;
	const struct ipv6_hdr *h = ipv6_hdr(skb_in);
	struct flowi6 fl = { .proto = IPPROTO_ICMPV6 };
	struct icmpv6_hdr *icmph;
	struct rt6_info *rt;
	struct sk_buff *skb;
	struct net *net;
	u32 len;
	int err;

	if (!dev || (u8 *)(h + 1) > skb_tail_pointer(skb_in) ||
	    !icmpv6_may_report(skb_in, type, code))
		return;
	net = dev->net;
	fl.daddr = h->saddr;
	/* RFC 4443 2.2 (a): from the address that was written to, if it is ours: else as the route says. */
	if (ipv6_chk_addr(net, &h->daddr, dev, false))
		fl.saddr = h->daddr;
	if (ipv6_addr_type(&h->saddr) & IPV6_ADDR_LINKLOCAL)
		fl.oif = IP6CB(skb_in)->iif ? IP6CB(skb_in)->iif : dev->ifindex;
	if (net->ipv6->fwmark_reflect)
		fl.mark = skb_in->mark;
	rt = ip6_route_output(net, &fl, NULL, &err);
	if (!rt)
		return;
	if (!icmpv6_allowed(net, rt, &fl.daddr, type))
		goto put;
	/* RFC 4443 2.4 (c): as much as fits the smallest MTU. */
	len = (u32)((int)skb_in->len - skb_network_offset(skb_in));
	len = min(len, IPV6_MIN_MTU_ - (u32)(sizeof(*h) + sizeof(*icmph)));
	skb = alloc_skb(net->cpu, MAX_HEADER + sizeof(*h) + sizeof(*icmph) + len);
	if (!skb) {
		NET_INC_STATS(net, MIB_Icmp6_OutErrors);
		goto put;
	}
	skb_reserve(skb, MAX_HEADER + sizeof(*h));
	icmph = skb_put_zero(skb, sizeof(*icmph));
	icmph->type = type;
	icmph->code = code;
	icmph->un.rest = cpu_to_be32(info);
	if (copy_from_network(skb_in, 0, skb_put(skb, len), len)) {
		kfree_skb_reason(skb, SKB_DROP_NOMEM);
		goto put;
	}
	skb->parent_id = skb_in->id;
	if (unlikely(skb->cpu->trace_on))
		__trace_skb(skb, net, TP_icmpv6_send, TRACE_CREATE, 0, skb_in->id, type, code);
	icmpv6_push(net, skb, rt, &fl);
	return;
put:
	ip6_rt_put(rt);
}

/* The same message turned round. Consumes @skb; data at the ICMPv6 header. */
static void icmpv6_echo_reply(struct sk_buff *skb, struct net *net)
{
	const struct ipv6_hdr *h = ipv6_hdr(skb);
	struct flowi6 fl = { .proto = IPPROTO_ICMPV6, .daddr = h->saddr };
	skb_drop_reason_t reason = SKB_DROP_ICMP6_REPLY_FAILED;
	bool multicast = ipv6_addr_is_multicast(&h->daddr);
	bool anycast = !multicast && ipv6_chk_acast_addr(net, skb->dev, &h->daddr);
	struct sk_buff *reply = NULL;
	struct rt6_info *rt;
	int err;

	/* RFC 4443 4.2: from the address that was asked; a group, or an anycast address, is nobody's own. */
	if (!multicast && (!anycast || net->ipv6->anycast_src_echo_reply))
		fl.saddr = h->daddr;
	fl.flowlabel = ip6_flowinfo(ipv6_get_dsfield(h), BE32_INIT(0));
	if (ipv6_addr_type(&h->saddr) & IPV6_ADDR_LINKLOCAL || multicast)
		fl.oif = IP6CB(skb)->iif;
	if (net->ipv6->fwmark_reflect)
		fl.mark = skb->mark;
	rt = ip6_route_output(net, &fl, NULL, &err);
	if (!rt)
		goto drop;
	reason = SKB_DROP_ICMP6_RATELIMIT;
	if (!icmpv6_allowed(net, rt, &fl.daddr, ICMPV6_ECHO_REPLY))
		goto put;
	reason = SKB_DROP_NOMEM;
	reply = pskb_copy(skb);
	if (!reply || skb_cow_head(reply, LL_MAX_HEADER + sizeof(*h))) {
		NET_INC_STATS(net, MIB_Icmp6_OutErrors);
		goto put;
	}
	skb_orphan(reply);
	skb_dst_drop(reply);
	((struct icmpv6_hdr *)reply->data)->type = ICMPV6_ECHO_REPLY;
	if (unlikely(reply->cpu->trace_on))
		__trace_skb(reply, net, TP_icmpv6_echo_reply, TRACE_CREATE, 0, skb->id, 0, 0);
	icmpv6_push(net, reply, rt, &fl);
	consume_skb(skb);
	return;

put:
	kfree_skb_reason(reply, reason);
	ip6_rt_put(rt);
drop:
	kfree_skb_reason(skb, reason);
}

/* ---- receiving ----------------------------------------------------------------------------------------------- */

static void rcv_echo(struct sk_buff *skb, struct net *net)
{
	const struct ipv6_hdr *h = ipv6_hdr(skb);
	const struct netns_ipv6 *ip6 = net->ipv6;

	if (ip6->icmpv6_echo_ignore_all ||
	    (ip6->icmpv6_echo_ignore_multicast && ipv6_addr_is_multicast(&h->daddr)) ||
	    (ip6->icmpv6_echo_ignore_anycast && ipv6_chk_acast_addr(net, skb->dev, &h->daddr))) {
		kfree_skb_reason(skb, SKB_DROP_ICMP6_ECHO_IGNORED);
		return;
	}
	icmpv6_echo_reply(skb, net);
}

static void rcv_echo_reply(struct sk_buff *skb, struct net *net)
{
	ping_rcv(skb);
}

/* Hands an error to the protocol of the packet inside. Consumes. */
static void rcv_error(struct sk_buff *skb, struct net *net)
{
	const struct net_protocol *p;
	struct icmpv6_hdr icmph;
	u16 frag_off;
	u8 next;
	u32 info;
	int skip;

	memcpy(&icmph, skb->data, sizeof(icmph));
	info = be32_to_cpu(icmph.un.rest);
	/* The inner header, its extension headers and 8 octets behind them: ports, sequence number. */
	if (!pskb_pull(skb, sizeof(icmph)) ||
	    !pskb_may_pull(skb, min(skb->len, (u32)sizeof(struct ipv6_hdr) + 256)) ||
	    skb->len < sizeof(struct ipv6_hdr) || skb->data[0] >> 4 != 6)
		goto too_short;
	next = ((const struct ipv6_hdr *)skb->data)->nexthdr;
	skip = ipv6_skip_exthdr(skb->data + sizeof(struct ipv6_hdr),
				skb_headlen(skb) - (u32)sizeof(struct ipv6_hdr), &next, &frag_off);
	if (skip < 0)
		goto too_short;
	skb_set_transport_header(skb, (int)sizeof(struct ipv6_hdr) + skip);
	if (!(frag_off & ~1) && pskb_may_pull(skb, (u32)sizeof(struct ipv6_hdr) + (u32)skip + 8)) {
		rawv6_icmp_error(net, skb, icmph.type, icmph.code, info);
		p = net->ipv6->protos[next];
		if (p && p->err_handler)
			p->err_handler(skb, icmph.type, icmph.code, info);
	}
	consume_skb(skb);
	return;

too_short:
	NET_INC_STATS(net, MIB_Icmp6_InErrors);
	kfree_skb_reason(skb, SKB_DROP_ICMP6_INNER);
}

static void rcv_ndisc(struct sk_buff *skb, struct net *net)
{
	ndisc_rcv(skb);
}

static void rcv_mld_query(struct sk_buff *skb, struct net *net)
{
	igmp6_event_query(skb);
}

static void rcv_mld_report(struct sk_buff *skb, struct net *net)
{
	igmp6_event_report(skb);
}

/* What other routers say to routers, and what only name services ask. */
static void rcv_nothing(struct sk_buff *skb, struct net *net)
{
	consume_skb(skb);
}

/* Consume; data at the ICMPv6 header, which is in the head area, checksum verified. */
static const struct {
	u8 type;
	void (*rcv)(struct sk_buff *skb, struct net *net);
} icmpv6_handlers[] = {
	{ ICMPV6_ECHO_REQUEST, rcv_echo },
	{ ICMPV6_ECHO_REPLY, rcv_echo_reply },
	{ ICMPV6_PKT_TOOBIG, rcv_error },
	{ ICMPV6_DEST_UNREACH, rcv_error },
	{ ICMPV6_TIME_EXCEED, rcv_error },
	{ ICMPV6_PARAMPROB, rcv_error },
	{ NDISC_ROUTER_SOLICITATION, rcv_ndisc },
	{ NDISC_ROUTER_ADVERTISEMENT, rcv_ndisc },
	{ NDISC_NEIGHBOUR_SOLICITATION, rcv_ndisc },
	{ NDISC_NEIGHBOUR_ADVERTISEMENT, rcv_ndisc },
	{ NDISC_REDIRECT, rcv_ndisc },
	{ ICMPV6_MGM_QUERY, rcv_mld_query },
	{ ICMPV6_MGM_REPORT, rcv_mld_report },
	{ ICMPV6_MGM_REDUCTION, rcv_nothing },
	{ ICMPV6_MLD2_REPORT, rcv_nothing },
	{ 139, rcv_nothing }, /* node information query and reply, RFC 4620 */
	{ 140, rcv_nothing },
};

static void icmpv6_dispatch(struct sk_buff *skb, struct net *net, u8 type)
{
	for (u32 i = 0; i < ARRAY_SIZE(icmpv6_handlers); i++) {
		if (icmpv6_handlers[i].type == type) {
			icmpv6_handlers[i].rcv(skb, net);
			return;
		}
	}
	/* RFC 4443 2.4 (a), (b): unknown errors go to the upper layer, other unknown messages are dropped. */
	if (icmpv6_is_error(type))
		rcv_error(skb, net);
	else
		kfree_skb_reason(skb, SKB_DROP_ICMP6_TYPE);
}

static bool icmpv6_csum_ok(struct sk_buff *skb)
{
	const struct ipv6_hdr *h = ipv6_hdr(skb);

	if (skb_csum_unnecessary(skb))
		return true;
	if (csum_ipv6_magic(&h->saddr, &h->daddr, skb->len, IPPROTO_ICMPV6,
			    skb_checksum(skb, 0, skb->len, 0)))
		return false;
	skb->csum_valid = 1;
	return true;
}

static void icmpv6_rcv(struct sk_buff *skb)
{
	struct net *net = skb->dev->net;
	skb_drop_reason_t reason;
	const struct icmpv6_hdr *h;

	NET_INC_STATS(net, MIB_Icmp6_InMsgs);
	reason = SKB_DROP_ICMP6_CSUM;
	if (!icmpv6_csum_ok(skb)) {
		NET_INC_STATS(net, MIB_Icmp6_InCsumErrors);
		goto error;
	}
	reason = SKB_DROP_ICMP6_SHORT;
	if (!pskb_may_pull(skb, sizeof(*h)))
		goto error;
	h = (const struct icmpv6_hdr *)skb->data;
	trace_skb(skb, net, TP_icmpv6_rcv, TRACE_PASS, h->type, h->code);
	icmpv6_count_in(net, h->type);
	icmpv6_dispatch(skb, net, h->type);
	return;

error:
	NET_INC_STATS(net, MIB_Icmp6_InErrors);
	kfree_skb_reason(skb, reason);
}

/* An error about an ICMPv6 message of ours: only echo has a socket behind it. */
static void icmpv6_err(struct sk_buff *skb, u8 type, u8 code, u32 info)
{
	if (*skb_transport_header(skb) == ICMPV6_ECHO_REQUEST)
		ping_err(skb, type, code, info);
	/* Nothing in such a message proves that we sent it: as in Linux it is believed, and expires. */
	if (type == ICMPV6_PKT_TOOBIG) {
		const struct ipv6_hdr *inner = (const struct ipv6_hdr *)skb->data;

		ip6_update_pmtu(skb->dev->net, &inner->daddr, &inner->saddr, IP6CB(skb)->iif, info);
	}
}

const struct net_protocol icmpv6_protocol = {
	.handler = icmpv6_rcv,
	.err_handler = icmpv6_err,
};

static int icmpv6_net_init(struct net *net)
{
	struct icmpv6_limits *l = calloc(1, sizeof(*l));

	if (!l)
		return -ENOMEM;
	net->ipv6->icmp_limits = l;
	return inet6_add_protocol(net, IPPROTO_ICMPV6, &icmpv6_protocol);
}

static void icmpv6_net_exit(struct net *net)
{
	inet6_del_protocol(net, IPPROTO_ICMPV6);
	free(net->ipv6->icmp_limits);
	net->ipv6->icmp_limits = NULL;
}

const struct ipv6_part icmpv6_part = {
	.name = "icmpv6",
	.net_init = icmpv6_net_init,
	.net_exit = icmpv6_net_exit,
};
