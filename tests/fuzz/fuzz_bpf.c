/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The verifier and the interpreter of socket filters. Input: the number of instructions, the instructions, the packet. What the verifier
 * accepts must end and stay inside its packet, and must not see whether the packet lies in one piece.
 */
#include "fuzz.h"
#include "fake_packet.h"

#include <sys/socket.h>

#include "core/bpf_classic.h"
#include "core/cpu.h"
#include "core/skbuff.h"

/* "ip and tcp port 80" would do as well: this is ip, then a header length, then a port. */
FUZZ_SEEDS(SEED("\x04"
		"\x28\0\0\0\x0c\0\0\0"
		"\x15\0\0\x01\0\x08\0\0"
		"\x06\0\0\0\0\0\x04\0"
		"\x06\0\0\0\0\0\0\0"
		"\x02\0\0\0\0\x01\x02\0\0\0\0\x02\x08\0\x45\0\0\x1c"),
	   SEED("\x06"
		"\x30\0\0\0\0\0\0\0"
		"\x02\0\0\0\x03\0\0\0"
		"\xb1\0\0\0\x02\0\0\0"
		"\x48\0\0\0\x01\0\0\0"
		"\x61\0\0\0\x03\0\0\0"
		"\x16\0\0\0\0\0\0\0"
		"\x45\0\x47\0\0\x1c\0\0\0\0\x40\x11\0\0\xc0\xa8\0\x01\xc0\xa8\0\xc7"),
	   SEED("\x03"
		"\x20\0\0\0\x04\xf0\xff\xff"
		"\x20\0\0\0\x34\xf0\xff\xff"
		"\x16\0\0\0\0\0\0\0"
		"\x45\0\0\x1c\0\0\0\0\x40\x11\0\0\xc0\xa8\0\x01\xc0\xa8\0\xc7"));

static bool is_random(const struct sock_filter *f, u32 n)
{
	for (u32 i = 0; i < n; i++)
		if (f[i].k == (u32)(SKF_AD_OFF + SKF_AD_RANDOM))
			return true;
	return false;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct sock_filter insns[256];
	u32 n = size ? data[0] : 0, len;
	struct bpf_prog *prog;
	struct cpu *cpu;
	struct fake f;
	u32 verdict;

	if (size < 1 + n * sizeof(*insns))
		return 0;
	memcpy(insns, data + 1, n * sizeof(*insns));
	data += 1 + n * sizeof(*insns);
	len = (u32)(size - 1 - n * sizeof(*insns));
	if (len > 400 || bpf_prog_create(insns, n, &prog))
		return 0;
	cpu = calloc(1, sizeof(*cpu));
	FUZZ_CHECK(cpu);
	cpu->rng[0] = 1;
	cpu->locked = true;
	verdict = bpf_prog_run(prog, fake_packet(&f, cpu, data, len, len), 0);
	if (!is_random(insns, n))
		for (u32 linear = 0; linear < len && linear < 64; linear += 7) {
			u32 again = bpf_prog_run(prog, fake_packet(&f, cpu, data, len, linear), 0);

			FUZZ_CHECK(again == verdict);
		}
	free(cpu);
	bpf_prog_put(prog);
	return 0;
}
