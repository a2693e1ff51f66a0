/* SPDX-License-Identifier: BSD-2-Clause */
/* sock_reasons.h - drop reasons of the protocol-independent part of sockets (core/sock.c and socket/) */
#ifndef WEIR_CORE_SOCK_REASONS_H
#define WEIR_CORE_SOCK_REASONS_H

#include "core/drop_reason.h"

#define SOCKET_DROP_REASONS(X)                                                                     \
	X(SOCKET_RCVBUFF, "the receive buffer of the socket is full (SO_RCVBUF)")                  \
	X(SOCKET_PROTO_MEM,                                                                        \
	  "all sockets of the protocol together use too much memory (tcp_mem, udp_mem)")           \
	X(SOCKET_CLOSE, "the socket was closed before it read or sent this")                       \
	X(SOCKET_FILTER, "the filter of the socket refused it (SO_ATTACH_FILTER)")                 \
	X(SOCKET_BACKLOG, "the queue of the socket is full")                                       \
	X(SOCKET_SHUTDOWN, "the receive side of the socket is shut down")                          \
	X(SOCKET_ERRQUEUE, "no room on the error queue of the socket")                             \
	X(SOCKET_DISCONNECT, "the socket was disconnected before it read or sent this")            \
	X(SOCKET_SEND, "a send call failed after the packet had been built")

DROP_REASON_ENUM(SOCKET, SOCKET_DROP_REASONS);

extern const struct drop_reason_table
	socket_drop_reasons; /* sock.c; registered by core_machine_init() */

#endif
