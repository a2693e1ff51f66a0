/* SPDX-License-Identifier: BSD-2-Clause */
#include "fuzz.h"
#include "wire/arp.h"

FUZZ_SEEDS(
	SEED("\0\x01\x08\0\x06\x04\0\x01\x02\0\0\0\0\x01\xc0\0\x02\x01\0\0\0\0\0\0\xc0\0\x02\x02"));

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static const u8 hlens[] = { 6, 0, 4, 8, 20, 255 };
	struct arp_view v;
	u8 again[ARP_LEN(255)];

	for (size_t i = 0; i < ARRAY_SIZE(hlens); i++) {
		int n = arp_parse(data, size, hlens[i], &v);

		if (n < 0)
			continue;
		FUZZ_CHECK((size_t)n <= size && (size_t)n == ARP_LEN((size_t)hlens[i]));
		arp_build(again, &v);
		FUZZ_CHECK(memcmp(again, data, (size_t)n) == 0);
	}
	return 0;
}
