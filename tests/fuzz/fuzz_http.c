/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a request says of itself: its target, then, after a line break each, its
 * Accept, Content-Type and Authorization. Whatever they hold, they are read or
 * refused with a status and a text, and what was read is clean.
 */
#include <stdlib.h>

#include "api/http_accept.h"
#include "api/http_target.h"
#include "api/http_token.h"
#include "base/escape.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static struct view line(struct view *rest)
{
	size_t end = view_find(*rest, '\n');
	struct view v = view_head(*rest, end);

	*rest = view_from(*rest, end + 1);
	return v;
}

static void check_target(struct view text)
{
	struct error err = {""};
	struct http_target t;
	int status = http_target_parse(&t, text, &err);

	if (status && ((status != 400 && status != 414) || !err.text[0]))
		abort();
	if (status)
		return;
	if (t.count > HTTP_PARAMETERS_MAX || strlen(t.path) > text.n)
		abort();
	for (unsigned i = 0; i < t.count; i++) {
		const char *value = t.parameters[i].value;

		if (!t.parameters[i].name[0] || !text_is_clean(view_str(value)) ||
			strlen(value) > text.n ||
			http_parameter(&t, t.parameters[i].name) != value)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct view rest = view_of(p, n), v;
	struct http_token token = {.name = "a"};

	check_target(line(&rest));
	v = line(&rest);
	for (unsigned offered = 0; offered < 8; offered++) {
		unsigned media = http_accept(v, offered);

		/* One of those offered, or none. */
		if (media & ~offered || (media & (media - 1)))
			abort();
	}
	(void)http_is_json(line(&rest));
	v = http_bearer(rest);
	http_secret_digest(token.digest, view_str("0123456789abcdef"));
	if ((http_token_find(&token, 1, v) != NULL) !=
		view_eq(v, view_str("0123456789abcdef")))
		abort();
	return 0;
}
