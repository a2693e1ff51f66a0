/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_auth.c - what TCP-MD5 and TCP-AO have in common: a socket's keys, when a segment is signed, and what is let in
 *
 * tcp_auth.h has the theory of operation.
 * See RFC 2385, RFC 5925 7.
 */
#include "tcp/tcp_auth.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/netdevice.h"
#include "inet/inet6_sock.h"
#include "ipv6/ipv6.h"
#include "netlink/netlink.h"
#include "tcp/tcp_ao.h"
#include "tcp/tcp_auth_uapi.h"

/* ---- a socket's keys --------------------------------------------------------------------------------- */

struct tcp_auth *tcp_auth_get(struct sock *sk)
{
	struct tcp_rare *r = tcp_rare_get(sk);

	if (!r || r->auth)
		return r ? r->auth : NULL;
	r->auth = calloc(1, sizeof(*r->auth));
	if (!r->auth)
		return NULL;
	r->auth->refcnt = 1;
	list_init(&r->auth->md5);
	return r->auth;
}

void tcp_auth_key_free(void *key, size_t octets)
{
	explicit_bzero(key, octets);
	free(key);
}

void tcp_auth_put(struct tcp_auth *auth)
{
	struct tcp_md5_key *key, *n;

	if (!auth || --auth->refcnt)
		return;
	list_for_each_entry_safe(key, n, &auth->md5, node)
		tcp_auth_key_free(key, sizeof(*key));
	tcp_ao_free(auth->ao);
	free(auth);
}

/* A set with the same keys. NULL: no memory */
static struct tcp_auth *auth_copy(const struct tcp_auth *from)
{
	struct tcp_auth *to = calloc(1, sizeof(*to));
	const struct tcp_md5_key *key;

	if (!to)
		return NULL;
	to->refcnt = 1;
	to->octets = from->octets;
	list_init(&to->md5);
	list_for_each_entry(key, &from->md5, node) {
		struct tcp_md5_key *k = malloc(sizeof(*k));

		if (!k)
			goto fail;
		*k = *key;
		list_add_tail(&k->node, &to->md5);
	}
	if (from->ao) {
		to->ao = tcp_ao_copy(from->ao);
		if (!to->ao)
			goto fail;
	}
	return to;

fail:
	tcp_auth_put(to);
	return NULL;
}

/* TIME_WAIT still signs and checks with the connection's keys: before they change @sk gets its own. 0 or -ENOMEM */
static int auth_unshare(struct sock *sk)
{
	struct tcp_auth *shared = tcp_auth(sk), *own;

	if (likely(!shared || shared->refcnt == 1))
		return 0;
	own = auth_copy(shared);
	if (!own)
		return -ENOMEM;
	tcp_rare(sk)->auth = own;
	tcp_auth_put(shared);
	return 0;
}

int tcp_auth_charge(struct sock *sk, struct tcp_auth *auth, u32 octets)
{
	if (octets >
	    sock_net(sk)->core->optmem_max - min(auth->octets, sock_net(sk)->core->optmem_max))
		return -ENOMEM;
	auth->octets += octets;
	return 0;
}

const struct weir_mac *tcp_auth_mac(const struct net *net, const char *name)
{
	const struct weir_crypto *c = net->machine->crypto;

	for (u32 i = 0; c && i < c->nr_macs; i++)
		if (strcmp(c->macs[i].name, name) == 0)
			return &c->macs[i];
	return NULL;
}

/* ---- peers ------------------------------------------------------------------------------------------- */

static bool same_prefix(const u32 *a, const void *addr, u32 len)
{
	u8 mask = (u8)(0xff00u >> (len & 7));
	const u8 *x = (const u8 *)a, *y = addr;

	return !memcmp(x, y, len / 8) && (!mask || !((x[len / 8] ^ y[len / 8]) & mask));
}

bool tcp_key_matches(const struct tcp_key_match *m, u8 family, const void *addr)
{
	return m->family == family && same_prefix(m->addr, addr, m->prefixlen);
}

bool tcp_key_same(const struct tcp_key_match *a, const struct tcp_key_match *b)
{
	return a->family == b->family && a->prefixlen == b->prefixlen &&
	       a->by_ifindex == b->by_ifindex && a->ifindex == b->ifindex &&
	       !memcmp(a->addr, b->addr, sizeof(a->addr));
}

bool tcp_key_address(const struct sock *sk, const struct sockaddr_storage *sa,
		     struct tcp_key_match *m, u16 *ret_port)
{
	const struct sockaddr_in *sin = (const struct sockaddr_in *)sa;
	const struct sockaddr_in6 *sin6 = (const struct sockaddr_in6 *)sa;

	if (sa->ss_family != sk->sk_family)
		return false;
	if (sk->sk_family == AF_INET) {
		m->family = AF_INET;
		m->addr[0] = sin->sin_addr.s_addr;
		*ret_port = ntohs(sin->sin_port);
		return true;
	}
	*ret_port = ntohs(sin6->sin6_port);
	if (ipv6_addr_v4mapped(&sin6->sin6_addr)) {
		m->family = AF_INET;
		m->addr[0] = ipv6_addr_v4(&sin6->sin6_addr).v;
	} else {
		m->family = AF_INET6;
		memcpy(m->addr, &sin6->sin6_addr, sizeof(m->addr));
	}
	return true;
}

void tcp_ends_of_sock(const struct sock *sk, struct tcp_ends *ret)
{
	if (inet_common_is_v6(&sk->c))
		*ret = (struct tcp_ends){ AF_INET6, &inet6_sk(sk)->saddr, &sk->sk_v6_daddr };
	else
		*ret = (struct tcp_ends){ AF_INET, &inet_sk(sk)->inet_saddr, &sk->sk_daddr };
}

void tcp_ends_of_request(const struct request_sock *req, struct tcp_ends *ret)
{
	if (req->rsk_ops->family == AF_INET6)
		*ret = (struct tcp_ends){ AF_INET6, &req->c.skc_v6_rcv_saddr,
					  &req->c.skc_v6_daddr };
	else
		*ret = (struct tcp_ends){ AF_INET, &req->c.skc_rcv_saddr, &req->c.skc_daddr };
}

void tcp_ends_of_skb(const struct sk_buff *skb, struct tcp_ends *ret)
{
	if (be16_to_cpu(skb->protocol) == ETH_P_IPV6)
		*ret = (struct tcp_ends){ AF_INET6, &ipv6_hdr(skb)->saddr, &ipv6_hdr(skb)->daddr };
	else
		*ret = (struct tcp_ends){ AF_INET, &ip_hdr(skb)->saddr, &ip_hdr(skb)->daddr };
}

static struct tcp_ends swapped(const struct tcp_ends *e)
{
	return (struct tcp_ends){ e->family, e->daddr, e->saddr };
}

/* ---- octets ------------------------------------------------------------------------------------------ */

u32 tcp_auth_pseudo(u8 to[40], const struct tcp_ends *e, u32 len)
{
	u32 n = e->family == AF_INET6 ? 16 : 4;
	be16 len4 = cpu_to_be16((u16)len), proto4 = cpu_to_be16(IPPROTO_TCP);
	be32 len6 = cpu_to_be32(len), proto6 = cpu_to_be32(IPPROTO_TCP);

	memcpy(to, e->saddr, n);
	memcpy(to + n, e->daddr, n);
	if (e->family == AF_INET6) {
		memcpy(to + 32, &len6, 4);
		memcpy(to + 36, &proto6, 4);
		return 40;
	}
	memcpy(to + 8, &proto4, 2);
	memcpy(to + 10, &len4, 2);
	return 12;
}

struct mac_under_way {
	const struct weir_mac *mac;
	void *ctx;
};

static int visit_mac(void *ctx, u8 *p, u32 n, u32 pos)
{
	const struct mac_under_way *w = ctx;

	(void)pos;
	w->mac->update(w->ctx, p, n);
	return 0;
}

void tcp_auth_update_skb(const struct weir_mac *mac, void *ctx, const struct sk_buff *skb, u32 off,
			 u32 len)
{
	struct mac_under_way w = { mac, ctx };
	int err = skb_walk(skb, off, len, visit_mac, &w);

	assert(!err);
	(void)err;
}

/* ---- what we send ------------------------------------------------------------------------------------ */

static void choose_md5(struct tcp_out_opts *o, const struct tcp_md5_key *key)
{
	o->sig_kind = TCPOPT_MD5SIG_;
	o->sig_len = TCPOLEN_MD5_ALIGNED_;
	o->sig_key = key;
}

void tcp_auth_established(struct sock *sk, const struct tcp_auth *auth, struct tcp_out_opts *o)
{
	const struct tcp_md5_key *md5;
	struct tcp_ends e;

	if (auth->ao && auth->ao->current) {
		tcp_ao_established(auth->ao, o);
		return;
	}
	if (list_empty(&auth->md5))
		return;
	tcp_ends_of_sock(sk, &e);
	md5 = tcp_md5_lookup(auth, e.family, e.daddr);
	if (md5)
		choose_md5(o, md5);
}

void tcp_auth_syn(struct sock *sk, const struct tcp_auth *auth, struct tcp_out_opts *o)
{
	if (auth->ao && auth->ao->current) {
		tcp_ao_syn(sk, auth->ao, o);
		return;
	}
	tcp_auth_established(sk, auth, o);
	/* As Linux: a digest, timestamps and SACK blocks do not fit together, and SACK is worth more. */
	if (o->sig_len)
		o->ts = false;
}

u32 tcp_auth_header_len(struct sock *sk)
{
	struct tcp_out_opts o = { 0 };

	if (unlikely(tcp_auth(sk)))
		tcp_auth_established(sk, tcp_auth(sk), &o);
	return o.sig_len;
}

bool tcp_auth_synack(const struct sock *listener, const struct request_sock *req,
		     struct tcp_out_opts *o)
{
	const struct tcp_request_sock *treq = (const struct tcp_request_sock *)req;
	const struct tcp_auth *auth = tcp_auth(listener);
	const struct tcp_md5_key *md5;
	struct tcp_ends e;

	if (likely(!auth))
		return !treq->ao_used;
	if (treq->ao_used)
		return tcp_ao_request(auth->ao, req, o);
	tcp_ends_of_request(req, &e);
	md5 = tcp_md5_lookup(auth, e.family, e.daddr);
	if (md5)
		choose_md5(o, md5);
	return true;
}

/* Where the digest belongs: signatures are the first option. */
static u8 *md5_place(struct tcp_hdr *th)
{
	return (u8 *)(th + 1) + 4;
}

/* @th is complete. */
static void sign(const struct net *net, struct tcp_hdr *th, const struct sk_buff *skb, u32 off,
		 u32 len, const struct tcp_ends *e, const struct tcp_out_opts *o, u32 sne)
{
	if (o->sig_kind == TCPOPT_AO_)
		tcp_ao_sign(o, e, th, skb, off, len, sne);
	else
		tcp_md5_hash(net, o->sig_key, e, th, skb, off, len, md5_place(th));
}

void tcp_auth_sign(const struct sock *sk, struct sk_buff *skb, const struct tcp_out_opts *o)
{
	struct tcp_hdr *th = (struct tcp_hdr *)skb_transport_header(skb);
	u32 hlen = tcp_hdr_len(th), sne = 0;
	struct tcp_ends e;

	tcp_ends_of_sock(sk, &e);
	if (o->sig_cached)
		sne = tcp_ao_snd_sne(sk, be32_to_cpu(th->seq));
	sign(sock_net(sk), th, skb, hlen, skb->len - hlen, &e, o, sne);
}

void tcp_auth_sign_synack(const struct sock *listener, struct sk_buff *skb,
			  const struct request_sock *req, const struct tcp_out_opts *o)
{
	struct tcp_hdr *th = (struct tcp_hdr *)skb_transport_header(skb);
	struct tcp_ends e;

	tcp_ends_of_request(req, &e);
	sign(sock_net(listener), th, NULL, 0, 0, &e, o, 0);
}

/* ---- answers without a full socket ------------------------------------------------------------------- */

static void choose_md5_for(const struct tcp_auth *auth, u8 family, const void *addr,
			   struct tcp_out_opts *o)
{
	const struct tcp_md5_key *md5 = tcp_md5_lookup(auth, family, addr);

	if (md5)
		choose_md5(o, md5);
}

void tcp_auth_timewait(const struct tcp_timewait_sock *tw, u32 seq, struct tcp_out_opts *o)
{
	bool v6;

	if (likely(!tw->auth))
		return;
	if (tw->auth->ao && tcp_ao_answer(tw->auth->ao, seq, o))
		return;
	v6 = inet_common_is_v6(&tw->tw.c);
	choose_md5_for(tw->auth, v6 ? AF_INET6 : AF_INET,
		       v6 ? (const void *)&tw->tw.c.skc_v6_daddr : &tw->tw.c.skc_daddr, o);
}

bool tcp_auth_request(const struct sock *listener, const struct request_sock *req, u32 seq,
		      struct tcp_out_opts *o)
{
	const struct tcp_request_sock *treq = (const struct tcp_request_sock *)req;

	if (!tcp_auth_synack(listener, req, o))
		return false;
	o->sig_sne = tcp_ao_sne(0, treq->snt_isn, seq);
	return true;
}

static void parse(const struct sk_buff *skb, struct tcp_opts_view *ret)
{
	const u8 *p = skb_transport_header(skb);

	tcp_opts_parse(p, tcp_hdr_len((const struct tcp_hdr *)p), false, ret);
}

/*
 * A segment with a digest for a connection that is not here (any more): a RST must be signed to be of use. The key may be known by a
 * listener on the peer's port, which daemons that connect to each other have; and who does not know it gets no answer.
 */
static bool reset_by_listener(struct net *net, const struct sk_buff *skb, const u8 *sent,
			      struct tcp_out_opts *o)
{
	const struct tcp_hdr *th = (const struct tcp_hdr *)skb_transport_header(skb);
	const struct tcp_md5_key *key = NULL;
	u8 want[TCP_MD5_OCTETS];
	struct inet_tuple t;
	struct tcp_ends e;
	struct sock *sk;

	tcp_skb_tuple(skb, &t);
	t.dif = skb->dev ? skb->dev->ifindex : 0;
	t.hnum = be16_to_cpu(th->source);
	sk = __inet_lookup_listener(&net->tcp->hashinfo, &t, NULL);
	tcp_ends_of_skb(skb, &e);
	if (sk && tcp_auth(sk))
		key = tcp_md5_lookup(tcp_auth(sk), e.family, e.saddr);
	if (!key)
		return false;
	tcp_md5_hash(net, key, &e, th, skb, 0, skb->len, want);
	choose_md5(o, key);
	return tcp_mac_equal(want, sent, sizeof(want));
}

/* A RST with @seq for @sk, whose connection the segment may be of. */
static bool reset_of_sock(const struct sock *sk, const struct tcp_timewait_sock *tw,
			  const struct sk_buff *skb, u32 seq, struct tcp_out_opts *o)
{
	const struct tcp_auth *auth = sk ? tcp_auth(sk) : tw->auth;
	struct tcp_opts_view opts;
	struct tcp_ends e;

	if (likely(!auth))
		return true;
	parse(skb, &opts);
	/* RFC 5925 7.6: only what both ends know the traffic key of can be answered. */
	if (opts.ao)
		return auth->ao && tcp_ao_answer(auth->ao, seq, o);
	tcp_ends_of_skb(skb, &e);
	choose_md5_for(auth, e.family, e.saddr, o);
	return true;
}

bool tcp_auth_reset(struct net *net, const struct sock *sk, const struct tcp_timewait_sock *tw,
		    const struct sk_buff *skb, u32 seq, struct tcp_out_opts *o)
{
	struct tcp_opts_view opts;

	if (sk || tw)
		return reset_of_sock(sk, tw, skb, seq, o);
	if (!net->machine->crypto)
		return true;
	parse(skb, &opts);
	if (opts.ao)
		return false;
	return !opts.md5 || reset_by_listener(net, skb, opts.md5, o);
}

void tcp_auth_sign_reply(struct net *net, const struct sk_buff *skb, struct tcp_hdr *th,
			 const struct tcp_out_opts *o)
{
	struct tcp_ends e, back;

	if (likely(!o->sig_len))
		return;
	tcp_ends_of_skb(skb, &e);
	back = swapped(&e);
	sign(net, th, NULL, 0, 0, &back, o, o->sig_sne);
}

/* ---- what arrives ------------------------------------------------------------------------------------ */

/* Of a segment without a signature. */
static skb_drop_reason_t inbound_unsigned(struct net *net, const struct tcp_auth *auth,
					  const struct tcp_request_sock *treq,
					  const struct tcp_ends *e)
{
	if ((treq && treq->ao_used) || tcp_ao_required(auth, e->family, e->saddr)) {
		NET_INC_STATS(net, MIB_TcpExt_TCPAORequired);
		if (auth->ao)
			auth->ao->ao_required++;
		return SKB_DROP_TCP_AONOTFOUND;
	}
	if (tcp_md5_lookup(auth, e->family, e->saddr)) {
		NET_INC_STATS(net, MIB_TcpExt_TCPMD5NotFound);
		return SKB_DROP_TCP_MD5NOTFOUND;
	}
	return SKB_NOT_DROPPED;
}

skb_drop_reason_t tcp_inbound_auth(struct sock *sk, const struct request_sock *req,
				   const struct sk_buff *skb)
{
	const struct tcp_request_sock *treq = (const struct tcp_request_sock *)req;
	const struct tcp_auth *auth = tcp_auth(sk);
	struct net *net = sock_net(sk);
	struct tcp_opts_view opts;
	struct tcp_ends e;

	if (!auth)
		return SKB_NOT_DROPPED;
	parse(skb, &opts);
	if (opts.md5 && opts.ao)
		return SKB_DROP_TCP_AUTH_HDR;
	tcp_ends_of_skb(skb, &e);
	if (opts.md5)
		return tcp_md5_inbound(net, auth, &e, skb, opts.md5);
	if (!opts.ao)
		return inbound_unsigned(net, auth, treq, &e);
	/* RFC 5925 7.4: what the SYN was, the rest must be. */
	if (treq && !treq->ao_used) {
		NET_INC_STATS(net, MIB_TcpExt_TCPAOBad);
		return SKB_DROP_TCP_AOUNEXPECTED;
	}
	return tcp_ao_inbound(sk, req, skb, opts.ao);
}

skb_drop_reason_t __tcp_inbound_timewait(const struct tcp_timewait_sock *tw,
					 const struct sk_buff *skb)
{
	const struct tcp_hdr *th = (const struct tcp_hdr *)skb_transport_header(skb);
	struct net *net = tw->tw.c.skc_net;
	struct tcp_opts_view opts;
	struct tcp_ends e;

	/* In FIN_WAIT2 nothing begins anew: there a SYN ends the connection. */
	if ((th->flags & (TCP_FLAG_SYN | TCP_FLAG_ACK | TCP_FLAG_RST)) == TCP_FLAG_SYN &&
	    tw->tw.tw_substate == SS_TCP_TIME_WAIT)
		return SKB_NOT_DROPPED;
	parse(skb, &opts);
	if (opts.md5 && opts.ao)
		return SKB_DROP_TCP_AUTH_HDR;
	tcp_ends_of_skb(skb, &e);
	if (opts.md5)
		return tcp_md5_inbound(net, tw->auth, &e, skb, opts.md5);
	if (!opts.ao)
		return inbound_unsigned(net, tw->auth, NULL, &e);
	return tcp_ao_inbound_timewait(net, tw->auth->ao, skb, opts.ao);
}

skb_drop_reason_t __tcp_auth_unexpected(struct net *net, const struct tcp_seg *seg)
{
	if (!net->machine->crypto)
		return SKB_NOT_DROPPED;
	if (seg->opts.md5 && seg->opts.ao)
		return SKB_DROP_TCP_AUTH_HDR;
	NET_INC_STATS(net,
		      seg->opts.md5 ? MIB_TcpExt_TCPMD5Unexpected : MIB_TcpExt_TCPAOKeyNotFound);
	return seg->opts.md5 ? SKB_DROP_TCP_MD5UNEXPECTED : SKB_DROP_TCP_AOUNEXPECTED;
}

/* ---- the life of a connection ------------------------------------------------------------------------ */

int tcp_auth_connect(struct sock *sk)
{
	struct tcp_auth *auth = tcp_auth(sk);
	struct tcp_md5_key *key, *n;
	bool md5, ao;
	struct tcp_ends e;

	if (!auth->ao)
		return 0;
	if (auth_unshare(sk))
		return -ENOMEM;
	auth = tcp_auth(sk);
	tcp_ends_of_sock(sk, &e);
	md5 = tcp_md5_lookup(auth, e.family, e.daddr) != NULL;
	ao = tcp_ao_lookup(auth->ao, e.family, e.daddr, -1, -1) != NULL;
	if ((md5 && ao) || (auth->ao->required && !ao))
		return -EKEYREJECTED;
	/* The connection has one of them, whatever is added later. */
	if (md5) {
		tcp_ao_free(auth->ao);
		auth->ao = NULL;
		return 0;
	}
	list_for_each_entry_safe(key, n, &auth->md5, node) {
		if (!ao)
			break;
		list_del(&key->node);
		tcp_auth_key_free(key, sizeof(*key));
		auth->octets -= (u32)sizeof(*key);
	}
	return tcp_ao_connect(sk);
}

void tcp_auth_openreq(const struct sock *listener, struct request_sock *req,
		      const struct tcp_seg *seg)
{
	struct tcp_request_sock *treq = tcp_rsk(req);
	struct tcp_out_opts o = { 0 };

	if (likely(!tcp_auth(listener)))
		return;
	if (seg->opts.ao) {
		treq->ao_used = 1;
		treq->ao_rcv_next = seg->opts.ao[2];
		treq->ao_keyid = seg->opts.ao[3];
	}
	/* As in tcp_auth_syn(). A cookie needs the timestamps. */
	if (!req->syncookie && tcp_auth_synack(listener, req, &o) && o.sig_len && treq->sack_ok)
		treq->tstamp_ok = 0;
}

int tcp_auth_inherit(struct sock *newsk, const struct sock *listener,
		     const struct request_sock *req)
{
	const struct tcp_request_sock *treq = (const struct tcp_request_sock *)req;
	const struct tcp_auth *from = tcp_auth(listener);
	const struct tcp_md5_key *md5;
	struct tcp_auth *to;
	struct tcp_ends e;

	if (likely(!from))
		return treq->ao_used ? -EKEYREJECTED : 0;
	tcp_ends_of_request(req, &e);
	md5 = tcp_md5_lookup(from, e.family, e.daddr);
	if (!md5 && !treq->ao_used)
		return 0;
	to = tcp_auth_get(newsk);
	if (!to)
		return -ENOMEM;
	if (treq->ao_used)
		return tcp_ao_inherit(newsk, to, from->ao, treq);
	return tcp_md5_copy(newsk, to, md5, &e);
}

/* ---- socket options, views ---------------------------------------------------------------------------- */

/* Keys came or went: what every segment carries has changed. */
static void auth_changed(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (sk->sk_state == SS_TCP_CLOSE || sk->sk_state == SS_TCP_LISTEN ||
	    sk->sk_state == SS_TCP_SYN_SENT)
		return;
	tp->tcp_header_len = (u16)(TCP_BASE_HDR + (tp->tstamp_ok ? TCPOLEN_TSTAMP_ALIGNED_ : 0) +
				   tcp_auth_header_len(sk));
	tp->pred_flags = 0;
	if (inet_csk(sk)->icsk_pmtu_cookie)
		tcp_sync_mss(sk, inet_csk(sk)->icsk_pmtu_cookie);
}

int tcp_auth_setsockopt(struct sock *sk, int name, const void *val, socklen_t len)
{
	int err;

	if (!sock_net(sk)->machine->crypto)
		return -ENOPROTOOPT;
	if (auth_unshare(sk))
		return -ENOMEM;
	err = name == TCP_MD5SIG || name == TCP_MD5SIG_EXT_ ? tcp_md5_setsockopt(sk, name, val, len)
							    : tcp_ao_setsockopt(sk, name, val, len);
	if (!err)
		auth_changed(sk);
	return err;
}

int tcp_auth_getsockopt(struct sock *sk, int name, void *val, socklen_t *len)
{
	return sock_net(sk)->machine->crypto ? tcp_ao_getsockopt(sk, name, val, len) : -ENOPROTOOPT;
}

/* So many fit into any answer: one that never fits would end a dump of all sockets. */
#define DIAG_MD5_MAX 128u

void tcp_auth_diag(const struct sock *sk, struct nl_msg *m)
{
	const struct tcp_auth *auth = tcp_auth(sk);
	const struct tcp_md5_key *key;
	struct md5sig_diag *all, *d;
	u32 n = 0;

	if (!auth || list_empty(&auth->md5))
		return;
	list_for_each_entry(key, &auth->md5, node)
		n++;
	n = min(n, DIAG_MD5_MAX);
	all = d = calloc(n, sizeof(*d));
	if (!d)
		return;
	list_for_each_entry(key, &auth->md5, node) {
		if (d == all + n)
			break;
		*d = (struct md5sig_diag){
			.family = key->match.family,
			.prefixlen = key->match.prefixlen,
			.keylen = key->keylen,
		};
		memcpy(d->addr, key->match.addr, sizeof(d->addr));
		memcpy(d->key, key->key, key->keylen);
		d++;
	}
	nla_put(m, INET_DIAG_MD5SIG, n * (u32)sizeof(*d), all);
	free(all);
}
