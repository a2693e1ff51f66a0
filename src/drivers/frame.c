/* SPDX-License-Identifier: BSD-2-Clause */
/* frame.c - frames that lie in memory of somebody else's: into an skb and out of it */
#include "drivers/frame.h"

#include <netinet/in.h>

#include "lib/csum.h"
#include "wire/ethernet.h"
#include "wire/ipv4.h"
#include "wire/ipv6.h"

#define LEND_HEAD 256 /* Ethernet, tags, IPv6 with options, TCP with options */

static u32 frame_pad(const struct net_device *dev)
{
	return NET_SKB_PAD + (dev->hard_header_len ? NET_IP_ALIGN : 0);
}

struct sk_buff *frame_copy_in(struct net_device *dev, const void *octets, u32 len)
{
	u32 head = min(len, (u32)FRAME_HEAD), pad = frame_pad(dev), frags;
	struct sk_buff *skb = alloc_skb_with_frags(dev->cpu, pad + FRAME_HEAD, len - head);

	if (!skb)
		return NULL;
	/* The fragments are there already: the head area is laid out by hand. */
	frags = skb->data_len;
	skb->data += pad;
	skb->tail += pad + head;
	skb->len = head + frags;
	skb->dev = dev;
	if (!frags) {
		memcpy(skb->data, octets, len);
	} else if (skb_store_bits(skb, 0, octets, len)) {
		consume_skb(skb);
		return NULL;
	}
	return skb;
}

struct sk_buff *frame_lend_in(struct net_device *dev, struct page *page, u32 off, u32 len)
{
	u32 head = min(len, (u32)LEND_HEAD);
	struct sk_buff *skb = alloc_skb(dev->cpu, frame_pad(dev) + LEND_HEAD);

	if (!skb)
		return NULL;
	skb->dev = dev;
	skb_reserve(skb, frame_pad(dev));
	skb_put_data(skb, page->addr + off, head);
	if (len > head)
		skb_append_page(skb, page, off + head, len - head);
	return skb;
}

/* Where the transport header begins, its protocol and the sum of its pseudo header. 0: no such thing in the head area */
static u32 transport_header(const struct sk_buff *skb, u8 *ret_proto, u32 *ret_pseudo)
{
	const u8 *p = skb->data;
	u32 len = skb->len;
	struct eth_view eth;
	struct ipv4_view v4;
	struct ipv6_view v6;

	/* Both parsers read the fixed headers only, and compare lengths. */
	if (skb_headlen(skb) < min(len, ETH_HLEN + (u32)sizeof(struct ipv6_hdr)) ||
	    eth_parse(p, len, &eth) < 0)
		return 0;
	p += ETH_HLEN;
	len -= ETH_HLEN;
	if (eth.type == ETH_P_IP && ipv4_parse(p, len, &v4) > 0 &&
	    !(v4.frag_off & (IP_F_MF | IP_F_OFFSET))) {
		*ret_proto = v4.protocol;
		*ret_pseudo = csum_tcpudp_nofold(v4.saddr, v4.daddr, (u32)v4.tot_len - v4.hdr_len,
						 v4.protocol, 0);
		return ETH_HLEN + v4.hdr_len;
	}
	if (eth.type == ETH_P_IPV6 && ipv6_parse(p, len, &v6) > 0) {
		*ret_proto = v6.nexthdr;
		*ret_pseudo = csum_ipv6_nofold(v6.saddr, v6.daddr, v6.payload_len, v6.nexthdr, 0);
		return ETH_HLEN + (u32)sizeof(struct ipv6_hdr);
	}
	return 0;
}

bool frame_csum_unfinished(struct sk_buff *skb)
{
	u8 proto = 0;
	u32 pseudo = 0, start;
	u16 field, want;

	start = transport_header(skb, &proto, &pseudo);
	if (!start || (proto != IPPROTO_TCP && proto != IPPROTO_UDP))
		return false;
	skb->csum_offset = proto == IPPROTO_TCP ? 16 : 6;
	if (skb_headlen(skb) < start + skb->csum_offset + sizeof(field))
		return false;
	memcpy(&field, skb->data + start + skb->csum_offset, sizeof(field));
	want = (u16)~csum_fold(pseudo);
	if (field != want)
		return false;
	skb->ip_summed = CHECKSUM_PARTIAL;
	skb->csum_start = (u16)(skb_headroom(skb) + start);
	return true;
}
