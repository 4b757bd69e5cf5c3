/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/config_webhook.h"

#include <string.h>

#include "base/units.h"
#include "base/url.h"
#include "daemon/config_file.h"
#include "daemon/config_named.h"
#include "daemon/config_secret.h"

#define SECTION "webhook"
#define PEM_MAX (1U << 20)

static int read_types(webhook_types *out, const char *events, struct error *err)
{
	struct view rest = view_str(events), word;

	*out = 0;
	while ((word = word_next(&rest)).n)
		if (webhook_types_add(out, word, err))
			return -1;
	return 0;
}

webhook_types config_webhook_types(const char *events)
{
	webhook_types types;
	struct error err;

	return read_types(&types, events, &err) ? 0 : types;
}

int config_webhook_check(const void *one, const struct config_key **at, struct error *err)
{
	const struct config_webhook *w = one;
	webhook_types types;

	*at = config_key_find(SECTION, "url");
	if (!w->url[0])
		return error_set(err, "is missing; write url = https://HOST/PATH");
	if (webhook_url_check(NULL, w->url, w->insecure, err))
		return -1;
	*at = config_key_find(SECTION, "secret_file");
	if (!w->secret_file[0])
		return error_set(err,
			"is missing; write a secret into a file of its own (sipchain webhook "
			"secret > FILE, chmod 600) and name that");
	*at = config_key_find(SECTION, "events");
	return read_types(&types, w->events, err);
}

int config_webhook_print_url(struct buffer *out, const char *url, unsigned flags)
{
	struct url_parts parts;

	if (flags & CONFIG_PRINT_WEBHOOKS || url_split(&parts, view_str(url)))
		return buffer_printf(out, "%s", url);
	buffer_put(out, parts.scheme.p, parts.scheme.n);
	buffer_printf(out, "://");
	buffer_put(out, parts.host.p, parts.host.n);
	if (!(flags & CONFIG_PRINT_HOSTS) && parts.rest.n > 1)
		buffer_printf(out, "/***");
	return out->failed ? -1 : 0;
}

bool config_webhooks_wanted(const struct config *c)
{
	for (size_t i = 0; i < c->webhook_count; i++)
		if (c->webhooks[i].enabled)
			return true;
	return false;
}

/* The secret of one key. */
static int read_secret(
	struct webhook_secret *out, const char *key, const char *path, struct error *err)
{
	char text[WEBHOOK_SECRET_TEXT + 1];
	int n, rc = -1;

	out->n = 0;
	if (!path[0])
		return 0;
	n = config_secret_read(text, sizeof text, path,
		"the secret (sipchain webhook secret makes one)", err);
	if (n > 0)
		rc = webhook_secret_read(out, view_of(text, (size_t)n), err);
	if (n > 0 && rc)
		error_prefix(err, "%s", path);
	explicit_bzero(text, sizeof text);
	return rc ? error_prefix(err, "%s", key) : 0;
}

int config_webhook_secrets(struct webhook_secret out[WEBHOOK_SECRETS_MAX],
	const struct config_webhook *w, struct error *err)
{
	if (!read_secret(&out[0], "secret_file", w->secret_file, err) &&
		!read_secret(&out[1], "secret_file_next", w->secret_file_next, err))
		return 0;
	explicit_bzero(out, WEBHOOK_SECRETS_MAX * sizeof *out);
	return -1;
}

int config_webhook_authorities(const struct config_webhook *w, struct error *err)
{
	struct buffer text = {.max = PEM_MAX};
	int rc = 0;

	if (!w->ca_file[0])
		return 0;
	if (config_file_read(&text, w->ca_file, err)) {
		rc = error_prefix(err, "ca_file");
	} else {
		struct view v = view_of(text.p, text.n);

		if (view_find_str(v, "-----BEGIN CERTIFICATE-----") == v.n &&
			view_find_str(v, "-----BEGIN TRUSTED CERTIFICATE-----") == v.n)
			rc = error_set(err,
				"ca_file: %s: holds no certificate; write the "
				"authority's, in PEM",
				w->ca_file);
	}
	buffer_free(&text);
	return rc;
}

/* rc != 0: one line about it. Returns how many that are. */
static unsigned complain(struct buffer *errors, const struct config_webhook *w, int rc,
	const struct error *err)
{
	if (!rc)
		return 0;
	buffer_printf(errors, "[%s \"%s\"] %s\n", SECTION, w->name, err->text);
	return 1;
}

unsigned config_webhooks_try(const struct config *c, struct buffer *errors)
{
	struct webhook_secret secret[WEBHOOK_SECRETS_MAX];
	unsigned count = 0;

	for (size_t i = 0; i < c->webhook_count; i++) {
		const struct config_webhook *w = &c->webhooks[i];
		struct error err = {""};

		count += complain(
			errors, w, config_webhook_secrets(secret, w, &err), &err);
		explicit_bzero(secret, sizeof secret);
		count += complain(errors, w, config_webhook_authorities(w, &err), &err);
	}
	return count;
}
