/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ethnl_bitset.h - sets of bits in the messages of the family "ethtool"
 *
 * A set is written compactly (words of value and mask) or bit by bit with names, as the requester likes; both are understood.
 * With a mask it says something about the bits of the mask only, without one (NOMASK) it is a list.
 */
#ifndef WEIR_NETLINK_ETHNL_BITSET_H
#define WEIR_NETLINK_ETHNL_BITSET_H

#include "netlink/netlink.h"

struct bitset_names {
	u32 nbits;
	u32 sset; /* ETH_SS_*, whose strings are the names; ETH_SS_COUNT: none */
};

/* Bits from 64 on are 0. @mask NULL: a list. */
void ethnl_put_bitset(struct nl_msg *m, u16 type, u64 val, const u64 *mask,
		      const struct bitset_names *names, bool compact);
/* Sets of at most 64 bits. A list has all bits in its mask. 0, -EINVAL, -EOPNOTSUPP (a name or bit that does not exist) */
int ethnl_parse_bitset(const struct nlattr *nest, const struct bitset_names *names, u64 *ret_val,
		       u64 *ret_mask, struct netlink_ext_ack *extack);

#endif
