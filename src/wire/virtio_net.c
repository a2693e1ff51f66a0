/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * virtio_net.c - read and write the virtio-net header
 *
 * The sender may be a virtual machine or any program: what it says of a frame must be true of the frame, or our own segmentation would
 * read beyond the headers. hdr_len is a hint in the standard and is not believed.
 */
#include "wire/virtio_net.h"

#include <errno.h>

#define FLAG_NEEDS_CSUM 1
#define FLAG_DATA_VALID 2
#define GSO_ECN         0x80
#define PROTO_TCP       6
#define PROTO_UDP       17

static u16 get16(const u8 *p)
{
	return (u16)(p[0] << 8 | p[1]);
}

/* Where the transport header of @frame starts, and which it is; -EBADMSG: neither IPv4 nor IPv6, or cut short. */
static int find_transport(const u8 *frame, size_t have, u32 l2_len, u8 *ret_version, u8 *ret_proto)
{
	size_t off = l2_len;
	const u8 *ip = frame + off;

	/* The tag of a VLAN (or two) makes the link-layer header longer. */
	while (l2_len && have >= off && off <= l2_len + 4 &&
	       (get16(ip - 2) == 0x8100 || get16(ip - 2) == 0x88a8)) {
		off += 4;
		ip += 4;
	}
	if (have < off + 20)
		return -EBADMSG;
	*ret_version = ip[0] >> 4;
	if (*ret_version == 4) {
		u32 ihl = (ip[0] & 15) * 4u;

		/* Neither a fragment nor something shorter than a header. */
		if (ihl < 20 || (get16(ip + 6) & 0x3fff))
			return -EBADMSG;
		*ret_proto = ip[9];
		return (int)(off + ihl);
	}
	if (*ret_version == 6 && have >= off + 40) {
		*ret_proto = ip[6]; /* extension headers: not with segmentation units */
		return (int)(off + 40);
	}
	return -EBADMSG;
}

static int parse_gso(struct virtio_net_view *v, const u8 *frame, size_t have, u32 l2_len)
{
	u8 version = 0, proto = 0;
	int thoff = find_transport(frame, have, l2_len, &version, &proto);
	u32 thlen;

	if (v->gso_type != VIRTIO_GSO_TCPV4 && v->gso_type != VIRTIO_GSO_TCPV6 &&
	    v->gso_type != VIRTIO_GSO_UDP_L4)
		return -EPROTONOSUPPORT;
	if (thoff < 0 || !v->gso_size || !v->needs_csum || v->csum_start != thoff)
		return -EBADMSG;
	if (v->gso_type == VIRTIO_GSO_UDP_L4) {
		if (proto != PROTO_UDP || v->csum_offset != 6 || have < (size_t)thoff + 8)
			return -EBADMSG;
		thlen = 8;
	} else {
		if (proto != PROTO_TCP || v->csum_offset != 16 || have < (size_t)thoff + 20 ||
		    version != (v->gso_type == VIRTIO_GSO_TCPV4 ? 4 : 6))
			return -EBADMSG;
		thlen = (u32)(frame[thoff + 12] >> 4) * 4;
		if (thlen < 20)
			return -EBADMSG;
	}
	v->hdr_len = (u16)((u32)thoff + thlen);
	return have >= v->hdr_len ? 0 : -EBADMSG; /* maybe with nothing behind it */
}

int virtio_net_parse(const u8 *p, size_t len, const u8 *frame, size_t have, size_t frame_len,
		     u32 l2_len, struct virtio_net_view *ret)
{
	struct virtio_net_view v;
	struct virtio_net_header h;
	int err;

	if (len < sizeof(h) || have > frame_len || have < l2_len)
		return -EBADMSG;
	memcpy(&h, p, sizeof(h));
	v = (struct virtio_net_view){
		.needs_csum = h.flags & FLAG_NEEDS_CSUM,
		.data_valid = h.flags & FLAG_DATA_VALID,
		.ecn = h.gso_type & GSO_ECN,
		.gso_type = h.gso_type & (u8)~GSO_ECN,
	};
	if (v.needs_csum) {
		v.csum_start = h.csum_start;
		v.csum_offset = h.csum_offset;
		if (v.csum_start < l2_len || v.csum_start + v.csum_offset + 2u > have)
			return -EBADMSG;
	}
	if (v.gso_type != VIRTIO_GSO_NONE) {
		v.gso_size = h.gso_size;
		err = parse_gso(&v, frame, have, l2_len);
		if (err)
			return err;
	} else {
		v.ecn = false;
	}
	*ret = v;
	return sizeof(h);
}

void virtio_net_build(u8 *p, const struct virtio_net_view *v)
{
	const struct virtio_net_header h = {
		.flags = v->needs_csum   ? FLAG_NEEDS_CSUM
			 : v->data_valid ? FLAG_DATA_VALID
					 : 0,
		.gso_type = v->gso_type | (v->gso_type && v->ecn ? GSO_ECN : 0),
		.hdr_len = v->hdr_len,
		.gso_size = v->gso_size,
		.csum_start = v->csum_start,
		.csum_offset = v->csum_offset,
	};

	memcpy(p, &h, sizeof(h));
}
