/* SPDX-License-Identifier: BSD-2-Clause */
/* tcp_flight_test.c - the state that a connection has only while something is in flight, or out of order (tcp.h, doc/adr/0007) */
#include "core/machine.h"
#include "tcp/tcp_test.h"

static void ack_segment(struct tcp_fixture *f, u32 ack)
{
	struct sk_buff *skb = alloc_skb(f->sk->sk_cpu, 64);
	struct tcp_seg seg = { .skb = skb,
			       .seq = f->tp->rcv_nxt,
			       .end_seq = f->tp->rcv_nxt,
			       .ack = ack,
			       .window = f->tp->snd_wnd >> f->tp->snd_wscale,
			       .flags = TCP_FLAG_ACK };

	assert_int_equal(tcp_ack(f->sk, &seg, true), TCP_ACK_OK);
	consume_skb(skb);
}

static void queue_octets(struct tcp_fixture *f, u32 octets)
{
	struct sk_buff *skb = tcp_stream_alloc_skb(f->sk);
	static const u8 zeroes[64 * TEST_MSS];
	struct iovec iov = { (void *)(uintptr_t)zeroes, octets };
	struct iov_iter it;

	assert_non_null(skb);
	tcp_skb_entail(f->sk, skb);
	iov_iter_init(&it, &iov, 1, iov.iov_len);
	assert_int_equal(skb_append_iter(skb, &it, octets, false), octets);
	f->tp->write_seq += octets;
	TCP_SKB_CB(skb)->end_seq += octets;
}

static void comes_with_the_first_segment_and_goes_with_the_last_ack(void **state)
{
	struct tcp_fixture *f = *state;

	assert_ptr_equal(f->tp->flight, &tcp_no_flight);
	queue_octets(f, 2 * TEST_MSS);
	assert_ptr_equal(f->tp->flight, &tcp_no_flight);
	tcp_write_xmit(f->sk, TEST_MSS, TCP_NAGLE_OFF, 0);
	assert_int_equal(f->tp->packets_out, 2);
	assert_ptr_not_equal(f->tp->flight, &tcp_no_flight);
	assert_int_equal(f->tp->flight->fack, TEST_ISN);
	ack_segment(f, TEST_ISN + TEST_MSS);
	assert_ptr_not_equal(f->tp->flight, &tcp_no_flight);
	ack_segment(f, TEST_ISN + 2 * TEST_MSS);
	assert_ptr_equal(f->tp->flight, &tcp_no_flight);
}

static void stays_while_a_recovery_may_be_undone(void **state)
{
	struct tcp_fixture *f = *state;

	tcp_fixture_sent(f, 2);
	tcp_enter_loss(f->sk);
	tcp_retransmit_skb(f->sk, tcp_rtx_queue_head(f->sk), 2);
	ack_segment(f, f->tp->snd_nxt);
	assert_int_equal(f->tp->packets_out, 0);
	assert_int_not_equal(f->tp->flight->undo_marker, 0);
	tcp_write_queue_purge(f->sk);
	assert_ptr_equal(f->tp->flight, &tcp_no_flight);
}

static void warm_connections_take_it_without_malloc(void **state)
{
	struct tcp_fixture *f = *state;
	struct cpu *cpu = f->sk->sk_cpu;
	struct skb_memory before, after;

	packet_slot_free(cpu, packet_slot_alloc(cpu));
	skb_memory(cpu, &before);
	for (int i = 0; i < 1000; i++) {
		assert_true(tcp_flight_get(f->sk));
		assert_true(tcp_ofo_get(f->sk));
		tcp_ofo_purge(f->sk);
		tcp_flight_put(f->sk);
		assert_ptr_equal(f->tp->flight, &tcp_no_flight);
		assert_null(f->tp->ofo);
	}
	skb_memory(cpu, &after);
#if !defined(__SANITIZE_ADDRESS__)
	assert_int_equal(after.mallocs,
			 before.mallocs); /* with AddressSanitizer every slot is one */
#endif
	assert_int_equal(after.arena_octets, before.arena_octets);
}

/* Every slot is taken: what is to be sent waits, out-of-order octets are dropped, and both go on when there is memory again. */
static void without_memory_segments_wait(void **state)
{
	struct tcp_fixture *f = *state;
	struct cpu *cpu = f->sk->sk_cpu;
	u64 limit = f->m->mem_limit;
	void *taken = NULL, *slot;

	queue_octets(f, TEST_MSS);
	f->m->mem_limit = 0;
	while ((slot = packet_slot_alloc(cpu))) {
		*(void **)slot = taken;
		taken = slot;
	}
	assert_false(tcp_flight_get(f->sk));
	assert_false(tcp_ofo_get(f->sk));
	assert_true(tcp_write_xmit(f->sk, TEST_MSS, TCP_NAGLE_OFF,
				   0)); /* data is left, nothing in flight */
	tcp_dsack_set(f->sk, TEST_RCV - 10, TEST_RCV);
	assert_false(f->tp->dsack_pending);
	tcp_enter_cwr(f->sk);
	assert_int_equal(inet_csk(f->sk)->icsk_ca_state, TCP_CA_Open);
	f->m->mem_limit = limit;
	for (; taken; taken = slot) {
		slot = *(void **)taken;
		packet_slot_free(cpu, taken);
	}
	assert_false(tcp_write_xmit(f->sk, TEST_MSS, TCP_NAGLE_OFF, 0));
	assert_int_equal(f->tp->packets_out, 1);
}

static void a_fin_that_found_no_memory_is_sent_later(void **state)
{
	struct tcp_fixture *f = *state;
	struct inet_connection_sock *icsk = inet_csk(f->sk);
	struct cpu *cpu = f->sk->sk_cpu;
	u64 limit = f->m->mem_limit;
	struct sk_buff *taken = NULL, *skb;

	f->sk->sk_state = SS_TCP_LAST_ACK;
	f->m->mem_limit = 0;
	while ((skb = alloc_skb(cpu, MAX_TCP_HEADER))) {
		skb->next = taken;
		taken = skb;
	}
	tcp_send_fin(f->sk);
	assert_int_equal(f->tp->packets_out, 0);
	assert_int_equal(f->tp->write_seq, TEST_ISN);
	assert_int_equal(icsk->icsk_pending, ICSK_TIME_PROBE0);
	f->m->mem_limit = limit;
	for (; taken; taken = skb) {
		skb = taken->next;
		taken->next = NULL;
		consume_skb(taken);
	}
	tcp_fixture_advance(f, NSEC_PER_SEC);
	assert_true(del_timer(&icsk->icsk_timer)); /* as if it had expired */
	icsk->icsk_timer.function(cpu, &icsk->icsk_timer);
	assert_int_equal(f->tp->packets_out, 1);
	assert_int_equal(f->tp->snd_nxt, TEST_ISN + 1);
	assert_true(icsk->icsk_pending); /* and again, if it is lost */
}

/* RFC 9293 3.10.7.3: who answers a SYN need not look for a FIN in it. */
static void a_fin_that_found_no_memory_does_not_ride_on_a_syn(void **state)
{
	struct tcp_fixture *f = *state;
	struct sk_buff *syn = tcp_fixture_sent(f, 1), *taken = NULL, *skb;
	u64 limit = f->m->mem_limit;
	u32 write_seq = f->tp->write_seq;

	TCP_SKB_CB(syn)->tcp_flags = TCP_FLAG_SYN | TCP_FLAG_ACK;
	f->sk->sk_state = SS_TCP_FIN_WAIT1;
	f->m->mem_limit = 0;
	while ((skb = alloc_skb(f->sk->sk_cpu, MAX_TCP_HEADER))) {
		skb->next = taken;
		taken = skb;
	}
	tcp_send_fin(f->sk);
	assert_int_equal(TCP_SKB_CB(syn)->tcp_flags, TCP_FLAG_SYN | TCP_FLAG_ACK);
	assert_int_equal(f->tp->write_seq, write_seq);
	assert_true(
		f->tp->fin_waits); /* so that an ACK of all that was sent does not acknowledge it */
	f->m->mem_limit = limit;
	for (; taken; taken = skb) {
		skb = taken->next;
		taken->next = NULL;
		consume_skb(taken);
	}
}

static void out_of_order_state_goes_when_the_hole_is_filled(void **state)
{
	struct tcp_fixture *f = *state;

	assert_null(f->tp->ofo);
	tcp_dsack_set(f->sk, TEST_RCV - 10, TEST_RCV);
	assert_non_null(f->tp->ofo);
	tcp_send_ack(f->sk); /* reports it */
	assert_null(f->tp->ofo);
}

#define T(name) cmocka_unit_test_setup_teardown(name, tcp_fixture_setup, tcp_fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(comes_with_the_first_segment_and_goes_with_the_last_ack),
		T(stays_while_a_recovery_may_be_undone),
		T(warm_connections_take_it_without_malloc),
		T(without_memory_segments_wait),
		T(a_fin_that_found_no_memory_is_sent_later),
		T(a_fin_that_found_no_memory_does_not_ride_on_a_syn),
		T(out_of_order_state_goes_when_the_hole_is_filled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
