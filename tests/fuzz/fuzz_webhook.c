/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is configured for a webhook, what an answer says, and what the journal holds:
 * the first byte chooses. Whatever comes in, what is shown is clean and bounded, no
 * secret is in a text, and a body is JSON of the length that was agreed.
 */
#include <jansson.h>
#include <stdlib.h>

#include "api/webhook.h"
#include "base/url.h"

static void must(bool true_here)
{
	if (!true_here)
		abort();
}

static void must_be_clean(const char *text)
{
	for (; *text; text++)
		must(*text >= ' ' && *text < 0x7f);
}

/* The bytes as a string, at their first NUL at the latest. */
static char *string_of(struct view bytes)
{
	char *text = malloc(bytes.n + 1);

	must(text != NULL);
	if (bytes.n)
		memcpy(text, bytes.p, bytes.n);
	text[bytes.n] = '\0';
	return text;
}

static void try_url(struct view in)
{
	char *url = string_of(in);
	struct webhook_url u, again;
	struct url_parts parts;
	struct error err = {""};

	if (webhook_url_check(&u, url, false, &err)) {
		must(err.text[0] != '\0');
		must_be_clean(err.text);
	} else {
		must(u.tls || u.loopback);
		must(u.port > 0 && u.host[0]);
		must(!url_split(&parts, view_str(url)) && !parts.user.p);
		must(!webhook_url_check(&again, url, true, NULL));
		must(again.port == u.port && !strcmp(again.host, u.host));
	}
	free(url);
}

static void try_secret(struct view in)
{
	struct webhook_secret s;
	struct error err = {""};
	webhook_types types = 0;

	if (!webhook_secret_read(&s, in, &err)) {
		must(s.n >= WEBHOOK_SECRET_MIN && s.n <= WEBHOOK_SECRET_MAX);
		must(view_starts(in, "whsec_"));
	} else {
		must(bytes_zero(&s, sizeof s));
		must_be_clean(err.text);
	}
	if (webhook_types_add(&types, in, &err))
		must_be_clean(err.text);
	else
		must(types != 0);
}

static void try_answer(struct view in)
{
	struct webhook_outcome o = {.took = 1};
	unsigned status = in.n > 1 ? be16_load(in.p) : 0;
	int64_t retry = in.n > 9 ? (int64_t)be64_load(in.p + 2) : 0;

	webhook_judge(&o, "https://example.org/a/TOKEN-of-mine?k=SECRET-too", status,
		retry, view_from(in, 10));
	must(o.retry_s <= WEBHOOK_RETRY_MAX);
	must((o.verdict == WEBHOOK_DELIVERED) == (status >= 200 && status <= 299));
	must((o.verdict == WEBHOOK_DELIVERED) == (o.reason.text[0] == '\0'));
	must_be_clean(o.reason.text);
	must(!strstr(o.reason.text, "TOKEN-of-mine") &&
		!strstr(o.reason.text, "SECRET-too"));
}

static void try_batch(struct view in)
{
	char *text = string_of(in);
	struct event e = {
		.time = 1, .type = "hit", .indicator = "192.0.2.7", .body = text};
	struct webhook_batch b;
	json_t *json;

	must(!webhook_batch_begin(&b, "bot", "edge1", 0, 0));
	for (e.id = 1; e.id < 9; e.id++)
		if (webhook_batch_offer(&b, &e) != WEBHOOK_TAKEN)
			break;
	must(b.events > 0 && b.last == e.id - 1);
	must(!webhook_batch_end(&b));
	must(b.body.n <= WEBHOOK_BODY_MAX || b.events == 1);
	json = json_loadb((const char *)b.body.p, b.body.n, 0, NULL);
	must(json_array_size(json_object_get(json, "events")) == b.events);
	json_decref(json);
	webhook_batch_free(&b);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const tries[])(struct view in) = {
		try_url, try_secret, try_answer, try_batch};

	if (size > 0)
		tries[data[0] % 4](view_of(data + 1, size - 1));
	return 0;
}
