/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LEDGER_PUBLIC_KEY_H
#define LEDGER_PUBLIC_KEY_H

#include <secp256k1.h>

#include "ledger/operation.h"

/* The Ethereum address of a public key; for signer.c and signature.c only. */
void public_key_address(uint8_t address[ADDRESS20], const secp256k1_pubkey *key);

#endif
