/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The extensions of ICMP errors (RFC 4884). Input: how much lies in the head area, what to leave out in front, the quoted length, and the
 * datagram with what follows it. The answer is that of a reader of one contiguous copy, wherever the packet's octets lie.
 */
#include "fuzz.h"
#include "fake_packet.h"

#include "core/cpu.h"
#include "core/skbuff.h"
#include "inet/inet_sock.h"
#include "lib/csum.h"

#define QUOTED   128 /* of the seeds */
#define FOUR(x)  x x x x
#define ZEROS128 FOUR(FOUR("\0\0\0\0\0\0\0\0"))

FUZZ_SEEDS(SEED("\x14\x1c\x20" ZEROS128 "\x20\0\0\0"
		"\0\x08\x01\x01"
		"abcd"),
	   SEED("\xff\x08\x20" ZEROS128 "\x20\0\0\0"
		"\0\x03\x01\x01"),
	   SEED("\0\0\x20" ZEROS128 "\x20\0\xdf\xff"),
	   SEED("\x80\x1c\x21" ZEROS128 "\0\0\0\0"
		"\x10\0\0\0"));

/* RFC 4884 7, 7.1: a header of version 2 and objects that end where the packet does; a checksum of 0 is none. */
static bool well_formed(const u8 *p, size_t len)
{
	size_t n;

	if (p[0] >> 4 != 2)
		return true;
	if ((p[2] || p[3]) && csum_fold(csum_partial(p, len, 0)))
		return false;
	for (p += 4, len -= 4; len; p += n, len -= n) {
		n = len < 4 ? 0 : (size_t)p[0] << 8 | p[1];
		if (n < 4 || n > len)
			return false;
	}
	return true;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static struct cpu cpu;
	struct sock_ee_data_rfc4884 ext;
	u32 linear, payload, quoted;
	struct fake f;

	if (size < 3 || size > FAKE_HEAD)
		return 0;
	linear = data[0];
	payload = data[1];
	quoted = 4u * data[2];
	data += 3;
	size -= 3;
	linear = linear < size ? linear : (u32)size;
	ext = inet_rfc4884(fake_packet(&f, &cpu, data, (u32)size, linear), payload, quoted);
	if (quoted < QUOTED || quoted < payload || quoted + 4 > size) {
		FUZZ_CHECK(!ext.len && !ext.flags);
		return 0;
	}
	FUZZ_CHECK(ext.len == quoted - payload);
	FUZZ_CHECK(ext.flags ==
		   (well_formed(data + quoted, size - quoted) ? 0 : SO_EE_RFC4884_FLAG_INVALID));
	return 0;
}
