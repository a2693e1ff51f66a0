/* SPDX-License-Identifier: BSD-2-Clause */
/* rt_exception.h - what was learnt about single destinations. Theory of operation: rt_exception.c. Locking: the cpu lock. */
#ifndef WEIR_IPV4_RT_EXCEPTION_H
#define WEIR_IPV4_RT_EXCEPTION_H

#include "ipv4/ipv4_internal.h"

struct rt_exception {
	be32 daddr; /* 0: free */
	/* The next hop that the tables gave when it was learnt: through another one it says nothing. */
	be32 nh_gw;
	int nh_oif;
	be32 gw;                             /* of a redirect; 0: none */
	u32 pmtu;                            /* 0: none */
	bool locked;                         /* below min_pmtu: do not set DF (RFC 1191 3) */
	u64 gw_expires, pmtu_expires;        /* ns */
	struct rtable *rt_output, *rt_input; /* held; NULL: not asked for yet */
};

/* What is known about @daddr through this next hop; NULL: nothing that has not expired. */
struct rt_exception *rt_exc_find(struct net *net, be32 daddr, be32 nh_gw, int nh_oif);
/* As above; made if there is none. NULL: no memory. The caller changes it, then says so. */
struct rt_exception *rt_exc_get(struct net *net, be32 daddr, be32 nh_gw, int nh_oif);
void rt_exc_changed(struct net *net, struct rt_exception *e);
u64 rt_exc_expires(const struct net *net,
		   const struct rt_exception *e); /* of what it still says; 0: nothing */
void rt_exc_drop_routes(struct net *net);         /* rtables of all entries */
void rt_exc_clear(struct net *net);
/* The entries, in a stable order, from *pos on; moves *pos behind. NULL: no more. */
struct rt_exception *rt_exc_next(struct net *net, u64 *pos);
void rt_exc_init(struct net *net);

bool __rt_exc_fresh(struct net *net, const struct rtable *rt, be32 daddr, u32 *seq);
/* Does @rt know all that was learnt about @daddr? *seq: how much had been learnt when this was last so. */
static inline bool rt_exc_fresh(struct net *net, const struct rtable *rt, be32 daddr, u32 *seq)
{
	return likely(*seq == net->ipv4->rt_exc.seq) || __rt_exc_fresh(net, rt, daddr, seq);
}

#endif
