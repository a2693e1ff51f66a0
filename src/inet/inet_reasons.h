/* SPDX-License-Identifier: BSD-2-Clause */
/* inet_reasons.h - drop reasons and trace points of inet/ */
#ifndef WEIR_INET_INET_REASONS_H
#define WEIR_INET_INET_REASONS_H

#include "core/drop_reason.h"
#include "core/trace.h"

#define INET_DROP_REASONS(X)                                                                       \
	X(PING_NO_SOCKET, "an ICMP echo reply that no ping socket waits for")                      \
	X(PING_HEADER, "an ICMP message shorter than its header")                                  \
	X(FRAG_BAD,                                                                                \
	  "a fragment that is empty, ends behind the longest datagram or contradicts others")      \
	X(FRAG_DUP, "a fragment whose octets are there already")                                   \
	X(FRAG_OVERLAP, "fragments overlap: the datagram is given up (RFC 5722)")                  \
	X(FRAG_TIMEOUT, "the other fragments did not come in time (ipfrag_time)")                  \
	X(FRAG_MEM, "no memory for more fragments: the oldest go first (ipfrag_high_thresh)")      \
	X(FRAG_DISTANCE, "too many other fragments of this source came between (ipfrag_max_dist)") \
	X(FRAG_ECN, "fragments whose ECN bits cannot come from one datagram (RFC 3168 5.3)")       \
	X(ANY_GONE,                                                                                \
	  "a SYN for any destination: its sender gave up, or it was not answered in time")         \
	X(ANY_REFUSED, "a SYN for any destination that its gateway refused (weir_answer_syn())")   \
	X(FRAG_GONE, "the device or the instance of an incomplete datagram goes away")

DROP_REASON_ENUM(INET, INET_DROP_REASONS);

#define INET_TRACE_POINTS(X)                                                                       \
	X(ping_rcv, "inet/ping.c", "id", "sequence")                                               \
	X(ping_err, "inet/ping.c", "type", "code")                                                 \
	X(ping_recvmsg, "inet/ping.c", "len", NULL)

TRACE_POINT_ENUM(INET, INET_TRACE_POINTS);

extern const struct drop_reason_table inet_drop_reasons;
extern const struct trace_point_table inet_trace_points;

#endif
