/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * nf_hook.h - the hook points of the IP layers; the policy behind them lives in netfilter/
 *
 * With nothing registered at a hook a passage costs one load and one predictable branch.
 */
#ifndef WEIR_CORE_NF_HOOK_H
#define WEIR_CORE_NF_HOOK_H

#include "core/net.h"
#include "core/netdevice.h"
#include "core/skbuff.h"

enum nf_inet_hook {
	NF_INET_PRE_ROUTING,
	NF_INET_LOCAL_IN,
	NF_INET_FORWARD,
	NF_INET_LOCAL_OUT,
	NF_INET_POST_ROUTING,
	NF_INET_NUMHOOKS
};
enum nf_family {
	NFPROTO_INDEX_IPV4,
	NFPROTO_INDEX_IPV6,
	NFPROTO_INDEX_ARP,
	NFPROTO_INDEX_BRIDGE,
	NR_NFPROTO
};
enum nf_verdict {
	NF_VERDICT_DROP,
	NF_VERDICT_ACCEPT,
	NF_VERDICT_STOLEN,
	NF_VERDICT_QUEUE,
	NF_VERDICT_REPEAT
};

struct nf_hook_state {
	enum nf_inet_hook hook;
	enum nf_family pf;
	struct net *net;
	struct net_device *in, *out; /* NULL where there is none */
	struct sock *sk;
	int (*okfn)(struct net *net, struct sock *sk,
		    struct sk_buff *skb); /* the half after the hook; consumes */
};

struct nf_hook_ops {
	/* borrow unless STOLEN. *ret_reason: why, when DROP */
	enum nf_verdict (*hook)(void *priv, struct sk_buff *skb, const struct nf_hook_state *state,
				skb_drop_reason_t *ret_reason);
	void *priv;
	enum nf_family pf;
	enum nf_inet_hook hooknum;
	int priority; /* ascending */
};

struct nf_hook_entries; /* nf_hook.c: a published array, replaced as a whole */

struct nf_hooks {
	struct nf_hook_entries *entries[NR_NFPROTO][NF_INET_NUMHOOKS];
};

int nf_register_net_hook(struct net *net, const struct nf_hook_ops *ops); /* rtnl */
void nf_unregister_net_hook(struct net *net, const struct nf_hook_ops *ops);

void nf_hooks_free(struct net *net); /* net_exit of the core */

/* Runs the hooks; then okfn unless dropped or stolen. Consumes skb. What okfn returned, or -EPERM. */
int nf_hook_slow(struct nf_hook_entries *e, struct nf_hook_state *state, struct sk_buff *skb);

static inline int NF_HOOK(enum nf_family pf, enum nf_inet_hook hook, struct net *net,
			  struct sock *sk, struct sk_buff *skb, struct net_device *in,
			  struct net_device *out,
			  int (*okfn)(struct net *, struct sock *, struct sk_buff *))
{
	struct nf_hooks *hooks = net->nf;

	if (likely(!hooks || !hooks->entries[pf][hook]))
		return okfn(net, sk, skb);

	struct nf_hook_state state = { hook, pf, net, in, out, sk, okfn };

	return nf_hook_slow(hooks->entries[pf][hook], &state, skb);
}

/* The hooks see each of @list, one after the other; those that they let pass are left in it. */
void nf_hook_slow_list(struct nf_hook_entries *e, struct nf_hook_state *state,
		       struct skb_list *list);

/* @okfn is for who takes a packet and gives it back later; the caller goes on with what is left in @list. */
static inline void NF_HOOK_LIST(enum nf_family pf, enum nf_inet_hook hook, struct net *net,
				struct skb_list *list, struct net_device *in,
				int (*okfn)(struct net *, struct sock *, struct sk_buff *))
{
	struct nf_hooks *hooks = net->nf;

	if (likely(!hooks || !hooks->entries[pf][hook]))
		return;

	struct nf_hook_state state = { hook, pf, net, in, NULL, NULL, okfn };

	nf_hook_slow_list(hooks->entries[pf][hook], &state, list);
}

#endif
