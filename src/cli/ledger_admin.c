/* SPDX-License-Identifier: Apache-2.0 */
/* sipchain member, protect, ledger pause: signed by the owner or guardian. */
#include "cli/columns.h"
#include "cli/desk.h"
#include "cli/rules.h"

#include <stdlib.h>
#include <string.h>

/* "member-suspend" of the protocol in words. */
static const char *done_words(uint8_t type)
{
	switch (type) {
	case OP_MEMBER_ADD:
		return "admitted";
	case OP_MEMBER_REMOVE:
		return "removed: all its reports have ended";
	case OP_MEMBER_SUSPEND:
		return "suspended: its reports do not count until it is resumed";
	case OP_MEMBER_RESUME:
		return "resumed";
	case OP_PAUSE:
		return "paused: nothing but revocations goes through until it is unpaused";
	case OP_UNPAUSE:
		return "unpaused";
	default:
		return "changed";
	}
}

/* --- members --- */

/* The index of a removed member of that name, to be re-admitted; else a new one. */
static uint16_t index_for(const struct registry *r, const char *name)
{
	uint16_t n = registry_members(r);

	for (uint16_t i = 1; i <= n; i++) {
		const struct member *m = registry_member(r, i);

		if (m && m->status == MEMBER_REMOVED && !strcmp(m->name, name))
			return i;
	}
	return (uint16_t)(n + 1);
}

int run_member_add(struct invocation *in)
{
	struct operation op = {.type = OP_MEMBER_ADD};
	char subject[SUBJECT_TEXT];
	uint64_t weight = 1, cap = 1000;
	struct desk d;
	int code;

	if (!given(in, OPTION_NAME) || !in->repeated_count)
		return failure(CONTROL_USAGE,
			"--name and at least one --signer are needed; for "
			"example: %s",
			in->command->example);
	if (option_number(in, OPTION_WEIGHT, 1, UINT16_MAX, &weight) ||
		option_number(in, OPTION_CAP, 1, 1u << 24, &cap))
		return failure(CONTROL_USAGE, "%s", in->error.text);
	if (in->repeated_count > SIGNERS_MAX)
		return failure(CONTROL_USAGE, "at most %d --signer", SIGNERS_MAX);
	for (unsigned i = 0; i < in->repeated_count; i++)
		if (address20_parse(op.signers[i], view_str(in->repeated[i]), &in->error))
			return failure(CONTROL_USAGE, "--signer: %s", in->error.text);
	op.signer_count = (uint8_t)in->repeated_count;
	op.weight = (uint16_t)weight;
	op.cap = (uint32_t)cap;
	op.name = view_str(option(in, OPTION_NAME, ""));
	if (!op.name.n || op.name.n > NAME_MAX_BYTES)
		return failure(CONTROL_USAGE, "--name: 1 to %d bytes", NAME_MAX_BYTES);
	code = desk_open(&d, in, DESK_SIGNS);
	if (code)
		return code;
	op.member = index_for(desk_registry(&d), option(in, OPTION_NAME, ""));
	code = desk_append(&d, in, &op,
		member_subject(subject, op.member, option(in, OPTION_NAME, "")),
		done_words(op.type));
	desk_close(&d);
	return code;
}

/* remove, suspend, resume: one operation about one member. */
static int about_member(struct invocation *in, uint8_t type)
{
	struct operation op = {.type = type};
	char subject[SUBJECT_TEXT];
	const struct member *m;
	struct desk d;
	int code = desk_open(&d, in, DESK_SIGNS);

	if (code)
		return code;
	m = named_member(desk_registry(&d), in->arguments[0], &in->error);
	if (m) {
		op.member = m->index;
		code = desk_append(&d, in, &op,
			member_subject(subject, m->index, m->name), done_words(type));
	} else {
		code = failure(CONTROL_FAILED, "%s", in->error.text);
	}
	desk_close(&d);
	return code;
}

int run_member_remove(struct invocation *in)
{
	return about_member(in, OP_MEMBER_REMOVE);
}

int run_member_suspend(struct invocation *in)
{
	return about_member(in, OP_MEMBER_SUSPEND);
}

int run_member_resume(struct invocation *in)
{
	return about_member(in, OP_MEMBER_RESUME);
}

static const char *status_name(uint8_t status)
{
	static const char *const names[] = {"none", "active", "suspended", "removed"};

	return status < sizeof names / sizeof names[0] ? names[status] : "?";
}

static json_t *member_json(const struct member *m)
{
	json_t *signers = json_array();
	char address[43];

	for (unsigned i = 0; i < m->signer_count; i++)
		json_array_append_new(
			signers, json_string(address20_print(address, m->signers[i])));
	return json_pack("{s:i, s:s, s:s, s:i, s:i, s:I, s:I, s:o}", "index", m->index,
		"name", m->name, "status", status_name(m->status), "generation",
		m->generation, "weight", m->weight, "cap", (json_int_t)m->cap, "live",
		(json_int_t)m->live, "signers", signers);
}

static void members_print(const struct registry *r)
{
	struct columns c;

	if (!registry_members(r)) {
		printf("no member yet; see `sipchain member add --help`\n");
		return;
	}
	columns_begin(&c, "INDEX|NAME|STATUS|WEIGHT|LIVE|CAP|SIGNERS",
		1u << 0 | 1u << 3 | 1u << 4 | 1u << 5);
	for (uint16_t i = 1; i <= registry_members(r); i++) {
		const struct member *m = registry_member(r, i);
		char signers[SIGNERS_MAX * 43 + 2] = "-";

		for (unsigned k = 0; k < m->signer_count; k++) {
			address20_print(signers + (size_t)k * 43, m->signers[k]);
			if (k + 1u < m->signer_count)
				signers[(size_t)k * 43 + 42] = ' ';
		}
		columns_put(&c, "%u", i);
		columns_put(&c, "%s", shown(m->name));
		columns_put(&c, "%s", status_name(m->status));
		columns_put(&c, "%u", m->weight);
		columns_put(&c, "%u", m->live);
		columns_put(&c, "%u", m->cap);
		columns_put(&c, "%s", signers);
	}
	columns_print(&c, stdout, 0);
}

int run_member_list(struct invocation *in)
{
	const struct registry *r;
	json_t *out = json_array();
	struct desk d;
	int code = desk_open(&d, in, 0);

	if (code) {
		json_decref(out);
		return code;
	}
	r = desk_registry(&d);
	for (uint16_t i = 1; i <= registry_members(r); i++)
		json_array_append_new(out, member_json(registry_member(r, i)));
	if (given(in, OPTION_JSON)) {
		print_json(out);
	} else {
		members_print(r);
	}
	json_decref(out);
	desk_close(&d);
	return 0;
}

/* --- the protected table --- */

static int by_order(const void *a, const void *b)
{
	return indicator_compare(a, b);
}

/*
 * Sort, and drop what a wider entry already covers: the table is disjoint. In
 * place; returns the new count.
 */
static size_t normalise(struct indicator *table, size_t n)
{
	size_t kept = 0;

	qsort(table, n, sizeof *table, by_order);
	for (size_t i = 0; i < n; i++)
		if (!kept || !indicator_contains(&table[kept - 1], &table[i]))
			table[kept++] = table[i];
	return kept;
}

/* Parse the arguments into table[n..]; returns the new count or -1. */
static int parse_all(struct invocation *in, struct indicator *table, size_t n)
{
	for (unsigned i = 0; i < in->count; i++) {
		if (indicator_parse(
			    &table[n], NULL, view_str(in->arguments[i]), &in->error) ||
			indicator_check_shape(&table[n], &in->error))
			return error_prefix(&in->error, "%s", shown(in->arguments[i]));
		n++;
	}
	return (int)n;
}

/* Take the named entries out. Returns the new count, -1, or -2 for a missing one. */
static int take_out(struct invocation *in, struct indicator *table, size_t n)
{
	struct indicator named[ARGUMENTS_MAX];

	if (parse_all(in, named, 0) < 0)
		return -1;
	for (unsigned i = 0; i < in->count; i++) {
		size_t at = 0;

		while (at < n && memcmp(&table[at], &named[i], sizeof named[i]))
			at++;
		if (at == n) {
			error_set(&in->error,
				"%s is not an entry of the table; see `sipchain "
				"protect list`",
				shown(in->arguments[i]));
			return -2;
		}
		memmove(&table[at], &table[at + 1], (n - at - 1) * sizeof *table);
		n--;
	}
	return (int)n;
}

static int change_protected(struct invocation *in, bool adding)
{
	static struct indicator table[PROTECTED_MAX + ARGUMENTS_MAX];
	struct operation op = {.type = OP_PROTECT};
	const struct indicator *old;
	char subject[64];
	struct desk d;
	int code, count;
	size_t n;

	code = desk_open(&d, in, DESK_SIGNS);
	if (code)
		return code;
	old = registry_protected(desk_registry(&d), &n);
	if (n)
		memcpy(table, old, n * sizeof *table);
	count = adding ? parse_all(in, table, n) : take_out(in, table, n);
	if (count < 0) {
		desk_close(&d);
		return failure(count == -2 ? CONTROL_FAILED : CONTROL_USAGE, "%s",
			in->error.text);
	}
	op.table_count = (uint16_t)normalise(table, (size_t)count);
	op.table = (const uint8_t *)table;
	snprintf(subject, sizeof subject, "the protected table with its %u entr%s",
		op.table_count, op.table_count == 1 ? "y" : "ies");
	code = desk_append(&d, in, &op, subject, done_words(op.type));
	desk_close(&d);
	return code;
}

int run_protect_add(struct invocation *in)
{
	return change_protected(in, true);
}

int run_protect_remove(struct invocation *in)
{
	return change_protected(in, false);
}

int run_protect_list(struct invocation *in)
{
	const struct indicator *table;
	json_t *out = json_array();
	char text[INDICATOR_TEXT];
	struct desk d;
	size_t n;
	int code = desk_open(&d, in, 0);

	if (code) {
		json_decref(out);
		return code;
	}
	table = registry_protected(desk_registry(&d), &n);
	for (size_t i = 0; i < n; i++) {
		indicator_print(text, &table[i]);
		if (given(in, OPTION_JSON))
			json_array_append_new(out, json_string(text));
		else
			printf("%s\n", text);
	}
	if (given(in, OPTION_JSON))
		print_json(out);
	else if (!n)
		printf("nothing is protected; see `sipchain protect add --help`\n");
	json_decref(out);
	desk_close(&d);
	return 0;
}

/* --- pause --- */

static int without_arguments(struct invocation *in, uint8_t type)
{
	struct operation op = {.type = type};
	struct desk d;
	int code = desk_open(&d, in, DESK_SIGNS);

	if (code)
		return code;
	code = desk_append(&d, in, &op, "the ledger", done_words(type));
	desk_close(&d);
	return code;
}

int run_ledger_pause(struct invocation *in)
{
	return without_arguments(in, OP_PAUSE);
}

int run_ledger_unpause(struct invocation *in)
{
	return without_arguments(in, OP_UNPAUSE);
}
