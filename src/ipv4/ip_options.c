/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ip_options.c - IPv4 options: RFC 791 3.1, RFC 1122 3.2.1.8, RFC 1812 5.2.4
 *
 * Received options are checked where they lie, by wire/ipv4.c. Record route and timestamp are honoured: we add ourselves where room is
 * left, when a packet is for us, is forwarded, or is sent. Unknown options pass untouched.
 *
 * Source routes are refused (RFC 7126 4.3, 4.4) unless accept_source_route is on for "all" and the device. Then a packet whose
 * destination is us, but whose route is not at its end, is routed to the next address of the option (ip_rcv_options); when it leaves, that
 * address becomes the destination and ours takes its place (ip_forward_options), so that the option ends as a record of the way.
 * Whoever answers sends back by that record, reversed (ip_options_echo, RFC 1122 3.2.1.8).
 *
 * A socket's own source route lies in struct ip_options as it goes on the wire: the first hop is taken out (faddr: where to route
 * and send to), and the last place is kept for the destination (ip_options_build).
 * Context: cpu lock.
 */
#include "ipv4/ipv4_internal.h"

#include <errno.h>
#include <netinet/ip.h>

#include "wire/icmp.h"

#define MSEC_PER_DAY 86400000u

be32 inet_current_timestamp(const struct net *net)
{
	struct host *h = net->machine->host;

	return cpu_to_be32((u32)(host_realtime(h) / NSEC_PER_MSEC % MSEC_PER_DAY));
}

/* Adds @addr to the option at @opt (type, length, pointer, data...) if there is room. True: it was added. */
static bool rr_add(u8 *opt, be32 addr)
{
	u8 len = opt[1], ptr = opt[2];

	if (ptr < 4 || ptr + 3 > len)
		return false;
	memcpy(opt + ptr - 1, &addr, 4);
	opt[2] = (u8)(ptr + 4);
	return true;
}

/* No room for one more entry in the timestamp option at @opt? A well-formed one has room for none or for a whole one. */
static bool ts_full(const u8 *opt)
{
	return opt[2] > opt[1];
}

/* RFC 791 3.1: flag 0 times only, 1 addresses and times, 3 times of prespecified addresses. @count: the overflow too. */
static bool ts_add(struct net *net, u8 *opt, be32 addr, bool count)
{
	u8 ptr = opt[2], flag = opt[3] & 15, need = flag ? 8 : 4;
	be32 now = inet_current_timestamp(net), given;

	if (flag != 0 && flag != 1 && flag != 3)
		return false;
	if (ts_full(opt)) {
		/* Hosts that could not register. */
		if (count && (opt[3] >> 4) < 15)
			opt[3] = (u8)(opt[3] + 16);
		return count;
	}
	if (flag == 3) {
		memcpy(&given, opt + ptr - 1, 4);
		if (inet_addr_type(net, given) != RTN_LOCAL)
			return false;
	}
	if (flag == 1)
		memcpy(opt + ptr - 1, &addr, 4);
	memcpy(opt + ptr - 1 + (flag ? 4 : 0), &now, 4);
	opt[2] = (u8)(ptr + need);
	return true;
}

static void options_add_us(struct sk_buff *skb, struct net *net, const struct ipv4_opts_view *o,
			   be32 addr)
{
	struct ip_hdr *iph;
	bool changed = false;

	if ((!o->rr && !o->ts) || skb_ensure_writable(skb, ip_hdr_len(ip_hdr(skb))))
		return;
	iph = ip_hdr(skb);
	if (o->rr)
		changed |= rr_add((u8 *)iph + o->rr, addr);
	if (o->ts)
		changed |= ts_add(net, (u8 *)iph + o->ts, addr, true);
	if (changed)
		ip_send_check(iph);
}

/* ---- received ---------------------------------------------------------------------------------------------- */

static skb_drop_reason_t options_problem(struct sk_buff *skb, struct net *net, u32 pointer)
{
	NET_INC_STATS(net, MIB_Ip_InHdrErrors);
	icmp_send(skb, ICMP4_PARAMETERPROB, 0, pointer << 24);
	return SKB_DROP_IP_OPTIONS;
}

/* The address that the source route at @opt goes to next; false: it is at its end. */
static bool srr_next(const u8 *opt, be32 *ret_addr)
{
	if (opt[2] > opt[1])
		return false;
	memcpy(ret_addr, opt + opt[2] - 1, 4);
	return true;
}

/* The packet goes to the next address of its source route; @us takes that one's place. */
static void srr_advance(struct ip_hdr *iph, u8 *opt, be32 us)
{
	memcpy(&iph->daddr, opt + opt[2] - 1, 4);
	memcpy(opt + opt[2] - 1, &us, 4);
	opt[2] = (u8)(opt[2] + 4);
	ip_send_check(iph);
}

static skb_drop_reason_t source_route_refused(struct sk_buff *skb, struct net *net)
{
	NET_INC_STATS(net, MIB_Ip_InHdrErrors);
	ip_log_martian(skb, ip_hdr(skb)->daddr, ip_hdr(skb)->saddr);
	return SKB_DROP_IP_SOURCE_ROUTE;
}

/* RFC 791 3.1, RFC 1812 5.2.4.1 */
static skb_drop_reason_t rcv_source_route(struct sk_buff *skb, struct net *net,
					  const struct ipv4_opts_view *o)
{
	struct in_device *in_dev = in_dev_get(skb->dev);
	struct ip_hdr *iph = ip_hdr(skb);
	skb_drop_reason_t reason;
	be32 next;

	if (!in_dev || !IN_DEV_ANDCONF(in_dev, accept_source_route) ||
	    skb->pkt_type != SKB_PACKET_HOST)
		return source_route_refused(skb, net);
	if (skb_rtable(skb)->rt_type == RTN_UNICAST) /* we are not the hop it is going to */
		return o->strict ? options_problem(skb, net, offsetof(struct ip_hdr, daddr)) : 0;
	if (skb_rtable(skb)->rt_type != RTN_LOCAL)
		return source_route_refused(skb, net);
	while (srr_next((const u8 *)iph + o->srr, &next)) {
		skb_dst_drop(skb);
		reason = ip_route_input(skb, next, iph->saddr, iph->tos, skb->dev);
		if (reason)
			return reason;
		if (skb_rtable(skb)->rt_type == RTN_UNICAST) {
			IPCB(skb)->flags |= IPSKB_SOURCE_ROUTED;
			return 0;
		}
		if (skb_rtable(skb)->rt_type != RTN_LOCAL)
			return source_route_refused(skb, net);
		/* The next hop is ourselves too. */
		if (skb_ensure_writable(skb, ip_hdr_len(iph)))
			return SKB_DROP_NOMEM;
		iph = ip_hdr(skb);
		srr_advance(iph, (u8 *)iph + o->srr, iph->daddr);
	}
	return 0;
}

skb_drop_reason_t ip_rcv_options(struct sk_buff *skb)
{
	const struct ip_hdr *iph = ip_hdr(skb);
	struct net *net = skb->dev->net;
	skb_drop_reason_t reason;
	struct ipv4_opts_view o;
	int bad = ipv4_opts_parse((const u8 *)iph, ip_hdr_len(iph), &o);

	if (bad)
		return options_problem(skb, net, (u32)bad);
	IPCB(skb)->opt_off = sizeof(*iph);
	/* RFC 791 3.1: an overflow count that overflows is an error. */
	if (o.ts && ts_full((const u8 *)iph + o.ts) && ((const u8 *)iph)[o.ts + 3] >> 4 == 15)
		return options_problem(skb, net, o.ts + 3u);
	if (unlikely(o.srr)) {
		reason = rcv_source_route(skb, net, &o);
		if (reason)
			return reason;
	}
	if (skb_rtable(skb)->rt_type == RTN_LOCAL)
		options_add_us(skb, net, &o, ip_hdr(skb)->daddr);
	return 0;
}

bool ip_source_route_broken(const struct sk_buff *skb)
{
	const struct rtable *rt = skb_rtable(skb);
	struct ipv4_opts_view o;

	return (IPCB(skb)->flags & IPSKB_SOURCE_ROUTED) && rt->rt_uses_gateway &&
	       !ipv4_opts_parse((const u8 *)ip_hdr(skb), ip_hdr_len(ip_hdr(skb)), &o) && o.strict;
}

void ip_forward_options(struct sk_buff *skb)
{
	struct ip_hdr *iph = ip_hdr(skb);
	struct rtable *rt = skb_rtable(skb);
	struct ipv4_opts_view o;
	be32 us;

	if (ipv4_opts_parse((const u8 *)iph, ip_hdr_len(iph), &o))
		return;
	/* RFC 1812 5.2.4.1: the address of the device by which it leaves. */
	us = inet_select_addr(rt->dst.dev, rt->rt_gateway, RT_SCOPE_UNIVERSE);
	if (unlikely(IPCB(skb)->flags & IPSKB_SOURCE_ROUTED) &&
	    !skb_ensure_writable(skb, ip_hdr_len(iph))) {
		iph = ip_hdr(skb);
		srr_advance(iph, (u8 *)iph + o.srr, us);
	}
	options_add_us(skb, rt->net, &o, us);
}

/* ---- sent ---------------------------------------------------------------------------------------------------- */

/* Appends an option of @len octets; its offset from the IP header. */
static u8 options_append(struct ip_options *opt, const u8 *from, u8 len)
{
	u8 at = opt->optlen;

	memcpy(opt->data + at, from, len);
	opt->optlen = (u8)(at + len);
	return (u8)(sizeof(struct ip_hdr) + at);
}

/* The way that a packet came by, as a source route back: the places that were passed, last one first, then the sender. */
static void srr_echo(const struct ip_hdr *iph, const u8 *from, struct ip_options *ret)
{
	u32 hops = (min(from[2], (u8)(from[1] + 1)) - 4u) / 4;
	u8 opt[40] = { from[0], (u8)(3 + 4 * hops), 4 };

	if (!hops)
		return;
	memcpy(&ret->faddr, from + 3 + 4 * (hops - 1), 4);
	for (u32 i = 0; i + 1 < hops; i++)
		memcpy(opt + 3 + 4 * i, from + 3 + 4 * (hops - 2 - i), 4);
	memcpy(opt + 3 + 4 * (hops - 1), &iph->saddr, 4);
	ret->is_strictroute = from[0] == IPOPT_SSRR;
	ret->srr = options_append(ret, opt, opt[1]);
}

void ip_options_echo(const struct sk_buff *skb, struct ip_options *ret)
{
	const struct ip_hdr *iph = ip_hdr(skb);
	const u8 *p = (const u8 *)iph;
	struct ipv4_opts_view o;

	memset(ret, 0, sizeof(*ret));
	if (likely(ip_hdr_len(iph) == sizeof(*iph)) || ipv4_opts_parse(p, ip_hdr_len(iph), &o))
		return;
	if (o.rr)
		ret->rr = options_append(ret, p + o.rr, p[o.rr + 1]);
	if (o.ts)
		ret->ts = options_append(ret, p + o.ts, p[o.ts + 1]);
	if (o.srr)
		srr_echo(iph, p + o.srr, ret);
	while (ret->optlen & 3)
		ret->data[ret->optlen++] = IPOPT_END;
}

/* RFC 791 3.1: what follows "end of option list" is padding. @len octets of well-formed options. */
static void options_clear_padding(u8 *opt, u32 len)
{
	u32 i = 0;

	while (i < len && opt[i] != IPOPT_END)
		i += opt[i] == IPOPT_NOOP ? 1 : opt[i + 1];
	if (i < len)
		memset(opt + i, 0, len - i);
}

int ip_options_compile(const void *data, u32 len, struct ip_options *ret)
{
	u8 hdr[sizeof(struct ip_hdr) + sizeof(ret->data)] = { 0 };
	u32 padded = ALIGN_UP(len, 4);
	struct ipv4_opts_view o;
	u8 *srr;

	if (len > sizeof(ret->data))
		return -EINVAL;
	memcpy(hdr + sizeof(struct ip_hdr), data, len);
	if (ipv4_opts_parse(hdr, (u32)sizeof(struct ip_hdr) + padded, &o))
		return -EINVAL;
	options_clear_padding(hdr + sizeof(struct ip_hdr), padded);
	*ret = (struct ip_options){ .optlen = (u8)padded,
				    .rr = o.rr,
				    .ts = o.ts,
				    .srr = o.srr,
				    .router_alert = o.router_alert,
				    .is_strictroute = o.strict };
	if (o.srr) {
		srr = hdr + o.srr;
		if (srr[2] != 4 || srr[1] < 7)
			return -EINVAL;
		memcpy(&ret->faddr, srr + 3, 4);
		memmove(srr + 3, srr + 7, srr[1] - 7u);
		memset(srr + srr[1] - 4, 0, 4);
	}
	memcpy(ret->data, hdr + sizeof(struct ip_hdr), padded);
	return 0;
}

void ip_options_undo(const struct ip_options *opt, u8 *ret_data)
{
	u8 *srr = ret_data + opt->srr - sizeof(struct ip_hdr);

	memcpy(ret_data, opt->data, opt->optlen);
	if (!opt->srr)
		return;
	memmove(srr + 7, srr + 3, srr[1] - 7u);
	memcpy(srr + 3, &opt->faddr, 4);
}

void ip_options_build(struct net *net, struct ip_hdr *iph, const struct ip_options *opt, be32 daddr,
		      be32 saddr)
{
	u8 *base = (u8 *)iph;

	memcpy(base + sizeof(*iph), opt->data, opt->optlen);
	if (opt->srr) {
		memcpy(base + opt->srr + base[opt->srr + 1] - 4, &daddr, 4);
		iph->daddr = opt->faddr;
	}
	if (opt->rr)
		rr_add(base + opt->rr, saddr);
	if (opt->ts)
		ts_add(net, base + opt->ts, saddr, false);
}

void ip_options_fragment(u8 *opts, u32 len)
{
	u32 i = 0;

	while (i < len && opts[i] != IPOPT_END) {
		u32 olen;

		if (opts[i] == IPOPT_NOP) {
			i++;
			continue;
		}
		if (i + 1 >= len || opts[i + 1] < 2 || i + opts[i + 1] > len)
			return;
		olen = opts[i + 1];
		if (!(opts[i] & IPOPT_COPY))
			memset(opts + i, IPOPT_NOP, olen);
		i += olen;
	}
}
