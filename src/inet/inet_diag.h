/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * inet_diag.h - how an internet transport describes its sockets; registered per machine
 */
#ifndef WEIR_INET_INET_DIAG_H
#define WEIR_INET_INET_DIAG_H

#include <linux/inet_diag.h>

#include "core/sock.h"
#include "lib/list.h"
#include "netlink/sock_diag.h"

struct inet_diag_table { /* 1 << bits buckets of sock_common.skc_node */
	const struct hlist_head *heads;
	u32 bits;
	bool listeners; /* holds sockets in LISTEN and nothing else */
};

/* All: user context, cpu lock held. */
struct inet_diag_handler {
	u16 family;    /* AF_INET, AF_INET6; 0: both */
	u8 protocol;   /* IPPROTO_* */
	u16 info_size; /* of INET_DIAG_INFO; 0: none */
	/* The @nth table of the protocol; false: there are no more. */
	bool (*table)(const struct net *net, u32 nth, struct inet_diag_table *ret);
	/* The sock that @req names exactly, whatever its state; NULL: none. Its addresses are of @req's family. */
	struct sock_common *(*lookup)(struct net *net, const struct inet_diag_req_v2 *req);
	/* A full sock: queues, timer, and @info (zeroed; NULL: not wanted). NULL: rmem and wmem are the queues, no timer */
	void (*get_info)(struct sock *sk, struct inet_diag_msg *r, void *info);
	/* Protocol's own attributes of a full sock; @ext as in the request; @privileged: secrets too. Optional */
	void (*get_aux)(struct sock *sk, struct nl_msg *m, u32 ext, bool privileged);
	/* TIME_WAIT and request socks, which only some protocols have: timer and expiry. Optional */
	void (*get_mini)(const struct sock_common *c, struct inet_diag_msg *r);
	/* SOCK_DESTROY. 0 or -errno. Optional */
	int (*destroy)(struct sock_common *c);
};

/* What a request names, as lookups want it: its mapped addresses mean IPv4. */
struct inet_tuple;
void inet_diag_tuple(const struct inet_diag_req_v2 *req, struct inet_tuple *ret);

/* The raw sock in @bucket that @req names. They may be alike in everything but the cookie, which then decides. */
struct sock_common *inet_diag_lookup_raw(const struct hlist_head *bucket,
					 const struct inet_diag_req_v2 *req,
					 bool (*same_addrs)(const struct sock_common *c,
							    const struct inet_diag_sockid *id));

/* 0 or -EEXIST */
int inet_diag_register(struct machine *m, const struct inet_diag_handler *h);

/* inet_diag_bc.c: what a filter program sees of a sock */
struct inet_diag_entry {
	const be32 *saddr, *daddr; /* one word, or four */
	u16 family;
	u16 sport, dport; /* host order */
	int ifindex;
	u8 userlocks;
	u32 mark;
};
/* 0 or -EINVAL. A program that passed ends. */
int inet_diag_bc_audit(const void *bytecode, u32 len);
bool inet_diag_bc_run(const void *bytecode, u32 len, const struct inet_diag_entry *entry);

#endif
