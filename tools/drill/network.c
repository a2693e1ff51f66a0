/* SPDX-License-Identifier: BSD-2-Clause */
/* network.c - addresses and sizes of a script's network, from its options and what each variant has without them */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>

#include "drill/drill.h"
#include "drill/world.h"

static const struct {
	const char *local, *remote, *gateway;
	uint8_t prefixlen;
	uint16_t mtu; /* such that TCP's segments are as long in all variants */
} defaults[DRILL_NR_VARIANTS] = {
	[DRILL_IPV4] = { "192.168.0.1", "192.0.2.1", "192.168.0.2", 16, 1500 },
	[DRILL_MAPPED] = { "192.168.0.1", "192.0.2.1", "192.168.0.2", 16, 1500 },
	[DRILL_IPV6] = { "fd3d:0a0b:17d6::1", "fd3d:fa7b:d17d::1", "fd3d:0a0b:17d6:8888::1", 64,
			 1520 },
};

/* @text NULL: @otherwise. An address of the other IP version is meant for other variants of the script: it does not count here. */
static int parse_addr(int family, const char *text, const char *otherwise, struct drill_addr *ret)
{
	struct in6_addr other;

	if (!text || inet_pton(family == AF_INET ? AF_INET6 : AF_INET, text, &other) == 1)
		text = otherwise;
	ret->family = family;
	return inet_pton(family, text, &ret->v6) == 1 ? 0 : -EINVAL;
}

static int parse_netmask(const char *text, uint8_t *ret_prefixlen)
{
	struct in_addr mask;
	uint32_t bits;

	if (inet_pton(AF_INET, text, &mask) != 1)
		return -EINVAL;
	bits = ~ntohl(mask.s_addr);
	if (bits & (bits + 1))
		return -EINVAL;
	*ret_prefixlen = (uint8_t)(bits ? __builtin_clz(bits) : 32);
	return 0;
}

int drill_network(const struct drill_options *o, struct drill_net_config *ret, char *error,
		  size_t size)
{
	const enum drill_variant v = o->variant;
	const struct {
		const char *name, *text, *otherwise;
		struct drill_addr *addr;
	} addrs[] = {
		{ "local_ip", o->local_ip, defaults[v].local, &ret->local },
		{ "remote_ip", o->remote_ip, defaults[v].remote, &ret->remote },
		{ "gateway_ip", o->gateway_ip, defaults[v].gateway, &ret->gateway },
	};

	ret->family = v == DRILL_IPV6 ? AF_INET6 : AF_INET;
	ret->prefixlen = defaults[v].prefixlen;
	ret->mtu = o->mtu ? o->mtu : defaults[v].mtu;
	ret->seed = o->seed;
	ret->pcapng = o->pcapng;
	for (size_t i = 0; i < sizeof(addrs) / sizeof(addrs[0]); i++)
		if (parse_addr(ret->family, addrs[i].text, addrs[i].otherwise, addrs[i].addr)) {
			snprintf(error, size, "--%s=%s is no %s address", addrs[i].name,
				 addrs[i].text, ret->family == AF_INET ? "IPv4" : "IPv6");
			return -EINVAL;
		}
	if (o->netmask_ip && ret->family == AF_INET &&
	    parse_netmask(o->netmask_ip, &ret->prefixlen)) {
		snprintf(error, size, "--netmask_ip=%s is no netmask", o->netmask_ip);
		return -EINVAL;
	}
	return 0;
}
