/* SPDX-License-Identifier: Apache-2.0 */
/* Landlock by raw system calls: landlock(7). */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/escape.h"
#include "daemon/sandbox_steps.h"

/*
 * The kernel's interface up to version 6, spelt out here because the headers
 * at hand may be older than the kernel that we meet.
 */
#define FS_EXECUTE                     (UINT64_C(1) << 0)
#define FS_WRITE_FILE                  (UINT64_C(1) << 1)
#define FS_READ_FILE                   (UINT64_C(1) << 2)
#define FS_READ_DIR                    (UINT64_C(1) << 3)
#define FS_REMOVE_DIR                  (UINT64_C(1) << 4)
#define FS_REMOVE_FILE                 (UINT64_C(1) << 5)
#define FS_MAKE_DIR                    (UINT64_C(1) << 7)
#define FS_MAKE_REG                    (UINT64_C(1) << 8)
#define FS_MAKE_SOCK                   (UINT64_C(1) << 9)
#define FS_MAKE_FIFO                   (UINT64_C(1) << 10)
#define FS_ABI_1                       ((UINT64_C(1) << 13) - 1) /* the above and their like */
#define FS_REFER                       (UINT64_C(1) << 13)       /* version 2 */
#define FS_TRUNCATE                    (UINT64_C(1) << 14)       /* version 3 */
#define FS_IOCTL_DEV                   (UINT64_C(1) << 15)       /* version 5 */
#define NET_BIND_CONNECT_TCP           UINT64_C(3)               /* version 4 */
#define NET_CONNECT_TCP                UINT64_C(2)
#define SCOPE_ABSTRACT_UNIX_AND_SIGNAL UINT64_C(3) /* version 6 */

#define CREATE_VERSION    1U
#define RULE_PATH_BENEATH 1
#define RULE_NET_PORT     2 /* version 4 */

struct ruleset_attr {
	uint64_t handled_fs;
	uint64_t handled_net; /* from version 4 on */
	uint64_t scoped;      /* from version 6 on */
};

struct path_attr {
	uint64_t allowed;
	int32_t parent;
} __attribute__((packed));

struct port_attr {
	uint64_t allowed;
	uint64_t port;
};

#define FILE_RIGHTS                                                                      \
	(FS_EXECUTE | FS_WRITE_FILE | FS_READ_FILE | FS_TRUNCATE | FS_IOCTL_DEV)
#define READ_RIGHTS (FS_READ_FILE | FS_READ_DIR)
#define WRITE_RIGHTS                                                                     \
	(READ_RIGHTS | FS_WRITE_FILE | FS_REMOVE_FILE | FS_MAKE_REG | FS_MAKE_DIR |      \
		FS_MAKE_SOCK | FS_MAKE_FIFO | FS_REFER | FS_TRUNCATE)

/* SQLite and libc seed themselves from here when they find no other way. */
static const struct sandbox_path everywhere = {"/dev/urandom", SANDBOX_READ};

static uint64_t handled(int abi)
{
	uint64_t rights = FS_ABI_1;

	if (abi >= 2)
		rights |= FS_REFER;
	if (abi >= 3)
		rights |= FS_TRUNCATE;
	if (abi >= 5)
		rights |= FS_IOCTL_DEV;
	return rights;
}

/* Let one path stay within reach. Returns 1, 0 when it is not there, -1. */
static int add_path(int ruleset, int abi, const struct sandbox_path *p, struct error *err)
{
	struct path_attr attr = {.allowed = 0};
	struct stat st;
	int rc = -1;

	attr.parent = open(p->path, O_PATH | O_CLOEXEC);
	if (attr.parent < 0 && (errno == ENOENT || errno == ENOTDIR))
		return 0;
	if (attr.parent < 0 || fstat(attr.parent, &st))
		goto done;
	if (p->rights & SANDBOX_READ)
		attr.allowed |= READ_RIGHTS;
	if (p->rights & SANDBOX_WRITE)
		attr.allowed |= WRITE_RIGHTS;
	attr.allowed &= handled(abi);
	if (!S_ISDIR(st.st_mode))
		attr.allowed &= FILE_RIGHTS;
	rc = (int)syscall(SYS_landlock_add_rule, ruleset, RULE_PATH_BENEATH, &attr, 0);
done:
	if (rc)
		error_set(err, "sandbox: %s: %s", escaped(view_str(p->path)),
			strerror(errno));
	if (attr.parent >= 0)
		close(attr.parent);
	return rc ? -1 : 1;
}

/* Let the TCP ports be connected to. Returns 0, or -1 with a text. */
static int add_ports(int ruleset, const struct sandbox *s, struct error *err)
{
	for (size_t i = 0; i < s->ports_count; i++) {
		struct port_attr attr = {NET_CONNECT_TCP, s->ports[i]};

		if (syscall(SYS_landlock_add_rule, ruleset, RULE_NET_PORT, &attr, 0))
			return error_set(err, "sandbox: TCP port %u: %s", s->ports[i],
				strerror(errno));
	}
	return 0;
}

int sandbox_landlock_open(
	const struct sandbox *s, int *abi, size_t *count, struct error *err)
{
	struct ruleset_attr attr = {0};
	size_t size = sizeof attr.handled_fs;
	int ruleset, rc;

	*count = 0;
	*abi = (int)syscall(SYS_landlock_create_ruleset, NULL, 0, CREATE_VERSION);
	if (*abi < 1) { /* ENOSYS: not built in; EOPNOTSUPP: switched off at boot */
		*abi = 0;
		return -1;
	}
	attr.handled_fs = handled(*abi);
	if (*abi >= 4) {
		attr.handled_net = NET_BIND_CONNECT_TCP;
		size += sizeof attr.handled_net;
	}
	if (*abi >= 6) {
		attr.scoped = SCOPE_ABSTRACT_UNIX_AND_SIGNAL;
		size += sizeof attr.scoped;
	}
	ruleset = (int)syscall(SYS_landlock_create_ruleset, &attr, size, 0);
	if (ruleset < 0)
		return error_set(err, "sandbox: Landlock: %s", strerror(errno));
	if (add_path(ruleset, *abi, &everywhere, err) < 0 ||
		(*abi >= 4 && add_ports(ruleset, s, err)))
		goto fail;
	for (size_t i = 0; i < s->paths_count; i++) {
		rc = add_path(ruleset, *abi, &s->paths[i], err);
		if (rc < 0)
			goto fail;
		*count += (size_t)rc;
	}
	return ruleset;
fail:
	close(ruleset);
	return -1;
}

int sandbox_landlock_enter(int ruleset, struct error *err)
{
	int rc = (int)syscall(SYS_landlock_restrict_self, ruleset, 0);

	if (rc)
		error_set(err, "sandbox: Landlock: %s", strerror(errno));
	close(ruleset);
	return rc ? -1 : 0;
}
