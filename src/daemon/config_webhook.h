/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DAEMON_CONFIG_WEBHOOK_H
#define DAEMON_CONFIG_WEBHOOK_H

#include "api/webhook.h"
#include "daemon/config_schema.h"

/* [webhook "name"]: who is sent the events, and how. */

/* See struct config_named. one: a struct config_webhook. 0, or -1 with a text. */
int config_webhook_check(
	const void *one, const struct config_key **at, struct error *err);

/*
 * Its URL: whole with CONFIG_PRINT_WEBHOOKS, what may be a secret in it (path and
 * query) left out with CONFIG_PRINT_HOSTS, else as "***". As buffer_put().
 */
int config_webhook_print_url(struct buffer *out, const char *url, unsigned flags);

/* Whether there is one that is enabled. */
bool config_webhooks_wanted(const struct config *c);

/* The types that it wants, of what config_webhook_check() took. */
webhook_types config_webhook_types(const char *events);

/*
 * Its secrets, the new one second; n == 0: there is none. 0, or -1 with a text that
 * names key, file and remedy; both are wiped then.
 */
int config_webhook_secrets(struct webhook_secret out[WEBHOOK_SECRETS_MAX],
	const struct config_webhook *w, struct error *err);

/* Whether its ca_file, if it has one, can be read and holds certificates. 0 or -1. */
int config_webhook_authorities(const struct config_webhook *w, struct error *err);

/*
 * What the files of all webhooks lack, one line each. Returns how many; what sipchaind
 * itself goes on without, telling of it in `status`.
 */
unsigned config_webhooks_try(const struct config *c, struct buffer *errors);

#endif
