/* SPDX-License-Identifier: BSD-2-Clause */
/* A -p of any text is read, or refused with a sentence; nothing is opened. */
#include "fuzz.h"
#include "uplink/uplink_internal.h"

#include <string.h>

FUZZ_SEEDS(SEED("80:80"), SEED("[::1]:8000-8009:80-89/udp"), SEED("127.0.0.1:80:80/tcp"),
	   SEED("4294967376:80"), SEED("1-4097:1-4097"));

/* What ports.c and host.c name and the parser does not reach. */
void uplink_say(const char *fmt, ...)
{
	(void)fmt;
}

int host_watch(struct uplink *u, int fd, struct source *src, uint32_t events,
	       void (*fn)(struct source *src, uint32_t events))
{
	return -1;
}

void uplink_arm_tick(struct uplink *u)
{
}

void tcp_connect_guest(struct uplink *u, int fd, const struct endpoint *from, uint16_t family,
		       uint16_t port)
{
}

void udp_to_guest(struct uplink *u, int fd, const struct endpoint *from, uint16_t family,
		  uint16_t port, const void *data, size_t len)
{
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct uplink_ports *ports = uplink_ports_new();
	const char *why = NULL;
	char text[512];
	int err;

	FUZZ_CHECK(ports);
	size = min_t(size_t, size, sizeof(text) - 1);
	memcpy(text, data, size);
	text[size] = '\0';
	err = uplink_ports_add(ports, text, &why);
	FUZZ_CHECK(err == 0 || why);
	uplink_ports_free(ports);
	return 0;
}
