/* SPDX-License-Identifier: BSD-2-Clause */
#include "fuzz.h"
#include "lib/csum.h"
#include "wire/icmp.h"

FUZZ_SEEDS(SEED("\x08\0\0\0\0\x01\0\x02"
		"abcdefgh"),
	   SEED("\x03\x04\0\0\0\0\x05\x78"
		"\x45\0\0\x1c"),
	   SEED("\x05\x01\0\0\x0a\0\0\x01"), SEED("\x0c\0\0\0\x15\0\0\0"));

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct icmp_view v, w;
	u8 *again;

	if (icmp_parse(data, size, &v) < 0) {
		FUZZ_CHECK(size < 8);
		return 0;
	}
	FUZZ_CHECK(v.payload_len == size - 8);
	again = malloc(size);
	FUZZ_CHECK(again);
	icmp_build(again, &v);
	FUZZ_CHECK(csum_fold(csum_partial(again, size, 0)) == 0);
	FUZZ_CHECK(icmp_parse(again, size, &w) == 8);
	FUZZ_CHECK(w.type == v.type && w.code == v.code && w.id == v.id &&
		   w.sequence == v.sequence && w.info == v.info);
	free(again);
	return 0;
}
