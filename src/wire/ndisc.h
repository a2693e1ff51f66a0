/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ndisc.h - options of neighbour discovery messages (RFC 4861 4.6, 3971, 4191, 8106)
 *
 * The messages' fixed parts are in icmpv6.h. An option is type, length in units of 8 octets, value.
 */
#ifndef WEIR_WIRE_NDISC_H
#define WEIR_WIRE_NDISC_H

#include "lib/types.h"
#include "wire/icmpv6.h"

enum {
	NDISC_OPT_SOURCE_LL_ADDR = 1,
	NDISC_OPT_TARGET_LL_ADDR = 2,
	NDISC_OPT_PREFIX_INFO = 3,
	NDISC_OPT_REDIRECT_HDR = 4,
	NDISC_OPT_MTU = 5,
	NDISC_OPT_NONCE = 14,      /* RFC 3971 5.3.2 */
	NDISC_OPT_ROUTE_INFO = 24, /* RFC 4191 2.3 */
	NDISC_OPT_RDNSS = 25,      /* RFC 8106 5.1 */
	NDISC_OPT_DNSSL = 31,      /* RFC 8106 5.2 */
	NDISC_OPT_CAPTIVE_PORTAL = 37,
	NDISC_OPT_PREF64 = 38,
};

#define NDISC_NONCE_LEN 6 /* octets of value in the shortest nonce option */
/* Length of a message without options, from the ICMPv6 header on. */
#define NDISC_RS_LEN       8
#define NDISC_RA_LEN       16
#define NDISC_NS_LEN       24 /* and of an advertisement */
#define NDISC_REDIRECT_LEN 40

struct ndisc_opt {
	u8 type;
	u32 len;        /* octets, with type and length */
	const u8 *data; /* at the type */
};

/* The option at *@p, which moves behind it. False: there is none left, or (*p != end) what is there is malformed. */
bool ndisc_opt_next(const u8 **p, const u8 *end, struct ndisc_opt *ret);

/* The first of each kind that occurs once; NULL: absent. */
struct ndisc_opts {
	struct ndisc_opt source_ll, target_ll, redirect_hdr, mtu, nonce;
};
/* 0, or -EBADMSG: an option of length 0 or one that is cut off (RFC 4861 6.1, 7.1: the message is discarded). */
int ndisc_parse_options(const u8 *p, size_t len, struct ndisc_opts *ret);

/* The address in a link-layer address option, or NULL when it is absent or has not the length for @addr_len octets. */
const u8 *ndisc_opt_lladdr(const struct ndisc_opt *opt, u32 addr_len);
static inline u32 ndisc_lladdr_len(u32 addr_len) /* octets of the option */
{
	return (2 + addr_len + 7) & ~7u;
}
u32 ndisc_build_lladdr(u8 *p, u8 type, const u8 *addr, u32 addr_len); /* octets written */
/* The nonce (low 48 bits of @nonce); 8 octets */
u32 ndisc_build_nonce(u8 *p, u64 nonce);
/* 0: the option has another length than ours. */
u64 ndisc_opt_nonce(const struct ndisc_opt *opt);
/* The MTU, or 0 when the option is malformed. */
u32 ndisc_opt_mtu(const struct ndisc_opt *opt);

struct ndisc_prefix_info {
	u8 plen;
	bool onlink, autoconf;
	u32 valid, preferred; /* s; ~0: for ever */
	struct in6_addr prefix;
};
int ndisc_parse_prefix_info(const u8 *p, size_t len,
			    struct ndisc_prefix_info *ret); /* 0, -EBADMSG */

struct ndisc_route_info {
	u8 plen;
	u8 pref; /* ICMPV6_ROUTER_PREF_*; the reserved value too */
	u32 lifetime;
	struct in6_addr prefix; /* bits behind plen are 0 */
};
int ndisc_parse_route_info(const struct ndisc_opt *opt, struct ndisc_route_info *ret);

struct ndisc_rdnss {
	u32 lifetime, count;
	const u8 *addrs; /* count * 16 octets */
};
int ndisc_parse_rdnss(const struct ndisc_opt *opt, struct ndisc_rdnss *ret);

#define NDISC_NAME_MAX 254
struct ndisc_dnssl {
	u32 lifetime;
	const u8 *names, *end;
};
int ndisc_parse_dnssl(const struct ndisc_opt *opt, struct ndisc_dnssl *ret);
/* The domain at v->names in text, without the final dot; v->names moves on. False: no more, or malformed. */
bool ndisc_dnssl_next(struct ndisc_dnssl *v, char ret_name[NDISC_NAME_MAX]);

#endif
