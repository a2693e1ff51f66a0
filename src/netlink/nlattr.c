/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * nlattr.c - attributes of netlink messages: bounds, policies, values; and the sentences of extended acknowledgements
 *
 * Nothing of an attribute is used before nla_parse() has checked its length against the message and its shape against the
 * policy. The last of several attributes of one type wins, as in Linux.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "netlink/netlink.h"

void nl_set_err_msg(struct netlink_ext_ack *extack, const char *fmt, ...)
{
	va_list ap;

	if (!extack)
		return;
	va_start(ap, fmt);
	vsnprintf(extack->msg, sizeof(extack->msg), fmt, ap);
	va_end(ap);
}

void nl_set_bad_attr(struct netlink_ext_ack *extack, const struct nlattr *attr)
{
	if (extack)
		extack->bad_attr = attr;
}

/* ---- values -------------------------------------------------------------------------------------------- */

/* The shortest payload of a kind; a longer one is tolerated unless the parse is strict. */
static int kind_size(enum nla_kind kind)
{
	switch (kind) {
	case NLA_K_U8:
		return 1;
	case NLA_K_U16:
	case NLA_K_BE16:
		return 2;
	case NLA_K_U32:
	case NLA_K_S32:
	case NLA_K_BE32:
	case NLA_K_IN_ADDR:
		return 4;
	case NLA_K_U64:
		return 8;
	case NLA_K_IN6_ADDR:
		return 16;
	default:
		return -1;
	}
}

#define NLA_GETTER(name, type)                                                                     \
	type name(const struct nlattr *a)                                                          \
	{                                                                                          \
		type v = 0;                                                                        \
                                                                                                   \
		memcpy(&v, nla_data(a), min(sizeof(v), (size_t)nla_len(a)));                       \
		return v;                                                                          \
	}
NLA_GETTER(nla_get_u8, u8)
NLA_GETTER(nla_get_u16, u16)
NLA_GETTER(nla_get_u32, u32)
NLA_GETTER(nla_get_u64, u64)

be32 nla_get_in_addr(const struct nlattr *a)
{
	return be32_raw(nla_get_u32(a));
}

int nla_strscpy(char *dst, const struct nlattr *a, size_t size)
{
	size_t n = strnlen(nla_data(a), (size_t)nla_len(a));

	if (!size)
		return -E2BIG;
	if (n >= size) {
		memcpy(dst, nla_data(a), size - 1);
		dst[size - 1] = 0;
		return -E2BIG;
	}
	memcpy(dst, nla_data(a), n);
	memset(dst + n, 0, size - n);
	return (int)n;
}

/* ---- policies ------------------------------------------------------------------------------------------ */

static int refuse(const struct nlattr *a, const struct nla_policy *p,
		  struct netlink_ext_ack *extack, int err, const char *what)
{
	nl_set_bad_attr(extack, a);
	if (p && p->help)
		nl_set_err_msg(extack, "Attribute %d (%s) %s", nla_type(a), p->help, what);
	else
		nl_set_err_msg(extack, "Attribute %d %s", nla_type(a), what);
	return err;
}

static int check_number(const struct nlattr *a, const struct nla_policy *p,
			struct netlink_ext_ack *extack)
{
	u64 v;

	if (!p->max)
		return 0;
	switch (kind_size(p->kind)) {
	case 1:
		v = nla_get_u8(a);
		break;
	case 2:
		v = nla_get_u16(a);
		break;
	case 4:
		v = nla_get_u32(a);
		break;
	default:
		v = nla_get_u64(a);
		break;
	}
	if (p->kind == NLA_K_BE16)
		v = be16_to_cpu(be16_raw((u16)v));
	if (p->kind == NLA_K_BE32)
		v = be32_to_cpu(be32_raw((u32)v));
	if (p->kind == NLA_K_S32 ? ((s64)(s32)v < (s64)p->min || (s64)(s32)v > (s64)p->max)
				 : (v < p->min || v > p->max))
		return refuse(a, p, extack, -ERANGE, "is out of range");
	return 0;
}

static int check_string(const struct nlattr *a, const struct nla_policy *p,
			struct netlink_ext_ack *extack)
{
	size_t len = (size_t)nla_len(a), n = strnlen(nla_data(a), len);

	if (p->kind == NLA_K_NUL_STRING && n == len)
		return refuse(a, p, extack, -EINVAL, "is not terminated by a NUL");
	if (!len)
		return refuse(a, p, extack, -ERANGE, "is an empty attribute");
	if (p->len && n > p->len)
		return refuse(a, p, extack, -ERANGE, "is too long");
	return 0;
}

static int check_nested(const struct nlattr *a, const struct nla_policy *p, bool strict,
			struct netlink_ext_ack *extack)
{
	if (nla_len(a) && nla_len(a) < (int)sizeof(struct nlattr))
		return refuse(a, p, extack, -EINVAL, "is too short for nested attributes");
	if (strict && !(a->nla_type & NLA_F_NESTED))
		return refuse(a, p, extack, -EINVAL, "lacks the flag NLA_F_NESTED");
	return 0;
}

static int check_attr(const struct nlattr *a, const struct nla_policy *p, bool strict,
		      struct netlink_ext_ack *extack)
{
	int size = kind_size(p->kind), len = nla_len(a);

	switch (p->kind) {
	case NLA_K_REJECT:
		return refuse(a, p, extack, -EINVAL, "cannot be set");
	case NLA_K_FLAG:
		return len ? refuse(a, p, extack, -ERANGE, "is a flag and must be empty") : 0;
	case NLA_K_STRING:
	case NLA_K_NUL_STRING:
		return check_string(a, p, extack);
	case NLA_K_BINARY:
		return p->len && len > p->len ? refuse(a, p, extack, -ERANGE, "is too long") : 0;
	case NLA_K_NESTED:
		return check_nested(a, p, strict, extack);
	case NLA_K_UNSPEC:
		return len < p->len ? refuse(a, p, extack, -ERANGE, "is too short") : 0;
	default:
		if (len < size)
			return refuse(a, p, extack, -ERANGE, "is too short");
		if (strict && len != size)
			return refuse(a, p, extack, -EINVAL, "has the wrong length");
		return check_number(a, p, extack);
	}
}

int nla_parse(const struct nlattr **tb, int maxtype, const void *head, size_t len,
	      const struct nla_policy *policy, bool strict, struct netlink_ext_ack *extack)
{
	const struct nlattr *a;
	int rem, err;

	memset(tb, 0, sizeof(*tb) * (size_t)(maxtype + 1));
	nla_for_each(a, head, len, rem) {
		int type = nla_type(a);

		if (type == 0 || type > maxtype) {
			if (strict)
				return refuse(a, NULL, extack, -EINVAL, "is of an unknown type");
			continue;
		}
		if (policy) {
			err = check_attr(a, &policy[type], strict, extack);
			if (err)
				return err;
		}
		tb[type] = a;
	}
	if (rem > 0 && strict) {
		nl_set_err_msg(extack, "%d octets are left over after the last attribute", rem);
		return -EINVAL;
	}
	return 0;
}

int nla_parse_nested(const struct nlattr **tb, int maxtype, const struct nlattr *nest,
		     const struct nla_policy *policy, struct netlink_ext_ack *extack)
{
	return nla_parse(tb, maxtype, nla_data(nest), (size_t)nla_len(nest), policy, false, extack);
}

int nlmsg_parse(const struct nlmsghdr *nlh, size_t hdrlen, const struct nlattr **tb, int maxtype,
		const struct nla_policy *policy, struct netlink_ext_ack *extack)
{
	size_t off = NLMSG_HDRLEN + NLMSG_ALIGN(hdrlen);

	if (nlh->nlmsg_len < NLMSG_HDRLEN + hdrlen) {
		nl_set_err_msg(extack, "The message is shorter than its family header");
		return -EINVAL;
	}
	return nla_parse(tb, maxtype, (const char *)nlh + off,
			 nlh->nlmsg_len > off ? nlh->nlmsg_len - off : 0, policy, false, extack);
}
