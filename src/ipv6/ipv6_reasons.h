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
	X(IP6_TRUNCATED, "fewer octets arrived than the payload length says")                      \
	X(IP6_LOOPBACK, "a loopback address from outside of this node (RFC 4291 2.5.3)")           \
	X(IP6_MARTIAN_SOURCE, "the source is no unicast IPv6 address (RFC 4291 2.7)")              \
	X(IP6_MARTIAN_DEST, "the group's scope does not leave its interface (RFC 4291 2.7)")       \
	X(IP6_UNICAST_IN_L2_MULTICAST, "unicast in a link-layer multicast")                        \
	X(IP6_MULTICAST_NOT_JOINED, "nobody here is member of the group")                          \
	X(IP6_NOPROTO, "no transport protocol and no raw socket takes it (RFC 8200 4)")            \
	X(IP6_NOFORWARD, "not for us, and this node does not forward (conf.all.forwarding)")       \
	X(IP6_FORWARD_L2, "to be forwarded but not addressed to us on the link")                   \
	X(IP6_SCOPE, "a link-local source must not leave its link (RFC 4291 2.5.6)")               \
	X(IP6_HOP_LIMIT, "the hop limit ended here (RFC 8200 3)")                                  \
	X(IP6_PKT_TOO_BIG, "larger than the next link takes (RFC 8200 5)")                         \
	X(IP6_FRAG_FAILED, "could not be cut into fragments")                                      \
	X(IP6_IN_NOROUTE, "no route to the destination of a packet to forward")                    \
	X(IP6_BLACKHOLE, "the route says blackhole")                                               \
	X(IP6_OUT_NOROUTE, "no route to the destination of an own packet")                         \
	X(IP6_OUT_TOO_LONG, "longer than 65,535 octets of payload")                                \
	X(IP6_BAD_OPTION, "an option is malformed, or padding is no padding (RFC 8200 4.2)")       \
	X(IP6_UNKNOWN_OPTION, "an unknown option asks for that (RFC 8200 4.2)")                    \
	X(IP6_TOO_MANY_OPTIONS, "more options than are looked at (max_*_opts_*, RFC 8504 5.3)")    \
	X(IP6_SOURCE_ROUTE, "a routing header that is not followed (RFC 5095)")                    \
	X(ICMP6_SHORT, "shorter than an ICMPv6 header")                                            \
	X(ICMP6_CSUM, "the ICMPv6 checksum is wrong")                                              \
	X(ICMP6_TYPE, "unknown informational ICMPv6 type, ignored (RFC 4443 2.4)")                 \
	X(ICMP6_ECHO_IGNORED, "echo is switched off (net.ipv6.icmp.echo_ignore_*)")                \
	X(ICMP6_INNER, "the packet inside an ICMPv6 error is cut too short")                       \
	X(ICMP6_REPLY_FAILED, "the reply could not be routed")                                     \
	X(ICMP6_RATELIMIT, "a reply was suppressed by net.ipv6.icmp.ratelimit")                    \
	X(MLD_BAD,                                                                                 \
	  "an MLD message of a length there is not, or about what is no group (RFC 3810 6.2)")     \
	X(MLD_NOT_LOCAL, "an MLD message without hop limit 1 and router alert (RFC 3810 6.2)")     \
	X(MLD_SOURCE,                                                                              \
	  "an MLD message that does not come from a link-local address (RFC 3810 5.1.14)")         \
	X(NDISC_HOPLIMIT, "neighbour discovery from beyond the link: the hop limit is not 255 "    \
			  "(RFC 4861 6.1, 7.1, 8.1)")                                              \
	X(NDISC_CODE, "the code is not 0 (RFC 4861 6.1, 7.1, 8.1)")                                \
	X(NDISC_SHORT, "shorter than its type of message")                                         \
	X(NDISC_OPTION, "an option of length 0 or cut off, or with a wrong address (RFC 4861)")    \
	X(NDISC_TARGET, "the target is no address that can be asked for or announced")             \
	X(NDISC_SOURCE, "the source may not send this message (RFC 4861 6.1, 7.1, 8.1)")           \
	X(NDISC_DEST, "the destination does not fit the message (RFC 4861 7.1)")                   \
	X(NDISC_FRAGMENT, "neighbour discovery in fragments (RFC 6980)")                           \
	X(NDISC_NOT_OURS, "a solicitation for an address that is not ours")                        \
	X(NDISC_TENTATIVE,                                                                         \
	  "a solicitation for an address that may not be ours yet (RFC 4862 5.4.3)")               \
	X(NDISC_COLLISION, "somebody else uses our address (RFC 4862 5.4)")                        \
	X(NDISC_UNKNOWN, "an advertisement of a neighbour nobody asked for (RFC 4861 7.2.5)")      \
	X(NDISC_UNSOLICITED, "unsolicited advertisements are ignored (drop_unsolicited_na)")       \
	X(NDISC_NOT_ROUTER, "a router solicitation, and this node is none (RFC 4861 6.2.6)")       \
	X(NDISC_RA_IGNORED, "router advertisements are not accepted here (accept_ra)")             \
	X(NDISC_REDIRECT_IGNORED, "redirects are not accepted here, or not from there")

DROP_REASON_ENUM(IPV6, IPV6_DROP_REASONS);

#define IPV6_TRACE_POINTS(X)                                                                       \
	X(ipv6_rcv, "ipv6/ip6_input.c", "len", "nexthdr")                                          \
	X(ip6_rcv_finish, "ipv6/ip6_input.c", "rt_type", NULL)                                     \
	X(ip6_input, "ipv6/ip6_input.c", "nexthdr", NULL)                                          \
	X(ip6_forward, "ipv6/ip6_forward.c", "hop_limit", "mtu")                                   \
	X(ip6_xmit, "ipv6/ip6_output.c", "nexthdr", NULL)                                          \
	X(ip6_local_out, "ipv6/ip6_output.c", "nexthdr", NULL)                                     \
	X(ip6_output, "ipv6/ip6_output.c", "ifindex", NULL)                                        \
	X(ip6_finish_output, "ipv6/ip6_output.c", "mtu", NULL)                                     \
	X(ip6_finish_output2, "ipv6/ip6_output.c", "ifindex", NULL)                                \
	X(ip6_fragment, "ipv6/ip6_output.c", "offset", "parent")                                   \
	X(ipv6_frag_rcv, "ipv6/reassembly.c", "offset", "octets_there")                            \
	X(ip6_frag_reasm, "ipv6/reassembly.c", "len", "max_fragment")                              \
	X(icmpv6_rcv, "ipv6/icmp.c", "type", "code")                                               \
	X(icmpv6_send, "ipv6/icmp.c", "type", "code")                                              \
	X(icmpv6_echo_reply, "ipv6/icmp.c", NULL, NULL)                                            \
	X(igmp6_event_query, "ipv6/mcast.c", "version", "max_resp_ms")                             \
	X(igmp6_event_report, "ipv6/mcast.c", NULL, NULL)                                          \
	X(igmp6_send, "ipv6/mcast.c", "type", "octets")                                            \
	X(ndisc_rcv, "ipv6/ndisc.c", "type", NULL)                                                 \
	X(ndisc_send, "ipv6/ndisc.c", "type", NULL)                                                \
	X(rawv6_rcv, "ipv6/raw.c", "protocol", "rmem")                                             \
	X(rawv6_recvmsg, "ipv6/raw.c", "len", NULL)                                                \
	X(rawv6_sendmsg, "ipv6/raw.c", "protocol", "len")

TRACE_POINT_ENUM(IPV6, IPV6_TRACE_POINTS);

#endif
