/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * nlattr.h - netlink messages and attributes as octets: bounds-checked walks (netlink(7), RFC 3549 2.3)
 *
 * A stream is a row of items that begin with their own length and are padded to 4 octets; the last may lack its padding. The walks
 * never read outside the stream, whatever the lengths say, and at any alignment. What the types mean is netlink/'s business.
 */
#ifndef WEIR_WIRE_NLATTR_H
#define WEIR_WIRE_NLATTR_H

#include <linux/netlink.h>

#include "lib/types.h"

struct nlattr_view {
	u16 type;           /* without the two flag bits */
	bool nested;        /* NLA_F_NESTED */
	bool net_byteorder; /* NLA_F_NET_BYTEORDER */
	const u8 *data;
	size_t len; /* of the data */
};

struct nlmsg_view {
	u16 type, flags;
	u32 seq, portid;
	const u8 *data;
	size_t len; /* of the data: family header and attributes */
};

/* Where a walk is. It ends in front of the first item that does not fit; then @left says how many octets were not understood. */
struct nl_walk {
	const u8 *p;
	size_t left;
};

static inline void nl_walk_init(struct nl_walk *w, const void *p, size_t len)
{
	w->p = (const u8 *)p;
	w->left = len;
}

/* False at the end. */
bool nlattr_next(struct nl_walk *w, struct nlattr_view *ret);
bool nlmsg_next(struct nl_walk *w, struct nlmsg_view *ret);

/* 0 if [p, p+len) is attributes from end to end, also inside those with NLA_F_NESTED down to @depth levels; else -EBADMSG. */
int nlattr_validate(const void *p, size_t len, unsigned depth);
/* How many messages there are, or -EBADMSG. */
int nlmsg_validate(const void *p, size_t len);
/* The first attribute of @type: true, and *ret. */
bool nlattr_find(const void *p, size_t len, u16 type, struct nlattr_view *ret);

/* Values. False when the length is not that of the type. */
bool nlattr_u32(const struct nlattr_view *a, u32 *ret);
bool nlattr_u64(const struct nlattr_view *a, u64 *ret);
/* A string with or without its NUL and none inside, into @buf. */
bool nlattr_string(const struct nlattr_view *a, char *buf, size_t size);

/* Writes an attribute with its padding at @p if it fits into @room. Octets written, or -EMSGSIZE. */
int nlattr_build(u8 *p, size_t room, u16 type, const void *data, size_t len);

#endif
