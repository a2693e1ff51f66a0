/* SPDX-License-Identifier: BSD-2-Clause */
/* nlattr.c - bounds-checked walks over netlink messages and attributes */
#include "wire/nlattr.h"

#include <errno.h>

/* Steps over an item of @len octets, and over as much of its padding as is there. */
static void step(struct nl_walk *w, size_t len)
{
	size_t padded = min_t(size_t, ALIGN_UP(len, (size_t)NLA_ALIGNTO), w->left);

	w->p += padded;
	w->left -= padded;
}

bool nlattr_next(struct nl_walk *w, struct nlattr_view *ret)
{
	struct nlattr a;

	if (w->left < sizeof(a))
		return false;
	memcpy(&a, w->p, sizeof(a));
	if (a.nla_len < sizeof(a) || a.nla_len > w->left)
		return false;
	*ret = (struct nlattr_view){
		.type = a.nla_type & NLA_TYPE_MASK,
		.nested = a.nla_type & NLA_F_NESTED,
		.net_byteorder = a.nla_type & NLA_F_NET_BYTEORDER,
		.data = w->p + sizeof(a),
		.len = a.nla_len - sizeof(a),
	};
	step(w, a.nla_len);
	return true;
}

bool nlmsg_next(struct nl_walk *w, struct nlmsg_view *ret)
{
	struct nlmsghdr h;

	if (w->left < sizeof(h))
		return false;
	memcpy(&h, w->p, sizeof(h));
	if (h.nlmsg_len < sizeof(h) || h.nlmsg_len > w->left)
		return false;
	*ret = (struct nlmsg_view){
		.type = h.nlmsg_type,
		.flags = h.nlmsg_flags,
		.seq = h.nlmsg_seq,
		.portid = h.nlmsg_pid,
		.data = w->p + sizeof(h),
		.len = h.nlmsg_len - sizeof(h),
	};
	step(w, h.nlmsg_len);
	return true;
}

int nlattr_validate(const void *p, size_t len, unsigned depth)
{
	struct nlattr_view a;
	struct nl_walk w;

	nl_walk_init(&w, p, len);
	while (nlattr_next(&w, &a)) {
		if (a.nested && depth && nlattr_validate(a.data, a.len, depth - 1) < 0)
			return -EBADMSG;
	}
	return w.left ? -EBADMSG : 0;
}

int nlmsg_validate(const void *p, size_t len)
{
	struct nlmsg_view m;
	struct nl_walk w;
	int n = 0;

	nl_walk_init(&w, p, len);
	while (nlmsg_next(&w, &m))
		n++;
	return w.left ? -EBADMSG : n;
}

bool nlattr_find(const void *p, size_t len, u16 type, struct nlattr_view *ret)
{
	struct nlattr_view a;
	struct nl_walk w;

	nl_walk_init(&w, p, len);
	while (nlattr_next(&w, &a)) {
		if (a.type == type) {
			*ret = a;
			return true;
		}
	}
	return false;
}

bool nlattr_u32(const struct nlattr_view *a, u32 *ret)
{
	if (a->len != sizeof(*ret))
		return false;
	memcpy(ret, a->data, sizeof(*ret));
	return true;
}

bool nlattr_u64(const struct nlattr_view *a, u64 *ret)
{
	if (a->len != sizeof(*ret))
		return false;
	memcpy(ret, a->data, sizeof(*ret));
	return true;
}

bool nlattr_string(const struct nlattr_view *a, char *buf, size_t size)
{
	size_t len = a->len;

	if (len && a->data[len - 1] == '\0')
		len--;
	if (len >= size || memchr(a->data, '\0', len))
		return false;
	memcpy(buf, a->data, len);
	buf[len] = '\0';
	return true;
}

int nlattr_build(u8 *p, size_t room, u16 type, const void *data, size_t len)
{
	struct nlattr a = { .nla_type = type };
	size_t total, padded;

	if (len > UINT16_MAX - sizeof(a))
		return -EMSGSIZE;
	total = sizeof(a) + len;
	padded = ALIGN_UP(total, (size_t)NLA_ALIGNTO);
	if (padded > room)
		return -EMSGSIZE;
	a.nla_len = (u16)total;
	memcpy(p, &a, sizeof(a));
	if (len)
		memcpy(p + sizeof(a), data, len);
	memset(p + total, 0, padded - total);
	return (int)padded;
}
