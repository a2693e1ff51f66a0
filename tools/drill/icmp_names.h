/* SPDX-License-Identifier: BSD-2-Clause */
/* icmp_names.h - what scripts call the types and codes of ICMP and ICMPv6 */
#ifndef WEIR_DRILL_ICMP_NAMES_H
#define WEIR_DRILL_ICMP_NAMES_H

/* @family AF_INET, AF_INET6; 0: the name is known for one of them. -1: it is not. */
int drill_icmp_type(const char *name, int family);
int drill_icmp_code(const char *type, const char *name, int family);
/* The same name, static; NULL: unknown. */
const char *drill_icmp_type_word(const char *name);
const char *drill_icmp_code_word(const char *type, const char *name);
/* The name of a number, or NULL. @type is the number of a type. */
const char *drill_icmp_type_name(int type, int family);
const char *drill_icmp_code_name(int type, int code, int family);

#endif
