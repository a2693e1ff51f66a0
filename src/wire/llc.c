/* SPDX-License-Identifier: BSD-2-Clause */
/* llc.c - read and write the headers of 802.2 and SNAP */
#include "wire/llc.h"

#include <errno.h>

/* The two low bits say the format: only U (11) has a control field of one octet (IEEE 802.2 5.2). */
static bool ctrl_is_u(u16 ctrl)
{
	return (ctrl & 3) == 3;
}

int llc_parse(const u8 *p, size_t len, struct llc_view *ret)
{
	struct llc_view v;

	if (len < LLC_UI_LEN)
		return -EBADMSG;
	v = (struct llc_view){ .dsap = p[0], .ssap = p[1] & 0xfe, .response = p[1] & 1 };
	if (ctrl_is_u(p[2])) {
		v.ctrl = p[2] & ~LLC_CTRL_PF;
		v.pf = p[2] & LLC_CTRL_PF;
		*ret = v;
		return LLC_UI_LEN;
	}
	if (len < LLC_UI_LEN + 1)
		return -EBADMSG;
	v.ctrl = (u16)(p[2] | (p[3] & 0xfe) << 8);
	v.pf = p[3] & 1;
	*ret = v;
	return LLC_UI_LEN + 1;
}

int llc_build(u8 *p, const struct llc_view *v)
{
	p[0] = v->dsap;
	p[1] = v->ssap | v->response;
	p[2] = (u8)v->ctrl;
	if (ctrl_is_u(v->ctrl)) {
		p[2] |= v->pf ? LLC_CTRL_PF : 0;
		return LLC_UI_LEN;
	}
	p[3] = (u8)(v->ctrl >> 8 | v->pf);
	return LLC_UI_LEN + 1;
}

int snap_parse(const u8 *p, size_t len, struct snap_view *ret)
{
	if (len < SNAP_LEN)
		return -EBADMSG;
	ret->oui = (u32)p[0] << 16 | (u32)p[1] << 8 | p[2];
	ret->pid = (u16)(p[3] << 8 | p[4]);
	return SNAP_LEN;
}

int snap_build(u8 *p, const struct snap_view *v)
{
	p[0] = (u8)(v->oui >> 16);
	p[1] = (u8)(v->oui >> 8);
	p[2] = (u8)v->oui;
	p[3] = (u8)(v->pid >> 8);
	p[4] = (u8)v->pid;
	return SNAP_LEN;
}

void llc_build_xid(u8 *p)
{
	p[0] = 0x81; /* the format that IEEE 802.2 defines */
	p[1] = 0x01; /* class I: type 1 only */
	p[2] = 0;    /* receive window: none */
}
