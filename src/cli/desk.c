/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/desk.h"

#include <string.h>
#include <unistd.h>

#include "base/hex.h"
#include "base/units.h"

/* Where the key is: --key, else [member] key with DESK_MEMBER; NULL: nowhere. */
static const char *key_path(const struct desk *d, struct invocation *in, unsigned flags)
{
	const char *configured = d->choice.config.member.key;

	if (given(in, OPTION_KEY))
		return option(in, OPTION_KEY, NULL);
	return flags & DESK_MEMBER && configured[0] ? configured : NULL;
}

/* The key first: whoever may not sign need not wait. Returns an exit code. */
static int open_key(struct desk *d, struct invocation *in, unsigned flags)
{
	const char *path = key_path(d, in, flags);
	int code;

	if (!(flags & DESK_SIGNS))
		return 0;
	if (!path)
		return failure(CONTROL_USAGE,
			flags & DESK_MEMBER ?
				"--key FILE is missing, and the configuration has no "
				"[member] key: whose signature is it?" :
				"--key FILE is missing: whose signature is it?");
	code = file_permitted(path, R_OK);
	if (code)
		return code;
	d->signer = signer_open(path, &in->error);
	return d->signer ? 0 : failure(CONTROL_FAILED, "%s", in->error.text);
}

/* The ledger, with a key at hand. Returns an exit code. */
static int open_ledger(struct desk *d, struct invocation *in, unsigned flags)
{
	int code = 0, rc;

	if (d->choice.config.ledger.type == CONFIG_LEDGER_LOCAL)
		code = ledger_permitted(d->choice.config.ledger.path);
	if (code)
		return code;
	progress_begin("reading the ledger");
	if (d->choice.config.ledger.type == CONFIG_LEDGER_LOCAL) {
		rc = desk_open_local(d, in, flags);
		progress_end();
		return rc ? failure(CONTROL_FAILED, "%s", in->error.text) : 0;
	}
	rc = desk_open_chain(d, flags);
	progress_end();
	return rc ? session_failed(&d->why) : 0;
}

int option_timeout(struct invocation *in, unsigned *ms)
{
	const char *text = option(in, OPTION_TIMEOUT, NULL);
	uint64_t seconds = DESK_BLOCK_MS / 1000;

	if (text &&
		(duration_parse(&seconds, view_str(text), NULL) || !seconds ||
			seconds > 86400))
		return failure(CONTROL_USAGE, "--timeout %s: from 1s to 1d", shown(text));
	*ms = (unsigned)seconds * 1000;
	return 0;
}

int desk_open(struct desk *d, struct invocation *in, unsigned flags)
{
	int code;

	memset(d, 0, sizeof *d);
	d->lock = -1;
	code = option_timeout(in, &d->block_ms);
	if (code)
		return code;
	code = choice_make(&d->choice, in, 0);
	if (code)
		return code;
	code = open_key(d, in, flags);
	if (!code)
		code = open_ledger(d, in, flags);
	if (code)
		desk_close(d);
	return code;
}

void desk_close(struct desk *d)
{
	if (d->lock >= 0)
		close(d->lock);
	session_close(d->session);
	reading_free(d->reading);
	local_close(d->ledger);
	signer_free(d->signer);
	choice_free(&d->choice);
	memset(d, 0, sizeof *d);
	d->lock = -1;
}

const struct registry *desk_registry(const struct desk *d)
{
	if (d->ledger)
		return local_registry(d->ledger);
	if (d->reading)
		return reading_registry(d->reading);
	return d->session && session_reading(d->session) ?
		reading_registry(session_reading(d->session)) :
		NULL;
}

const char *desk_text(const struct desk *d, const struct indicator *i)
{
	const struct reading *r = d->session ? session_reading(d->session) : d->reading;

	return r ? reading_text(r, i) : NULL;
}

int desk_submit(
	struct desk *d, struct invocation *in, struct operation *op, unsigned wait_ms)
{
	int rc;

	memset(&d->why, 0, sizeof d->why);
	if (d->ledger)
		return desk_submit_local(d, in, op);
	progress_begin(wait_ms ? "waiting for the block" : "sending");
	rc = desk_submit_chain(d, in, op, wait_ms);
	progress_end();
	return rc;
}

/* "NAME": what desk_append() says in a script's words. */
static void append_json(
	const struct desk *d, struct invocation *in, const struct operation *op)
{
	json_t *out = json_pack("{s:s, s:I, s:i}", "operation", operation_name(op->type),
		"seq", (json_int_t)op->seq, "member", (int)op->member);

	(void)in;
	transaction_json(d, out);
	print_json(out);
	json_decref(out);
}

int desk_append(struct desk *d, struct invocation *in, struct operation *op,
	const char *subject, const char *done)
{
	uint64_t expected = registry_tip(desk_registry(d), CHAIN_ADMIN)->seq;
	char what[2 * SUBJECT_TEXT + 320];

	if (desk_submit(d, in, op, d->block_ms))
		return session_failed(&d->why);
	if (given(in, OPTION_DRY_RUN)) {
		snprintf(what, sizeof what, "%s would be %s", subject, done);
		dry_run_print(d, in, what);
		return 0;
	}
	if (op->seq != expected)
		return failure(CONTROL_FAILED,
			"done as administrative operation %llu, but another program "
			"wrote operation %llu at the same moment: see `sipchain ledger "
			"export` whether this one took something of it back",
			(unsigned long long)op->seq, (unsigned long long)expected);
	if (given(in, OPTION_JSON)) {
		append_json(d, in, op);
	} else {
		printf("%s is %s (administrative operation %llu)\n", subject, done,
			(unsigned long long)op->seq);
		transaction_print(d, in);
	}
	return 0;
}

const struct member *named_member(
	const struct registry *r, const char *text, struct error *err)
{
	uint64_t index = 0;

	if (view_decimal(view_str(text), UINT16_MAX, &index))
		index = 0;
	for (uint16_t i = 1; i <= registry_members(r); i++) {
		const struct member *m = registry_member(r, i);

		if (m && (index ? i == index : !strcmp(m->name, text)))
			return m;
	}
	error_set(err, "there is no member %s; see `sipchain member list`", shown(text));
	return NULL;
}

const char *member_subject(char dst[SUBJECT_TEXT], uint16_t index, const char *name)
{
	snprintf(dst, SUBJECT_TEXT, "member %u (%s)", index, shown(name));
	return dst;
}

json_t *tip_json(const struct registry *r, enum chain chain)
{
	const struct tip *tip = registry_tip(r, chain);
	char hash[2 * HASH_SIZE + 1];

	return json_pack("{s:I, s:s}", "seq", (json_int_t)tip->seq, "hash",
		hex_encode(hash, tip->hash, HASH_SIZE));
}

json_t *address_json(const uint8_t *address)
{
	char text[ADDRESS20_TEXT];

	return !address || bytes_zero(address, ADDRESS20) ?
		json_null() :
		json_string(address20_print(text, address));
}

json_t *hash_json(const uint8_t *hash)
{
	char text[2 * HASH_SIZE + 1];

	return !hash || bytes_zero(hash, HASH_SIZE) ?
		json_null() :
		json_string(hex_encode(text, hash, HASH_SIZE));
}
