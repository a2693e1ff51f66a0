/* SPDX-License-Identifier: BSD-2-Clause */
/* llc_reasons.h - why 802.2 frames are discarded, and where they are seen */
#ifndef WEIR_LLC_LLC_REASONS_H
#define WEIR_LLC_LLC_REASONS_H

#include "core/drop_reason.h"
#include "core/trace.h"

#define LLC_DROP_REASONS(X)                                                                        \
	X(LLC_NO_SAP, "nobody uses this access point (IEEE 802.2 DSAP)")                           \
	X(LLC_TYPE, "not of LLC type 1: connections are not supported")                            \
	X(SNAP_NO_CLIENT, "nobody takes this SNAP protocol id; IP is not taken from SNAP frames")

DROP_REASON_ENUM(LLC, LLC_DROP_REASONS);

#define LLC_TRACE_POINTS(X)                                                                        \
	X(llc_rcv, "llc/llc.c", "dsap", "control")                                                 \
	X(snap_rcv, "llc/llc.c", "oui", "pid")                                                     \
	X(llc_xmit, "llc/llc.c", "dsap", "control")

TRACE_POINT_ENUM(LLC, LLC_TRACE_POINTS);

#endif
