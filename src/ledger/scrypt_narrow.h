/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LEDGER_SCRYPT_NARROW_H
#define LEDGER_SCRYPT_NARROW_H

#include "base/bytes.h"

/*
 * scrypt (RFC 7914) with r = 1 and any n, a power of two. The RFC wants n below
 * 2^(128 r / 8), here 65536, and OpenSSL holds to it; keystores do not: the
 * Web3 Secret Storage Definition's own example has n 262144 and r 1. 128 n bytes
 * of memory. Returns 0, or -1 when memory is short.
 */
int scrypt_narrow(uint8_t *out, size_t n_out, struct view password, struct view salt,
	uint32_t n, uint32_t p);

#endif
