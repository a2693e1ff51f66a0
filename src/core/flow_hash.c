/* SPDX-License-Identifier: BSD-2-Clause */
/* flow_hash.c - which flow a packet belongs to, by its addresses and ports: these are added up before they are mixed, for both directions */
#include <netinet/in.h>

#include "core/skbuff.h"
#include "lib/hash.h"
#include "wire/ethernet.h"
#include "wire/ipv4.h"

u32 skb_flow_hash_salted(const struct sk_buff *skb, u32 salt)
{
	u32 off = (u32)max(skb_network_offset(skb), 0), hlen, words[2] = { 0, 0 }, w[10];
	u8 h[40], proto;
	u16 ports[2];

	switch (be16_to_cpu(skb->protocol)) {
	case ETH_P_IP:
		if (skb_copy_bits(skb, off, h, sizeof(struct ip_hdr)))
			return 0;
		memcpy(words, h + 12, 8);
		proto = (h[6] & 0x3f) | h[7] ? 0 : h[9]; /* fragments carry no ports */
		hlen = (u32)(h[0] & 15) * 4;
		break;
	case ETH_P_IPV6:
		if (skb_copy_bits(skb, off, h, 40))
			return 0;
		memcpy(w, h, 40);
		words[0] = w[2] ^ w[3] ^ w[4] ^ w[5];
		words[1] = w[6] ^ w[7] ^ w[8] ^ w[9];
		proto = h[6];
		hlen = 40;
		break;
	default:
		return salt ? jhash_2words(be16_to_cpu(skb->protocol), 0, salt)
			    : be16_to_cpu(skb->protocol);
	}
	memset(ports, 0, sizeof(ports));
	if (proto == IPPROTO_TCP || proto == IPPROTO_UDP || proto == IPPROTO_SCTP ||
	    proto == IPPROTO_DCCP)
		skb_copy_bits(skb, off + hlen, ports, sizeof(ports));
	return jhash_3words(words[0] + words[1], words[0] ^ words[1],
			    (u32)proto << 17 ^ ((u32)ports[0] + ports[1]), salt);
}
