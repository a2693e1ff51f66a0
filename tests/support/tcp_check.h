/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_check.h - what must hold of a TCP connection whenever nothing is being done to it
 *
 * The sums by mark are what the marks say, the retransmit queue is contiguous from snd_una to snd_nxt, the flight and the out-of-order
 * slots are there exactly when they are needed (doc/adr/0007), RACK's list holds each skb once and in order, and what waits out of order
 * is disjoint and beyond rcv_nxt. What does not hold is printed, and ends the program.
 */
#ifndef WEIR_TESTS_SUPPORT_TCP_CHECK_H
#define WEIR_TESTS_SUPPORT_TCP_CHECK_H

struct sock;
struct weir_net;

/* Cpu lock held. Any state but LISTEN. */
void tcp_check_invariants(struct sock *sk);
/* Of all connections of @net: how many there are. */
unsigned tcp_check_net(struct weir_net *net);

#endif
