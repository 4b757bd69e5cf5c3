/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the HTTP API listens on and whom it knows: opened before the role is sealed, and
 * again, by the parent, what failed or may have become another.
 */
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "daemon/api_open.h"
#include "daemon/config_api.h"
#include "daemon/node_http.h"

#define AGAIN_EVERY 30000 /* milliseconds */

/* --- trouble --- */

/* Something is wrong, or (NULL) not any more; told once. remedy: what follows. */
static void trouble(char place[NODE_HTTP_TROUBLE], const char *text, const char *remedy)
{
	char said[NODE_HTTP_TROUBLE] = "";

	if (text)
		snprintf(said, sizeof said, "%.300s%s", text, remedy);
	if (strcmp(said, place) != 0 && text)
		log_warning("http: %s", said);
	memcpy(place, said, sizeof said);
}

static void add_trouble(json_t *list, const char *text)
{
	if (text[0])
		json_array_append_new(list, json_string(text));
}

json_t *node_http_trouble(const struct node *n)
{
	const struct node_http_trouble *t = &n->http->trouble;
	json_t *list = json_array();

	add_trouble(list, t->server);
	add_trouble(list, t->tls);
	for (size_t i = 0; i < CONFIG_API_LISTEN_MAX; i++)
		add_trouble(list, t->listen[i]);
	for (size_t i = 0; i < HTTP_TOKENS_MAX; i++)
		add_trouble(list, t->token[i]);
	return list;
}

/* --- listeners --- */

static void on_again(uv_timer_t *timer);

static bool wants_tls(const struct node *n, size_t i)
{
	const struct config_api_listen *l = &n->config->api.listen[i];

	return n->config->api.tls_certificate[0] && !l->path[0] &&
		!address_is_loopback(&l->address);
}

/* fd: of the i-th [api] listen; -1: not to be had, and why. */
static void take_listener(struct node *n, size_t i, int fd, const char *why)
{
	const struct config_api_listen *l = &n->config->api.listen[i];
	struct node_http *h = n->http;
	struct http_listener listener = {.fd = fd,
		.local = l->path[0] != 0,
		.trusted = l->path[0] || address_is_loopback(&l->address),
		.tls = wants_tls(n, i)};
	struct error err = {""};

	if (fd >= 0) {
		listener.group = h->group;
		why = http_server_listen(h->server, &listener, &err) ? err.text : NULL;
		h->listening[i] = !why;
	}
	if (h->listening[i] && h->trouble.listen[i][0])
		log_notice("http: [api] listen: what was in the way is gone");
	trouble(h->trouble.listen[i], why, "; tried again every 30 seconds");
	if (why)
		uv_timer_start(&h->again, on_again, AGAIN_EVERY, 0);
}

/* Have those opened that are not. */
static void ask_listeners(struct node *n)
{
	for (size_t i = 0; i < n->config->api.listen_count; i++)
		if (!n->http->listening[i] && (n->http->tls || !wants_tls(n, i)))
			parent_api_open(n->parent, API_LISTENER, (unsigned)i);
}

static void on_again(uv_timer_t *timer)
{
	struct node_http *h = timer->data;

	ask_listeners(h->node);
}

/* --- TLS --- */

/* Before the role is sealed: libgnutls opens what it likes. */
static void open_tls(struct node *n)
{
	struct buffer certificate = {0}, key = {0};
	struct node_http *h = n->http;
	struct error err = {""};

	if (!n->config->api.tls_certificate[0])
		return;
	h->tls = !config_api_pem(
			 &certificate, n->config->api.tls_certificate, false, &err) &&
		!config_api_pem(&key, n->config->api.tls_key, true, &err) &&
		!http_server_tls(h->server, (char *)certificate.p, (char *)key.p, &err);
	trouble(h->trouble.tls, h->tls ? NULL : err.text,
		"; without it nothing is listened on with TLS; mend it and reload");
	if (h->tls)
		keccak256(h->certificate, certificate.p, certificate.n);
	if (key.p)
		explicit_bzero(key.p, key.n);
	buffer_free(&key);
	buffer_free(&certificate);
}

/* A certificate that was renewed needs its key, and a library that opens files. */
static void take_certificate(struct node *n, const struct control_opened *answer)
{
	if (answer->text[0]) {
		log_warning("http: %s; the one that was read stays in use", answer->text);
	} else if (memcmp(answer->digest, n->http->certificate,
			   sizeof n->http->certificate) != 0) {
		log_notice("http: %s is another: this role begins anew",
			n->config->api.tls_certificate);
		n->again = true;
		uv_stop(&n->loop);
	}
}

/* --- tokens --- */

/*
 * A token before the i-th with the same secret: its number, or -1. Those behind it are
 * read after it, and may have had it until now.
 */
static int same_secret(const struct node *n, size_t i, const struct http_token *t)
{
	const struct http_token *tokens = n->http->tokens;

	for (size_t k = 0; k < i; k++)
		if (tokens[k].rights &&
			!memcmp(tokens[k].digest, t->digest, sizeof t->digest))
			return (int)k;
	return -1;
}

/* The hash of the i-th token's secret; or, why: it cannot be had. */
static void take_token(
	struct node *n, size_t i, const uint8_t digest[KECCAK_SIZE], const char *why)
{
	const struct config_token *section = &n->config->tokens[i];
	struct http_token *t = &n->http->tokens[i], fresh = {0};
	struct error err = {""};
	char text[NODE_HTTP_TROUBLE];
	int other;

	memcpy(fresh.digest, digest, sizeof fresh.digest);
	config_api_token_rights(&fresh, section);
	other = why ? -1 : same_secret(n, i, &fresh);
	if (other >= 0) {
		error_set(&err, "its secret is that of [token \"%s\"]",
			n->config->tokens[other].name);
		why = err.text;
	}
	if (why)
		memset(&fresh, 0, sizeof fresh);
	/* What it has spent of its rate stays spent. */
	if (!memcmp(fresh.digest, t->digest, sizeof t->digest)) {
		fresh.left = t->left;
		fresh.counted = t->counted;
	}
	*t = fresh;
	n->http->tokens_read++;
	snprintf(text, sizeof text, "[token \"%s\"]: %.300s", section->name,
		why ? why : "");
	trouble(n->http->trouble.token[i], why ? text : NULL,
		"; until a reload finds it mended nobody is let in by it");
	node_http_end_revoked(n);
}

/* Those of the new configuration, with the secrets of the old one for a moment. */
static void carry_tokens(struct node *n, const struct config *old)
{
	struct node_http *h = n->http;
	struct http_token tokens[HTTP_TOKENS_MAX];

	memset(tokens, 0, sizeof tokens);
	memset(h->trouble.token, 0, sizeof h->trouble.token);
	for (size_t i = 0; i < n->config->token_count; i++)
		for (size_t k = 0; k < old->token_count; k++) {
			if (strcmp(n->config->tokens[i].name, old->tokens[k].name) != 0 ||
				!h->tokens[k].rights)
				continue;
			tokens[i] = h->tokens[k];
			config_api_token_rights(&tokens[i], &n->config->tokens[i]);
		}
	memcpy(h->tokens, tokens, sizeof tokens);
	explicit_bzero(tokens, sizeof tokens);
	h->tokens_read++;
	node_http_end_revoked(n);
}

/* --- beginning, change, end --- */

/* By this process itself. */
static void open_listener(struct node *n, size_t i)
{
	struct error err = {""};
	int fd = api_listen(n->config, (unsigned)i, &err);

	take_listener(n, i, fd, fd < 0 ? err.text : NULL);
}

static void open_token(struct node *n, size_t i)
{
	uint8_t digest[KECCAK_SIZE] = {0};
	struct error err = {""};
	int rc = api_digest(digest, n->config, API_TOKEN, (unsigned)i, &err);

	take_token(n, i, digest, rc ? err.text : NULL);
}

int node_http_open(struct node *n, struct error *err)
{
	const struct config *c = n->config;
	struct http_hooks hooks = node_http_hooks;
	struct error why = {""};
	const struct group *g;
	struct node_http *h;

	if (!c->api.listen_count)
		return 0;
	h = n->http = calloc(1, sizeof *h);
	if (!h)
		return error_set(err, "http: out of memory");
	h->node = n;
	g = c->node.control_group[0] ? getgrnam(c->node.control_group) : NULL;
	h->group = g ? g->gr_gid : (gid_t)-1;
	uv_timer_init(&n->loop, &h->again);
	h->again.data = h;
	hooks.context = n;
	h->server = http_server_new(&n->loop, c->api.connections, &hooks, &why);
	if (!h->server) {
		trouble(h->trouble.server, why.text,
			"; nothing is listened on; mend it and reload");
		return 0;
	}
	open_tls(n);
	for (size_t i = 0; i < c->api.listen_count; i++)
		if (h->tls || !wants_tls(n, i))
			open_listener(n, i);
	for (size_t i = 0; i < c->token_count; i++)
		open_token(n, i);
	return 0;
}

void node_http_opened(struct node *n, const struct control_opened *answer, int fd)
{
	const char *why = answer->text[0] ? answer->text : NULL;
	struct node_http *h = n->http;
	size_t i = answer->number;

	if (h && h->server && answer->part == API_LISTENER && !why == (fd >= 0) &&
		i < n->config->api.listen_count && !h->listening[i]) {
		take_listener(n, i, fd, why);
		return; /* it is the server's */
	}
	if (fd >= 0)
		close(fd);
	if (h && answer->part == API_TOKEN && i < n->config->token_count)
		take_token(n, i, answer->digest, why);
	if (h && answer->part == API_CERTIFICATE)
		take_certificate(n, answer);
}

bool node_http_outdated(const struct node *n, const struct config *config)
{
	const struct node_http_trouble *t = n->http ? &n->http->trouble : NULL;
	const char *why = "";

	if (memcmp(&config->api, &n->config->api, sizeof config->api) != 0)
		why = "[api] is another";
	else if (t)
		why = t->server[0] ? t->server : t->tls;
	if (why[0])
		log_notice("http: %s: this role begins anew, streams of events with it",
			why);
	return why[0] != 0;
}

void node_http_reload(struct node *n, const struct config *old)
{
	if (!n->http || !n->http->server)
		return;
	carry_tokens(n, old);
	for (size_t i = 0; i < n->config->token_count; i++)
		parent_api_open(n->parent, API_TOKEN, (unsigned)i);
	if (n->http->tls)
		parent_api_open(n->parent, API_CERTIFICATE, 0);
	ask_listeners(n);
}

static void on_closed(uv_handle_t *timer)
{
	struct node_http *h = timer->data;

	explicit_bzero(h->tokens, sizeof h->tokens);
	free(h);
}

void node_http_close(struct node *n)
{
	if (!n->http)
		return;
	http_server_close(n->http->server);
	uv_close((uv_handle_t *)&n->http->again, on_closed);
	n->http = NULL;
}

void node_http_wake(struct node *n)
{
	if (n->http)
		http_server_wake(n->http->server);
}
