/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sock.c - what every kind of socket shares below the system calls: life, accounting, queues, waiting
 *
 * Theory of operation
 *   A sock ends in two steps. When its last reference goes (sk_free()), its queues are emptied; the memory itself stays until the
 *   last packet that is charged to its send side has ended (sk_wmem_alloc is 0), because that packet's destructor still
 *   points to it. Received packets cannot outlive it: they are on its queues, or a reader holds the sock.
 *   Sending is limited by sk_wmem_alloc against sk_sndbuf, receiving by sk_rmem_alloc against sk_rcvbuf, in truesize.
 * Locking: the home cpu's lock.
 */
#include "core/sock.h"

#include <asm/socket.h>
#include <errno.h>
#include <linux/net_tstamp.h>
#include <linux/sockios.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>

#include "core/busy_poll.h"
#include "core/bpf_classic.h"
#include "core/cpu.h"
#include "core/dst.h"
#include "core/machine.h"
#include "core/module.h"
#include "core/netdevice.h"
#include "core/slab.h"
#include "core/sock_mem.h"
#include "core/sock_reasons.h"
#include "core/sock_reuseport.h"
#include "core/sysctl.h"
#include "core/zerocopy.h"
#include "host/host.h"

DROP_REASON_TABLE(socket_drop_reasons, SOCKET, SOCKET_DROP_REASONS);

#define SCM_TS_OPT_ID_   81     /* younger than some <asm/socket.h> */
#define SOCK_DEFAULT_BUF 212992 /* net.core.[rw]mem_default, when the net has no devices part */

/* ---- life --------------------------------------------------------------------------------------------- */

/* ---- transports ---------------------------------------------------------------------------------------------- */

int proto_register(struct machine *m, const struct proto *prot)
{
	int at = -1;

	for (int i = PROTO_MAX - 1; i >= 0; i--) {
		if (m->protos[i] == prot)
			return 0;
		if (!m->protos[i])
			at = i;
	}
	if (at < 0)
		return -ENFILE;
	__atomic_store_n(&m->protos[at], prot, __ATOMIC_RELAXED);
	return 0;
}

void proto_unregister(struct machine *m, const struct proto *prot)
{
	for (u32 i = 0; i < PROTO_MAX; i++)
		if (m->protos[i] == prot)
			__atomic_store_n(&m->protos[i], NULL, __ATOMIC_RELAXED);
}

/* Where @prot's socks are counted. The machine's transports are few. cpu lock held. */
static u8 proto_inuse_at(const struct machine *m, const struct proto *prot)
{
	u8 at = 0;

	while (at < PROTO_MAX && __atomic_load_n(&m->protos[at], __ATOMIC_RELAXED) != prot)
		at++;
	return at;
}

static void sk_inuse_add(const struct sock *sk, int n)
{
	if (likely(sk->sk_net->core))
		sk->sk_net->core->proto_inuse[sk->sk_inuse_at] += (u32)n;
}

static char has(bool function)
{
	return function ? 'y' : 'n';
}

/* memory: pages besides the first of each sock; -1 and NI: not limited as a whole (sock_mem.h). "br" is of the backlog of a locked socket, which
 * there is none of. */
static void proc_protocols_show(struct net *net, struct text *t)
{
	text_printf(t, "protocol  size sockets  memory press maxhdr  slab module     "
		       "cl co di ac io in de sh ss gs se re bi br ha uh gp em\n");
	for (u32 i = PROTO_MAX; i-- > 0;) {
		const struct proto *p = __atomic_load_n(&net->machine->protos[i], __ATOMIC_RELAXED);
		const struct sock_mem *mem = p && p->memory ? p->memory(net) : NULL;

		if (!p)
			continue;
		text_printf(t, "%-9s %4u %6u  %6lld   %-3s %6u   %-3s  %-10s ", p->name,
			    p->obj_size, net->core->proto_inuse[i],
			    mem ? (long long)mem->allocated : -1LL,
			    !mem || !mem->has_pressure ? "NI"
			    : mem->pressure_ns         ? "yes"
						       : "no",
			    0, "no", p->owner ? p->owner->name : "kernel");
		text_printf(t,
			    "%2c %2c %2c %2c %2c %2c %2c %2c %2c %2c %2c %2c %2c %2c %2c %2c %2c "
			    "%2c\n",
			    has(p->close), has(p->connect), has(p->disconnect), has(p->accept),
			    has(p->ioctl), has(p->init), has(p->destroy), has(p->shutdown),
			    has(p->setsockopt), has(p->getsockopt), has(p->sendmsg),
			    has(p->recvmsg), has(p->bind), 'n', has(p->hash), has(p->unhash),
			    has(p->get_port), has(mem && mem->has_pressure));
	}
}

static const struct view_desc sock_views[] = {
	{ "/proc/net/protocols", proc_protocols_show },
};

int sock_machine_init(struct machine *m)
{
	return view_register(m, sock_views, ARRAY_SIZE(sock_views));
}

u64 sock_new_cookie(struct sock *sk)
{
	return cpu_number(&sk->sk_cpu->cookies, &sk->sk_cpu->machine->sock_cookies);
}

/* What a new sock has whatever it comes from. */
static void sk_begin(struct sock *sk)
{
	sk->sk_refcnt = 1;
	sk_mem_begin(sk);
	skb_queue_head_init(&sk->sk_receive_queue);
	skb_queue_head_init(&sk->sk_write_queue);
	sk->sk_cpu->nr_socks++;
	sk_inuse_add(sk, 1);
}

struct sock *sk_alloc(struct net *net, int family, const struct proto *prot)
{
	struct sock *sk = slab_zalloc(net->cpu, prot->obj_size);
	struct machine *m = net->machine;

	assert(prot->obj_size >= sizeof(*sk));
	if (!sk)
		return NULL;
	if (!try_module_get(m, prot->owner)) {
		slab_free(net->cpu, sk, prot->obj_size);
		return NULL;
	}
	sk->sk_family = (u16)family;
	sk->sk_prot = prot;
	sk->sk_net = net;
	sk->sk_cpu = net->cpu;
	sk->sk_obj_size = (u16)prot->obj_size;
	sk->sk_inuse_at = proto_inuse_at(m, prot);
	sk->sk_cookie = sock_new_cookie(sk);
	sk_begin(sk);
	return sk;
}

/* A child takes over the filter and the options of its listener that are kept here. 0 or -ENOMEM. */
static int sock_rare_inherit(struct sock *newsk, const struct sock *sk)
{
	const struct sock_rare *r = sk->sk_rare;
	struct sock_rare *new;

	if (!r)
		return 0;
	new = sock_rare(newsk);
	if (!new)
		return -ENOMEM;
	new->filter = r->filter ? bpf_prog_get(r->filter) : NULL;
	new->peek_off = r->peek_off;
	new->tsflags = r->tsflags;
	new->txtime_clock = r->txtime_clock;
	new->txtime_flags = r->txtime_flags;
	new->busy_poll = r->busy_poll;
	new->incoming_cpu = r->incoming_cpu;
	new->max_pacing_rate = r->max_pacing_rate;
	return 0;
}

struct sock *sk_clone(const struct sock *sk, u64 cookie)
{
	u32 size = sk->sk_prot->obj_size;
	struct sock *newsk = slab_alloc(sk->sk_cpu, size);

	if (!newsk)
		return NULL;
	if (!try_module_get(sk->sk_cpu->machine, sk->sk_prot->owner)) {
		slab_free(sk->sk_cpu, newsk, size);
		return NULL;
	}
	memcpy(newsk, sk, size);
	newsk->sk_obj_size = (u16)size;
	newsk->sk_cookie = cookie ? cookie : sock_new_cookie(newsk);
	newsk->c.skc_node = (struct hlist_node){ 0 };
	newsk->c.skc_in_lhash = 0;
	newsk->c.skc_flow_named = 0;
	newsk->sk_socket = NULL;
	newsk->sk_wq = NULL;
	newsk->sk_rmem_alloc = 0;
	newsk->sk_wmem_alloc = 0;
	newsk->sk_wmem_queued = 0;
	newsk->sk_drops = 0;
	newsk->sk_err = newsk->sk_err_soft = 0;
	newsk->sk_shutdown = 0;
	newsk->sk_dst_cache = NULL;
	newsk->sk_ack_backlog = newsk->sk_max_ack_backlog = 0;
	newsk->sk_rare = NULL;
	newsk->sk_userlocks &= (u8)~SK_BINDPORT_LOCK;
	newsk->sk_flags &= ~(1u << SOCK_DONE | 1u << SOCK_QUEUE_SHRUNK | 1u << SOCK_NOSPACE);
	sk_begin(newsk);
	if (unlikely(sock_rare_inherit(newsk, sk))) {
		newsk->sk_destruct = NULL; /* what that would end is still @sk's */
		sock_put(newsk);
		return NULL;
	}
	return newsk;
}

void sk_change_prot(struct sock *sk, const struct proto *prot)
{
	assert(prot->obj_size <= sk->sk_obj_size);
	sk_inuse_add(sk, -1);
	sk->sk_prot = prot;
	sk->sk_inuse_at = proto_inuse_at(sk->sk_cpu->machine, prot);
	sk_inuse_add(sk, 1);
}

/* Nothing refers to it any more. */
static void __sk_free(struct sock *sk)
{
	struct cpu *cpu = sk->sk_cpu;

	if (sk->sk_rare) {
		bpf_prog_put(sk->sk_rare->filter);
		free(sk->sk_rare);
	}
	cpu->nr_socks--;
	module_put(cpu->machine, sk->sk_prot->owner);
	slab_free(cpu, sk, sk->sk_obj_size);
}

void sk_free(struct sock *sk)
{
	lock_assert_held(sk->sk_cpu);
	assert(sk->sk_refcnt == 0 && !sk->sk_node.pprev);
	sk_inuse_add(sk, -1);
	reuseport_detach_sock(sk);
	sk->sk_wmem_alloc++; /* what is purged here must not end the sock under our hands */
	if (sk->sk_destruct)
		sk->sk_destruct(sk);
	skb_queue_purge_reason(&sk->sk_receive_queue, SKB_DROP_SOCKET_CLOSE);
	skb_queue_purge_reason(&sk->sk_write_queue, SKB_DROP_SOCKET_CLOSE);
	if (sk->sk_rare)
		skb_queue_purge_reason(&sk->sk_rare->error_queue, SKB_DROP_SOCKET_CLOSE);
	sk_dst_reset(sk);
	assert(sk->sk_rmem_alloc == 0);
	sk_mem_end(sk);
	sk_wmem_uncharge(sk, 1);
}

void sock_init_data(struct sock *sk, struct socket *sock, struct wait_queue_head *wq, u16 type)
{
	const struct netns_core *core = sock_net(sk)->core;

	sk->sk_socket = sock;
	sk->sk_wq = wq;
	sk->sk_type = type;
	sk->sk_state = SS_TCP_CLOSE;
	sk->sk_rcvbuf = core ? core->rmem_default : SOCK_DEFAULT_BUF;
	sk->sk_sndbuf = core ? core->wmem_default : SOCK_DEFAULT_BUF;
	sk->sk_rcvlowat = 1;
	sk->sk_rcvtimeo = sk->sk_sndtimeo = HOST_FOREVER;
}

void sock_orphan(struct sock *sk)
{
	sock_set_flag(sk, SOCK_DEAD);
	sk->sk_socket = NULL;
	sk->sk_wq = NULL;
}

void sock_graft(struct sock *sk, struct socket *parent, struct wait_queue_head *wq)
{
	sk->sk_socket = parent;
	sk->sk_wq = wq;
}

struct sock_rare *sock_rare(struct sock *sk)
{
	u32 size = max_t(u32, sk->sk_prot->rare_size, sizeof(struct sock_rare));
	struct sock_rare *r = sk->sk_rare;

	if (r)
		return r;
	r = calloc(1, size);
	if (!r)
		return NULL;
	skb_queue_head_init(&r->error_queue);
	r->peek_off = -1;
	r->incoming_cpu = -1;
	r->max_pacing_rate = UINT64_MAX;
	list_init(&r->mc_list);
	sk->sk_rare = r;
	return r;
}

/* ---- accounting --------------------------------------------------------------------------------------- */

static inline void __sk_wmem_uncharge(struct sock *sk, u32 octets)
{
	assert(sk->sk_wmem_alloc >= octets);
	sk->sk_wmem_alloc -= octets;
	if (unlikely(!sk->sk_wmem_alloc && !sk->sk_refcnt))
		__sk_free(sk);
}

void sk_wmem_uncharge(struct sock *sk, u32 octets)
{
	__sk_wmem_uncharge(sk, octets);
}

/* Half of the buffer free is worth a wake-up: as Linux, so that writers write in batches. */
static bool sock_writeable(const struct sock *sk)
{
	return sk->sk_wmem_alloc < sk->sk_sndbuf / 2 || !sk->sk_wmem_alloc;
}

void sock_wfree(struct sk_buff *skb)
{
	struct sock *sk = skb->sk;

	lock_assert_held(sk->sk_cpu);
	if (sk->sk_refcnt && sk->sk_wq && waitqueue_active(sk->sk_wq)) {
		sk->sk_wmem_alloc -= skb->truesize;
		if (sock_writeable(sk))
			sk_write_space(sk);
		return;
	}
	__sk_wmem_uncharge(sk, skb->truesize);
}

void sock_edemux(struct sk_buff *skb)
{
	sock_put(skb->sk);
}

void sock_rfree(struct sk_buff *skb)
{
	assert(skb->sk->sk_rmem_alloc >= skb->truesize);
	skb->sk->sk_rmem_alloc -= skb->truesize;
}

void skb_set_owner_w(struct sk_buff *skb, struct sock *sk)
{
	skb_orphan(skb);
	skb->sk = sk;
	skb->destructor = sock_wfree;
	sk->sk_wmem_alloc += skb->truesize;
}

void skb_set_owner_r(struct sk_buff *skb, struct sock *sk)
{
	skb_orphan(skb);
	__skb_set_owner_r(skb, sk);
}

/* ---- receiving ---------------------------------------------------------------------------------------- */

int __sk_filter_trim_cap(struct sock *sk, struct sk_buff *skb, u32 cap)
{
	u32 keep = bpf_prog_run(sk->sk_rare->filter, skb, 0);

	if (!keep)
		return -EPERM;
	keep = max(keep, cap);
	return keep < skb->len && pskb_trim(skb, keep) ? -EPERM : 0;
}

int sock_queue_rcv_skb(struct sock *sk, struct sk_buff *skb)
{
	if (sk_filter_trim_cap(sk, skb, 1)) {
		kfree_skb_reason(skb, SKB_DROP_SOCKET_FILTER);
		return -EPERM;
	}
	return __sock_queue_rcv_skb(sk, skb);
}

int __sock_queue_rcv_skb(struct sock *sk, struct sk_buff *skb)
{
	lock_assert_held(sk->sk_cpu);
	/* As Linux: a packet larger than the whole buffer is taken when the buffer is empty. */
	if (sk->sk_rmem_alloc + skb->truesize > sk->sk_rcvbuf && sk->sk_rmem_alloc) {
		sk->sk_drops++;
		sk->sk_cpu->receiver_full = true;
		kfree_skb_reason(skb, SKB_DROP_SOCKET_RCVBUFF);
		return -ENOMEM;
	}
	if (!sk_mem_schedule(sk, skb->truesize, SK_MEM_RECV)) {
		sk->sk_drops++;
		kfree_skb_reason(skb, SKB_DROP_SOCKET_PROTO_MEM);
		return -ENOBUFS;
	}
	skb_set_owner_r(skb, sk);
	skb_queue_tail(&sk->sk_receive_queue, skb);
	if (!sock_flag(sk, SOCK_DEAD))
		sk_data_ready(sk);
	return 0;
}

int sock_queue_err_skb(struct sock *sk, struct sk_buff *skb)
{
	struct sock_rare *r = sock_rare(sk);

	lock_assert_held(sk->sk_cpu);
	if (!r || sk->sk_rmem_alloc + skb->truesize > sk->sk_rcvbuf) {
		sk->sk_drops++;
		kfree_skb_reason(skb, SKB_DROP_SOCKET_ERRQUEUE);
		return -ENOMEM;
	}
	skb_set_owner_r(skb, sk);
	sk_mem_charge(sk);
	skb_queue_tail(&r->error_queue, skb);
	if (!sock_flag(sk, SOCK_DEAD))
		sk_error_report(sk);
	return 0;
}

struct sk_buff *sock_dequeue_err_skb(struct sock *sk)
{
	struct sk_buff *skb = sk->sk_rare ? skb_dequeue(&sk->sk_rare->error_queue) : NULL;
	const struct sk_buff *next;

	if (!skb)
		return NULL;
	next = skb_peek(&sk->sk_rare->error_queue);
	if (next && is_icmp_err_skb(next))
		sk->sk_err = (int)SOCK_ERR_CB(next)->ee.ee_errno;
	else if (is_icmp_err_skb(skb))
		sk->sk_err = 0;
	if (next)
		sk_error_report(sk);
	return skb;
}

/* The datagram that MSG_PEEK is for, with SO_PEEK_OFF at @off. */
static struct sk_buff *peek_at(const struct sock *sk, u32 off, u32 hdr_len, u32 *ret_off)
{
	struct sk_buff *skb, *next;

	skb_queue_walk_safe(&sk->sk_receive_queue, skb, next) {
		u32 len = skb->len - hdr_len;

		if (off < len || (!off && !len && !skb->peeked)) {
			*ret_off = off;
			return skb;
		}
		off -= len;
	}
	return NULL;
}

static struct sk_buff *next_datagram(struct sock *sk, int flags, u32 hdr_len, u32 *ret_off)
{
	int off = flags & MSG_PEEK ? sk_peek_offset(sk) : -1;
	struct sk_buff *skb = skb_peek(&sk->sk_receive_queue);

	if (unlikely(off >= 0))
		skb = peek_at(sk, (u32)off, hdr_len, ret_off);
	if (!skb)
		return NULL;
	if (flags & MSG_PEEK) {
		skb->peeked = 1;
		return skb_get(skb);
	}
	skb_unlink(skb, &sk->sk_receive_queue);
	return skb;
}

struct sk_buff *skb_recv_datagram_off(struct sock *sk, int flags, u32 hdr_len, u32 *ret_off,
				      int *ret_err)
{
	u64 timeo = sock_rcvtimeo(sk, flags & MSG_DONTWAIT);
	struct sk_buff *skb;
	int err;

	for (;;) {
		err = sock_error(sk);
		if (err)
			break;
		skb = next_datagram(sk, flags, hdr_len, ret_off);
		if (skb)
			return skb;
		if (sk->sk_shutdown & SK_SHUTDOWN_RCV)
			break; /* end of file: err is 0 */
		cpu_end_rest(sk->sk_cpu);
		err = timeo ? sk_wait_event(sk, &timeo) : -EAGAIN;
		if (err)
			break;
	}
	*ret_err = err;
	return NULL;
}

struct sk_buff *skb_recv_datagram(struct sock *sk, int flags, int *ret_err)
{
	u32 off;

	return skb_recv_datagram_off(sk, flags, 0, &off, ret_err);
}

void skb_free_datagram(struct sock *sk, struct sk_buff *skb)
{
	lock_assert_held(sk->sk_cpu);
	consume_skb(skb);
	if (skb_queue_empty(&sk->sk_receive_queue))
		sk_mem_reclaim(sk);
}

u64 skb_realtime(const struct sk_buff *skb)
{
	struct host *host = skb->cpu->machine->host;
	u64 ago = skb->tstamp ? host_now(host) - skb->tstamp : 0;

	return host_realtime(host) - ago;
}

/* SCM_TIMESTAMPING: three times, of which only the first, by software, exists here. */
static void recv_timestamping(const struct sock *sk, struct kmsghdr *msg, u64 stamp)
{
	s64 ts[6] = { (s64)(stamp / NSEC_PER_SEC), (s64)(stamp % NSEC_PER_SEC) };

	if (sk->sk_rare && sk->sk_rare->tsflags & SOF_TIMESTAMPING_SOFTWARE)
		put_cmsg(msg, SOL_SOCKET,
			 sock_flag(sk, SOCK_TSTAMP_NEW) ? SO_TIMESTAMPING_NEW : SO_TIMESTAMPING_OLD,
			 sizeof(ts), ts);
}

void sock_recv_tx_timestamp(struct sock *sk, struct kmsghdr *msg, const struct sk_buff *skb)
{
	recv_timestamping(sk, msg, skb_realtime(skb));
	if (SOCK_ERR_CB(skb)->opt_stats)
		put_cmsg(msg, SOL_SOCKET, SCM_TIMESTAMPING_OPT_STATS, skb->len, skb->data);
}

/* SO_TIMESTAMP, SO_TIMESTAMPNS */
static void recv_stamp(const struct sock *sk, struct kmsghdr *msg, u64 stamp)
{
	/* On 64-bit machines both widths of the option have the same structures. */
	if (sock_flag(sk, SOCK_TIMESTAMPNS)) {
		s64 ts[2] = { (s64)(stamp / NSEC_PER_SEC), (s64)(stamp % NSEC_PER_SEC) };

		put_cmsg(msg, SOL_SOCKET,
			 sock_flag(sk, SOCK_TSTAMP_NEW) ? SO_TIMESTAMPNS_NEW : SO_TIMESTAMPNS_OLD,
			 sizeof(ts), ts);
	} else {
		s64 tv[2] = { (s64)(stamp / NSEC_PER_SEC),
			      (s64)(stamp % NSEC_PER_SEC / NSEC_PER_USEC) };

		put_cmsg(msg, SOL_SOCKET,
			 sock_flag(sk, SOCK_TSTAMP_NEW) ? SO_TIMESTAMP_NEW : SO_TIMESTAMP_OLD,
			 sizeof(tv), tv);
	}
}

void sock_recv_timestamp(struct sock *sk, struct kmsghdr *msg, const struct sk_buff *skb)
{
	bool timestamping = sk->sk_rare && sk->sk_rare->tsflags & SOF_TIMESTAMPING_RX_SOFTWARE;
	u64 stamp;

	if (!sock_flag(sk, SOCK_TIMESTAMP) && !sock_flag(sk, SOCK_RCVTSTAMP) && !timestamping)
		return;
	stamp = skb_realtime(skb);
	if (sock_flag(sk, SOCK_RCVTSTAMP))
		recv_stamp(sk, msg, stamp);
	if (timestamping)
		recv_timestamping(sk, msg, stamp);
	if (sock_rare(sk))
		sk->sk_rare->stamp = stamp;
}

void __sock_recv_cmsgs(struct sock *sk, struct kmsghdr *msg, const struct sk_buff *skb)
{
	sock_recv_timestamp(sk, msg, skb);
	if (sock_flag(sk, SOCK_RXQ_OVFL) && sk->sk_drops)
		put_cmsg(msg, SOL_SOCKET, SO_RXQ_OVFL, sizeof(sk->sk_drops), &sk->sk_drops);
	if (sock_flag(sk, SOCK_RCVMARK))
		put_cmsg(msg, SOL_SOCKET, SO_MARK, sizeof(skb->mark), &skb->mark);
	if (sock_flag(sk, SOCK_RCVPRIORITY))
		put_cmsg(msg, SOL_SOCKET, SO_PRIORITY, sizeof(skb->priority), &skb->priority);
}

int sock_gettstamp(struct sock *sk, unsigned cmd, void *arg)
{
	u64 stamp = sk->sk_rare ? sk->sk_rare->stamp : 0;
	bool micro = cmd == SIOCGSTAMP_OLD || cmd == (unsigned)SIOCGSTAMP_NEW;
	s64 v[2];

	if (!micro && cmd != SIOCGSTAMPNS_OLD && cmd != (unsigned)SIOCGSTAMPNS_NEW)
		return -ENOIOCTLCMD;
	sock_set_flag(sk, SOCK_TIMESTAMP);
	if (!stamp)
		return -ENOENT;
	/* On 64-bit machines both widths have the same structures. */
	v[0] = (s64)(stamp / NSEC_PER_SEC);
	v[1] = (s64)(stamp % NSEC_PER_SEC / (micro ? NSEC_PER_USEC : 1));
	memcpy(arg, v, sizeof(v));
	return 0;
}

/* ---- control messages ---------------------------------------------------------------------------------- */

u8 sockcm_tx_flags(const struct sockcm_cookie *sockc)
{
	u32 f = sockc->tsflags;

	return (u8)((f & SOF_TIMESTAMPING_TX_SOFTWARE ? SKBTX_SW_TSTAMP : 0) |
		    (f & SOF_TIMESTAMPING_TX_SCHED ? SKBTX_SCHED_TSTAMP : 0) |
		    (f & SOF_TIMESTAMPING_TX_ACK ? SKBTX_ACK_TSTAMP : 0));
}

void __sock_tx_timestamp(struct sock *sk, struct sk_buff *skb, const struct sockcm_cookie *sockc)
{
	struct skb_shared_info *sh = skb_shinfo(skb);

	/* A datagram is not acknowledged. */
	sh->tx_flags |= sockcm_tx_flags(sockc) & (u8)~SKBTX_ACK_TSTAMP;
	if (!(sockc->tsflags & SOF_TIMESTAMPING_OPT_ID))
		return;
	if (sockc->ts_opt_id_set)
		sh->tskey = sockc->ts_opt_id;
	else if (sock_rare(sk))
		sh->tskey = sk->sk_rare->tskey++;
}

/* The packet itself, or with OPT_TSONLY nothing but the stamp (and what OPT_STATS tells), goes to the error queue. */
void sock_tstamp_tx(struct sock *sk, const struct sk_buff *skb, const struct sk_buff *ack, u32 type)
{
	const struct proto *prot = sk->sk_prot;
	struct sk_buff *copy;
	bool stats = false;
	u32 tsflags, key;

	if (!sk->sk_refcnt || !sk->sk_rare)
		return;
	tsflags = sk->sk_rare->tsflags;
	if (tsflags & SOF_TIMESTAMPING_OPT_TSONLY) {
		stats = tsflags & SOF_TIMESTAMPING_OPT_STATS && prot->tstamp_stats;
		copy = stats ? prot->tstamp_stats(sk, skb, ack) : alloc_skb(skb->cpu, 0);
	} else {
		copy = skb_clone_to_keep(skb);
	}
	if (!copy)
		return;
	memset(copy->cb, 0, sizeof(copy->cb));
	copy->tstamp = skb->cpu->now;
	copy->skb_iif = skb->dev ? (u32)skb->dev->ifindex : 0; /* the way out, for IP_PKTINFO */
	skb_dst_drop(copy);
	key = skb_shinfo(skb)->tskey - (prot->tskey_base ? sk->sk_rare->tskey : 0);
	SOCK_ERR_CB(copy)->opt_stats = stats;
	SOCK_ERR_CB(copy)->ee = (struct sock_extended_err){
		.ee_errno = ENOMSG,
		.ee_origin = SO_EE_ORIGIN_TIMESTAMPING,
		.ee_info = type,
		.ee_data = tsflags & SOF_TIMESTAMPING_OPT_ID ? key : 0,
	};
	sock_queue_err_skb(sk, copy);
}

void __skb_tstamp_tx(const struct sk_buff *skb, u32 type)
{
	/* What was received is not its receiver's to send. */
	if (skb->sk && skb->destructor != sock_rfree)
		sock_tstamp_tx(skb->sk, skb, NULL, type);
}

/* SCM_TXTIME: by the clock that SO_TXTIME names. Those that tell the time of day have no leap seconds between them here. */
static int cmsg_txtime(const struct sock *sk, const struct cmsghdr *cmsg, size_t len,
		       struct sockcm_cookie *sockc)
{
	struct host *host = sk->sk_cpu->machine->host;
	u64 when;

	if (!sock_flag(sk, SOCK_TXTIME) || len != sizeof(when))
		return -EINVAL;
	memcpy(&when, (const u8 *)cmsg + CMSG_LEN(0), sizeof(when));
	if (sk->sk_rare->txtime_clock != CLOCK_MONOTONIC) {
		u64 epoch = host_realtime(host) - host_now(host);

		when = when > epoch ? when - epoch : 0;
	}
	sockc->departure = when;
	return 0;
}

int sock_cmsg_send(const struct sock *sk, const struct cmsghdr *cmsg, size_t len,
		   struct sockcm_cookie *sockc)
{
	u32 v;

	switch (cmsg->cmsg_type) {
	case SCM_RIGHTS:
	case SCM_CREDENTIALS: /* they mean nothing here, as in Linux */
		return 0;
	case SO_MARK:
	case SO_PRIORITY:
	case SO_TIMESTAMPING_OLD:
	case SO_TIMESTAMPING_NEW:
	case SCM_TS_OPT_ID_:
		break;
	case SCM_TXTIME:
		return cmsg_txtime(sk, cmsg, len, sockc);
	default:
		return -EINVAL;
	}
	if (len != sizeof(v))
		return -EINVAL;
	memcpy(&v, (const u8 *)cmsg + CMSG_LEN(0), sizeof(v));
	switch (cmsg->cmsg_type) {
	case SO_MARK:
		sockc->mark = v;
		return 0;
	case SO_PRIORITY:
		sockc->priority = v;
		sockc->priority_set = 1;
		return 0;
	case SCM_TS_OPT_ID_:
		if (sk->sk_type == SOCK_STREAM || !(sockc->tsflags & SOF_TIMESTAMPING_OPT_ID))
			return -EINVAL;
		sockc->ts_opt_id = v;
		sockc->ts_opt_id_set = 1;
		return 0;
	default:
		if (v & ~SOF_TIMESTAMPING_TX_RECORD_MASK_)
			return -EINVAL;
		sockc->tsflags = (sockc->tsflags & ~SOF_TIMESTAMPING_TX_RECORD_MASK_) | v;
		return 0;
	}
}

struct sock_cmsgs {
	const struct sock *sk;
	struct sockcm_cookie *sockc;
};

static int sock_cmsgs_one(const struct cmsghdr *cmsg, size_t len, void *arg)
{
	const struct sock_cmsgs *c = arg;

	return cmsg->cmsg_level == SOL_SOCKET ? sock_cmsg_send(c->sk, cmsg, len, c->sockc) : 0;
}

int sock_cmsgs_send(const struct sock *sk, const struct kmsghdr *msg, struct sockcm_cookie *sockc)
{
	return cmsg_walk(msg, sock_cmsgs_one, &(struct sock_cmsgs){ sk, sockc });
}

/* ---- sending ------------------------------------------------------------------------------------------ */

struct sk_buff *sock_alloc_send_skb(struct sock *sk, u32 header, u32 data, bool noblock,
				    int *ret_err)
{
	u64 timeo = sock_sndtimeo(sk, noblock);
	struct sk_buff *skb;
	int err;

	for (;;) {
		err = sock_error(sk);
		if (err)
			break;
		if (sk->sk_shutdown & SK_SHUTDOWN_SEND) {
			err = -EPIPE;
			break;
		}
		if (sk->sk_wmem_alloc < sk->sk_sndbuf) {
			sock_reset_flag(sk, SOCK_NOSPACE);
			skb = data ? alloc_skb_with_frags(sk->sk_cpu, header, data)
				   : alloc_skb(sk->sk_cpu, header);
			if (skb) {
				skb_set_owner_w(skb, sk);
				return skb;
			}
			err = -ENOBUFS;
			break;
		}
		sock_set_flag(sk, SOCK_NOSPACE);
		err = timeo ? sk_wait_event(sk, &timeo) : -EAGAIN;
		if (err)
			break;
	}
	*ret_err = err;
	return NULL;
}

/* ---- waking and waiting ------------------------------------------------------------------------------- */

void sk_state_change(struct sock *sk)
{
	u32 events = EPOLLIN | EPOLLRDNORM | EPOLLOUT | EPOLLWRNORM;

	if (sk->sk_shutdown & SK_SHUTDOWN_RCV)
		events |= EPOLLRDHUP;
	if (sk->sk_shutdown == SK_SHUTDOWN_MASK || sk->sk_state == SS_TCP_CLOSE)
		events |= EPOLLHUP;
	if (sk->sk_err)
		events |= EPOLLERR;
	sock_wake(sk, events);
}

void sk_error_report(struct sock *sk)
{
	/* An error ends every wait: readers and writers must look too. */
	sock_wake(sk, EPOLLERR | EPOLLIN | EPOLLOUT);
}

static struct busy_poll sk_busy_poll(const struct sock *sk)
{
	struct busy_poll busy = { .prefer = sock_flag(sk, SOCK_PREFER_BUSY_POLL) };

	if (sk->sk_rare)
		busy.ns = (u64)sk->sk_rare->busy_poll * NSEC_PER_USEC;
	return busy;
}

int sk_wait_event(struct sock *sk, u64 *timeo_ns)
{
	return sk_wait_event_on(sk, NULL, timeo_ns);
}

int sk_wait_event_on(struct sock *sk, struct wait_queue_head *also, u64 *timeo_ns)
{
	struct cpu *cpu = sk->sk_cpu;
	u64 start = cpu->now, spent, deadline;
	struct wait_entry w, w2;
	int err;

	lock_assert_held(cpu);
	assert(sk->sk_wq); /* somebody with a file waits */
	deadline = *timeo_ns >= HOST_FOREVER - start ? HOST_FOREVER : start + *timeo_ns;
	err = wait_entry_init(cpu, &w);
	if (err)
		return err;
	sock_hold(sk);
	add_wait_queue(sk->sk_wq, &w);
	wait_entry_share(&w2, &w);
	if (also)
		add_wait_queue(also, &w2);
	err = wait_schedule_busy(cpu, &w, deadline, sk_busy_poll(sk));
	remove_wait_queue(&w);
	remove_wait_queue(&w2);
	wait_entry_fini(cpu, &w);
	if (*timeo_ns != HOST_FOREVER) {
		spent = cpu->now - start;
		*timeo_ns = spent < *timeo_ns ? *timeo_ns - spent : 0;
	}
	sock_put(sk);
	return err;
}

/* ---- route cache -------------------------------------------------------------------------------------- */

struct dst_entry *sk_dst_check(struct sock *sk)
{
	struct dst_entry *dst = sk->sk_dst_cache;

	if (dst)
		dst = dst->ops->check_sk ? dst->ops->check_sk(dst, sk) : dst_check(dst);
	if (unlikely(!dst))
		sk_dst_reset(sk);
	return dst;
}

void sk_dst_set(struct sock *sk, struct dst_entry *dst)
{
	struct dst_entry *old = sk->sk_dst_cache;

	sk->sk_dst_cache = dst;
	sk->sk_dst_cookie = 0; /* to be checked once against what was learnt */
	if (old)
		dst_release(old);
}
