/* SPDX-License-Identifier: BSD-2-Clause */
/* The header, then one octet that says how much of the frame is at hand, then the frame. */
#include "fuzz.h"
#include "wire/virtio_net.h"

#define TCP4_FRAME                                                                                 \
	"\0\0\0\0\0\1\0\0\0\0\0\2\x08\0\x45\0\0\x64\0\0\x40\0\x40\6\0\0\x0a\0\0\1\x0a\0\0\2"       \
	"\0\x50\x80\0\0\0\0\0\0\0\0\0\x50\x10\xff\xff\0\0\0\0payload"

FUZZ_SEEDS(SEED("\1\1\x36\0\x64\0\x22\0\x10\0\xff" TCP4_FRAME),
	   SEED("\1\0\0\0\0\0\x22\0\x10\0\xff" TCP4_FRAME),
	   SEED("\2\0\0\0\0\0\0\0\0\0\xff" TCP4_FRAME));

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct virtio_net_view v, again;
	u8 hdr[VIRTIO_NET_HEADER_LEN];
	const u8 *frame = data + VIRTIO_NET_HEADER_LEN + 1;
	size_t len, have;
	u32 l2_len;

	if (size <= VIRTIO_NET_HEADER_LEN)
		return 0;
	len = size - VIRTIO_NET_HEADER_LEN - 1;
	have = min(len, (size_t)data[VIRTIO_NET_HEADER_LEN]);
	l2_len = size & 1 ? 14 : 0;
	if (virtio_net_parse(data, size, frame, have, len, l2_len, &v) < 0)
		return 0;
	FUZZ_CHECK(!v.needs_csum || v.csum_start + v.csum_offset + 2u <= have);
	FUZZ_CHECK(!v.gso_type || (v.hdr_len <= have && v.hdr_len <= len && v.gso_size));
	virtio_net_build(hdr, &v);
	FUZZ_CHECK(virtio_net_parse(hdr, sizeof(hdr), frame, have, len, l2_len, &again) ==
		   VIRTIO_NET_HEADER_LEN);
	FUZZ_CHECK(again.gso_type == v.gso_type && again.hdr_len == v.hdr_len &&
		   again.csum_start == v.csum_start);
	return 0;
}
