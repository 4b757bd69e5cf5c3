/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hex.h"
#include "base/keccak.h"
#include "ledger/local_file.h"

static struct view column_view(sqlite3_stmt *s, int column)
{
	const void *p = sqlite3_column_blob(s, column);

	return view_of(p, (size_t)sqlite3_column_bytes(s, column));
}

void row_load(struct row *row, sqlite3_stmt *s)
{
	int64_t chain = sqlite3_column_int64(s, 1);

	row->row = (uint64_t)sqlite3_column_int64(s, 0);
	row->chain = chain == CHAIN_MEMBERS || chain == CHAIN_ADMIN ? (uint8_t)chain :
								      UINT8_MAX;
	row->seq = (uint64_t)sqlite3_column_int64(s, 2);
	row->actor = column_view(s, 3);
	row->counter = (uint64_t)sqlite3_column_int64(s, 4);
	row->tip_before = column_view(s, 5);
	row->bytes = column_view(s, 6);
	row->signature = column_view(s, 7);
}

static void update_u64(struct keccak *k, uint64_t v)
{
	uint8_t raw[8];

	be64_store(raw, v);
	keccak_update(k, raw, sizeof raw);
}

void row_digest(
	uint8_t digest[HASH_SIZE], const uint8_t id[HASH_SIZE], const struct row *row)
{
	static const char domain[] = "SIPchain local operation v1"; /* and its NUL */
	struct keccak k;

	keccak_init(&k);
	keccak_update(&k, domain, sizeof domain);
	keccak_update(&k, id, HASH_SIZE);
	update_u64(&k, row->row);
	update_u64(&k, row->counter);
	keccak_update(&k, row->tip_before.p, row->tip_before.n);
	keccak_update(&k, row->bytes.p, row->bytes.n);
	keccak_final(&k, digest);
}

struct counter_record *local_counter(struct local *l, const uint8_t actor[ADDRESS20])
{
	bool fresh;
	struct counter_record *c = table_put(l->counters, actor, &fresh);

	/* An actor not met so far: none of his rows exists, unless some were
	 * skipped by a window. */
	if (c && fresh)
		c->exact = !l->windowed;
	return c;
}

int local_fail(
	struct local *l, uint64_t row, const struct error *reason, struct error *err)
{
	l->failed = true;
	error_set(&l->failure, "%s: row %llu: %s; " LOCAL_REMEDY, l->path,
		(unsigned long long)row, reason->text);
	if (err)
		*err = l->failure;
	return -1;
}

int row_check_columns(
	const struct row *row, const struct operation *op, struct error *err)
{
	if (row->chain != operation_chain(op->type))
		return error_set(err, "the column chain is not that of a %s",
			operation_name(op->type));
	if (row->seq != op->seq)
		return error_set(err, "the column seq is %llu, the operation's %llu",
			(unsigned long long)row->seq, (unsigned long long)op->seq);
	if (!view_eq(row->actor, view_of(op->actor, ADDRESS20)))
		return error_set(err, "the column actor is not the operation's");
	if (row->tip_before.n != HASH_SIZE || row->signature.n != SIGNATURE_SIZE)
		return error_set(err, "tip or signature has the wrong length");
	return 0;
}

/* The author's counter goes up by one with each row. Returns 0 or -1. */
static int check_counter(struct local *l, const struct row *row, struct error *err)
{
	const struct counter_record *c = local_counter(l, row->actor.p);

	if (!c)
		return error_set(err, "out of memory");
	if (c->exact ? row->counter == c->counter + 1 : row->counter > c->counter)
		return 0;
	return error_set(err,
		"the author's counter is %llu where %llu is due: a row "
		"was replayed, left out or moved",
		(unsigned long long)row->counter, (unsigned long long)c->counter + 1);
}

int row_check_signature(const struct local *l, const struct row *row, struct error *err)
{
	uint8_t digest[HASH_SIZE], address[ADDRESS20];

	row_digest(digest, registry_id(l->registry), row);
	if (signature_recover(address, row->signature.p, digest) ||
		memcmp(address, row->actor.p, ADDRESS20))
		return error_set(err,
			"the signature is not its actor's: the row was "
			"altered, moved, or belongs to another ledger");
	return 0;
}

/* All that can be said of a row before the rules. Returns 0 or -1. */
static int check_row(struct local *l, const struct row *row, bool skipping,
	struct operation *op, struct error *err)
{
	const struct tip *tip;
	char is[17], due[17];

	if (skipping ? row->row <= l->row : row->row != l->row + 1)
		return error_set(err,
			"row %llu should follow row %llu: rows are "
			"missing",
			(unsigned long long)row->row, (unsigned long long)l->row);
	if (operation_decode(op, row->bytes, err) || row_check_columns(row, op, err))
		return -1;
	tip = registry_tip(l->registry, operation_chain(op->type));
	if (memcmp(row->tip_before.p, tip->hash, HASH_SIZE))
		return error_set(err,
			"the tip before it is %s.., folding gives %s..: "
			"the history was altered here or in the row before of its "
			"chain",
			hex_encode(is, row->tip_before.p, 8),
			hex_encode(due, tip->hash, 8));
	if (check_counter(l, row, err) || row_check_signature(l, row, err))
		return -1;
	if (op->time < l->time)
		return error_set(err,
			"its time %u is before that of the row before, "
			"%u",
			op->time, l->time);
	return 0;
}

/* Tell the listener of a folded operation. */
static void tell(struct local *l, const struct row *row, const struct operation *op)
{
	struct ledger_event event = {
		.chain = operation_chain(op->type),
		.block = row->row,
		.operation = *op,
		.bytes = row->bytes,
	};

	if (!l->on_event)
		return;
	memcpy(event.tip_before, row->tip_before.p, HASH_SIZE);
	l->on_event(l->context, &event);
}

void row_folded(
	struct local *l, const struct row *row, const struct operation *op, bool skipping)
{
	struct counter_record *counter = local_counter(l, op->actor);

	counter->counter = row->counter; /* there since check_counter() */
	counter->exact = !skipping;
	l->row = row->row;
	l->time = op->time;
	memcpy(l->signature, row->signature.p, SIGNATURE_SIZE);
	tell(l, row, op);
}

int row_fold(struct local *l, const struct row *row, bool skipping, struct error *err)
{
	struct error own = {0};
	struct operation op;
	struct refusal why;
	char text[REFUSAL_TEXT];

	if (check_row(l, row, skipping, &op, &own))
		goto fail;
	if (registry_apply(l->registry, &op, row->bytes, NULL, NULL, &why)) {
		error_set(&own, "%s against the rules: %s", operation_name(op.type),
			refusal_print(text, &why));
		goto fail;
	}
	row_folded(l, row, &op, skipping);
	return 0;
fail:
	return local_fail(l, row->row, &own, err);
}
