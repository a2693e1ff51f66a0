/* SPDX-License-Identifier: BSD-2-Clause */
#include "fuzz.h"
#include "wire/ipv6.h"

#define ADDRS "\xfe\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\xfe\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\x02"

FUZZ_SEEDS(SEED("\x60\0\0\0\0\x08\x11\x40" ADDRS "\0\x05\0\x35\0\x08\0\0"),
	   SEED("\x60\0\0\0\0\x20\0\x40" ADDRS "\x3c\0\0\0\0\0\0\0"
		"\x2b\0\0\0\0\0\0\0"
		"\x2c\0\0\0\0\0\0\0"
		"\x11\0\0\x01\0\0\0\0"),
	   SEED("\x60\0\0\0\0\x10\x33\x40" ADDRS "\x06\x02\0\0\0\0\0\0\0\0\0\0\0\0\0\0"));

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct ipv6_view v;
	u8 again[40], next;
	u16 frag;
	int n = ipv6_parse(data, size, &v);

	if (n < 0)
		return 0;
	FUZZ_CHECK(n == 40 && (size_t)v.payload_len + 40 <= size);
	ipv6_build(again, &v);
	FUZZ_CHECK(memcmp(again, data, 40) == 0);
	next = v.nexthdr;
	n = ipv6_skip_exthdr(data + 40, v.payload_len, &next, &frag);
	FUZZ_CHECK(n < 0 || n <= v.payload_len);
	return 0;
}
