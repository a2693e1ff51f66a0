/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ip_options.c - IPv4 options: RFC 791 3.1, RFC 1122 3.2.1.8, RFC 1812 5.2.4
 *
 * Received options are checked where they lie, by wire/ipv4.c. Record route and timestamp are honoured: we add ourselves where room is
 * left, when a packet is for us or is forwarded. Source routes are refused (RFC 7126 4.3, 4.4; the default of
 * accept_source_route): even where the setting allows them they are not followed, the packet is dropped with
 * IP_SOURCE_ROUTE. Unknown options pass untouched.
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

/* RFC 791 3.1: flag 0 times only, 1 addresses and times, 3 times of prespecified addresses. */
static bool ts_add(struct net *net, u8 *opt, be32 addr)
{
	u8 len = opt[1], ptr = opt[2], flag = opt[3] & 15, need = flag ? 8 : 4;
	be32 now = inet_current_timestamp(net), given;

	if (flag != 0 && flag != 1 && flag != 3)
		return false;
	if (ptr < 5 || ptr + need - 1 > len) {
		/* The overflow count: hosts that could not register. */
		if ((opt[3] >> 4) < 15)
			opt[3] = (u8)(opt[3] + 16);
		return true;
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
		changed |= ts_add(net, (u8 *)iph + o->ts, addr);
	if (changed)
		ip_send_check(iph);
}

skb_drop_reason_t ip_rcv_options(struct sk_buff *skb)
{
	const struct ip_hdr *iph = ip_hdr(skb);
	struct rtable *rt = skb_rtable(skb);
	struct net *net = skb->dev->net;
	struct ipv4_opts_view o;
	int bad = ipv4_opts_parse((const u8 *)iph, ip_hdr_len(iph), &o);

	if (bad) {
		NET_INC_STATS(net, MIB_Ip_InHdrErrors);
		icmp_send(skb, ICMP4_PARAMETERPROB, 0, (u32)bad << 24);
		return SKB_DROP_IP_OPTIONS;
	}
	IPCB(skb)->opt_off = sizeof(*iph);
	if (o.srr) {
		NET_INC_STATS(net, MIB_Ip_InHdrErrors);
		return SKB_DROP_IP_SOURCE_ROUTE;
	}
	if (rt->rt_type == RTN_LOCAL)
		options_add_us(skb, net, &o, iph->daddr);
	return 0;
}

void ip_forward_options(struct sk_buff *skb)
{
	const struct ip_hdr *iph = ip_hdr(skb);
	struct rtable *rt = skb_rtable(skb);
	struct ipv4_opts_view o;

	if (ipv4_opts_parse((const u8 *)iph, ip_hdr_len(iph), &o))
		return;
	/* RFC 1812 5.2.4.1: the address of the device by which it leaves. */
	options_add_us(skb, rt->net, &o,
		       inet_select_addr(rt->dst.dev, rt->rt_gateway, RT_SCOPE_UNIVERSE));
}

/* RFC 1122 3.2.2.6: record route and timestamp of an echo request go on in the reply. They already contain us. */
void ip_options_echo(const struct sk_buff *skb, be32 saddr, struct ip_options *ret)
{
	const struct ip_hdr *iph = ip_hdr(skb);
	struct ipv4_opts_view o;
	u32 at = 0;

	memset(ret, 0, sizeof(*ret));
	if (ip_hdr_len(iph) == sizeof(*iph) ||
	    ipv4_opts_parse((const u8 *)iph, ip_hdr_len(iph), &o))
		return;
	if (o.rr) {
		u8 len = ((const u8 *)iph)[o.rr + 1];

		memcpy(ret->data + at, (const u8 *)iph + o.rr, len);
		ret->rr = (u8)(sizeof(*iph) + at);
		at += len;
	}
	if (o.ts) {
		u8 len = ((const u8 *)iph)[o.ts + 1];

		memcpy(ret->data + at, (const u8 *)iph + o.ts, len);
		ret->ts = (u8)(sizeof(*iph) + at);
		at += len;
	}
	while (at & 3)
		ret->data[at++] = IPOPT_END;
	ret->optlen = (u8)at;
}

/* Writes @opt behind the header (there is room). A source route ends at @daddr; the packet goes to its first hop. */
void ip_options_build(struct ip_hdr *iph, const struct ip_options *opt, be32 daddr, be32 saddr)
{
	u8 *base = (u8 *)iph;

	memcpy(base + sizeof(*iph), opt->data, opt->optlen);
	if (opt->srr)
		memcpy(base + opt->srr + base[opt->srr + 1] - 4, &daddr, 4);
	if (opt->rr && opt->rr_needaddr)
		rr_add(base + opt->rr, saddr);
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
