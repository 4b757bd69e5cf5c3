/* SPDX-License-Identifier: Apache-2.0 */
/* sipchain member set, signer-add, signer-remove: signed by the owner. */
#include <string.h>

#include "cli/desk.h"
#include "cli/rules.h"

/* The desk, and the member that the first argument names. Returns an exit code. */
static int desk_for_member(
	struct desk *d, struct invocation *in, const struct member **member)
{
	int code = desk_open(d, in, DESK_SIGNS);

	if (code)
		return code;
	*member = named_member(desk_registry(d), in->arguments[0], &in->error);
	if (*member)
		return 0;
	desk_close(d);
	return failure(CONTROL_FAILED, "%s", in->error.text);
}

int run_member_set(struct invocation *in)
{
	struct operation op = {.type = OP_MEMBER_SET};
	char subject[SUBJECT_TEXT], done[64];
	const struct member *m;
	uint64_t weight = 0, cap = 0;
	struct desk d;
	int code;

	if (!given(in, OPTION_WEIGHT) && !given(in, OPTION_CAP))
		return failure(CONTROL_USAGE,
			"give --weight or --cap, or both; for example: %s",
			in->command->example);
	if (option_number(in, OPTION_WEIGHT, 1, UINT16_MAX, &weight) ||
		option_number(in, OPTION_CAP, 1, 1u << 24, &cap))
		return failure(CONTROL_USAGE, "%s", in->error.text);
	code = desk_for_member(&d, in, &m);
	if (code)
		return code;
	op.member = m->index;
	op.weight = given(in, OPTION_WEIGHT) ? (uint16_t)weight : m->weight;
	op.cap = given(in, OPTION_CAP) ? (uint32_t)cap : m->cap;
	snprintf(done, sizeof done, "of weight %u with a cap of %u", op.weight, op.cap);
	code = desk_append(&d, in, &op, member_subject(subject, m->index, m->name), done);
	desk_close(&d);
	return code;
}

/* Give a member a key, or take one from it; its reports stay. */
static int change_signer(struct invocation *in, uint8_t type)
{
	struct operation op = {.type = type};
	char member[SUBJECT_TEXT], subject[ADDRESS20_TEXT + 16];
	char done[SUBJECT_TEXT + 160];
	const struct member *m;
	struct desk d;
	bool last;
	int code;

	if (address20_parse(op.address, view_str(in->arguments[1]), &in->error))
		return failure(CONTROL_USAGE, "%s", in->error.text);
	code = desk_for_member(&d, in, &m);
	if (code)
		return code;
	op.member = m->index;
	last = type == OP_SIGNER_REMOVE && m->signer_count == 1;
	memcpy(subject, "signer ", 7);
	address20_print(subject + 7, op.address);
	snprintf(done, sizeof done, "%s %s%s",
		type == OP_SIGNER_ADD ? "added to" : "removed from",
		member_subject(member, m->index, m->name),
		last ? ", which has no key left and cannot report until `sipchain member "
		       "signer-add` gives it one" :
		       "");
	code = desk_append(&d, in, &op, subject, done);
	desk_close(&d);
	return code;
}

int run_member_signer_add(struct invocation *in)
{
	return change_signer(in, OP_SIGNER_ADD);
}

int run_member_signer_remove(struct invocation *in)
{
	return change_signer(in, OP_SIGNER_REMOVE);
}
