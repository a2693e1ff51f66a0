/* SPDX-License-Identifier: BSD-2-Clause */
/* ipv6_reasons.h - why IPv6, ICMPv6, ND and MLD discard packets, and the points at which they can be watched */
#ifndef WEIR_IPV6_IPV6_REASONS_H
#define WEIR_IPV6_IPV6_REASONS_H

#include "core/drop_reason.h"
#include "core/trace.h"

#define IPV6_DROP_REASONS(X)                                                                       \
	X(IP6_DISABLED, "the device takes no part in IPv6 (disable_ipv6)")                         \
	X(IP6_HDR_SHORT, "shorter than an IPv6 header (RFC 8200 3)")                               \
	X(IP6_VERSION, "the version is not 6")                                                     \
	X(IP6_TRUNCATED, "fewer octets arrived than the payload length says")

DROP_REASON_ENUM(IPV6, IPV6_DROP_REASONS);

#define IPV6_TRACE_POINTS(X) X(ipv6_rcv, "ipv6/ip6_input.c", "payload_len", "nexthdr")

TRACE_POINT_ENUM(IPV6, IPV6_TRACE_POINTS);

#endif
