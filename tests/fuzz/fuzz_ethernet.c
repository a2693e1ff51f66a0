/* SPDX-License-Identifier: BSD-2-Clause */
#include "fuzz.h"
#include "wire/ethernet.h"

FUZZ_SEEDS(SEED("\x02\0\0\0\0\x01\x02\0\0\0\0\x02\x08\x00"
		"payload"));

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct eth_view v;
	u8 again[14];

	if (eth_parse(data, size, &v) < 0) {
		FUZZ_CHECK(size < 14);
		return 0;
	}
	eth_build(again, v.dst, v.src, v.type);
	FUZZ_CHECK(memcmp(again, data, 14) == 0);
	return 0;
}
