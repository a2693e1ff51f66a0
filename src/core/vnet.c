/* SPDX-License-Identifier: BSD-2-Clause */
/* vnet.c - between an skb and the virtio-net header in front of a frame (VIRTIO 1.2, 5.1.6) */
#include "core/vnet.h"

#include <errno.h>

int virtio_net_hdr_to_skb(struct sk_buff *skb, const u8 *vnet, u32 l2_len)
{
	static const u16 gso_types[] = { [VIRTIO_GSO_TCPV4] = SKB_GSO_TCPV4,
					 [VIRTIO_GSO_TCPV6] = SKB_GSO_TCPV6,
					 [VIRTIO_GSO_UDP_L4] = SKB_GSO_UDP_L4 };
	struct skb_shared_info *sh = skb_shinfo(skb);
	struct virtio_net_view v;

	if (virtio_net_parse(vnet, VIRTIO_NET_HEADER_LEN, skb->data, skb_headlen(skb), skb->len,
			     l2_len, &v) < 0)
		return -EINVAL;
	if (v.needs_csum) {
		skb->ip_summed = CHECKSUM_PARTIAL;
		skb->csum_start = (u16)(skb_headroom(skb) + v.csum_start);
		skb->csum_offset = v.csum_offset;
	} else if (v.data_valid) {
		skb->ip_summed = CHECKSUM_UNNECESSARY;
	}
	/* What fits into one segment is none to be cut. */
	if (v.gso_type && skb->len - v.hdr_len > v.gso_size) {
		sh->gso_type =
			gso_types[v.gso_type] | SKB_GSO_DODGY | (v.ecn ? (u16)SKB_GSO_TCP_ECN : 0);
		sh->gso_size = v.gso_size;
		sh->gso_segs = (u16)DIV_ROUND_UP(skb->len - v.hdr_len, v.gso_size);
	}
	return 0;
}

/* The transport header of a segmentation unit is where its checksum starts. */
static int describe_gso(const struct sk_buff *skb, struct virtio_net_view *v)
{
	const struct skb_shared_info *sh = skb_shinfo(skb);
	u8 doff;

	if (!v->needs_csum)
		return -EINVAL;
	v->gso_type = sh->gso_type & SKB_GSO_TCPV4   ? VIRTIO_GSO_TCPV4
		      : sh->gso_type & SKB_GSO_TCPV6 ? VIRTIO_GSO_TCPV6
						     : VIRTIO_GSO_UDP_L4;
	v->gso_size = sh->gso_size;
	v->ecn = sh->gso_type & SKB_GSO_TCP_ECN;
	v->hdr_len = v->csum_start;
	if (v->gso_type == VIRTIO_GSO_UDP_L4) {
		v->hdr_len += 8;
		return 0;
	}
	if (skb_copy_bits(skb, v->csum_start + 12u, &doff, 1))
		return -EINVAL;
	v->hdr_len += (u16)((doff >> 4) * 4);
	return 0;
}

int virtio_net_hdr_from_skb(const struct sk_buff *skb, u8 *vnet, u32 len)
{
	struct virtio_net_view v = { .data_valid = skb->ip_summed == CHECKSUM_UNNECESSARY };

	memset(vnet, 0, len);
	if (skb->ip_summed == CHECKSUM_PARTIAL) {
		v.needs_csum = true;
		v.csum_start = (u16)skb_checksum_start_offset(skb);
		v.csum_offset = skb->csum_offset;
	}
	if (skb_is_gso(skb) && describe_gso(skb, &v))
		return -EINVAL;
	virtio_net_build(vnet, &v);
	return 0;
}
