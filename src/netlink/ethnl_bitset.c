/* SPDX-License-Identifier: BSD-2-Clause */
/* ethnl_bitset.c - see ethnl_bitset.h */
#include "netlink/ethnl_bitset.h"

#include <errno.h>
#include <linux/ethtool_netlink.h>

#include "core/ethtool.h"

#define MAX_WORDS 8

static const char *bit_name(const struct bitset_names *names, u32 i)
{
	return names->sset < ETH_SS_COUNT ? ethtool_sset_string(NULL, names->sset, i) : "";
}

/* ---- writing ------------------------------------------------------------------------------------------------ */

static void put_words(struct nl_msg *m, u16 type, u64 v, u32 nbits)
{
	u32 words[MAX_WORDS] = { (u32)v, (u32)(v >> 32) };

	assert(nbits <= MAX_WORDS * 32);
	nla_put(m, type, ALIGN_UP(nbits, 32) / 8, words);
}

static void put_bit(struct nl_msg *m, u32 i, const char *name, bool value)
{
	u32 nest = nla_nest_start(m, ETHTOOL_A_BITSET_BITS_BIT);

	nla_put_u32(m, ETHTOOL_A_BITSET_BIT_INDEX, i);
	if (*name)
		nla_put_string(m, ETHTOOL_A_BITSET_BIT_NAME, name);
	if (value)
		nla_put(m, ETHTOOL_A_BITSET_BIT_VALUE, 0, NULL);
	nla_nest_end(m, nest);
}

static void put_bits(struct nl_msg *m, u64 val, const u64 *mask, const struct bitset_names *names)
{
	u64 shown = mask ? *mask : val;
	u32 nest = nla_nest_start(m, ETHTOOL_A_BITSET_BITS);

	for (u32 i = 0; i < min(names->nbits, 64u); i++) {
		const char *name = bit_name(names, i);

		if (shown >> i & 1 && (*name || names->sset >= ETH_SS_COUNT))
			put_bit(m, i, name, mask && val >> i & 1);
	}
	nla_nest_end(m, nest);
}

void ethnl_put_bitset(struct nl_msg *m, u16 type, u64 val, const u64 *mask,
		      const struct bitset_names *names, bool compact)
{
	u32 nest = nla_nest_start(m, type);

	if (!mask)
		nla_put(m, ETHTOOL_A_BITSET_NOMASK, 0, NULL);
	nla_put_u32(m, ETHTOOL_A_BITSET_SIZE, names->nbits);
	if (compact) {
		put_words(m, ETHTOOL_A_BITSET_VALUE, val, names->nbits);
		if (mask)
			put_words(m, ETHTOOL_A_BITSET_MASK, *mask, names->nbits);
	} else {
		put_bits(m, val, mask, names);
	}
	nla_nest_end(m, nest);
}

/* ---- reading ------------------------------------------------------------------------------------------------ */

static const struct nla_policy bitset_policy[ETHTOOL_A_BITSET_MAX + 1] = {
	[ETHTOOL_A_BITSET_NOMASK] = { NLA_K_FLAG, .help = "a list, not a change" },
	[ETHTOOL_A_BITSET_SIZE] = { NLA_K_U32, .max = MAX_WORDS * 32, .help = "number of bits" },
	[ETHTOOL_A_BITSET_BITS] = { NLA_K_UNSPEC, .help = "bit by bit" },
	[ETHTOOL_A_BITSET_VALUE] = { NLA_K_BINARY, .len = MAX_WORDS * 4, .help = "words" },
	[ETHTOOL_A_BITSET_MASK] = { NLA_K_BINARY, .len = MAX_WORDS * 4, .help = "words" },
};

static const struct nla_policy bit_policy[ETHTOOL_A_BITSET_BIT_MAX + 1] = {
	[ETHTOOL_A_BITSET_BIT_INDEX] = { NLA_K_U32, .help = "number of the bit" },
	[ETHTOOL_A_BITSET_BIT_NAME] = { NLA_K_NUL_STRING, .len = ETH_GSTRING_LEN,
					.help = "its name" },
	[ETHTOOL_A_BITSET_BIT_VALUE] = { NLA_K_FLAG, .help = "it is set" },
};

/* The bit that an attribute means, or -errno. */
static int find_bit(const struct nlattr **tb, const struct bitset_names *names,
		    struct netlink_ext_ack *extack)
{
	const struct nlattr *index = tb[ETHTOOL_A_BITSET_BIT_INDEX],
			    *name = tb[ETHTOOL_A_BITSET_BIT_NAME];
	u32 n = min(names->nbits, 64u);

	if (index) {
		if (nla_get_u32(index) < n)
			return (int)nla_get_u32(index);
		nl_set_bad_attr(extack, index);
		nl_set_err_msg(extack, "bit index is too high");
		return -EOPNOTSUPP;
	}
	if (!name) {
		nl_set_err_msg(extack, "neither bit index nor name specified");
		return -EINVAL;
	}
	for (u32 i = 0; i < n; i++)
		if (*bit_name(names, i) && !strcmp(bit_name(names, i), nla_data(name)))
			return (int)i;
	nl_set_bad_attr(extack, name);
	nl_set_err_msg(extack, "bit name not found");
	return -EOPNOTSUPP;
}

static int parse_bits(const struct nlattr *bits, const struct bitset_names *names, bool list,
		      u64 *val, u64 *mask, struct netlink_ext_ack *extack)
{
	const struct nlattr *tb[ETHTOOL_A_BITSET_BIT_MAX + 1], *a;
	int rem, err, bit;

	nla_for_each(a, nla_data(bits), nla_len(bits), rem) {
		err = nla_parse(tb, ETHTOOL_A_BITSET_BIT_MAX, nla_data(a), (size_t)nla_len(a),
				bit_policy, true, extack);
		if (err)
			return err;
		bit = find_bit(tb, names, extack);
		if (bit < 0)
			return bit;
		*mask |= 1ULL << bit;
		if (list || tb[ETHTOOL_A_BITSET_BIT_VALUE])
			*val |= 1ULL << bit;
	}
	return 0;
}

static u64 get_words(const struct nlattr *a, u32 nbits)
{
	u64 v = 0;

	memcpy(&v, nla_data(a), (size_t)min(nla_len(a), (int)sizeof(v)));
	return nbits < 64 ? v & ((1ULL << nbits) - 1) : v;
}

int ethnl_parse_bitset(const struct nlattr *nest, const struct bitset_names *names, u64 *ret_val,
		       u64 *ret_mask, struct netlink_ext_ack *extack)
{
	const struct nlattr *tb[ETHTOOL_A_BITSET_MAX + 1];
	u64 val = 0, mask = 0;
	bool list;
	int err = nla_parse(tb, ETHTOOL_A_BITSET_MAX, nla_data(nest), (size_t)nla_len(nest),
			    bitset_policy, true, extack);

	if (err)
		return err;
	list = tb[ETHTOOL_A_BITSET_NOMASK];
	if (tb[ETHTOOL_A_BITSET_BITS]) {
		err = parse_bits(tb[ETHTOOL_A_BITSET_BITS], names, list, &val, &mask, extack);
		if (err)
			return err;
	} else if (tb[ETHTOOL_A_BITSET_SIZE] && tb[ETHTOOL_A_BITSET_VALUE] &&
		   (list || tb[ETHTOOL_A_BITSET_MASK])) {
		val = get_words(tb[ETHTOOL_A_BITSET_VALUE], names->nbits);
		if (!list)
			mask = get_words(tb[ETHTOOL_A_BITSET_MASK], names->nbits);
	} else {
		nl_set_bad_attr(extack, nest);
		nl_set_err_msg(extack, "a bit set needs bits, or size, value and mask");
		return -EINVAL;
	}
	*ret_val = val;
	*ret_mask = list ? ~0ULL : mask;
	return 0;
}
