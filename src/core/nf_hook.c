/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * nf_hook.c - the list behind a hook point
 *
 * A hook's functions lie in an array ordered by priority, which is replaced as a whole: the packet path walks
 * what it found with the cpu lock held, and the writer swaps the pointer with that lock held, so nobody is in the old array when it
 * is freed. Functions of equal priority run in the order of registration.
 * Locking: rtnl to change; the net's cpu lock to run.
 */
#include "core/nf_hook.h"

#include <errno.h>
#include <stdlib.h>

#include "core/trace.h"

struct nf_hook_entries {
	u32 n;
	const struct nf_hook_ops *ops[];
};

/* Bounds REPEAT: a function that asks again for ever is a bug, not a reason to hang. */
#define NF_REPEAT_MAX 16

static void entries_publish(struct net *net, struct nf_hook_entries **slot,
			    struct nf_hook_entries *e)
{
	struct nf_hook_entries *old;

	cpu_lock(net->cpu);
	old = *slot;
	*slot = e;
	cpu_unlock(net->cpu);
	free(old);
}

int nf_register_net_hook(struct net *net, const struct nf_hook_ops *ops)
{
	struct nf_hook_entries **slot, *old, *e;
	u32 n, i = 0;

	if (!ops->hook || ops->pf >= NR_NFPROTO || ops->hooknum >= NF_INET_NUMHOOKS)
		return -EINVAL;
	if (!net->nf) {
		struct nf_hooks *hooks = calloc(1, sizeof(*hooks));

		if (!hooks)
			return -ENOMEM;
		cpu_lock(net->cpu);
		net->nf = hooks;
		cpu_unlock(net->cpu);
	}
	slot = &net->nf->entries[ops->pf][ops->hooknum];
	old = *slot;
	n = old ? old->n : 0;
	e = malloc(sizeof(*e) + (n + 1) * sizeof(e->ops[0]));
	if (!e)
		return -ENOMEM;
	while (i < n && old->ops[i]->priority <= ops->priority) {
		e->ops[i] = old->ops[i];
		i++;
	}
	e->ops[i] = ops;
	for (; i < n; i++)
		e->ops[i + 1] = old->ops[i];
	e->n = n + 1;
	entries_publish(net, slot, e);
	return 0;
}

void nf_unregister_net_hook(struct net *net, const struct nf_hook_ops *ops)
{
	struct nf_hook_entries **slot, *old, *e = NULL;
	u32 n = 0;

	if (!net->nf)
		return;
	slot = &net->nf->entries[ops->pf][ops->hooknum];
	old = *slot;
	if (!old)
		return;
	for (u32 i = 0; i < old->n; i++)
		n += old->ops[i] != ops;
	if (n == old->n)
		return;
	if (n) {
		e = malloc(sizeof(*e) + n * sizeof(e->ops[0]));
		if (!e) {
			/* Removing must not fail: shrink in place, where nobody looks. */
			cpu_lock(net->cpu);
			n = 0;
			for (u32 i = 0; i < old->n; i++) {
				if (old->ops[i] != ops)
					old->ops[n++] = old->ops[i];
			}
			old->n = n;
			cpu_unlock(net->cpu);
			return;
		}
		e->n = 0;
		for (u32 i = 0; i < old->n; i++) {
			if (old->ops[i] != ops)
				e->ops[e->n++] = old->ops[i];
		}
	}
	entries_publish(net, slot, e);
}

void nf_hooks_free(struct net *net)
{
	if (!net->nf)
		return;
	for (int pf = 0; pf < NR_NFPROTO; pf++) {
		for (int h = 0; h < NF_INET_NUMHOOKS; h++)
			free(net->nf->entries[pf][h]);
	}
	free(net->nf);
	net->nf = NULL;
}

/* 1: accepted, @skb is still the caller's. 0: somebody has taken it. -EPERM: dropped */
static int nf_hook_run(struct nf_hook_entries *e, struct nf_hook_state *state, struct sk_buff *skb)
{
	u32 repeats = 0;

	trace_skb(skb, state->net, TP_nf_hook, TRACE_PASS, state->pf, state->hook);
	for (u32 i = 0; i < e->n;) {
		const struct nf_hook_ops *ops = e->ops[i];
		skb_drop_reason_t reason = SKB_DROP_NETFILTER_DROP;

		switch (ops->hook(ops->priv, skb, state, &reason)) {
		case NF_VERDICT_ACCEPT:
			i++;
			break;
		case NF_VERDICT_STOLEN:
		case NF_VERDICT_QUEUE: /* whoever queues has taken the packet */
			return 0;
		case NF_VERDICT_REPEAT:
			if (++repeats > NF_REPEAT_MAX)
				i++;
			break;
		case NF_VERDICT_DROP:
		default:
			kfree_skb_reason(skb, reason ? reason : SKB_DROP_NETFILTER_DROP);
			return -EPERM;
		}
	}
	return 1;
}

int nf_hook_slow(struct nf_hook_entries *e, struct nf_hook_state *state, struct sk_buff *skb)
{
	int err = nf_hook_run(e, state, skb);

	return likely(err > 0) ? state->okfn(state->net, state->sk, skb) : err;
}

void nf_hook_slow_list(struct nf_hook_entries *e, struct nf_hook_state *state,
		       struct skb_list *list)
{
	struct skb_list accepted;
	struct sk_buff *skb;

	skb_list_init(&accepted);
	while ((skb = skb_list_take(list)))
		if (likely(nf_hook_run(e, state, skb) > 0))
			skb_list_add(&accepted, skb);
	skb_list_move(&accepted, list);
}
