/* SPDX-License-Identifier: Apache-2.0 */
/* User, groups and capabilities of a sealed role: capabilities(7), credentials(7). */
#include <errno.h>
#include <grp.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/escape.h"
#include "base/log.h"
#include "daemon/sandbox_steps.h"

#define CAPABILITIES_MAX 64

/*
 * How many ids this user namespace maps, and whether id is one of them
 * (user_namespaces(7)). A file that cannot be read: all are.
 */
static uint64_t mapped(const char *map, uint64_t id, bool *contains)
{
	unsigned long long inside, outside, count;
	uint64_t total = 0;
	FILE *f = fopen(map, "re");

	*contains = !f;
	if (!f)
		return UINT32_MAX;
	while (fscanf(f, "%llu %llu %llu", &inside, &outside, &count) == 3) {
		total += count;
		if (id >= inside && id - inside < count)
			*contains = true;
	}
	fclose(f);
	return total;
}

/* Whether the namespace forbids setgroups(2). */
static bool setgroups_denied(void)
{
	char word[8] = "";
	FILE *f = fopen("/proc/self/setgroups", "re");

	if (!f)
		return false;
	if (!fgets(word, sizeof word, f))
		word[0] = '\0';
	fclose(f);
	return strncmp(word, "deny", 4) == 0;
}

/* Set the ids of the user, with the groups that the system gives him. */
static int set_ids(const struct passwd *pw, struct error *err)
{
	if (setgroups_denied())
		log_notice("sandbox: this namespace forbids setgroups; groups stay");
	else if (initgroups(pw->pw_name, pw->pw_gid))
		return error_set(err, "sandbox: groups of user %s: %s", pw->pw_name,
			strerror(errno));
	if (setresgid(pw->pw_gid, pw->pw_gid, pw->pw_gid) ||
		setresuid(pw->pw_uid, pw->pw_uid, pw->pw_uid))
		return error_set(err, "sandbox: cannot become user %s: %s", pw->pw_name,
			strerror(errno));
	return 0;
}

int sandbox_user(const char *user, const struct passwd **pw, struct error *err)
{
	bool root_mapped;

	*pw = NULL;
	if (!user || !user[0] || geteuid() != 0 ||
		mapped("/proc/self/uid_map", 0, &root_mapped) == 1)
		return 0;
	errno = 0;
	*pw = getpwnam(user);
	if (*pw)
		return 0;
	return error_set(err,
		"[node] user: there is no user \"%s\"%s%s; make it "
		"(adduser --system --group %s) or name another",
		escaped(view_str(user)), errno ? ": " : "", errno ? strerror(errno) : "",
		user);
}

/* Become the user if we are root and there is one to become. */
static int set_user(const char *user, struct error *err)
{
	bool uid_mapped, gid_mapped;
	const struct passwd *pw;

	if (sandbox_user(user, &pw, err))
		return -1;
	if (!pw) {
		if (user && user[0] && geteuid() == 0)
			log_notice("sandbox: this namespace has no user but root; "
				   "staying, without capabilities");
		return 0;
	}
	if (pw->pw_uid == 0)
		return 0;
	mapped("/proc/self/uid_map", pw->pw_uid, &uid_mapped);
	mapped("/proc/self/gid_map", pw->pw_gid, &gid_mapped);
	if (!uid_mapped || !gid_mapped) {
		log_notice(
			"sandbox: user %s is not mapped in this namespace; staying root, "
			"without capabilities",
			user);
		return 0;
	}
	return set_ids(pw, err);
}

/*
 * Empty the bounding set but for keep, and take from uid 0 what exec would give
 * it. Both need CAP_SETPCAP; without it no_new_privs does the same service.
 */
static int bound(uint64_t keep, struct error *err)
{
	const unsigned long bits = SECBIT_NOROOT | SECBIT_NOROOT_LOCKED |
		SECBIT_NO_CAP_AMBIENT_RAISE | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED;

	if (prctl(PR_SET_SECUREBITS, bits, 0, 0, 0) && errno != EPERM)
		return error_set(err, "sandbox: securebits: %s", strerror(errno));
	for (unsigned long cap = 0; cap < CAPABILITIES_MAX; cap++) {
		if (keep & UINT64_C(1) << cap)
			continue;
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) == 0)
			continue;
		if (errno == EINVAL || errno == EPERM)
			break; /* past the kernel's last one; or not ours to drop */
		return error_set(err, "sandbox: bounding set: %s", strerror(errno));
	}
	return 0;
}

/* Permitted and effective become what of keep there is; the others empty. */
static int set_capabilities(uint64_t keep, struct error *err)
{
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct caps[_LINUX_CAPABILITY_U32S_3];

	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) && errno != EINVAL)
		return error_set(err, "sandbox: ambient set: %s", strerror(errno));
	memset(caps, 0, sizeof caps);
	if (syscall(SYS_capget, &header, caps))
		return error_set(err, "sandbox: capget: %s", strerror(errno));
	for (unsigned i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
		caps[i].permitted &= (uint32_t)(keep >> 32 * i);
		caps[i].effective = caps[i].permitted;
		caps[i].inheritable = 0;
	}
	if (syscall(SYS_capset, &header, caps))
		return error_set(err, "sandbox: capset: %s", strerror(errno));
	return 0;
}

int sandbox_become(const char *user, uint64_t keep, struct error *err)
{
	if (bound(keep, err))
		return -1;
	/* Without it the change of user would empty the permitted set. */
	if (prctl(PR_SET_KEEPCAPS, keep != 0, 0, 0, 0))
		return error_set(err, "sandbox: PR_SET_KEEPCAPS: %s", strerror(errno));
	if (set_user(user, err))
		return -1;
	prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0);
	if (set_capabilities(keep, err))
		return -1;
	if (geteuid() != 0 && (setuid(0) == 0 || setgid(0) == 0))
		return error_set(err, "sandbox: root could be had back");
	return 0;
}
