/* SPDX-License-Identifier: BSD-2-Clause */
/* out.h - text into a buffer of fixed size, counting what does not fit */
#ifndef WEIR_DRILL_OUT_H
#define WEIR_DRILL_OUT_H

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

struct drill_out {
	char *buf;
	size_t size;
	size_t len; /* as if there were room for all */
};

__attribute__((format(printf, 2, 3))) static inline void drill_put(struct drill_out *o,
								   const char *format, ...)
{
	size_t at = o->len < o->size ? o->len : o->size;
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(o->buf + at, o->size - at, format, args);
	va_end(args);
	o->len += n > 0 ? n : 0;
}

#endif
