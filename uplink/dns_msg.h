/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dns_msg.h - as much of DNS messages as a forwarder must understand (RFC 1035 4.1)
 *
 * Messages come from strangers: every read is bounds-checked, and compression pointers lead backwards only.
 */
#ifndef UPLINK_DNS_MSG_H
#define UPLINK_DNS_MSG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DNS_HEADER    12
#define DNS_NAME_SIZE 256 /* as text, without the last dot, with the NUL */
#define DNS_TYPE_A    1
#define DNS_TYPE_AAAA 28
#define DNS_SERVFAIL  2
#define DNS_FORMERR   1
#define DNS_NOTIMP    4
#define DNS_REFUSED   5

struct dns_question {
	uint16_t id;
	bool response;
	bool query; /* opcode QUERY; not an update, a notification, ... */
	char name
		[DNS_NAME_SIZE]; /* lower case; octets that are no letter, digit, '-' or '_' are '?' */
	uint16_t type;
	size_t end; /* of the question section */
};

/* The header and the only question. False: not a message with one. */
bool dns_read_question(const uint8_t *msg, size_t len, struct dns_question *ret);
/* Calls @fn for each address among the answers of a response. False: malformed somewhere (those before it were told) */
bool dns_each_address(const uint8_t *msg, size_t len,
		      void (*fn)(int family, const uint8_t *addr, void *arg), void *arg);
/* Turns the question @msg into the answer with error @rcode: its length. @end: of the question section */
size_t dns_make_error(uint8_t *msg, size_t end, unsigned rcode);

#endif
