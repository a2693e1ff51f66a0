/* SPDX-License-Identifier: BSD-2-Clause */
/* ipv4.c - read and write the IPv4 header (RFC 791 3.1), its checksum and its options */
#include "wire/ipv4.h"

#include <errno.h>

#include "lib/csum.h"

int ipv4_parse(const u8 *p, size_t len, struct ipv4_view *ret)
{
	struct ip_hdr h;
	u32 hdr_len;
	u16 tot_len;

	if (len < sizeof(h))
		return -EBADMSG;
	memcpy(&h, p, sizeof(h));
	hdr_len = ip_hdr_len(&h);
	tot_len = be16_to_cpu(h.tot_len);
	/* RFC 1122 3.2.1.1: discard silently what is not version 4 */
	if (h.ihl_version >> 4 != 4 || hdr_len < sizeof(h) || tot_len < hdr_len || tot_len > len)
		return -EBADMSG;
	*ret = (struct ipv4_view){
		.hdr_len = (u8)hdr_len,
		.tos = h.tos,
		.ttl = h.ttl,
		.protocol = h.protocol,
		.tot_len = tot_len,
		.id = be16_to_cpu(h.id),
		.frag_off = be16_to_cpu(h.frag_off),
		.saddr = h.saddr,
		.daddr = h.daddr,
	};
	return (int)hdr_len;
}

void ipv4_build(u8 *p, const struct ipv4_view *v)
{
	const struct ip_hdr h = {
		.ihl_version = (u8)(4 << 4 | v->hdr_len / 4),
		.tos = v->tos,
		.tot_len = cpu_to_be16(v->tot_len),
		.id = cpu_to_be16(v->id),
		.frag_off = cpu_to_be16(v->frag_off),
		.ttl = v->ttl,
		.protocol = v->protocol,
		.saddr = v->saddr,
		.daddr = v->daddr,
	};
	u16 check;

	memcpy(p, &h, sizeof(h));
	check = csum_fold(csum_partial(p, v->hdr_len, 0));
	memcpy(p + offsetof(struct ip_hdr, check), &check, sizeof(check));
}

void ip_decrease_ttl(struct ip_hdr *h)
{
	const be16 from = cpu_to_be16((u16)(h->ttl << 8 | h->protocol));
	be16 check = h->check;

	h->ttl--;
	csum_replace2(&check, from, cpu_to_be16((u16)(h->ttl << 8 | h->protocol)));
	h->check = check;
}

bool ip_set_ce(struct ip_hdr *h)
{
	const be16 from = cpu_to_be16((u16)(h->ihl_version << 8 | h->tos));
	be16 check = h->check;

	if (!(h->tos & 3))
		return false;
	h->tos |= 3;
	csum_replace2(&check, from, cpu_to_be16((u16)(h->ihl_version << 8 | h->tos)));
	h->check = check;
	return true;
}

enum {
	IPOPT_EOL_ = 0,
	IPOPT_NOP_ = 1,
	IPOPT_RR_ = 7,
	IPOPT_TS_ = 68,
	IPOPT_LSRR_ = 131,
	IPOPT_RA_ = 148,
	IPOPT_SSRR_ = 137
};

/* An option with a pointer that is 1-based and steps by @step from @first on. 0, or which octet of the option is wrong. */
static u32 check_pointer(const u8 *opt, u32 len, u32 first, u32 step)
{
	if (len < first - 1)
		return 1;
	if (opt[2] < first)
		return 2;
	/* A pointer behind the end says "full"; else there must be room for one entry. */
	if (opt[2] <= len && opt[2] + step - 1 > len)
		return 2;
	return 0;
}

/* One option of known length at @off. 0, or the offset of the octet that is wrong. */
static u32 check_option(const u8 *p, u32 off, u32 len, struct ipv4_opts_view *v)
{
	const u8 *opt = p + off;
	u8 *slot;
	u32 bad = 0;

	switch (opt[0]) {
	case IPOPT_RR_:
		slot = &v->rr;
		bad = check_pointer(opt, len, 4, 4);
		break;
	case IPOPT_LSRR_:
	case IPOPT_SSRR_:
		slot = &v->srr;
		bad = check_pointer(opt, len, 4, 4);
		v->strict = opt[0] == IPOPT_SSRR_;
		break;
	case IPOPT_TS_: {
		u32 flags = len >= 4 ? opt[3] & 15 : 0;

		slot = &v->ts;
		bad = check_pointer(opt, len, 5, flags == 1 || flags == 3 ? 8 : 4);
		break;
	}
	case IPOPT_RA_:
		/* RFC 2113 2.1: four octets; a value other than 0 is ignored */
		if (len != 4)
			return off + 1;
		if (!opt[2] && !opt[3])
			v->router_alert = (u8)off;
		return 0;
	default:
		return 0; /* RFC 1122 3.2.1.8: pass over options we do not know */
	}
	if (bad)
		return off + bad;
	if (*slot) /* each may appear at most once */
		return off;
	*slot = (u8)off;
	return 0;
}

int ipv4_opts_parse(const u8 *p, u32 hdr_len, struct ipv4_opts_view *ret)
{
	struct ipv4_opts_view v = { 0 };
	u32 off = sizeof(struct ip_hdr);

	while (off < hdr_len && p[off] != IPOPT_EOL_) {
		u32 len, bad;

		if (p[off] == IPOPT_NOP_) {
			off++;
			continue;
		}
		if (off + 1 >= hdr_len)
			return (int)off;
		len = p[off + 1];
		if (len < 2 || len > hdr_len - off)
			return (int)off;
		bad = check_option(p, off, len, &v);
		if (bad)
			return (int)bad;
		off += len;
	}
	*ret = v;
	return 0;
}

char *ipv4_ntop(be32 a, char buf[16])
{
	const u8 *o = (const u8 *)&a.v;
	char *s = buf;

	for (int i = 0; i < 4; i++) {
		if (i)
			*s++ = '.';
		if (o[i] >= 100)
			*s++ = (char)('0' + o[i] / 100);
		if (o[i] >= 10)
			*s++ = (char)('0' + o[i] / 10 % 10);
		*s++ = (char)('0' + o[i] % 10);
	}
	*s = '\0';
	return buf;
}
