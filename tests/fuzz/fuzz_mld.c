/* SPDX-License-Identifier: BSD-2-Clause */
/* fuzz_mld.c - what is read of MLD messages lies in them, and is what writing it again gives */
#include "fuzz.h"
#include "wire/mld.h"

FUZZ_SEEDS(SEED("\x82\0\0\0\x03\xe8\0\0"
		"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"),
	   SEED("\x82\0\0\0\xff\xff\0\0"
		"\xff\x15\0\0\0\0\0\0\0\0\0\0\0\0\0\x01"
		"\x0a\x7d\0\x01"
		"\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01"),
	   SEED("\x8f\0\0\0\0\0\0\x02"
		"\x04\0\0\0"
		"\xff\x15\0\0\0\0\0\0\0\0\0\0\0\0\0\x01"
		"\x05\x01\0\x01"
		"\xff\x15\0\0\0\0\0\0\0\0\0\0\0\0\0\x02"
		"\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01"
		"\0\0\0\0"));

static void check_report(const u8 *data, size_t size)
{
	struct mld_record r;
	size_t at;
	u16 n;
	int used = mld_report_parse(data, size, &n);

	if (used < 0)
		return;
	for (at = (size_t)used; n--; at += (size_t)used) {
		used = mld_record_parse(data + at, size - at, &r);
		if (used < 0)
			return;
		FUZZ_CHECK(used >= 20 && (size_t)used <= size - at);
		FUZZ_CHECK(r.sources + r.nsrcs * 16u + r.aux_words * 4u == data + at + used);
	}
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct mld_view v, w;
	u8 *again;
	int used;

	check_report(data, size);
	used = mld_parse(data, size, &v);
	if (used < 0)
		return 0;
	FUZZ_CHECK(used == (int)mld_len(&v) && (size_t)used <= size);
	FUZZ_CHECK(mld_max_resp_ms(&v) <= 0x1fffu << 10);
	FUZZ_CHECK(mld_query_interval_s(v.qqic) <= 31744);
	again = malloc((size_t)used);
	FUZZ_CHECK(again);
	mld_build(again, &v);
	FUZZ_CHECK(mld_parse(again, (size_t)used, &w) == used);
	FUZZ_CHECK(w.type == v.type && w.v2 == v.v2 && w.max_resp_code == v.max_resp_code &&
		   w.suppress == v.suppress && w.qrv == v.qrv && w.qqic == v.qqic &&
		   w.nsrcs == v.nsrcs && !memcmp(&w.group, &v.group, 16));
	FUZZ_CHECK(!v.nsrcs || !memcmp(w.sources, v.sources, v.nsrcs * 16u));
	free(again);
	return 0;
}
