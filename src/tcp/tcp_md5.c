/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_md5.c - TCP-MD5 (RFC 2385): keys, and the digest of a segment
 *
 * A key is for a range of peers; the longest prefix that has the peer wins. The digest is over pseudo header, TCP header without
 * options and with a checksum of zero, payload, key (RFC 2385 2.0). tcp_auth.h has the rest of the picture.
 * Context: setsockopt: user, everything else softirq or user; cpu lock held.
 */
#include <errno.h>
#include <stdlib.h>

#include "tcp/tcp_ao.h"
#include "tcp/tcp_auth_uapi.h"

/* ---- keys -------------------------------------------------------------------------------------------- */

const struct tcp_md5_key *tcp_md5_lookup(const struct tcp_auth *auth, u8 family, const void *addr)
{
	const struct tcp_md5_key *key, *best = NULL;

	list_for_each_entry(key, &auth->md5, node) {
		if ((!best || best->match.prefixlen < key->match.prefixlen) &&
		    tcp_key_matches(&key->match, family, addr))
			best = key;
	}
	return best;
}

static struct tcp_md5_key *md5_find(struct tcp_auth *auth, const struct tcp_key_match *m)
{
	struct tcp_md5_key *key;

	list_for_each_entry(key, &auth->md5, node) {
		if (tcp_key_same(&key->match, m))
			return key;
	}
	return NULL;
}

static int md5_add(struct sock *sk, struct tcp_auth *auth, const struct tcp_key_match *m,
		   const u8 *octets, u8 len)
{
	struct tcp_md5_key *key = md5_find(auth, m);
	int err;

	if (!key) {
		err = tcp_auth_charge(sk, auth, sizeof(*key));
		if (err)
			return err;
		key = malloc(sizeof(*key));
		if (!key) {
			auth->octets -= (u32)sizeof(*key);
			return -ENOMEM;
		}
		key->match = *m;
		list_add(&key->node, &auth->md5);
	}
	key->keylen = len;
	memcpy(key->key, octets, len);
	return 0;
}

static int md5_del(struct tcp_auth *auth, const struct tcp_key_match *m)
{
	struct tcp_md5_key *key = auth ? md5_find(auth, m) : NULL;

	if (!key)
		return -ENOENT;
	list_del(&key->node);
	tcp_auth_key_free(key, sizeof(*key));
	auth->octets -= (u32)sizeof(*key);
	return 0;
}

int tcp_md5_copy(struct sock *newsk, struct tcp_auth *to, const struct tcp_md5_key *key,
		 const struct tcp_ends *e)
{
	struct tcp_key_match m = key->match;

	/* For this peer alone, from now on. */
	m.prefixlen = e->family == AF_INET ? 32 : 128;
	memcpy(m.addr, e->daddr, m.prefixlen / 8u);
	return md5_add(newsk, to, &m, key->key, key->keylen);
}

/* TCP_MD5SIG, TCP_MD5SIG_EXT */
int tcp_md5_setsockopt(struct sock *sk, int name, const void *val, socklen_t len)
{
	struct tcp_key_match m = { 0 };
	struct md5sig_arg cmd;
	struct tcp_auth *auth;
	u16 port;

	if (len < sizeof(cmd))
		return -EINVAL;
	memcpy(&cmd, val, sizeof(cmd));
	if (!tcp_key_address(sk, &cmd.addr, &m, &port))
		return -EINVAL;
	m.prefixlen = m.family == AF_INET ? 32 : 128;
	if (name == TCP_MD5SIG_EXT_ && cmd.flags & TCP_MD5SIG_FLAG_PREFIX_) {
		if (cmd.prefixlen > m.prefixlen)
			return -EINVAL;
		m.prefixlen = cmd.prefixlen;
	}
	if (name == TCP_MD5SIG_EXT_ && cmd.flags & TCP_MD5SIG_FLAG_IFINDEX_) {
		/* It would have to be a VRF, and there are none. */
		if (cmd.ifindex)
			return -EINVAL;
		m.by_ifindex = true;
	}
	if (!cmd.keylen)
		return md5_del(tcp_auth(sk), &m);
	if (cmd.keylen > TCP_AUTH_MAX_KEY)
		return -EINVAL;
	auth = tcp_auth_get(sk);
	if (auth && tcp_ao_required(auth, m.family, m.addr))
		return -EKEYREJECTED;
	return auth ? md5_add(sk, auth, &m, cmd.key, (u8)cmd.keylen) : -ENOMEM;
}

/* ---- the digest -------------------------------------------------------------------------------------- */

void tcp_md5_hash(const struct net *net, const struct tcp_md5_key *key, const struct tcp_ends *e,
		  const struct tcp_hdr *th, const struct sk_buff *skb, u32 off, u32 len,
		  u8 ret[TCP_MD5_OCTETS])
{
	const struct weir_mac *mac = tcp_auth_mac(net, "md5");
	u8 ctx[WEIR_MAC_CTX_MAX] __attribute__((aligned(16))), pseudo[40];
	struct tcp_hdr bare = *th;
	u32 n;

	bare.check.v = 0;
	mac->init(ctx, NULL);
	n = tcp_auth_pseudo(pseudo, e, tcp_hdr_len(th) + len);
	mac->update(ctx, pseudo, n);
	mac->update(ctx, &bare, sizeof(bare));
	if (len)
		tcp_auth_update_skb(mac, ctx, skb, off, len);
	mac->update(ctx, key->key, key->keylen);
	mac->final(ctx, ret);
}

skb_drop_reason_t tcp_md5_inbound(struct net *net, const struct tcp_auth *auth,
				  const struct tcp_ends *e, const struct sk_buff *skb,
				  const u8 *sent)
{
	const struct tcp_hdr *th = (const struct tcp_hdr *)skb_transport_header(skb);
	const struct tcp_md5_key *key = tcp_md5_lookup(auth, e->family, e->saddr);
	u8 want[TCP_MD5_OCTETS];

	if (!key) {
		NET_INC_STATS(net, MIB_TcpExt_TCPMD5Unexpected);
		return SKB_DROP_TCP_MD5UNEXPECTED;
	}
	tcp_md5_hash(net, key, e, th, skb, 0, skb->len, want);
	if (!tcp_mac_equal(want, sent, sizeof(want))) {
		NET_INC_STATS(net, MIB_TcpExt_TCPMD5Failure);
		return SKB_DROP_TCP_MD5FAILURE;
	}
	return SKB_NOT_DROPPED;
}
