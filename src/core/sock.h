/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sock.h - the network side of a socket, common to all protocols
 *
 * Theory of operation
 *   struct socket is what a program has, struct sock what the network has. struct sock is the first member of each
 *   protocol's own structure (inet_sock -> inet_connection_sock -> tcp_sock). A sock outlives its socket (orphan:
 *   sk_socket == NULL) while the protocol still has work. Calls go to sk->sk_prot.
 *   Memory: octets of skbs on the way out are charged to sk_wmem_alloc (skb_set_owner_w, released when the skb ends),
 *   received ones to sk_rmem_alloc (skb_set_owner_r). Limits are sk_sndbuf and sk_rcvbuf, counted in truesize; all socks of a
 *   protocol together have sock_mem.h.
 *   Rare state (error queue, filters, timestamps, multicast lists) hangs behind sk_rare.
 * References: sock_hold/sock_put, plain counts under the home cpu's lock. Hash tables, timers and the socket hold one each.
 * Locking: the home cpu's lock guards everything here. There is no socket lock and no backlog.
 */
#ifndef WEIR_CORE_SOCK_H
#define WEIR_CORE_SOCK_H

#include <netinet/in.h>
#include <time.h>

/* It needs struct timespec. */
#include <linux/errqueue.h>
#include <linux/net_tstamp.h>

#include "core/net.h"
#include "core/skbuff.h"
#include "core/uio.h"
#include "core/wait.h"
#include "lib/list.h"

struct bpf_prog; /* bpf_classic.h */
struct module;   /* module.h */
struct dst_entry;
struct proto;
struct sock_common;
struct socket;
struct sock_mem; /* sock_mem.h */
struct sock_rare;
struct sock_option_log; /* socket/sock_replica.c */
struct sock_replicas;
struct sock_reuseport; /* sock_reuseport.h */

/* TCP's states serve all protocols (values of tcp(7), netinet/tcp.h). */
enum sock_state {
	SS_TCP_ESTABLISHED = 1,
	SS_TCP_SYN_SENT,
	SS_TCP_SYN_RECV,
	SS_TCP_FIN_WAIT1,
	SS_TCP_FIN_WAIT2,
	SS_TCP_TIME_WAIT,
	SS_TCP_CLOSE,
	SS_TCP_CLOSE_WAIT,
	SS_TCP_LAST_ACK,
	SS_TCP_LISTEN,
	SS_TCP_CLOSING,
	SS_TCP_NEW_SYN_RECV,
};

enum sock_flags { /* bits of sk_flags */
		  SOCK_DEAD,
		  SOCK_DONE,
		  SOCK_URGINLINE,
		  SOCK_KEEPOPEN,
		  SOCK_LINGER,
		  SOCK_BROADCAST,
		  SOCK_TIMESTAMP,
		  SOCK_TIMESTAMPNS,
		  SOCK_DBG,
		  SOCK_RCVTSTAMP,
		  SOCK_LOCALROUTE,
		  SOCK_QUEUE_SHRUNK,
		  SOCK_RXQ_OVFL,
		  SOCK_NOSPACE,
		  SOCK_ZEROCOPY,
		  SOCK_PASSCRED,
		  SOCK_WIFI_STATUS,
		  SOCK_SELECT_ERR_QUEUE,
		  SOCK_NO_CHECK_TX,
		  SOCK_NOFCS,
		  SOCK_RCVMARK,
		  SOCK_TSTAMP_NEW,
		  SOCK_PREFER_BUSY_POLL,
		  SOCK_FILTER_LOCKED,
		  SOCK_RCVPRIORITY,
		  SOCK_NO_TXREHASH,
		  SOCK_TXTIME,
		  SOCK_FQ_PACED,   /* a discipline heeds skb->tstamp: its last packet came by one */
		  SOCK_AUTOCORKED, /* TCP: octets wait until a packet of ours has left this host */
};

enum { SK_SHUTDOWN_RCV = 1, SK_SHUTDOWN_SEND = 2, SK_SHUTDOWN_MASK = 3 };
enum { SK_SNDBUF_LOCK = 1, SK_RCVBUF_LOCK = 2, SK_BINDADDR_LOCK = 4, SK_BINDPORT_LOCK = 8 };
enum { SK_NO_REUSE, SK_CAN_REUSE, SK_FORCE_REUSE };

/* The addresses and what lookups compare: also the head of timewait and request socks, which share the hash tables.
 * Only inet/'s match functions and the af_ops look at the address members. */
struct sock_common {
	struct hlist_node skc_node; /* ehash, or the protocol's own table */
	u32 skc_hash;
	be32 skc_daddr;
	be32 skc_rcv_saddr; /* 0: any */
	be16 skc_dport;
	u16 skc_num; /* local port, host order; raw: protocol */
	int skc_bound_dev_if;
	u16 skc_family;
	u8 skc_state;
	u8 skc_reuse : 2; /* SK_*_REUSE */
	u8 skc_reuseport : 1;
	u8 skc_ipv6only : 1;
	u8 skc_freebind : 1;
	u8 skc_in_lhash : 1;   /* skc_node is in the table of listeners, not in ehash */
	u8 skc_flow_named : 1; /* net_flow_add() knows it: it ends with its place in ehash */
	u32 skc_refcnt;
	u32 skc_dst_cookie; /* of dst_ops.check_sk */
	struct net *skc_net;
	const struct proto *skc_prot;
	struct in6_addr skc_v6_daddr, skc_v6_rcv_saddr;
	u64 skc_cookie; /* names it in the machine, for SO_COOKIE and ss(8) */
};

struct sock {
	struct sock_common c;
#define sk_node         c.skc_node
#define sk_hash         c.skc_hash
#define sk_daddr        c.skc_daddr
#define sk_rcv_saddr    c.skc_rcv_saddr
#define sk_dport        c.skc_dport
#define sk_num          c.skc_num
#define sk_bound_dev_if c.skc_bound_dev_if
#define sk_family       c.skc_family
#define sk_state        c.skc_state
#define sk_reuse        c.skc_reuse
#define sk_reuseport    c.skc_reuseport
#define sk_ipv6only     c.skc_ipv6only
#define sk_refcnt       c.skc_refcnt
#define sk_dst_cookie   c.skc_dst_cookie
#define sk_net          c.skc_net
#define sk_prot         c.skc_prot
#define sk_v6_daddr     c.skc_v6_daddr
#define sk_v6_rcv_saddr c.skc_v6_rcv_saddr
#define sk_cookie       c.skc_cookie

	/* receive */
	struct cpu *sk_cpu;       /* home */
	struct socket *sk_socket; /* NULL: orphan */
	struct wait_queue_head
		*sk_wq; /* of sk_socket; NULL: orphan. The core does not know struct socket */
	struct sk_buff_head sk_receive_queue;
	u32 sk_rmem_alloc;
	u32 sk_rcvbuf;
	u32 sk_rcvlowat;
	u32 sk_drops;
	u32 sk_mem_quota; /* sock_mem.h: what may be used before asking */
	u32 sk_flags;     /* 1 << enum sock_flags */
	int sk_err, sk_err_soft;

	/* transmit */
	struct dst_entry *sk_dst_cache; /* held */
	struct sk_buff_head sk_write_queue;
	u32 sk_wmem_alloc;
	u32 sk_wmem_queued;
	u32 sk_sndbuf;
	u32 sk_mark;
	u32 sk_priority;
	u32 sk_uid;

	/* control */
	u64 sk_rcvtimeo, sk_sndtimeo; /* ns; HOST_FOREVER: none */
	u32 sk_lingertime;            /* s */
	u16 sk_type;
	u8 sk_protocol;                         /* IPPROTO_*; 255 for those above */
	u8 sk_shutdown;                         /* SK_SHUTDOWN_* */
	u8 sk_userlocks;                        /* SK_*_LOCK: what the program fixed itself */
	u8 sk_inuse_at;                         /* where netns_core.proto_inuse counts it */
	u16 sk_ack_backlog, sk_max_ack_backlog; /* accept queue */
	u16 sk_obj_size;                        /* octets that it was allocated with */
	struct sock_rare *sk_rare;              /* NULL until needed */
	void (*sk_destruct)(struct sock *sk);
};

struct sock_rare { /* allocated by sock_rare(); freed with the sock */
	struct sk_buff_head error_queue;
	int peek_off;                        /* -1: off */
	struct bpf_prog *filter;             /* SO_ATTACH_FILTER; a reference */
	struct sock_reuseport *reuseport_cb; /* the SO_REUSEPORT group; NULL: none */
	u32 tsflags, tskey;
	u32 zckey;      /* of the next send call with MSG_ZEROCOPY */
	u32 omem_alloc; /* of what tells of such calls, until it is read: net.core.optmem_max */
	u64 stamp;
	s32 txtime_clock; /* SO_TXTIME: CLOCK_* */
	u32 txtime_flags; /* SOF_TXTIME_* */
	int busy_poll, incoming_cpu;
	u64 max_pacing_rate;                /* octets/s; ~0: no limit */
	struct list_head mc_list;           /* mc_socklist of IPv4 */
	struct sock_replicas *replicas;     /* of a bound socket of a net on several cpus */
	struct sock_option_log *option_log; /* of one that may get them */
	/* A wake-up for other layers than programs (tunnels); NULL: programs are woken */
	void (*wake)(struct sock *sk, u32 events);
};

static inline int sk_peek_offset(const struct sock *sk) /* -1: off */
{
	return sk->sk_rare ? sk->sk_rare->peek_off : -1;
}

struct proto {
	const char *name;           /* "TCP" */
	const struct module *owner; /* THIS_MODULE of a loadable one: each sock counts as a user */
	u32 obj_size;
	u32 rare_size;
	struct sock_mem *(*memory)(const struct net *net); /* NULL: not limited as a whole */
	/* All: user context, cpu lock held. Those marked * may block (and so drop the lock in between). */
	int (*init)(struct sock *sk);
	void (*close)(struct sock *sk, u64 timeout_ns); /* * drops the socket's reference */
	void (*destroy)(struct sock *sk);
	int (*connect)(struct sock *sk, const struct sockaddr *addr, socklen_t len);
	int (*disconnect)(struct sock *sk, int flags);
	/* The next connection: *; NULL with *ret_err */
	struct sock *(*accept)(struct sock *sk, int flags, int *ret_err);
	int (*ioctl)(struct sock *sk, unsigned cmd, void *arg);
	int (*setsockopt)(struct sock *sk, int level, int name, const void *val, socklen_t len);
	int (*getsockopt)(struct sock *sk, int level, int name, void *val, socklen_t *len);
	ssize_t (*sendmsg)(struct sock *sk, struct kmsghdr *msg, size_t len);            /* * */
	ssize_t (*recvmsg)(struct sock *sk, struct kmsghdr *msg, size_t len, int flags); /* * */
	int (*bind)(struct sock *sk, const struct sockaddr *addr, socklen_t len);
	void (*shutdown)(struct sock *sk, int how);
	/* Packets that a program kept are gone: recv_pages.h. NULL: recvmsg() always copies. */
	void (*recv_released)(struct sock *sk);
	int (*set_rcvlowat)(struct sock *sk, u32 val);   /* optional: more than to keep it */
	void (*keepalive)(struct sock *sk, bool on);     /* optional: SO_KEEPALIVE was changed */
	int (*get_port)(struct sock *sk, u16 port);      /* 0: choose; 0 or -EADDRINUSE */
	int (*listen_any)(struct sock *sk, int backlog); /* weir_listen_any(); NULL: -EOPNOTSUPP */
	void (*hash)(struct sock *sk);
	void (*unhash)(struct sock *sk);
	bool (*stream_memory_free)(const struct sock *sk);
	/* EPOLL* bits that hold now; NULL: datagram_poll() */
	u32 (*poll)(struct socket *sock);
	/* Streams: the number of the first octet that SO_TIMESTAMPING counts from when it is asked for identifiers. @unsent: of
	 * SOF_TIMESTAMPING_OPT_ID_TCP; else what is not acknowledged counts too. NULL: each message has its identifier. */
	u32 (*tskey_base)(const struct sock *sk, bool unsent);
	/* Attributes of SCM_TIMESTAMPING_OPT_STATS about @skb. @ack: what acknowledges it, or NULL. NULL: no memory. Optional. */
	struct sk_buff *(*tstamp_stats)(const struct sock *sk, const struct sk_buff *skb,
					const struct sk_buff *ack);
	/* Connection-oriented: may @sk take over the 4-tuple of the TIME_WAIT entry @tw (RFC 6191)? NULL: never. It
	 * copies what the new connection needs; inet/ then ends @tw. */
	bool (*twsk_unique)(struct sock *sk, struct sock_common *tw);
};

/* Makes a transport known to /proc/net/protocols; not needed to use it. rtnl. 0, -ENFILE */
int proto_register(struct machine *m, const struct proto *prot);
void proto_unregister(struct machine *m, const struct proto *prot);
int sock_machine_init(struct machine *m);

/* sock.c */
struct sock *sk_alloc(struct net *net, int family,
		      const struct proto *prot); /* one reference; NULL: no memory */
/* A child of @sk, with one reference, or NULL: as @sk is set, but for what belongs to one sock (numbers, queues, accounts, errors, place in
 * tables). @cookie: its cookie; 0: a new one. What a protocol adds is copied, and is the protocol's affair. */
struct sock *sk_clone(const struct sock *sk, u64 cookie);
void sk_free(struct sock *sk); /* last reference is gone */
u64 sock_new_cookie(struct sock *sk);
/* @sk becomes one of another protocol, whose sock is no larger (IPV6_ADDRFORM). */
void sk_change_prot(struct sock *sk, const struct proto *prot);
static inline void sock_hold(struct sock *sk)
{
	sk->sk_refcnt++;
}
static inline void sock_put(struct sock *sk)
{
	if (--sk->sk_refcnt == 0)
		sk_free(sk);
}
/* Defaults of a new sock. @sock and its wait queue @wq may both be NULL (children, kernel-side socks). @type: SOCK_*. The caller
 * sets sock->sk itself. */
void sock_init_data(struct sock *sk, struct socket *sock, struct wait_queue_head *wq, u16 type);
void sock_orphan(struct sock *sk); /* sets SOCK_DEAD; sk_socket and sk_wq become NULL */
void sock_graft(struct sock *sk, struct socket *parent, struct wait_queue_head *wq);
struct sock_rare *sock_rare(struct sock *sk); /* allocates; NULL: no memory */

static inline bool sock_flag(const struct sock *sk, enum sock_flags f)
{
	return sk->sk_flags & (1u << f);
}
static inline void sock_set_flag(struct sock *sk, enum sock_flags f)
{
	sk->sk_flags |= 1u << f;
}
static inline void sock_reset_flag(struct sock *sk, enum sock_flags f)
{
	sk->sk_flags &= ~(1u << f);
}
static inline void sock_valbool_flag(struct sock *sk, enum sock_flags f, bool on)
{
	on ? sock_set_flag(sk, f) : sock_reset_flag(sk, f);
}

/*
 * A charged skb keeps the sock's memory alive without a reference: sk_free() waits until sk_wmem_alloc is 0. A destructor of
 * a protocol's own (TCP) ends with sk_wmem_uncharge(), after which @sk may be gone. skb_set_owner_*() orphan the skb first;
 * skb_set_owner_r() also makes it forget its device.
 */
void sock_wfree(struct sk_buff *skb);
void sock_rfree(struct sk_buff *skb);
void skb_set_owner_w(struct sk_buff *skb, struct sock *sk);
void skb_set_owner_r(struct sk_buff *skb, struct sock *sk);
/* The same for one that belongs to nobody. */
static inline void __skb_set_owner_r(struct sk_buff *skb, struct sock *sk)
{
	skb->sk = sk;
	skb->destructor = sock_rfree;
	skb->dev = NULL; /* it may wait longer than the device lives; skb_iif stays */
	sk->sk_rmem_alloc += skb->truesize;
}
void sk_wmem_uncharge(struct sock *sk, u32 octets);
/* Early demux: a packet on its way in keeps the socket that it is for, which was found before its route. */
void sock_edemux(struct sk_buff *skb); /* its destructor */
static inline void skb_set_owner_edemux(struct sk_buff *skb, struct sock *sk)
{
	sock_hold(sk);
	skb->sk = sk;
	skb->destructor = sock_edemux;
}
/* That socket, not held, if it is still in the table in which it was found; NULL: look. @skb has none any more. */
static inline struct sock *skb_steal_sock(struct sk_buff *skb)
{
	struct sock *sk = skb->sk;
	bool hashed;

	if (likely(!sk))
		return NULL;
	if (unlikely(skb->destructor != sock_edemux)) {
		skb_orphan(skb);
		return NULL;
	}
	skb->sk = NULL;
	skb->destructor = NULL;
	hashed = !hlist_unhashed(&sk->sk_node);
	sock_put(sk);
	return hashed ? sk : NULL;
}
/* consume; 0, -EPERM when the sock's filter refuses it (dropped with SOCKET_FILTER), or -ENOMEM when the receive buffer is full
 * (counted in sk_drops, dropped with SOCKET_RCVBUFF). */
int sock_queue_rcv_skb(struct sock *sk, struct sk_buff *skb);
/* The same for a packet that has passed the filter. */
int __sock_queue_rcv_skb(struct sock *sk, struct sk_buff *skb);
/* Runs the sock's filter, if any, on the packet at data and shortens it to what the filter keeps, but at least @cap octets. 0, or
 * -EPERM: not wanted; @skb stays the caller's. */
int __sk_filter_trim_cap(struct sock *sk, struct sk_buff *skb, u32 cap);
/* When @skb arrived, in ns since 1970. Packets carry the machine's own clock. */
u64 skb_realtime(const struct sk_buff *skb);
/* SO_TIMESTAMP, SO_TIMESTAMPNS, SO_TIMESTAMPING of a received packet; keeps the stamp for SIOCGSTAMP. */
void sock_recv_timestamp(struct sock *sk, struct kmsghdr *msg, const struct sk_buff *skb);
void __sock_recv_cmsgs(struct sock *sk, struct kmsghdr *msg, const struct sk_buff *skb);
/* And SO_RXQ_OVFL, SO_RCVMARK, SO_RCVPRIORITY. */
static inline void sock_recv_cmsgs(struct sock *sk, struct kmsghdr *msg, const struct sk_buff *skb)
{
	const u32 any = 1u << SOCK_TIMESTAMP | 1u << SOCK_RCVTSTAMP | 1u << SOCK_RXQ_OVFL |
			1u << SOCK_RCVMARK | 1u << SOCK_RCVPRIORITY;

	if (unlikely(sk->sk_flags & any || (sk->sk_rare && sk->sk_rare->tsflags)))
		__sock_recv_cmsgs(sk, msg, skb);
}
/* What an skb in an error queue reports; the octets in front of it are the address family's. */
struct sock_err_cb {
	u8 family[20];
	struct sock_extended_err ee;
	u8 family_too[10];
	u8 opt_stats; /* its octets are those of SCM_TIMESTAMPING_OPT_STATS */
};
#define SOCK_ERR_CB(skb) ((struct sock_err_cb *)(skb)->cb)
static inline bool is_icmp_err_skb(const struct sk_buff *skb)
{
	u8 origin = SOCK_ERR_CB(skb)->ee.ee_origin;

	return origin == SO_EE_ORIGIN_ICMP || origin == SO_EE_ORIGIN_ICMP6;
}

/* SO_TIMESTAMPING: what is to be told about a packet on its way out, as bits of skb_shinfo()->tx_flags. */
enum { SKBTX_SW_TSTAMP = 1 << 0, SKBTX_SCHED_TSTAMP = 1 << 1, SKBTX_ACK_TSTAMP = 1 << 2 };
/* borrow: tells @sk that @skb, which is its own, passed the point @type (SCM_TSTAMP_*). @ack: as for proto.tstamp_stats */
void sock_tstamp_tx(struct sock *sk, const struct sk_buff *skb, const struct sk_buff *ack,
		    u32 type);
void __skb_tstamp_tx(const struct sk_buff *skb, u32 type);
/* borrow: @skb passes the point @type (SCM_TSTAMP_SND, SCM_TSTAMP_SCHED). Its sock hears of it by its error queue, if it asked. */
static inline void skb_tstamp_tx(const struct sk_buff *skb, u8 flag, u32 type)
{
	if (unlikely(skb_shinfo(skb)->tx_flags & flag))
		__skb_tstamp_tx(skb, type);
}

/* SIOCGSTAMP, SIOCGSTAMPNS in both widths: when the last packet that was read had arrived. Asking turns time stamps on. @arg: 16 octets.
 * -ENOENT: none yet; -ENOIOCTLCMD: another request. */
#define ENOIOCTLCMD 515
int sock_gettstamp(struct sock *sk, unsigned cmd, void *arg);
#define SOF_TIMESTAMPING_TX_COMPLETION_ (1u << 18) /* younger than some <linux/net_tstamp.h> */
#define SOF_TIMESTAMPING_TX_RECORD_MASK_                                                           \
	((u32)(SOF_TIMESTAMPING_TX_HARDWARE | SOF_TIMESTAMPING_TX_SOFTWARE |                       \
	       SOF_TIMESTAMPING_TX_SCHED | SOF_TIMESTAMPING_TX_ACK) |                              \
	 SOF_TIMESTAMPING_TX_COMPLETION_)
/* Control messages of level SOL_SOCKET of one sendmsg(2), on top of what the socket says. */
struct sockcm_cookie {
	u32 mark, priority;
	u32 tsflags; /* SOF_TIMESTAMPING_* */
	u32 ts_opt_id;
	u64 departure; /* ns of the machine's clock: not before; 0: now */
	u8 ts_opt_id_set : 1, priority_set : 1;
};
static inline void sockcm_init(struct sockcm_cookie *sockc, const struct sock *sk)
{
	*sockc = (struct sockcm_cookie){ .mark = sk->sk_mark,
					 .priority = sk->sk_priority,
					 .tsflags = sk->sk_rare ? sk->sk_rare->tsflags : 0 };
}
/* Does @sockc ask for time stamps of what is sent? */
static inline bool sockcm_tx_stamps(const struct sockcm_cookie *sockc)
{
	return sockc->tsflags & SOF_TIMESTAMPING_TX_RECORD_MASK_;
}
/* The bits of tx_flags for it. */
u8 sockcm_tx_flags(const struct sockcm_cookie *sockc);
void __sock_tx_timestamp(struct sock *sk, struct sk_buff *skb, const struct sockcm_cookie *sockc);
/* Marks @skb for the time stamps that @sockc asks for, and gives it its identifier and when it is to leave. */
static inline void sock_tx_timestamp(struct sock *sk, struct sk_buff *skb,
				     const struct sockcm_cookie *sockc)
{
	skb->tstamp = sockc->departure;
	if (unlikely(sockcm_tx_stamps(sockc)))
		__sock_tx_timestamp(sk, skb, sockc);
}
/* 0 or -EINVAL */
int sock_cmsg_send(const struct sock *sk, const struct cmsghdr *cmsg, size_t len,
		   struct sockcm_cookie *sockc);
/* All of @msg's, for families that have none of their own. 0 or -EINVAL */
int sock_cmsgs_send(const struct sock *sk, const struct kmsghdr *msg, struct sockcm_cookie *sockc);
/* SCM_TIMESTAMPING of an skb from the error queue that __skb_tstamp_tx() made. */
void sock_recv_tx_timestamp(struct sock *sk, struct kmsghdr *msg, const struct sk_buff *skb);
/* consume (also on failure): queues to the error queue and reports EPOLLERR. 0, or -ENOMEM: receive buffer full, no memory. */
int sock_queue_err_skb(struct sock *sk, struct sk_buff *skb);
/* The oldest report; NULL: none. The pending error goes with the ICMP error that it is from, and the next one of those takes its place;
 * time stamps and notifications leave it alone. */
struct sk_buff *sock_dequeue_err_skb(struct sock *sk);
/* An skb for sending, waiting for sndbuf room unless @noblock. NULL with *ret_err. * drops the lock */
struct sk_buff *sock_alloc_send_skb(struct sock *sk, u32 header, u32 data, bool noblock,
				    int *ret_err);
/* The next datagram, waiting unless MSG_DONTWAIT; NULL with *ret_err (0: receive side is shut down, end of file). MSG_PEEK leaves
 * it queued and gives a reference. Either way it ends with skb_free_datagram(). */
struct sk_buff *skb_recv_datagram(struct sock *sk, int flags, int *ret_err);
void skb_free_datagram(struct sock *sk, struct sk_buff *skb);
/* The same with SO_PEEK_OFF: MSG_PEEK looks for the datagram in which that octet lies, not counting the first @hdr_len octets of
 * each; *ret_off: the octets of it to skip. */
struct sk_buff *skb_recv_datagram_off(struct sock *sk, int flags, u32 hdr_len, u32 *ret_off,
				      int *ret_err);
/* @octets were looked at, or (negative) taken: moves the offset of SO_PEEK_OFF, if it is on. */
static inline void sk_peek_offset_moved(struct sock *sk, int octets)
{
	int off = sk_peek_offset(sk);

	if (unlikely(off >= 0))
		sk->sk_rare->peek_off = max(off + octets, 0);
}

/* What happened, as EPOLL* bits: wakes pollers and blocked threads. */
static inline void sock_wake(struct sock *sk, u32 events)
{
	if (unlikely(sk->sk_rare && sk->sk_rare->wake))
		sk->sk_rare->wake(sk, events);
	else if (likely(sk->sk_wq))
		wake_up(sk->sk_cpu, sk->sk_wq, events);
}
static inline void sk_data_ready(struct sock *sk)
{
	sock_wake(sk, 0x001 /* EPOLLIN */ | 0x040 /* EPOLLRDNORM */);
}
static inline void sk_write_space(struct sock *sk)
{
	sock_wake(sk, 0x004 /* EPOLLOUT */ | 0x100 /* EPOLLWRNORM */);
}
void sk_state_change(struct sock *sk); /* IN OUT HUP ...: everything may have changed */
void sk_error_report(struct sock *sk); /* EPOLLERR */
/* Waits for sock_wake() once. 0, -EAGAIN: *timeo (ns left, updated) is over, -EINTR. Drops the lock meanwhile. */
int sk_wait_event(struct sock *sk, u64 *timeo_ns);
/* The same, and for a wake-up of @also, which is guarded by the same lock. @also must stay. */
int sk_wait_event_on(struct sock *sk, struct wait_queue_head *also, u64 *timeo_ns);
static inline u64 sock_rcvtimeo(const struct sock *sk, bool noblock)
{
	return noblock ? 0 : sk->sk_rcvtimeo;
}
static inline u64 sock_sndtimeo(const struct sock *sk, bool noblock)
{
	return noblock ? 0 : sk->sk_sndtimeo;
}
/* Takes the pending error: 0 or -errno; clears it. */
static inline int sock_error(struct sock *sk)
{
	int err = sk->sk_err;

	sk->sk_err = 0;
	return -err;
}
struct dst_entry *sk_dst_check(struct sock *sk); /* valid cached dst (not held) or NULL */
void sk_dst_set(struct sock *sk,
		struct dst_entry *dst); /* takes over the reference; drops the old */
static inline void sk_dst_reset(struct sock *sk)
{
	sk_dst_set(sk, NULL);
}

static inline struct net *sock_net(const struct sock *sk)
{
	return sk->sk_net;
}
static inline bool sk_has_filter(const struct sock *sk)
{
	return unlikely(sk->sk_rare && sk->sk_rare->filter);
}
static inline int sk_filter_trim_cap(struct sock *sk, struct sk_buff *skb, u32 cap)
{
	return sk_has_filter(sk) ? __sk_filter_trim_cap(sk, skb, cap) : 0;
}
static inline bool sk_rmem_full(const struct sock *sk)
{
	return sk->sk_rmem_alloc > sk->sk_rcvbuf;
}
static inline s64 sk_stream_wspace(const struct sock *sk)
{
	return (s64)sk->sk_sndbuf - (s64)sk->sk_wmem_queued;
}

#endif
