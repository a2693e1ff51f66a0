/* SPDX-License-Identifier: BSD-2-Clause */
#include "fuzz.h"
#include "wire/nlattr.h"

#include <errno.h>

FUZZ_SEEDS(SEED("\x08\0\x01\0\x07\0\0\0"
		"\x09\0\x03\0"
		"eth0\0\0\0\0"),
	   SEED("\x14\0\x12\x80"
		"\x09\0\x01\0"
		"veth\0\0\0\0"
		"\x04\0\x02\x80"),
	   SEED("\x20\0\0\0\x12\0\x01\x03\x01\0\0\0\0\0\0\0"
		"\x11\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"));

static void walk_attributes(const u8 *data, size_t size, unsigned depth)
{
	struct nlattr_view a;
	struct nl_walk w;
	char name[16];
	u64 q;
	u32 d;

	nl_walk_init(&w, data, size);
	while (nlattr_next(&w, &a)) {
		FUZZ_CHECK(a.data >= data && a.data + a.len <= data + size &&
			   w.p + w.left == data + size);
		if (nlattr_string(&a, name, sizeof(name)))
			FUZZ_CHECK(strlen(name) < sizeof(name));
		nlattr_u32(&a, &d);
		nlattr_u64(&a, &q);
		if (depth)
			walk_attributes(a.data, a.len, depth - 1);
	}
	if (nlattr_validate(data, size, 8) == 0)
		FUZZ_CHECK(w.left == 0);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct nlmsg_view m;
	struct nl_walk w;
	int n = 0;

	walk_attributes(data, size, 4);
	nl_walk_init(&w, data, size);
	while (nlmsg_next(&w, &m)) {
		n++;
		FUZZ_CHECK(m.data >= data && m.data + m.len <= data + size);
		walk_attributes(m.data, m.len, 2);
	}
	FUZZ_CHECK(nlmsg_validate(data, size) == (w.left ? -EBADMSG : n));
	return 0;
}
