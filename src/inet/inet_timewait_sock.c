/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * inet_timewait_sock.c - what is left of a connection while old segments may still arrive (RFC 9293 3.6.1)
 *
 * A timewait sock takes the connection's place in ehash and in the bind bucket, and ends with its timer (or earlier, when a new
 * connection may reuse the 4-tuple: RFC 6191). Their number per net is bounded by the protocol's sysctl: beyond it a connection
 * is forgotten at once. Locking: the home cpu's lock. There is one reference: being hashed.
 */
#include <errno.h>
#include <stdlib.h>

#include "core/cpu.h"
#include "core/slab.h"
#include "inet/inet6_sock.h"
#include "inet/inet_connection_sock.h"
#include "inet/inet_internal.h"
#include "socket/socket.h"

static void inet_twsk_timer(struct cpu *cpu, struct timer_list *t)
{
	struct inet_timewait_sock *tw = container_of(t, struct inet_timewait_sock, tw_timer);

	(void)cpu;
	NET_INC_STATS(tw->c.skc_net, MIB_TcpExt_TW);
	inet_twsk_deschedule_put(tw);
}

struct inet_timewait_sock *inet_twsk_alloc(const struct sock *sk, u32 obj_size, u32 max_tw_buckets,
					   u8 substate)
{
	struct netns_inet *ni = sock_net(sk)->inet;
	struct inet_timewait_sock *tw;

	assert(obj_size >= sizeof(*tw));
	if (ni->tw_count >= max_tw_buckets)
		return NULL;
	tw = slab_zalloc(sk->sk_cpu, obj_size);
	if (!tw)
		return NULL;
	ni->tw_count++;
	tw->c = sk->c;
	tw->c.skc_node = (struct hlist_node){ 0 };
	tw->c.skc_in_lhash = 0;
	tw->c.skc_flow_named = 0; /* until it takes the place */
	tw->c.skc_refcnt = 1;
	tw->c.skc_state = SS_TCP_TIME_WAIT;
	tw->tw_substate = substate;
	tw->tw_obj_size = (u16)obj_size;
	tw->tw_cpu = sk->sk_cpu;
	tw->tw_sport = inet_sk(sk)->inet_sport;
	tw->tw_tos = inet_sk(sk)->tos;
	if (inet_sk(sk)->pinet6) {
		tw->tw_tclass = inet_sk(sk)->pinet6->tclass;
		tw->tw_flowlabel = inet_sk(sk)->pinet6->flow_label;
	}
	tw->tw_mark = sk->sk_mark;
	tw->tw_uid = sk->sk_uid;
	timer_setup(&tw->tw_timer, inet_twsk_timer);
	return tw;
}

void inet_twsk_hashdance(struct inet_timewait_sock *tw, struct sock *sk, u64 timeo_ns)
{
	struct inet_hashinfo *h = sk_hashinfo(sk);

	/* The bucket must not become empty in between. */
	if (inet_csk(sk)->icsk_bind_hash)
		inet_bind_bucket_add_tw(inet_csk(sk)->icsk_bind_hash, tw);
	tw->c.skc_flow_named = sk->c.skc_flow_named;
	sk->c.skc_flow_named = 0; /* the flow goes on under another name, and the same hash */
	inet_unhash(sk);
	__inet_ehash_add(h, &tw->c);
	inet_twsk_reschedule(tw, timeo_ns);
}

void inet_twsk_reschedule(struct inet_timewait_sock *tw, u64 timeo_ns)
{
	mod_timer(tw->tw_cpu, &tw->tw_timer, tw->tw_cpu->now + timeo_ns);
}

void inet_twsk_deschedule_put(struct inet_timewait_sock *tw)
{
	struct inet_hashinfo *h = tw->c.skc_net->inet->tcp_hashinfo;

	del_timer(&tw->tw_timer);
	if (!hlist_unhashed(&tw->c.skc_node))
		__inet_ehash_del(h, &tw->c);
	if (tw->tw_tb) {
		hlist_del_init(&tw->tw_bind_node);
		inet_bind_bucket_put(h, tw->tw_tb);
		tw->tw_tb = NULL;
	}
	inet_twsk_free(tw);
}

void inet_twsk_free(struct inet_timewait_sock *tw)
{
	tw->c.skc_net->inet->tw_count--;
	if (unlikely(tw->tw_destruct))
		tw->tw_destruct(tw);
	slab_free(tw->tw_cpu, tw, tw->tw_obj_size);
}
