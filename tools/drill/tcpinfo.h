/* SPDX-License-Identifier: BSD-2-Clause */
/* tcpinfo.h - where the members of structures that the kernel fills lie, by the names that scripts use */
#ifndef WEIR_DRILL_TCPINFO_H
#define WEIR_DRILL_TCPINFO_H

#include <stddef.h>
#include <stdint.h>

struct drill_field {
	const char *name;
	uint16_t offset;
	uint8_t size;         /* octets: 1, 2, 4, 8 */
	uint8_t shift, width; /* bit-fields: width > 0 */
};

/* struct tcp_info, as long as any kernel of today has it. */
extern const struct drill_field drill_tcp_info[];
extern const size_t drill_nr_tcp_info;
#define DRILL_TCP_INFO_SIZE 512

/* What TCP_CC_INFO gives, by the algorithm's name; the first of a list that ends with a NULL name, or NULL. */
const struct drill_field *drill_cc_info(const char *algorithm);

uint64_t drill_field_get(const struct drill_field *f, const void *object);
void drill_field_set(const struct drill_field *f, void *object, uint64_t value);

#endif
