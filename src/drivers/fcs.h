/* SPDX-License-Identifier: BSD-2-Clause */
/* fcs.h - the frame check sequence of Ethernet: CRC-32, IEEE 802.3 3.2.9 */
#ifndef WEIR_DRIVERS_FCS_H
#define WEIR_DRIVERS_FCS_H

#include "lib/types.h"

#define FCS_LEN 4

u32 fcs_compute(const u8 *p, size_t len);
/* Writes the FCS_LEN octets that go behind the @len octets at @p. */
void fcs_append(u8 *p, size_t len);
/* @len includes the frame check sequence. */
bool fcs_ok(const u8 *p, size_t len);

#endif
