/* SPDX-License-Identifier: Apache-2.0 */
/* Making what `sipchain init` was asked for: all of it or nothing. */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hex.h"
#include "cli/choice.h"
#include "cli/contract.h"
#include "cli/init.h"
#include "cli/new_file.h"
#include "ledger/local.h"

#define DAEMON_USER "sipchain" /* [node] user's default */

/* What belongs to a ledger: see ledger/local.h. */
static const char *const ledger_files[] = {"", "-wal", "-shm", "-bell"};
#define LEDGER_FILES (sizeof ledger_files / sizeof ledger_files[0])

static uint32_t now_seconds(void)
{
	return (uint32_t)(clock_wall() / USEC_PER_SEC);
}

int setup_config(struct buffer *out, const struct setup *s)
{
	buffer_printf(out,
		"# Made by `sipchain init`; `sipchain config sample` shows every key.\n"
		"[node]\nname = %s\n",
		s->name);
	if (!s->root)
		buffer_printf(out,
			"# Not root: the roles stay this user, and the firewall is "
			"left alone.\nuser =\n");
	buffer_printf(out, "state = %s\nrun = %s\n\n[member]\nkey = %s\n\n", s->state,
		s->run, s->member_key);
	if (s->chain && ledger_section(out, &s->pins, true))
		return -1;
	if (s->chain && !s->root)
		buffer_printf(out, "path = %s/ethereum.db\n", s->state);
	if (s->chain)
		buffer_printf(out, "\n");
	else
		buffer_printf(out, "[ledger]\ntype = local\npath = %s\n\n", s->ledger);
	if (s->hep[0])
		buffer_printf(out,
			"# res_hep_pjsip of Asterisk, siptrace of Kamailio.\n[hep]\n"
			"listen = %s\n\n",
			s->hep);
	if (s->security_log[0])
		buffer_printf(out,
			"# security.json => [json]security in logger.conf.\n"
			"[security_log]\npath = %s\n\n",
			s->security_log);
	buffer_printf(out, "[enforce]\ntype = %s\n", s->root ? "nftables" : "none");
	return out->failed ? -1 : 0;
}

/* The key file if it is there, else a new one. NULL with a text. */
static struct signer *open_key(const char *path, bool *made, struct error *err)
{
	*made = access(path, F_OK) != 0;
	return *made ? signer_create(path, err) : signer_open(path, err);
}

/* The folder that a file goes into, for the daemon's user. Returns 0 or -1. */
static int make_folder(
	const char *file, mode_t mode, const struct passwd *owner, struct error *err)
{
	char copy[CONFIG_PATH_MAX];
	const char *folder;

	snprintf(copy, sizeof copy, "%s", file);
	folder = dirname(copy);
	if (mkdir(folder, mode)) {
		if (errno == EEXIST)
			return 0;
		return error_set(err, "%s: %s", folder, strerror(errno));
	}
	/* EINVAL: not mapped in this namespace, where everything stays root's. */
	if (owner && chown(folder, owner->pw_uid, owner->pw_gid) && errno != EINVAL)
		return error_set(err, "%s: %s", folder, strerror(errno));
	return 0;
}

/*
 * The ledger's files become the daemon's; a folder with the setgid bit has a
 * group that shares them, and keeps it. Returns 0 or -1 with a text.
 */
static int give_ledger(
	const struct setup *s, const struct passwd *owner, struct error *err)
{
	char path[CONFIG_PATH_MAX + 8];
	struct stat folder;
	gid_t group;

	if (!owner)
		return 0;
	snprintf(path, sizeof path, "%s", s->ledger);
	if (stat(dirname(path), &folder))
		return error_set(err, "%s: %s", path, strerror(errno));
	group = folder.st_mode & S_ISGID ? folder.st_gid : owner->pw_gid;
	for (size_t i = 0; i < LEDGER_FILES; i++) {
		snprintf(path, sizeof path, "%s%s", s->ledger, ledger_files[i]);
		/* EINVAL: not mapped in this namespace. */
		if (lchown(path, owner->pw_uid, group) && errno != ENOENT &&
			errno != EINVAL)
			return error_set(err, "%s: %s", path, strerror(errno));
	}
	return 0;
}

/* Admit the node's key as the first member. Returns 0 or -1 with a text. */
static int admit(struct setup *s, const struct signer *owner, const struct signer *member,
	struct error *err)
{
	struct operation op = {.type = OP_MEMBER_ADD,
		.member = 1,
		.weight = 1,
		.cap = 1000,
		.signer_count = 1,
		.name = view_str(s->name)};
	struct local *l = local_open(s->ledger, true, now_seconds(), err);
	char text[REFUSAL_TEXT];
	struct refusal why;
	int rc;

	if (!l)
		return -1;
	memcpy(op.signers[0], signer_address(member), ADDRESS20);
	rc = local_append(l, &op, owner, now_seconds(), &why, err);
	if (rc == -1)
		error_set(err, "the node is not admitted: %s", refusal_print(text, &why));
	local_close(l);
	return rc ? -1 : 0;
}

/* Whether an endpoint's line is nobody else's business. */
static bool holds_secret(const struct setup *s)
{
	for (size_t i = 0; i < s->pins.endpoint_count; i++)
		if (endpoint_public(&s->pins.endpoints[i], NULL))
			return true;
	return false;
}

/* Write the configuration, and see that the daemon would take it. 0 or -1. */
static int write_config(const struct setup *s, struct error *err)
{
	struct buffer text = {0}, errors = {0};
	struct config config;
	int rc = -1;

	if (setup_config(&text, s)) {
		error_set(err, "out of memory");
		goto done;
	}
	if (config_parse(&config, s->config, view_of(text.p, text.n), &errors)) {
		error_set(err, "%.*s", (int)view_find(view_of(errors.p, errors.n), '\n'),
			(const char *)errors.p);
		goto done;
	}
	config_free(&config);
	rc = new_file_write(
		s->config, holds_secret(s) ? 0600 : 0644, view_of(text.p, text.n));
	if (rc)
		error_set(err, "%s: %s", s->config, strerror(errno));
done:
	buffer_free(&errors);
	buffer_free(&text);
	return rc;
}

/* Nothing is overwritten. Returns 0 or an exit code. */
static int check_free(const struct setup *s)
{
	if (!s->chain && !access(s->ledger, F_OK))
		return failure(CONTROL_FAILED,
			"%s exists already; choose another --ledger, or "
			"remove it if nobody uses it",
			shown(s->ledger));
	if (s->node && !access(s->config, F_OK))
		return failure(CONTROL_FAILED,
			"%s exists already; choose another --config-out, "
			"or move it away",
			shown(s->config));
	return 0;
}

static void remove_ledger(const struct setup *s)
{
	char path[CONFIG_PATH_MAX + 8];

	for (size_t i = 0; i < LEDGER_FILES; i++) {
		snprintf(path, sizeof path, "%s%s", s->ledger, ledger_files[i]);
		unlink(path);
	}
}

/* The node's part: key, membership, configuration. Returns 0 or -1. */
static int make_node(struct setup *s, const struct signer *owner, struct error *err)
{
	struct signer *member = open_key(s->member_key, &s->member_made, err);
	int rc = -1;

	if (!member) {
		s->member_made = false;
		return -1;
	}
	address20_print(s->member_address, signer_address(member));
	if (!admit(s, owner, member, err) && !write_config(s, err))
		rc = 0;
	else if (s->member_made)
		unlink(s->member_key);
	signer_free(member);
	return rc;
}

/* With the owner's key at hand: the ledger, then the node. Returns 0 or -1. */
static int make_all(struct setup *s, const struct signer *owner,
	const struct passwd *user, struct error *err)
{
	const uint8_t *guardian = s->guardian_given ? s->guardian : signer_address(owner);

	if (local_create(s->ledger, &s->rules, guardian, owner, now_seconds(), err))
		return -1;
	/* The configuration comes last: what fails before leaves none behind. */
	if (give_ledger(s, user, err) || (s->node && make_node(s, owner, err)) ||
		give_ledger(s, user, err)) {
		remove_ledger(s);
		return -1;
	}
	return 0;
}

/* Folders, before anything is written. Returns 0 or -1 with a text. */
static int make_folders(
	const struct setup *s, const struct passwd *user, struct error *err)
{
	if (!s->node)
		return 0;
	return make_folder(s->ledger, 0750, user, err) ||
			make_folder(s->owner_key, 0755, NULL, err) ||
			make_folder(s->member_key, 0755, NULL, err) ||
			make_folder(s->config, 0755, NULL, err) ?
		-1 :
		0;
}

/* Whether this user may make a file there. Returns 0 or an exit code. */
static int folder_permitted(const char *file)
{
	char copy[CONFIG_PATH_MAX];

	snprintf(copy, sizeof copy, "%s", file);
	return file_permitted(dirname(copy), W_OK | X_OK);
}

/* Everything's place, before anything is made. Returns 0 or an exit code. */
static int check_places(const struct setup *s)
{
	int code = check_free(s);

	if (!code)
		code = folder_permitted(s->ledger);
	if (!code)
		code = access(s->owner_key, F_OK) ? folder_permitted(s->owner_key) :
						    file_permitted(s->owner_key, R_OK);
	if (!code && s->node)
		code = access(s->member_key, F_OK) ? folder_permitted(s->member_key) :
						     file_permitted(s->member_key, R_OK);
	if (!code && s->node)
		code = folder_permitted(s->config);
	return code;
}

int setup_make(struct setup *s, struct invocation *in)
{
	const struct passwd *user = s->root ? getpwnam(DAEMON_USER) : NULL;
	struct signer *owner = NULL;
	int code = check_places(s), rc;

	if (code)
		return code;
	s->user_missing = s->root && !user;
	rc = make_folders(s, user, &in->error);
	if (!rc)
		owner = open_key(s->owner_key, &s->owner_made, &in->error);
	if (!owner)
		return failure(
			rc && errno == EACCES ? CONTROL_PERMISSION : CONTROL_FAILED, "%s",
			in->error.text);
	address20_print(s->owner_address, signer_address(owner));
	rc = make_all(s, owner, user, &in->error);
	signer_free(owner);
	if (!rc)
		return 0;
	if (s->owner_made)
		unlink(s->owner_key);
	return failure(CONTROL_FAILED, "%s", in->error.text);
}

int setup_make_chain(struct setup *s, struct invocation *in)
{
	const struct passwd *user = s->root ? getpwnam(DAEMON_USER) : NULL;
	struct signer *member = NULL;
	int code = check_free(s), rc = -1;

	if (!code)
		code = access(s->member_key, F_OK) ? folder_permitted(s->member_key) :
						     file_permitted(s->member_key, R_OK);
	if (!code)
		code = folder_permitted(s->config);
	if (code)
		return code;
	s->user_missing = s->root && !user;
	if (!make_folder(s->member_key, 0755, NULL, &in->error) &&
		!make_folder(s->config, 0755, NULL, &in->error))
		member = open_key(s->member_key, &s->member_made, &in->error);
	if (member) {
		address20_print(s->member_address, signer_address(member));
		rc = write_config(s, &in->error);
		if (rc && s->member_made)
			unlink(s->member_key);
	}
	signer_free(member);
	return rc ? failure(CONTROL_FAILED, "%s", in->error.text) : 0;
}
