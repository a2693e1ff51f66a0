/* SPDX-License-Identifier: BSD-2-Clause */
/* openssl_test.c - the vectors of RFC 1321 A.5, RFC 2202 3, RFC 4231 4, RFC 4493 4 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <weir/crypto.h>

struct vector {
	const char *mac, *key, *message, *digest; /* hexadecimal digits */
};

#define M40 "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e5130c81c46a35ce411"
#define M64 M40 "e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710"
#define AES "2b7e151628aed2a6abf7158809cf4f3c"
#define AA10 "aaaaaaaaaaaaaaaaaaaa"
#define AA80 AA10 AA10 AA10 AA10 AA10 AA10 AA10 AA10
#define LONG "54657374205573696e67204c6172676572205468616e20426c6f636b2d53697a65204b6579"

static const struct vector vectors[] = {
	{ "md5", "", "", "d41d8cd98f00b204e9800998ecf8427e" },
	{ "md5", "", "616263", "900150983cd24fb0d6963f7d28e17f72" },
	{ "hmac(sha1)", "4a656665", "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
	  "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79" },
	{ "hmac(sha1)", AA80, LONG "202d2048617368204b6579204669727374",
	  "aa4ae5e15272d00e95705637ce8a3b55ed402112" },
	{ "hmac(sha256)", "4a656665", "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
	  "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843" },
	{ "cmac(aes)", AES, "", "bb1d6929e95937287fa37d129b756746" },
	{ "cmac(aes)", AES, "6bc1bee22e409f96e93d7e117393172a", "070a16b46b4d4144f79bdd9dd04a287c" },
	{ "cmac(aes)", AES, M40, "dfa66747de9ae63030ca32611497c827" },
	{ "cmac(aes)", AES, M64, "51f0bebf7e3b9d92fc49741779363cfe" },
};

static size_t octets(const char *hex, uint8_t *to)
{
	size_t n = strlen(hex) / 2;

	for (size_t i = 0; i < n; i++)
		to[i] = (uint8_t)strtoul((char[]){ hex[2 * i], hex[2 * i + 1], 0 }, NULL, 16);
	return n;
}

static const struct weir_mac *find(const char *name)
{
	const struct weir_crypto *c = weir_crypto_openssl();

	for (uint32_t i = 0; i < c->nr_macs; i++)
		if (strcmp(c->macs[i].name, name) == 0)
			return &c->macs[i];
	fail_msg("there is no %s", name);
	return NULL;
}

static void macs_are_those_of_the_vectors_however_the_message_comes(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		const struct vector *v = &vectors[i];
		const struct weir_mac *mac = find(v->mac);
		_Alignas(16) uint8_t key[WEIR_MAC_KEY_MAX], ctx[WEIR_MAC_CTX_MAX];
		uint8_t raw[128], message[128], want[64], seen[WEIR_MAC_DIGEST_MAX];
		size_t key_len = octets(v->key, raw), len = octets(v->message, message);

		assert_int_equal(octets(v->digest, want), mac->digest_size);
		mac->setkey(key, raw, key_len);
		for (size_t step = 1; step <= 33; step += 4) {
			mac->init(ctx, key);
			for (size_t at = 0; at < len; at += step)
				mac->update(ctx, message + at, len - at < step ? len - at : step);
			mac->final(ctx, seen);
			assert_memory_equal(seen, want, mac->digest_size);
		}
	}
}

static void sizes_are_within_what_the_stack_has_room_for(void **state)
{
	const struct weir_crypto *c = weir_crypto_openssl();

	(void)state;
	for (uint32_t i = 0; i < c->nr_macs; i++) {
		assert_in_range(c->macs[i].key_size, 0, WEIR_MAC_KEY_MAX);
		assert_in_range(c->macs[i].ctx_size, 1, WEIR_MAC_CTX_MAX);
		assert_in_range(c->macs[i].digest_size, 1, WEIR_MAC_DIGEST_MAX);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(macs_are_those_of_the_vectors_however_the_message_comes),
		cmocka_unit_test(sizes_are_within_what_the_stack_has_room_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
