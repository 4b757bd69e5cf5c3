/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/seal_reach.h"

#include <libgen.h>
#include <stdlib.h>
#include <sys/stat.h>

#define PORT_DNS 53

/* getaddrinfo(3): hosts, which servers, in which order. */
static const char *const resolver[] = {"/etc/resolv.conf", "/etc/hosts",
	"/etc/nsswitch.conf", "/etc/host.conf", "/etc/gai.conf", "/etc/services"};

/* Certificates of Debian and of others; OpenSSL's own files beside them. */
static const char *const certificates[] = {"/etc/ssl", "/usr/lib/ssl",
	"/usr/share/ca-certificates", "/usr/local/share/ca-certificates",
	"/etc/ca-certificates", "/etc/pki", "/usr/share/pki"};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct {
	dev_t dev;
	ino_t ino;
} seen[COUNT(resolver)];

void reach_path(struct reach *r, const char *path, unsigned rights)
{
	if (path[0] && r->paths_count < REACH_PATHS_MAX)
		r->paths[r->paths_count++] = (struct sandbox_path){path, rights};
}

void reach_port(struct reach *r, uint64_t port)
{
	for (size_t i = 0; i < r->ports_count; i++)
		if (r->ports[i] == port)
			return;
	if (port && port <= 65535 && r->ports_count < REACH_PORTS_MAX)
		r->ports[r->ports_count++] = (uint16_t)port;
}

/*
 * The resolver's files, and the folder in which systemd-resolved and its like
 * keep what /etc/resolv.conf links to: they replace it there.
 */
void reach_names(struct reach *r)
{
	struct stat st;

	for (size_t i = 0; i < COUNT(resolver); i++) {
		reach_path(r, resolver[i], SANDBOX_READ);
		if (stat(resolver[i], &st))
			continue;
		seen[i].dev = st.st_dev;
		seen[i].ino = st.st_ino;
	}
	if (realpath(resolver[0], r->resolved) && strncmp(r->resolved, "/etc/", 5) &&
		strcmp(dirname(r->resolved), "/"))
		reach_path(r, r->resolved, SANDBOX_READ);
	reach_port(r, PORT_DNS); /* long answers come over TCP */
}

void reach_certificates(struct reach *r)
{
	for (size_t i = 0; i < COUNT(certificates); i++)
		reach_path(r, certificates[i], SANDBOX_READ);
}

bool reach_stale(void)
{
	struct stat st;

	for (size_t i = 0; i < COUNT(resolver); i++)
		if (!stat(resolver[i], &st) &&
			(st.st_ino != seen[i].ino || st.st_dev != seen[i].dev))
			return true;
	return false;
}
