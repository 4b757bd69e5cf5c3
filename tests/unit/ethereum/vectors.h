/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_ETHEREUM_VECTORS_H
#define TESTS_ETHEREUM_VECTORS_H

#include "../cmocka_all.h"

#include <jansson.h>
#include <stdlib.h>

#include "base/buffer.h"
#include "base/hex.h"

/* tests/data/ethereum/NAME; json_decref() it. */
static inline json_t *vectors_load(const char *name)
{
	char path[4096];
	json_error_t why;
	json_t *root;

	snprintf(path, sizeof path, "%s/ethereum/%s", TESTS_DATA, name);
	root = json_load_file(path, JSON_REJECT_DUPLICATES, &why);
	if (!root)
		fail_msg("%s:%d: %s", path, why.line, why.text);
	return root;
}

/*
 * The bytes that hex digits (with or without 0x) spell, in an allocation of
 * their exact size, so that the sanitizer sees a read past their end; free().
 */
static inline struct view hex_bytes(const char *text)
{
	size_t n = strlen(text) / 2 - (strncmp(text, "0x", 2) == 0);
	uint8_t *p = malloc(n ? n : 1);

	assert_non_null(p);
	assert_int_equal(hex_decode(p, n, view_str(text)), 0);
	return view_of(p, n);
}

/* The same of an object's field. */
static inline struct view hex_field(const json_t *object, const char *field)
{
	const char *text = json_string_value(json_object_get(object, field));

	if (!text)
		fail_msg("no field %s", field);
	return hex_bytes(text);
}

static inline void bytes_free(struct view v)
{
	free((void *)(uintptr_t)v.p);
}

/* A decimal field (JavaScript's big integers). */
static inline uint64_t number_field(const json_t *object, const char *field)
{
	uint64_t value = 0;

	assert_int_equal(
		view_decimal(view_str(json_string_value(json_object_get(object, field))),
			UINT64_MAX, &value),
		0);
	return value;
}

/* out holds what hex spells; out is freed. */
static inline void assert_buffer_hex(struct buffer *out, const char *hex)
{
	struct view due = hex_bytes(hex);

	assert_false(out->failed);
	assert_int_equal(out->n, due.n);
	if (due.n)
		assert_memory_equal(out->p, due.p, due.n);
	bytes_free(due);
	buffer_free(out);
}

#endif
