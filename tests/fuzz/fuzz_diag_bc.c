/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The filter programs of sock_diag (ss 'dport = 80'). Input: a sock (12 octets), the program. What the audit accepts must end, must stay
 * inside the program, and says the same every time.
 */
#include "fuzz.h"

#include <string.h>
#include <sys/socket.h>

#include "inet/inet_diag.h"

/* As ss writes them: two ports, a prefix of an address with a port, a device and a mark, autobound. */
FUZZ_SEEDS(SEED("\x02\x50\0\xa0\x0f\x0a\0\0\x02\x02\x15\0"
		"\x02\x08\x0c\0\0\0\x51\0"
		"\x01\x04\x0c\0"
		"\x05\x08\x0c\0\0\0\xa0\x0f"),
	   SEED("\x02\x50\0\xa0\x0f\x0a\0\0\x02\x02\x15\0"
		"\x08\x10\x14\0\x02\x18\0\0\xa0\x0f\0\0\x0a\0\0\0"),
	   SEED("\x0a\x50\0\xa0\x0f\x0a\0\0\x02\x02\x15\0"
		"\x07\x1c\x20\0\x0a\x40\0\0\xff\xff\xff\xff\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0"
		"\x01"),
	   SEED("\x02\x50\0\xa0\x0f\x0a\0\0\x02\x02\x15\0"
		"\x09\x08\x18\0\x02\0\0\0"
		"\x0a\x0c\x10\0\x15\0\0\0\xff\0\0\0"),
	   SEED("\x02\x50\0\xa0\x0f\x0a\0\0\x02\x02\x15\0"
		"\x06\x04\x08\0"));

#define ENTRY_LEN 12

static u16 get16(const u8 *p)
{
	return (u16)(p[0] | p[1] << 8);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	be32 local[4] = { 0 }, remote[4] = { 0 };
	struct inet_diag_entry entry = { .saddr = local, .daddr = remote };
	bool first;
	u32 len;
	u8 *bc;

	if (size < ENTRY_LEN || size > 4096)
		return 0;
	entry.family = data[0] & 8 ? AF_INET6 : AF_INET;
	entry.sport = get16(data + 1);
	entry.dport = get16(data + 3);
	memcpy(&remote[entry.family == AF_INET6 ? 3 : 0], data + 5, 4);
	entry.ifindex = data[9];
	entry.mark = data[10];
	entry.userlocks = data[11];
	/* A program of its own size, so that a sanitizer sees every octet beyond it. */
	len = (u32)(size - ENTRY_LEN);
	bc = malloc(len ? len : 1);
	memcpy(bc, data + ENTRY_LEN, len);
	if (!inet_diag_bc_audit(bc, len)) {
		first = inet_diag_bc_run(bc, len, &entry);
		FUZZ_CHECK(inet_diag_bc_run(bc, len, &entry) == first);
	}
	free(bc);
	return 0;
}
