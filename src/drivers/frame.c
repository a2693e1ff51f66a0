/* SPDX-License-Identifier: BSD-2-Clause */
/* frame.c - frames that lie in memory of somebody else's: into an skb and out of it */
#include "drivers/frame.h"

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
