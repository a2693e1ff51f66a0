/* SPDX-License-Identifier: BSD-2-Clause */
/* arp.c - read and write ARP for IPv4 (RFC 826) */
#include "wire/arp.h"

#include <errno.h>
#include <linux/if_ether.h>

int arp_parse(const u8 *p, size_t len, u8 hlen, struct arp_view *ret)
{
	struct arp_hdr h;
	struct arp_view v;

	if (len < sizeof(h))
		return -EBADMSG;
	memcpy(&h, p, sizeof(h));
	/* RFC 826, packet reception: the hardware and protocol lengths are optional to check. We check both. */
	if (be16_to_cpu(h.ptype) != ETH_P_IP || h.plen != 4 || h.hlen != hlen)
		return -EPROTONOSUPPORT;
	if (len < ARP_LEN((size_t)hlen))
		return -EBADMSG;
	v = (struct arp_view){
		.htype = be16_to_cpu(h.htype),
		.ptype = be16_to_cpu(h.ptype),
		.op = be16_to_cpu(h.op),
		.hlen = hlen,
	};
	p += sizeof(h);
	v.sha = p;
	memcpy(&v.sip, p + hlen, 4);
	p += hlen + 4;
	v.tha = p;
	memcpy(&v.tip, p + hlen, 4);
	*ret = v;
	return (int)ARP_LEN((size_t)hlen);
}

void arp_build(u8 *p, const struct arp_view *v)
{
	const struct arp_hdr h = {
		.htype = cpu_to_be16(v->htype),
		.ptype = cpu_to_be16(v->ptype),
		.hlen = v->hlen,
		.plen = 4,
		.op = cpu_to_be16(v->op),
	};

	memcpy(p, &h, sizeof(h));
	p += sizeof(h);
	memcpy(p, v->sha, v->hlen);
	memcpy(p + v->hlen, &v->sip, 4);
	p += v->hlen + 4;
	if (v->tha)
		memcpy(p, v->tha, v->hlen);
	else
		memset(p, 0, v->hlen);
	memcpy(p + v->hlen, &v->tip, 4);
}
