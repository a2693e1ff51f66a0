/* SPDX-License-Identifier: BSD-2-Clause */
/* icmp_names.c - what scripts call the types and codes of ICMP (RFC 792, 1122, 1812) and ICMPv6 (RFC 4443) */
#include "drill/icmp_names.h"

#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

enum { NONE = -1 };

/* One name for both versions wherever both have the thing, so that a script can run as either. */
static const struct {
	const char *name;
	int v4, v6;
} types[] = {
	{ "unreachable", 3, 1 },           { "packet_too_big", NONE, 2 },
	{ "time_exceeded", 11, 3 },        { "parameter_problem", 12, 4 },
	{ "echo_request", 8, 128 },        { "echo_reply", 0, 129 },
	{ "source_quench", 4, NONE },      { "redirect", 5, 137 },
	{ "timestamp_request", 13, NONE }, { "timestamp_reply", 14, NONE },
};

static const struct {
	const char *type, *name;
	int v4, v6;
} codes[] = {
	{ "unreachable", "net_unreachable", 0, NONE },
	{ "unreachable", "no_route", NONE, 0 },
	{ "unreachable", "host_unreachable", 1, NONE },
	{ "unreachable", "protocol_unreachable", 2, NONE },
	{ "unreachable", "port_unreachable", 3, 4 },
	{ "unreachable", "frag_needed", 4, NONE },
	{ "unreachable", "source_route_failed", 5, NONE },
	{ "unreachable", "net_unknown", 6, NONE },
	{ "unreachable", "host_unknown", 7, NONE },
	{ "unreachable", "source_host_isolated", 8, NONE },
	{ "unreachable", "net_prohibited", 9, NONE },
	{ "unreachable", "host_prohibited", 10, NONE },
	{ "unreachable", "net_unreachable_for_tos", 11, NONE },
	{ "unreachable", "host_unreachable_for_tos", 12, NONE },
	{ "unreachable", "admin_prohibited", 13, 1 },
	{ "unreachable", "precedence_violation", 14, NONE },
	{ "unreachable", "precedence_cutoff", 15, NONE },
	{ "unreachable", "beyond_scope", NONE, 2 },
	{ "unreachable", "address_unreachable", NONE, 3 },
	{ "unreachable", "source_policy_failed", NONE, 5 },
	{ "unreachable", "reject_route", NONE, 6 },
	{ "time_exceeded", "exceeded_in_transit", 0, 0 },
	{ "time_exceeded", "exceeded_in_reassembly", 1, 1 },
	{ "parameter_problem", "pointer_indicates_error", 0, NONE },
	{ "parameter_problem", "option_missing", 1, NONE },
	{ "parameter_problem", "bad_length", 2, NONE },
	{ "parameter_problem", "erroneous_header", NONE, 0 },
	{ "parameter_problem", "unknown_next_header", NONE, 1 },
	{ "parameter_problem", "unknown_option", NONE, 2 },
	{ "redirect", "redirect_net", 0, NONE },
	{ "redirect", "redirect_host", 1, NONE },
};

#define NR(a) (sizeof(a) / sizeof((a)[0]))

/* Of a row: the number in @family, or in either. */
static int pick(int v4, int v6, int family)
{
	return family == AF_INET ? v4 : family == AF_INET6 ? v6 : v4 != NONE ? v4 : v6;
}

static size_t find_type(const char *name)
{
	size_t i = 0;

	while (i < NR(types) && strcmp(types[i].name, name) != 0)
		i++;
	return i;
}

static size_t find_code(const char *type, const char *name)
{
	size_t i = 0;

	while (i < NR(codes) &&
	       (strcmp(codes[i].type, type) != 0 || strcmp(codes[i].name, name) != 0))
		i++;
	return i;
}

int drill_icmp_type(const char *name, int family)
{
	size_t i = find_type(name);

	return i < NR(types) ? pick(types[i].v4, types[i].v6, family) : NONE;
}

int drill_icmp_code(const char *type, const char *name, int family)
{
	size_t i = find_code(type, name);

	return i < NR(codes) ? pick(codes[i].v4, codes[i].v6, family) : NONE;
}

const char *drill_icmp_type_word(const char *name)
{
	size_t i = find_type(name);

	return i < NR(types) ? types[i].name : NULL;
}

const char *drill_icmp_code_word(const char *type, const char *name)
{
	size_t i = find_code(type, name);

	return i < NR(codes) ? codes[i].name : NULL;
}

const char *drill_icmp_type_name(int type, int family)
{
	for (size_t i = 0; i < NR(types); i++)
		if (pick(types[i].v4, types[i].v6, family) == type)
			return types[i].name;
	return NULL;
}

const char *drill_icmp_code_name(int type, int code, int family)
{
	const char *name = drill_icmp_type_name(type, family);

	for (size_t i = 0; name && i < NR(codes); i++)
		if (strcmp(codes[i].type, name) == 0 &&
		    pick(codes[i].v4, codes[i].v6, family) == code)
			return codes[i].name;
	return NULL;
}
