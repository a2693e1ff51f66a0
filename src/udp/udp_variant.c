/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * udp_variant.c - what differs between UDP (RFC 768) and UDP-Lite (RFC 3828)
 *
 * UDP-Lite is UDP whose third header field says how many octets the checksum covers, counted from the header on; 0 means all.
 * The length of the datagram is that of the IP payload. Its ports and counters are its own.
 */
#include "udp/udp.h"

static skb_drop_reason_t udp_check_header(struct sk_buff *skb, u32 *ret_coverage)
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
	*ret_coverage = len;
	return SKB_NOT_DROPPED;
}

static skb_drop_reason_t udplite_check_header(struct sk_buff *skb, u32 *ret_coverage)
{
	const struct udp_hdr *uh;
	u32 coverage;

	if (!pskb_may_pull(skb, sizeof(*uh)))
		return SKB_DROP_UDP_HEADER;
	uh = (const struct udp_hdr *)skb->data;
	coverage = be16_to_cpu(uh->len);
	if (!coverage)
		coverage = skb->len;
	/* RFC 3828 3.1: the header is always covered, and a checksum there always is. */
	if (coverage < sizeof(*uh) || coverage > skb->len)
		return SKB_DROP_UDPLITE_COVERAGE;
	if (be16_zero(uh->check))
		return SKB_DROP_UDP_CSUM;
	*ret_coverage = coverage;
	return SKB_NOT_DROPPED;
}

static u32 udplite_coverage(const struct sock *sk, u32 len, u16 *ret_field)
{
	const struct udp_sock *up = udp_sk(sk);

	*ret_field = (u16)len;
	if (!up->send_cscov_set || up->send_cscov >= len)
		return len;
	*ret_field = up->send_cscov;
	return up->send_cscov ? up->send_cscov : len;
}

#define UDP_MIB(group)                                                                             \
	{                                                                                          \
		MIB_##group##_InDatagrams, MIB_##group##_NoPorts, MIB_##group##_InErrors,          \
			MIB_##group##_OutDatagrams, MIB_##group##_RcvbufErrors,                    \
			MIB_##group##_SndbufErrors, MIB_##group##_InCsumErrors,                    \
			MIB_##group##_IgnoredMulti, MIB_##group##_MemErrors                        \
	}
/* Linux does not count this one: under "errors", then. */
#define MIB_UdpLite6_IgnoredMulti MIB_UdpLite6_InErrors

const struct udp_variant udp_variants[NR_UDP_VARIANTS] = {
	[UDP_PLAIN] = { .id = UDP_PLAIN,
			.protocol = IPPROTO_UDP,
			.mib = { UDP_MIB(Udp), UDP_MIB(Udp6) },
			.check_header = udp_check_header },
	[UDP_LITE] = { .id = UDP_LITE,
		       .protocol = IPPROTO_UDPLITE,
		       .mib = { UDP_MIB(UdpLite), UDP_MIB(UdpLite6) },
		       .check_header = udplite_check_header,
		       .coverage = udplite_coverage },
};
