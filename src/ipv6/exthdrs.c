/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * exthdrs.c - IPv6 extension headers, received and sent
 *
 * Theory of operation
 *   Receiving: hop-by-hop options are looked at by every node before routing (ipv6_parse_hopopts), the others by the destination
 *   only, one after the other (ipv6_exthdr_rcv). An option that nobody knows says itself, by its top two bits, what becomes of the packet
 *   (RFC 8200 4.2). How many options and octets are looked at is bounded by sysctls (max_*_opts_*): RFC 8504 5.3.
 *   Routing headers: the only types followed are none. One that still has segments to visit is refused with a pointer to its type, one
 *   that has none is stepped over (RFC 8200 4.4, RFC 5095 for type 0).
 *
 *   Sending: struct ipv6_txoptions holds the headers of a socket or of one message as they go on the wire, except their first octets,
 *   which chain them and are written when a packet is made. A routing header (type 2, RFC 6275; type 4, RFC 8754) makes the first hop
 *   the destination and keeps the final one inside.
 * Context: softirq and user, cpu lock.
 * See RFC 8200 4, RFC 3542 6 to 10, RFC 2711, RFC 2675.
 */
#include <errno.h>
#include <stdlib.h>

#include "core/sock.h"
#include "core/trace.h"
#include "ipv6/ipv6_internal.h"
#include "wire/icmpv6.h"

#define TLV_PAD1        0
#define TLV_PADN        1
#define TLV_ROUTERALERT 5
#define TLV_JUMBO       0xc2
#define TLV_MAX_PAD     7 /* more is no alignment: RFC 8504 5.3 */

/* One of each kind, and a fragment header. A longer chain has no use but to cost: each header is made linear in its turn, and offsets
 * have 16 bits (RFC 8504 5.3). */
#define EXTHDRS_MAX_LEN (4 * 2048u + 8)

#define RTHDR_TYPE_2 2
#define RTHDR_TYPE_3 3
#define RTHDR_TYPE_4 4

static inline u32 opt_len(const u8 *hdr)
{
	return ((u32)hdr[1] + 1) * 8;
}

/* ---- options, received -------------------------------------------------------------------------------------- */

/* RFC 8200 4.2: the top two bits of an unknown option's type. @off: of the option, from the network header. 0: skip it */
static skb_drop_reason_t unknown_option(struct sk_buff *skb, u32 off)
{
	u8 type = skb_network_header(skb)[off];

	switch (type >> 6) {
	case 0:
		return 0;
	case 3:
		if (ipv6_addr_is_multicast(&ipv6_hdr(skb)->daddr))
			break;
		__fallthrough;
	case 2:
		icmpv6_send(skb, ICMPV6_PARAMPROB, ICMPV6_UNK_OPTION, off);
		break;
	}
	return SKB_DROP_IP6_UNKNOWN_OPTION;
}

/* RFC 2711 2.1 */
static skb_drop_reason_t option_router_alert(struct sk_buff *skb, u32 off)
{
	const u8 *p = skb_network_header(skb) + off;

	if (p[1] != 2)
		return SKB_DROP_IP6_BAD_OPTION;
	IP6CB(skb)->flags |= IP6SKB_ROUTERALERT;
	IP6CB(skb)->ra = (u16)(p[2] << 8 | p[3]);
	return 0;
}

/* RFC 2675 3: packets of more than 65,535 octets do not exist here; what the option says wrong is reported as the RFC asks. */
static skb_drop_reason_t option_jumbo(struct sk_buff *skb, u32 off)
{
	const u8 *p = skb_network_header(skb) + off;
	u32 len;

	if (p[1] != 4 || (off & 3) != 2)
		return SKB_DROP_IP6_BAD_OPTION;
	len = (u32)p[2] << 24 | (u32)p[3] << 16 | (u32)p[4] << 8 | p[5];
	if (len <= 65535)
		icmpv6_send(skb, ICMPV6_PARAMPROB, ICMPV6_HDR_FIELD, off + 2);
	else if (!be16_zero(ipv6_hdr(skb)->payload_len))
		icmpv6_send(skb, ICMPV6_PARAMPROB, ICMPV6_HDR_FIELD, off);
	else
		return SKB_DROP_IP6_TRUNCATED;
	return SKB_DROP_IP6_BAD_OPTION;
}

struct tlv_limits {
	u32 max_count;
	bool hop_by_hop;
};

static skb_drop_reason_t known_option(struct sk_buff *skb, u32 off, bool hop_by_hop)
{
	u8 type = skb_network_header(skb)[off];

	if (hop_by_hop && type == TLV_ROUTERALERT)
		return option_router_alert(skb, off);
	if (hop_by_hop && type == TLV_JUMBO)
		return option_jumbo(skb, off);
	return unknown_option(skb, off);
}

/* Padding is zeros, and no more than alignment needs. */
static bool padding_ok(const u8 *p, u32 len)
{
	for (u32 i = 2; i < len; i++)
		if (p[i])
			return false;
	return true;
}

/* The options of the header at @off (from the network header), which is linear. 0 or a drop reason, after any ICMP error. */
static skb_drop_reason_t parse_tlv(struct sk_buff *skb, u32 off, struct tlv_limits limits)
{
	u32 end = off + opt_len(skb_network_header(skb) + off), pad = 0, count = 0;
	skb_drop_reason_t reason;

	for (off += 2; off < end;) {
		const u8 *p = skb_network_header(skb) + off;
		u32 len;

		if (p[0] == TLV_PAD1) {
			if (++pad > TLV_MAX_PAD)
				return SKB_DROP_IP6_BAD_OPTION;
			off++;
			continue;
		}
		if (off + 2 > end || off + 2u + p[1] > end)
			return SKB_DROP_IP6_BAD_OPTION;
		len = 2u + p[1];
		if (p[0] == TLV_PADN) {
			pad += len;
			if (pad > TLV_MAX_PAD || !padding_ok(p, len))
				return SKB_DROP_IP6_BAD_OPTION;
		} else {
			if (++count > limits.max_count)
				return SKB_DROP_IP6_TOO_MANY_OPTIONS;
			reason = known_option(skb, off, limits.hop_by_hop);
			if (reason)
				return reason;
			pad = 0;
		}
		off += len;
	}
	return 0;
}

skb_drop_reason_t ipv6_parse_hopopts(struct sk_buff *skb)
{
	const struct netns_ipv6 *ip6 = skb->dev->net->ipv6;
	const u32 off = sizeof(struct ipv6_hdr);
	struct tlv_limits limits = { ip6->max_hbh_opts_cnt, true };
	skb_drop_reason_t reason;
	u32 len;

	if (!pskb_may_pull(skb, off + 8))
		return SKB_DROP_IP6_HDR_SHORT;
	len = opt_len(skb->data + off);
	if (!pskb_may_pull(skb, off + len))
		return SKB_DROP_IP6_HDR_SHORT;
	if (len > ip6->max_hbh_opts_len)
		return SKB_DROP_IP6_TOO_MANY_OPTIONS;
	IP6CB(skb)->flags |= IP6SKB_HOPBYHOP;
	reason = parse_tlv(skb, off, limits);
	if (reason)
		return reason;
	skb_set_transport_header(skb, (int)(off + len));
	IP6CB(skb)->nhoff = (u16)off;
	return 0;
}

/* ---- headers on the way up ------------------------------------------------------------------------------------ */

static struct sk_buff *exthdr_drop(struct sk_buff *skb, u16 counter, skb_drop_reason_t reason)
{
	NET_INC_STATS(skb->dev->net, counter);
	kfree_skb_reason(skb, reason);
	return NULL;
}

/* Steps over the header at data, of @len octets. */
static struct sk_buff *exthdr_skip(struct sk_buff *skb, u32 len)
{
	IP6CB(skb)->nhoff = (u16)skb_network_header_len(skb);
	__skb_pull(skb, len);
	skb_reset_transport_header(skb);
	return skb;
}

/* Transform. All: data and transport header at the extension header; NULL: consumed. */

static struct sk_buff *ipv6_destopt_rcv(struct sk_buff *skb)
{
	const struct netns_ipv6 *ip6 = skb->dev->net->ipv6;
	struct tlv_limits limits = { ip6->max_dst_opts_cnt, false };
	skb_drop_reason_t reason;
	u32 len;

	if (!pskb_may_pull(skb, 8) || !pskb_may_pull(skb, opt_len(skb->data)))
		return exthdr_drop(skb, MIB_Ip6_InHdrErrors, SKB_DROP_IP6_HDR_SHORT);
	len = opt_len(skb->data);
	if (len > ip6->max_dst_opts_len)
		return exthdr_drop(skb, MIB_Ip6_InHdrErrors, SKB_DROP_IP6_TOO_MANY_OPTIONS);
	reason = parse_tlv(skb, skb_network_header_len(skb), limits);
	return reason ? exthdr_drop(skb, MIB_Ip6_InHdrErrors, reason) : exthdr_skip(skb, len);
}

static struct sk_buff *ipv6_rthdr_rcv(struct sk_buff *skb)
{
	enum { TYPE = 2, SEGMENTS_LEFT = 3 };
	u32 len;

	if (!pskb_may_pull(skb, 8) || !pskb_may_pull(skb, opt_len(skb->data)))
		return exthdr_drop(skb, MIB_Ip6_InHdrErrors, SKB_DROP_IP6_HDR_SHORT);
	len = opt_len(skb->data);
	if (ipv6_addr_is_multicast(&ipv6_hdr(skb)->daddr) || skb->pkt_type != SKB_PACKET_HOST)
		return exthdr_drop(skb, MIB_Ip6_InAddrErrors, SKB_DROP_IP6_SOURCE_ROUTE);
	if (!skb->data[SEGMENTS_LEFT]) {
		IP6CB(skb)->flags |= IP6SKB_SRCROUTED;
		return exthdr_skip(skb, len);
	}
	/* RFC 8754 4.3: a segment routing header where that is switched off (seg6_enabled) is dropped without a word; RFC 6554's
	 * (rpl_seg_enabled) on Linux, too. */
	if (skb->data[TYPE] != RTHDR_TYPE_3 && skb->data[TYPE] != RTHDR_TYPE_4)
		icmpv6_send(skb, ICMPV6_PARAMPROB, ICMPV6_HDR_FIELD,
			    skb_network_header_len(skb) + TYPE);
	return exthdr_drop(skb, MIB_Ip6_InHdrErrors, SKB_DROP_IP6_SOURCE_ROUTE);
}

static const struct {
	u8 nexthdr;
	struct sk_buff *(*rcv)(struct sk_buff *skb);
} exthdrs[] = {
	{ IPPROTO_FRAGMENT, ipv6_frag_rcv },
	{ IPPROTO_DSTOPTS, ipv6_destopt_rcv },
	{ IPPROTO_ROUTING, ipv6_rthdr_rcv },
};

bool ipv6_ext_hdr(u8 nexthdr)
{
	for (u32 i = 0; i < ARRAY_SIZE(exthdrs); i++)
		if (exthdrs[i].nexthdr == nexthdr)
			return true;
	return false;
}

int ipv6_exthdr_rcv(struct sk_buff **pskb, u8 nexthdr)
{
	if (unlikely(skb_network_header_len(*pskb) - sizeof(struct ipv6_hdr) > EXTHDRS_MAX_LEN)) {
		*pskb = exthdr_drop(*pskb, MIB_Ip6_InHdrErrors, SKB_DROP_IP6_TOO_MANY_OPTIONS);
		return -1;
	}
	for (u32 i = 0; i < ARRAY_SIZE(exthdrs); i++) {
		if (exthdrs[i].nexthdr != nexthdr)
			continue;
		*pskb = exthdrs[i].rcv(*pskb);
		return *pskb ? skb_network_header(*pskb)[IP6CB(*pskb)->nhoff] : -1;
	}
	return nexthdr;
}

/* ---- headers to send ------------------------------------------------------------------------------------------- */

/* The places of the four headers, in the order in which they go on the wire. */
enum { TXOPT_HOP, TXOPT_DST0, TXOPT_RTHDR, TXOPT_DST1, NR_TXOPTS };

static u16 *txopt_place(struct ipv6_txoptions *opt, u32 i)
{
	u16 *const place[NR_TXOPTS] = { &opt->hopopt, &opt->dst0opt, &opt->srcrt, &opt->dst1opt };

	return place[i];
}

static u8 *txopt_hdr(const struct ipv6_txoptions *opt, u16 place)
{
	return place ? (u8 *)opt->data + place - 1 : NULL;
}

/* RFC 3542 9.2, 7: is @hdr what it says? *ret_i: which of the four. 0 or -errno */
static int txopt_check(const struct sock *sk, int type, const u8 *hdr, u32 len, u32 *ret_i)
{
	bool routing = type == IPV6_RTHDR;

	*ret_i = routing                ? TXOPT_RTHDR
		 : type == IPV6_HOPOPTS ? TXOPT_HOP
		 : type == IPV6_DSTOPTS ? TXOPT_DST1
					: TXOPT_DST0;
	if (!hdr)
		return 0;
	if (sk->sk_uid != 0 && !routing)
		return -EPERM;
	if (len < 8 || len & 7 || len > 8 * 255 || opt_len(hdr) > len)
		return -EINVAL;
	if (!routing)
		return 0;
	switch (hdr[2]) {
	case RTHDR_TYPE_2: /* RFC 6275 6.4: exactly one address */
		return hdr[1] == 2 && hdr[3] == 1 ? 0 : -EINVAL;
	case RTHDR_TYPE_4: /* RFC 8754 2: the last entry's index, and what is left of them */
		return hdr[1] >= 2 && (hdr[4] + 1) * 2 <= hdr[1] && hdr[3] <= hdr[4] ? 0 : -EINVAL;
	default:
		return -EINVAL; /* RFC 5095: type 0 is dead */
	}
}

struct ipv6_txoptions *ipv6_renew_options(const struct sock *sk, const struct ipv6_txoptions *old,
					  int type, const void *hdr, u32 len, int *ret_err)
{
	const u8 *part[NR_TXOPTS] = { NULL };
	struct ipv6_txoptions *opt;
	u32 which, total = 0;

	*ret_err = txopt_check(sk, type, hdr, len, &which);
	if (*ret_err)
		return NULL;
	for (u32 i = 0; old && i < NR_TXOPTS; i++)
		part[i] = txopt_hdr(old, *txopt_place((struct ipv6_txoptions *)old, i));
	part[which] = hdr;
	for (u32 i = 0; i < NR_TXOPTS; i++)
		total += part[i] ? opt_len(part[i]) : 0;
	if (!total)
		return NULL; /* nothing left: no options, and no error */
	*ret_err = -ENOBUFS;
	opt = calloc(1, sizeof(*opt) + total);
	if (!opt)
		return NULL;
	*ret_err = 0;
	opt->refcount = 1;
	for (u32 i = 0; i < NR_TXOPTS; i++) {
		if (!part[i])
			continue;
		memcpy(opt->data + opt->len, part[i], opt_len(part[i]));
		*txopt_place(opt, i) = (u16)(opt->len + 1);
		opt->len = (u16)(opt->len + opt_len(part[i]));
		if (i == TXOPT_DST1)
			opt->opt_flen = (u16)opt_len(part[i]);
		else if (i != TXOPT_DST0 || part[TXOPT_RTHDR])
			opt->opt_nflen = (u16)(opt->opt_nflen + opt_len(part[i]));
	}
	return opt;
}

/* The hop that a routing header names first. */
static const struct in6_addr *rthdr_first_hop(const u8 *rthdr)
{
	u32 i = rthdr[2] == RTHDR_TYPE_4 ? rthdr[3] : 0;

	return (const struct in6_addr *)(rthdr + 8) + i;
}

void fl6_update_dst(struct flowi6 *fl, const struct ipv6_txoptions *opt, struct in6_addr *ret_final)
{
	*ret_final = fl->daddr;
	if (opt && opt->srcrt)
		memcpy(&fl->daddr, rthdr_first_hop(txopt_hdr(opt, opt->srcrt)), 16);
}

static u8 *push_hdr(struct sk_buff *skb, const u8 *hdr, u8 type, u8 *proto)
{
	u8 *p = skb_push(skb, opt_len(hdr));

	memcpy(p, hdr, opt_len(hdr));
	p[0] = *proto;
	*proto = type;
	return p;
}

/* *daddr becomes the first hop; the final destination goes into the header. */
static void push_rthdr(struct sk_buff *skb, const u8 *rthdr, u8 *proto,
		       const struct in6_addr **daddr)
{
	u8 *p = push_hdr(skb, rthdr, IPPROTO_ROUTING, proto);

	memcpy(p + 8, *daddr, 16); /* both types: the last to be visited is the first in the list */
	*daddr = rthdr_first_hop(rthdr);
}

void ipv6_push_nfrag_opts(struct sk_buff *skb, const struct ipv6_txoptions *opt, u8 *proto,
			  const struct in6_addr **daddr)
{
	if (opt->srcrt) {
		push_rthdr(skb, txopt_hdr(opt, opt->srcrt), proto, daddr);
		/* RFC 3542 9.3: these options are for the hops of a routing header. */
		if (opt->dst0opt)
			push_hdr(skb, txopt_hdr(opt, opt->dst0opt), IPPROTO_DSTOPTS, proto);
	}
	if (opt->hopopt)
		push_hdr(skb, txopt_hdr(opt, opt->hopopt), IPPROTO_HOPOPTS, proto);
}

void ipv6_push_frag_opts(struct sk_buff *skb, const struct ipv6_txoptions *opt, u8 *proto)
{
	if (opt->dst1opt)
		push_hdr(skb, txopt_hdr(opt, opt->dst1opt), IPPROTO_DSTOPTS, proto);
}

/* ---- received headers for the program ------------------------------------------------------------------------------ */

void ipv6_datagram_recv_exthdrs(struct sock *sk, struct kmsghdr *msg, const struct sk_buff *skb,
				u32 rxopts)
{
	/* Which control message a header becomes: RFC 3542 7, 8, 9; and RFC 2292's. */
	static const struct {
		u8 nexthdr;
		u32 rxopt;
		int cmsg;
	} table[] = {
		{ IPPROTO_HOPOPTS, IPV6_RX_HOPOPTS, IPV6_HOPOPTS },
		{ IPPROTO_HOPOPTS, IPV6_RX_OHOPOPTS, IPV6_2292HOPOPTS },
		{ IPPROTO_DSTOPTS, IPV6_RX_DSTOPTS, IPV6_DSTOPTS },
		{ IPPROTO_DSTOPTS, IPV6_RX_ODSTOPTS, IPV6_2292DSTOPTS },
		{ IPPROTO_ROUTING, IPV6_RX_SRCRT, IPV6_RTHDR },
		{ IPPROTO_ROUTING, IPV6_RX_OSRCRT, IPV6_2292RTHDR },
	};
	const u8 *nh = skb_network_header(skb);
	u32 limit = skb_network_header_len(skb), off = sizeof(struct ipv6_hdr);
	u8 type = ipv6_hdr(skb)->nexthdr;

	while (off + 8 <= limit && (type == IPPROTO_HOPOPTS || ipv6_ext_hdr(type))) {
		u32 len = type == IPPROTO_FRAGMENT ? 8 : opt_len(nh + off);

		if (off + len > limit)
			return;
		for (u32 i = 0; i < ARRAY_SIZE(table); i++)
			if (table[i].nexthdr == type &&
			    inet6_sk(sk)->rxopt & rxopts & table[i].rxopt)
				put_cmsg(msg, IPPROTO_IPV6, table[i].cmsg, len, nh + off);
		type = nh[off];
		off += len;
	}
}
