/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * options.c - what --name=value says, on the command line and in scripts
 *
 * The names are those of the original tool. Those that tell it about its own machinery (speed of the tun device, wire server, plug-ins)
 * are taken and mean nothing here.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "drill/drill.h"

const char *const drill_variant_name[DRILL_NR_VARIANTS] = { "ipv4", "mapped", "ipv6" };

enum kind { TEXT, U16, U32, USEC, FLAG, VERSION, NOTHING };

#define AT(member) offsetof(struct drill_options, member)

static const struct {
	const char *name;
	enum kind kind;
	size_t at;
} table[] = {
	{ "bind_port", U16, AT(bind_port) },
	{ "code_command", NOTHING, 0 },
	{ "code_format", NOTHING, 0 },
	{ "code_sockopt", NOTHING, 0 },
	{ "connect_port", U16, AT(connect_port) },
	{ "debug", NOTHING, 0 },
	{ "define", NOTHING, 0 }, /* the parser's */
	{ "dry_run", NOTHING, 0 },
	{ "gateway_ip", TEXT, AT(gateway_ip) },
	{ "init_scripts", TEXT, AT(init_scripts) },
	{ "ip_version", VERSION, 0 },
	{ "local_ip", TEXT, AT(local_ip) },
	{ "local_linkaddr", NOTHING, 0 },
	{ "mss", U32, AT(mss) },
	{ "mtu", U32, AT(mtu) },
	{ "netmask_ip", TEXT, AT(netmask_ip) },
	{ "remote_ip", TEXT, AT(remote_ip) },
	{ "remote_linkaddr", NOTHING, 0 },
	{ "send_omit_free", NOTHING, 0 },
	{ "speed", NOTHING, 0 },
	{ "strict_segments", FLAG, AT(strict_segments) },
	{ "tcp_ts_ecr_scaled", FLAG, AT(ts_ecr_scaled) },
	{ "tcp_ts_tick_usecs", USEC, AT(ts_tick_ns) },
	{ "tolerance_usecs", USEC, AT(tolerance_ns) },
	{ "verbose", FLAG, AT(verbose) },
	{ "wire_client_dev", NOTHING, 0 },
	{ "wire_server_dev", NOTHING, 0 },
};

static const struct {
	const char *name;
	enum drill_variant variant;
} versions[] = {
	{ "ipv4", DRILL_IPV4 },
	{ "ipv4-mapped-ipv6", DRILL_MAPPED },
	{ "ipv4_mapped_ipv6", DRILL_MAPPED },
	{ "mapped", DRILL_MAPPED },
	{ "ipv6", DRILL_IPV6 },
};

void drill_options_default(struct drill_options *o, enum drill_variant variant)
{
	*o = (struct drill_options){ .variant = variant,
				     .bind_port = 8080,
				     .connect_port = 8080,
				     .tolerance_ns = 4000000,
				     .seed = 1 };
}

static int set_version(struct drill_options *o, const char *value)
{
	for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++)
		if (!strcmp(versions[i].name, value)) {
			o->variant = versions[i].variant;
			return 0;
		}
	return -EINVAL;
}

static int set_number(void *to, enum kind kind, const char *value)
{
	unsigned long long v;
	char *end;

	errno = 0;
	v = strtoull(value, &end, 0);
	if (errno || end == value || *end || value[0] == '-' ||
	    v > (kind == U16 ? UINT16_MAX : UINT32_MAX))
		return -EINVAL;
	if (kind == U16)
		*(uint16_t *)to = (uint16_t)v;
	else if (kind == U32)
		*(uint32_t *)to = (uint32_t)v;
	else
		*(uint64_t *)to = v * 1000;
	return 0;
}

int drill_options_set(struct drill_options *o, const char *name, const char *value)
{
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (!strcmp(table[i].name, name))
			break;
	if (i == sizeof(table) / sizeof(table[0]))
		return -ENOENT;
	if (table[i].kind == NOTHING)
		return 0;
	if (table[i].kind == FLAG) {
		*(bool *)((char *)o + table[i].at) = true;
		return 0;
	}
	if (!value)
		return -EINVAL;
	if (table[i].kind == VERSION)
		return set_version(o, value);
	if (table[i].kind != TEXT)
		return set_number((char *)o + table[i].at, table[i].kind, value);
	*(const char **)((char *)o + table[i].at) = value;
	return 0;
}
