/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DAEMON_SANDBOX_H
#define DAEMON_SANDBOX_H

#include <sys/types.h>

#include "base/error.h"
#include "base/bytes.h"
#include "daemon/role.h"

/*
 * Sealing a role after it has opened what it needs: another user, no
 * capabilities but the role's own, no new privileges, Landlock, seccomp.
 *
 *   role              keeps           socket()            threads  new processes
 *   sense             -               none                no       no
 *   node              -               AF_UNIX             no       no
 *   ledger            -               none                no       no
 *   ledger, connects  -               AF_INET, AF_INET6   yes      no
 *   deliver           -               AF_INET, AF_INET6   yes      no
 *   enforce           CAP_NET_ADMIN   none                no       no
 *
 * A sense role that may write to some path may also remove files there, and make
 * new ones: that is all that recording takes.
 *
 * A ledger role that connects (an Ethereum ledger), and the deliver role, may
 * connect but neither bind, listen nor accept, over TCP only to the ports that are
 * named. libcurl resolves names in threads, which are sealed like what starts them.
 */
enum sandbox_rights {
	SANDBOX_READ = 1, /* open files below for reading, list folders */
	/*
	 * Read, write, create, rename, remove and truncate files below; make
	 * Unix sockets there.
	 */
	SANDBOX_WRITE = 2,
};

/* A file or folder that stays within reach; one that does not exist is skipped. */
struct sandbox_path {
	const char *path;
	unsigned rights; /* enum sandbox_rights */
};

struct sandbox {
	enum role role;
	const char *user; /* to become when root; NULL or "": stay */
	const struct sandbox_path *paths;
	size_t paths_count;
	bool connects;         /* ROLE_LEDGER, ROLE_DELIVER only; see above */
	const uint16_t *ports; /* TCP, enforced from Landlock's version 4 on */
	size_t ports_count;
};

/*
 * Seal this process for good. Steps that this kernel or namespace cannot do
 * (no Landlock; only uid 0 mapped) are logged and left out; a step that it can
 * do but that fails is an error, and the process must then exit. Returns 0 or
 * -1 with a text.
 */
int sandbox_seal(const struct sandbox *s, struct error *err);

/*
 * The user that a role would become when it is sealed: *pw is NULL when it
 * stays who it is (no name, not root, or nobody but root is mapped). Returns 0,
 * or -1 with a text when there is no such user.
 */
struct passwd;
int sandbox_user(const char *user, const struct passwd **pw, struct error *err);

/* What a process is now, as the kernel says it. */
struct sandbox_report {
	uid_t uid;
	gid_t gid;
	uint64_t cap_effective; /* bit N: capability N */
	uint64_t cap_bounding;
	bool no_new_privs;
	int seccomp;           /* 0 off, 2 filter */
	int landlock_abi;      /* what holds this process; 0: none */
	size_t landlock_paths; /* paths that stayed within reach */
};

/*
 * Read back from /proc/self/status (by a descriptor that sandbox_seal() kept
 * open; before it, by path). Returns 0, or -1 with errno.
 */
int sandbox_report(struct sandbox_report *out);

#endif
