/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * edp.h - the example datagram protocol, as programs see it
 *
 * socket(AF_EDP, SOCK_DGRAM, 0). Datagrams straight in Ethernet frames of the type that IEEE 802 keeps for local experiments:
 *   destination port (2) | source port (2) | octets of data (2) | data
 */
#ifndef EDP_H
#define EDP_H

#include <stdint.h>
#include <sys/socket.h>

#define AF_EDP 19 /* was Econet's: no kernel has it any more */

struct sockaddr_edp {
	sa_family_t sedp_family;
	uint16_t sedp_port;   /* network order; 0 in bind(2): any free one */
	int32_t sedp_ifindex; /* 0 in bind(2): all interfaces */
	uint8_t sedp_addr[6]; /* of the interface; ignored by bind(2) */
	uint8_t sedp_zero[2];
};

#endif
