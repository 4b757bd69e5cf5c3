/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/log.h"
#include "base/core_dump.h"
#include "daemon/sandbox_steps.h"

/* What sandbox_report() needs when no file can be opened any more. */
static int status_fd = -1;
static int sealed_abi;
static size_t sealed_paths;

static const uint64_t kept_capabilities[ROLE_COUNT] = {
	[ROLE_ENFORCE] = UINT64_C(1) << CAP_NET_ADMIN,
};

/* Keys and passwords must not reach a core file or another process's ptrace. */
static int no_core(struct error *err)
{
	if (core_dump_forbid())
		return error_set(err, "sandbox: core dumps: %s", strerror(errno));
	return 0;
}

int sandbox_seal(const struct sandbox *s, struct error *err)
{
	struct error landlock = {""};
	int ruleset, abi = 0;
	size_t paths = 0;

	if (s->role <= ROLE_PARENT || s->role >= ROLE_COUNT)
		return error_set(err, "sandbox: role %d has none", (int)s->role);
	if (s->connects && s->role != ROLE_LEDGER && s->role != ROLE_DELIVER)
		return error_set(
			err, "sandbox: role %s does not connect", role_name(s->role));
	if (status_fd < 0)
		status_fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
	ruleset = sandbox_landlock_open(s, &abi, &paths, &landlock);
	if (ruleset < 0 && landlock.text[0])
		return error_set(err, "%s", landlock.text);
	if (ruleset < 0)
		log_notice("sandbox: this kernel has no Landlock: files are kept away by "
			   "permissions and the system call filter alone");
	if (sandbox_become(s->user, kept_capabilities[s->role], err))
		goto fail;
	if ((s->role == ROLE_LEDGER || s->role == ROLE_SENSE ||
		    s->role == ROLE_DELIVER) &&
		no_core(err))
		goto fail;
	/* A change of user clears it (prctl(2)). */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) ||
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) {
		error_set(err, "sandbox: prctl: %s", strerror(errno));
		goto fail;
	}
	if (ruleset >= 0 && sandbox_landlock_enter(ruleset, err))
		return -1;
	if (sandbox_seccomp(s, err))
		return -1;
	sealed_abi = abi;
	sealed_paths = paths;
	return 0;
fail:
	if (ruleset >= 0)
		close(ruleset);
	return -1;
}

/* The text after "Name:" in a status file, or "". */
static const char *field(const char *status, const char *name)
{
	size_t n = strlen(name);

	for (const char *line = status; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, name, n) == 0 && line[n] == ':')
			return line + n + 1;
	}
	return "";
}

int sandbox_report(struct sandbox_report *out)
{
	char text[8192];
	int fd = status_fd;
	ssize_t n;

	if (fd < 0)
		fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	n = pread(fd, text, sizeof text - 1, 0);
	if (fd != status_fd)
		close(fd);
	if (n < 0)
		return -1;
	text[n] = '\0';
	memset(out, 0, sizeof *out);
	/* Uid: and Gid: hold the real, effective, saved and file system one. */
	if (sscanf(field(text, "Uid"), "%*u %u", &out->uid) != 1 ||
		sscanf(field(text, "Gid"), "%*u %u", &out->gid) != 1) {
		errno = EBADMSG;
		return -1;
	}
	out->cap_effective = strtoull(field(text, "CapEff"), NULL, 16);
	out->cap_bounding = strtoull(field(text, "CapBnd"), NULL, 16);
	out->no_new_privs = strtoul(field(text, "NoNewPrivs"), NULL, 10) != 0;
	out->seccomp = (int)strtol(field(text, "Seccomp"), NULL, 10);
	out->landlock_abi = sealed_abi;
	out->landlock_paths = sealed_paths;
	return 0;
}
