/* SPDX-License-Identifier: BSD-2-Clause */
#include "fuzz.h"
#include "wire/udp.h"

FUZZ_SEEDS(SEED("\0\x05\0\x35\0\x0c\0\0"
		"abcd"));

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct udp_view v;
	u8 again[8];

	if (udp_parse(data, size, &v) < 0)
		return 0;
	FUZZ_CHECK(v.len >= 8 && v.len <= size);
	udp_build(again, &v);
	FUZZ_CHECK(memcmp(again, data, 6) == 0);
	return 0;
}
