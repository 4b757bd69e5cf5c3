/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SENSE_HONEYPOT_SECTIONS_H
#define SENSE_HONEYPOT_SECTIONS_H

#include "base/buffer.h"
#include "base/error.h"

/*
 * Files of sections, for profiles and tools: "[name]", "key = value", comments on
 * lines of their own behind '#'. A value is all behind the first '=', trimmed.
 */
struct sections_hooks {
	void *context;
	/* Return 0, or -1 with what is wrong; the section is then passed over. */
	int (*begin)(void *context, struct view name, struct error *err);
	int (*value)(
		void *context, struct view key, struct view value, struct error *err);
	/* The section that was begun is over. */
	int (*end)(void *context, struct error *err);
};

/*
 * Every error is appended to errors as "name:line: what\n". Returns 0, or -1 with at
 * least one error. Names are up to 31 of a-z, 0-9 and -.
 */
int sections_read(const char *name, struct view text, const struct sections_hooks *hooks,
	struct buffer *errors);

#endif
