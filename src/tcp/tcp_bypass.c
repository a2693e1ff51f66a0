/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_bypass.c - octets that need not be packets: both ends of a connection in one hand
 *
 * Theory of operation
 *   Somebody who gives a program's octets to one end of a connection, and takes them out of the other end in another net, may hand them
 *   over himself (weir_bypass()). The sequence numbers and all counters then move as if segments had carried them, so that the two ends agree at each
 *   moment, and the next octet may be a segment again: there is nothing to begin, and nothing to end. Handshake, close, probes and
 *   urgent octets always are segments.
 *   That is allowed while nobody could tell the difference: the direction is quiet (what was sent as segments was read and
 *   acknowledged), and between the two is but a wire that nothing looks at: no tap, tracer, hook, filter, raw socket, queueing discipline
 *   or impairment, valid routes by devices that are up. It is asked anew each time, so that whatever changes holds from the next octet on.
 *   The two directions do not need each other.
 * Invariants
 *   After tcp_bypass_ready() has said 0 and until the cpu lock is dropped: a.snd_una == a.snd_nxt == a.write_seq == b.rcv_nxt == b.copied_seq.
 *   b's window is not used up, as its owner has taken what went around: rcv_wup moves along, so the right edge moves as octets do.
 * Locking: the cpu lock of both, which must be the same cpu.
 * See uplink/README; RFC 9293 3.3.1, 3.4.
 */
#include <errno.h>

#include "core/cpu.h"
#include "core/neighbour.h"
#include "core/netdevice.h"
#include "core/nf_hook.h"
#include "core/qdisc.h"
#include "inet/inet6_sock.h"
#include "ipv6/ipv6.h"
#include "tcp/tcp.h"
#include "wire/ethernet.h"

/* ---- names -------------------------------------------------------------------------------------------------- */

/* Of the packets that @sk sends. */
static void far_tuple(const struct sock *sk, struct inet_tuple *ret)
{
	struct inet_tuple t;

	inet_common_tuple(&sk->c, &t);
	*ret = (struct inet_tuple){ .family = t.family,
				    .hnum = be16_to_cpu(t.sport),
				    .sport = cpu_to_be16(t.hnum),
				    .saddr = t.daddr,
				    .daddr = t.saddr };
}

static bool are_peers(const struct sock *a, const struct sock *b)
{
	struct inet_tuple ta, tb;

	far_tuple(a, &ta);
	inet_common_tuple(&b->c, &tb);
	if (ta.family != tb.family || ta.hnum != tb.hnum || !be16_eq(ta.sport, tb.sport))
		return false;
	if (ta.family == AF_INET)
		return be32_eq(ta.saddr.v4, tb.saddr.v4) && be32_eq(ta.daddr.v4, tb.daddr.v4);
	return ipv6_addr_equal(&ta.saddr.v6, &tb.saddr.v6) &&
	       ipv6_addr_equal(&ta.daddr.v6, &tb.daddr.v6);
}

/* ---- what is between them ------------------------------------------------------------------------------- */

static struct net_device *other_end(struct net_device *dev)
{
	if (dev->flags & IFF_LOOPBACK)
		return dev;
	return dev->netdev_ops->ndo_get_peer_dev ? dev->netdev_ops->ndo_get_peer_dev(dev) : NULL;
}

/* Impaired links have no segmentation offload. */
static bool is_plain_wire(const struct net_device *dev)
{
	return netif_running(dev) && netif_carrier_ok(dev) && (dev->features & NETIF_F_TSO) &&
	       dev->num_tx_queues == 1 && dev->tx->qdisc &&
	       (dev->tx->qdisc->flags & TCQ_F_NOQUEUE) && !netif_xmit_stopped(dev->tx) &&
	       !dev->rx_handler && list_empty(&dev->ptype_all);
}

static bool has_hooks(const struct net *net)
{
	if (likely(!net->nf))
		return false;
	for (int pf = 0; pf < NR_NFPROTO; pf++)
		for (int h = 0; h < NF_INET_NUMHOOKS; h++)
			if (net->nf->entries[pf][h])
				return true;
	return false;
}

static bool has_raw_sockets(const struct net *net)
{
	return !hlist_empty(&net->ipv4->raw_hash[IPPROTO_TCP % RAW_HASH_SIZE]) ||
	       (net->ipv6 && !hlist_empty(&net->ipv6->raw_hash[IPPROTO_TCP % RAW6_HASH_SIZE]));
}

/* Of a net on several cpus one shard does not know what the others' sockets look at. */
static bool nobody_looks(const struct net *net)
{
	return !net->dying && !net->group && list_empty(&net->core->ptype_all) && !has_hooks(net) &&
	       !has_raw_sockets(net);
}

/* The device that @sk's segments leave by, with a valid way to who is at its other end. */
static struct net_device *way_out(struct sock *sk)
{
	const struct dst_entry *dst = sk_dst_check(sk);
	const struct neighbour *n;
	struct net_device *peer;

	if (!dst || dst->error)
		return NULL;
	peer = other_end(dst->dev);
	n = dst->neigh;
	if (!peer || (n && (!(n->nud_state & NUD_VALID) ||
			    memcmp(n->ha, peer->dev_addr, peer->addr_len) != 0)))
		return NULL;
	return dst->dev;
}

static bool way_is_clear(struct sock *a, struct sock *b)
{
	struct net_device *da = way_out(a), *db = way_out(b);

	return da && db && other_end(da) == db && da->net == a->sk_net && db->net == b->sk_net &&
	       is_plain_wire(da) && is_plain_wire(db) && nobody_looks(a->sk_net) &&
	       nobody_looks(b->sk_net) && !a->sk_cpu->trace_on;
}

/* ---- who is there ----------------------------------------------------------------------------------------- */

struct sock *tcp_bypass_peer(struct sock *sk, struct net *net)
{
	struct net_device *dev;
	struct inet_tuple t;
	struct sock *peer;

	if (sk->sk_state != SS_TCP_ESTABLISHED)
		return NULL;
	if (!net) {
		dev = way_out(sk);
		net = dev ? other_end(dev)->net : NULL;
	}
	if (!net || net->cpu != sk->sk_cpu)
		return NULL;
	far_tuple(sk, &t);
	peer = __inet_lookup_established(&net->tcp->hashinfo, &t);
	return peer && peer->sk_state == SS_TCP_ESTABLISHED && peer->sk_socket ? peer : NULL;
}

/* ---- the two ends ----------------------------------------------------------------------------------------- */

/* What wants to see or to delay single segments. */
static bool is_ordinary(const struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	const struct tcp_rare *r = tcp_rare(sk);

	if (tp->repair || tp->urg_data || tp->urg_out || (tp->nonagle & TCP_NAGLE_CORK) ||
	    sk->sk_err)
		return false;
	return likely(!r) || (!r->pacing && !r->rare.filter && !r->rare.tsflags && !r->auth);
}

static bool may_send(const struct sock *sk)
{
	return (sk->sk_state == SS_TCP_ESTABLISHED || sk->sk_state == SS_TCP_CLOSE_WAIT) &&
	       !(sk->sk_shutdown & SK_SHUTDOWN_SEND);
}

static bool may_receive(const struct sock *sk)
{
	return (sk->sk_state == SS_TCP_ESTABLISHED || sk->sk_state == SS_TCP_FIN_WAIT2) &&
	       !(sk->sk_shutdown & SK_SHUTDOWN_RCV);
}

/* Everything that @a was given has been read at @b. */
static bool all_read(const struct sock *a, const struct sock *b)
{
	return tcp_sk(b)->copied_seq == tcp_sk(a)->write_seq &&
	       tcp_sk(b)->rcv_nxt == tcp_sk(a)->write_seq && tcp_ofo_empty(tcp_sk(b));
}

static bool all_acked(const struct sock *a)
{
	const struct tcp_sock *tp = tcp_sk(a);

	return tp->snd_una == tp->write_seq && tp->snd_nxt == tp->write_seq &&
	       tp->flight == &tcp_no_flight && skb_queue_empty(&a->sk_write_queue);
}

static bool may_go_around(struct sock *a, struct sock *b)
{
	return may_send(a) && may_receive(b) && is_ordinary(a) && is_ordinary(b) &&
	       are_peers(a, b) && way_is_clear(a, b);
}

int tcp_bypass_ready(struct sock *a, struct sock *b)
{
	struct cpu *cpu = a->sk_cpu;

	if (b->sk_cpu != cpu || !may_go_around(a, b))
		return -EBUSY;
	if (!all_read(a, b))
		return -EAGAIN;
	if (likely(all_acked(a)))
		return 0;
	/* But for an ACK that is delayed: now it is due. It arrives as the lock is dropped: everything was read, softirqs need not rest. */
	tcp_send_ack(b);
	cpu_end_rest(cpu);
	cpu_unlock(cpu);
	cpu_lock(cpu);
	return may_go_around(a, b) && all_read(a, b) && all_acked(a) ? 0 : -EBUSY;
}

/* ---- as if segments had carried them ------------------------------------------------------------------------ */

struct carried {
	u32 octets, segs, units; /* units: as segmentation offload would have sent it */
	u32 headers;             /* of IP and TCP, of one unit */
	bool v6;
};

static struct carried as_segments(const struct sock *a, u32 n)
{
	const struct tcp_sock *tp = tcp_sk(a);
	bool v6 = inet_common_is_v6(&a->c);
	u32 headers = tp->tcp_header_len + (v6 ? 40 : 20), mss = max(tp->mss_cache, 1u);
	u32 unit = max((65535 - headers) / mss, 1u) * mss;

	return (struct carried){ .octets = n,
				 .segs = (n + mss - 1) / mss,
				 .units = (n + unit - 1) / unit,
				 .headers = headers,
				 .v6 = v6 };
}

/* Counters of IP: @units packets of @octets in all. */
static void count_out(struct net *net, bool v6, u32 units, u64 octets)
{
	NET_ADD_STATS(net, v6 ? MIB_Ip6_OutRequests : MIB_Ip_OutRequests, units);
	NET_ADD_STATS(net, v6 ? MIB_Ip6_OutTransmits : MIB_Ip_OutTransmits, units);
	NET_ADD_STATS(net, v6 ? MIB_Ip6_OutOctets : MIB_IpExt_OutOctets, octets);
}

static void count_in(struct net *net, bool v6, u32 units, u64 octets)
{
	NET_ADD_STATS(net, v6 ? MIB_Ip6_InReceives : MIB_Ip_InReceives, units);
	NET_ADD_STATS(net, v6 ? MIB_Ip6_InDelivers : MIB_Ip_InDelivers, units);
	NET_ADD_STATS(net, v6 ? MIB_Ip6_InOctets : MIB_IpExt_InOctets, octets);
	NET_ADD_STATS(net, v6 ? MIB_Ip6_InNoECTPkts : MIB_IpExt_InNoECTPkts, units);
	NET_ADD_STATS(net, MIB_Tcp_InSegs, units);
}

static void count_wire(struct net_device *from, struct net_device *to, u32 units, u64 octets)
{
	octets += (u64)units * from->hard_header_len;
	from->stats.tx_packets += units;
	from->stats.tx_bytes += octets;
	to->stats.rx_packets += units;
	to->stats.rx_bytes += octets;
}

static void count_way(struct sock *a, struct sock *b, const struct carried *c)
{
	struct net_device *da = a->sk_dst_cache->dev, *db = b->sk_dst_cache->dev;
	u64 data = c->octets + (u64)c->units * c->headers, acks = (u64)c->units * c->headers;

	NET_ADD_STATS(a->sk_net, MIB_Tcp_OutSegs, c->segs);
	NET_ADD_STATS(a->sk_net, MIB_TcpExt_TCPOrigDataSent, c->segs);
	NET_ADD_STATS(a->sk_net, MIB_TcpExt_TCPDelivered, c->segs);
	count_out(a->sk_net, c->v6, c->units, data);
	count_in(b->sk_net, c->v6, c->units, data);
	count_wire(da, db, c->units, data);
	/* Each unit is acknowledged. */
	NET_ADD_STATS(b->sk_net, MIB_Tcp_OutSegs, c->units);
	count_out(b->sk_net, c->v6, c->units, acks);
	count_in(a->sk_net, c->v6, c->units, acks);
	count_wire(db, da, c->units, acks);
}

static void sender_moves(struct sock *a, const struct carried *c)
{
	struct tcp_sock *tp = tcp_sk(a);

	tp->write_seq += c->octets;
	tp->snd_nxt = tp->snd_una = tp->snd_sml = tp->pushed_seq = tp->write_seq;
	tp->snd_wl1 = tp->rcv_nxt;
	tp->bytes_sent += c->octets;
	tp->bytes_acked += c->octets;
	tp->segs_out += c->segs;
	tp->data_segs_out += c->segs;
	tp->delivered += c->segs;
	tp->segs_in += c->units;
	tp->lsndtime = tp->rcv_tstamp = tcp_now_ms(a);
	a->sk_dst_cache->lastuse = tcp_now_ns(a);
}

static void receiver_moves(struct sock *b, const struct carried *c)
{
	struct tcp_sock *tp = tcp_sk(b);

	tp->rcv_nxt += c->octets;
	tp->copied_seq = tp->rcv_wup = tp->rcvq_seq = tp->rcv_nxt;
	tp->rcvq_time = tcp_now_us(b);
	tp->bytes_received += c->octets;
	tp->segs_in += c->segs;
	tp->data_segs_in += c->segs;
	tp->segs_out += c->units;
	inet_csk(b)->icsk_ack.lrcvtime = tp->rcv_tstamp = tcp_now_ms(b);
}

void tcp_bypass(struct sock *a, struct sock *b, u32 n)
{
	struct carried c = as_segments(a, n);

	count_way(a, b, &c);
	sender_moves(a, &c);
	receiver_moves(b, &c);
}
