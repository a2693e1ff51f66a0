/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * crypto.h - what the stack asks of a cryptographic library
 *
 * The stack has no such library of its own. Who makes a machine hands it one: weir_machine_config.crypto, for instance
 * weir_crypto_openssl() of libweir-crypto. Without it what needs it is absent: TCP_MD5SIG and TCP_AO_* are ENOPROTOOPT.
 * The table must outlive the machine.
 */
#ifndef WEIR_CRYPTO_H
#define WEIR_CRYPTO_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define WEIR_MAC_KEY_MAX    512 /* octets of a prepared key, */
#define WEIR_MAC_CTX_MAX    256 /* of a computation under way, */
#define WEIR_MAC_DIGEST_MAX 64  /* and of its result */

/*
 * A message authentication code, or a plain digest (whose key is empty). The state of a computation is a value: the functions must not
 * allocate, block, fail, or share anything. The memory they are given is aligned to 16 octets.
 */
struct weir_mac {
	const char *name; /* Linux's: "md5", "hmac(sha1)", "hmac(sha256)", "cmac(aes)" */
	uint16_t key_size, ctx_size, digest_size;
	uint16_t raw_key; /* octets that a key must have; 0: any number */
	void (*setkey)(void *prepared, const uint8_t *key, size_t len);
	void (*init)(void *ctx, const void *prepared);
	void (*update)(void *ctx, const void *octets, size_t len);
	void (*final)(void *ctx, uint8_t *ret);
};

struct weir_crypto {
	const struct weir_mac *macs;
	uint32_t nr_macs;
};

/* libweir-crypto: OpenSSL's. NULL: compiled without. */
const struct weir_crypto *weir_crypto_openssl(void);

#ifdef __cplusplus
}
#endif

#endif
