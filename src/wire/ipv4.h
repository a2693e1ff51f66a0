/* SPDX-License-Identifier: BSD-2-Clause */
/* ipv4.h - the IPv4 header (RFC 791 3.1) and its options */
#ifndef WEIR_WIRE_IPV4_H
#define WEIR_WIRE_IPV4_H

#include "lib/csum.h"
#include "lib/types.h"

struct ip_hdr {
	u8 ihl_version; /* version << 4 | header length in 32-bit words */
	u8 tos;
	be16 tot_len;
	be16 id;
	be16 frag_off; /* IP_F_* and offset in 8 octets */
	u8 ttl;
	u8 protocol;
	be16 check;
	be32 saddr;
	be32 daddr;
} __packed;

static_assert(sizeof(struct ip_hdr) == 20, "wire format");

#define IP_F_CE     0x8000
#define IP_F_DF     0x4000
#define IP_F_MF     0x2000
#define IP_F_OFFSET 0x1fff

struct ipv4_view {
	u8 hdr_len; /* octets */
	u8 tos, ttl, protocol;
	u16 tot_len, id, frag_off; /* frag_off with flags */
	be32 saddr, daddr;
};

static inline u32 ip_hdr_len(const struct ip_hdr *h)
{
	return (h->ihl_version & 15) * 4u;
}

static inline bool ip_is_fragment(const struct ip_hdr *h)
{
	return (be16_to_cpu(h->frag_off) & (IP_F_MF | IP_F_OFFSET)) != 0;
}

/* Header length; -EBADMSG (short, version, lengths). Does not look at the checksum. */
int ipv4_parse(const u8 *p, size_t len, struct ipv4_view *ret);
/* Writes the 20 fixed octets and, over them and the options that already lie behind them (v->hdr_len), the checksum. */
void ipv4_build(u8 *p, const struct ipv4_view *v);
/* True when the header's checksum is right; @hdr_len octets are readable. Nearly all have no options, and their five words are added here. */
static inline bool ipv4_csum_ok(const u8 *p, u32 hdr_len)
{
	u32 w[5];

	if (unlikely(hdr_len != sizeof(w)))
		return csum_fold(csum_partial(p, hdr_len, 0)) == 0;
	memcpy(w, p, sizeof(w));
	return csum_fold(csum_fold64((u64)w[0] + w[1] + w[2] + w[3] + w[4])) == 0;
}
/* Fills check. */
static inline void ip_send_check(struct ip_hdr *h)
{
	u64 sum;

	h->check.v = 0;
	if (unlikely(h->ihl_version != 0x45)) {
		h->check.v = csum_fold(csum_partial(h, ip_hdr_len(h), 0));
		return;
	}
	/* Member by member, as they were just written: wider loads would wait for the stores. */
	sum = (u64)h->saddr.v + h->daddr.v + h->tot_len.v + h->id.v + h->frag_off.v;
	sum += cpu_to_be16((u16)(h->ihl_version << 8 | h->tos)).v +
	       cpu_to_be16((u16)(h->ttl << 8 | h->protocol)).v;
	h->check.v = csum_fold(csum_fold64(sum));
}
/* RFC 1624: the TTL went down by one. */
void ip_decrease_ttl(struct ip_hdr *h);
/* RFC 3168 5: Congestion Experienced, checksum included. False: not of an ECN-capable transport. */
bool ip_set_ce(struct ip_hdr *h);

/* Walks options. 0, or the offset (from the header's start) of the octet that is wrong: ICMP parameter problem. */
struct ipv4_opts_view {
	u8 rr, ts, srr, router_alert; /* offsets from the header's start, 0: absent */
	bool strict;
};
int ipv4_opts_parse(const u8 *p, u32 hdr_len, struct ipv4_opts_view *ret);

static inline bool ipv4_is_loopback(be32 a)
{
	return (be32_to_cpu(a) >> 24) == 127;
}
static inline bool ipv4_is_multicast(be32 a)
{
	return (be32_to_cpu(a) >> 28) == 14;
}
static inline bool ipv4_is_lbcast(be32 a)
{
	return a.v == 0xffffffff;
}
static inline bool ipv4_is_zeronet(be32 a)
{
	return (be32_to_cpu(a) >> 24) == 0;
}

/* Dotted quad into @buf (16 octets). Returns @buf. */
char *ipv4_ntop(be32 a, char buf[16]);

#endif
