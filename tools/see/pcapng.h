/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pcapng.h - writes what passed the devices of a lab as one pcapng file, with each packet's fate
 *
 * One interface block per device, named "node:eth0". Every packet carries its id (epb_packetid), direction (epb_flags), and a comment: the last
 * trace point it reached, the verdict, and the drop reason. To know the fate, frames are held back for a while before they are
 * written (bounded: HOLD_FRAMES). Format: draft-ietf-opsawg-pcapng.
 */
#ifndef WEIR_SEE_PCAPNG_H
#define WEIR_SEE_PCAPNG_H

#include "see/recorder.h"

struct pcapng;

/* NULL with errno set. @r gives the fates; may be NULL: then packets are written at once without them. */
struct pcapng *pcapng_create(const char *path, struct recorder *r);
/* Captures all devices of @net. 0 or -errno. */
int pcapng_watch(struct pcapng *p, struct weir_net *net);
/* Writes what is older than the hold time; call after recorder_poll(). 0 or -errno of the first failed write. */
int pcapng_poll(struct pcapng *p);
/* Writes the rest and closes. 0 or -errno: the file is incomplete. */
int pcapng_close(struct pcapng *p);

#endif
