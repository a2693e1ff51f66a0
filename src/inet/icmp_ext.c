/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * icmp_ext.c - where the extensions of an ICMP error begin (RFC 4884), for IP_RECVERR_RFC4884 and IPV6_RECVERR_RFC4884
 *
 * A router that knows extensions says in the error's header how much of the datagram it quotes, at least 128 octets, and puts a small
 * header and objects behind that. Programs parse those; the stack tells where they begin, and whether they are well-formed.
 */
#include "inet/inet_sock.h"
#include "lib/csum.h"

#define ICMP_EXT_ORIG_DGRAM_MIN 128 /* RFC 4884 4.1, 4.2 */
#define ICMP_EXT_VERSION        2
#define ICMP_EXT_HDR            4
#define ICMP_EXT_OBJ_HDR        4

/* RFC 4884 7 and 7.1. What another version means is not known, and so not wrong. */
static bool icmp_ext_valid(const struct sk_buff *skb, u32 off)
{
	u8 h[ICMP_EXT_HDR], obj[ICMP_EXT_OBJ_HDR];
	u32 len;

	if (skb_copy_bits(skb, off, h, sizeof(h)))
		return false;
	if (h[0] >> 4 != ICMP_EXT_VERSION)
		return true;
	if ((h[2] || h[3]) && csum_fold(skb_checksum(skb, off, skb->len - off, 0)))
		return false;
	for (off += ICMP_EXT_HDR; off < skb->len; off += len) {
		if (skb_copy_bits(skb, off, obj, sizeof(obj)))
			return false;
		len = (u32)obj[0] << 8 | obj[1];
		if (len < ICMP_EXT_OBJ_HDR || len > skb->len - off)
			return false;
	}
	return true;
}

struct sock_ee_data_rfc4884 inet_rfc4884(const struct sk_buff *skb, u32 payload, u32 quoted)
{
	struct sock_ee_data_rfc4884 ret = { 0 };

	if (quoted < ICMP_EXT_ORIG_DGRAM_MIN || quoted < payload || skb->len < ICMP_EXT_HDR ||
	    quoted > skb->len - ICMP_EXT_HDR)
		return ret;
	ret.len = (u16)(quoted - payload);
	if (!icmp_ext_valid(skb, quoted))
		ret.flags |= SO_EE_RFC4884_FLAG_INVALID;
	return ret;
}
