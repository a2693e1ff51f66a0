/* SPDX-License-Identifier: BSD-2-Clause */
/* fake_packet.h - an skb without an instance, for fuzz targets of what only reads packets */
#ifndef WEIR_TESTS_FUZZ_FAKE_PACKET_H
#define WEIR_TESTS_FUZZ_FAKE_PACKET_H

#include <string.h>

#include "core/cpu.h"
#include "core/skbuff.h"

#define FAKE_HEAD 512 /* octets of the head area */

struct fake {
	u8 head[FAKE_HEAD + sizeof(struct skb_shared_info)] __attribute__((aligned(8)));
	struct page page;
	struct sk_buff skb;
};

/* A packet of which the first @linear octets are in the head area, the others in a fragment. */
static inline const struct sk_buff *fake_packet(struct fake *f, struct cpu *cpu, const u8 *p,
						u32 len, u32 linear)
{
	struct sk_buff *skb = &f->skb;

	memset(f, 0, sizeof(*f));
	skb->head = f->head;
	skb->end = FAKE_HEAD;
	skb->data = f->head + 64;
	skb->tail = 64 + linear;
	skb->len = len;
	skb->data_len = len - linear;
	skb->mac_header = 60;
	skb->network_header = 64;
	skb->transport_header = SKB_NO_HEADER;
	skb->protocol = cpu_to_be16(0x0800);
	skb->cpu = cpu;
	memcpy(skb->data, p, linear);
	if (len > linear) {
		f->page.addr = (u8 *)p + linear;
		f->page.size = len - linear;
		f->page.refcount = 1;
		skb_shinfo(skb)->nr_frags = 1;
		skb_shinfo(skb)->frags[0] = (skb_frag_t){ &f->page, 0, len - linear };
	}
	return skb;
}

#endif
