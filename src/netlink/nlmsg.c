/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * nlmsg.c - building netlink messages into a buffer of fixed size
 *
 * Whoever builds does not check each step: what does not fit sets overflow, the rest of the message writes nothing, and
 * nlmsg_finish() takes the whole message back. So a buffer holds only whole messages.
 */
#include <errno.h>
#include <stdlib.h>

#include "netlink/netlink.h"

int nl_msg_init(struct nl_msg *m, u32 size)
{
	*m = (struct nl_msg){ .buf = malloc(size), .size = size };
	return m->buf ? 0 : -ENOMEM;
}

void nl_msg_fini(struct nl_msg *m)
{
	free(m->buf);
	*m = (struct nl_msg){ 0 };
}

/* @len more octets, zeroed and aligned; NULL: they do not fit. */
static void *nl_msg_room(struct nl_msg *m, u32 len)
{
	u32 need = NLMSG_ALIGN(len);
	u8 *p = m->buf + m->len;

	if (m->overflow || len > m->size || need > m->size - m->len) {
		m->overflow = true;
		return NULL;
	}
	memset(p, 0, need);
	m->len += need;
	return p;
}

void *nlmsg_begin(struct nl_msg *m, u32 portid, u32 seq, u16 type, u16 flags, u32 hdrlen)
{
	u32 start = m->len;
	struct nlmsghdr *nlh;

	m->overflow = false;
	nlh = nl_msg_room(m, NLMSG_HDRLEN + hdrlen);
	if (!nlh) {
		m->len = start;
		return NULL;
	}
	m->cur = nlh;
	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = flags;
	nlh->nlmsg_seq = seq;
	nlh->nlmsg_pid = portid;
	return (u8 *)nlh + NLMSG_HDRLEN;
}

int nlmsg_finish(struct nl_msg *m)
{
	if (!m->cur)
		return -EMSGSIZE;
	if (m->overflow) {
		nlmsg_cancel(m);
		return -EMSGSIZE;
	}
	m->cur->nlmsg_len = (u32)(m->buf + m->len - (u8 *)m->cur);
	m->cur = NULL;
	return 0;
}

void nlmsg_cancel(struct nl_msg *m)
{
	if (m->cur)
		m->len = (u32)((u8 *)m->cur - m->buf);
	m->cur = NULL;
	m->overflow = false;
}

void nla_put(struct nl_msg *m, u16 type, u32 len, const void *data)
{
	struct nlattr *a;

	if (len > UINT16_MAX - NLA_HDRLEN) {
		m->overflow = true;
		return;
	}
	a = nl_msg_room(m, NLA_HDRLEN + len);
	if (!a)
		return;
	a->nla_len = (u16)(NLA_HDRLEN + len);
	a->nla_type = type;
	if (len)
		memcpy((u8 *)a + NLA_HDRLEN, data, len);
}

void nl_put_raw(struct nl_msg *m, const void *data, u32 len)
{
	void *p = nl_msg_room(m, len);

	if (p)
		memcpy(p, data, len);
}

void nla_put_u8(struct nl_msg *m, u16 type, u8 v)
{
	nla_put(m, type, sizeof(v), &v);
}
void nla_put_u16(struct nl_msg *m, u16 type, u16 v)
{
	nla_put(m, type, sizeof(v), &v);
}
void nla_put_u32(struct nl_msg *m, u16 type, u32 v)
{
	nla_put(m, type, sizeof(v), &v);
}
void nla_put_u64(struct nl_msg *m, u16 type, u64 v)
{
	nla_put(m, type, sizeof(v), &v);
}
void nla_put_string(struct nl_msg *m, u16 type, const char *s)
{
	nla_put(m, type, (u32)strlen(s) + 1, s);
}
void nla_put_in_addr(struct nl_msg *m, u16 type, be32 a)
{
	nla_put(m, type, sizeof(a.v), &a.v);
}

u32 nla_nest_start(struct nl_msg *m, u16 type)
{
	u32 mark = m->len;
	struct nlattr *a = nl_msg_room(m, NLA_HDRLEN);

	if (a) {
		a->nla_len = NLA_HDRLEN;
		a->nla_type = type | NLA_F_NESTED;
	}
	return mark;
}

u32 nla_nest_start_noflag(struct nl_msg *m, u16 type)
{
	u32 mark = nla_nest_start(m, type);

	if (!m->overflow)
		((struct nlattr *)(m->buf + mark))->nla_type = type;
	return mark;
}

void nla_nest_end(struct nl_msg *m, u32 mark)
{
	u32 len = m->len - mark;

	if (m->overflow)
		return;
	if (len > UINT16_MAX)
		m->overflow = true;
	else
		((struct nlattr *)(m->buf + mark))->nla_len = (u16)len;
}
