/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp.h - the connection: its state, what a segment carries, congestion control, one function list per file
 *
 * Theory of operation
 *   struct tcp_sock is inet_connection_sock plus the variables of RFC 9293 3.3.1. Octets from the program live in page
 *   fragments of skbs on sk_write_queue (not sent yet) and tcp_rtx_queue (sent, not acknowledged), each up to 64 KiB: one
 *   skb is many wire segments (tcp_skb_pcount()). Sending clones the skb and pushes the header onto the clone, so an
 *   original never carries one. SACK and loss marks are bits of the originals (TCPCB_*): an skb is cut in two where a mark
 *   would hold for a part of it only.
 *   Received octets wait in sk_receive_queue (in order) and ofo->queue (a tree by sequence number).
 *   A million idle connections must fit into memory: what only a connection with segments in flight needs is in struct tcp_flight,
 *   what only one with holes needs in struct tcp_ofo, what few programs ask for in struct tcp_rare (doc/adr/0007).
 * Invariants
 *   snd_una <= snd_nxt <= write_seq; the rtx queue covers [snd_una, snd_nxt), the write queue [snd_nxt, write_seq).
 *   packets_out is the pcount sum of the rtx queue; sacked_out, lost_out, retrans_out those of the skbs with that mark
 *   (without SACK sacked_out counts duplicate ACKs instead). An skb is never both SACKED and LOST.
 *   copied_seq <= rcv_nxt; everything in ofo->queue ends beyond rcv_nxt.
 * Locking: the home cpu's lock.
 * See RFC 9293, 5681, 6298, 6582, 6675, 7323, 2018, 2883, 5961, 6937, 9438.
 */
#ifndef WEIR_TCP_TCP_H
#define WEIR_TCP_TCP_H

#include <errno.h>
#include <linux/inet_diag.h>
#include <netinet/tcp.h>

#include "core/drop_reason.h"
#include "core/net.h"
#include "core/sock_mem.h"
#include "core/timer.h"
#include "core/trace.h"
#include "inet/inet_connection_sock.h"
#include "lib/rbtree.h"
#include "ipv4/ip.h"
#include "socket/socket.h"
#include "lib/csum.h"
#include "wire/tcp.h"

#define TCP_MIN_MSS             88u
#define TCP_MIN_SND_MSS         48u
#define TCP_MSS_DEFAULT_        536u /* RFC 9293 3.7.1 */
#define TCP_BASE_HDR            20u
#define TCP_INIT_CWND           10u /* RFC 6928 */
#define TCP_FASTRETRANS_THRESH  3u
#define TCP_MAX_QUICKACKS       16u
#define TCP_MAX_WSCALE_         14u
#define TCP_INFINITE_SSTHRESH   0x7fffffffu
#define TCP_PAWS_24DAYS_S       (60u * 60 * 24 * 24)
#define TCP_PAWS_MSL_S          60u
#define TCP_PAWS_WINDOW         1
#define TCPOLEN_TSTAMP_ALIGNED_ 12u
#define MAX_TCP_HEADER          (MAX_HEADER + 60 + 60 + 8)

#define TCP_TIMEWAIT_NS         (60 * NSEC_PER_SEC)
#define TCP_TIMEOUT_INIT_US     1000000u   /* RFC 6298 2.1 */
#define TCP_TIMEOUT_FALLBACK_US 3000000u   /* RFC 6298 5.7 */
#define TCP_RTO_MAX_US          120000000u /* RFC 6298 2.5 */
#define TCP_DELACK_MIN_US       40000u
#define TCP_DELACK_MAX_US       200000u /* RFC 9293 3.8.6.3: below 500 ms */
#define TCP_ATO_MIN_US          40000u
#define TCP_RESOURCE_PROBE_US   500000u
#define TCP_THIN_LINEAR_RETRIES 6
#define TCP_MAX_ORPHANS         8192u

/* ---- what an skb means to TCP ------------------------------------------------------------------------ */

#define TCPCB_SACKED_ACKED   0x01 /* the peer has it (SACK) */
#define TCPCB_SACKED_RETRANS 0x02 /* sent again, this copy still in flight */
#define TCPCB_LOST           0x04
#define TCPCB_TAGBITS        0x07
#define TCPCB_EVER_RETRANS   0x80 /* Karn: no RTT sample from it */
#define TCPCB_RETRANS        (TCPCB_SACKED_RETRANS | TCPCB_EVER_RETRANS)

struct tcp_skb_cb {
	u32 seq;
	u32 end_seq; /* seq + FIN + SYN + payload */
	union {
		u32 ack_seq;          /* received */
		struct {              /* to send */
			u16 gso_segs; /* wire segments it makes now; 0: not set yet */
			u16 gso_size;
		};
	};
	u8 tcp_flags; /* TCP_FLAG_* */
	u8 sacked;    /* TCPCB_* */
	u8 ip_dsfield;
	u8 eor : 1, fin_seen : 1, urg : 1;
	u8 tx_tstamp : 1; /* SO_TIMESTAMPING: octet skb_shinfo()->tskey is of interest */
	union {
		struct inet_skb_parm header; /* received: what IP said, kept for recvmsg() */
		struct {                     /* to send */
			u64 sent_ns;         /* last transmission */
			struct list_head
				tsorted; /* flight->tsorted; next is NULL: not on it (tcp_rack.c) */
			struct tcp_tx_sample { /* as it was then: tcp_rate.c */
				u32 first_tx_us, delivered_us, delivered, delivered_ce, lost;
				u32 in_flight : 30, app_limited : 1;
				u32 pending : 1; /* no sample was taken from it yet */
			} tx;
		};
	};
};
#define TCP_TX_IN_FLIGHT_MAX 0x3fffffffu
#define TCP_SKB_CB(skb)      ((struct tcp_skb_cb *)(skb)->cb)
static_assert(sizeof(struct tcp_skb_cb) <= SKB_CB_SIZE, "cb");

static inline u32 tcp_skb_pcount(const struct sk_buff *skb)
{
	return TCP_SKB_CB(skb)->gso_segs;
}
static inline u32 tcp_skb_mss(const struct sk_buff *skb)
{
	return TCP_SKB_CB(skb)->gso_size;
}

/* ---- congestion control ------------------------------------------------------------------------------ */

enum tcp_ca_event {
	CA_EVENT_TX_START,
	CA_EVENT_CWND_RESTART,
	CA_EVENT_COMPLETE_CWR,
	CA_EVENT_LOSS,
	CA_EVENT_ECN_IS_CE, /* needs_ecn: data came in that was marked, or was not */
	CA_EVENT_ECN_NO_CE
};

struct ack_sample {
	u32 pkts_acked; /* newly delivered by this ACK */
	s32 rtt_us;     /* -1: none */
	u32 in_flight;
};

/*
 * What an ACK tells about the path (tcp_rate.c). For every ACK that cong_control() is called for; what is -1 is not known from this one.
 * delivered packets took interval_us: their quotient is a sample of the delivery rate.
 */
struct rate_sample {
	s64 interval_us;     /* the longer of the two below; -1: no sample */
	s32 delivered;       /* packets over the interval; -1: no sample */
	s32 delivered_ce;    /* those of them that were marked (ECN) */
	s32 lost;            /* marked lost over the interval */
	s64 rtt_us;          /* of the newest segment that this ACK covers; -1: none */
	u32 acked_sacked;    /* newly delivered by this ACK */
	u32 losses;          /* newly marked lost because of this ACK */
	u32 prior_in_flight; /* before this ACK */
	u32 tx_in_flight;    /* with the segment that the sample is from, when it was sent */
	/* tp->delivered, delivered_ce, lost, and when delivered had last grown, as that segment was sent */
	u32 prior_delivered, prior_delivered_ce, prior_lost, prior_us;
	u32 snd_interval_us, rcv_interval_us;
	u32 last_end_seq;
	u64 sent_ns;
	bool valid;          /* the ACK covers a segment that none covered before */
	bool is_app_limited; /* the program had not filled the pipe: a lower bound */
	bool is_retrans;
	bool is_ack_delayed; /* probably: one lone segment was acknowledged */
	bool is_ece;
};

/* One algorithm: const, registered per machine. All members: softirq or user context, cpu lock held; must not block. */
struct tcp_congestion_ops {
	const char *name;
	/* required: the new slow start threshold on loss */
	u32 (*ssthresh)(struct sock *sk);
	/* required: window growth for @acked packets newly acknowledged up to @ack, outside recovery */
	void (*cong_avoid)(struct sock *sk, u32 ack, u32 acked);
	/*
	 * optional: replaces cong_avoid() and proportional rate reduction: called at the end of every ACK in all states, sets snd_cwnd
	 * (and a pacing rate) itself. @flag: FLAG_* of this ACK.
	 */
	void (*cong_control)(struct sock *sk, u32 ack, u32 flag, const struct rate_sample *rs);
	/* required: the window to return to when a reduction turned out to be wrong */
	u32 (*undo_cwnd)(struct sock *sk);
	void (*init)(struct sock *sk);                                   /* optional */
	void (*release)(struct sock *sk);                                /* optional */
	void (*set_state)(struct sock *sk, u8 new_state);                /* optional */
	void (*cwnd_event)(struct sock *sk, enum tcp_ca_event ev);       /* optional */
	void (*pkts_acked)(struct sock *sk, const struct ack_sample *s); /* optional */
	u32 (*min_tso_segs)(const struct sock *sk); /* optional: least segments in a unit */
	/* optional: what ss(8) shows; octets put into *ret_info, *ret_attr: INET_DIAG_*INFO */
	u32 (*get_info)(struct sock *sk, union tcp_cc_info *ret_info, u16 *ret_attr);
	/* Octets of state, zeroed: inet_csk_ca() up to ICSK_CA_PRIV_SIZE, tcp_ca_state() if it is more. */
	u32 priv_size;
	bool restricted; /* needs CAP_NET_ADMIN to choose */
	bool needs_ecn;  /* offers ECN whatever the sysctl says, and hears of each mark */
};

/* ---- per net, per machine ---------------------------------------------------------------------------- */

#define TCP_CONG_MAX     16
#define TCP_CA_NAME_SIZE 16 /* with the NUL */

struct tcp_machine { /* machine->tcp */
	const struct tcp_congestion_ops
		*cong[TCP_CONG_MAX]; /* rtnl; published pointers, first is the default */
	u32 nr_cong;
};

struct sysctl_table;
struct tcp_af_ops;
struct tcp_metrics_table; /* tcp_metrics.c */

#define TCP_FASTOPEN_COOKIE_MAX_ 16

/* RFC 7413 2: what a server knows its client by. */
struct tcp_fastopen_cookie {
	s8 len;   /* -1: none, 0: asks for one */
	bool exp; /* carried in the experimental option (RFC 6994) */
	u8 try_exp; /* which option was asked with last, while there is none: 1 experimental, 2 both failed */
	u8 val[TCP_FASTOPEN_COOKIE_MAX_];
};

struct tcp_fastopen_keys { /* the second is valid, but not given out */
	u64 key[2][2];
	u32 num;
};

struct tcp_cubic_params { /* cong/cubic.c */
	u32 beta, bic_scale, fast_convergence, hystart, hystart_ack_delta_us, hystart_detect,
		hystart_low_window, initial_ssthresh, tcp_friendliness;
};

struct netns_tcp {
	struct inet_hashinfo hashinfo;
	const struct tcp_af_ops *af_ops[2]; /* AF_INET, AF_INET6: tcp_af() */
	u64 isn_key[2];
	u64 cookie_key[2][2];              /* syncookies.c */
	struct tcp_metrics_table *metrics; /* NULL until needed */
	struct tcp_fastopen_keys fastopen_keys;
	u32 fastopen, fastopen_blackhole_timeout_s, rto_max_ms;
	u8 syn_linear_timeouts;
	u32 tfo_blackholes; /* noticed in a row, the last at: */
	u64 tfo_blackhole_ns;
	const struct tcp_congestion_ops *cong_default;
	struct sock_mem mem; /* net.ipv4.tcp_mem */
	u32 orphan_count, tw_count;
	u32 challenge_left;  /* challenge ACKs of this second */
	u64 challenge_epoch; /* s */

	/* sysctls: tcp_sysctl.c */
	u32 rmem[3], wmem[3];
	u32 rto_min_us, max_tw_buckets, max_orphans, notsent_lowat, limit_output_bytes,
		invalid_ratelimit_ms, min_snd_mss, min_rtt_wlen_s, tw_reuse_delay_ms;
	/* Linux takes any number: what makes no sense is as its users say. */
	s32 max_syn_backlog, challenge_ack_limit, base_mss, probe_threshold, keepalive_time_s,
		keepalive_intvl_s, fin_timeout_s;
	u32 reordering, max_reordering;        /* tcp_reordering_least(), tcp_reordering_most() */
	u32 mtu_probe_floor, probe_interval_s; /* tcp_mtu_probe.c */
	u8 mtu_probing;
	u8 shrink_window;
	u8 keepalive_probes, syn_retries, synack_retries, retries1, retries2, orphan_retries,
		window_scaling, timestamps, sack, dsack, tw_reuse, abort_on_overflow,
		moderate_rcvbuf, slow_start_after_idle, thin_linear_timeouts, retrans_collapse,
		reflect_tos, rfc1337, no_metrics_save, no_ssthresh_metrics_save, early_retrans,
		recovery, frto, ecn, ecn_fallback, ecn_option, ecn_option_beacon, syncookies,
		stdurg, workaround_signed_windows, app_win, fwmark_accept;
	u8 plb_enabled, plb_idle_rehash_rounds, plb_rehash_rounds,
		plb_suspend_rto_s; /* tcp_plb.c */
	u32 plb_cong_thresh;
	/* Beside early_demux kept for programs that set them: what they were for is not there, or is always so. */
	u8 fack, early_demux, l3mdev_accept;
	s32 adv_win_scale, low_latency;
	u32 child_ehash_entries;
	u32 init_cwnd;
	u32 pacing_ss_ratio, pacing_ca_ratio, min_tso_segs, tso_rtt_log; /* tcp_pacing.c */
	u64 comp_sack_delay_ns, comp_sack_slack_ns;                      /* tcp_sack.c */
	u8 comp_sack_nr, pingpong_thresh, autocorking, backlog_ack_defer;
	u32 tso_win_divisor;
	struct tcp_cubic_params cubic;
};

/* ---- the connection ---------------------------------------------------------------------------------- */

struct tcp_auth;      /* tcp_auth.h */
struct tcp_info_uapi; /* tcp_info.h */

/*
 * What holds only while segments are in flight, or a recovery is not over yet: in one slot of the packets' memory (packet_slot_alloc()).
 * It comes with the first segment of the retransmit queue, begins with zeroes, fack = rexmit_seq = lost_seq = high_seq = snd_una, and goes by
 * tcp_flight_put() when the queue is empty, the state is Open and nothing can be undone any more. While there is none
 * tp->flight is &tcp_no_flight, all zero and const: reading needs no check; who writes makes sure that there is one: a
 * segment in the queue, or tcp_flight_get().
 */
struct tcp_flight {
	/* tcp_output.c */
	struct rb_root rtx_queue;
	u32 cwnd_usage_seq; /* end of the round trip whose use of the window max_packets_out tells */
	struct tasklet corked; /* pushes what SOCK_AUTOCORKED has kept back */
	struct sock *sk;
	struct sk_buff *
		retransmit_hint; /* nothing before it needs a retransmission; NULL: start at the head */

	/* tcp_sack.c */
	u32 fack; /* highest sequence number known to have arrived */
	struct tcp_sack_block
		sack_cache; /* a range that is SACKed through and through; empty: none */

	u32 rexmit_seq; /* nothing that lies beyond was sent more than once; of what was acknowledged: nothing in the queue was */

	/* tcp_recovery.c */
	u32 lost_seq; /* what lies below was looked at by tcp_mark_lost(): holes are marked */
	u32 high_seq, prior_cwnd, prior_ssthresh, prr_delivered, prr_out;
	u32 undo_marker, retrans_stamp; /* ms | 1; 0: nothing was sent again */
	s32 undo_retrans;

	/* tcp_rack.c */
	struct list_head tsorted; /* skbs in flight by the time they were sent last */
	u64 rack_sent_ns;         /* the newest transmission that is known to have arrived, */
	u32 rack_end_seq;         /* where it ended, */
	u32 rack_rtt_us;          /* and how long it took */
	bool rack_advanced;       /* since losses were looked for last */
	bool tlp_retrans;         /* the probe was a retransmission */
	u32 tlp_high_seq;         /* snd_nxt when the probe was sent; 0: none is out */

	/* tcp_rate.c: when the last segment that was acknowledged had been sent; when delivered grew */
	u32 first_tx_us, delivered_us;

	/* tcp_mtu_probe.c: the probe under way, a segment of its own; size: of the packet, 0: none */
	u32 mtu_probe_start, mtu_probe_end;
	u16 mtu_probe_size;
};
extern const struct tcp_flight tcp_no_flight;

/*
 * What holds only while segments wait out of order, or a duplicate waits to be reported: another such slot. tp->ofo is NULL without.
 * tcp_reass.c: the tree; tcp_sack.c: the blocks (tp->num_sacks and tp->dsack_pending say which of them hold), and ACKs that wait.
 */
struct tcp_ofo {
	struct rb_root queue; /* by sequence number */
	struct tcp_sack_block selective_acks[TCP_MAX_SACK_BLOCKS], duplicate_sack;
	struct sock *sk;
	struct hrtimer ack_timer; /* armed while ACKs wait */
	u32 compressed_acks;      /* how many do */
	u32 dup_acks;             /* that were sent at once, for this */
	u32 dup_rcv_nxt;
};

/*
 * What few programs ask for: sk->sk_rare with TCP's members behind it. Allocated at the first use (tcp_rare_get(), which may fail: user
 * context and new children only), freed with the sock. tcp_rare() is NULL without, then all members are as if 0.
 */
struct tcp_rare {
	struct sock_rare rare;                   /* must be first */
	u32 notsent_lowat;                       /* TCP_NOTSENT_LOWAT; 0: the net's */
	u16 keepalive_time_s, keepalive_intvl_s; /* 0: the net's */
	u8 keepalive_probes;                     /* 0: the net's */
	s8 linger2_s;                            /* 0: the net's; -1: no FIN_WAIT2 for orphans */
	u8 defer_accept;                         /* SYN-ACK retransmissions to wait for data */
	struct tcp_pacing *pacing;               /* tcp_pacing.c */
	struct tcp_fastopen *tfo;                /* tcp_fastopen.c */
	struct tcp_saved_syn *saved_syn;         /* TCP_SAVED_SYN, until it is read */
	struct tcp_accecn *accecn;               /* tcp_accecn.c */
	u32 rto_min_us, rto_max_ms;              /* 0: the net's */
	u32 tx_delay_us;                         /* TCP_TX_DELAY */
	u8 save_syn;      /* TCP_SAVE_SYN: 1 from the IP header on, 2 from the link-layer header */
	bool recvmsg_inq; /* TCP_INQ */
	struct tcp_auth *auth; /* tcp_auth.h; NULL: no keys */
	void *ca_state; /* of an algorithm that needs more than ICSK_CA_PRIV_SIZE: tcp_ca_state() */
};

/* What a connection is held up by. */
enum tcp_chrono {
	TCP_CHRONO_IDLE,
	TCP_CHRONO_BUSY,           /* there is something to send or to be acknowledged */
	TCP_CHRONO_RWND_LIMITED,   /* the peer's window holds it back */
	TCP_CHRONO_SNDBUF_LIMITED, /* the program would write more if the send buffer had room */
	TCP_CHRONO_TYPES
};

/* The owner of each group writes it; others read. */
struct tcp_sock {
	struct inet_connection_sock icsk; /* must be first */

	/* every segment, both ways */
	u32 pred_flags; /* length, ACK and window of the expected segment, a raw word of the header; 0: no prediction */
	u32 rcv_nxt, copied_seq, rcv_wup, rcv_wnd;
	u32 snd_una, snd_nxt, write_seq, snd_wnd, snd_wl1;
	u16 tcp_header_len; /* options that every segment carries included */
	u16 mss_cache;      /* payload per segment now, options deducted */
	u32 ts_recent, tsoffset;
	u32 ts_recent_stamp;      /* s */
	u32 rcv_tstamp, lsndtime; /* ms: last ACK in, last data out */
	u8 tstamp_ok : 1, sack_ok : 1, wscale_ok : 1, dsack_pending : 1, is_cwnd_limited : 1,
		is_orphan : 1, urg_out : 1, rate_app_limited : 1;
	u8 chrono_type : 2; /* enum tcp_chrono */
	u8 fin_waits : 1;   /* there was no memory for the FIN: it has no number yet */
	/* tcp_fastopen.c. syn_data: octets went with the SYN; syn_data_acked: and the SYN-ACK took them, or ours took the peer's;
	 * syn_fastopen: the SYN had the option; tfo_probe: it tries whether a blackhole is gone. */
	u8 tfo_passive : 1, syn_data : 1, syn_data_acked : 1, syn_fastopen : 1,
		syn_fastopen_exp : 1, tfo_probe : 1;
	u8 repair : 1, repair_queue : 2; /* tcp_repair.c */
	u8 frto : 1; /* RFC 5682 is at work: the timeout may have been spurious */
	u8 is_sack_reneg : 1, thin_lto : 1;
	u8 write_pending : 1; /* SYN_SENT: a send call waits for the handshake */
	u8 snd_wscale : 4, rcv_wscale : 4;
	u8 nonagle;   /* TCP_NAGLE_* */
	u8 ecn_flags; /* TCP_ECN_*: tcp_ecn.c */
	u8 num_sacks;

	/* transmit: tcp_output.c, tcp_ack.c; the counts by the marks: tcp_sack.c, tcp_recovery.c */
	struct tcp_flight *flight; /* never NULL */
	u32 packets_out, sacked_out, lost_out, retrans_out;
	u32 snd_cwnd, snd_cwnd_cnt, snd_ssthresh, max_packets_out;
	u32 srtt_us;   /* << 3 */
	u32 rttvar_us; /* << 2 */
	u32 snd_sml, pushed_seq, max_window;
	u16 reordering;                                             /* tcp_recovery.c */
	u8 reo_wnd_steps, reo_wnd_persist : 5, rack_dsack_seen : 1; /* tcp_rack.c */
	u32 rack_last_delivered; /* tp->delivered when reo_wnd_steps was changed last */
	u16 advmss, user_mss, mss_clamp;
	u16 mtup_low, mtup_high; /* tcp_mtu_probe.c: of packets. mtup_low 0: no probing */

	/* receive: tcp_input.c */
	u32 rcv_ssthresh, window_clamp;
	u32 rcv_rtt_us, rcvq_space, rcvq_seq, rcvq_time; /* time: us */
	u32 urg_seq, snd_up;                             /* tcp_urg.c */
	u16 urg_data;                                    /* TCP_URG_* */
	u32 mtup_stamp;                                  /* s: tcp_mtu_probe.c */
	struct tcp_ofo *ofo;                             /* NULL: nothing is out of order */

	/* accounting */
	u64 bytes_acked, bytes_received, bytes_sent, bytes_retrans;
	u32 total_retrans;
	u16 total_rto, total_rto_recoveries;
	u32 total_rto_ms,
		rto_stamp; /* ms | 1: such a recovery is going on since then; tcp_total_rto_ms() */
	u32 segs_in, segs_out, data_segs_in, data_segs_out;
	u32 dsack_dups, reord_seen, rcv_ooopack;

	/* tcp_rate.c; the counts: tcp_ack.c, tcp_recovery.c */
	u32 delivered, delivered_ce, lost;
	u32 app_limited;                      /* until delivered is beyond this; 0: not */
	u32 rate_delivered, rate_interval_us; /* the sample that tcp_info shows */
	u32 chrono_start, chrono_ms[TCP_CHRONO_TYPES - 1];

	u32 min_rtt_us;
	u32 last_oow_ack;  /* ms */
	u32 probes_stamp;  /* ms | 1: the first probe of the window that is closed now; 0: none */
	u16 min_rtt_stamp; /* 2 s */
	u16 plb_rehash;    /* tcp_plb.c: how often */
};

static_assert(sizeof(struct socket) + sizeof(struct tcp_sock) < 1024,
	      "a connection's memory (DESIGN 5)");
static_assert(sizeof(struct tcp_flight) <= PACKET_SLOT_SIZE &&
		      sizeof(struct tcp_ofo) <= PACKET_SLOT_SIZE,
	      "slots");

#define TCP_ECN_OK         1u  /* both ends use RFC 3168's */
#define TCP_ECN_QUEUE_CWR  2u  /* the window was reduced: the next new data says so */
#define TCP_ECN_DEMAND_CWR 4u  /* a mark came in: ACKs say so */
#define TCP_ECN_SEEN       8u  /* the peer's data is ECT */
#define TCP_ECN_ACCECN     16u /* both ends use RFC 9768's; in SYN_SENT: it is offered */
#define TCP_ECN_ACE_SHIFT  5u
#define TCP_ECN_ACE_MASK   0xe0u /* its ACE field that the next ACK should have; without it 0 */
#define TCP_ECN_USED       (TCP_ECN_OK | TCP_ECN_ACCECN)

#define TCP_NAGLE_OFF  1 /* TCP_NODELAY */
#define TCP_NAGLE_CORK 2
#define TCP_NAGLE_PUSH 4 /* cork was lifted: send what is there once */

static inline struct tcp_sock *tcp_sk(const struct sock *sk)
{
	return (struct tcp_sock *)sk;
}
/* NULL: the program asked for none of it. */
static inline struct tcp_rare *tcp_rare(const struct sock *sk)
{
	return (struct tcp_rare *)sk->sk_rare;
}
extern const struct tcp_congestion_ops tcp_reno;
/* What steers the window: the chosen algorithm while it is initialised; for SYNs, and after its release, Reno, which has no state. */
static inline const struct tcp_congestion_ops *tcp_ca(const struct sock *sk)
{
	return likely(inet_csk(sk)->icsk_ca_initialized) ? inet_csk(sk)->icsk_ca_ops : &tcp_reno;
}
/* Congestion control with more than ICSK_CA_PRIV_SIZE octets of state; from its init() on. */
static inline void *tcp_ca_state(const struct sock *sk)
{
	return tcp_rare(sk)->ca_state;
}
/* NULL: no memory */
static inline struct tcp_rare *tcp_rare_get(struct sock *sk)
{
	return (struct tcp_rare *)sock_rare(sk);
}
static inline struct netns_tcp *tcp_net(const struct sock *sk)
{
	return sk->sk_net->tcp;
}
static inline u64 tcp_now_ns(const struct sock *sk)
{
	return sk->sk_cpu->now;
}
static inline u32 tcp_now_ms(const struct sock *sk)
{
	return (u32)(sk->sk_cpu->now / NSEC_PER_MSEC);
}
/* The same for stamps of which 0 means none. */
static inline u32 tcp_stamp_ms(const struct sock *sk)
{
	u32 now = tcp_now_ms(sk);

	return now ? now : 1;
}
static inline u32 tcp_now_us(const struct sock *sk)
{
	return (u32)(sk->sk_cpu->now / NSEC_PER_USEC);
}
static inline u32 tcp_now_s(const struct sock *sk)
{
	return (u32)(sk->sk_cpu->now / NSEC_PER_SEC);
}
/* How long ago something was sent. It may still wait for its time (tcp_pacing.c): then 0. */
static inline u64 tcp_us_since(const struct sock *sk, u64 sent_ns)
{
	u64 now = tcp_now_ns(sk);

	return likely(now > sent_ns) ? (now - sent_ns) / NSEC_PER_USEC : 0;
}
/*
 * Was an answer to something invalid sent less than tcp_invalid_ratelimit ago? @last: ms, 0 never; as 0 is taken, a stamp of time 0 is
 * 1 and may be one ahead of @now. Two ends that disagree would else answer each other for ever within that millisecond.
 */
static inline bool tcp_oow_limited(u32 last, u32 now, const struct netns_tcp *net)
{
	return last && now + 1 - last <= net->invalid_ratelimit_ms;
}
/* All connections of the net take much memory (tcp_mem): none may grow. */
static inline bool tcp_under_memory_pressure(const struct sock *sk)
{
	return unlikely(tcp_net(sk)->mem.pressure_ns);
}
/* What tp->reordering begins with, and may become. */
static inline u16 tcp_reordering_least(const struct sock *sk)
{
	return (u16)min(tcp_net(sk)->reordering, 65535u);
}
static inline u16 tcp_reordering_most(const struct sock *sk)
{
	return (u16)min(tcp_net(sk)->max_reordering, 65535u);
}
/* RFC 7323 5.4: our timestamp clock ticks once a millisecond. */
static inline u32 tcp_tsval(const struct sock *sk)
{
	return tcp_now_ms(sk) + tcp_sk(sk)->tsoffset;
}

/* Headers of a SYN (TCP_SAVE_SYN). */
struct tcp_saved_syn {
	u32 len;
	u8 octets[];
};

/* A listener's SYN, until its handshake is complete. */
struct tcp_request_sock {
	struct request_sock req; /* must be first */
	u32 rcv_isn, snt_isn, rcv_nxt, ts_off, ts_recent;
	u32 rcv_wnd; /* as offered in the SYN-ACK */
	u32 window_clamp;
	u32 last_oow_ack;
	u64 snt_synack; /* ns */
	struct tcp_saved_syn *saved_syn;
	u8 tstamp_ok : 1, sack_ok : 1, wscale_ok : 1, got_ack : 1, ecn_ok : 1;
	u8 accecn_ok : 1, syn_ect : 2; /* codepoint of the SYN */
	u8 synacks : 3;                /* SYN-ACKs that were made, up to 7 */
	u8 ao_used : 1;                /* tcp_ao.c: the SYN was signed, and asked for these two */
	u8 snd_wscale : 4, rcv_wscale : 4;
	u8 ao_keyid, ao_rcv_next;
};
#define tcp_rsk(req_) ((struct tcp_request_sock *)(req_))

/* RFC 9293 3.10.7.4 TIME-WAIT, and orphans in FIN-WAIT-2 (tw_substate). */
struct tcp_timewait_sock {
	struct inet_timewait_sock tw; /* must be first */
	u32 rcv_nxt, snd_nxt, rcv_wnd, ts_offset, ts_recent, ts_recent_stamp, last_oow_ack;
	u32 entry_ms;          /* when the connection ended */
	struct tcp_auth *auth; /* the connection's keys; NULL: none */
	bool saw_tstamp;
};
static_assert(sizeof(struct tcp_timewait_sock) <= 4 * CACHE_LINE,
	      "a server that closes first has one for each connection of a minute");
#define tcp_twsk(sk_) ((struct tcp_timewait_sock *)(sk_))

/*
 * A segment as the steps of RFC 9293 3.10.7 share it: header and options in host order, and what the steps found out.
 * The skb's data is at the payload.
 */
struct tcp_seg {
	struct sk_buff *skb; /* NULL once a step has consumed it */
	u32 seq, end_seq, ack;
	u32 len;    /* payload octets */
	u32 window; /* not scaled */
	u32 urg_ptr;
	u8 flags;
	bool opts_parsed;
	bool saw_tstamp;
	u32 tsval, tsecr;
	u32 pred; /* raw header word 3: what pred_flags is compared with */
	struct tcp_opts_view opts;
};

/* ---- queues of originals ----------------------------------------------------------------------------- */

static inline struct sk_buff *tcp_rb_skb(const struct rb_node *n)
{
	return n ? container_of(n, struct sk_buff, rbnode) : NULL;
}
static inline struct sk_buff *tcp_rtx_queue_head(const struct sock *sk)
{
	return tcp_rb_skb(rb_first(&tcp_sk(sk)->flight->rtx_queue));
}
static inline struct sk_buff *tcp_rtx_queue_tail(const struct sock *sk)
{
	return tcp_rb_skb(rb_last(&tcp_sk(sk)->flight->rtx_queue));
}
static inline struct sk_buff *tcp_skb_next(const struct sk_buff *skb)
{
	return tcp_rb_skb(rb_next(&skb->rbnode));
}
static inline struct sk_buff *tcp_skb_prev(const struct sk_buff *skb)
{
	return tcp_rb_skb(rb_prev(&skb->rbnode));
}
static inline bool tcp_rtx_queue_empty(const struct sock *sk)
{
	return RB_EMPTY_ROOT(&tcp_sk(sk)->flight->rtx_queue);
}
static inline bool tcp_ofo_empty(const struct tcp_sock *tp)
{
	return likely(!tp->ofo) || RB_EMPTY_ROOT(&tp->ofo->queue);
}
static inline struct sk_buff *tcp_ofo_head(const struct tcp_sock *tp)
{
	return tp->ofo ? tcp_rb_skb(rb_first(&tp->ofo->queue)) : NULL;
}
static inline struct sk_buff *tcp_send_head(const struct sock *sk)
{
	return skb_peek(&sk->sk_write_queue);
}
static inline struct sk_buff *tcp_write_queue_tail(const struct sock *sk)
{
	return skb_peek_tail(&sk->sk_write_queue);
}
static inline u32 tcp_packets_in_flight(const struct tcp_sock *tp)
{
	/* RFC 6675 4 "pipe": what is in the network, as far as the marks tell. */
	return tp->packets_out - (tp->sacked_out + tp->lost_out) + tp->retrans_out;
}
static inline u32 tcp_left_out(const struct tcp_sock *tp)
{
	return tp->sacked_out + tp->lost_out;
}
static inline bool tcp_in_slow_start(const struct tcp_sock *tp)
{
	return tp->snd_cwnd < tp->snd_ssthresh;
}
static inline bool tcp_in_initial_slowstart(const struct tcp_sock *tp)
{
	return tp->snd_ssthresh >= TCP_INFINITE_SSTHRESH;
}
static inline u32 tcp_wnd_end(const struct tcp_sock *tp)
{
	return tp->snd_una + tp->snd_wnd;
}
static inline u32 tcp_min_rtt(const struct tcp_sock *tp)
{
	return tp->min_rtt_us;
}
static inline u32 tcp_receive_window(const struct tcp_sock *tp)
{
	s32 win = (s32)(tp->rcv_wup + tp->rcv_wnd - tp->rcv_nxt);

	return win < 0 ? 0 : (u32)win;
}
/* Half of a buffer is for payload, half for the memory around it. */
static inline u32 tcp_win_from_space(u32 space)
{
	return space >> 1;
}
static inline u32 tcp_space(const struct sock *sk)
{
	return sk->sk_rmem_alloc >= sk->sk_rcvbuf
		       ? 0
		       : tcp_win_from_space(sk->sk_rcvbuf - sk->sk_rmem_alloc);
}
static inline u32 tcp_full_space(const struct sock *sk)
{
	return tcp_win_from_space(sk->sk_rcvbuf);
}
/* The window becomes small, and stays so until octets come in without pressure. */
static inline void tcp_adjust_rcv_ssthresh(struct sock *sk)
{
	tcp_sk(sk)->rcv_ssthresh = min(tcp_sk(sk)->rcv_ssthresh, 4u * tcp_sk(sk)->advmss);
}
static inline bool tcp_under_ca_recovery(const struct sock *sk)
{
	return inet_csk(sk)->icsk_ca_state >= TCP_CA_CWR;
}

/* ---- tcp.c ------------------------------------------------------------------------------------------- */

extern const struct proto tcp_prot_v4, tcp_prot_v6;
void tcp_init_sock(struct sock *sk);
void tcp_set_state(struct sock *sk, u8 state);
void tcp_done(struct sock *sk);
void tcp_reset(struct sock *sk);     /* a valid RST came */
void tcp_write_err(struct sock *sk); /* gives up: sk_err_soft or ETIMEDOUT */
void tcp_write_queue_purge(struct sock *sk);
void tcp_rtx_unlink_and_free(struct sock *sk, struct sk_buff *skb);
void tcp_wmem_free_skb(struct sock *sk, struct sk_buff *skb);
u32 tcp_poll(struct socket *sock);
int tcp_wait_connect(struct sock *sk, u64 *timeo); /* 0 or -errno */
void tcp_cleanup_rbuf(struct sock *sk, u32 copied);
void tcp_send_fin(struct sock *sk);
void tcp_stream_write_space(struct sock *sk);
u64 tcp_fin_time_ns(const struct sock *sk);
int tcp_disconnect(struct sock *sk, int flags);
bool tcp_check_oom(const struct sock *sk,
		   u32 shift); /* too many orphans (counting 2^shift), or no memory */
bool tcp_need_reset(u8 state); /* does the peer have to be told when the connection is given up? */
u32 keepalive_time_s(const struct sock *sk);
u32 keepalive_intvl_s(const struct sock *sk);
u32 keepalive_probes(const struct sock *sk);

/* ---- tcp_pacing.c -------------------------------------------------------------------------------------- */

u64 tcp_pacing_rate(const struct sock *sk); /* octets/s now, paced or not */
bool tcp_is_paced(const struct sock *sk);
/* For congestion control: the connection is paced from now on. */
void tcp_set_pacing_rate(struct sock *sk, u64 octets_per_s);
static inline bool tcp_may_be_paced(const struct sock *sk)
{
	return unlikely(sk->sk_rare || sock_flag(sk, SOCK_FQ_PACED));
}
bool __tcp_pacing_wait(struct sock *sk);
/* Is it too early to send? Then a timer will go on. */
static inline bool tcp_pacing_wait(struct sock *sk)
{
	return tcp_may_be_paced(sk) && __tcp_pacing_wait(sk);
}
/* @skb, the clone of what has @cb, leaves with @octets of payload: when. */
void __tcp_pacing_xmit(struct sock *sk, struct sk_buff *skb, struct tcp_skb_cb *cb, u32 octets);
static inline void tcp_pacing_xmit(struct sock *sk, struct sk_buff *skb, struct tcp_skb_cb *cb,
				   u32 octets)
{
	if (tcp_may_be_paced(sk))
		__tcp_pacing_xmit(sk, skb, cb, octets);
}
void __tcp_pacing_failed(struct sock *sk);
/* What tcp_pacing_xmit() has just been told of did not leave. */
static inline void tcp_pacing_failed(struct sock *sk)
{
	if (tcp_may_be_paced(sk))
		__tcp_pacing_failed(sk);
}
void tcp_add_tx_delay(const struct sock *sk, struct sk_buff *skb); /* TCP_TX_DELAY */
void tcp_pacing_room(struct sock *sk, u32 truesize); /* so much is about to be uncharged */
u64 __tcp_pacing_delay_ns(const struct sock *sk);
/* How long the last segment still waits for its time. */
static inline u64 tcp_pacing_delay_ns(const struct sock *sk)
{
	return unlikely(sock_flag(sk, SOCK_FQ_PACED)) ? __tcp_pacing_delay_ns(sk) : 0;
}
void tcp_pacing_stop(struct sock *sk); /* no timer fires any more */
void tcp_pacing_free(struct sock *sk);
/* Segments in a unit: TSO autosizing. */
u32 tcp_tso_segs(const struct sock *sk, u32 mss);

/* ---- tcp_ecn.c ----------------------------------------------------------------------------------------- */

u8 tcp_ecn_send_syn(struct sock *sk);
void tcp_ecn_clear_syn(struct sock *sk, struct sk_buff *skb);
void tcp_ecn_rcv_syn_sent(struct sock *sk, const struct tcp_seg *seg);
void tcp_ecn_accept_syn(const struct sock *sk, const struct dst_entry *dst,
			const struct tcp_seg *seg, struct tcp_request_sock *treq);
/* The ACK @seg that a cookie came back with: was the handshake AccECN's? */
bool tcp_ecn_cookie_is_accecn(const struct sock *listener, const struct tcp_seg *seg);
u16 tcp_ecn_synack_flags(const struct tcp_request_sock *treq);
void tcp_ecn_child(struct sock *child, const struct tcp_request_sock *treq);
void tcp_ecn_init(struct sock *sk);
u16 tcp_ecn_send(struct sock *sk, const struct tcp_skb_cb *cb, u32 payload);
void tcp_ecn_accept_cwr(struct sock *sk, const struct tcp_seg *seg);
void __tcp_ecn_data(struct sock *sk, const struct sk_buff *skb);
static inline void tcp_ecn_data(struct sock *sk, const struct sk_buff *skb)
{
	if (unlikely(tcp_sk(sk)->ecn_flags & TCP_ECN_OK))
		__tcp_ecn_data(sk, skb);
}
/* The window was reduced, and the peer must know; or it was not to be. */
static inline void tcp_ecn_queue_cwr(struct tcp_sock *tp)
{
	if (tp->ecn_flags & TCP_ECN_OK)
		tp->ecn_flags |= TCP_ECN_QUEUE_CWR;
}
static inline void tcp_ecn_withdraw_cwr(struct tcp_sock *tp)
{
	tp->ecn_flags &= (u8)~TCP_ECN_QUEUE_CWR;
}
/* Do ACKs tell of marks from now on? */
static inline void tcp_ecn_demand_cwr(struct tcp_sock *tp, bool on)
{
	tp->ecn_flags =
		(u8)(on ? tp->ecn_flags | TCP_ECN_DEMAND_CWR : tp->ecn_flags & ~TCP_ECN_DEMAND_CWR);
}
/* Does this segment tell of a mark on what we have sent? */
static inline bool tcp_ecn_echo(const struct tcp_sock *tp, const struct tcp_seg *seg)
{
	return (seg->flags & (TCP_FLAG_ECE | TCP_FLAG_SYN)) == TCP_FLAG_ECE &&
	       (tp->ecn_flags & TCP_ECN_OK);
}

/* ---- tcp_accecn.c --------------------------------------------------------------------------------------- */

struct tcp_out_opts;

/* net.ipv4.tcp_ecn_option; 2, the default: as often as there is room */
#define TCP_ECN_OPTION_MINIMUM 1u
#define TCP_ECN_OPTION_PERSIST 3u
enum tcp_accecn_opt_seen { /* tcpi_accecn_opt_seen */
			   TCP_ACCECN_OPT_NOT_SEEN,
			   TCP_ACCECN_OPT_EMPTY_SEEN,
			   TCP_ACCECN_OPT_COUNTER_SEEN,
			   TCP_ACCECN_OPT_FAIL_SEEN
};
/* tcpi_accecn_fail_mode: what the path does not carry. */
#define TCP_ACCECN_ACE_FAIL_RECV                                                                   \
	2u /* the ACE field, or codepoints: we send nothing that may be marked */
#define TCP_ACCECN_OPT_FAIL_RECV 8u

u16 tcp_ace_flags(u32 ace);             /* TCP_FLAG_* of a field */
bool tcp_accecn_offer(struct sock *sk); /* false: no memory */
void tcp_accecn_rcv_synack(struct sock *sk, const struct tcp_seg *seg, u8 sent);
void tcp_accecn_child(struct sock *child, u8 syn_ect);
void tcp_accecn_free(struct sock *sk);
u16 tcp_accecn_synack_flags(u8 syn_ect, u32 retries);
u16 tcp_accecn_send(struct sock *sk, const struct tcp_skb_cb *cb);
bool tcp_accecn_may_mark(const struct sock *sk);
/* Adds the option if it is to be sent and fits; the octets that it takes. */
u32 tcp_accecn_option(struct sock *sk, const struct tcp_skb_cb *cb, u32 payload, u32 hdr_len,
		      struct tcp_out_opts *o);
void tcp_accecn_synack_option(const struct netns_tcp *net, const struct tcp_request_sock *treq,
			      struct tcp_out_opts *o);
u8 *tcp_accecn_write(u8 *p, const struct tcp_out_opts *o);
void tcp_accecn_info(const struct sock *sk, struct tcp_info_uapi *info);
void __tcp_accecn_rcv(struct sock *sk, const struct tcp_seg *seg);
/* An acceptable segment came in. */
static inline void tcp_accecn_rcv(struct sock *sk, const struct tcp_seg *seg)
{
	if (unlikely(tcp_sk(sk)->ecn_flags & TCP_ECN_ACCECN))
		__tcp_accecn_rcv(sk, seg);
}
u32 __tcp_accecn_ack(struct sock *sk, const struct tcp_seg *seg, u32 delivered);
/* An acceptable ACK, the first of @delivered segments: how many more that we sent were marked? They are counted in delivered_ce. */
static inline u32 tcp_accecn_ack(struct sock *sk, const struct tcp_seg *seg, u32 delivered)
{
	return unlikely(tcp_sk(sk)->ecn_flags & TCP_ECN_ACCECN)
		       ? __tcp_accecn_ack(sk, seg, delivered)
		       : 0;
}

/* ---- tcp_sockopt.c ----------------------------------------------------------------------------------- */

int tcp_setsockopt(struct sock *sk, int level, int name, const void *val, socklen_t len);
int tcp_getsockopt(struct sock *sk, int level, int name, void *val, socklen_t *len);
void tcp_get_info(struct sock *sk, struct tcp_info_uapi *ret_info);

/* ---- tcp_ipv4.c, tcp_ipv6.c -------------------------------------------------------------------------- */

/* What TCP needs of an IP version for packets that belong to no full socket (yet, any more), and to open a connection. */
struct tcp_af_ops {
	const struct request_sock_ops *req_ops;
	const struct inet_connection_sock_af_ops *csk_ops; /* of its connections */
	int (*connect)(struct sock *sk, const struct sockaddr *addr, socklen_t len);
	/* May a connection begin with this SYN, as far as addresses go? borrow */
	bool (*syn_acceptable)(const struct sk_buff *skb);
	/* Addresses of a new request for @listener from its SYN. borrow */
	void (*init_req)(struct request_sock *req, const struct sock *listener,
			 const struct sk_buff *skb);
	/* A held route for the SYN-ACK; NULL: none */
	struct dst_entry *(*route_req)(const struct sock *listener, const struct request_sock *req);
	/* consumes; data at the TCP header, dst set. 0 or -errno */
	int (*xmit_synack)(const struct sock *listener, struct sk_buff *skb,
			   const struct request_sock *req);
	/* An ICMP error about @skb that says @err (EHOSTUNREACH ...). borrow. False: there is none that does */
	bool (*unreachable)(struct sk_buff *skb, int err);
	/* borrow @skb, which is answered with @segment (its checksum field is 0). */
	void (*reply)(struct net *net, struct sk_buff *skb, const void *segment, u32 len,
		      const struct ip_reply_arg *arg);
};

extern const struct tcp_af_ops tcp_v4_af_ops, tcp_v6_af_ops;
extern const struct inet_connection_sock_af_ops tcp_v4_csk_ops;
extern const struct net_protocol tcp_v4_protocol, tcp_v6_protocol;
int tcp_v4_connect(struct sock *sk, const struct sockaddr *addr, socklen_t len);

static inline const struct tcp_af_ops *tcp_af(const struct net *net, int family)
{
	return net->tcp->af_ops[family == AF_INET6];
}

/* ---- tcp_demux.c ------------------------------------------------------------------------------------- */

/* The headers of @skb, if @sk asks for them (IPV6_2292PKTOPTIONS); else NULL. */
struct sk_buff *__tcp_v6_pktoptions(const struct sock *sk, const struct sk_buff *skb);
static inline struct sk_buff *tcp_v6_pktoptions(const struct sock *sk, const struct sk_buff *skb)
{
	return likely(sk->sk_family == AF_INET) ? NULL : __tcp_v6_pktoptions(sk, skb);
}
struct tcp_isn {
	u32 seq;
	u32 ts_off; /* of our timestamps */
};
struct tcp_isn tcp_init_isn(struct net *net, const struct inet_tuple *t);
/* borrow @skb (data at the payload, transport header set); @sk may be NULL */
void tcp_send_reset(struct sock *sk, struct sk_buff *skb);
void tcp_reqsk_send_ack(struct sock *listener, struct sk_buff *skb, struct request_sock *req);
/* A received packet, data at the TCP header: checks it (@pseudo: sum of the pseudo header, if the checksum is still to be verified)
 * and makes it a segment, data at the payload. @tp: the trace point. NULL: consumed */
const struct tcp_hdr *tcp_rcv_header(struct sk_buff *skb, u32 pseudo, u8 dsfield, u16 tp);
/* The segment to what has the tuple @t. consumes */
void tcp_rcv_sock(struct sock *sk, struct sk_buff *skb, bool v6,
		  u8 ttl); /* that is for @sk. consume */
void tcp_rcv(struct sk_buff *skb, const struct inet_tuple *t, u8 ttl);
/* Early demux: the header at skb's transport header, if there is something to look for; the connection that has @t becomes skb->sk. borrow */
static inline const struct tcp_hdr *tcp_early_header(const struct sk_buff *skb)
{
	const struct netns_tcp *tcp = skb->dev->net->tcp;

	if (!tcp->early_demux || skb->pkt_type != SKB_PACKET_HOST ||
	    skb_headlen(skb) < (u32)skb_transport_offset(skb) + sizeof(struct tcp_hdr))
		return NULL;
	return (const struct tcp_hdr *)skb_transport_header(skb);
}
void tcp_early_sock(struct sk_buff *skb, const struct inet_tuple *t);
/* The connection that an ICMP error about segment @seq means; NULL: none, or nothing more is to be done. @unreachable: it ends a
 * handshake. @in_errors: counts what belongs to nobody. */
struct sock *tcp_err_sock(struct net *net, const struct inet_tuple *t, u32 seq, bool unreachable,
			  enum mib_counter in_errors);
/* @err: an errno. @recverr: the program wants to hear of every error. */
void tcp_err_report(struct sock *sk, int err, bool recverr);
void tcp_mtu_reduced(struct sock *sk);
/* Addresses and peer are set: takes a port, sends the SYN. Takes over @dst. @mss: what the peer takes if it does not say. 0, or
 * -errno with the addresses reset */
/* Undoes what connect(2) has set; @err. */
int tcp_connect_failed(struct sock *sk, int err);
int tcp_connect_begin(struct sock *sk, struct dst_entry *dst, u16 ext_hdr_len, u16 mss);

/* The address family functions for the IP version of a received segment, and its tuple (the device does not count). */
static inline const struct tcp_af_ops *tcp_skb_af(const struct net *net, const struct sk_buff *skb)
{
	return tcp_af(net, be16_to_cpu(skb->protocol) == ETH_P_IPV6 ? AF_INET6 : AF_INET);
}
void tcp_skb_tuple(const struct sk_buff *skb, struct inet_tuple *ret);

/* ---- syncookies.c ------------------------------------------------------------------------------------ */

/* Our first sequence number for the SYN with number @client_isn; *mss becomes what the cookie can say of it. */
u32 tcp_cookie_make(struct net *net, const struct inet_tuple *t, u32 client_isn, u16 *mss);
/* The MSS that @cookie stands for; 0: it is none of ours, or too old. */
u16 tcp_cookie_mss(struct net *net, const struct inet_tuple *t, u32 client_isn, u32 cookie);
/* Our timestamp, without offset, that tells the options of @treq. */
u32 tcp_cookie_tsval(const struct tcp_request_sock *treq, u32 now_ms);
void tcp_cookie_sent(struct sock *listener); /* counts, and lets cookies in for two minutes */
/* NONE: not a cookie, the listener answers as to any ACK. CHILD: *ret_child will process the segment. DROP: not accepted. */
enum tcp_cookie_verdict { TCP_COOKIE_NONE, TCP_COOKIE_CHILD, TCP_COOKIE_DROP };
/* An ACK for @listener: does it complete a handshake of a cookie? borrow */
enum tcp_cookie_verdict tcp_cookie_check(struct sock *listener, struct tcp_seg *seg,
					 struct sock **ret_child);

/* ---- tcp_metrics.c ----------------------------------------------------------------------------------- */

void tcp_update_metrics(struct sock *sk); /* an orderly end */
void tcp_init_metrics(struct sock *sk);   /* ESTABLISHED: first RTO, threshold, reordering */
/* Was there a connection with this peer before? */
bool tcp_peer_is_proven(struct net *net, const struct request_sock *req);
/* Leaves both alone if nothing is known. */
void tcp_fastopen_cache_get(struct sock *sk, u16 *mss, struct tcp_fastopen_cookie *cookie);
void tcp_fastopen_cache_set(struct sock *sk, u16 mss, const struct tcp_fastopen_cookie *cookie,
			    bool syn_lost, u8 try_exp);

/* ---- tcp_repair.c ------------------------------------------------------------------------------------ */

int tcp_set_repair(struct sock *sk, int v);
int tcp_get_repair(struct sock *sk);
int tcp_set_repair_queue(struct sock *sk, int v);
int tcp_get_repair_queue(struct sock *sk);
int tcp_set_queue_seq(struct sock *sk, int v);
int tcp_get_queue_seq(const struct sock *sk, u32 *ret);
int tcp_set_repair_options(struct sock *sk, const void *val, socklen_t len);
int tcp_set_repair_window(struct sock *sk, const void *val, socklen_t len);
int tcp_get_repair_window(const struct sock *sk, void *val, socklen_t *len);
/* sendmsg(2), recvmsg(2) in repair. 1: done, with *ret; 0: as usual; or -errno */
int tcp_repair_send(struct sock *sk, struct kmsghdr *msg, ssize_t *ret);
int tcp_repair_recv(struct sock *sk, struct kmsghdr *msg, size_t len, int flags, ssize_t *ret);
bool tcp_repair_skips_wire(const struct tcp_sock *tp); /* what is sent was sent before */

/* ---- tcp_fastopen.c ---------------------------------------------------------------------------------- */

enum { TFO_COOKIE_UNAVAILABLE_ = 1, TFO_DATA_NOT_ACKED_, TFO_SYN_RETRANSMITTED_ };

struct tfo_rst;
struct tcp_fastopen { /* tcp_rare.tfo */
	/* to send with the SYN, or with the child's SYN-ACK; len -1: none */
	struct tcp_fastopen_cookie cookie;
	bool sending;            /* now */
	bool ask;                /* connect(2) without data: the SYN asks for a cookie */
	bool connect, no_cookie; /* TCP_FASTOPEN_CONNECT, TCP_FASTOPEN_NO_COOKIE */
	u8 client_fail;          /* TFO_*_ */
	struct kmsghdr *msg;     /* sendmsg(2) that opens the connection; NULL: none is at it */
	u32 copied;              /* octets of it in the SYN */
	struct tcp_fastopen_keys keys;
	u32 max_qlen, qlen; /* of a listener */
	struct tfo_rst *rst_head, *rst_tail;
	struct sock *listener; /* of a child in SYN_RECV; held */
};
struct tcp_fastopen *tcp_fastopen_get(struct sock *sk); /* NULL: no memory */
void tcp_fastopen_destroy(struct sock *sk);
void tcp_fastopen_cookie_of(const struct tcp_opts_view *o, struct tcp_fastopen_cookie *ret);
/* A SYN for listener @sk, whose @req is filled in: true: the child is there. False: an ordinary handshake; *foc: the cookie to give. */
bool tcp_try_fastopen(struct sock *sk, const struct tcp_seg *seg, struct request_sock *req,
		      const struct dst_entry *dst, struct tcp_fastopen_cookie *foc);
void __tcp_fastopen_left_syn_recv(struct sock *sk, bool reset);
/* The SYN-ACK of a child was acknowledged, or it is gone (@reset: by a RST). */
static inline void tcp_fastopen_left_syn_recv(struct sock *sk, bool reset)
{
	if (unlikely(tcp_sk(sk)->tfo_passive))
		__tcp_fastopen_left_syn_recv(sk, reset);
}
/* connect(2) with TCP_FASTOPEN_CONNECT and a cookie: true: nothing is sent before there are data. */
bool tcp_fastopen_defer_connect(struct sock *sk);
int tcp_fastopen_send_syn(struct sock *sk, struct sk_buff *syn); /* borrow. 0 or -errno */
void tcp_return_syn_data(struct sock *sk, struct sk_buff *data); /* consume */
bool tcp_rcv_fastopen_synack(struct sock *sk, const struct tcp_seg *seg);
int tcp_sendmsg_fastopen(struct sock *sk, struct kmsghdr *msg, size_t *ret_copied);
void tcp_fastopen_blackhole(struct sock *sk);
void tcp_fastopen_detect_blackhole(struct sock *sk, bool expired); /* after a timeout */
void tcp_fastopen_orderly_fin(struct sock *sk);
int tcp_set_fastopen(struct sock *sk, int v);
int tcp_get_fastopen(struct sock *sk);
int tcp_set_fastopen_connect(struct sock *sk, int v);
int tcp_get_fastopen_connect(struct sock *sk);
int tcp_set_fastopen_no_cookie(struct sock *sk, int v);
int tcp_get_fastopen_no_cookie(struct sock *sk);
int tcp_set_fastopen_key(struct sock *sk, const void *val, socklen_t len);
u32 tcp_get_fastopen_key(const struct sock *sk, u8 key[32]); /* octets; 0: no key yet */
struct text;
void tcp_fastopen_key_show(struct net *net, struct text *t);
int tcp_fastopen_key_store(struct net *net, const char *text, size_t len);

/* ---- tcp_input.c ------------------------------------------------------------------------------------- */

void tcp_rcv_established(struct sock *sk, struct sk_buff *skb); /* consumes */
void tcp_seg_init(struct tcp_seg *seg, struct sk_buff *skb);    /* from cb and header */

/*
 * Why header prediction does not hold for a segment, in the order in which it is asked: each is a counter (WeirExt, /proc/net/netstat) and
 * a trace point. The last four: there was no prediction (pred_flags is 0), because ...
 */
#define TCP_HP_MISSES(X)                                                                           \
	X(Flags, tcp_hp_miss_flags)         /* another flag than ACK and PSH, or no ACK */         \
	X(Options, tcp_hp_miss_options)     /* others than timestamps in their usual place */      \
	X(Window, tcp_hp_miss_window)       /* the peer's has changed */                           \
	X(Seq, tcp_hp_miss_seq)             /* not the next octet */                               \
	X(Ack, tcp_hp_miss_ack)             /* of what was acknowledged before, or never sent */   \
	X(Timestamp, tcp_hp_miss_timestamp) /* older than the last */                              \
	X(RcvWindow, tcp_hp_miss_rcvwindow) /* reaches beyond our window */                        \
	X(Memory, tcp_hp_miss_memory)       /* the receive buffer or tcp_mem has no room */        \
	X(OfoQueue, tcp_hp_miss_ofoqueue)   /* segments wait out of order */                       \
	X(Urgent, tcp_hp_miss_urgent)       /* there is urgent data */                             \
	X(Unset, tcp_hp_miss_unset)         /* none was made yet: the handshake has just ended */
#define TCP_HP_MISS_ENUM_(name, point) TCP_HP_MISS_##name,
enum tcp_hp { TCP_HP_HIT, TCP_HP_MISSES(TCP_HP_MISS_ENUM_) NR_TCP_HP };
void tcp_seg_parse_opts(struct tcp_seg *seg, bool syn, u32 tsoffset);
void tcp_seg_drop(struct tcp_seg *seg, skb_drop_reason_t reason); /* consumes seg->skb */
void tcp_data_queue(struct sock *sk, struct tcp_seg *seg);        /* consumes seg->skb */
void tcp_fin(struct sock *sk);
void tcp_data_snd_check(struct sock *sk);
void tcp_ack_snd_check(struct sock *sk);
void __tcp_ack_snd_check(struct sock *sk, bool ofo_possible);
void tcp_replace_ts_recent(struct tcp_sock *tp, const struct tcp_seg *seg);
bool tcp_paws_reject(const struct tcp_sock *tp, const struct tcp_seg *seg);
skb_drop_reason_t tcp_sequence(const struct tcp_sock *tp, u32 seq, u32 end_seq);
void tcp_fast_path_check(struct sock *sk);
void tcp_event_data_recv(struct sock *sk, struct sk_buff *skb);
void tcp_init_buffer_space(struct sock *sk);
void __tcp_rcv_space_adjust(struct sock *sk, u32 now);
/* The program reads. */
static inline void tcp_rcv_space_adjust(struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	u32 rtt = tp->rcv_rtt_us ? tp->rcv_rtt_us : tp->srtt_us >> 3, now = tcp_now_us(sk);

	if (rtt && now - tp->rcvq_time >= rtt)
		__tcp_rcv_space_adjust(sk, now);
}
void tcp_enter_quickack_mode(struct sock *sk, u32 max_quickacks);
void tcp_measure_rcv_mss(struct sock *sk, const struct sk_buff *skb);
void tcp_initialize_rcv_mss(struct sock *sk);
void tcp_init_transfer(struct sock *sk);
void tcp_finish_connect(struct sock *sk);
void __tcp_check_space(struct sock *sk);
/* Is there room in the send buffer that a program waits for? */
static inline void tcp_check_space(struct sock *sk)
{
	if (unlikely(sock_flag(sk, SOCK_NOSPACE)))
		__tcp_check_space(sk);
}
bool tcp_oow_rate_limited(struct sock *sk, const struct sk_buff *skb, u32 *last_ms,
			  enum mib_counter skipped);
static inline void tcp_fast_path_set(struct tcp_sock *tp)
{
	tp->pred_flags =
		__builtin_bswap32(((u32)tp->tcp_header_len << 26) | ((u32)TCP_FLAG_ACK << 16) |
				  ((u32)tp->ecn_flags >> TCP_ECN_ACE_SHIFT << 22) |
				  ((tp->snd_wnd >> tp->snd_wscale) & 0xffff));
}
/* The session is interactive: ACKs ride on answers. It counts as that once so many answers came in time. */
static inline bool tcp_in_pingpong(const struct sock *sk)
{
	return inet_csk(sk)->icsk_ack.pingpong >= tcp_net(sk)->pingpong_thresh;
}
static inline void tcp_enter_pingpong(struct sock *sk)
{
	inet_csk(sk)->icsk_ack.pingpong = tcp_net(sk)->pingpong_thresh;
}
static inline bool tcp_in_quickack_mode(const struct sock *sk)
{
	const struct dst_entry *dst = sk->sk_dst_cache;

	return (inet_csk(sk)->icsk_ack.quick && !tcp_in_pingpong(sk)) ||
	       (dst && unlikely(dst->metrics) && dst_metric(dst, DST_METRIC_QUICKACK));
}

/* ---- tcp_urg.c --------------------------------------------------------------------------------------- */

#define TCP_URG_VALID  0x0100
#define TCP_URG_NOTYET 0x0200
#define TCP_URG_READ   0x0400
void __tcp_urg(struct sock *sk, const struct tcp_seg *seg);
/* Sixth step of RFC 9293 3.10.7.4: the urgent pointer. borrow */
static inline void tcp_urg(struct sock *sk, const struct tcp_seg *seg)
{
	if (unlikely((seg->flags & TCP_FLAG_URG) || tcp_sk(sk)->urg_data))
		__tcp_urg(sk, seg);
}
/* recv(2) with MSG_OOB. 1, 0 or -errno */
ssize_t tcp_recv_urg(struct sock *sk, struct kmsghdr *msg, size_t len, int flags);
/* Of @n octets at @seq: how many to read at a time. *ret_skip: the first of them is the urgent octet, which is not. */
u32 tcp_urg_limit(const struct sock *sk, u32 seq, u32 n, bool *ret_skip);
void tcp_urg_read_past(struct sock *sk); /* copied_seq has moved */
u32 tcp_inq(const struct sock *sk);      /* octets that a read would give */
static inline bool tcp_at_mark(const struct tcp_sock *tp)
{
	return tp->urg_data && tp->urg_seq == tp->copied_seq;
}
void tcp_mark_urg(struct sock *sk); /* the last octet of the write queue is urgent */
void __tcp_urg_header(const struct tcp_sock *tp, u32 seq, struct tcp_hdr *th);

/* ---- tcp_state.c ------------------------------------------------------------------------------------- */

void tcp_rcv_state_process(struct sock *sk,
			   struct sk_buff *skb); /* consumes; every state but ESTABLISHED */
void tcp_send_challenge_ack(struct sock *sk);
/* Counts a segment that came for @tp; its data is at the payload. */
static inline void tcp_segs_in(struct tcp_sock *tp, const struct sk_buff *skb)
{
	u32 segs = max_t(u32, skb_shinfo(skb)->gso_segs, 1);

	tp->segs_in += segs;
	if (skb->len)
		tp->data_segs_in += segs;
}
/* The first five checks of 3.10.7.4; false: the segment is done with (consumed). */
bool tcp_validate_incoming(struct sock *sk, struct tcp_seg *seg);

/* ---- tcp_ack.c --------------------------------------------------------------------------------------- */

/* OLD: acknowledges less than before (harmless). INVALID: what was never sent, or far too old. */
enum tcp_ack_result { TCP_ACK_OK, TCP_ACK_OLD, TCP_ACK_INVALID };
enum tcp_ack_result tcp_ack(struct sock *sk, struct tcp_seg *seg, bool slowpath); /* borrow */
/* What header prediction let through, of something new. @tsecr: 0: none. borrow */
void tcp_ack_predicted(struct sock *sk, struct sk_buff *skb, u32 tsecr);
void tcp_rtt_estimator(struct tcp_sock *tp, u32 rtt_us, u32 expected_samples);
u32 tcp_rto_us(const struct sock *sk);
void tcp_set_rto(struct sock *sk);
/* @rtt_us: of the oldest segment that an ACK tells of; -1: none. @newest_us: of the newest; @delayed: it may have waited for the peer. */
void tcp_ack_update_rtt(struct sock *sk, s64 rtt_us, s64 newest_us, bool delayed);
u32 tcp_acks_per_rtt(const struct tcp_sock *tp);

/* ---- tcp_rate.c -------------------------------------------------------------------------------------- */

void tcp_rate_skb_sent(struct sock *sk, struct sk_buff *skb);
/* An ACK begins: what tcp_rate_gen() and tcp_ack() do not set in any case. */
static inline void tcp_rate_begin(struct rate_sample *rs, u32 in_flight)
{
	rs->prior_in_flight = in_flight;
	rs->valid = rs->is_ack_delayed = false;
}
/* Congestion control itself leaves the pipe partly empty: samples until now's flight is delivered say little. */
static inline void tcp_rate_set_app_limited(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);

	tp->app_limited = max(tp->delivered + tcp_packets_in_flight(tp), 1u);
}
/* The program writes. Has it left the pipe partly empty until now? */
static inline void tcp_rate_check_app_limited(struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);

	if (tp->write_seq - tp->snd_nxt < tp->mss_cache && /* less than a segment to send */
	    !sk->sk_wmem_alloc &&                          /* nothing in our own queues */
	    tcp_packets_in_flight(tp) < tp->snd_cwnd &&    /* not by the window */
	    tp->lost_out <= tp->retrans_out)               /* nothing to be sent again */
		tcp_rate_set_app_limited(sk);
}
u64 tcp_delivery_rate(const struct tcp_sock *tp); /* octets/s, for tcp_info */
void __tcp_chrono_start(struct sock *sk, enum tcp_chrono type);
void __tcp_chrono_stop(struct sock *sk, enum tcp_chrono type);
u64 tcp_chrono_busy(const struct sock *sk, u64 *ret_rwnd, u64 *ret_sndbuf);
static inline void tcp_chrono_start(struct sock *sk, enum tcp_chrono type)
{
	if (unlikely(type > tcp_sk(sk)->chrono_type))
		__tcp_chrono_start(sk, type);
}
static inline void tcp_chrono_stop(struct sock *sk, enum tcp_chrono type)
{
	if (unlikely(tcp_sk(sk)->chrono_type >= type))
		__tcp_chrono_stop(sk, type);
}
/* ---- tcp_rack.c -------------------------------------------------------------------------------------- */

/* net.ipv4.tcp_recovery */
#define TCP_RACK_LOSS_DETECTION 1
#define TCP_RACK_STATIC_REO_WND 2
#define TCP_RACK_NO_DUPTHRESH   4
#define TCP_TIMEOUT_MIN_US      2000u
/* Recoveries without a DSACK that put reo_wnd_steps back. */
#define TCP_RACK_RECOVERY_THRESH 16u
static inline bool tcp_is_rack(const struct sock *sk)
{
	return tcp_net(sk)->recovery & TCP_RACK_LOSS_DETECTION;
}
static inline void tcp_tsorted_del(struct sk_buff *skb)
{
	struct list_head *n = &TCP_SKB_CB(skb)->tsorted;

	if (n->next) {
		list_del(n);
		n->next = NULL;
	}
}
/* @skb was sent just now. */
static inline void tcp_tsorted_add(struct tcp_sock *tp, struct sk_buff *skb)
{
	tcp_tsorted_del(skb);
	list_add_tail(&TCP_SKB_CB(skb)->tsorted, &tp->flight->tsorted);
}
/* What RACK has learnt of the path is forgotten: a new connection. */
static inline void tcp_rack_reset(struct tcp_sock *tp)
{
	tp->reo_wnd_steps = 1;
	tp->reo_wnd_persist = 0;
	tp->rack_dsack_seen = 0;
	tp->rack_last_delivered = 0;
	tp->frto = 0;
	tp->is_sack_reneg = 0;
}
s64 tcp_rack_skb_timeout(const struct sock *sk, const struct sk_buff *skb, u32 reo_wnd);
bool tcp_rack_mark_lost(struct sock *sk);
void tcp_rack_reo_timeout(struct sock *sk);
void tcp_rearm_rto(struct sock *sk);
bool tcp_schedule_loss_probe(struct sock *sk, bool advancing);
void tcp_send_loss_probe(struct sock *sk);
void tcp_process_tlp_ack(struct sock *sk, u32 ack, u32 flag);
/* Was the first sent after the second (RFC 8985 5.2 RACK_sent_after)? */
static inline bool tcp_skb_sent_after(u64 t1, u64 t2, u32 seq1, u32 seq2)
{
	return t1 > t2 || (t1 == t2 && after(seq1, seq2));
}

/* ---- tcp_sack.c -------------------------------------------------------------------------------------- */

struct tcp_sacktag {   /* what the SACK options of one ACK told */
	u32 delivered; /* packets newly known to have arrived */
	/* of the oldest and of the newest skb newly SACKed and never retransmitted; -1: none */
	s64 rtt_us, newest_rtt_us;
	u64 oldest_sent, newest_sent; /* when they were sent, in ns; 0: none */
	u32 reord;        /* lowest sequence that arrived after later ones did; snd_nxt: none */
	u32 prior_fack;   /* fack before this ACK */
	u32 dsack_segs;   /* reported as duplicates; 0: none */
	bool dsack_tlp;   /* that was the loss probe */
	bool orig_sacked; /* something never sent again, from before the recovery began */
	bool newly_sacked;
};
void tcp_sacktag_write_queue(struct sock *sk, const struct tcp_opts_view *opts, u32 ack,
			     u32 prior_snd_una, struct tcp_sacktag *st, struct rate_sample *rs);
/* DSACK or partial in range: RFC 2883 4. */
bool tcp_is_sackblock_valid(const struct tcp_sock *tp, bool is_dsack, u32 start, u32 end);
/* Receiver side (RFC 2018 4): the block list we report. */
/* An ACK for what came out of order: true: it waits, and goes with others; false: send it now. */
bool tcp_sack_compress(struct sock *sk);
/* An ACK has left, and with it what those that wait would have said. @own: of them it is this many. There is an ofo. */
void tcp_sack_compressed_sent(struct sock *sk, u32 own);
void tcp_sack_compress_init(struct tcp_ofo *ofo);
void tcp_sack_new_ofo_skb(struct tcp_sock *tp, u32 seq, u32 end_seq);
void tcp_sack_remove(struct tcp_sock *tp);
void tcp_dsack_set(struct sock *sk, u32 seq, u32 end_seq);
void tcp_dsack_extend(struct sock *sk, u32 seq, u32 end_seq);
void tcp_send_dupack_dsack(struct sock *sk, u32 seq, u32 end_seq);

/* ---- tcp_reass.c ------------------------------------------------------------------------------------- */

void tcp_data_queue_ofo(struct sock *sk, struct sk_buff *skb); /* consumes */
void tcp_ofo_queue(struct sock *sk); /* moves what has become in order to the receive queue */
/* Appends to @tail if that is free; true: @from is consumed. */
bool tcp_try_coalesce(struct sock *sk, struct sk_buff *to, struct sk_buff *from);
bool __tcp_queue_rcv(struct sock *sk, struct sk_buff *skb); /* there is a tail to append to */
static inline void tcp_rcv_nxt_update(struct tcp_sock *tp, u32 seq)
{
	tp->bytes_received += seq - tp->rcv_nxt;
	tp->rcv_nxt = seq;
}
/* Appends an skb that is in order (its beginning may be old). Consumes; true: merged */
static inline bool tcp_queue_rcv(struct sock *sk, struct sk_buff *skb)
{
	if (!skb_queue_empty(&sk->sk_receive_queue) || unlikely(skb->destructor))
		return __tcp_queue_rcv(sk, skb);
	tcp_rcv_nxt_update(tcp_sk(sk), TCP_SKB_CB(skb)->end_seq);
	skb_queue_tail(&sk->sk_receive_queue, skb);
	__skb_set_owner_r(skb, sk);
	return false;
}
void tcp_ofo_purge(struct sock *sk);
/* Makes sure that tp->ofo is there. False: no memory. */
bool tcp_ofo_get(struct sock *sk);
void __tcp_ofo_put(struct sock *sk);
static inline void tcp_ofo_put(struct sock *sk)
{
	if (unlikely(tcp_sk(sk)->ofo))
		__tcp_ofo_put(sk);
}
bool tcp_prune_ofo_queue(struct sock *sk, const struct sk_buff *in_skb);
int tcp_try_rmem_schedule(struct sock *sk, const struct sk_buff *skb, u32 size); /* 0 or -ENOMEM */

/* ---- tcp_recovery.c ---------------------------------------------------------------------------------- */

struct tcp_ack_state { /* what one ACK did, for congestion control */
	u32 prior_snd_una, prior_packets, prior_in_flight, prior_fack, prior_lost;
	u32 delivered;  /* packets newly delivered */
	u32 acked_pkts; /* cumulatively acknowledged */
	s64 sack_rtt_us, sack_newest_rtt_us, seq_rtt_us;
	u32 flag;  /* FLAG_* */
	u32 reord; /* lowest sequence newly acknowledged or SACKed below fack; snd_nxt: none */
	u32 tsecr; /* 0: none */
	u32 lost;  /* packets newly marked lost */
	struct rate_sample rs;
};
#define FLAG_DATA               0x01
#define FLAG_WIN_UPDATE         0x02
#define FLAG_DATA_ACKED         0x04
#define FLAG_RETRANS_DATA_ACKED 0x08
#define FLAG_SYN_ACKED          0x10
#define FLAG_DATA_SACKED        0x20
#define FLAG_SND_UNA_ADVANCED   0x40
#define FLAG_DSACKING_ACK       0x80
#define FLAG_SACK_RENEGING      0x100
#define FLAG_SLOWPATH           0x200
#define FLAG_LOST_RETRANS       0x400
#define FLAG_ORIG_SACK_ACKED    0x800
#define FLAG_UPDATE_TS_RECENT   0x1000
#define FLAG_SET_XMIT_TIMER                                                                        \
	0x2000 /* the retransmission timer (or a loss probe) is to be armed anew */
#define FLAG_DSACK_TLP 0x4000
#define FLAG_ECE       0x8000 /* marks were echoed */
#define FLAG_ACKED     (FLAG_DATA_ACKED | FLAG_SYN_ACKED)
#define FLAG_NOT_DUP   (FLAG_DATA | FLAG_WIN_UPDATE | FLAG_ACKED)
#define FLAG_CA_ALERT  (FLAG_DATA_SACKED | FLAG_DSACKING_ACK | FLAG_ECE)
void tcp_fastretrans_alert(struct sock *sk, struct tcp_ack_state *st, bool is_dupack,
			   u32 *ret_rexmit);
void tcp_cong_control(struct sock *sk, const struct tcp_ack_state *st);
void tcp_enter_loss(struct sock *sk);
void tcp_enter_recovery(struct sock *sk, bool marked); /* @marked: ECN told of congestion, too */
void tcp_cwnd_reduction(struct sock *sk, u32 delivered, u32 newly_lost, u32 flag);
void tcp_end_cwnd_reduction(struct sock *sk);
void tcp_try_keep_open(struct sock *sk);
void tcp_enter_cwr(struct sock *sk);
void tcp_init_cwnd_reduction(struct sock *sk);
void tcp_set_ca_state(struct sock *sk, u8 state);
void tcp_rto_recovery_begin(struct sock *sk);
void tcp_rto_recovery_end(struct sock *sk); /* also if there is none */
static inline u32 tcp_total_rto_ms(const struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);

	return tp->total_rto_ms + (tp->rto_stamp ? tcp_now_ms(sk) - tp->rto_stamp : 0);
}
void tcp_xmit_recovery(struct sock *sk, u32 rexmit);
void tcp_mark_all_lost(struct sock *sk);
void tcp_mark_skb_lost(struct sock *sk, struct sk_buff *skb);
void tcp_simple_retransmit(struct sock *sk);
void tcp_check_reordering(struct sock *sk, u32 low_seq, bool ts);
u32 tcp_dupack_heuristics(const struct tcp_sock *tp);
u32 tcp_current_ssthresh(const struct sock *sk);
static inline bool tcp_is_reno(const struct tcp_sock *tp)
{
	return !tp->sack_ok;
}
#define REXMIT_NONE 0
#define REXMIT_LOST 1
#define REXMIT_NEW  2

/* ---- tcp_output.c ------------------------------------------------------------------------------------ */

#define TCP_SEND_CLONE true
int tcp_transmit_skb(struct sock *sk, struct sk_buff *skb,
		     bool clone_it); /* borrow if clone_it, else consume */
/* @push_one: at most one segment: 2 = a tail loss probe or zero window probe, regardless of cwnd. True: data is left and nothing is in flight. */
bool tcp_write_xmit(struct sock *sk, u32 mss_now, int nonagle, int push_one);
void __tcp_push_pending_frames(struct sock *sk, u32 cur_mss, int nonagle);
static inline void tcp_push_pending_frames(struct sock *sk);
void tcp_send_ack(struct sock *sk);
/* An ACK of what came in before @rcv_nxt, not of all. */
void tcp_send_ack_of(struct sock *sk, u32 rcv_nxt);
void tcp_send_delayed_ack(struct sock *sk);
void tcp_send_active_reset(struct sock *sk);
int tcp_connect(struct sock *sk);
int tcp_retransmit_skb(struct sock *sk, struct sk_buff *skb, u32 segs);
/* The same for a probe: it does not count as a repair. */
int __tcp_retransmit_skb(struct sock *sk, struct sk_buff *skb, u32 segs);
/* Does the first segment of @skb fit into the peer's window? */
bool tcp_snd_wnd_test(const struct tcp_sock *tp, const struct sk_buff *skb, u32 mss);
void tcp_xmit_retransmit_queue(struct sock *sk);
/* Cuts @skb at @len payload octets; the rest follows it in its queue. 0 or -ENOMEM. */
int tcp_fragment(struct sock *sk, bool in_rtx_queue, struct sk_buff *skb, u32 len, u32 mss_now);
int tcp_trim_acked(struct sock *sk, struct sk_buff *skb); /* 0 or -ENOMEM */
u32 tcp_current_mss(struct sock *sk);
u32 tcp_sync_mss(struct sock *sk, u32 pmtu);
u32 tcp_mss_to_mtu(const struct sock *sk, u32 mss);
/* How large a unit is to become that is cut into segments of @mss. */
u32 tcp_size_goal(const struct sock *sk, u32 mss);
u32 __tcp_select_window(struct sock *sk);
void tcp_select_initial_window(const struct sock *sk, u32 space, u32 mss, bool wscale_ok,
			       const struct dst_entry *dst, u32 *ret_rcv_wnd, u32 *window_clamp,
			       u8 *ret_wscale);
int tcp_write_wakeup(struct sock *sk);
void tcp_send_probe0(struct sock *sk);
void tcp_send_window_probe(struct sock *sk);
struct sk_buff *tcp_make_synack(const struct sock *sk, struct dst_entry *dst,
				struct request_sock *req, const struct tcp_fastopen_cookie *foc);
/* A child that answers its SYN itself: the SYN-ACK into the retransmit queue (0 or -ENOMEM), and out. */
int tcp_queue_synack(struct sock *sk, u32 isn);
void tcp_xmit_synack_of(struct sock *sk);
u32 tcp_mss_of(const struct sock *sk, u32 mtu); /* without options */
/* Small writes wait for more of them while a packet of ours is in a queue of this host: the end of the write queue, @skb, is not
 * to be pushed now (net.ipv4.tcp_autocorking). */
bool __tcp_autocork(struct sock *sk, const struct sk_buff *skb, u32 size_goal);
static inline bool tcp_autocork(struct sock *sk, const struct sk_buff *skb, u32 size_goal)
{
	return tcp_sk(sk)->packets_out && __tcp_autocork(sk, skb, size_goal);
}
void tcp_set_skb_tso_segs(struct sk_buff *skb, u32 mss_now);
void tcp_adjust_pcount(struct sock *sk, const struct sk_buff *skb, s32 decr);
/* @skb has left the write queue for the network. */
void tcp_event_new_data_sent(struct sock *sk, struct sk_buff *skb);
/* @from follows @to in the write queue, and becomes its end. False: it may not, or there is no memory. */
bool tcp_collapse_send(struct sock *sk, struct sk_buff *to, struct sk_buff *from);
/* Makes sure that tp->flight may be written. False: no memory. */
bool __tcp_flight_get(struct sock *sk);
static inline bool tcp_flight_get(struct sock *sk)
{
	return likely(tcp_sk(sk)->flight != &tcp_no_flight) || __tcp_flight_get(sk);
}
void tcp_flight_free(struct sock *sk);
/* Gives it back if nothing in it matters any more. */
static inline void tcp_flight_put(struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);

	if (!(tp->packets_out | inet_csk(sk)->icsk_ca_state | tp->flight->undo_marker |
	      tp->flight->tlp_high_seq))
		tcp_flight_free(sk);
}
void tcp_rtx_queue_insert(struct sock *sk, struct sk_buff *skb);
void tcp_rtx_queue_unlink(struct sock *sk, struct sk_buff *skb);
void tcp_skb_entail(struct sock *sk, struct sk_buff *skb);
void tcp_cwnd_restart(struct sock *sk, u64 idle_us);
/* New octets: nothing was sent for longer than a retransmission timeout? */
static inline void tcp_slow_start_after_idle_check(struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	u64 idle_us = (u64)(tcp_now_ms(sk) - tp->lsndtime) * 1000;

	if (likely(idle_us <= inet_csk(sk)->icsk_rto_us) || tp->packets_out)
		return;
	/* Who sets the window from a model of the path knows what to do after an idle time. */
	if (tcp_net(sk)->slow_start_after_idle && !tcp_ca(sk)->cong_control)
		tcp_cwnd_restart(sk, idle_us);
}
u32 tcp_init_cwnd(const struct sock *sk, const struct dst_entry *dst);
/* An empty skb with room for all headers: data goes into fragments. */
static inline struct sk_buff *tcp_stream_alloc_skb(struct sock *sk)
{
	struct sk_buff *skb = alloc_skb(sk->sk_cpu, MAX_TCP_HEADER);

	if (unlikely(!skb))
		return NULL;
	skb_reserve(skb, MAX_TCP_HEADER);
	skb->ip_summed = CHECKSUM_PARTIAL;
	return skb;
}
u32 tcp_advertise_mss(struct sock *sk);

/* Not sent for want of room here; other errors (no route) are as good as lost on the way. */
static inline bool tcp_local_congestion(int err)
{
	return err == -ENOBUFS || err == -ENOMEM;
}
static inline void tcp_push_pending_frames(struct sock *sk)
{
	if (tcp_send_head(sk))
		__tcp_push_pending_frames(sk, tcp_current_mss(sk), tcp_sk(sk)->nonagle);
}

/* ---- tcp_mtu_probe.c --------------------------------------------------------------------------------- */

void tcp_mtup_init(struct sock *sk);     /* a handshake tells what the peer takes */
void tcp_mtu_blackhole(struct sock *sk); /* timeouts, and nothing gets through */
/* WAIT: a probe is due and cannot go yet: what it is to be made of stays in the queue. */
enum tcp_mtu_probe { TCP_MTU_PROBE_NONE, TCP_MTU_PROBE_WAIT, TCP_MTU_PROBE_SENT };
enum tcp_mtu_probe tcp_mtu_probe(struct sock *sk); /* tp->flight may be written */
void __tcp_mtu_probe_acked(struct sock *sk);
/* snd_una has moved. */
static inline void tcp_mtu_probe_check_acked(struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);

	if (unlikely(tp->flight->mtu_probe_size) && !after(tp->flight->mtu_probe_end, tp->snd_una))
		__tcp_mtu_probe_acked(sk);
}
bool __tcp_mtu_probe_lost(struct sock *sk);
/* Something is lost, and no recovery is under way: true: it is the probe, which is seen to. */
static inline bool tcp_mtu_probe_lost(struct sock *sk)
{
	return unlikely(tcp_sk(sk)->flight->mtu_probe_size) && __tcp_mtu_probe_lost(sk);
}

/* ---- tcp_options.c ----------------------------------------------------------------------------------- */

struct tcp_out_opts {
	bool ts, sack_perm, wscale;
	u8 wscale_val;
	u16 mss; /* 0: none */
	u32 tsval, tsecr;
	u8 num_sacks; /* the first may be a DSACK */
	struct tcp_sack_block sacks[TCP_MAX_SACK_BLOCKS];
	u8 accecn_fields;
	const struct tcp_fastopen_cookie *fastopen; /* NULL: none */
	const void *sig_key;                        /* of the kind's file; tcp_auth.h */
	u8 sig_len;  /* octets of the signature's option, padded; 0: none */
	u8 sig_kind; /* TCPOPT_MD5SIG_, TCPOPT_AO_ */
	u8 sig_keyid, sig_rnext, sig_maclen;
	bool sig_cached; /* AO: by the connection's traffic key; else by one of these numbers */
	u32 sig_sisn, sig_disn;
	u32 sig_sne;       /* of answers that are no socket's */
	const u32 *accecn; /* octets by codepoint; NULL: no AccECN option */
};
/* Octets (multiple of 4, at most 40) the options take. */
u32 tcp_options_size(const struct tcp_out_opts *o);
void tcp_options_write(u8 *p, const struct tcp_out_opts *o);
/* RFC 7323 appendix A */
static inline void tcp_tstamp_write(u8 *p, u32 tsval, u32 tsecr)
{
	const u32 words[] = { 0x0101080a, tsval, tsecr };

	static_assert(sizeof(words) == TCPOLEN_TSTAMP_ALIGNED_, "NOP, NOP, 8, 10");
	for (u32 i = 0; i < ARRAY_SIZE(words); i++) {
		be32 word = cpu_to_be32(words[i]);

		memcpy(p + 4 * i, &word, sizeof(word));
	}
}
u32 tcp_syn_options(struct sock *sk, struct tcp_out_opts *o);
/* @foc may be NULL */
/* False: it cannot be signed, and must not be sent. */
bool tcp_synack_options(const struct sock *sk, const struct request_sock *req, u16 mss,
			const struct tcp_fastopen_cookie *foc, struct tcp_out_opts *o);
/* Options of an established connection; SACK blocks as many as fit. */
u32 tcp_established_options(struct sock *sk, struct tcp_out_opts *o);

/* ---- tcp_timer.c ------------------------------------------------------------------------------------- */

void tcp_init_xmit_timers(struct sock *sk);
void tcp_clear_xmit_timers(struct sock *sk);
static inline void tcp_clear_xmit_timer(struct sock *sk)
{
	inet_csk(sk)->icsk_pending = 0;
	inet_csk(sk)->icsk_timeout = 0;
}
static inline void tcp_clear_delack_timer(struct sock *sk)
{
	struct inet_connection_sock *icsk = inet_csk(sk);

	icsk->icsk_ack.pending = 0;
	icsk->icsk_ack.retry = 0;
	icsk->icsk_delack_timeout = 0;
}
void tcp_reset_keepalive_timer(struct sock *sk, u64 ns);
void tcp_delete_keepalive_timer(struct sock *sk);
void tcp_set_keepalive(struct sock *sk, bool on);
u64 tcp_idle_ns(const struct sock *sk); /* since the last octets or ACK came */
void tcp_retransmit_timer(struct sock *sk);
u32 __tcp_rto_min_us(const struct sock *sk);
static inline u32 tcp_rto_max_us(const struct sock *sk)
{
	u32 ms = unlikely(tcp_rare(sk)) ? tcp_rare(sk)->rto_max_ms : 0;

	return (ms ? ms : tcp_net(sk)->rto_max_ms) * 1000;
}
static inline u32 tcp_rto_min_us(const struct sock *sk)
{
	const struct dst_entry *dst = sk->sk_dst_cache;

	return unlikely(tcp_rare(sk) || (dst && dst->metrics)) ? __tcp_rto_min_us(sk)
							       : tcp_net(sk)->rto_min_us;
}
void __tcp_timer_at(struct sock *sk, u64 t);
/* The node fires at @t at the latest: it is pending while any of them is armed, and never later than they are. */
static inline void tcp_timer_at(struct sock *sk, u64 t)
{
	const struct timer_list *node = &inet_csk(sk)->icsk_timer;

	if (unlikely(node->expires > t || !timer_pending(node)))
		__tcp_timer_at(sk, t);
}
/* ICSK_TIME_RETRANS or _PROBE0, @us from now. */
static inline void tcp_reset_xmit_timer(struct sock *sk, u8 what, u64 us)
{
	struct inet_connection_sock *icsk = inet_csk(sk);

	icsk->icsk_pending = what;
	icsk->icsk_timeout = tcp_now_ns(sk) + tcp_pacing_delay_ns(sk) +
			     min_t(u64, us, tcp_rto_max_us(sk)) * NSEC_PER_USEC;
	tcp_timer_at(sk, icsk->icsk_timeout);
}
static inline void tcp_reset_delack_timer(struct sock *sk, u64 expires_ns)
{
	inet_csk(sk)->icsk_ack.pending |= ICSK_ACK_TIMER;
	inet_csk(sk)->icsk_delack_timeout = expires_ns;
	tcp_timer_at(sk, expires_ns);
}
void tcp_check_probe_timer(struct sock *sk);
void tcp_reset_probe_timer(struct sock *sk, u64 us); /* not beyond the user timeout */
u64 tcp_probe0_when_us(const struct sock *sk, u64 max_us);
u64 tcp_probe0_base_us(const struct sock *sk);
void tcp_reqsk_timer(struct cpu *cpu, struct timer_list *t);

/* ---- tcp_minisocks.c --------------------------------------------------------------------------------- */

void tcp_time_wait(struct sock *sk, u8 substate, u64 timeout_ns);
enum tcp_tw_verdict { TCP_TW_DONE, TCP_TW_RST, TCP_TW_ACK, TCP_TW_SYN };
/* borrow @skb. *ret_isn: for TCP_TW_SYN. *ret_reason: why the segment was of no use; 0: it was what belongs to an orderly end. */
enum tcp_tw_verdict tcp_timewait_state_process(struct tcp_timewait_sock *tw, struct sk_buff *skb,
					       const struct tcp_seg *seg, u32 *ret_isn,
					       skb_drop_reason_t *ret_reason);
/* For connect(): may the tuple of @tw be used again (RFC 6191)? Takes over its sequence numbers. */
bool tcp_twsk_unique(struct sock *sk, struct sock_common *tw);
/* borrow: what @skb means for @req. The child to process it on; @listener: it is no business of the request's; NULL: done with,
 * discard it for *ret_reason. */
struct sock *tcp_check_req(struct sock *listener, struct sk_buff *skb, struct request_sock *req,
			   skb_drop_reason_t *ret_reason);
void tcp_child_process(struct sock *parent, struct sock *child, struct sk_buff *skb); /* consumes */
u8 tcp_req_tos(const struct sock *sk, const struct request_sock *req, u8 tos);
struct sock *tcp_create_openreq_child(const struct sock *sk, struct request_sock *req,
				      struct sk_buff *skb);
void tcp_conn_request(struct sock *listener, struct sk_buff *skb, u32 tw_isn); /* consumes */
int tcp_send_synack(const struct sock *listener, struct dst_entry *dst, struct request_sock *req,
		    const struct tcp_fastopen_cookie *foc);
/* Addresses, ports and device of @req from a segment of the peer's. */
void tcp_openreq_addresses(struct sock *listener, struct request_sock *req,
			   const struct sk_buff *skb);
/* The window to offer, as @dst and the listener have it. */
void tcp_openreq_init_rwin(struct sock *listener, struct request_sock *req,
			   const struct dst_entry *dst);
/* The ACK that completes @req: the child, in ehash (in the request's place, if that is queued), or NULL. borrow */
struct sock *tcp_syn_recv_sock(struct sock *listener, struct sk_buff *skb,
			       struct request_sock *req);
/* The SYN-ACK of @req, again. 0 or -errno */
int tcp_rtx_synack(struct sock *listener, struct request_sock *req);

/* ---- tcp_tstamp.c ------------------------------------------------------------------------------------ */

u32 tcp_tskey_base(const struct sock *sk, bool unsent);
struct sk_buff *tcp_tstamp_stats(const struct sock *sk, const struct sk_buff *skb,
				 const struct sk_buff *ack);
void __tcp_tx_timestamp(struct sock *sk, const struct sockcm_cookie *sockc);
/* A send call has queued its last octet. */
static inline void tcp_tx_timestamp(struct sock *sk, const struct sockcm_cookie *sockc)
{
	if (unlikely(sockcm_tx_stamps(sockc)))
		__tcp_tx_timestamp(sk, sockc);
}
/* @skb, which has the mark, was cut: @buff begins where it ends now. */
void tcp_fragment_tstamp(struct sk_buff *skb, struct sk_buff *buff);
void __tcp_ack_tstamp(struct sock *sk, struct sk_buff *skb, const struct sk_buff *ack);
/* snd_una has moved into or beyond @skb of the retransmit queue, by @ack. */
static inline void tcp_ack_tstamp(struct sock *sk, struct sk_buff *skb, const struct sk_buff *ack)
{
	if (unlikely(TCP_SKB_CB(skb)->tx_tstamp))
		__tcp_ack_tstamp(sk, skb, ack);
}

/* ---- tcp_listen_any.c -------------------------------------------------------------------------------- */

#define TCP_ANY_ANSWER_NS (180 * NSEC_PER_SEC) /* longer than any connect(2) takes to fail */

int tcp_listen_any(struct sock *sk, int backlog); /* struct proto */
/* A segment for @req, whose SYN waits for an answer. borrow; it may be the end of @req. */
skb_drop_reason_t tcp_any_segment(struct sock *listener, struct request_sock *req,
				  const struct tcp_seg *seg);
/* What the owner is told of a SYN, and says it by when it answers. */
struct tcp_any_syn {
	u64 cookie; /* of the request, and of the connection that comes of it */
	bool gone;
	struct inet_tuple tuple;
};
/* Of listener @sk. 0, -EAGAIN */
int tcp_next_syn(struct sock *sk, struct tcp_any_syn *ret);
/* @err: as of weir_answer_syn(). 0, -ENOENT, -EALREADY, -EINVAL, -EHOSTUNREACH */
int tcp_answer_syn(struct sock *sk, const struct tcp_any_syn *syn, int err);
static inline bool tcp_is_listening_any(const struct sock *sk)
{
	return sk->sk_prot->listen_any == tcp_listen_any && inet_sk(sk)->listen_any;
}

/* ---- tcp_bypass.c: cpu lock held ----------------------------------------------------------------------- */

/* The other end of @sk's connection in @net, NULL: in that at the other end of its wire. NULL: none. Not held. */
struct sock *tcp_bypass_peer(struct sock *sk, struct net *net);
/* As weir_bypass_ready(). May drop the lock in between. */
int tcp_bypass_ready(struct sock *a, struct sock *b);
/* As weir_bypass(): the lock was not dropped since tcp_bypass_ready() said 0. */
void tcp_bypass(struct sock *a, struct sock *b, u32 n);

/* ---- tcp_plb.c ----------------------------------------------------------------------------------------- */

#define TCP_PLB_ONE 256u /* of net.ipv4.tcp_plb_cong_thresh: all packets */

struct tcp_plb {         /* zeroed: the beginning */
	u32 pause_until; /* ms */
	u8 congested;    /* round trips in a row, up to the most that are looked at */
	bool paused;
};

void __tcp_plb_round(struct sock *sk, struct tcp_plb *plb, u32 delivered, u32 marked);
/* A round trip is over: of @delivered packets @marked were marked. */
static inline void tcp_plb_round(struct sock *sk, struct tcp_plb *plb, u32 delivered, u32 marked)
{
	if (unlikely(tcp_net(sk)->plb_enabled) && delivered)
		__tcp_plb_round(sk, plb, delivered, marked);
}
void tcp_plb_timeout(struct sock *sk, struct tcp_plb *plb);

/* ---- tcp_offload.c ----------------------------------------------------------------------------------- */

/* For request_sock_ops.destructor. */
void tcp_reqsk_destructor(struct request_sock *req);

extern const struct offload_callbacks tcp_v4_offload, tcp_v6_offload;

/* ---- cong/ ------------------------------------------------------------------------------------------- */

extern const struct tcp_congestion_ops tcp_cubic, tcp_bbr, tcp_bbr3, tcp_dctcp;
extern const struct sysctl_table tcp_cubic_params;
int tcp_register_congestion_control(
	struct machine *m, const struct tcp_congestion_ops *ops); /* 0, -EEXIST, -EINVAL, -ENOSPC */
void tcp_unregister_congestion_control(struct machine *m, const struct tcp_congestion_ops *ops);
const struct tcp_congestion_ops *tcp_ca_find(const struct machine *m, const char *name);
extern const struct ip_metrics_cong tcp_route_cong; /* ip route ... congctl */
void tcp_assign_congestion_control(struct sock *sk);
void tcp_init_congestion_control(struct sock *sk);
void tcp_cleanup_congestion_control(struct sock *sk);
int tcp_set_congestion_control(struct sock *sk, const char *name,
			       bool privileged);    /* 0, -ENOENT, -EPERM */
u32 tcp_slow_start(struct tcp_sock *tp, u32 acked); /* packets left over */
void tcp_cong_avoid_ai(struct tcp_sock *tp, u32 w, u32 acked);
u32 tcp_reno_ssthresh(struct sock *sk);
void tcp_reno_cong_avoid(struct sock *sk, u32 ack, u32 acked);
u32 tcp_reno_undo_cwnd(struct sock *sk);
bool tcp_is_cwnd_limited(const struct sock *sk);

static inline void tcp_ca_event(struct sock *sk, enum tcp_ca_event ev)
{
	const struct tcp_congestion_ops *ca = tcp_ca(sk);

	if (ca->cwnd_event)
		ca->cwnd_event(sk, ev);
}

/* ---- reasons and trace points ------------------------------------------------------------------------ */

#define TCP_DROP_REASONS(X)                                                                        \
	X(TCP_HDR, "header is short, or its data offset is wrong (RFC 9293 3.1)")                  \
	X(TCP_CSUM, "checksum is wrong (RFC 9293 3.1)")                                            \
	X(TCP_NOT_FOR_US, "addressed to a group or to another host")                               \
	X(TCP_NO_SOCKET,                                                                           \
	  "no connection and no listener for it; answered with RST (RFC 9293 3.10.7.1)")           \
	X(TCP_FLAGS, "a combination of flags that means nothing in this state")                    \
	X(TCP_OLD_DATA, "all of its octets were received before")                                  \
	X(TCP_OVERWINDOW, "beyond the receive window (RFC 9293 3.10.7.4, first check)")            \
	X(TCP_ZERO_WINDOW, "data while the receive window is closed")                              \
	X(TCP_PAWS, "timestamp is older than the last one (RFC 7323 5)")                           \
	X(TCP_RESET_SEQ, "RST whose sequence number is not exactly the next (RFC 5961 3.2)")       \
	X(TCP_RESET, "RST ended the connection")                                                   \
	X(TCP_INVALID_SYN, "SYN inside a connection; answered with a challenge ACK (RFC 5961 4)")  \
	X(TCP_INVALID_ACK, "acknowledges what was never sent, or is far too old (RFC 5961 5)")     \
	X(TCP_OLD_ACK, "acknowledges less than was acknowledged before")                           \
	X(TCP_NO_ACK, "no ACK flag where one is required (RFC 9293 3.10.7.4, fifth check)")        \
	X(TCP_LISTEN_OVERFLOW, "the accept queue is full (listen(2) backlog)")                     \
	X(TCP_REQ_OVERFLOW, "the SYN queue is full, and there are no cookies (tcp_syncookies)")    \
	X(TCP_REQ_DUP, "a segment for a handshake that needs nothing more than it caused")         \
	X(TCP_DEFER_ACCEPT, "the ACK of the handshake came without data (TCP_DEFER_ACCEPT)")       \
	X(TCP_RCVBUFF, "the receive buffer is full")                                               \
	X(TCP_OFO_PRUNED, "taken from the out-of-order queue to make room")                        \
	X(TCP_OFO_OVERLAP, "out-of-order octets that another segment covers")                      \
	X(TCP_CLOSE, "the connection is closed")                                                   \
	X(TCP_ABORT_ON_DATA, "data after the program closed the socket; answered with RST")        \
	X(TCP_TIMEWAIT, "a segment for a connection in TIME_WAIT")                                 \
	X(TCP_MIN_TTL, "time to live below IP_MINTTL (RFC 5082)")                                  \
	X(TCP_NOROUTE, "no route for the answer")                                                  \
	X(TCP_AUTH_HDR, "signed in two ways at once, or the option is malformed (RFC 5925 2.2)")   \
	X(TCP_MD5NOTFOUND, "not signed, but there is a TCP-MD5 key for its sender (RFC 2385 2.0)") \
	X(TCP_MD5UNEXPECTED, "signed with TCP-MD5, but there is no key for its sender")            \
	X(TCP_MD5FAILURE, "the TCP-MD5 digest is wrong (RFC 2385 2.0)")                            \
	X(TCP_AONOTFOUND, "not signed, but its sender must, with TCP-AO (RFC 5925 7.3)")           \
	X(TCP_AOUNEXPECTED, "signed with TCP-AO, which the connection does without")               \
	X(TCP_AOKEYNOTFOUND, "signed with TCP-AO by a key that is not known (RFC 5925 7.3)")       \
	X(TCP_AOFAILURE, "the TCP-AO MAC is wrong (RFC 5925 7.3)")

DROP_REASON_ENUM(TCP, TCP_DROP_REASONS);

#define TCP_TRACE_POINTS(X)                                                                        \
	X(tcp_sendmsg, "tcp/tcp.c", "seq", "octets")                                               \
	X(tcp_recvmsg, "tcp/tcp.c", "seq", "octets")                                               \
	X(tcp_write_xmit, "tcp/tcp_output.c", "cwnd", "in_flight")                                 \
	X(tcp_transmit_skb, "tcp/tcp_output.c", "seq", "ack")                                      \
	X(tcp_retransmit_skb, "tcp/tcp_output.c", "seq", "segments")                               \
	X(tcp_send_ack, "tcp/tcp_output.c", "ack", "window")                                       \
	X(tcp_send_fin, "tcp/tcp_output.c", "seq", NULL)                                           \
	X(tcp_connect, "tcp/tcp_output.c", "seq", NULL)                                            \
	X(tcp_make_synack, "tcp/tcp_output.c", "seq", "ack")                                       \
	X(tcp_v4_rcv, "tcp/tcp_ipv4.c", "seq", "ack")                                              \
	X(tcp_conn_request, "tcp/tcp_minisocks.c", "seq", "queued")                                \
	X(tcp_syn_flood, "tcp/tcp_minisocks.c", "seq", "queued")                                   \
	X(tcp_cookie_check, "tcp/syncookies.c", "seq", "mss")                                      \
	X(tcp_check_req, "tcp/tcp_minisocks.c", "seq", NULL)                                       \
	X(tcp_rcv_established, "tcp/tcp_input.c", "rcv_nxt", "fast_path")                          \
	X(tcp_hp_miss_flags, "tcp/tcp_input.c", "seq", "rcv_nxt")                                  \
	X(tcp_hp_miss_options, "tcp/tcp_input.c", "seq", "rcv_nxt")                                \
	X(tcp_hp_miss_window, "tcp/tcp_input.c", "seq", "rcv_nxt")                                 \
	X(tcp_hp_miss_seq, "tcp/tcp_input.c", "seq", "rcv_nxt")                                    \
	X(tcp_hp_miss_ack, "tcp/tcp_input.c", "seq", "rcv_nxt")                                    \
	X(tcp_hp_miss_timestamp, "tcp/tcp_input.c", "seq", "rcv_nxt")                              \
	X(tcp_hp_miss_rcvwindow, "tcp/tcp_input.c", "seq", "rcv_nxt")                              \
	X(tcp_hp_miss_memory, "tcp/tcp_input.c", "seq", "rcv_nxt")                                 \
	X(tcp_hp_miss_ofoqueue, "tcp/tcp_input.c", "seq", "rcv_nxt")                               \
	X(tcp_hp_miss_urgent, "tcp/tcp_input.c", "seq", "rcv_nxt")                                 \
	X(tcp_hp_miss_unset, "tcp/tcp_input.c", "seq", "rcv_nxt")                                  \
	X(tcp_rcv_state_process, "tcp/tcp_state.c", "state", NULL)                                 \
	X(tcp_timewait_state_process, "tcp/tcp_minisocks.c", "seq", NULL)                          \
	X(tcp_data_queue, "tcp/tcp_input.c", "seq", "rcv_nxt")                                     \
	X(tcp_data_queue_ofo, "tcp/tcp_reass.c", "seq", "rcv_nxt")                                 \
	X(tcp_ofo_queue, "tcp/tcp_reass.c", "seq", "rcv_nxt")                                      \
	X(tcp_ack, "tcp/tcp_ack.c", "snd_una", "in_flight")                                        \
	X(tcp_enter_recovery, "tcp/tcp_recovery.c", "ssthresh", "lost")                            \
	X(tcp_enter_loss, "tcp/tcp_recovery.c", "ssthresh", "lost")                                \
	X(tcp_fin, "tcp/tcp_input.c", "state", NULL)                                               \
	X(tcp_send_reset, "tcp/tcp_demux.c", "seq", NULL)                                          \
	X(tcp_v6_rcv, "tcp/tcp_ipv6.c", "seq", "ack")

TRACE_POINT_ENUM(TCP, TCP_TRACE_POINTS);

extern const struct drop_reason_table tcp_drop_reasons;
extern const struct trace_point_table tcp_trace_points;

#endif
