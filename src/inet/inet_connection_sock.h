/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * inet_connection_sock.h - connection-oriented internet sockets: request (SYN) queue, accept queue, TIME_WAIT
 *
 * A SYN makes a request sock, which lives in ehash in state NEW_SYN_RECV and counts on its listener; the final ACK makes the
 * child, which waits on the accept queue until accept(2). A TIME_WAIT connection shrinks to a timewait sock in ehash.
 * All three begin with struct sock_common.
 */
#ifndef WEIR_INET_INET_CONNECTION_SOCK_H
#define WEIR_INET_INET_CONNECTION_SOCK_H

#include "core/timer.h"
#include "inet/inet_hashtables.h"
#include "inet/inet_sock.h"

struct request_sock;
struct tcp_congestion_ops;

/* What TCP needs of an IP version. */
struct inet_connection_sock_af_ops {
	int (*queue_xmit)(struct sock *sk, struct sk_buff *skb); /* consumes; 0 or -errno */
	/* Fills the checksum field: CHECKSUM_PARTIAL with the pseudo-header sum. */
	void (*send_check)(struct sock *sk, struct sk_buff *skb);
	int (*rebuild_header)(struct sock *sk); /* route again */
	u16 net_header_len;
	u16 gso_type; /* SKB_GSO_* of what queue_xmit() takes */
};

struct request_sock_ops {
	u16 family; /* of the packets */
	u32 obj_size;
	void (*destructor)(struct request_sock *req);
	void (*timeout)(struct cpu *cpu, struct timer_list *t);
};

/* Of a listener for any destination: how far a request is. */
enum reqsk_any {
	REQSK_ANY_NOT,      /* an ordinary one, or no business of its owner any more */
	REQSK_ANY_NEW,      /* on the queue; not told yet */
	REQSK_ANY_TOLD,     /* the owner has not answered yet */
	REQSK_ANY_ACCEPTED, /* the SYN-ACK is on its way */
	REQSK_ANY_GONE,     /* on the queue: the owner was told, and must be told of its end */
};

struct request_sock {
	struct sock_common c;      /* must be first; skc_refcnt counts ehash + users */
	struct sock *rsk_listener; /* held */
	const struct request_sock_ops *rsk_ops;
	struct request_sock *dl_next; /* accept queue, or any queue */
	struct sock *sk;              /* the child, while on the accept queue */
	struct timer_list timer;
	u64 timeout; /* ns */
	u16 mss;
	u8 num_retrans, num_timeout;
	u8 syncookie : 1, acked : 1;
	u8 queued : 1;           /* counted by the listener, owns a reference */
	u8 any : 3;              /* enum reqsk_any */
	struct sk_buff *any_skb; /* the SYN that waits for an answer, in REQSK_ANY_NEW and _TOLD */
	int ir_iif;
	u8 ir_hoplimit, ir_tos; /* of the SYN: time to live, type of service */
	be32 ir_flowinfo;       /* of an IPv6 SYN */
	struct sk_buff
		*pktopts; /* its headers, if the listener asks for them: IPV6_2292PKTOPTIONS */
	be32 ir_flowlabel;
	u32 ir_mark;
	struct dst_entry
		*dst; /* of the SYN-ACK, held, for the child; NULL: it looks for one itself */
};

/* Accept queue of a listener. */
struct request_sock_queue {
	struct request_sock *rskq_accept_head, *rskq_accept_tail;
	u32 qlen; /* request socks in ehash */
	u32 young;
	/* What the owner of a listener for any destination has to be told: SYNs, ends of handshakes. Each holds a reference. */
	struct request_sock *any_head, *any_tail;
};

#define ICSK_TIME_RETRANS     1
#define ICSK_TIME_PROBE0      3
#define ICSK_TIME_LOSS_PROBE  5
#define ICSK_TIME_REO_TIMEOUT 6

#define ICSK_ACK_SCHED   1
#define ICSK_ACK_TIMER   2
#define ICSK_ACK_PUSHED  4
#define ICSK_ACK_PUSHED2 8
#define ICSK_ACK_NOW     16

#define ICSK_CA_PRIV_SIZE (8 * 8)

struct inet_connection_sock {
	struct inet_sock icsk_inet; /* must be first */
	struct hlist_node icsk_bind_node;
	struct inet_bind_bucket *icsk_bind_hash;
	const struct inet_connection_sock_af_ops *icsk_af_ops;
	const struct tcp_congestion_ops *icsk_ca_ops;
	union { /* listeners have no congestion window */
		struct request_sock_queue icsk_accept_queue;
		u64 icsk_ca_priv[ICSK_CA_PRIV_SIZE / 8];
	};
	/* All timers of the connection share one node of the wheel: icsk_timer fires at the earliest of these (0: off).
	 * What each means: tcp/tcp_timer.c */
	struct timer_list icsk_timer;
	u64 icsk_timeout; /* ns: retransmit, probe, loss probe, reorder: by icsk_pending */
	u64 icsk_delack_timeout;
	u64 icsk_keepalive_timeout;
	u32 icsk_rto_us;
	u32 icsk_pmtu_cookie;
	u8 icsk_pending; /* ICSK_TIME_* */
	u8 icsk_retransmits;
	u8 icsk_backoff;
	u8 icsk_syn_retries;
	u8 icsk_probes_out;
	u8 icsk_ca_state;
	u8 icsk_ca_initialized;
	u16 icsk_ext_hdr_len;
	u32 icsk_user_timeout; /* ms */
	struct {
		u8 pending;  /* ICSK_ACK_* */
		u8 quick;    /* quick ACKs left */
		u8 pingpong; /* answers that came in time: tcp_in_pingpong() */
		u8 retry;
		u32 ato_us;   /* predicted tick of the delayed ACK */
		u32 lrcvtime; /* ms: last data packet */
		u16 last_seg_size;
		u16 rcv_mss; /* estimate */
	} icsk_ack;
};

#define inet_csk(sk_)    ((struct inet_connection_sock *)(sk_))
#define inet_csk_ca(sk_) ((void *)inet_csk(sk_)->icsk_ca_priv)

int inet_csk_listen_start(struct sock *sk);
void inet_csk_listen_stop(struct sock *sk);
struct sock *inet_csk_accept(struct sock *sk, int flags, int *ret_err);
/* A zeroed one of the caller's memory, which holds no reference: a SYN cookie needs it for the SYN-ACK only. */
void inet_reqsk_init(struct request_sock *req, const struct request_sock_ops *ops,
		     struct sock *listener);
struct request_sock *inet_reqsk_alloc(const struct request_sock_ops *ops, struct sock *listener);
void reqsk_put(struct request_sock *req);
/* Into ehash with its timer; takes a reference. */
int inet_csk_reqsk_queue_hash_add(struct sock *sk, struct request_sock *req, u64 timeout_ns);
/* The SYN @skb of @req, which is hashed, waits for the owner's answer. Takes over @skb. */
void inet_csk_any_ask(struct sock *sk, struct request_sock *req, struct sk_buff *skb);
/* The next to be told, with the queue's reference; REQSK_ANY_TOLD or _GONE. NULL: none */
struct request_sock *inet_csk_any_next(struct sock *sk);
/* Out of ehash and timer. */
void inet_csk_reqsk_queue_drop(struct sock *sk, struct request_sock *req);
/* The finished child onto the accept queue. False: the listener is gone; child was destroyed. */
bool inet_csk_complete_hashdance(struct sock *sk, struct sock *child, struct request_sock *req);
struct sock *inet_csk_clone_lock(const struct sock *sk, const struct request_sock *req);
static inline bool inet_csk_reqsk_queue_is_full(const struct sock *sk)
{
	/* Like the accept queue: listen(2) with a backlog of 0 still lets one connection in. */
	return inet_csk(sk)->icsk_accept_queue.qlen > sk->sk_max_ack_backlog;
}
static inline bool sk_acceptq_is_full(const struct sock *sk)
{
	return sk->sk_ack_backlog > sk->sk_max_ack_backlog;
}
void inet_csk_destroy_sock(struct sock *sk);
void inet_csk_prepare_forced_close(struct sock *sk);
/* A child that will not be accepted (its listener is gone): resets and destroys it. Takes over the creator's reference. */
void inet_child_forget(struct sock *listener, struct request_sock *req, struct sock *child);

/* ---- timewait ---------------------------------------------------------------------------------------- */

/* The protocol's own structure (tcp_timewait_sock) has this first. One reference in all: while it is in ehash. */
struct inet_timewait_sock {
	struct sock_common c; /* must be first; skc_state is SS_TCP_TIME_WAIT */
	struct cpu *tw_cpu;
	be16 tw_sport;
	u8 tw_substate; /* SS_TCP_TIME_WAIT or SS_TCP_FIN_WAIT2 */
	u8 tw_tos, tw_tclass;
	u8 tw_rcv_wscale;
	u16 tw_obj_size;
	be32 tw_flowlabel;
	u32 tw_mark;
	struct timer_list tw_timer;
	struct hlist_node tw_bind_node;
	struct inet_bind_bucket *tw_tb;
	void (*tw_destruct)(struct inet_timewait_sock *tw); /* NULL: nothing hangs off it */
	u32 tw_uid;
};

static inline struct inet_timewait_sock *inet_twsk(const void *sk)
{
	return (struct inet_timewait_sock *)sk;
}

/* inet_timewait_sock.c */

/* A timewait sock of @obj_size octets (zeroed behind the common part) with @sk's identity; not hashed. NULL: no memory, or the net
 * has @max_tw_buckets already (net.ipv4.tcp_max_tw_buckets). */
struct inet_timewait_sock *inet_twsk_alloc(const struct sock *sk, u32 obj_size, u32 max_tw_buckets,
					   u8 substate);
/* @tw takes @sk's place in ehash and joins its bind bucket; then it lives for @timeo_ns. @sk is left unhashed. */
void inet_twsk_hashdance(struct inet_timewait_sock *tw, struct sock *sk, u64 timeo_ns);
/* Starts its remaining life anew. */
void inet_twsk_reschedule(struct inet_timewait_sock *tw, u64 timeo_ns);
/* Out of all tables and freed. */
void inet_twsk_deschedule_put(struct inet_timewait_sock *tw);
/* One that was never hashed. */
void inet_twsk_free(struct inet_timewait_sock *tw);

#endif
