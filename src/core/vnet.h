/* SPDX-License-Identifier: BSD-2-Clause */
/* vnet.h - between an skb and the virtio-net header in front of a frame that a program gives or gets (tap devices, packet sockets) */
#ifndef WEIR_CORE_VNET_H
#define WEIR_CORE_VNET_H

#include "core/skbuff.h"
#include "wire/virtio_net.h"

#define VIRTIO_NET_HDR_MRG_RXBUF_LEN 12 /* with the count of buffers, which is 0 here */

/*
 * Makes of @skb what the header @vnet (VIRTIO_NET_HEADER_LEN octets) says: an unfinished checksum, a segmentation unit. data at the
 * first octet of the frame, its headers in the head area; @l2_len: of its link-layer header. 0, or -EINVAL: it is not true of the frame.
 */
int virtio_net_hdr_to_skb(struct sk_buff *skb, const u8 *vnet, u32 l2_len);
/* Writes @len octets at @vnet: the header of @skb, data at the first octet of the frame; behind it zeros. 0, or -EINVAL: it is a
 * segmentation unit that none can describe. */
int virtio_net_hdr_from_skb(const struct sk_buff *skb, u8 *vnet, u32 len);

#endif
