/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_ao.c - TCP-AO (RFC 5925): master key tuples, traffic keys, the MAC of a segment, and when the key changes
 *
 * Theory of operation
 *   A key (MKT, RFC 5925 3.1) has two ids: sndid is written into what we sign with it, rcvid is in what the peer signs with it. From its
 *   master key and the connection (addresses, ports, both initial sequence numbers) come traffic keys (5.2), one for each direction;
 *   they are prepared when both numbers are known, and kept. Segments before that (SYN, SYN-ACK) have traffic keys of their own, which
 *   are derived each time.
 *   current is what we sign with, rnext what we ask the peer to sign with (7.5): a segment that asks for another of our keys changes
 *   current. Both are the connection's: listeners have none.
 *   The MAC covers the 32 bits above the sequence number (SNE, 6.2), which nobody sends: each end counts how often the numbers have
 *   wrapped. It is enough to look at snd_una and rcv_nxt with every segment that is signed or checked, as each one is.
 * Invariants
 *   Ids of keys that have a peer in common differ. current and rnext are in keys, or NULL; both or none once the connection stands.
 *   traffic keys of all keys are prepared while ao->synchronized, and while segments may be signed with them.
 * Context: setsockopt: user; the rest softirq or user; cpu lock held.
 * See RFC 5925, RFC 5926 (algorithms), RFC 9235 (vectors: tcp_ao_test.c).
 */
#include "tcp/tcp_ao.h"

#include <errno.h>
#include <stdlib.h>

#include "inet/inet6_sock.h"
#include "tcp/tcp_auth_uapi.h"

#define AO_DEFAULT_MACLEN 12u /* RFC 5926 2.2 */
#define AO_HEADER         4u  /* kind, length, both ids */
#define AO_MAX_HEADER     60u

/* What is left in a SYN beside MSS, timestamps with SACK, window scale. */
#define AO_ROOM (TCP_MAX_OPTIONS - 4 - TCPOLEN_TSTAMP_ALIGNED_ - 4)

static u32 ao_option_size(const struct tcp_ao_key *key)
{
	return ALIGN_UP(AO_HEADER + key->maclen, 4u);
}

/* ---- keys -------------------------------------------------------------------------------------------- */

struct tcp_ao_key *tcp_ao_lookup(const struct tcp_ao *ao, u8 family, const void *addr, int sndid,
				 int rcvid)
{
	struct tcp_ao_key *key;

	list_for_each_entry(key, &ao->keys, node) {
		if ((sndid < 0 || key->sndid == sndid) && (rcvid < 0 || key->rcvid == rcvid) &&
		    tcp_key_matches(&key->match, family, addr))
			return key;
	}
	return NULL;
}

/* Of a connection: all its keys are for its peer. */
static struct tcp_ao_key *ao_by_id(const struct tcp_ao *ao, int sndid, int rcvid)
{
	struct tcp_ao_key *key;

	list_for_each_entry(key, &ao->keys, node) {
		if ((sndid < 0 || key->sndid == sndid) && (rcvid < 0 || key->rcvid == rcvid))
			return key;
	}
	return NULL;
}

/* Does a key with @m, @sndid or @rcvid exist for a peer that @m has too (RFC 5925 3.1)? */
static bool ao_overlaps(const struct tcp_ao *ao, const struct tcp_key_match *m, u8 sndid, u8 rcvid)
{
	const struct tcp_ao_key *key;

	list_for_each_entry(key, &ao->keys, node) {
		struct tcp_key_match wider = key->match;

		wider.prefixlen = min(wider.prefixlen, m->prefixlen);
		if ((key->sndid == sndid || key->rcvid == rcvid) &&
		    tcp_key_matches(&wider, m->family, m->addr))
			return true;
	}
	return false;
}

static u32 prepared_size(const struct weir_mac *mac)
{
	return ALIGN_UP((u32)mac->key_size, 16u);
}

/* With room behind it for three prepared keys. NULL: no memory */
static struct tcp_ao_key *ao_key_alloc(const struct weir_mac *mac)
{
	u32 head = ALIGN_UP((u32)sizeof(struct tcp_ao_key), 16u), each = prepared_size(mac);
	struct tcp_ao_key *key = aligned_alloc(16, head + 3 * each);

	if (!key)
		return NULL;
	memset(key, 0, head);
	key->mac = mac;
	key->octets = head + 3 * each;
	key->master = (u8 *)key + head;
	key->snd = key->master + each;
	key->rcv = key->snd + each;
	return key;
}

/* RFC 5926 3.1.1.2: AES takes 16 octets; a key of another length becomes one by its CMAC with a key of zeroes. */
static void ao_set_master(struct tcp_ao_key *key, const u8 *octets, u8 len)
{
	const struct weir_mac *mac = key->mac;
	u8 ctx[WEIR_MAC_CTX_MAX] __attribute__((aligned(16)));
	u8 derived[WEIR_MAC_DIGEST_MAX];
	const u8 zero[WEIR_MAC_DIGEST_MAX] = { 0 };

	key->keylen = len;
	memcpy(key->key, octets, len);
	if (!mac->raw_key || mac->raw_key == len) {
		mac->setkey(key->master, octets, len);
		return;
	}
	mac->setkey(key->master, zero, mac->raw_key);
	mac->init(ctx, key->master);
	mac->update(ctx, octets, len);
	mac->final(ctx, derived);
	mac->setkey(key->master, derived, mac->raw_key);
}

void tcp_ao_free(struct tcp_ao *ao)
{
	struct tcp_ao_key *key, *n;

	if (!ao)
		return;
	list_for_each_entry_safe(key, n, &ao->keys, node)
		tcp_auth_key_free(key, key->octets);
	free(ao);
}

static struct tcp_ao *ao_get(struct tcp_auth *auth)
{
	if (!auth || auth->ao)
		return auth ? auth->ao : NULL;
	auth->ao = calloc(1, sizeof(*auth->ao));
	if (auth->ao)
		list_init(&auth->ao->keys);
	return auth->ao;
}

static struct tcp_ao *sk_ao(const struct sock *sk)
{
	return tcp_auth(sk) ? tcp_auth(sk)->ao : NULL;
}

/* ---- traffic keys, MACs ------------------------------------------------------------------------------ */

/* RFC 5926 3.1.1: one block of the key derivation function, which is as long as the MAC's keys are. */
void tcp_ao_traffic_key(const struct tcp_ao_key *key, const struct tcp_ends *e, be16 sport,
			be16 dport, u32 sisn, u32 disn, u8 ret[WEIR_MAC_DIGEST_MAX])
{
	const struct weir_mac *mac = key->mac;
	u8 ctx[WEIR_MAC_CTX_MAX] __attribute__((aligned(16)));
	u8 in[7 + 2 * 16 + 2 * 2 + 2 * 4 + 2] = "\x01TCP-AO", *p = in + 7;
	be32 isn[2] = { cpu_to_be32(sisn), cpu_to_be32(disn) };
	be16 bits = cpu_to_be16((u16)(mac->digest_size * 8));
	u32 n = e->family == AF_INET6 ? 16 : 4;

	memcpy(p, e->saddr, n);
	memcpy(p + n, e->daddr, n);
	p += 2 * n;
	memcpy(p, &sport, 2);
	memcpy(p + 2, &dport, 2);
	memcpy(p + 4, isn, 8);
	memcpy(p + 12, &bits, 2);
	mac->init(ctx, key->master);
	mac->update(ctx, in, (size_t)(p + 14 - in));
	mac->final(ctx, ret);
}

/* RFC 5925 5.1. @opt: where the option of @th is; @traffic: a prepared key. @len octets of payload at @off of @skb (NULL: none) */
void tcp_ao_mac(const struct tcp_ao_key *key, const void *traffic, u32 sne,
		const struct tcp_ends *e, const struct tcp_hdr *th, const u8 *opt,
		const struct sk_buff *skb, u32 off, u32 len, u8 ret[WEIR_MAC_DIGEST_MAX])
{
	const struct weir_mac *mac = key->mac;
	u8 ctx[WEIR_MAC_CTX_MAX] __attribute__((aligned(16)));
	u8 pseudo[40], header[AO_MAX_HEADER];
	u32 hlen = tcp_hdr_len(th), at = (u32)(opt - (const u8 *)th), n;
	be32 sne_wire = cpu_to_be32(sne);

	memcpy(header, th, hlen);
	memset(header + offsetof(struct tcp_hdr, check), 0, 2);
	memset(header + at + AO_HEADER, 0, opt[1] - AO_HEADER);
	mac->init(ctx, traffic);
	mac->update(ctx, &sne_wire, 4);
	n = tcp_auth_pseudo(pseudo, e, hlen + len);
	mac->update(ctx, pseudo, n);
	if (key->keyflags & TCP_AO_KEYF_EXCLUDE_OPT_) {
		mac->update(ctx, header, sizeof(*th));
		mac->update(ctx, header + at, opt[1]);
	} else {
		mac->update(ctx, header, hlen);
	}
	if (len)
		tcp_auth_update_skb(mac, ctx, skb, off, len);
	mac->final(ctx, ret);
}

/* Both directions of a connection, as soon as both initial numbers are known. */
static void ao_prepare(const struct sock *sk, const struct tcp_ao *ao, struct tcp_ao_key *key)
{
	be16 lport = inet_sk(sk)->inet_sport, rport = sk->sk_dport;
	u8 digest[WEIR_MAC_DIGEST_MAX];
	struct tcp_ends out, in;

	tcp_ends_of_sock(sk, &out);
	in = (struct tcp_ends){ out.family, out.daddr, out.saddr };
	tcp_ao_traffic_key(key, &out, lport, rport, ao->lisn, ao->risn, digest);
	key->mac->setkey(key->snd, digest, key->mac->digest_size);
	tcp_ao_traffic_key(key, &in, rport, lport, ao->risn, ao->lisn, digest);
	key->mac->setkey(key->rcv, digest, key->mac->digest_size);
}

static void ao_synchronize(const struct sock *sk, struct tcp_ao *ao)
{
	struct tcp_ao_key *key;

	ao->synchronized = true;
	list_for_each_entry(key, &ao->keys, node)
		ao_prepare(sk, ao, key);
}

void tcp_ao_peer_isn(struct sock *sk, u32 isn)
{
	struct tcp_ao *ao = sk_ao(sk);

	if (!ao || !ao->current)
		return;
	ao->risn = ao->rcv_seen = isn;
	ao->rcv_sne = 0;
	ao_synchronize(sk, ao);
}

/* ---- the upper half of sequence numbers (RFC 5925 6.2) -------------------------------------------------- */

static void sne_advance(u32 *sne, u32 *seen, u32 now)
{
	if (now < *seen)
		(*sne)++;
	*seen = now;
}

/* Of @seq, which is less than 2^31 from @base, whose upper half is @sne. */
u32 tcp_ao_sne(u32 sne, u32 base, u32 seq)
{
	if (before(seq, base))
		return seq > base ? sne - 1 : sne;
	return seq < base ? sne + 1 : sne;
}

static u32 snd_sne(const struct sock *sk, struct tcp_ao *ao, u32 seq)
{
	sne_advance(&ao->snd_sne, &ao->snd_seen, tcp_sk(sk)->snd_una);
	return tcp_ao_sne(ao->snd_sne, ao->snd_seen, seq);
}

static u32 rcv_sne(const struct sock *sk, struct tcp_ao *ao, u32 seq)
{
	sne_advance(&ao->rcv_sne, &ao->rcv_seen, tcp_sk(sk)->rcv_nxt);
	return tcp_ao_sne(ao->rcv_sne, ao->rcv_seen, seq);
}

/* ---- what we send ------------------------------------------------------------------------------------ */

static void choose(struct tcp_out_opts *o, const struct tcp_ao_key *key, u8 rnext)
{
	o->sig_kind = TCPOPT_AO_;
	o->sig_len = (u8)ao_option_size(key);
	o->sig_maclen = key->maclen;
	o->sig_keyid = key->sndid;
	o->sig_rnext = rnext;
	o->sig_key = key;
}

void tcp_ao_established(const struct tcp_ao *ao, struct tcp_out_opts *o)
{
	if (!ao->current || !ao->rnext) /* under repair half of it may be chosen */
		return;
	choose(o, ao->current, ao->rnext->rcvid);
	o->sig_cached = true;
}

void tcp_ao_syn(const struct sock *sk, const struct tcp_ao *ao, struct tcp_out_opts *o)
{
	tcp_ao_established(ao, o);
	o->sig_cached = false;
	o->sig_sisn = ao->lisn;
	o->sig_disn = sk->sk_state == SS_TCP_SYN_SENT ? 0 : ao->risn;
}

/* RFC 5925 7.5.1: with the key that the SYN asked for, and no other. */
bool tcp_ao_request(const struct tcp_ao *ao, const struct request_sock *req, struct tcp_out_opts *o)
{
	const struct tcp_request_sock *treq = (const struct tcp_request_sock *)req;
	const struct tcp_ao_key *key;
	struct tcp_ends e;

	tcp_ends_of_request(req, &e);
	key = ao ? tcp_ao_lookup(ao, e.family, e.daddr, treq->ao_keyid, -1) : NULL;
	if (!key)
		return false;
	choose(o, key, treq->ao_rcv_next);
	o->sig_sisn = treq->snt_isn;
	o->sig_disn = treq->rcv_isn;
	return true;
}

bool tcp_ao_answer(struct tcp_ao *ao, u32 snd_nxt, struct tcp_out_opts *o)
{
	if (!ao->current || !ao->rnext || !ao->synchronized)
		return false;
	tcp_ao_established(ao, o);
	o->sig_sne = tcp_ao_sne(ao->snd_sne, ao->snd_seen, snd_nxt);
	return true;
}

u32 tcp_ao_snd_sne(const struct sock *sk, u32 seq)
{
	return snd_sne(sk, sk_ao(sk), seq);
}

void tcp_ao_sign(const struct tcp_out_opts *o, const struct tcp_ends *e, struct tcp_hdr *th,
		 const struct sk_buff *skb, u32 off, u32 len, u32 sne)
{
	const struct tcp_ao_key *key = o->sig_key;
	u8 once[WEIR_MAC_KEY_MAX] __attribute__((aligned(16))), mac[WEIR_MAC_DIGEST_MAX];
	const void *traffic = key->snd;
	u8 *opt = (u8 *)(th + 1);

	if (!o->sig_cached) {
		tcp_ao_traffic_key(key, e, th->source, th->dest, o->sig_sisn, o->sig_disn, mac);
		key->mac->setkey(once, mac, key->mac->digest_size);
		traffic = once;
	}
	tcp_ao_mac(key, traffic, sne, e, th, opt, skb, off, len, mac);
	memcpy(opt + AO_HEADER, mac, key->maclen);
}

/* ---- what arrives ------------------------------------------------------------------------------------ */

/* The option, as it came. */
struct ao_segment {
	const struct tcp_hdr *th;
	const struct sk_buff *skb;
	struct tcp_ends ends;
	const u8 *opt;
	u8 keyid, rnext, maclen;
	u32 seq, ack;
};

static skb_drop_reason_t ao_verify(struct net *net, struct tcp_ao *ao, struct tcp_ao_key *key,
				   const void *traffic, u32 sne, const struct ao_segment *s)
{
	u8 want[WEIR_MAC_DIGEST_MAX];

	if (s->maclen == key->maclen) {
		tcp_ao_mac(key, traffic, sne, &s->ends, s->th, s->opt, s->skb, 0, s->skb->len,
			   want);
		if (tcp_mac_equal(want, s->opt + AO_HEADER, key->maclen)) {
			NET_INC_STATS(net, MIB_TcpExt_TCPAOGood);
			ao->good++;
			key->good++;
			return SKB_NOT_DROPPED;
		}
	}
	NET_INC_STATS(net, MIB_TcpExt_TCPAOBad);
	ao->bad++;
	key->bad++;
	return SKB_DROP_TCP_AOFAILURE;
}

/* With a traffic key that is not kept. */
static skb_drop_reason_t ao_verify_once(struct net *net, struct tcp_ao *ao, struct tcp_ao_key *key,
					u32 sisn, u32 disn, u32 sne, const struct ao_segment *s)
{
	u8 once[WEIR_MAC_KEY_MAX] __attribute__((aligned(16))), digest[WEIR_MAC_DIGEST_MAX];

	tcp_ao_traffic_key(key, &s->ends, s->th->source, s->th->dest, sisn, disn, digest);
	key->mac->setkey(once, digest, key->mac->digest_size);
	return ao_verify(net, ao, key, once, sne, s);
}

static skb_drop_reason_t ao_not_found(struct net *net, struct tcp_ao *ao)
{
	NET_INC_STATS(net, MIB_TcpExt_TCPAOKeyNotFound);
	ao->key_not_found++;
	return SKB_DROP_TCP_AOKEYNOTFOUND;
}

/* Both ends know both initial numbers. */
static skb_drop_reason_t ao_inbound_synchronized(struct sock *sk, struct tcp_ao *ao,
						 const struct ao_segment *s)
{
	struct net *net = sock_net(sk);
	struct tcp_ao_key *key =
		ao->rnext && ao->rnext->rcvid == s->keyid ? ao->rnext : ao_by_id(ao, -1, s->keyid);
	skb_drop_reason_t reason;

	if (!key)
		return ao_not_found(net, ao);
	/* The peer's SYN again, late. */
	if (unlikely((s->th->flags & (TCP_FLAG_SYN | TCP_FLAG_ACK)) == TCP_FLAG_SYN))
		return ao_verify_once(net, ao, key, s->seq, 0, 0, s);
	reason = ao_verify(net, ao, key, key->rcv, rcv_sne(sk, ao, s->seq), s);
	if (reason || likely(s->rnext == ao->current->sndid))
		return reason;
	/* RFC 5925 7.5.2: the peer wants another of our keys. */
	key = ao_by_id(ao, s->rnext, -1);
	if (key)
		ao->current = key;
	return SKB_NOT_DROPPED;
}

/* For a listener, with the request that the segment belongs to, if there is one. */
static skb_drop_reason_t ao_inbound_listen(struct sock *sk, struct tcp_ao *ao,
					   const struct tcp_request_sock *treq,
					   struct tcp_ao_key *key, const struct ao_segment *s)
{
	struct net *net = sock_net(sk);
	u32 sisn = s->seq - 1, disn = s->ack - 1; /* as an ACK of a SYN cookie has them */

	if ((s->th->flags & (TCP_FLAG_SYN | TCP_FLAG_ACK)) == TCP_FLAG_SYN)
		return ao_verify_once(net, ao, key, s->seq, 0, 0, s);
	if (treq) {
		sisn = treq->rcv_isn;
		disn = treq->snt_isn;
	} else if ((s->th->flags & (TCP_FLAG_SYN | TCP_FLAG_ACK)) != TCP_FLAG_ACK) {
		return SKB_DROP_TCP_FLAGS; /* nobody knows the numbers */
	}
	return ao_verify_once(net, ao, key, sisn, disn, tcp_ao_sne(0, sisn, s->seq), s);
}

static bool ao_is_synchronized(u8 state)
{
	return state != SS_TCP_SYN_SENT && state != SS_TCP_SYN_RECV && state != SS_TCP_LISTEN &&
	       state != SS_TCP_CLOSE;
}

/* False: longer than a segment can be. */
static bool ao_segment_of(const struct sk_buff *skb, const u8 *opt, struct ao_segment *ret)
{
	const struct tcp_hdr *th = (const struct tcp_hdr *)skb_transport_header(skb);

	*ret = (struct ao_segment){
		.th = th,
		.skb = skb,
		.opt = opt,
		.keyid = opt[2],
		.rnext = opt[3],
		.maclen = (u8)(opt[1] - AO_HEADER),
		.seq = be32_to_cpu(th->seq),
		.ack = be32_to_cpu(th->ack_seq),
	};
	tcp_ends_of_skb(skb, &ret->ends);
	return likely(skb->len <= UINT16_MAX - tcp_hdr_len(th));
}

skb_drop_reason_t tcp_ao_inbound_timewait(struct net *net, struct tcp_ao *ao,
					  const struct sk_buff *skb, const u8 *opt)
{
	struct tcp_ao_key *key = ao && ao->synchronized ? ao_by_id(ao, -1, opt[2]) : NULL;
	struct ao_segment s;

	if (!ao || !ao->current) {
		NET_INC_STATS(net, MIB_TcpExt_TCPAOKeyNotFound);
		return SKB_DROP_TCP_AOUNEXPECTED;
	}
	if (!key)
		return ao_not_found(net, ao);
	if (!ao_segment_of(skb, opt, &s))
		return SKB_DROP_TCP_AUTH_HDR;
	return ao_verify(net, ao, key, key->rcv, tcp_ao_sne(ao->rcv_sne, ao->rcv_seen, s.seq), &s);
}

skb_drop_reason_t tcp_ao_inbound(struct sock *sk, const struct request_sock *req,
				 const struct sk_buff *skb, const u8 *opt)
{
	const struct tcp_hdr *th = (const struct tcp_hdr *)skb_transport_header(skb);
	struct tcp_ao *ao = sk_ao(sk);
	struct tcp_ao_key *key;
	struct ao_segment s;
	u32 sisn;

	if (!ao) {
		NET_INC_STATS(sock_net(sk), MIB_TcpExt_TCPAOKeyNotFound);
		return SKB_DROP_TCP_AOUNEXPECTED;
	}
	if (!ao_segment_of(skb, opt, &s))
		return SKB_DROP_TCP_AUTH_HDR;
	if (likely(ao_is_synchronized(sk->sk_state))) {
		if (!ao->current) /* it began without */
			return ao_not_found(sock_net(sk), ao);
		return ao_inbound_synchronized(sk, ao, &s);
	}
	if (sk->sk_state == SS_TCP_CLOSE)
		return SKB_DROP_TCP_CLOSE;
	key = tcp_ao_lookup(ao, s.ends.family, s.ends.saddr, -1, s.keyid);
	if (!key)
		return ao_not_found(sock_net(sk), ao);
	if (sk->sk_state == SS_TCP_LISTEN)
		return ao_inbound_listen(sk, ao, (const struct tcp_request_sock *)req, key, &s);
	if ((th->flags & (TCP_FLAG_SYN | TCP_FLAG_ACK)) == TCP_FLAG_SYN) /* both at once */
		return ao_verify_once(sock_net(sk), ao, key, s.seq, 0, 0, &s);
	sisn = th->flags & TCP_FLAG_SYN || sk->sk_state == SS_TCP_SYN_SENT ? s.seq : ao->risn;
	return ao_verify_once(sock_net(sk), ao, key, sisn, ao->lisn, tcp_ao_sne(0, sisn, s.seq),
			      &s);
}

bool tcp_ao_required(const struct tcp_auth *auth, u8 family, const void *addr)
{
	return auth->ao &&
	       (auth->ao->required || tcp_ao_lookup(auth->ao, family, addr, -1, -1) != NULL);
}

bool tcp_ao_ignore_icmp(const struct sock *sk)
{
	struct tcp_ao *ao = sk_ao(sk);

	if (!ao || ao->accept_icmps || !ao_is_synchronized(sk->sk_state))
		return false;
	NET_INC_STATS(sock_net(sk), MIB_TcpExt_TCPAODroppedIcmps);
	ao->dropped_icmp++;
	return true;
}

/* ---- the life of a connection ------------------------------------------------------------------------ */

static void ao_key_remove(struct tcp_auth *auth, struct tcp_ao_key *key)
{
	list_del(&key->node);
	auth->octets -= key->octets;
	tcp_auth_key_free(key, key->octets);
}

int tcp_ao_connect(struct sock *sk)
{
	struct tcp_auth *auth = tcp_auth(sk);
	struct tcp_ao *ao = auth->ao;
	struct tcp_ao_key *key, *n;
	struct tcp_ends e;

	tcp_ends_of_sock(sk, &e);
	/* From now on they are those for this peer. */
	list_for_each_entry_safe(key, n, &ao->keys, node) {
		if (tcp_key_matches(&key->match, e.family, e.daddr))
			continue;
		if (key == ao->current)
			ao->current = NULL;
		if (key == ao->rnext)
			ao->rnext = NULL;
		ao_key_remove(auth, key);
	}
	if (list_empty(&ao->keys)) {
		if (ao->required)
			return -EKEYREJECTED;
		/* RFC 5925 7.4: it is unsigned, and stays so. */
		tcp_ao_free(ao);
		auth->ao = NULL;
		return 0;
	}
	key = list_first_entry(&ao->keys, struct tcp_ao_key, node);
	if (!ao->current)
		ao->current = key;
	if (!ao->rnext)
		ao->rnext = key;
	if (tcp_sk(sk)->repair) {
		/* TCP_AO_REPAIR, before or after, says with which numbers. */
		ao_synchronize(sk, ao);
		return 0;
	}
	ao->synchronized = false;
	ao->lisn = ao->snd_seen = tcp_sk(sk)->write_seq;
	ao->snd_sne = ao->rcv_sne = 0;
	return 0;
}

/* Without traffic keys and counters. NULL: no memory */
static struct tcp_ao_key *ao_key_dup(const struct tcp_ao_key *from)
{
	struct tcp_ao_key *key = ao_key_alloc(from->mac);

	if (!key)
		return NULL;
	key->match = from->match;
	key->sndid = from->sndid;
	key->rcvid = from->rcvid;
	key->maclen = from->maclen;
	key->keyflags = from->keyflags;
	key->keylen = from->keylen;
	memcpy(key->key, from->key, sizeof(key->key));
	memcpy(key->master, from->master, prepared_size(from->mac));
	return key;
}

static int ao_key_copy(struct sock *newsk, struct tcp_auth *to, const struct tcp_ao_key *from)
{
	struct tcp_ao_key *key = ao_key_dup(from);

	if (!key || tcp_auth_charge(newsk, to, key->octets)) {
		if (key)
			tcp_auth_key_free(key, key->octets);
		return -ENOMEM;
	}
	list_add_tail(&key->node, &to->ao->keys);
	return 0;
}

struct tcp_ao *tcp_ao_copy(const struct tcp_ao *from)
{
	struct tcp_ao *to = calloc(1, sizeof(*to));
	const struct tcp_ao_key *key;

	if (!to)
		return NULL;
	list_init(&to->keys);
	to->required = from->required;
	to->accept_icmps = from->accept_icmps;
	list_for_each_entry(key, &from->keys, node) {
		struct tcp_ao_key *k = ao_key_dup(key);

		if (!k) {
			tcp_ao_free(to);
			return NULL;
		}
		k->good = key->good;
		k->bad = key->bad;
		list_add_tail(&k->node, &to->keys);
		if (key == from->current)
			to->current = k;
		if (key == from->rnext)
			to->rnext = k;
	}
	to->good = from->good;
	to->bad = from->bad;
	to->key_not_found = from->key_not_found;
	to->ao_required = from->ao_required;
	to->dropped_icmp = from->dropped_icmp;
	return to;
}

int tcp_ao_inherit(struct sock *newsk, struct tcp_auth *to, const struct tcp_ao *from,
		   const struct tcp_request_sock *treq)
{
	struct tcp_ao *ao = from ? ao_get(to) : NULL;
	const struct tcp_ao_key *key;
	struct tcp_ends e;

	/* RFC 5925 7.4: the SYN said that the connection is signed; it cannot become an unsigned one. */
	if (!ao)
		return from ? -ENOMEM : -EKEYREJECTED;
	ao->required = from->required;
	ao->accept_icmps = from->accept_icmps;
	tcp_ends_of_sock(newsk, &e);
	list_for_each_entry(key, &from->keys, node) {
		if (tcp_key_matches(&key->match, e.family, e.daddr) && ao_key_copy(newsk, to, key))
			return -ENOMEM;
	}
	ao->current = ao_by_id(ao, treq->ao_keyid, -1);
	ao->rnext = ao_by_id(ao, -1, treq->ao_rcv_next);
	if (!ao->current || !ao->rnext)
		return -EKEYREJECTED;
	ao->lisn = ao->snd_seen = treq->snt_isn;
	ao->risn = ao->rcv_seen = treq->rcv_isn;
	ao_synchronize(newsk, ao);
	return 0;
}

/* ---- socket options ---------------------------------------------------------------------------------- */

/* @val may be shorter (the rest is zero) or longer (if the rest is zero) than what we know. 0 or -errno */
static int copy_arg(void *to, size_t size, const void *val, socklen_t len, size_t least)
{
	const u8 *p = val;

	if (len < least)
		return -EINVAL;
	memset(to, 0, size);
	memcpy(to, val, min_t(size_t, size, len));
	for (size_t i = size; i < len; i++)
		if (p[i])
			return -E2BIG;
	return 0;
}

/* The prefix of @sa as a key has it, checked. 0 or -errno */
static int ao_address(const struct sock *sk, const struct sockaddr_storage *sa, u8 prefix,
		      struct tcp_key_match *m)
{
	struct tcp_key_match zero = { 0 };
	struct tcp_ends e;
	u16 port;
	u32 most;

	if (!tcp_key_address(sk, sa, m, &port) || port)
		return -EINVAL;
	most = m->family == AF_INET ? 32 : 128;
	if (prefix > most)
		return -EINVAL;
	m->prefixlen = prefix;
	/* Nothing behind the prefix; and only the empty one is of 0. */
	for (u32 bit = prefix; bit < most; bit++)
		if (((const u8 *)m->addr)[bit / 8] & (0x80u >> (bit & 7)))
			return -EINVAL;
	zero.family = m->family;
	zero.prefixlen = (u8)most;
	if (prefix && tcp_key_matches(&zero, m->family, m->addr))
		return -EINVAL;
	tcp_ends_of_sock(sk, &e);
	if (e.family == m->family && !tcp_key_matches(&zero, e.family, e.daddr) &&
	    !tcp_key_matches(m, e.family, e.daddr))
		return -EINVAL; /* the socket has another peer */
	return 0;
}

/* Listeners have neither: the keys are those of many connections. */
static bool may_set_current(const struct sock *sk)
{
	return sk->sk_state != SS_TCP_LISTEN;
}

/* A VRF, or nothing: there are none. */
static bool ao_ifindex_is_wrong(u8 keyflags, int ifindex)
{
	(void)keyflags;
	return ifindex != 0;
}

/* Linux has two names for the one that RFC 5926 calls AES-128-CMAC. */
static const struct weir_mac *ao_algorithm(const struct net *net, const char *name)
{
	if (strcmp(name, "md5") == 0)
		return NULL; /* a digest without a key */
	return tcp_auth_mac(net, strcmp(name, "cmac(aes128)") == 0 ? "cmac(aes)" : name);
}

static int ao_add_key(struct sock *sk, struct tcp_auth *auth, const struct ao_add_arg *a,
		      const struct tcp_key_match *m)
{
	const struct weir_mac *mac = ao_algorithm(sock_net(sk), a->alg_name);
	struct tcp_ao *ao = auth->ao;
	struct tcp_ao_key *key;

	if (!mac)
		return -ENOENT;
	key = ao_key_alloc(mac);
	if (!key)
		return -ENOMEM;
	key->match = *m;
	key->sndid = a->sndid;
	key->rcvid = a->rcvid;
	key->keyflags = a->keyflags;
	key->maclen = a->maclen ? a->maclen : AO_DEFAULT_MACLEN;
	if (key->maclen > mac->digest_size || ao_option_size(key) > AO_ROOM) {
		free(key);
		return -EMSGSIZE;
	}
	if (tcp_auth_charge(sk, auth, key->octets)) {
		free(key);
		return -ENOMEM;
	}
	ao_set_master(key, a->key, a->keylen);
	/* Under repair a connection may get keys before their numbers. */
	if (ao->synchronized || ao_is_synchronized(sk->sk_state))
		ao_prepare(sk, ao, key);
	list_add_tail(&key->node, &ao->keys);
	if (a->set_current)
		ao->current = key;
	if (a->set_rnext)
		ao->rnext = key;
	return 0;
}

static int ao_set_add(struct sock *sk, const void *val, socklen_t len)
{
	struct tcp_key_match m = { 0 };
	struct tcp_auth *auth;
	struct ao_add_arg a;
	int err = copy_arg(&a, sizeof(a), val, len, sizeof(a));

	if (err)
		return err;
	a.alg_name[sizeof(a.alg_name) - 1] = '\0';
	if (!a.keylen || a.keylen > sizeof(a.key) || a.reserved || a.reserved2 ||
	    a.keyflags & ~(TCP_AO_KEYF_IFINDEX_ | TCP_AO_KEYF_EXCLUDE_OPT_) ||
	    ao_ifindex_is_wrong(a.keyflags, a.ifindex))
		return -EINVAL;
	err = ao_address(sk, &a.addr, a.prefix, &m);
	if (err)
		return err;
	m.by_ifindex = (a.keyflags & TCP_AO_KEYF_IFINDEX_) != 0;
	if ((a.set_current || a.set_rnext) && !may_set_current(sk))
		return -EINVAL;
	auth = tcp_auth_get(sk);
	if (!ao_get(auth))
		return -ENOMEM;
	if (tcp_md5_lookup(auth, m.family, m.addr))
		return -EKEYREJECTED;
	if (ao_overlaps(auth->ao, &m, a.sndid, a.rcvid))
		return -EEXIST;
	return ao_add_key(sk, auth, &a, &m);
}

/* The keys that a call names as current and rnext, if it does. 0 or -ENOENT */
static int ao_named(const struct tcp_ao *ao, bool set_current, u8 current, bool set_rnext, u8 rnext,
		    struct tcp_ao_key *ret[2])
{
	ret[0] = set_current ? ao_by_id(ao, current, -1) : NULL;
	ret[1] = set_rnext ? ao_by_id(ao, -1, rnext) : NULL;
	return (set_current && !ret[0]) || (set_rnext && !ret[1]) ? -ENOENT : 0;
}

/* RFC 5925 3.1: may @key go when @to are in use? Not while the connection needs it. */
static bool ao_key_is_needed(const struct tcp_ao *ao, const struct tcp_ao_key *key,
			     struct tcp_ao_key *const to[2])
{
	return key == (to[0] ? to[0] : ao->current) || key == (to[1] ? to[1] : ao->rnext);
}

static void ao_switch(struct tcp_ao *ao, struct tcp_ao_key *const to[2])
{
	if (to[0])
		ao->current = to[0];
	if (to[1])
		ao->rnext = to[1];
}

static int ao_set_del(struct sock *sk, const void *val, socklen_t len)
{
	struct tcp_key_match m = { 0 };
	struct tcp_ao *ao = sk_ao(sk);
	struct tcp_ao_key *named[2], *key;
	struct ao_del_arg a;
	int err = copy_arg(&a, sizeof(a), val, len, sizeof(a));
	u16 port;

	if (err)
		return err;
	if (a.reserved || a.reserved2 ||
	    a.keyflags & ~(TCP_AO_KEYF_IFINDEX_ | TCP_AO_KEYF_EXCLUDE_OPT_) ||
	    ((a.set_current || a.set_rnext) && !may_set_current(sk)))
		return -EINVAL;
	if (!ao)
		return -ENOENT;
	err = ao_named(ao, a.set_current, a.current_key, a.set_rnext, a.rnext, named);
	if (err)
		return err;
	if (a.del_async && sk->sk_state != SS_TCP_LISTEN)
		return -EINVAL;
	if (!tcp_key_address(sk, &a.addr, &m, &port) || port)
		return -EINVAL;
	m.prefixlen = a.prefix;
	m.by_ifindex = (a.keyflags & TCP_AO_KEYF_IFINDEX_) != 0;
	m.ifindex = a.ifindex;
	list_for_each_entry(key, &ao->keys, node) {
		if (key->sndid != a.sndid || key->rcvid != a.rcvid ||
		    !tcp_key_same(&key->match, &m) || key == named[0] || key == named[1])
			continue;
		if (ao_key_is_needed(ao, key, named))
			return -EBUSY;
		ao_switch(ao, named);
		ao_key_remove(tcp_auth(sk), key);
		return 0;
	}
	return -ENOENT;
}

static int ao_set_info(struct sock *sk, const void *val, socklen_t len)
{
	struct tcp_ao_key *named[2];
	struct tcp_auth *auth;
	struct ao_info_arg a;
	struct tcp_ao *ao;
	int err = copy_arg(&a, sizeof(a), val, len, sizeof(a));

	if (err)
		return err;
	if (a.reserved || a.reserved2 || ((a.set_current || a.set_rnext) && !may_set_current(sk)))
		return -EINVAL;
	auth = tcp_auth_get(sk);
	ao = ao_get(auth);
	if (!ao)
		return -ENOMEM;
	if (a.ao_required && !list_empty(&auth->md5))
		return -EKEYREJECTED;
	err = ao_named(ao, a.set_current, a.current_key, a.set_rnext, a.rnext, named);
	if (err)
		return err;
	if (a.set_counters) {
		ao->good = a.pkt_good;
		ao->bad = a.pkt_bad;
		ao->key_not_found = a.pkt_key_not_found;
		ao->ao_required = a.pkt_ao_required;
		ao->dropped_icmp = a.pkt_dropped_icmp;
	}
	ao->required = a.ao_required;
	ao->accept_icmps = a.accept_icmps;
	ao_switch(ao, named);
	return 0;
}

static int ao_set_repair(struct sock *sk, const void *val, socklen_t len)
{
	struct tcp_ao *ao = sk_ao(sk);
	struct ao_repair_arg a;
	int err;

	if (!tcp_sk(sk)->repair)
		return -EPERM;
	err = copy_arg(&a, sizeof(a), val, len, sizeof(a));
	if (err)
		return err;
	if (!ao)
		return -ENOENT;
	ao->lisn = be32_to_cpu(be32_raw(a.snt_isn));
	ao->risn = be32_to_cpu(be32_raw(a.rcv_isn));
	ao->snd_sne = a.snd_sne;
	ao->rcv_sne = a.rcv_sne;
	ao->snd_seen = tcp_sk(sk)->snd_una;
	ao->rcv_seen = tcp_sk(sk)->rcv_nxt;
	ao_synchronize(sk, ao);
	return 0;
}

int tcp_ao_setsockopt(struct sock *sk, int name, const void *val, socklen_t len)
{
	if (name == TCP_AO_REPAIR_)
		return ao_set_repair(sk, val, len);
	/* RFC 5925 7.4: whether a connection is signed is decided when it opens. */
	if (sk->sk_state != SS_TCP_LISTEN && sk->sk_state != SS_TCP_CLOSE && !sk_ao(sk) &&
	    !tcp_sk(sk)->repair)
		return -EISCONN;
	switch (name) {
	case TCP_AO_ADD_KEY_:
		return ao_set_add(sk, val, len);
	case TCP_AO_DEL_KEY_:
		return ao_set_del(sk, val, len);
	case TCP_AO_INFO_:
		return ao_set_info(sk, val, len);
	default:
		return -ENOPROTOOPT;
	}
}

static int put_arg(void *val, socklen_t *len, const void *from, size_t size)
{
	*len = (socklen_t)min_t(size_t, *len, size);
	memcpy(val, from, *len);
	return 0;
}

static int ao_get_info(const struct tcp_ao *ao, void *val, socklen_t *len)
{
	struct ao_info_arg a;
	int err = copy_arg(&a, sizeof(a), val, *len, 1);

	if (err)
		return err;
	if (a.reserved || a.reserved2)
		return -EINVAL;
	a = (struct ao_info_arg){
		.set_current = ao->current != NULL,
		.set_rnext = ao->rnext != NULL,
		.ao_required = ao->required,
		.accept_icmps = ao->accept_icmps,
		.current_key = ao->current ? ao->current->sndid : 0,
		.rnext = ao->rnext ? ao->rnext->rcvid : 0,
		.pkt_good = ao->good,
		.pkt_bad = ao->bad,
		.pkt_key_not_found = ao->key_not_found,
		.pkt_ao_required = ao->ao_required,
		.pkt_dropped_icmp = ao->dropped_icmp,
	};
	return put_arg(val, len, &a, sizeof(a));
}

static void ao_show_key(const struct sock *sk, const struct tcp_ao *ao,
			const struct tcp_ao_key *key, struct ao_get_arg *ret)
{
	struct sockaddr_in *sin = (struct sockaddr_in *)&ret->addr;
	struct sockaddr_in6 *sin6 = (struct sockaddr_in6 *)&ret->addr;

	(void)sk;
	memset(ret, 0, sizeof(*ret));
	ret->addr.ss_family = key->match.family;
	if (key->match.family == AF_INET)
		sin->sin_addr.s_addr = key->match.addr[0];
	else
		memcpy(&sin6->sin6_addr, key->match.addr, sizeof(sin6->sin6_addr));
	strncpy(ret->alg_name, key->mac->name, sizeof(ret->alg_name) - 1);
	memcpy(ret->key, key->key, key->keylen);
	ret->is_current = key == ao->current;
	ret->is_rnext = key == ao->rnext;
	ret->sndid = key->sndid;
	ret->rcvid = key->rcvid;
	ret->prefix = key->match.prefixlen;
	ret->maclen = key->maclen;
	ret->keyflags = key->keyflags;
	ret->keylen = key->keylen;
	ret->pkt_good = key->good;
	ret->pkt_bad = key->bad;
}

static bool ao_asked_for(const struct tcp_ao *ao, const struct tcp_ao_key *key,
			 const struct ao_get_arg *a, const struct tcp_key_match *m)
{
	if (a->get_all)
		return true;
	if (a->is_current || a->is_rnext)
		return (a->is_current && key == ao->current) || (a->is_rnext && key == ao->rnext);
	return key->sndid == a->sndid && key->rcvid == a->rcvid && tcp_key_same(&key->match, m);
}

/*
 * The argument says which keys, and how many structures there is room for. Linux writes that many however long the option is said
 * to be; here what does not fit into @len is counted but not written.
 */
static int ao_get_keys(const struct sock *sk, const struct tcp_ao *ao, void *val, socklen_t *len)
{
	struct tcp_key_match m = { 0 };
	const struct tcp_ao_key *key;
	struct ao_get_arg a, one;
	u32 most, found = 0;
	u8 *to = val;
	u16 port;
	int err;

	err = copy_arg(&a, sizeof(a), val, (socklen_t)min_t(size_t, *len, sizeof(a)), sizeof(a));
	if (err)
		return err;
	if (a.pkt_good || a.pkt_bad || a.reserved || a.keyflags & ~TCP_AO_KEYF_IFINDEX_ ||
	    ao_ifindex_is_wrong(a.keyflags, a.ifindex) ||
	    (a.get_all && (a.is_current || a.is_rnext)))
		return -EINVAL;
	if (!a.get_all && !a.is_current && !a.is_rnext) {
		if (!tcp_key_address(sk, &a.addr, &m, &port))
			return -EAFNOSUPPORT;
		if (port)
			return -EINVAL;
		m.prefixlen = a.prefix;
		m.by_ifindex = (a.keyflags & TCP_AO_KEYF_IFINDEX_) != 0;
	}
	most = min_t(u32, a.nkeys, (u32)(*len / sizeof(one)));
	list_for_each_entry(key, &ao->keys, node) {
		if (!ao_asked_for(ao, key, &a, &m) || found++ >= most)
			continue;
		ao_show_key(sk, ao, key, &one);
		memcpy(to + (found - 1) * sizeof(one), &one, sizeof(one));
	}
	memcpy(to + offsetof(struct ao_get_arg, nkeys), &found, sizeof(found));
	*len = (socklen_t)(max(min(found, most), 1u) * sizeof(one));
	return 0;
}

static int ao_get_repair(const struct sock *sk, struct tcp_ao *ao, void *val, socklen_t *len)
{
	struct ao_repair_arg a;

	if (!tcp_sk(sk)->repair)
		return -EPERM;
	if (*len < 1)
		return -EINVAL;
	a = (struct ao_repair_arg){
		.snt_isn = cpu_to_be32(ao->lisn).v,
		.rcv_isn = cpu_to_be32(ao->risn).v,
		.snd_sne = snd_sne(sk, ao, tcp_sk(sk)->snd_una),
		.rcv_sne = rcv_sne(sk, ao, tcp_sk(sk)->rcv_nxt),
	};
	return put_arg(val, len, &a, sizeof(a));
}

int tcp_ao_getsockopt(struct sock *sk, int name, void *val, socklen_t *len)
{
	struct tcp_ao *ao = sk_ao(sk);

	if (name == TCP_AO_REPAIR_ && !tcp_sk(sk)->repair)
		return -EPERM;
	if (!ao)
		return -ENOENT;
	switch (name) {
	case TCP_AO_INFO_:
		return ao_get_info(ao, val, len);
	case TCP_AO_GET_KEYS_:
		return ao_get_keys(sk, ao, val, len);
	case TCP_AO_REPAIR_:
		return ao_get_repair(sk, ao, val, len);
	default:
		return -ENOPROTOOPT;
	}
}
