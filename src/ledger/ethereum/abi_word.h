/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LEDGER_ETHEREUM_ABI_WORD_H
#define LEDGER_ETHEREUM_ABI_WORD_H

#include "ledger/ethereum/abi.h"

/*
 * The Contract ABI's words, for the abi_*.c files only. The encoding is taken
 * as solc writes it, which the specification calls strict: each dynamic value
 * right behind the one before it, padding zero, nothing left over. So only one
 * sequence of bytes stands for a value.
 */

/* The first 4 bytes of keccak256("name(type,...)"). */
void abi_selector(uint8_t out[SELECTOR_SIZE], const char *signature);

/* Append a word: an integer, bytes on the left, an address on the right. */
void abi_put_uint(struct buffer *out, uint64_t value);
void abi_put_left(struct buffer *out, const void *bytes, size_t n); /* n <= 32 */
void abi_put_address(struct buffer *out, const uint8_t address[ADDRESS20]);

/* Append a dynamic value's tail: length, bytes, zeros up to a whole word. */
void abi_put_bytes(struct buffer *out, struct view bytes);

/* The size of that tail. */
size_t abi_tail_size(size_t n);

/*
 * Takes words off encoded bytes. The first failure writes "what: field: ..."
 * into err and makes all later calls return zeros.
 */
struct abi_reader {
	struct view rest;
	const char *what; /* the view's, the event's or the error's name */
	struct error *err;
	bool failed;
};

/* The next word's 32 bytes; zeros after a failure. */
const uint8_t *abi_take_word(struct abi_reader *r, const char *field);
uint64_t abi_take_uint(struct abi_reader *r, const char *field, uint64_t max);
void abi_take_address(struct abi_reader *r, const char *field, uint8_t out[ADDRESS20]);
/* n <= 32 bytes on the left of a word, zeros behind them. */
void abi_take_left(struct abi_reader *r, const char *field, void *out, size_t n);
/* An offset, which has only one right value. */
void abi_take_offset(struct abi_reader *r, const char *field, size_t right);
/* A tail: at most max bytes. */
struct view abi_take_bytes(struct abi_reader *r, const char *field, size_t max);

/* Nothing may be left. Returns 0, or -1 when anything failed. */
int abi_reader_end(struct abi_reader *r);

/* Fail by hand. Returns -1. */
int abi_reader_fail(struct abi_reader *r, const char *field, const char *why);

#endif
