/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/ledger_seal.h"

#include <libgen.h>
#include <stdio.h>

#include "base/url.h"
#include "daemon/seal_reach.h"

/* The port of a URL that was checked when the configuration was read; 0: none. */
static uint64_t port_of(const char *text)
{
	static const struct {
		const char *scheme;
		unsigned port;
	} defaults[] = {{"http", 80}, {"https", 443}, {"ws", 80}, {"wss", 443},
		{"socks5", 1080}, {"socks5h", 1080}};
	struct url_parts url;
	struct view after;
	uint64_t port;

	if (!text[0] || url_split(&url, view_str(text)))
		return 0;
	after = view_starts(url.host, "[") ?
		view_from(url.host, view_find(url.host, ']') + 1) :
		url.host;
	if (!view_decimal(view_from(after, view_find(after, ':') + 1), 65535, &port))
		return port;
	for (size_t i = 0; i < sizeof defaults / sizeof defaults[0]; i++)
		if (view_eq_nocase(url.scheme, defaults[i].scheme))
			return defaults[i].port;
	return 0;
}

static void reach_endpoint(struct reach *r, const struct endpoint *e)
{
	reach_port(r, port_of(e->url));
	if (e->ws[0])
		reach_port(r, port_of(e->ws)); /* none: no port */
	else
		reach_port(r, port_of(e->url) + 1); /* one of reader_socket.c's places */
	reach_port(r, port_of(e->proxy));
	/* libcurl's port of an http proxy that names none. */
	if (e->proxy[0])
		reach_port(r, 1080);
	reach_path(r, e->ca_file, SANDBOX_READ);
}

int ledger_seal(const struct config *config, struct error *err)
{
	const struct ethereum_settings *s = &config->ledger.ethereum;
	struct reach r = {.paths_count = 0};
	struct sandbox box = {.role = ROLE_LEDGER, .user = config->node.user};
	char folder[CONFIG_PATH_MAX]; /* of the ledger's file */

	snprintf(folder, sizeof folder, "%s", config->ledger.path);
	reach_path(&r, dirname(folder), SANDBOX_READ | SANDBOX_WRITE);
	if (config->ledger.type == CONFIG_LEDGER_ETHEREUM) {
		reach_names(&r);
		reach_certificates(&r);
		for (size_t i = 0; i < s->endpoint_count; i++)
			reach_endpoint(&r, &s->endpoints[i]);
		box.connects = true;
		box.ports = r.ports;
		box.ports_count = r.ports_count;
	}
	box.paths = r.paths;
	box.paths_count = r.paths_count;
	return sandbox_seal(&box, err);
}
