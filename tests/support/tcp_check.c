/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/support/tcp_check.h"

#include <stdio.h>
#include <stdlib.h>

#include "inet/inet_hashtables.h"
#include "stack/stack.h"
#include "tcp/tcp.h"

#define HOLDS(sk, what)                                                                            \
	do {                                                                                       \
		if (!(what))                                                                       \
			broken(sk, #what, __LINE__);                                               \
	} while (0)

static void show_queue(struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);

	for (struct sk_buff *skb = tcp_rtx_queue_head(sk); skb; skb = tcp_skb_next(skb)) {
		const struct tcp_skb_cb *cb = TCP_SKB_CB(skb);

		fprintf(stderr, "  %u..%u len %u flags %02x marks %02x segs %u x %u%s\n",
			cb->seq - tp->snd_una, cb->end_seq - tp->snd_una, skb->len, cb->tcp_flags,
			cb->sacked, cb->gso_segs, cb->gso_size, cb->tsorted.next ? " tsorted" : "");
	}
}

static _Noreturn void broken(struct sock *sk, const char *what, int line)
{
	const struct tcp_sock *tp = tcp_sk(sk);

	fprintf(stderr,
		"tcp_check.c:%d: does not hold: %s\n"
		"  at %.6f s, port %u, state %u, ca_state %u (%s), sack %u\n"
		"  snd_una %u, snd_nxt +%u, write_seq +%u, snd_wnd %u, cwnd %u\n"
		"  packets %u sacked %u lost %u retrans %u\n"
		"  rcv_nxt %u, copied_seq %u, num_sacks %u\n",
		line, what, (double)sk->sk_cpu->now / 1e9, sk->sk_num, sk->sk_state,
		inet_csk(sk)->icsk_ca_state, inet_csk(sk)->icsk_ca_ops->name, tp->sack_ok,
		tp->snd_una, tp->snd_nxt - tp->snd_una, tp->write_seq - tp->snd_una, tp->snd_wnd,
		tp->snd_cwnd, tp->packets_out, tp->sacked_out, tp->lost_out, tp->retrans_out,
		tp->rcv_nxt, tp->copied_seq, tp->num_sacks);
	show_queue(sk);
	abort();
}

struct sums {
	u32 packets, sacked, lost, retrans, listed;
};

static void check_marks(struct sock *sk, struct sums *s)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	u32 seq = tp->snd_una;

	for (struct sk_buff *skb = tcp_rtx_queue_head(sk); skb; skb = tcp_skb_next(skb)) {
		const struct tcp_skb_cb *cb = TCP_SKB_CB(skb);
		u32 n = tcp_skb_pcount(skb);

		HOLDS(sk, skb == tcp_rtx_queue_head(sk)
				  ? !after(cb->seq, seq) && after(cb->end_seq, seq)
				  : cb->seq == seq);
		HOLDS(sk, n > 0);
		HOLDS(sk, skb->len + ((cb->tcp_flags & (TCP_FLAG_SYN | TCP_FLAG_FIN)) != 0) ==
				  cb->end_seq - cb->seq);
		seq = cb->end_seq;
		s->packets += n;
		s->sacked += cb->sacked & TCPCB_SACKED_ACKED ? n : 0;
		s->lost += cb->sacked & TCPCB_LOST ? n : 0;
		s->retrans += cb->sacked & TCPCB_SACKED_RETRANS ? n : 0;
		s->listed += cb->tsorted.next != NULL;
		HOLDS(sk, (cb->sacked & (TCPCB_SACKED_ACKED | TCPCB_LOST)) !=
				  (TCPCB_SACKED_ACKED | TCPCB_LOST));
		/* What is in flight RACK must find. Octets of a SYN wait for its answer. */
		HOLDS(sk, cb->tsorted.next || (cb->sacked & (TCPCB_SACKED_ACKED | TCPCB_LOST)) ||
				  (cb->tcp_flags & TCP_FLAG_SYN) || tp->syn_data);
	}
	HOLDS(sk, tcp_rtx_queue_empty(sk) || seq == tp->snd_nxt);
}

/* Ordered by sending time; each listed skb is in the queue, and none twice. */
static void check_tsorted(struct sock *sk, u32 listed)
{
	const struct tcp_flight *f = tcp_sk(sk)->flight;
	u32 n = 0;

	if (f == &tcp_no_flight)
		return;
	for (const struct list_head *at = f->tsorted.next; at != &f->tsorted; at = at->next) {
		HOLDS(sk, at->next->prev == at && at->prev->next == at);
		HOLDS(sk, ++n <= listed);
	}
	HOLDS(sk, n == listed);
}

static void check_send(struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	struct sums s = { 0 };
	u32 seq = tp->snd_nxt, octets = 0;
	const struct sk_buff *skb;

	HOLDS(sk, !after(tp->snd_una, tp->snd_nxt) && !after(tp->snd_nxt, tp->write_seq));
	HOLDS(sk, tp->flight != &tcp_no_flight || !tp->packets_out);
	HOLDS(sk, tp->flight != &tcp_no_flight || inet_csk(sk)->icsk_ca_state == TCP_CA_Open ||
			  sk->sk_state == SS_TCP_CLOSE);
	check_marks(sk, &s);
	HOLDS(sk, tp->packets_out == s.packets);
	HOLDS(sk, tp->lost_out == s.lost);
	HOLDS(sk, tp->retrans_out == s.retrans);
	HOLDS(sk, !tp->sack_ok || tp->sacked_out == s.sacked);
	HOLDS(sk, tp->sacked_out + tp->lost_out <= tp->packets_out);
	HOLDS(sk, tp->snd_cwnd > 0);
	check_tsorted(sk, s.listed);
	skb_queue_walk(&sk->sk_write_queue, skb) {
		HOLDS(sk, TCP_SKB_CB(skb)->seq == seq);
		seq = TCP_SKB_CB(skb)->end_seq;
		octets += skb->truesize;
	}
	HOLDS(sk, skb_queue_empty(&sk->sk_write_queue) || seq == tp->write_seq);
	for (skb = tcp_rtx_queue_head(sk); skb; skb = tcp_skb_next(skb))
		octets += skb->truesize;
	HOLDS(sk, (u32)sk->sk_wmem_queued == octets);
}

static void check_ofo(struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	u32 end = tp->rcv_nxt;
	const struct sk_buff *prev = NULL;

	HOLDS(sk, tp->ofo || (!tp->num_sacks && !tp->dsack_pending));
	for (const struct rb_node *n = tp->ofo ? rb_first(&tp->ofo->queue) : NULL; n;
	     n = rb_next(n)) {
		const struct sk_buff *skb = tcp_rb_skb(n);

		/* None covers another; edges may overlap. */
		HOLDS(sk, after(TCP_SKB_CB(skb)->end_seq, end));
		HOLDS(sk, after(TCP_SKB_CB(skb)->seq, tp->rcv_nxt));
		HOLDS(sk, !prev || after(TCP_SKB_CB(skb)->seq, TCP_SKB_CB(prev)->seq));
		end = TCP_SKB_CB(skb)->end_seq;
		prev = skb;
	}
	HOLDS(sk, tp->num_sacks <= TCP_MAX_SACK_BLOCKS);
	for (u32 i = 0; i < tp->num_sacks; i++) {
		const struct tcp_sack_block *b = &tp->ofo->selective_acks[i];

		HOLDS(sk, before(b->start, b->end) && after(b->start, tp->rcv_nxt));
	}
}

static void check_receive(struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	const struct sk_buff *skb;
	u32 octets = 0, charged = 0;

	HOLDS(sk, !after(tp->copied_seq, tp->rcv_nxt));
	check_ofo(sk);
	skb_queue_walk(&sk->sk_receive_queue, skb) {
		octets += skb->len;
		charged += skb->truesize;
	}
	/* What is queued covers all that was not read, but for sequence numbers of SYN and FIN. */
	HOLDS(sk, octets + 2 >= tp->rcv_nxt - tp->copied_seq);
	HOLDS(sk, (u32)sk->sk_rmem_alloc >= charged && sk->sk_rmem_alloc < 64 << 20);
	HOLDS(sk, sk_mem_used(sk) <= sk->sk_mem_quota);
	HOLDS(sk, !tp->urg_out || before(tp->snd_una, tp->snd_up));
}

void tcp_check_invariants(struct sock *sk)
{
	check_send(sk);
	if (sk->sk_state != SS_TCP_SYN_SENT)
		check_receive(sk);
}

unsigned tcp_check_net(struct weir_net *wn)
{
	struct net *net = net_of(wn);
	const struct inet_hashinfo *h = &net->tcp->hashinfo;
	struct sock_common *c;
	unsigned n = 0;
	u64 pages = 0;

	cpu_lock(net->cpu);
	for (u32 i = 0; i < 1u << h->ehash_bits; i++) {
		hlist_for_each_entry(c, &h->ehash[i], skc_node) {
			if (c->skc_state == SS_TCP_TIME_WAIT || c->skc_state == SS_TCP_NEW_SYN_RECV)
				continue;
			tcp_check_invariants((struct sock *)c);
			pages += ((struct sock *)c)->sk_mem_quota / SK_MEM_QUANTUM - 1;
			n++;
		}
	}
	/* Sockets that are closed, but still there, have the rest. */
	if (pages > net->tcp->mem.allocated || n > net->tcp->mem.socks) {
		fprintf(stderr,
			"tcp_check.c: %u connections have %llu pages, the net knows of %u, %llu\n",
			n, (unsigned long long)pages, net->tcp->mem.socks,
			(unsigned long long)net->tcp->mem.allocated);
		abort();
	}
	cpu_unlock(net->cpu);
	return n;
}
