/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "fuzz.h"
#include "wire/ndisc.h"

FUZZ_SEEDS(SEED("\1\1\2\0\0\0\0\x09\5\1\0\0\0\0\5\0\x0e\1\1\2\3\4\5\6"),
	   SEED("\3\4\x40\xc0\0\0\x0e\x10\0\0\0\x3c\0\0\0\0\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\0"),
	   SEED("\x19\3\0\0\0\0\0\x1e\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x53"),
	   SEED("\x1f\3\0\0\0\0\0\x1e\3lab\7example\0\0\0"),
	   SEED("\x18\2\x21\x18\0\0\0\x09\x20\1\x0d\xb8\xff\xff\0\0"));

static void check_one(const struct ndisc_opt *o)
{
	struct ndisc_prefix_info pi;
	struct ndisc_route_info ri;
	struct ndisc_rdnss rd;
	struct ndisc_dnssl ds;
	char name[NDISC_NAME_MAX];

	if (!ndisc_parse_prefix_info(o->data, o->len, &pi))
		FUZZ_CHECK(pi.plen <= 128);
	if (!ndisc_parse_route_info(o, &ri))
		FUZZ_CHECK(ri.plen <= 128);
	if (!ndisc_parse_rdnss(o, &rd))
		FUZZ_CHECK(rd.addrs + 16 * rd.count == o->data + o->len);
	if (!ndisc_parse_dnssl(o, &ds))
		while (ndisc_dnssl_next(&ds, name))
			FUZZ_CHECK(ds.names <= ds.end && strlen(name) < NDISC_NAME_MAX && *name);
	ndisc_opt_mtu(o);
	ndisc_opt_nonce(o);
	ndisc_opt_lladdr(o, 6);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	const u8 *p = data;
	struct ndisc_opts all;
	struct ndisc_opt o;
	u32 octets = 0;

	while (ndisc_opt_next(&p, data + size, &o)) {
		FUZZ_CHECK(o.len >= 8 && o.len % 8 == 0);
		octets += o.len;
		check_one(&o);
	}
	FUZZ_CHECK((ndisc_parse_options(data, size, &all) == 0) == (octets == size));
	return 0;
}
