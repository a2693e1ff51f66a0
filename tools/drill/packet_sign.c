/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * packet_sign.c - the signatures of segments whose option names a secret: md5 "secret", ao 1 2 "secret"
 *
 * AO is HMAC-SHA-1-96 with KDF_HMAC_SHA1, options included.
 * See RFC 2385 2.0, RFC 5925 5, RFC 5926 3.1.1.1.
 */
#include "drill/packet_internal.h"

#include <string.h>

#include <weir/crypto.h>

struct computation {
	const struct weir_mac *mac;
	_Alignas(16) uint8_t key[WEIR_MAC_KEY_MAX];
	_Alignas(16) uint8_t ctx[WEIR_MAC_CTX_MAX];
};

static bool begin(struct computation *c, const char *name, const uint8_t *key, size_t len)
{
	const struct weir_crypto *w = weir_crypto_openssl();

	c->mac = NULL;
	for (uint32_t i = 0; w && i < w->nr_macs; i++)
		if (strcmp(w->macs[i].name, name) == 0)
			c->mac = &w->macs[i];
	if (!c->mac)
		return false;
	c->mac->setkey(c->key, key, len);
	c->mac->init(c->ctx, c->key);
	return true;
}

static void add(struct computation *c, const void *octets, size_t len)
{
	c->mac->update(c->ctx, octets, len);
}

static size_t end(struct computation *c, uint8_t *ret)
{
	c->mac->final(c->ctx, ret);
	return c->mac->digest_size;
}

static size_t address_octets(const struct drill_signed *s)
{
	return s->src->family == AF_INET ? 4 : 16;
}

static void add_addresses(struct computation *c, const struct drill_signed *s)
{
	add(c, &s->src->v6, address_octets(s));
	add(c, &s->dst->v6, address_octets(s));
}

/* RFC 9293 3.1, RFC 8200 8.1 */
static void add_pseudo(struct computation *c, const struct drill_signed *s)
{
	uint8_t rest[8];

	add_addresses(c, s);
	if (address_octets(s) == 4) {
		drill_put16(rest, IPPROTO_TCP);
		drill_put16(rest + 2, s->len);
		add(c, rest, 4);
		return;
	}
	drill_put32(rest, s->len);
	drill_put32(rest + 4, IPPROTO_TCP);
	add(c, rest, 8);
}

static size_t header_octets(const struct drill_signed *s)
{
	return (s->tcp[12] >> 4) * 4;
}

static size_t md5(const struct drill_tcp_option *o, const struct drill_signed *s, uint8_t *ret)
{
	uint8_t header[DRILL_TCP_HEADER];
	struct computation c;

	if (!begin(&c, "md5", NULL, 0))
		return 0;
	memcpy(header, s->tcp, sizeof(header));
	drill_put16(header + 16, 0);
	add_pseudo(&c, s);
	add(&c, header, sizeof(header));
	add(&c, s->tcp + header_octets(s), s->len - header_octets(s));
	add(&c, o->blob.octet, o->blob.len);
	return end(&c, ret);
}

/* RFC 5926 3.1.1: from the key of the script to that of this direction; of a SYN while the other number is not known. */
static bool traffic_key(const struct drill_tcp_option *o, const struct drill_signed *s,
			uint8_t *ret)
{
	bool first = (s->tcp[13] & (DRILL_TCP_SYN | DRILL_TCP_ACK)) == DRILL_TCP_SYN;
	struct computation c;
	uint8_t rest[10];

	if (!begin(&c, "hmac(sha1)", o->blob.octet, o->blob.len))
		return false;
	add(&c, "\x01TCP-AO", 7);
	add_addresses(&c, s);
	add(&c, s->tcp, 4); /* ports */
	drill_put32(rest, first ? drill_get32(s->tcp + 4) : s->sisn);
	drill_put32(rest + 4, first ? 0 : s->disn);
	drill_put16(rest + 8, c.mac->digest_size * 8);
	add(&c, rest, sizeof(rest));
	end(&c, ret);
	return true;
}

/* Without the signature that is there, and without the checksum. */
static void bare_header(const struct drill_signed *s, uint8_t *to)
{
	size_t n = header_octets(s), len;

	memcpy(to, s->tcp, n);
	drill_put16(to + 16, 0);
	for (size_t at = DRILL_TCP_HEADER; at < n && to[at] != DRILL_OPT_EOL; at += len) {
		len = to[at] == DRILL_OPT_NOP ? 1 : at + 1 < n ? to[at + 1] : 0;
		if (!len || at + len > n)
			return;
		if (to[at] == DRILL_OPT_AO && len > 4)
			memset(to + at + 4, 0, len - 4);
	}
}

static size_t ao(const struct drill_tcp_option *o, const struct drill_signed *s, uint8_t *ret)
{
	uint32_t seq = drill_get32(s->tcp + 4);
	uint8_t key[DRILL_SIGNATURE_MAX], header[60], sne[4];
	struct computation c;

	if (!traffic_key(o, s, key) || !begin(&c, "hmac(sha1)", key, 20))
		return 0;
	/* RFC 5925 6.2: scripts do not go round more than once. */
	drill_put32(sne, seq < s->sisn && seq - s->sisn < 0x80000000);
	bare_header(s, header);
	add(&c, sne, sizeof(sne));
	add_pseudo(&c, s);
	add(&c, header, header_octets(s));
	add(&c, s->tcp + header_octets(s), s->len - header_octets(s));
	end(&c, ret);
	return DRILL_AO_OCTETS;
}

size_t drill_signature(const struct drill_tcp_option *o, const struct drill_signed *s,
		       uint8_t ret[DRILL_SIGNATURE_MAX])
{
	return o->kind == DRILL_OPT_AO ? ao(o, s, ret) : md5(o, s, ret);
}
