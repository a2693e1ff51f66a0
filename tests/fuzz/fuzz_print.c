/* SPDX-License-Identifier: BSD-2-Clause */
#include <linux/if_arp.h>

#include "fuzz.h"
#include "wire/print.h"

#define MACS            "\x02\0\0\0\0\x01\x02\0\0\0\0\x02"
#define IP4(len, proto) "\x45\0\0" len "\0\0\x40\0\x40" proto "\0\0\x0a\0\0\x01\x0a\0\0\x02"

FUZZ_SEEDS(SEED(MACS
		"\x08\0" IP4("\x28",
			     "\x06") "\xa8\xca\0\x50\0\0\0\x7b\0\0\0\0\x50\x10\xfa\xf0\0\0\0\0"),
	   SEED(MACS "\x08\0" IP4("\x1c", "\x11") "\0\x05\0\x35\0\x08\0\0"),
	   SEED(MACS "\x08\0" IP4("\x38", "\x01") "\x03\x03\0\0\0\0\0\0" IP4(
		   "\x1c", "\x11") "\0\x05\0\x35\0\x08\0\0"),
	   SEED(MACS "\x81\0\0\x05\x08\x06"
		     "\0\x01\x08\0\x06\x04\0\x01" MACS "\x0a\0\0\x01"
		     "\x0a\0\0\x02"),
	   SEED(MACS "\x86\xdd"
		     "\x60\0\0\0\0\x08\x11\x40\xfe\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\xfe\x80\0\0\0"
		     "\0\0\0\0\0\0\0"
		     "\0\0\0\x02\0\x05\0\x35\0\x08\0\0"));

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static const u16 links[] = { ARPHRD_ETHER, ARPHRD_NONE };
	static const size_t sizes[] = { 1, 17, 400 };
	char buf[400];

	for (size_t i = 0; i < ARRAY_SIZE(links); i++) {
		for (size_t j = 0; j < ARRAY_SIZE(sizes); j++) {
			char *exact = malloc(sizes[j]);
			int n = wire_print_frame(exact, sizes[j], links[i], data, size);

			FUZZ_CHECK(n >= 0 && (size_t)n < sizes[j] && strlen(exact) == (size_t)n);
			for (int k = 0; k < n; k++)
				FUZZ_CHECK(exact[k] >= ' ' && exact[k] <= '~');
			free(exact);
		}
	}
	if (size)
		wire_print_packet(buf, sizeof(buf), data[0] & 1 ? 0x0800 : 0x86dd, data + 1,
				  size - 1);
	return 0;
}
