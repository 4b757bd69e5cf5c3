/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DAEMON_SEAL_REACH_H
#define DAEMON_SEAL_REACH_H

#include <limits.h>

#include "daemon/config.h"
#include "daemon/sandbox.h"

/*
 * What a sealed role that connects to hosts by their names has to reach: TCP ports,
 * DNS, the files that a name is resolved by and a certificate checked with.
 */
#define REACH_PATHS_MAX 64
#define REACH_PORTS_MAX 64

/* Zeros: nothing. Paths are borrowed. */
struct reach {
	struct sandbox_path paths[REACH_PATHS_MAX];
	size_t paths_count;
	uint16_t ports[REACH_PORTS_MAX];
	size_t ports_count;
	char resolved[PATH_MAX]; /* folder of what /etc/resolv.conf links to */
};

/* "" is no path; what there is no room for is left out. */
void reach_path(struct reach *r, const char *path, unsigned rights);

/* 0, and what is no port, is left out. */
void reach_port(struct reach *r, uint64_t port);

/* The resolver's files as they are now, and DNS over TCP. */
void reach_names(struct reach *r);

/* Where certificates of authorities are. */
void reach_certificates(struct reach *r);

/*
 * Whether a file that names are resolved by was replaced since reach_names() (a new
 * lease, a new network): Landlock knows files and not their names, so this process can
 * read the new one only after it was started anew.
 */
bool reach_stale(void);

#endif
