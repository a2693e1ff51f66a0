/* SPDX-License-Identifier: BSD-2-Clause */
/* constants.h - the names that scripts use for numbers. One table, in constants.c. */
#ifndef WEIR_DRILL_CONSTANTS_H
#define WEIR_DRILL_CONSTANTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct drill_constant {
	const char *name;
	int64_t value;
};

/* Sorted by name. */
extern const struct drill_constant drill_constants[];
extern const size_t drill_nr_constants;

/* NULL: there is none of this name. Errno names are in it too. */
const struct drill_constant *drill_constant(const char *name);
/* "EAGAIN" for 11, NULL for a number without a name. */
const char *drill_errno_name(int value);

#endif
