/* SPDX-License-Identifier: BSD-2-Clause */
#include "fuzz.h"
#include "wire/llc.h"

FUZZ_SEEDS(SEED("\xaa\xaa\x03\0\0\0\x08\0"
		"abcd"),
	   SEED("\x42\x42\x02\x05xy"));

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct snap_view s;
	struct llc_view v;
	u8 again[8];
	int n = llc_parse(data, size, &v);

	if (n < 0)
		return 0;
	FUZZ_CHECK((size_t)n <= size && llc_build(again, &v) == n);
	FUZZ_CHECK(memcmp(again, data, (size_t)n) == 0);
	if (snap_parse(data + n, size - (size_t)n, &s) < 0)
		return 0;
	FUZZ_CHECK(snap_build(again, &s) == SNAP_LEN && memcmp(again, data + n, SNAP_LEN) == 0);
	return 0;
}
