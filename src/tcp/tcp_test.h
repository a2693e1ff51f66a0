/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_test.h - for the unit tests of this folder: a connection without a network
 *
 * struct tcp_fixture is a machine in virtual time with one net and one tcp_sock in ESTABLISHED whose segments end in xmit[]. The
 * cpu lock is held between setup and teardown.
 */
#ifndef WEIR_TCP_TCP_TEST_H
#define WEIR_TCP_TCP_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tcp/tcp.h"

#define TEST_MSS 1000u
#define TEST_ISN 0xfffff000u /* sequence numbers wrap in every test */
#define TEST_RCV 0xfffffe00u

struct tcp_fixture {
	struct machine *m;
	struct net *net;
	struct sock *sk;
	struct tcp_sock *tp;
};

/* tcp_fixture_test.c */
int tcp_fixture_setup(void **state);
int tcp_fixture_teardown(void **state);
/* Moves the cpu's clock. */
void tcp_fixture_advance(struct tcp_fixture *f, u64 ns);
/* Appends an skb of @segs segments to the retransmit queue, as if it had just been sent. */
struct sk_buff *tcp_fixture_sent(struct tcp_fixture *f, u32 segs);
/* Fails unless the sums of tcp_sock are those of the marks. */
void tcp_fixture_check_counts(const struct tcp_fixture *f);
/* A repeatable choice in [0, n). */
u32 tcp_fixture_random(u64 *state, u32 n);

#endif
