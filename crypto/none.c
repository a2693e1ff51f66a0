/* SPDX-License-Identifier: BSD-2-Clause */
/* none.c - weir/crypto.h where there was no library at configuration */
#include <weir/crypto.h>

const struct weir_crypto *weir_crypto_openssl(void)
{
	return NULL;
}
