/* SPDX-License-Identifier: BSD-2-Clause */
#include "fuzz.h"
#include "wire/ipv4.h"

FUZZ_SEEDS(SEED("\x45\0\0\x1c\0\0\x40\0\x40\x11\0\0\xc0\xa8\0\x01\xc0\xa8\0\xc7"
		"\0\x05\0\x35\0\x08\0\0"),
	   SEED("\x47\0\0\x1c\0\0\0\0\x40\x11\0\0\xc0\xa8\0\x01\xc0\xa8\0\xc7"
		"\x07\x07\x04\0\0\0\0\0"),
	   SEED("\x48\0\0\x20\0\0\0\0\x40\x11\0\0\xc0\xa8\0\x01\xc0\xa8\0\xc7"
		"\x44\x0c\x05\x01\0\0\0\0\0\0\0\0"),
	   SEED("\x48\0\0\x20\0\0\0\0\x40\x11\0\0\xc0\xa8\0\x01\xc0\xa8\0\xc7"
		"\x89\x07\x04\x0a\0\0\x01\x94\x04\0\0\0"));

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct ipv4_opts_view o = { 0 };
	struct ipv4_view v;
	int n = ipv4_parse(data, size, &v), bad;
	u8 again[60];

	if (n < 0)
		return 0;
	FUZZ_CHECK(n >= 20 && n <= 60 && (size_t)n <= size && v.tot_len >= n && v.tot_len <= size);
	bad = ipv4_opts_parse(data, (u32)n, &o);
	FUZZ_CHECK(bad == 0 || (bad >= 20 && bad < n));
	if (!bad)
		FUZZ_CHECK(o.rr < n && o.ts < n && o.srr < n && o.router_alert < n);
	memcpy(again, data, (size_t)n);
	ipv4_build(again, &v);
	FUZZ_CHECK(ipv4_csum_ok(again, (u32)n));
	FUZZ_CHECK(memcmp(again, data, 10) == 0 &&
		   memcmp(again + 12, data + 12, (size_t)n - 12) == 0);
	if (again[8]) {
		struct ip_hdr h[3];

		memcpy(h, again, sizeof(again));
		ip_decrease_ttl(h);
		FUZZ_CHECK(ipv4_csum_ok((const u8 *)h, (u32)n));
	}
	return 0;
}
