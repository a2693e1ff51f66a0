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

#include "core/netdevice.h"
#include "inet/inet6_sock.h"
#include "ipv6/ipv6.h"
#include "netlink/netlink.h"
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

void tcp_auth_put(struct tcp_auth *auth)
{
	struct tcp_md5_key *key, *n;

	if (!auth || --auth->refcnt)
		return;
	list_for_each_entry_safe(key, n, &auth->md5, node)
		free(key);
	free(auth);
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

	tcp_ends_of_sock(sk, &e);
	md5 = tcp_md5_lookup(auth, e.family, e.daddr);
	if (md5)
		choose_md5(o, md5);
}

void tcp_auth_syn(struct sock *sk, const struct tcp_auth *auth, struct tcp_out_opts *o)
{
	tcp_auth_established(sk, auth, o);
	/* As Linux: a digest, timestamps and SACK blocks do not fit together, and SACK is worth more. */
	if (o->sig_kind == TCPOPT_MD5SIG_)
		o->ts = false;
}

bool tcp_auth_synack(const struct sock *listener, const struct request_sock *req,
		     struct tcp_out_opts *o)
{
	const struct tcp_auth *auth = tcp_auth(listener);
	const struct tcp_md5_key *md5;
	struct tcp_ends e;

	if (likely(!auth))
		return true;
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

/* @th, at skb->data, is complete. */
static void sign(struct net *net, struct sk_buff *skb, const struct tcp_ends *e,
		 const struct tcp_out_opts *o)
{
	struct tcp_hdr *th = (struct tcp_hdr *)skb_transport_header(skb);
	u32 hlen = tcp_hdr_len(th);

	tcp_md5_hash(net, o->sig_key, e, th, skb, hlen, skb->len - hlen, md5_place(th));
}

void tcp_auth_sign(const struct sock *sk, struct sk_buff *skb, const struct tcp_out_opts *o)
{
	struct tcp_ends e;

	tcp_ends_of_sock(sk, &e);
	sign(sock_net(sk), skb, &e, o);
}

void tcp_auth_sign_synack(const struct sock *listener, struct sk_buff *skb,
			  const struct request_sock *req, const struct tcp_out_opts *o)
{
	struct tcp_ends e;

	tcp_ends_of_request(req, &e);
	sign(sock_net(listener), skb, &e, o);
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

	(void)seq;
	if (likely(!tw->auth))
		return;
	v6 = inet_common_is_v6(&tw->tw.c);
	choose_md5_for(tw->auth, v6 ? AF_INET6 : AF_INET,
		       v6 ? (const void *)&tw->tw.c.skc_v6_daddr : &tw->tw.c.skc_daddr, o);
}

void tcp_auth_request(const struct sock *listener, const struct request_sock *req,
		      struct tcp_out_opts *o)
{
	const struct tcp_auth *auth = tcp_auth(listener);
	struct tcp_ends e;

	if (likely(!auth))
		return;
	tcp_ends_of_request(req, &e);
	choose_md5_for(auth, e.family, e.daddr, o);
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
	return memcmp(want, sent, sizeof(want)) == 0;
}

bool tcp_auth_reset(struct net *net, const struct sock *sk, const struct tcp_timewait_sock *tw,
		    const struct sk_buff *skb, struct tcp_out_opts *o)
{
	struct tcp_opts_view opts;
	struct tcp_ends e;

	if (sk || tw) {
		const struct tcp_auth *auth = sk ? tcp_auth(sk) : tw->auth;

		if (likely(!auth))
			return true;
		tcp_ends_of_skb(skb, &e);
		choose_md5_for(auth, e.family, e.saddr, o);
		return true;
	}
	if (!net->machine->crypto)
		return true;
	parse(skb, &opts);
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
	tcp_md5_hash(net, o->sig_key, &back, th, NULL, 0, 0, md5_place(th));
}

/* ---- what arrives ------------------------------------------------------------------------------------ */

skb_drop_reason_t tcp_inbound_auth(struct sock *sk, const struct request_sock *req,
				   const struct sk_buff *skb)
{
	const struct tcp_auth *auth = tcp_auth(sk);
	struct net *net = sock_net(sk);
	struct tcp_opts_view opts;
	struct tcp_ends e;

	(void)req;
	if (!auth)
		return SKB_NOT_DROPPED;
	parse(skb, &opts);
	if (opts.md5 && opts.ao)
		return SKB_DROP_TCP_AUTH_HDR;
	tcp_ends_of_skb(skb, &e);
	if (opts.md5)
		return tcp_md5_inbound(net, auth, &e, skb, opts.md5);
	if (tcp_md5_lookup(auth, e.family, e.saddr)) {
		NET_INC_STATS(net, MIB_TcpExt_TCPMD5NotFound);
		return SKB_DROP_TCP_MD5NOTFOUND;
	}
	return SKB_NOT_DROPPED;
}

skb_drop_reason_t __tcp_auth_unexpected(struct net *net, const struct tcp_seg *seg)
{
	if (!net->machine->crypto)
		return SKB_NOT_DROPPED;
	if (seg->opts.md5 && seg->opts.ao)
		return SKB_DROP_TCP_AUTH_HDR;
	if (!seg->opts.md5)
		return SKB_NOT_DROPPED;
	NET_INC_STATS(net, MIB_TcpExt_TCPMD5Unexpected);
	return SKB_DROP_TCP_MD5UNEXPECTED;
}

/* ---- the life of a connection ------------------------------------------------------------------------ */

int tcp_auth_connect(struct sock *sk)
{
	(void)sk;
	return 0;
}

void tcp_auth_openreq(const struct sock *listener, struct request_sock *req)
{
	struct tcp_request_sock *treq = tcp_rsk(req);
	struct tcp_out_opts o = { 0 };

	if (likely(!tcp_auth(listener)))
		return;
	tcp_auth_synack(listener, req, &o);
	/* As in tcp_auth_syn(). */
	if (o.sig_len && treq->sack_ok)
		treq->tstamp_ok = 0;
}

int tcp_auth_inherit(struct sock *newsk, const struct sock *listener,
		     const struct request_sock *req)
{
	const struct tcp_auth *from = tcp_auth(listener);
	const struct tcp_md5_key *md5;
	struct tcp_auth *to;
	struct tcp_ends e;

	if (likely(!from))
		return 0;
	tcp_ends_of_request(req, &e);
	md5 = tcp_md5_lookup(from, e.family, e.daddr);
	if (!md5)
		return 0;
	to = tcp_auth_get(newsk);
	return to ? tcp_md5_copy(newsk, to, md5, &e) : -ENOMEM;
}

/* ---- socket options, views ---------------------------------------------------------------------------- */

int tcp_auth_setsockopt(struct sock *sk, int name, const void *val, socklen_t len)
{
	if (!sock_net(sk)->machine->crypto)
		return -ENOPROTOOPT;
	return tcp_md5_setsockopt(sk, name, val, len);
}

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
	all = d = calloc(n, sizeof(*d));
	if (!d)
		return;
	list_for_each_entry(key, &auth->md5, node) {
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
