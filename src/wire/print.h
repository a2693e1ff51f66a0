/* SPDX-License-Identifier: BSD-2-Clause */
/* print.h - one line of text about a frame, in tcpdump's words */
#ifndef WEIR_WIRE_PRINT_H
#define WEIR_WIRE_PRINT_H

#include "lib/types.h"

/*
 * Describes the @len octets at @p, which begin with the link-layer header that goes with @link_type (ARPHRD_*; those without
 * one: an IP header). Writes at most @n octets with the NUL and returns the length of the text in @buf. The octets may be anything:
 * what is malformed or cut short is said to be so.
 */
int wire_print_frame(char *buf, size_t n, u16 link_type, const u8 *p, size_t len);
/* The same from the network header on. @ethertype: ETH_P_* in host order. */
int wire_print_packet(char *buf, size_t n, u16 ethertype, const u8 *p, size_t len);

#endif
