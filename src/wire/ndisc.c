/* SPDX-License-Identifier: BSD-2-Clause */
/* ndisc.c - read and write options of neighbour discovery */
#include "wire/ndisc.h"

#include <errno.h>
#include <string.h>

static u32 get_be32(const u8 *p)
{
	be32 v;

	memcpy(&v, p, sizeof(v));
	return be32_to_cpu(v);
}

bool ndisc_opt_next(const u8 **p, const u8 *end, struct ndisc_opt *ret)
{
	u32 len;

	if (end - *p < 2)
		return false;
	len = (*p)[1] * 8u;
	if (!len || (size_t)(end - *p) < len)
		return false;
	*ret = (struct ndisc_opt){ (*p)[0], len, *p };
	*p += len;
	return true;
}

int ndisc_parse_options(const u8 *p, size_t len, struct ndisc_opts *ret)
{
	const u8 *end = p + len;
	struct ndisc_opt o;

	memset(ret, 0, sizeof(*ret));
	while (ndisc_opt_next(&p, end, &o)) {
		struct ndisc_opt *slot = o.type == NDISC_OPT_SOURCE_LL_ADDR   ? &ret->source_ll
					 : o.type == NDISC_OPT_TARGET_LL_ADDR ? &ret->target_ll
					 : o.type == NDISC_OPT_REDIRECT_HDR   ? &ret->redirect_hdr
					 : o.type == NDISC_OPT_MTU            ? &ret->mtu
					 : o.type == NDISC_OPT_NONCE          ? &ret->nonce
									      : NULL;

		if (slot && !slot->data)
			*slot = o;
	}
	return p == end ? 0 : -EBADMSG;
}

const u8 *ndisc_opt_lladdr(const struct ndisc_opt *opt, u32 addr_len)
{
	if (!opt->data || opt->len != ndisc_lladdr_len(addr_len))
		return NULL;
	return opt->data + 2;
}

u32 ndisc_build_lladdr(u8 *p, u8 type, const u8 *addr, u32 addr_len)
{
	u32 len = ndisc_lladdr_len(addr_len);

	memset(p, 0, len);
	p[0] = type;
	p[1] = (u8)(len / 8);
	memcpy(p + 2, addr, addr_len);
	return len;
}

u32 ndisc_build_nonce(u8 *p, u64 nonce)
{
	p[0] = NDISC_OPT_NONCE;
	p[1] = 1;
	for (int i = 0; i < NDISC_NONCE_LEN; i++)
		p[2 + i] = (u8)(nonce >> 8 * i);
	return 8;
}

u64 ndisc_opt_nonce(const struct ndisc_opt *opt)
{
	u64 nonce = 0;

	if (!opt->data || opt->len != 8)
		return 0;
	for (int i = 0; i < NDISC_NONCE_LEN; i++)
		nonce |= (u64)opt->data[2 + i] << 8 * i;
	return nonce;
}

u32 ndisc_opt_mtu(const struct ndisc_opt *opt)
{
	return opt->data && opt->len == 8 ? get_be32(opt->data + 4) : 0;
}

int ndisc_parse_prefix_info(const u8 *p, size_t len, struct ndisc_prefix_info *ret)
{
	/* RFC 4861 4.6.2 */
	if (len != 32 || p[1] != 4 || p[2] > 128)
		return -EBADMSG;
	*ret = (struct ndisc_prefix_info){
		.plen = p[2],
		.onlink = p[3] & 0x80,
		.autoconf = p[3] & 0x40,
		.valid = get_be32(p + 4),
		.preferred = get_be32(p + 8),
	};
	memcpy(&ret->prefix, p + 16, 16);
	return 0;
}

int ndisc_parse_route_info(const struct ndisc_opt *opt, struct ndisc_route_info *ret)
{
	const u8 *p = opt->data;
	u32 octets;

	/* RFC 4191 2.3: the length says how much of the prefix is there. */
	if (opt->len < 8 || opt->len > 24 || p[2] > 128 || (p[2] > 64 && opt->len < 24) ||
	    (p[2] && opt->len < 16))
		return -EBADMSG;
	*ret = (struct ndisc_route_info){
		.plen = p[2],
		.pref = (p[3] >> 3) & 3,
		.lifetime = get_be32(p + 4),
	};
	octets = p[2] / 8u;
	memcpy(&ret->prefix, p + 8, octets);
	if (p[2] % 8)
		ret->prefix.s6_addr[octets] = (u8)(p[8 + octets] & (0xff00u >> p[2] % 8));
	return 0;
}

int ndisc_parse_rdnss(const struct ndisc_opt *opt, struct ndisc_rdnss *ret)
{
	/* RFC 8106 5.1: a head of 8 octets, one address or more */
	if (opt->len < 24 || opt->len % 16 != 8)
		return -EBADMSG;
	*ret = (struct ndisc_rdnss){ get_be32(opt->data + 4), (opt->len - 8) / 16, opt->data + 8 };
	return 0;
}

int ndisc_parse_dnssl(const struct ndisc_opt *opt, struct ndisc_dnssl *ret)
{
	if (opt->len < 16)
		return -EBADMSG;
	*ret = (struct ndisc_dnssl){ get_be32(opt->data + 4), opt->data + 8, opt->data + opt->len };
	return 0;
}

/* What may stand in a file that others read line by line and word by word. */
static bool name_char(u8 c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '_';
}

bool ndisc_dnssl_next(struct ndisc_dnssl *v, char ret_name[NDISC_NAME_MAX])
{
	const u8 *p = v->names;
	char name[NDISC_NAME_MAX];
	u32 n = 0;

	while (p < v->end && *p) {
		u32 label = *p++;

		/* RFC 1035 3.1 without compression (RFC 8106 5.2) */
		if (label > 63 || label > (size_t)(v->end - p) || n + label + 1 >= sizeof(name))
			return false;
		if (n)
			name[n++] = '.';
		for (u32 i = 0; i < label; i++) {
			if (!name_char(*p))
				return false;
			name[n++] = (char)*p++;
		}
	}
	if (!n || p >= v->end) /* padding, or no end of the name */
		return false;
	name[n] = 0;
	memcpy(ret_name, name, n + 1);
	v->names = p + 1;
	return true;
}
