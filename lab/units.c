/* SPDX-License-Identifier: BSD-2-Clause */
/* units.c - the numbers people write in lab files: see lab.h */
#include "lab/lab.h"

#include <arpa/inet.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct unit {
	const char *name;
	double factor;
};

/* A non-negative decimal number followed by one of @units. */
static bool parse_with_unit(const char *s, const struct unit *units, double *ret)
{
	char *end;
	double v;

	if (*s < '0' || *s > '9')
		return false;
	errno = 0;
	v = strtod(s, &end);
	if (errno || end == s || !isfinite(v))
		return false;
	while (*end == ' ')
		end++;
	for (; units->name; units++)
		if (strcasecmp(end, units->name) == 0) {
			*ret = v * units->factor;
			return true;
		}
	return false;
}

bool parse_duration(const char *s, uint64_t *ret_ns)
{
	static const struct unit units[] = { { "ns", 1 },  { "us", 1e3 }, { "ms", 1e6 },
					     { "s", 1e9 }, { "m", 60e9 }, { "min", 60e9 },
					     { NULL, 0 } };
	double ns;

	if (strcmp(s, "0") == 0) {
		*ret_ns = 0;
		return true;
	}
	if (!parse_with_unit(s, units, &ns) || ns > 9e18)
		return false;
	*ret_ns = (uint64_t)(ns + 0.5);
	return true;
}

bool parse_rate(const char *s, uint64_t *ret_bps)
{
	static const struct unit units[] = { { "", 1 },       { "bit", 1 },    { "kbit", 1e3 },
					     { "mbit", 1e6 }, { "gbit", 1e9 }, { "tbit", 1e12 },
					     { "bps", 8 },    { "kbps", 8e3 }, { "mbps", 8e6 },
					     { "gbps", 8e9 }, { NULL, 0 } };
	double bps;

	if (!parse_with_unit(s, units, &bps) || bps > 1e18)
		return false;
	*ret_bps = (uint64_t)(bps + 0.5);
	return true;
}

bool parse_probability(const char *s, uint32_t *ret)
{
	static const struct unit units[] = { { "%", 0.01 }, { "", 1 }, { NULL, 0 } };
	double p;

	if (!parse_with_unit(s, units, &p) || p > 1)
		return false;
	*ret = (uint32_t)(p * 4294967295.0 + 0.5);
	return true;
}

bool parse_ip(const char *s, struct lab_ip *ret)
{
	*ret = (struct lab_ip){ .family = strchr(s, ':') ? AF_INET6 : AF_INET };
	return inet_pton(ret->family, s, ret->octets) == 1;
}

bool parse_prefix(const char *s, struct lab_ip *ret_addr, uint8_t *ret_prefixlen)
{
	char buf[INET6_ADDRSTRLEN];
	const char *slash = strchr(s, '/');
	char *end;
	long len;

	if (!slash || (size_t)(slash - s) >= sizeof(buf) || slash[1] < '0' || slash[1] > '9')
		return false;
	memcpy(buf, s, (size_t)(slash - s));
	buf[slash - s] = '\0';
	len = strtol(slash + 1, &end, 10);
	if (*end || len < 0 || !parse_ip(buf, ret_addr) || len > (long)lab_ip_len(ret_addr) * 8)
		return false;
	*ret_prefixlen = (uint8_t)len;
	return true;
}

bool ip_has_host_bits(const struct lab_ip *ip, uint8_t prefixlen)
{
	for (size_t bit = prefixlen; bit < lab_ip_len(ip) * 8; bit++)
		if (ip->octets[bit / 8] & (0x80 >> bit % 8))
			return true;
	return false;
}
