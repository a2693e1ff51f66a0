/* SPDX-License-Identifier: BSD-2-Clause */
/* ipv4_reasons.h - why IPv4, ICMP and ARP discard packets, and the points at which they can be watched */
#ifndef WEIR_IPV4_IPV4_REASONS_H
#define WEIR_IPV4_IPV4_REASONS_H

#include "core/drop_reason.h"
#include "core/trace.h"

#define IPV4_DROP_REASONS(X)                                                                       \
	X(IP_HDR_SHORT, "shorter than an IPv4 header (RFC 791 3.1)")                               \
	X(IP_VERSION, "the version is not 4 (RFC 1122 3.2.1.1)")                                   \
	X(IP_IHL, "the header length is below 20 octets")                                          \
	X(IP_CSUM, "the header checksum is wrong (RFC 1122 3.2.1.2)")                              \
	X(IP_TRUNCATED, "fewer octets arrived than the total length says")                         \
	X(IP_TOT_LEN, "the total length is below the header length")                               \
	X(IP_OPTIONS, "an option is malformed (RFC 1122 3.2.1.8)")                                 \
	X(IP_SOURCE_ROUTE, "source-routed, which is not accepted (accept_source_route)")           \
	X(IP_SOURCE_ROUTE_FAILED,                                                                  \
	  "the next hop of a strict source route is not on a link of ours")                        \
	X(IP_MARTIAN_SOURCE, "the source is no unicast address (RFC 1812 5.3.7)")                  \
	X(IP_MARTIAN_DEST, "the destination cannot be on this link (RFC 1812 5.3.7)")              \
	X(IP_LOCAL_SOURCE, "the source is our own address")                                        \
	X(IP_RPFILTER, "the way back to the source is another device (rp_filter, RFC 3704)")       \
	X(IP_IN_NOROUTE, "no route to the destination of a packet to forward")                     \
	X(IP_UNREACHABLE, "the route says unreachable or prohibit")                                \
	X(IP_BLACKHOLE, "the route says blackhole")                                                \
	X(IP_NOFORWARD, "not for us, and this device does not forward (ip_forward)")               \
	X(IP_NO_INDEV, "the device takes no part in IPv4")                                         \
	X(IP_UNICAST_IN_L2_MULTICAST, "unicast in a link-layer broadcast")                         \
	X(IP_MULTICAST_NOT_JOINED, "nobody here is member of the group")                           \
	X(IP_NOPROTO, "no transport protocol and no raw socket takes it")                          \
	X(IP_TTL, "the time to live ended here (RFC 1812 5.3.1)")                                  \
	X(IP_FORWARD_L2, "to be forwarded but not addressed to us on the link (RFC 1122 3.3.6)")   \
	X(IP_PKT_TOO_BIG, "larger than the next link and must not be fragmented (RFC 1191)")       \
	X(IP_FRAG_FAILED, "could not be cut into fragments")                                       \
	X(IP_OUT_NOROUTE, "no route to the destination of an own packet")                          \
	X(IP_BAD_DST, "a route for the other direction")                                           \
	X(IP_OUT_TOO_LONG, "longer than 65,535 octets")                                            \
	X(IGMP_BAD, "shorter than an IGMP message, or than it says (RFC 3376 7.1)")                \
	X(IGMP_CSUM, "the IGMP checksum is wrong")                                                 \
	X(RAW_HEADER, "a raw socket's own IP header (IP_HDRINCL) is impossible")                   \
	X(ICMP_SHORT, "shorter than an ICMP header")                                               \
	X(ICMP_CSUM, "the ICMP checksum is wrong")                                                 \
	X(ICMP_TYPE, "unknown ICMP type, ignored (RFC 1122 3.2.2)")                                \
	X(ICMP_BROADCAST, "sent to a broadcast or multicast address (RFC 1122 3.2.2.6)")           \
	X(ICMP_ECHO_IGNORED, "echo is switched off (icmp_echo_ignore_all)")                        \
	X(ICMP_INNER, "the packet inside an ICMP error is cut too short")                          \
	X(ICMP_BOGUS, "an ICMP error about a broadcast (icmp_ignore_bogus_error_responses)")       \
	X(ICMP_OBSOLETE, "an ICMP type that hosts ignore today (RFC 6633, RFC 6918)")              \
	X(ICMP_REPLY_FAILED, "the reply could not be built or routed")                             \
	X(ICMP_RATELIMIT, "a reply was suppressed by icmp_ratelimit or icmp_msgs_per_sec")         \
	X(ARP_NODEV, "the device does not take part in ARP")                                       \
	X(ARP_SHORT, "shorter than its own addresses (RFC 826)")                                   \
	X(ARP_TYPE, "not IPv4 over the device's kind of link (RFC 826)")                           \
	X(ARP_OP, "neither request nor reply")                                                     \
	X(ARP_ADDR, "a multicast or loopback address, or a broadcast sender")                      \
	X(ARP_GRATUITOUS, "announces an address, which is not listened to (drop_gratuitous_arp)")  \
	X(ARP_IGNORED, "asks for an address that is not answered for here (arp_ignore)")

DROP_REASON_ENUM(IPV4, IPV4_DROP_REASONS);

#define IPV4_TRACE_POINTS(X)                                                                       \
	X(ip_rcv, "ipv4/ip_input.c", "tot_len", "protocol")                                        \
	X(ip_rcv_finish, "ipv4/ip_input.c", "rt_type", NULL)                                       \
	X(ip_local_deliver, "ipv4/ip_input.c", "protocol", NULL)                                   \
	X(ip_defrag, "ipv4/ip_fragment.c", "offset", "octets_there")                               \
	X(ip_frag_reasm, "ipv4/ip_fragment.c", "len", "max_fragment")                              \
	X(ip_forward, "ipv4/ip_forward.c", "ttl", "mtu")                                           \
	X(fib_lookup, "ipv4/route.c", "daddr", "type")                                             \
	X(ip_redirect_ignored, "ipv4/route.c", "gateway", "daddr")                                 \
	X(ip_log_martian, "ipv4/route.c", "saddr", "daddr")                                        \
	X(ip_queue_xmit, "ipv4/ip_output.c", "daddr", NULL)                                        \
	X(ip_send_skb, "ipv4/ip_output.c", "daddr", NULL)                                          \
	X(ip_local_out, "ipv4/ip_output.c", "daddr", NULL)                                         \
	X(ip_output, "ipv4/ip_output.c", "ifindex", NULL)                                          \
	X(ip_mc_output, "ipv4/ip_output.c", "ifindex", NULL)                                       \
	X(ip_finish_output, "ipv4/ip_output.c", "mtu", NULL)                                       \
	X(ip_finish_output2, "ipv4/ip_output.c", "nexthop", NULL)                                  \
	X(ip_do_fragment, "ipv4/ip_output.c", "offset", "parent")                                  \
	X(igmp_rcv, "ipv4/igmp.c", "type", "group")                                                \
	X(igmp_send, "ipv4/igmp.c", "type", "daddr")                                               \
	X(raw_rcv, "ipv4/raw.c", "protocol", "rmem")                                               \
	X(raw_recvmsg, "ipv4/raw.c", "len", NULL)                                                  \
	X(raw_sendmsg, "ipv4/raw.c", "protocol", "len")                                            \
	X(icmp_rcv, "ipv4/icmp.c", "type", "code")                                                 \
	X(icmp_send, "ipv4/icmp.c", "type", "code")                                                \
	X(icmp_reply, "ipv4/icmp.c", "type", NULL)                                                 \
	X(arp_rcv, "ipv4/arp.c", "op", "sender")                                                   \
	X(arp_send, "ipv4/arp.c", "op", "target")

TRACE_POINT_ENUM(IPV4, IPV4_TRACE_POINTS);

#endif
