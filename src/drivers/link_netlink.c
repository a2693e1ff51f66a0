/* SPDX-License-Identifier: BSD-2-Clause */
/* link_netlink.c - the parameters of a link as netlink attributes */
#include "drivers/link_netlink.h"

const struct nla_policy link_attr_policy[WEIR_LINK_MAX + 1] = {
	[WEIR_LINK_DELAY_NS] = { NLA_K_U64, .max = 3600 * NSEC_PER_SEC,
				 .help = "one-way propagation delay" },
	[WEIR_LINK_JITTER_NS] = { NLA_K_U64, .max = 3600 * NSEC_PER_SEC,
				  .help = "evenly around the delay" },
	[WEIR_LINK_LOSS] = { NLA_K_U32, .help = "probability of loss, parts of 2^32" },
	[WEIR_LINK_LOSS_BURST] = { NLA_K_U32, .help = "mean length of a burst of losses, packets" },
	[WEIR_LINK_DUPLICATE] = { NLA_K_U32, .help = "probability of a second copy" },
	[WEIR_LINK_REORDER] = { NLA_K_U32,
				.help = "probability of overtaking: sent without the delay" },
	[WEIR_LINK_CORRUPT] = { NLA_K_U32, .help = "probability that one bit is flipped" },
	[WEIR_LINK_RATE_BPS] = { NLA_K_U64, .help = "bit/s, with link-layer headers; 0: infinite" },
	[WEIR_LINK_QUEUE_PACKETS] = { NLA_K_U32, .help = "packets that wait for the rate" },
	[WEIR_LINK_ECN_PACKETS] = { NLA_K_U32,
				    .help = "waiting packets from which on others are marked CE" },
};

static void put_u64(const struct nlattr *a, u64 *v)
{
	if (a)
		*v = nla_get_u64(a);
}

static void put_u32(const struct nlattr *a, u32 *v)
{
	if (a)
		*v = nla_get_u32(a);
}

int link_params_parse(const struct nlattr *nest, struct link_params *p,
		      struct netlink_ext_ack *extack)
{
	const struct nlattr *tb[WEIR_LINK_MAX + 1] = { NULL };
	int err = nla_parse_nested(tb, WEIR_LINK_MAX, nest, link_attr_policy, extack);

	if (err)
		return err;
	put_u64(tb[WEIR_LINK_DELAY_NS], &p->delay_ns);
	put_u64(tb[WEIR_LINK_JITTER_NS], &p->jitter_ns);
	put_u64(tb[WEIR_LINK_RATE_BPS], &p->rate_bps);
	put_u32(tb[WEIR_LINK_LOSS], &p->loss);
	put_u32(tb[WEIR_LINK_LOSS_BURST], &p->loss_burst);
	put_u32(tb[WEIR_LINK_DUPLICATE], &p->duplicate);
	put_u32(tb[WEIR_LINK_REORDER], &p->reorder);
	put_u32(tb[WEIR_LINK_CORRUPT], &p->corrupt);
	put_u32(tb[WEIR_LINK_QUEUE_PACKETS], &p->queue_packets);
	put_u32(tb[WEIR_LINK_ECN_PACKETS], &p->ecn_packets);
	return 0;
}

void link_fill(struct nl_msg *m, u16 type, const struct link *link)
{
	u32 nest = nla_nest_start(m, type);

	nla_put_u64(m, WEIR_LINK_DELAY_NS, link->p.delay_ns);
	nla_put_u64(m, WEIR_LINK_JITTER_NS, link->p.jitter_ns);
	nla_put_u32(m, WEIR_LINK_LOSS, link->p.loss);
	nla_put_u32(m, WEIR_LINK_LOSS_BURST, link->p.loss_burst);
	nla_put_u32(m, WEIR_LINK_DUPLICATE, link->p.duplicate);
	nla_put_u32(m, WEIR_LINK_REORDER, link->p.reorder);
	nla_put_u32(m, WEIR_LINK_CORRUPT, link->p.corrupt);
	nla_put_u64(m, WEIR_LINK_RATE_BPS, link->p.rate_bps);
	nla_put_u32(m, WEIR_LINK_QUEUE_PACKETS,
		    link->p.queue_packets ? link->p.queue_packets : LINK_QUEUE_PACKETS_DEFAULT);
	nla_put_u32(m, WEIR_LINK_ECN_PACKETS, link->p.ecn_packets);
	nla_put_u64(m, WEIR_LINK_STAT_LOST, link->stats.lost);
	nla_put_u64(m, WEIR_LINK_STAT_DUPLICATED, link->stats.duplicated);
	nla_put_u64(m, WEIR_LINK_STAT_REORDERED, link->stats.reordered);
	nla_put_u64(m, WEIR_LINK_STAT_CORRUPTED, link->stats.corrupted);
	nla_put_u64(m, WEIR_LINK_STAT_QUEUE_DROPS, link->stats.queue_drops);
	nla_put_u64(m, WEIR_LINK_STAT_MARKED, link->stats.marked);
	nla_nest_end(m, nest);
}
