/* SPDX-License-Identifier: BSD-2-Clause */
/* A rule of any text is read, or refused with a sentence. */
#include "fuzz.h"
#include "uplink/uplink.h"

#include <string.h>

FUZZ_SEEDS(SEED("10.0.0.0/8:80-90/tcp"), SEED("[fd00::/8]:443/udp"), SEED("*.example.com:1"),
	   SEED("all/icmp"));

/* host.c names what the parser does not reach. */
void uplink_say(const char *fmt, ...);
void uplink_say(const char *fmt, ...)
{
	(void)fmt;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct uplink_policy *policy = uplink_policy_new();
	const char *why = NULL;
	char text[512];
	int err;

	FUZZ_CHECK(policy);
	size = min_t(size_t, size, sizeof(text) - 1);
	memcpy(text, data, size);
	text[size] = '\0';
	err = uplink_policy_add(policy, true, text, &why);
	FUZZ_CHECK(err == 0 || why);
	uplink_policy_free(policy);
	return 0;
}
