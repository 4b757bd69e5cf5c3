/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/ledger_seal.h"

#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "daemon/sandbox.h"
#include "base/url.h"

#define PORT_DNS 53

/* getaddrinfo(3): hosts, which servers, in which order. */
static const char *const resolver[] = {"/etc/resolv.conf", "/etc/hosts",
	"/etc/nsswitch.conf", "/etc/host.conf", "/etc/gai.conf", "/etc/services"};

/* Certificates of Debian and of others; OpenSSL's own files beside them. */
static const char *const certificates[] = {"/etc/ssl", "/usr/lib/ssl",
	"/usr/share/ca-certificates", "/usr/local/share/ca-certificates",
	"/etc/ca-certificates", "/etc/pki", "/usr/share/pki"};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define PATHS_MAX    (2 + COUNT(resolver) + COUNT(certificates) + ENDPOINTS_MAX)
#define PORTS_MAX    (1 + 4 * ENDPOINTS_MAX)

static struct {
	dev_t dev;
	ino_t ino;
} seen[COUNT(resolver)];

struct reach {
	struct sandbox_path paths[PATHS_MAX];
	size_t paths_count;
	uint16_t ports[PORTS_MAX];
	size_t ports_count;
	char folder[CONFIG_PATH_MAX]; /* of the ledger's file */
	char resolved[PATH_MAX];      /* folder of what /etc/resolv.conf links to */
};

static void add_path(struct reach *r, const char *path, unsigned rights)
{
	if (path[0] && r->paths_count < PATHS_MAX)
		r->paths[r->paths_count++] = (struct sandbox_path){path, rights};
}

static void add_port(struct reach *r, uint64_t port)
{
	for (size_t i = 0; i < r->ports_count; i++)
		if (r->ports[i] == port)
			return;
	if (port && port <= 65535 && r->ports_count < PORTS_MAX)
		r->ports[r->ports_count++] = (uint16_t)port;
}

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
	for (size_t i = 0; i < COUNT(defaults); i++)
		if (view_eq_nocase(url.scheme, defaults[i].scheme))
			return defaults[i].port;
	return 0;
}

static void reach_endpoint(struct reach *r, const struct endpoint *e)
{
	add_port(r, port_of(e->url));
	if (e->ws[0])
		add_port(r, port_of(e->ws)); /* none: no port */
	else
		add_port(r, port_of(e->url) + 1); /* one of reader_socket.c's places */
	add_port(r, port_of(e->proxy));
	/* libcurl's port of an http proxy that names none. */
	if (e->proxy[0])
		add_port(r, 1080);
	add_path(r, e->ca_file, SANDBOX_READ);
}

/*
 * The resolver's files, and the folder in which systemd-resolved and its like
 * keep what /etc/resolv.conf links to: they replace it there.
 */
static void reach_names(struct reach *r)
{
	struct stat st;

	for (size_t i = 0; i < COUNT(resolver); i++) {
		add_path(r, resolver[i], SANDBOX_READ);
		if (stat(resolver[i], &st))
			continue;
		seen[i].dev = st.st_dev;
		seen[i].ino = st.st_ino;
	}
	if (realpath(resolver[0], r->resolved) && strncmp(r->resolved, "/etc/", 5) &&
		strcmp(dirname(r->resolved), "/"))
		add_path(r, r->resolved, SANDBOX_READ);
	add_port(r, PORT_DNS); /* long answers come over TCP */
}

int ledger_seal(const struct config *config, struct error *err)
{
	const struct ethereum_settings *s = &config->ledger.ethereum;
	struct reach r = {.paths_count = 0};
	struct sandbox box = {.role = ROLE_LEDGER, .user = config->node.user};

	snprintf(r.folder, sizeof r.folder, "%s", config->ledger.path);
	add_path(&r, dirname(r.folder), SANDBOX_READ | SANDBOX_WRITE);
	if (config->ledger.type == CONFIG_LEDGER_ETHEREUM) {
		reach_names(&r);
		for (size_t i = 0; i < COUNT(certificates); i++)
			add_path(&r, certificates[i], SANDBOX_READ);
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

bool ledger_seal_stale(void)
{
	struct stat st;

	for (size_t i = 0; i < COUNT(resolver); i++)
		if (!stat(resolver[i], &st) &&
			(st.st_ino != seen[i].ino || st.st_dev != seen[i].dev))
			return true;
	return false;
}
