/* SPDX-License-Identifier: BSD-2-Clause */
/* mld.h - multicast listener discovery, versions 1 and 2 (RFC 2710, RFC 3810): messages of ICMPv6 types 130, 131, 132, 143 */
#ifndef WEIR_WIRE_MLD_H
#define WEIR_WIRE_MLD_H

#include <netinet/in.h>

#include "lib/types.h"

#define MLD_V1_LEN       24u /* query, report, done */
#define MLD_V2_QUERY_LEN 28u /* a query of version 2 without sources */

struct mld_view {
	u8 type;
	bool v2;               /* a query of version 2: its length says so (RFC 3810 8.1) */
	u16 max_resp_code;     /* of queries */
	struct in6_addr group; /* ::: a general query */
	/* Version 2 */
	bool suppress; /* S: routers shall not process it */
	u8 qrv;        /* robustness variable; 0: over 7 */
	u8 qqic;
	u16 nsrcs;
	const u8 *sources; /* 16 octets each; into the message */
};

/* A query, report of version 1, or done message: the octets it takes, or -EBADMSG. Does not check the checksum. */
int mld_parse(const u8 *p, size_t len, struct mld_view *ret);
/* Writes the message with a checksum of 0: it needs the addresses. @p has room for mld_len() octets. */
void mld_build(u8 *p, const struct mld_view *v);
u32 mld_len(const struct mld_view *v);
u32 mld_max_resp_ms(const struct mld_view *v); /* RFC 3810 5.1.3 */
u32 mld_query_interval_s(u8 qqic);             /* RFC 3810 5.1.9 */

struct mld_record { /* of a report of version 2 */
	u8 type;
	u8 aux_words; /* of 4 octets, behind the sources; without meaning */
	u16 nsrcs;
	struct in6_addr group;
	const u8 *sources; /* into the message */
};

/* A report of version 2: where its first record is, with their number, or -EBADMSG. */
int mld_report_parse(const u8 *p, size_t len, u16 *ret_records);
/* The record in the first of [p, p+len): the octets it takes, or -EBADMSG. */
int mld_record_parse(const u8 *p, size_t len, struct mld_record *ret);

#endif
