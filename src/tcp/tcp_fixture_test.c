/* SPDX-License-Identifier: BSD-2-Clause */
/* tcp_fixture_test.c - the connection of this folder's unit tests */
#include "tcp/tcp_test.h"

#include "host/host.h"
#include "stack/stack.h"
#include "weir/crypto.h"

static int fixture_xmit(struct sock *sk, struct sk_buff *skb)
{
	(void)sk;
	consume_skb(skb);
	return 0;
}

static int fixture_rebuild(struct sock *sk)
{
	(void)sk;
	return 0;
}

static void fixture_check(struct sock *sk, struct sk_buff *skb)
{
	(void)sk;
	(void)skb;
}

static const struct inet_connection_sock_af_ops fixture_af_ops = {
	.queue_xmit = fixture_xmit,
	.send_check = fixture_check,
	.rebuild_header = fixture_rebuild,
	.net_header_len = 20,
};

int tcp_fixture_setup(void **state)
{
	struct machine_config cfg = {
		.host = host_sim_create(1, 0),
		.ncpus = 1,
		.crypto = weir_crypto_openssl(),
		.modules = weir_modules,
		.nr_modules = weir_nr_modules,
	};
	struct tcp_fixture *f = calloc(1, sizeof(*f));
	struct sock *sk;

	f->m = machine_create(&cfg);
	assert_non_null(f->m);
	f->net = net_create(f->m, "t");
	assert_non_null(f->net);
	cpu_lock(f->net->cpu);
	f->net->cpu->now = 1000 * NSEC_PER_SEC;
	sk = sk_alloc(f->net, AF_INET, &tcp_prot_v4);
	assert_non_null(sk);
	sock_init_data(sk, NULL, NULL, SOCK_STREAM);
	sock_set_flag(sk, SOCK_DEAD);
	f->sk = sk;
	f->tp = tcp_sk(sk);
	tcp_init_sock(sk);
	inet_csk(sk)->icsk_af_ops = &fixture_af_ops;
	sk->sk_state = SS_TCP_ESTABLISHED;
	sk->sk_rcvbuf = 64 << 20;
	f->tp->mss_cache = TEST_MSS;
	f->tp->sack_ok = 1;
	f->tp->tstamp_ok = 1;
	f->tp->tcp_header_len = 32;
	f->tp->snd_una = f->tp->snd_nxt = f->tp->write_seq = TEST_ISN;
	f->tp->snd_wnd = f->tp->max_window = 1 << 24;
	f->tp->snd_wscale = 7;
	f->tp->rcv_nxt = f->tp->copied_seq = f->tp->rcv_wup = TEST_RCV;
	f->tp->rcv_wnd = f->tp->window_clamp = f->tp->rcv_ssthresh = 1 << 24;
	f->tp->rcv_wscale = 9;
	tcp_init_congestion_control(sk);
	*state = f;
	return 0;
}

int tcp_fixture_teardown(void **state)
{
	struct tcp_fixture *f = *state;

	sock_hold(f->sk);
	f->sk->sk_state = SS_TCP_CLOSE;
	skb_queue_consume(&f->sk->sk_receive_queue);
	inet_csk_destroy_sock(f->sk);
	sock_put(f->sk);
	cpu_unlock(f->net->cpu);
	net_destroy(f->net);
	machine_destroy(f->m);
	free(f);
	return 0;
}

void tcp_fixture_advance(struct tcp_fixture *f, u64 ns)
{
	f->net->cpu->now += ns;
}

struct sk_buff *tcp_fixture_sent(struct tcp_fixture *f, u32 segs)
{
	struct sk_buff *skb = tcp_stream_alloc_skb(f->sk);
	static const u8 zeroes[64 * TEST_MSS];
	struct iovec iov = { (void *)(uintptr_t)zeroes, segs * TEST_MSS };
	struct iov_iter it;

	assert_non_null(skb);
	assert_true(segs <= 64);
	iov_iter_init(&it, &iov, 1, iov.iov_len);
	assert_int_equal(skb_append_iter(skb, &it, (u32)iov.iov_len, false), iov.iov_len);
	skb->nohdr = 1;
	f->sk->sk_wmem_queued += skb->truesize;
	f->sk->sk_sndbuf = 64 << 20;
	assert_true(tcp_flight_get(f->sk));
	TCP_SKB_CB(skb)->seq = f->tp->snd_nxt;
	TCP_SKB_CB(skb)->end_seq = f->tp->snd_nxt + segs * TEST_MSS;
	TCP_SKB_CB(skb)->tcp_flags = TCP_FLAG_ACK;
	TCP_SKB_CB(skb)->sent_ns = f->net->cpu->now;
	tcp_set_skb_tso_segs(skb, TEST_MSS);
	tcp_rtx_queue_insert(f->sk, skb);
	tcp_tsorted_add(f->tp, skb);
	tcp_rate_skb_sent(f->sk, skb);
	f->tp->packets_out += segs;
	f->tp->snd_nxt = f->tp->write_seq = TCP_SKB_CB(skb)->end_seq;
	return skb;
}

void tcp_fixture_check_counts(const struct tcp_fixture *f)
{
	u32 out = 0, sacked = 0, lost = 0, retrans = 0, next = f->tp->snd_una;
	const struct sk_buff *skb;

	for (skb = tcp_rtx_queue_head(f->sk); skb; skb = tcp_skb_next(skb)) {
		const struct tcp_skb_cb *cb = TCP_SKB_CB(skb);
		u32 n = cb->gso_segs;

		assert_true(!after(cb->seq, next)); /* no gap */
		assert_true(skb == tcp_rtx_queue_head(f->sk) || cb->seq == next);
		assert_int_equal(cb->end_seq - cb->seq, skb->len);
		next = cb->end_seq;
		assert_true((cb->sacked & (TCPCB_LOST | TCPCB_SACKED_ACKED)) !=
			    (TCPCB_LOST | TCPCB_SACKED_ACKED));
		out += n;
		sacked += cb->sacked & TCPCB_SACKED_ACKED ? n : 0;
		lost += cb->sacked & TCPCB_LOST ? n : 0;
		retrans += cb->sacked & TCPCB_SACKED_RETRANS ? n : 0;
	}
	assert_int_equal(next, f->tp->snd_nxt);
	assert_int_equal(out, f->tp->packets_out);
	assert_int_equal(sacked, f->tp->sacked_out);
	assert_int_equal(lost, f->tp->lost_out);
	assert_int_equal(retrans, f->tp->retrans_out);
}

u32 tcp_fixture_random(u64 *state, u32 n)
{
	*state = *state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (u32)(*state >> 33) % n;
}
