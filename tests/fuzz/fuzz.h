/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz.h - what all fuzz targets share
 *
 * A target is one file with LLVMFuzzerTestOneInput(). It is linked with libFuzzer (-Dfuzz=true, clang), or with standalone.c, which
 * mutates the target's seeds with a fixed pseudo-random stream: an ordinary test that any compiler can build.
 */
#ifndef WEIR_TESTS_FUZZ_H
#define WEIR_TESTS_FUZZ_H

#include <stdio.h>
#include <stdlib.h>

#include "lib/types.h"

struct fuzz_seed {
	const void *data;
	size_t len;
};

/* Well-formed inputs to start from. Each target defines them. */
extern const struct fuzz_seed fuzz_seeds[];
extern const size_t fuzz_nr_seeds;

#define FUZZ_SEEDS(...)                                                                            \
	const struct fuzz_seed fuzz_seeds[] = { __VA_ARGS__ };                                     \
	const size_t fuzz_nr_seeds = ARRAY_SIZE(fuzz_seeds)
/* A seed from a string literal, without its NUL. */
#define SEED(s)                                                                                    \
	{                                                                                          \
		s, sizeof(s) - 1                                                                   \
	}

/* Unlike assert() this stays in release builds. */
#define FUZZ_CHECK(cond)                                                                           \
	do {                                                                                       \
		if (!(cond)) {                                                                     \
			fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #cond);       \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

#endif
