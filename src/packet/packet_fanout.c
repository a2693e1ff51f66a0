/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * packet_fanout.c - groups of packet sockets: each frame goes to one of them
 *
 * A group has one tap in place of those of its members. By kind the next member is chosen by flow hash, in turn, by cpu, at random, by
 * queue, by a program, or the same one until it is full (rollover). The hash is symmetric: both directions of a flow meet at one member.
 * Members that are not running stay in the group, but not in arr[]. Locking: the home cpu's lock.
 * See packet(7), PACKET_FANOUT.
 */
#include <errno.h>
#include <stdlib.h>

#include "core/bpf_classic.h"
#include "packet/packet_internal.h"

#define FANOUT_DEFAULT_MEMBERS 256
#define FANOUT_MAX_MEMBERS     65536

static u32 rollover(struct packet_fanout *f, u32 from, struct packet_sock *full)
{
	for (u32 i = 0; i < f->num; i++) {
		u32 at = (from + i) % f->num;

		if (f->arr[at] != full && packet_has_room(f->arr[at])) {
			if (full)
				full->rollover.tp_all++;
			return at;
		}
	}
	if (full)
		full->rollover.tp_failed++;
	return from;
}

static u32 choose(struct packet_fanout *f, const struct sk_buff *skb, struct net_device *dev)
{
	switch (f->type) {
	case PACKET_FANOUT_HASH:
		return (u32)((u64)skb_flow_hash(skb) * f->num >> 32);
	case PACKET_FANOUT_LB:
		return f->rr++ % f->num;
	case PACKET_FANOUT_CPU:
		return dev->cpu->id % f->num;
	case PACKET_FANOUT_RND:
		return (u32)((cpu_random(dev->cpu) >> 32) * f->num >> 32);
	case PACKET_FANOUT_QM:
		return skb->queue_mapping % f->num;
	case PACKET_FANOUT_CBPF:
		return f->prog ? bpf_prog_run(f->prog, skb, 0) % f->num : 0;
	default: /* PACKET_FANOUT_ROLLOVER */
		f->rr = rollover(f, f->rr % f->num, NULL);
		return f->rr;
	}
}

static void fanout_rcv(struct packet_tap *tap, const struct sk_buff *skb, struct net_device *dev,
		       bool outgoing)
{
	struct packet_fanout *f = container_of(tap, struct packet_fanout, tap);
	u32 at = choose(f, skb, dev);

	if (f->flags & (PACKET_FANOUT_FLAG_ROLLOVER) && !packet_has_room(f->arr[at]))
		at = rollover(f, at, f->arr[at]);
	packet_deliver(f->arr[at], skb, dev, outgoing);
}

void packet_fanout_link(struct packet_sock *po)
{
	struct packet_fanout *f = po->fanout;

	if (!f->num)
		dev_add_tap(sock_net(&po->sk), &f->tap);
	f->arr[f->num++] = po; /* at most as many as joined */
}

void packet_fanout_unlink(struct packet_sock *po)
{
	struct packet_fanout *f = po->fanout;

	for (u32 i = 0; i < f->num; i++) {
		if (f->arr[i] != po)
			continue;
		f->arr[i] = f->arr[--f->num];
		break;
	}
	if (!f->num)
		dev_remove_tap(&f->tap);
}

static struct packet_fanout *fanout_find(struct netns_packet *np, u16 id)
{
	struct packet_fanout *f;

	list_for_each_entry(f, &np->fanouts, node)
		if (f->id == id)
			return f;
	return NULL;
}

static struct packet_fanout *fanout_create(struct packet_sock *po, u16 id, u8 type, u16 flags,
					   u32 max_members)
{
	struct packet_fanout *f;

	if (!max_members)
		max_members = FANOUT_DEFAULT_MEMBERS;
	if (max_members > FANOUT_MAX_MEMBERS)
		return NULL;
	f = calloc(1, sizeof(*f) + max_members * sizeof(f->arr[0]));
	if (!f)
		return NULL;
	f->id = id;
	f->type = type;
	f->flags = flags;
	f->max_members = max_members;
	f->tap.dev = po->dev;
	f->tap.type = po->num;
	f->tap.func = fanout_rcv;
	f->tap.name = "packet_rcv_fanout";
	list_init(&f->tap.node);
	list_add_tail(&f->node, &sock_net(&po->sk)->packet->fanouts);
	return f;
}

/* Does @po want what the group gets? */
static bool fanout_matches(const struct packet_fanout *f, const struct packet_sock *po, u8 type,
			   u16 flags, u32 max_members)
{
	return f->type == type && f->flags == flags && f->tap.type == po->num &&
	       f->tap.dev == po->dev && (!max_members || f->max_members == max_members);
}

int packet_fanout_join(struct packet_sock *po, const struct fanout_args *args)
{
	struct netns_packet *np = sock_net(&po->sk)->packet;
	u8 type = (u8)args->type_flags;
	u16 flags = args->type_flags & 0xff00, id = args->id;
	struct packet_fanout *f;

	if (type > PACKET_FANOUT_CBPF ||
	    flags & ~(PACKET_FANOUT_FLAG_ROLLOVER | PACKET_FANOUT_FLAG_UNIQUEID))
		return -EINVAL;
	if (type == PACKET_FANOUT_ROLLOVER && flags & PACKET_FANOUT_FLAG_ROLLOVER)
		return -EINVAL;
	if (po->fanout)
		return -EALREADY;
	if (!po->running)
		return -EINVAL;
	if (flags & PACKET_FANOUT_FLAG_UNIQUEID) {
		if (id)
			return -EINVAL;
		flags &= (u16)~PACKET_FANOUT_FLAG_UNIQUEID;
		for (id = 1; fanout_find(np, id); id++)
			if (id == UINT16_MAX)
				return -ENOMEM;
	}
	f = fanout_find(np, id);
	if (f && !fanout_matches(f, po, type, flags, args->max_num_members))
		return -EINVAL;
	if (f && f->members >= f->max_members)
		return -ENOSPC;
	if (!f)
		f = fanout_create(po, id, type, flags, args->max_num_members);
	if (!f)
		return args->max_num_members > FANOUT_MAX_MEMBERS ? -EINVAL : -ENOMEM;
	packet_unhook(po);
	f->members++;
	po->fanout = f;
	packet_hook(po);
	return 0;
}

/* The program that chooses, as a struct sock_fprog. 0, -EINVAL, -EPERM, -ENOMEM. */
int packet_fanout_set_data(struct packet_sock *po, const void *val, socklen_t len)
{
	struct packet_fanout *f = po->fanout;
	struct sock_fprog fprog;
	struct bpf_prog *prog;
	int err;

	if (!f || f->type != PACKET_FANOUT_CBPF)
		return -EINVAL;
	if (sock_flag(&po->sk, SOCK_FILTER_LOCKED))
		return -EPERM;
	if (len != sizeof(fprog))
		return -EINVAL;
	memcpy(&fprog, val, sizeof(fprog));
	if (!fprog.filter)
		return -EINVAL;
	err = bpf_prog_create(fprog.filter, fprog.len, &prog);
	if (err)
		return err;
	bpf_prog_put(f->prog);
	f->prog = prog;
	return 0;
}

/* @po is not running. */
void packet_fanout_leave(struct packet_sock *po)
{
	struct packet_fanout *f = po->fanout;

	if (!f)
		return;
	po->fanout = NULL;
	if (--f->members)
		return;
	list_del(&f->node);
	bpf_prog_put(f->prog);
	free(f);
}
