/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * openssl.c - weir/crypto.h on libcrypto
 *
 * The low-level functions, because their states are values: EVP allocates for every computation, which the packet path must not.
 * HMAC (RFC 2104) and CMAC (NIST SP 800-38B, RFC 4493) are built on them here; a prepared HMAC key is both hashes with their
 * padded key already in, a prepared CMAC key is the AES schedule and the two subkeys.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/aes.h>
#include <openssl/crypto.h>
#include <openssl/md5.h>
#include <openssl/sha.h>
#include <string.h>

#include <weir/crypto.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* ---- MD5 --------------------------------------------------------------------------------------------- */

static void no_key(void *prepared, const uint8_t *key, size_t len)
{
	(void)prepared;
	(void)key;
	(void)len;
}

static void md5_init(void *ctx, const void *prepared)
{
	(void)prepared;
	MD5_Init(ctx);
}

static void md5_update(void *ctx, const void *octets, size_t len)
{
	MD5_Update(ctx, octets, len);
}

static void md5_final(void *ctx, uint8_t *ret)
{
	MD5_Final(ret, ctx);
}

/* ---- HMAC: one set of functions per hash, which differ in nothing but its names ------------------------- */

#define HMAC_BLOCK 64

#define HMAC_OF(name, CTX, INIT, UPDATE, FINAL, DIGEST)                                            \
	struct name##_key {                                                                        \
		CTX inner, outer;                                                                  \
	};                                                                                         \
	struct name##_ctx {                                                                        \
		CTX hash;                                                                          \
		const struct name##_key *key;                                                      \
	};                                                                                         \
	_Static_assert(sizeof(struct name##_key) <= WEIR_MAC_KEY_MAX, "key");                      \
	_Static_assert(sizeof(struct name##_ctx) <= WEIR_MAC_CTX_MAX, "state");                    \
	static void name##_setkey(void *prepared, const uint8_t *key, size_t len)                  \
	{                                                                                          \
		struct name##_key *k = prepared;                                                   \
		uint8_t block[HMAC_BLOCK] = { 0 };                                                 \
                                                                                                   \
		if (len > HMAC_BLOCK) {                                                            \
			INIT(&k->inner);                                                           \
			UPDATE(&k->inner, key, len);                                               \
			FINAL(block, &k->inner);                                                   \
		} else {                                                                           \
			memcpy(block, key, len);                                                   \
		}                                                                                  \
		for (size_t i = 0; i < HMAC_BLOCK; i++)                                            \
			block[i] ^= 0x36;                                                          \
		INIT(&k->inner);                                                                   \
		UPDATE(&k->inner, block, HMAC_BLOCK);                                              \
		for (size_t i = 0; i < HMAC_BLOCK; i++)                                            \
			block[i] ^= 0x36 ^ 0x5c;                                                   \
		INIT(&k->outer);                                                                   \
		UPDATE(&k->outer, block, HMAC_BLOCK);                                              \
		OPENSSL_cleanse(block, sizeof(block));                                             \
	}                                                                                          \
	static void name##_init(void *ctx, const void *prepared)                                   \
	{                                                                                          \
		struct name##_ctx *c = ctx;                                                        \
                                                                                                   \
		c->key = prepared;                                                                 \
		c->hash = c->key->inner;                                                           \
	}                                                                                          \
	static void name##_update(void *ctx, const void *octets, size_t len)                       \
	{                                                                                          \
		UPDATE(&((struct name##_ctx *)ctx)->hash, octets, len);                            \
	}                                                                                          \
	static void name##_final(void *ctx, uint8_t *ret)                                          \
	{                                                                                          \
		struct name##_ctx *c = ctx;                                                        \
		uint8_t inner[DIGEST];                                                             \
                                                                                                   \
		FINAL(inner, &c->hash);                                                            \
		c->hash = c->key->outer;                                                           \
		UPDATE(&c->hash, inner, DIGEST);                                                   \
		FINAL(ret, &c->hash);                                                              \
	}

HMAC_OF(hmac_sha1, SHA_CTX, SHA1_Init, SHA1_Update, SHA1_Final, SHA_DIGEST_LENGTH)
HMAC_OF(hmac_sha256, SHA256_CTX, SHA256_Init, SHA256_Update, SHA256_Final, SHA256_DIGEST_LENGTH)

/* ---- CMAC (RFC 4493 2) ------------------------------------------------------------------------------------ */

#define AES_OCTETS 16

struct cmac_key {
	AES_KEY aes;
	uint8_t k1[AES_OCTETS], k2[AES_OCTETS];
};

struct cmac_ctx {
	const struct cmac_key *key;
	uint8_t chain[AES_OCTETS], block[AES_OCTETS];
	size_t fill; /* octets in block: not 0 once there was one, as the last block is treated differently */
};

_Static_assert(sizeof(struct cmac_key) <= WEIR_MAC_KEY_MAX, "key");
_Static_assert(sizeof(struct cmac_ctx) <= WEIR_MAC_CTX_MAX, "state");

/* Times x in GF(2^128). */
static void cmac_double(uint8_t *to, const uint8_t *from)
{
	uint8_t carry = from[0] >> 7;

	for (int i = 0; i < AES_OCTETS - 1; i++)
		to[i] = (uint8_t)(from[i] << 1 | from[i + 1] >> 7);
	to[AES_OCTETS - 1] = (uint8_t)(from[AES_OCTETS - 1] << 1) ^ (carry ? 0x87 : 0);
}

static void cmac_setkey(void *prepared, const uint8_t *key, size_t len)
{
	uint8_t zero[AES_OCTETS] = { 0 }, l[AES_OCTETS];
	struct cmac_key *k = prepared;

	(void)len;
	AES_set_encrypt_key(key, AES_OCTETS * 8, &k->aes);
	AES_encrypt(zero, l, &k->aes);
	cmac_double(k->k1, l);
	cmac_double(k->k2, k->k1);
	OPENSSL_cleanse(l, sizeof(l));
}

static void cmac_init(void *ctx, const void *prepared)
{
	struct cmac_ctx *c = ctx;

	memset(c, 0, sizeof(*c));
	c->key = prepared;
}

static void cmac_block(struct cmac_ctx *c, const uint8_t *block)
{
	for (int i = 0; i < AES_OCTETS; i++)
		c->chain[i] ^= block[i];
	AES_encrypt(c->chain, c->chain, &c->key->aes);
}

static void cmac_update(void *ctx, const void *octets, size_t len)
{
	struct cmac_ctx *c = ctx;
	const uint8_t *p = octets;

	while (len) {
		size_t n = AES_OCTETS - c->fill;

		if (!n) { /* more follows: that was not the last one */
			cmac_block(c, c->block);
			c->fill = 0;
			n = AES_OCTETS;
		}
		n = n < len ? n : len;
		memcpy(c->block + c->fill, p, n);
		c->fill += n;
		p += n;
		len -= n;
	}
}

static void cmac_final(void *ctx, uint8_t *ret)
{
	struct cmac_ctx *c = ctx;
	const uint8_t *subkey = c->key->k1;

	if (c->fill < AES_OCTETS) {
		memset(c->block + c->fill, 0, AES_OCTETS - c->fill);
		c->block[c->fill] = 0x80;
		subkey = c->key->k2;
	}
	for (int i = 0; i < AES_OCTETS; i++)
		c->block[i] ^= subkey[i];
	cmac_block(c, c->block);
	memcpy(ret, c->chain, AES_OCTETS);
}

/* ---- the table ----------------------------------------------------------------------------------------- */

static const struct weir_mac macs[] = {
	{ "md5", 0, sizeof(MD5_CTX), MD5_DIGEST_LENGTH, 0, no_key, md5_init, md5_update,
	  md5_final },
	{ "hmac(sha1)", sizeof(struct hmac_sha1_key), sizeof(struct hmac_sha1_ctx),
	  SHA_DIGEST_LENGTH, 0, hmac_sha1_setkey, hmac_sha1_init, hmac_sha1_update,
	  hmac_sha1_final },
	{ "hmac(sha256)", sizeof(struct hmac_sha256_key), sizeof(struct hmac_sha256_ctx),
	  SHA256_DIGEST_LENGTH, 0, hmac_sha256_setkey, hmac_sha256_init, hmac_sha256_update,
	  hmac_sha256_final },
	{ "cmac(aes)", sizeof(struct cmac_key), sizeof(struct cmac_ctx), AES_OCTETS, AES_OCTETS,
	  cmac_setkey, cmac_init, cmac_update, cmac_final },
};

static const struct weir_crypto openssl_crypto = { macs, ARRAY_SIZE(macs) };

const struct weir_crypto *weir_crypto_openssl(void)
{
	return &openssl_crypto;
}
