/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * api_trace.c - trace records, drop reasons and taps of the embedding API
 */
#include <errno.h>
#include <stdlib.h>

#include "core/netdevice.h"
#include "core/qdisc.h"
#include "core/trace.h"
#include "stack/stack.h"
#include "trace/trace_text.h"

static_assert((int)WEIR_PASS == (int)TRACE_PASS && (int)WEIR_DROP == (int)TRACE_DROP &&
		      (int)WEIR_DONE == (int)TRACE_DONE && (int)WEIR_QUEUED == (int)TRACE_QUEUED &&
		      (int)WEIR_STOLEN == (int)TRACE_STOLEN &&
		      (int)WEIR_CREATE == (int)TRACE_CREATE,
	      "the public verdicts are the stack's");

static_assert((int)WEIR_CONTEXT_WORK == (int)CONTEXT_WORK &&
		      (int)WEIR_CONTEXT_TASKLET_HI == (int)CONTEXT_TASKLET_HI &&
		      (int)WEIR_CONTEXT_TIMER == (int)CONTEXT_TIMER &&
		      (int)WEIR_CONTEXT_NET_TX == (int)CONTEXT_NET_TX &&
		      (int)WEIR_CONTEXT_NET_RX == (int)CONTEXT_NET_RX &&
		      (int)WEIR_CONTEXT_TASKLET == (int)CONTEXT_TASKLET &&
		      (int)WEIR_CONTEXT_HARDIRQ == (int)CONTEXT_HARDIRQ &&
		      WEIR_KSOFTIRQD == CONTEXT_KSOFTIRQD,
	      "the public contexts are the stack's");

static_assert((int)WEIR_HELD_DRIVER == (int)QDISC_HELD_DRIVER &&
		      (int)WEIR_HELD_LOCK == (int)QDISC_HELD_LOCK &&
		      (int)WEIR_HELD_POLICY == (int)QDISC_HELD_POLICY &&
		      (int)WEIR_HELD_QUOTA == (int)QDISC_HELD_QUOTA,
	      "the public reasons to wait are the stack's");

int weir_trace_enable(struct weir_machine *wm, uint32_t records)
{
	return trace_enable(wm->m, records);
}

void weir_trace_disable(struct weir_machine *wm)
{
	trace_disable(wm->m);
}

static void convert(const struct machine *m, const struct trace_record *r,
		    struct weir_trace_record *out)
{
	const struct trace_point_desc *d = trace_point_desc(m, r->point);

	*out = (struct weir_trace_record){
		.time = r->time,
		.skb_id = r->skb_id,
		.related = r->related,
		.arg1 = r->arg1,
		.arg2 = r->arg2,
		.net_id = r->net_id,
		.ifindex = r->ifindex,
		.len = r->len,
		.reason = r->reason,
		.verdict = r->verdict,
		.context = r->context,
		.point = d->name,
		.file = d->file,
		.arg1_name = d->arg1,
		.arg2_name = d->arg2,
	};
}

/* What was read of one cpu and not handed out yet. */
struct ring_part {
	struct trace_record *rec;
	u32 n, used;
};

static struct ring_part *earliest(struct ring_part *parts, u32 n)
{
	struct ring_part *best = NULL;

	for (u32 i = 0; i < n; i++)
		if (parts[i].used < parts[i].n &&
		    (!best || parts[i].rec[parts[i].used].time < best->rec[best->used].time))
			best = &parts[i];
	return best;
}

int weir_trace_read(struct weir_machine *wm, uint64_t cursor[64], struct weir_trace_record *out,
		    uint32_t max, uint64_t *ret_lost)
{
	struct machine *m = wm->m;
	struct ring_part parts[MACHINE_MAX_CPUS] = { 0 }, *p;
	struct trace_record *all;
	u64 lost, lost_all = 0;
	u32 n = 0, per_cpu;

	if (ret_lost)
		*ret_lost = 0;
	if (!max)
		return 0;
	per_cpu = min(max, 65536u);
	all = malloc((size_t)per_cpu * m->ncpus * sizeof(*all));
	if (!all)
		return -ENOMEM;
	for (u32 i = 0; i < m->ncpus; i++) {
		parts[i].rec = all + (size_t)i * per_cpu;
		parts[i].n = trace_read(m->cpus[i], &cursor[i], parts[i].rec, per_cpu, &lost);
		lost_all += lost;
	}
	while (n < max && (p = earliest(parts, m->ncpus)))
		convert(m, &p->rec[p->used++], &out[n++]);
	for (u32 i = 0; i < m->ncpus; i++)
		cursor[i] -= parts[i].n - parts[i].used; /* the next call reads them again */
	free(all);
	if (ret_lost)
		*ret_lost = lost_all;
	return (int)n;
}

int weir_trace_format(struct weir_machine *wm, const struct weir_trace_record *r, unsigned depth,
		      char *buf, size_t size)
{
	struct trace_line l = {
		.time = r->time,
		.skb_id = r->skb_id,
		.related = r->related,
		.arg1 = r->arg1,
		.arg2 = r->arg2,
		.net_id = r->net_id,
		.ifindex = r->ifindex,
		.len = r->len,
		.verdict = (enum trace_verdict)r->verdict,
		.context = r->context,
		.point = r->point,
		.file = r->file,
		.arg1_name = r->arg1_name,
		.arg2_name = r->arg2_name,
		.reason = r->reason ? drop_reason_name(wm->m, r->reason) : NULL,
		.depth = depth,
	};

	return trace_text(&l, buf, size);
}

const char *weir_context_name(uint8_t context)
{
	return trace_context_name(context);
}

const char *weir_drop_reason_name(struct weir_machine *wm, uint16_t reason)
{
	return drop_reason_name(wm->m, reason);
}

const char *weir_drop_reason_help(struct weir_machine *wm, uint16_t reason)
{
	return drop_reason_help(wm->m, reason);
}

/* ---- taps ---------------------------------------------------------------------------------------------- */

/* A tap by device name listens on all devices and compares names, so that it survives the device. */
struct weir_tap {
	struct packet_tap tap; /* must be first */
	struct net *net;
	char ifname[IFNAMSIZ]; /* empty: all */
	u32 snaplen;
	u64 realtime_offset; /* realtime - now */
	void (*fn)(const struct weir_frame *frame, void *arg);
	void *arg;
	u8 buf[]; /* snaplen octets, for frames that are not linear */
};

static void tap_frame(struct packet_tap *pt, const struct sk_buff *skb, struct net_device *dev,
		      bool outgoing)
{
	struct weir_tap *t = container_of(pt, struct weir_tap, tap);
	struct weir_frame fr = {
		.time = dev->cpu->now + t->realtime_offset,
		.skb_id = skb->id,
		.net_id = t->net->id,
		.ifindex = (u32)dev->ifindex,
		.dev_type = dev->type,
		.protocol = be16_to_cpu(skb->protocol),
		.outgoing = outgoing,
		.len = skb->len,
		.caplen = min(skb->len, t->snaplen),
		.data = skb->data,
	};

	if (t->ifname[0] && strncmp(t->ifname, dev->name, IFNAMSIZ))
		return;
	if (fr.caplen > skb_headlen(skb)) {
		if (skb_copy_bits(skb, 0, t->buf, fr.caplen))
			return;
		fr.data = t->buf;
	}
	memcpy(fr.ifname, dev->name, sizeof(fr.ifname));
	t->fn(&fr, t->arg);
}

struct weir_tap *weir_tap_create(struct weir_net *wnet, const char *ifname, uint32_t snaplen,
				 void (*fn)(const struct weir_frame *frame, void *arg), void *arg)
{
	struct net *net = net_of(wnet);
	struct host *h = net->machine->host;
	struct weir_tap *t;

	if (!snaplen || snaplen > 262144)
		snaplen = 262144;
	if (ifname && strlen(ifname) >= IFNAMSIZ) {
		errno = ENODEV;
		return NULL;
	}
	t = calloc(1, sizeof(*t) + snaplen);
	if (!t)
		return NULL;
	t->net = net;
	t->snaplen = snaplen;
	t->fn = fn;
	t->arg = arg;
	t->realtime_offset = host_realtime(h) - host_now(h);
	t->tap.type = ETH_P_ALL;
	t->tap.func = tap_frame;
	if (ifname)
		memcpy(t->ifname, ifname, strlen(ifname));
	cpu_lock(net->cpu);
	if (ifname && !__dev_get_by_name(net, ifname)) {
		cpu_unlock(net->cpu);
		free(t);
		errno = ENODEV;
		return NULL;
	}
	dev_add_tap(net, &t->tap);
	cpu_unlock(net->cpu);
	return t;
}

void weir_tap_destroy(struct weir_tap *t)
{
	if (!t)
		return;
	cpu_lock(t->net->cpu);
	dev_remove_tap(&t->tap);
	cpu_unlock(t->net->cpu);
	free(t);
}
