/* SPDX-License-Identifier: BSD-2-Clause */
/* inet_internal.h - between the files of inet/ */
#ifndef WEIR_INET_INET_INTERNAL_H
#define WEIR_INET_INET_INTERNAL_H

#include "inet/inet_hashtables.h"
#include "inet/inet_reasons.h"
#include "inet/inet_sock.h"

struct machine;
struct inet_diag_handler;
struct text;
struct inet_timewait_sock;

/* machine->inet. Written in machine_init only, read with any lock. */
struct protosw_list {
	u32 count;
	const struct inet_protosw *rows[];
};

struct ip_metrics_cong;
struct machine_inet {
	struct protosw_list *lists[2];                /* AF_INET, AF_INET6; NULL: empty */
	const struct ip_metrics_cong *cong;           /* ip_metrics.h; NULL: no TCP */
	const struct inet_diag_handler *diag[2][256]; /* of AF_INET and AF_INET6, by IPPROTO_* */
};

/* inet_diag.c */
int inet_diag_machine_init(struct machine *m);

/* protosw.c */
int inet_protosw_init(struct machine *m);
void inet_protosw_fini(struct machine *m);

/* af_inet.c */
int inet_create(struct net *net, struct socket *sock, int protocol);
int inet6_create(struct net *net, struct socket *sock, int protocol);

/* af_inet6.c */
void inet6_sock_init(struct sock *sk);
void inet6_sock_destruct(struct sock *sk);
int inet6_getname(const struct sock *sk, struct sockaddr_storage *ret, bool peer);

/* ping.c */
void ping_proc_show(struct net *net, struct text *t);
void ping6_proc_show(struct net *net, struct text *t);
void ping_net_exit(struct net *net);

/* inet_hashtables.c */

static inline struct inet_hashinfo *sk_hashinfo(const struct sock *sk)
{
	return sock_net(sk)->inet->tcp_hashinfo;
}
/* Into and out of ehash under c->skc_hash; references are the caller's affair. */
void __inet_ehash_add(struct inet_hashinfo *h, struct sock_common *c);
void __inet_ehash_del(struct inet_hashinfo *h, struct sock_common *c);
u32 inet_common_hash(const struct inet_hashinfo *h, const struct sock_common *c);
/* Frees the bucket if nobody is in it any more. */
void inet_bind_bucket_put(struct inet_hashinfo *h, struct inet_bind_bucket *tb);
void inet_bind_bucket_add_tw(struct inet_bind_bucket *tb, struct inet_timewait_sock *tw);

#endif
