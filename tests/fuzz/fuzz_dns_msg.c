/* SPDX-License-Identifier: BSD-2-Clause */
/* A DNS message of any content is read inside its octets. */
#include "fuzz.h"
#include "uplink/dns_msg.h"

#include <string.h>
#include <sys/socket.h>

FUZZ_SEEDS(SEED("\x12\x34\x01\0\0\1\0\0\0\0\0\0\3www\1a\4test\0\0\1\0\1"),
	   SEED("\x12\x34\x81\x80\0\1\0\2\0\0\0\0\3www\1a\4test\0\0\1\0\1"
		"\xc0\x10\0\1\0\1\0\0\0\x3c\0\4\5\6\7\x08"
		"\xc0\x10\0\x1c\0\1\0\0\0\x3c\0\x10\xfd\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x15"));

static void see(int family, const uint8_t *addr, void *arg)
{
	size_t n = family == AF_INET ? 4 : 16;

	/* Reading it is the check. */
	*(u8 *)arg ^= addr[0] ^ addr[n - 1];
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct dns_question q;
	u8 sum = 0, copy[512];

	if (dns_read_question(data, size, &q)) {
		FUZZ_CHECK(q.end <= size && strlen(q.name) < sizeof(q.name));
		if (size <= sizeof(copy)) {
			memcpy(copy, data, size);
			FUZZ_CHECK(dns_make_error(copy, q.end, DNS_SERVFAIL) == q.end);
		}
	}
	dns_each_address(data, size, see, &sum);
	return 0;
}
