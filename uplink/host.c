/* SPDX-License-Identifier: BSD-2-Clause */
/* host.c - sockets of the host: which address a destination stands for, whether it may be reached, what went wrong */
#include "uplink_internal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/errqueue.h>
#include <string.h>
#include <unistd.h>

/* ---- endpoints ------------------------------------------------------------------------------------------------- */

void endpoint_from(struct endpoint *ep, const struct sockaddr_storage *ss)
{
	const struct sockaddr_in *sin = (const struct sockaddr_in *)ss;
	const struct sockaddr_in6 *sin6 = (const struct sockaddr_in6 *)ss;

	memset(ep, 0, sizeof(*ep));
	ep->family = ss->ss_family;
	if (ss->ss_family == AF_INET) {
		memcpy(ep->addr, &sin->sin_addr, 4);
		ep->port = ntohs(sin->sin_port);
	} else {
		memcpy(ep->addr, &sin6->sin6_addr, 16);
		ep->port = ntohs(sin6->sin6_port);
	}
}

socklen_t endpoint_to(const struct endpoint *ep, struct sockaddr_storage *ss)
{
	struct sockaddr_in *sin = (struct sockaddr_in *)ss;
	struct sockaddr_in6 *sin6 = (struct sockaddr_in6 *)ss;

	memset(ss, 0, sizeof(*ss));
	ss->ss_family = ep->family;
	if (ep->family == AF_INET) {
		memcpy(&sin->sin_addr, ep->addr, 4);
		sin->sin_port = htons(ep->port);
		return sizeof(*sin);
	}
	memcpy(&sin6->sin6_addr, ep->addr, 16);
	sin6->sin6_port = htons(ep->port);
	return sizeof(*sin6);
}

bool endpoint_same_addr(const struct endpoint *a, const struct endpoint *b)
{
	return a->family == b->family && !memcmp(a->addr, b->addr, endpoint_addr_len(a));
}

bool endpoint_equal(const struct endpoint *a, const struct endpoint *b)
{
	return a->port == b->port && endpoint_same_addr(a, b);
}

/* The guest chooses both: a bucket that it fills on purpose is its own to walk, and flows are bounded. */
uint32_t endpoint_hash(const struct endpoint *a, const struct endpoint *b, uint32_t key)
{
	uint64_t h = key * 0x9e3779b97f4a7c15ull + a->port * 65599ull + b->port;

	for (int i = 0; i < 16; i++)
		h = (h ^ a->addr[i] ^ ((uint64_t)b->addr[i] << 8)) * 0x100000001b3ull;
	return (uint32_t)(h >> 24);
}

const char *endpoint_addr_text(const struct endpoint *ep, char buf[ENDPOINT_TEXT])
{
	if (!inet_ntop(ep->family, ep->addr, buf, ENDPOINT_TEXT))
		buf[0] = '\0';
	return buf;
}

/* ---- destinations ------------------------------------------------------------------------------------------------ */

static bool is_gateway(const struct uplink *u, const struct endpoint *dst)
{
	return endpoint_same_addr(dst, &u->gateway[v6_of(dst)]);
}

bool endpoint_is_own(const struct uplink *u, const struct endpoint *ep)
{
	return is_gateway(u, ep) || endpoint_same_addr(ep, &u->server[v6_of(ep)]);
}

/* 10.0.2.0/24, fd00::/64: the guest's own link, its broadcast address included, whatever the host's nets are numbered. */
bool endpoint_on_link(const struct uplink *u, const struct endpoint *ep)
{
	return !memcmp(ep->addr, u->gateway[v6_of(ep)].addr, v6_of(ep) ? 8 : 3);
}

void host_address(const struct uplink *u, const struct endpoint *dst, struct endpoint *ret)
{
	*ret = *dst;
	if (!is_gateway(u, dst))
		return;
	memset(ret->addr, 0, sizeof(ret->addr));
	if (v6_of(dst))
		ret->addr[15] = 1;
	else
		memcpy(ret->addr, "\x7f\0\0\1", 4);
}

enum verdict host_verdict(const struct uplink *u, int proto, const struct endpoint *dst)
{
	if (endpoint_on_link(u, dst) && !(u->cfg.host_loopback && is_gateway(u, dst)))
		return VERDICT_CLOSED;
	if (address_closed(dst))
		return VERDICT_CLOSED;
	return policy_allows(u->cfg.policy, u->names, proto, dst) ? VERDICT_ALLOW : VERDICT_DENY;
}

const char *verdict_name(enum verdict v)
{
	static const char *const names[] = {
		[VERDICT_ALLOW] = "allow",
		[VERDICT_DENY] = "deny",
		[VERDICT_CLOSED] = "closed",
	};

	return names[v];
}

/* ---- sockets ------------------------------------------------------------------------------------------------------- */

int host_socket(struct uplink *u, int family, int type, int protocol)
{
	int fd = socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol), err = errno;

	if (fd >= 0)
		return fd;
	if ((err == EMFILE || err == ENFILE) && !u->said_no_descriptors) {
		u->said_no_descriptors = true;
		uplink_say("the host has no descriptor left for a connection: new ones wait until "
			   "others end (said once)");
	}
	return -err;
}

static bool is_error_cmsg(const struct cmsghdr *cm)
{
	return (cm->cmsg_level == SOL_IP && cm->cmsg_type == IP_RECVERR) ||
	       (cm->cmsg_level == SOL_IPV6 && cm->cmsg_type == IPV6_RECVERR);
}

bool host_next_error(int fd, struct host_error *ret)
{
	union {
		char buf[512];
		struct cmsghdr align;
	} control;
	struct iovec iov = { ret->data, sizeof(ret->data) };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = control.buf,
			      .msg_controllen = sizeof(control.buf) };

	memset(ret, 0, sizeof(*ret));
	if (recvmsg(fd, &msg, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
		return false;
	for (struct cmsghdr *cm = CMSG_FIRSTHDR(&msg); cm; cm = CMSG_NXTHDR(&msg, cm)) {
		const struct sock_extended_err *ee = (const void *)CMSG_DATA(cm);
		const struct sockaddr *from = SO_EE_OFFENDER(ee);
		struct sockaddr_storage ss = { 0 };

		if (!is_error_cmsg(cm))
			continue;
		ret->err = (int)ee->ee_errno;
		ret->info = ee->ee_info;
		if (ee->ee_origin != SO_EE_ORIGIN_ICMP && ee->ee_origin != SO_EE_ORIGIN_ICMP6)
			continue;
		ret->icmp = from->sa_family == AF_INET || from->sa_family == AF_INET6;
		ret->type = ee->ee_type;
		ret->code = ee->ee_code;
		if (ret->icmp) {
			memcpy(&ss, from,
			       from->sa_family == AF_INET ? sizeof(struct sockaddr_in)
							  : sizeof(struct sockaddr_in6));
			endpoint_from(&ret->from, &ss);
		}
	}
	return true;
}
