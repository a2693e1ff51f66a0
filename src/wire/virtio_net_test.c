/* SPDX-License-Identifier: BSD-2-Clause */
#include "wire/virtio_net.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* An Ethernet frame with IPv4 and TCP headers of 20 octets each: 54 octets, and payload. */
static void make_frame(u8 *f, size_t len)
{
	memset(f, 0, len);
	f[12] = 0x08;
	f[14] = 0x45;
	f[23] = 6;
	f[34 + 12] = 0x50;
}

#define TSO                                                                                        \
	{                                                                                          \
		.needs_csum = true, .gso_type = VIRTIO_GSO_TCPV4, .gso_size = 1000, .hdr_len = 54, \
		.csum_start = 34, .csum_offset = 16                                                \
	}
static const struct virtio_net_view tso = TSO;

static void a_segmentation_unit_is_read_as_it_was_written(void **state)
{
	u8 frame[100], hdr[VIRTIO_NET_HEADER_LEN];
	struct virtio_net_view v;

	make_frame(frame, sizeof(frame));
	virtio_net_build(hdr, &tso);
	assert_int_equal(virtio_net_parse(hdr, sizeof(hdr), frame, 100, 5000, 14, &v), 10);
	assert_memory_equal(&v, &tso, sizeof(v));
}

static void what_is_not_true_of_the_frame_is_refused(void **state)
{
	static const struct {
		const char *what;
		struct virtio_net_view v;
		size_t have;
		int at, value; /* an octet of the frame that is changed; -1: none */
		int err;
	} cases[] = {
		{ "cut before the end of the TCP header", TSO, 50, -1, 0, -EBADMSG },
		{ "UDP in it", TSO, 100, 23, 17, -EBADMSG },
		{ "a fragment", TSO, 100, 20, 0x20, -EBADMSG },
		{ "options beyond what is at hand", TSO, 60, 46, 0xf0, -EBADMSG },
		{ "a TCP header shorter than 20", TSO, 100, 46, 0x40, -EBADMSG },
		{ "IPv6 in a v4 unit", TSO, 100, 14, 0x60, -EBADMSG },
		{ "no segment size",
		  { .needs_csum = true, .gso_type = 1, .csum_start = 34, .csum_offset = 16 },
		  100,
		  -1,
		  0,
		  -EBADMSG },
		{ "no unfinished checksum",
		  { .gso_type = 1, .gso_size = 1000 },
		  100,
		  -1,
		  0,
		  -EBADMSG },
		{ "an old kind (UDP fragmentation)",
		  { .needs_csum = true,
		    .gso_type = 3,
		    .gso_size = 8,
		    .csum_start = 34,
		    .csum_offset = 6 },
		  100,
		  -1,
		  0,
		  -EPROTONOSUPPORT },
		{ "a checksum behind the end",
		  { .needs_csum = true, .csum_start = 90, .csum_offset = 9 },
		  100,
		  -1,
		  0,
		  -EBADMSG },
		{ "a checksum in the link-layer header",
		  { .needs_csum = true, .csum_start = 2, .csum_offset = 0 },
		  100,
		  -1,
		  0,
		  -EBADMSG },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		u8 frame[100], hdr[VIRTIO_NET_HEADER_LEN];
		struct virtio_net_view v;
		int r;

		make_frame(frame, sizeof(frame));
		if (cases[i].at >= 0)
			frame[cases[i].at] = (u8)cases[i].value;
		virtio_net_build(hdr, &cases[i].v);
		r = virtio_net_parse(hdr, sizeof(hdr), frame, cases[i].have, 5000, 14, &v);
		if (r != cases[i].err)
			print_error("%s\n", cases[i].what);
		assert_int_equal(r, cases[i].err);
	}
}

static void a_vlan_tag_is_stepped_over(void **state)
{
	struct virtio_net_view want = tso, v;
	u8 frame[100] = { 0 }, hdr[VIRTIO_NET_HEADER_LEN];

	make_frame(frame + 4, sizeof(frame) - 4);
	frame[12] = 0x81;
	frame[13] = 0;
	want.csum_start += 4;
	want.hdr_len += 4;
	virtio_net_build(hdr, &want);
	assert_int_equal(virtio_net_parse(hdr, sizeof(hdr), frame, 100, 5000, 14, &v), 10);
	assert_memory_equal(&v, &want, sizeof(v));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_segmentation_unit_is_read_as_it_was_written),
		cmocka_unit_test(what_is_not_true_of_the_frame_is_refused),
		cmocka_unit_test(a_vlan_tag_is_stepped_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
