/* SPDX-License-Identifier: BSD-2-Clause */
/* ipv6.c - read and write the IPv6 header (RFC 8200 3), step over extension headers (RFC 8200 4) */
#include "wire/ipv6.h"

#include <errno.h>

int ipv6_parse(const u8 *p, size_t len, struct ipv6_view *ret)
{
	struct ipv6_hdr h;
	u32 first;

	if (len < sizeof(h))
		return -EBADMSG;
	memcpy(&h, p, sizeof(h));
	first = be32_to_cpu(h.ver_tc_flow);
	if (first >> 28 != 6 || be16_to_cpu(h.payload_len) > len - sizeof(h))
		return -EBADMSG;
	*ret = (struct ipv6_view){
		.tclass = (u8)(first >> 20),
		.flow_label = first & 0xfffff,
		.nexthdr = h.nexthdr,
		.hop_limit = h.hop_limit,
		.payload_len = be16_to_cpu(h.payload_len),
		.saddr = (const struct in6_addr *)(p + offsetof(struct ipv6_hdr, saddr)),
		.daddr = (const struct in6_addr *)(p + offsetof(struct ipv6_hdr, daddr)),
	};
	return sizeof(h);
}

void ipv6_build(u8 *p, const struct ipv6_view *v)
{
	const be32 first = cpu_to_be32(6u << 28 | (u32)v->tclass << 20 | (v->flow_label & 0xfffff));
	const be16 payload_len = cpu_to_be16(v->payload_len);

	/* Field by field: the addresses of @v may lie in the place that is written. */
	memmove(p + offsetof(struct ipv6_hdr, saddr), v->saddr, sizeof(*v->saddr));
	memmove(p + offsetof(struct ipv6_hdr, daddr), v->daddr, sizeof(*v->daddr));
	memcpy(p, &first, sizeof(first));
	memcpy(p + offsetof(struct ipv6_hdr, payload_len), &payload_len, sizeof(payload_len));
	p[offsetof(struct ipv6_hdr, nexthdr)] = v->nexthdr;
	p[offsetof(struct ipv6_hdr, hop_limit)] = v->hop_limit;
}

bool ipv6_set_ce(struct ipv6_hdr *h)
{
	u32 word = be32_to_cpu(h->ver_tc_flow);

	if (!(word >> 20 & 3))
		return false;
	h->ver_tc_flow = cpu_to_be32(word | 3u << 20);
	return true;
}

int ipv6_skip_exthdr(const u8 *p, size_t len, u8 *nexthdr, u16 *ret_frag_off)
{
	size_t off = 0;
	u8 next = *nexthdr;
	u16 frag = 0;

	for (;;) {
		size_t hdr_len;

		switch (next) {
		case IPPROTO_HOPOPTS:
		case IPPROTO_ROUTING:
		case IPPROTO_DSTOPTS:
			if (len - off < 8)
				return -EBADMSG;
			hdr_len = ((size_t)p[off + 1] + 1) * 8;
			break;
		case IPPROTO_AH: /* RFC 4302 2.2: in 32-bit words, less 2 */
			if (len - off < 8)
				return -EBADMSG;
			hdr_len = ((size_t)p[off + 1] + 2) * 4;
			break;
		case IPPROTO_FRAGMENT:
			if (len - off < 8)
				return -EBADMSG;
			hdr_len = 8;
			frag = (u16)((p[off + 2] << 8 | p[off + 3]) & ~6);
			break;
		default:
			goto done;
		}
		if (hdr_len > len - off)
			return -EBADMSG;
		next = p[off];
		off += hdr_len;
		if (frag & ~1)
			goto done; /* what follows is data of a later fragment */
	}
done:
	*nexthdr = next;
	*ret_frag_off = frag;
	return (int)off;
}

bool ipv6_prefix_equal(const struct in6_addr *a, const struct in6_addr *b, u32 plen)
{
	u32 octets = plen / 8, bits = plen % 8;

	if (memcmp(a, b, octets))
		return false;
	return !bits || !((a->s6_addr[octets] ^ b->s6_addr[octets]) >> (8 - bits));
}
