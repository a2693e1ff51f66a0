/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * packet_sign.c - the signatures of segments whose option names a secret: md5 "secret"
 *
 * See RFC 2385 2.0.
 */
#include "drill/packet_internal.h"

#include <string.h>

#include <weir/crypto.h>

static const struct weir_mac *find_mac(const char *name)
{
	const struct weir_crypto *c = weir_crypto_openssl();

	for (uint32_t i = 0; c && i < c->nr_macs; i++)
		if (strcmp(c->macs[i].name, name) == 0)
			return &c->macs[i];
	return NULL;
}

/* RFC 9293 3.1, RFC 8200 8.1 */
static size_t put_pseudo(uint8_t *to, const struct drill_signed *s)
{
	size_t n = s->src->family == AF_INET ? 4 : 16;

	memcpy(to, &s->src->v6, n);
	memcpy(to + n, &s->dst->v6, n);
	to += 2 * n;
	if (n == 4) {
		drill_put16(to, IPPROTO_TCP);
		drill_put16(to + 2, s->len);
		return 12;
	}
	drill_put32(to, s->len);
	drill_put32(to + 4, IPPROTO_TCP);
	return 40;
}

size_t drill_signature(const struct drill_tcp_option *o, const struct drill_signed *s,
		       uint8_t ret[DRILL_SIGNATURE_MAX])
{
	_Alignas(16) uint8_t ctx[WEIR_MAC_CTX_MAX];
	const struct weir_mac *mac = find_mac("md5");
	uint8_t pseudo[40], header[DRILL_TCP_HEADER];
	size_t options = (s->tcp[12] >> 4) * 4;

	if (!mac)
		return 0;
	memcpy(header, s->tcp, sizeof(header));
	drill_put16(header + 16, 0);
	mac->init(ctx, NULL);
	mac->update(ctx, pseudo, put_pseudo(pseudo, s));
	mac->update(ctx, header, sizeof(header));
	mac->update(ctx, s->tcp + options, s->len - options);
	mac->update(ctx, o->blob.octet, o->blob.len);
	mac->final(ctx, ret);
	return mac->digest_size;
}
