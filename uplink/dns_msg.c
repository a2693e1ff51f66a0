/* SPDX-License-Identifier: BSD-2-Clause */
/* dns_msg.c - see dns_msg.h */
#include "dns_msg.h"

#include <ctype.h>
#include <string.h>
#include <sys/socket.h>

#define FLAG_RESPONSE 0x80
#define OPCODE        0x78
#define FLAG_RA       0x80
#define POINTER       0xc0
#define RR_FIXED      10 /* type, class, TTL, length */

static uint16_t get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

/* Where the name at @off ends, or 0: malformed. */
static size_t skip_name(const uint8_t *msg, size_t len, size_t off)
{
	while (off < len) {
		uint8_t n = msg[off];

		if (n == 0)
			return off + 1;
		if ((n & POINTER) == POINTER)
			return off + 2 <= len ? off + 2 : 0;
		if (n & POINTER)
			return 0;
		off += 1 + n;
	}
	return 0;
}

static char plain(uint8_t c)
{
	return isalnum(c) || c == '-' || c == '_' ? (char)tolower(c) : '?';
}

/* An uncompressed name as text. Where it ends, or 0. A question has nothing before it that it could point to. */
static size_t read_name(const uint8_t *msg, size_t len, size_t off, char name[DNS_NAME_SIZE])
{
	size_t n = 0;

	while (off < len && msg[off] && !(msg[off] & POINTER)) {
		size_t label = msg[off];

		if (off + 1 + label > len || n + label + 2 > DNS_NAME_SIZE)
			return 0;
		if (n)
			name[n++] = '.';
		for (size_t i = 0; i < label; i++)
			name[n++] = plain(msg[off + 1 + i]);
		off += 1 + label;
	}
	if (off >= len || msg[off])
		return 0;
	name[n] = '\0';
	return off + 1;
}

bool dns_read_question(const uint8_t *msg, size_t len, struct dns_question *ret)
{
	size_t off;

	if (len < DNS_HEADER || get16(msg + 4) != 1)
		return false;
	off = read_name(msg, len, DNS_HEADER, ret->name);
	if (!off || off + 4 > len)
		return false;
	ret->id = get16(msg);
	ret->response = msg[2] & FLAG_RESPONSE;
	ret->query = !(msg[2] & OPCODE);
	ret->type = get16(msg + off);
	ret->end = off + 4;
	return true;
}

bool dns_each_address(const uint8_t *msg, size_t len,
		      void (*fn)(int family, const uint8_t *addr, void *arg), void *arg)
{
	struct dns_question q;
	unsigned answers;
	size_t off;

	if (!dns_read_question(msg, len, &q) || !q.response)
		return false;
	answers = get16(msg + 6);
	off = q.end;
	while (answers--) {
		uint16_t type, size;

		off = skip_name(msg, len, off);
		if (!off || off + RR_FIXED > len)
			return false;
		type = get16(msg + off);
		size = get16(msg + off + 8);
		off += RR_FIXED;
		if (off + size > len)
			return false;
		if (type == DNS_TYPE_A && size == 4)
			fn(AF_INET, msg + off, arg);
		else if (type == DNS_TYPE_AAAA && size == 16)
			fn(AF_INET6, msg + off, arg);
		off += size;
	}
	return true;
}

size_t dns_make_error(uint8_t *msg, size_t end, unsigned rcode)
{
	msg[2] |= FLAG_RESPONSE;
	msg[3] = (uint8_t)(FLAG_RA | (rcode & 15));
	memset(msg + 6, 0, DNS_HEADER - 6); /* no answers, authorities, additional records */
	return end;
}
