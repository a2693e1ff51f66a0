/* SPDX-License-Identifier: BSD-2-Clause */
/* llc.h - logical link control behind an 802.3 length field (IEEE 802.2 3), and SNAP behind that (IEEE 802 10.3, RFC 1042) */
#ifndef WEIR_WIRE_LLC_H
#define WEIR_WIRE_LLC_H

#include "lib/types.h"

#define LLC_UI_LEN   3 /* a header with a control field of one octet */
#define SNAP_LEN     5 /* organisation and protocol, behind an LLC header */
#define LLC_XID_LEN  3 /* the information field of XID */
#define LLC_SAP_SNAP 0xaa

enum { /* control fields of type 1, without the P/F bit */
       LLC_CTRL_UI = 0x03,
       LLC_CTRL_XID = 0xaf,
       LLC_CTRL_TEST = 0xe3,
};
#define LLC_CTRL_PF 0x10

struct llc_view {
	u8 dsap; /* bit 0: a group of access points */
	u8 ssap; /* bit 0 is cleared: see response */
	bool response;
	bool pf;  /* poll of a command, final of a response */
	u16 ctrl; /* without P/F; I and S formats: both octets, the second on top */
};

struct snap_view {
	u32 oui; /* 0: pid is an Ethernet type */
	u16 pid;
};

/* Octets of the header, or -EBADMSG when @len is too short. */
int llc_parse(const u8 *p, size_t len, struct llc_view *ret);
int snap_parse(const u8 *p, size_t len, struct snap_view *ret);
/* Both give the octets written: what the parser returns. */
int llc_build(u8 *p, const struct llc_view *v);
int snap_build(u8 *p, const struct snap_view *v);
/* What a type 1 station says of itself: the information field of XID (IEEE 802.2 5.4.1.1.2). LLC_XID_LEN octets. */
void llc_build_xid(u8 *p);

#endif
