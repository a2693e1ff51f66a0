/* SPDX-License-Identifier: BSD-2-Clause */
/* mld.c - read and write messages of multicast listener discovery (RFC 2710, RFC 3810) */
#include "wire/mld.h"

#include <errno.h>
#include <string.h>

#include "wire/icmpv6.h"

struct mld_msg { /* RFC 2710 3 */
	u8 type, code;
	be16 checksum, max_resp_code, reserved;
	struct in6_addr group;
} __packed;

struct mld2_query { /* behind a struct mld_msg: RFC 3810 5.1 */
	u8 flags;   /* reserved 4, S 1, QRV 3 */
	u8 qqic;
	be16 nsrcs;
} __packed;

struct mld2_report { /* RFC 3810 5.2 */
	u8 type, reserved1;
	be16 checksum, reserved2, records;
} __packed;

struct mld2_record {
	u8 type, aux_words;
	be16 nsrcs;
	struct in6_addr group;
} __packed;

static_assert(sizeof(struct mld_msg) == MLD_V1_LEN, "wire format");
static_assert(sizeof(struct mld_msg) + sizeof(struct mld2_query) == MLD_V2_QUERY_LEN,
	      "wire format");

int mld_parse(const u8 *p, size_t len, struct mld_view *ret)
{
	struct mld_view v = { 0 };
	struct mld2_query q;
	struct mld_msg m;

	if (len < sizeof(m))
		return -EBADMSG;
	memcpy(&m, p, sizeof(m));
	v.type = m.type;
	v.max_resp_code = be16_to_cpu(m.max_resp_code);
	v.group = m.group;
	/* RFC 3810 8.1: exactly 24 octets are version 1, 28 or more version 2, between them nothing. */
	if (m.type == ICMPV6_MGM_QUERY && len > MLD_V1_LEN) {
		if (len < MLD_V2_QUERY_LEN)
			return -EBADMSG;
		memcpy(&q, p + sizeof(m), sizeof(q));
		v.v2 = true;
		v.suppress = q.flags & 8;
		v.qrv = q.flags & 7;
		v.qqic = q.qqic;
		v.nsrcs = be16_to_cpu(q.nsrcs);
		v.sources = p + MLD_V2_QUERY_LEN;
		if ((len - MLD_V2_QUERY_LEN) / sizeof(struct in6_addr) < v.nsrcs)
			return -EBADMSG;
	}
	*ret = v;
	return (int)mld_len(ret);
}

u32 mld_len(const struct mld_view *v)
{
	return v->v2 ? MLD_V2_QUERY_LEN + v->nsrcs * (u32)sizeof(struct in6_addr) : MLD_V1_LEN;
}

void mld_build(u8 *p, const struct mld_view *v)
{
	const struct mld_msg m = {
		.type = v->type,
		.max_resp_code = cpu_to_be16(v->max_resp_code),
		.group = v->group,
	};
	const struct mld2_query q = {
		.flags = (u8)((v->suppress ? 8 : 0) | (v->qrv & 7)),
		.qqic = v->qqic,
		.nsrcs = cpu_to_be16(v->nsrcs),
	};

	memcpy(p, &m, sizeof(m));
	if (!v->v2)
		return;
	memcpy(p + sizeof(m), &q, sizeof(q));
	if (v->nsrcs)
		memcpy(p + MLD_V2_QUERY_LEN, v->sources, v->nsrcs * sizeof(struct in6_addr));
}

u32 mld_max_resp_ms(const struct mld_view *v)
{
	u32 code = v->max_resp_code;

	if (!v->v2 || code < 32768)
		return code;
	return ((code & 0xfff) | 0x1000) << ((code >> 12 & 7) + 3);
}

u32 mld_query_interval_s(u8 qqic)
{
	return qqic < 128 ? qqic : (u32)((qqic & 15) | 16) << ((qqic >> 4 & 7) + 3);
}

int mld_report_parse(const u8 *p, size_t len, u16 *ret_records)
{
	struct mld2_report r;

	if (len < sizeof(r))
		return -EBADMSG;
	memcpy(&r, p, sizeof(r));
	if (r.type != ICMPV6_MLD2_REPORT)
		return -EBADMSG;
	*ret_records = be16_to_cpu(r.records);
	return sizeof(r);
}

int mld_record_parse(const u8 *p, size_t len, struct mld_record *ret)
{
	struct mld2_record r;
	size_t size;

	if (len < sizeof(r))
		return -EBADMSG;
	memcpy(&r, p, sizeof(r));
	size = sizeof(r) + be16_to_cpu(r.nsrcs) * sizeof(struct in6_addr) + r.aux_words * 4u;
	if (len < size)
		return -EBADMSG;
	*ret = (struct mld_record){
		.type = r.type,
		.aux_words = r.aux_words,
		.nsrcs = be16_to_cpu(r.nsrcs),
		.group = r.group,
		.sources = p + sizeof(r),
	};
	return (int)size;
}
