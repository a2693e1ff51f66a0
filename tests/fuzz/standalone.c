/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * standalone.c - runs a fuzz target without libFuzzer
 *
 *     fuzz_x [-n ROUNDS] [-s SEED] [FILE...]     with files: just those, to look at a finding again
 *     fuzz_x -d DIRECTORY                        writes the seeds there: a corpus for libFuzzer to start with
 *
 * Each round takes a seed of the target (or noise), applies a few mutations from a repeatable stream, and hands it over in a block of
 * exactly its size, so that the address sanitizer sees every octet read beyond it. An input that fails a check or takes longer than
 * MAX_SECONDS is printed, for `xxd -r -p`.
 */
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "fuzz.h"
#include "lib/random.h"

#define MAX_INPUT   2048
#define MAX_SECONDS 30

static const u8 *current;
static size_t current_len;

static void on_failure(int sig)
{
	fprintf(stderr, "%s by this input:\n", sig == SIGALRM ? "time ran out" : "failure");
	for (size_t i = 0; i < current_len; i++)
		fprintf(stderr, "%02x", current[i]);
	fprintf(stderr, "\n");
	signal(SIGABRT, SIG_DFL);
	abort();
}

static void run(const u8 *p, size_t len)
{
	u8 *exact = malloc(len ? len : 1);

	if (!exact)
		abort();
	memcpy(exact, p, len);
	current = exact;
	current_len = len;
	alarm(MAX_SECONDS);
	LLVMFuzzerTestOneInput(exact, len);
	free(exact);
}

static size_t mutate(u64 rng[4], u8 *p, size_t len)
{
	static const u8 interesting[] = { 0,  1,  2,  3,  4,   7,   8,   15,
					  16, 20, 40, 60, 127, 128, 254, 255 };

	switch (random_below(rng, 7)) {
	case 0: /* flip a bit */
		if (len)
			p[random_below(rng, (u32)len)] ^= (u8)(1u << random_below(rng, 8));
		break;
	case 1: /* any octet */
		if (len)
			p[random_below(rng, (u32)len)] = (u8)random_next(rng);
		break;
	case 2: /* an octet that lengths and types like */
		if (len)
			p[random_below(rng, (u32)len)] =
				interesting[random_below(rng, sizeof(interesting))];
		break;
	case 3: /* cut the end */
		len = len ? random_below(rng, (u32)len + 1) : 0;
		break;
	case 4: { /* append noise */
		size_t n = min_t(size_t, random_below(rng, 64), MAX_INPUT - len);

		random_bytes(rng, p + len, n);
		len += n;
		break;
	}
	case 5: { /* repeat a piece */
		size_t n, from;

		if (!len)
			break;
		from = random_below(rng, (u32)len);
		n = min_t(size_t, 1 + random_below(rng, (u32)(len - from)), MAX_INPUT - len);
		memmove(p + len, p + from, n);
		len += n;
		break;
	}
	case 6: { /* remove a piece */
		size_t n, from;

		if (!len)
			break;
		from = random_below(rng, (u32)len);
		n = 1 + random_below(rng, (u32)(len - from));
		memmove(p + from, p + from + n, len - from - n);
		len -= n;
		break;
	}
	}
	return len;
}

static int run_file(const char *path)
{
	static u8 buf[1 << 20];
	FILE *f = fopen(path, "rb");
	size_t n;

	if (!f) {
		perror(path);
		return 1;
	}
	n = fread(buf, 1, sizeof(buf), f);
	fclose(f);
	run(buf, n);
	printf("%s: %zu octets\n", path, n);
	return 0;
}

static int dump_seeds(const char *dir)
{
	char path[4096];

	for (size_t i = 0; i < fuzz_nr_seeds; i++) {
		FILE *f;

		snprintf(path, sizeof(path), "%s/seed-%zu", dir, i);
		f = fopen(path, "wb");
		if (!f ||
		    fwrite(fuzz_seeds[i].data, 1, fuzz_seeds[i].len, f) != fuzz_seeds[i].len ||
		    fclose(f)) {
			perror(path);
			return 1;
		}
	}
	return 0;
}

int main(int argc, char **argv)
{
	unsigned long rounds = 200000;
	u64 seed = 1, rng[4];
	u8 buf[MAX_INPUT];
	int opt, ret = 0;

	signal(SIGABRT, on_failure);
	signal(SIGALRM, on_failure);
	while ((opt = getopt(argc, argv, "d:n:s:")) != -1) {
		switch (opt) {
		case 'd':
			return dump_seeds(optarg);
		case 'n':
			rounds = strtoul(optarg, NULL, 0);
			break;
		case 's':
			seed = strtoull(optarg, NULL, 0);
			break;
		default:
			fprintf(stderr, "usage: %s [-n ROUNDS] [-s SEED] [FILE...]\n", argv[0]);
			return 2;
		}
	}
	if (optind < argc) {
		for (int i = optind; i < argc; i++)
			ret |= run_file(argv[i]);
		return ret;
	}
	random_seed(rng, seed);
	for (size_t i = 0; i < fuzz_nr_seeds; i++)
		run(fuzz_seeds[i].data, fuzz_seeds[i].len);
	for (unsigned long i = 0; i < rounds; i++) {
		u32 which = random_below(rng, (u32)fuzz_nr_seeds + 1), n = 1 + random_below(rng, 8);
		size_t len;

		if (which < fuzz_nr_seeds) {
			len = min_t(size_t, fuzz_seeds[which].len, sizeof(buf));
			memcpy(buf, fuzz_seeds[which].data, len);
		} else {
			len = random_below(rng, 128);
			random_bytes(rng, buf, len);
		}
		while (n--)
			len = mutate(rng, buf, len);
		run(buf, len);
	}
	printf("%lu inputs, seed %llu\n", rounds, (unsigned long long)seed);
	return 0;
}
