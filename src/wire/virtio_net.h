/* SPDX-License-Identifier: BSD-2-Clause */
/* virtio_net.h - the header in front of frames that tells of unfinished checksums and big segments: VIRTIO 1.2, 5.1.6 */
#ifndef WEIR_WIRE_VIRTIO_NET_H
#define WEIR_WIRE_VIRTIO_NET_H

#include "lib/types.h"

/* In the machine's own byte order, as tun(4) has it unless told otherwise. */
struct virtio_net_header {
	u8 flags;
	u8 gso_type;
	u16 hdr_len;
	u16 gso_size;
	u16 csum_start;
	u16 csum_offset;
} __packed;

#define VIRTIO_NET_HEADER_LEN 10
static_assert(sizeof(struct virtio_net_header) == VIRTIO_NET_HEADER_LEN, "wire format");

enum virtio_net_gso {
	VIRTIO_GSO_NONE = 0,
	VIRTIO_GSO_TCPV4 = 1,
	VIRTIO_GSO_TCPV6 = 4,
	VIRTIO_GSO_UDP_L4 = 5,
};

struct virtio_net_view {
	bool needs_csum; /* the field at csum_start + csum_offset holds the sum of the pseudo header only */
	bool data_valid; /* somebody has checked the checksum */
	bool ecn;        /* the first segment only carries CWR */
	u8 gso_type;     /* enum virtio_net_gso */
	u16 gso_size;    /* payload octets of a segment */
	u16 hdr_len; /* link-layer to transport header; parsed: as found in the frame, never as the sender claims */
	u16 csum_start, csum_offset; /* from the start of the frame */
};

/*
 * Reads the header @p (@len octets) of a frame that begins with the octets @frame, @have of them at hand, @frame_len in all; @l2_len: of its
 * link-layer header (0: none). A segmentation unit must be what its type says, with its headers at hand. VIRTIO_NET_HEADER_LEN, or
 * -EBADMSG: it does not fit the frame; -EPROTONOSUPPORT: a kind of segmentation unit we do not know.
 */
int virtio_net_parse(const u8 *p, size_t len, const u8 *frame, size_t have, size_t frame_len,
		     u32 l2_len, struct virtio_net_view *ret);
/* Writes VIRTIO_NET_HEADER_LEN octets. */
void virtio_net_build(u8 *p, const struct virtio_net_view *v);

#endif
