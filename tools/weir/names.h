/* SPDX-License-Identifier: BSD-2-Clause */
/* names.h - the names that weir explain knows: doc/names.txt, with places, made by tools/names/gen-names when weir is built */
#ifndef TOOLS_WEIR_NAMES_H
#define TOOLS_WEIR_NAMES_H

#include <stddef.h>

enum name_state {
	NAME_HERE,
	NAME_HISTORY, /* Linux and weir do without it; place: what stands in its place, or "" */
	NAME_NOT_YET, /* place: where it would be, or "" */
};

struct weir_name {
	const char *name, *kind, *mechanism, *sentence;
	const char *symbol; /* what is defined at @place; "": a whole file, or nothing */
	const char *place;  /* FILE:LINE or FILE, from the root of the source tree */
	const char *test;   /* the same, or "" */
	enum name_state state;
};

/* By mechanism, in the order of a packet's way. */
extern const struct weir_name weir_names[];
extern const size_t nr_weir_names;

#endif
