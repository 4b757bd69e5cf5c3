/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/operation.h"

#include "base/escape.h"
#include "base/keccak.h"

static const struct {
	uint8_t type;
	const char *name;
} names[] = {
	{OP_BATCH, "batch"},
	{OP_GENESIS, "genesis"},
	{OP_MEMBER_ADD, "member-add"},
	{OP_MEMBER_SET, "member-set"},
	{OP_MEMBER_REMOVE, "member-remove"},
	{OP_MEMBER_SUSPEND, "member-suspend"},
	{OP_MEMBER_RESUME, "member-resume"},
	{OP_SIGNER_ADD, "signer-add"},
	{OP_SIGNER_REMOVE, "signer-remove"},
	{OP_PROTECT, "protect"},
	{OP_CONFIG, "config"},
	{OP_GUARDIAN, "guardian"},
	{OP_OWNER_PROPOSE, "owner-propose"},
	{OP_OWNER_ACCEPT, "owner-accept"},
	{OP_PAUSE, "pause"},
	{OP_UNPAUSE, "unpause"},
	{OP_SUPERSEDE, "supersede"},
};

enum chain operation_chain(uint8_t type)
{
	return type == OP_BATCH ? CHAIN_MEMBERS : CHAIN_ADMIN;
}

const char *operation_name(uint8_t type)
{
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (names[i].type == type)
			return names[i].name;
	return "?";
}

static void put_config(struct buffer *out, const struct ledger_config *c)
{
	buffer_put_u8(out, c->limits.min_v4);
	buffer_put_u8(out, c->limits.min_v6);
	buffer_put_u8(out, c->limits.min_e164);
	buffer_put_u8(out, c->limits.allow_unroutable);
	buffer_put_u32(out, c->max_ttl);
	buffer_put_u32(out, c->threshold);
}

/* The last of 4 bytes of limits is a flag: another value than 0, 1 would not
 * come back from operation_encode(). */
static void get_config(struct reader *in, struct ledger_config *c)
{
	uint8_t flag;

	c->limits.min_v4 = reader_u8(in);
	c->limits.min_v6 = reader_u8(in);
	c->limits.min_e164 = reader_u8(in);
	flag = reader_u8(in);
	if (flag > 1)
		in->failed = true;
	c->limits.allow_unroutable = flag == 1;
	c->max_ttl = reader_u32(in);
	c->threshold = reader_u32(in);
}

/* What the encoding can hold; the ledger's rules are the registry's. */
static bool fits(const struct operation *op)
{
	switch (op->type) {
	case OP_BATCH:
		return op->count <= BATCH_MAX && op->texts.n <= TEXTS_MAX;
	case OP_MEMBER_ADD:
		return op->name.n >= 1 && op->name.n <= NAME_MAX_BYTES &&
			op->signer_count <= SIGNERS_MAX;
	case OP_PROTECT:
		return op->table_count <= PROTECTED_MAX;
	default:
		return operation_name(op->type)[0] != '?';
	}
}

static void put_member_add(struct buffer *out, const struct operation *op)
{
	buffer_put_u16(out, op->member);
	buffer_put_u16(out, op->weight);
	buffer_put_u32(out, op->cap);
	buffer_put_u8(out, (uint8_t)op->name.n);
	buffer_put(out, op->name.p, op->name.n);
	buffer_put_u8(out, op->signer_count);
	buffer_put(out, op->signers, (size_t)op->signer_count * ADDRESS20);
}

static void put_batch(struct buffer *out, const struct operation *op)
{
	buffer_put_u16(out, op->member);
	buffer_put(out, op->commitment, HASH_SIZE);
	buffer_put_u16(out, op->count);
	buffer_put(out, op->words, (size_t)op->count * WORD_SIZE);
	buffer_put_u32(out, (uint32_t)op->texts.n);
	buffer_put(out, op->texts.p, op->texts.n);
}

static void put_body(struct buffer *out, const struct operation *op)
{
	switch (op->type) {
	case OP_BATCH:
		put_batch(out, op);
		break;
	case OP_GENESIS:
		buffer_put(out, op->salt, HASH_SIZE);
		buffer_put(out, op->address, ADDRESS20);
		put_config(out, &op->config);
		break;
	case OP_MEMBER_ADD:
		put_member_add(out, op);
		break;
	case OP_MEMBER_SET:
		buffer_put_u16(out, op->member);
		buffer_put_u16(out, op->weight);
		buffer_put_u32(out, op->cap);
		break;
	case OP_MEMBER_REMOVE:
	case OP_MEMBER_SUSPEND:
	case OP_MEMBER_RESUME:
		buffer_put_u16(out, op->member);
		break;
	case OP_SIGNER_ADD:
	case OP_SIGNER_REMOVE:
		buffer_put_u16(out, op->member);
		buffer_put(out, op->address, ADDRESS20);
		break;
	case OP_PROTECT:
		buffer_put_u16(out, op->table_count);
		buffer_put(out, op->table, (size_t)op->table_count * INDICATOR_SIZE);
		break;
	case OP_CONFIG:
		put_config(out, &op->config);
		break;
	case OP_GUARDIAN:
	case OP_OWNER_PROPOSE:
		buffer_put(out, op->address, ADDRESS20);
		break;
	case OP_SUPERSEDE:
		buffer_put(out, op->next, HASH_SIZE);
		break;
	default: /* OWNER_ACCEPT, PAUSE, UNPAUSE: nothing more to say */
		break;
	}
}

int operation_encode(struct buffer *out, const struct operation *op)
{
	if (!fits(op))
		return -1;
	buffer_put_u8(out, op->type);
	buffer_put_u64(out, op->seq);
	buffer_put_u32(out, op->time);
	buffer_put(out, op->actor, ADDRESS20);
	put_body(out, op);
	return out->failed ? -1 : 0;
}

static int get_batch(struct reader *in, struct operation *op, struct error *err)
{
	uint32_t texts;

	op->member = reader_u16(in);
	reader_bytes(in, op->commitment, HASH_SIZE);
	op->count = reader_u16(in);
	if (op->count > BATCH_MAX)
		return error_set(
			err, "batch of %u words: at most %d", op->count, BATCH_MAX);
	op->words = reader_view(in, (size_t)op->count * WORD_SIZE).p;
	texts = reader_u32(in);
	if (texts > TEXTS_MAX)
		return error_set(err, "batch with %u bytes of texts: at most %d", texts,
			TEXTS_MAX);
	op->texts = reader_view(in, texts);
	return 0;
}

static int get_member_add(struct reader *in, struct operation *op, struct error *err)
{
	uint8_t n;

	op->member = reader_u16(in);
	op->weight = reader_u16(in);
	op->cap = reader_u32(in);
	n = reader_u8(in);
	if (!in->failed && (n < 1 || n > NAME_MAX_BYTES))
		return error_set(err, "member name of %u bytes: 1 to %d are allowed", n,
			NAME_MAX_BYTES);
	op->name = reader_view(in, n);
	op->signer_count = reader_u8(in);
	if (op->signer_count > SIGNERS_MAX)
		return error_set(err, "member with %u signers: at most %d",
			op->signer_count, SIGNERS_MAX);
	reader_bytes(in, op->signers, (size_t)op->signer_count * ADDRESS20);
	return 0;
}

static int get_protect(struct reader *in, struct operation *op, struct error *err)
{
	op->table_count = reader_u16(in);
	if (op->table_count > PROTECTED_MAX)
		return error_set(err, "protected table of %u entries: at most %d",
			op->table_count, PROTECTED_MAX);
	op->table = reader_view(in, (size_t)op->table_count * INDICATOR_SIZE).p;
	return 0;
}

static int get_body(struct reader *in, struct operation *op, struct error *err)
{
	switch (op->type) {
	case OP_BATCH:
		return get_batch(in, op, err);
	case OP_GENESIS:
		reader_bytes(in, op->salt, HASH_SIZE);
		reader_bytes(in, op->address, ADDRESS20);
		get_config(in, &op->config);
		return 0;
	case OP_MEMBER_ADD:
		return get_member_add(in, op, err);
	case OP_MEMBER_SET:
		op->member = reader_u16(in);
		op->weight = reader_u16(in);
		op->cap = reader_u32(in);
		return 0;
	case OP_MEMBER_REMOVE:
	case OP_MEMBER_SUSPEND:
	case OP_MEMBER_RESUME:
		op->member = reader_u16(in);
		return 0;
	case OP_SIGNER_ADD:
	case OP_SIGNER_REMOVE:
		op->member = reader_u16(in);
		reader_bytes(in, op->address, ADDRESS20);
		return 0;
	case OP_PROTECT:
		return get_protect(in, op, err);
	case OP_CONFIG:
		get_config(in, &op->config);
		return 0;
	case OP_GUARDIAN:
	case OP_OWNER_PROPOSE:
		reader_bytes(in, op->address, ADDRESS20);
		return 0;
	case OP_SUPERSEDE:
		reader_bytes(in, op->next, HASH_SIZE);
		return 0;
	default:
		return 0;
	}
}

int operation_decode(struct operation *op, struct view bytes, struct error *err)
{
	struct reader in = {.rest = bytes};

	memset(op, 0, sizeof *op);
	op->type = reader_u8(&in);
	op->seq = reader_u64(&in);
	op->time = reader_u32(&in);
	reader_bytes(&in, op->actor, ADDRESS20);
	if (in.failed)
		return error_set(err, "operation of %zu bytes: its head has %d", bytes.n,
			OPERATION_HEAD);
	if (operation_name(op->type)[0] == '?')
		return error_set(err,
			"operation of unknown type 0x%02x: written by a "
			"newer version?",
			op->type);
	if (get_body(&in, op, err))
		return error_prefix(err, "operation %s", operation_name(op->type));
	if (in.failed)
		return error_set(err, "operation %s: cut short or malformed",
			operation_name(op->type));
	if (in.rest.n)
		return error_set(err, "operation %s: %zu bytes follow its end",
			operation_name(op->type), in.rest.n);
	return 0;
}

int operation_text(const struct operation *op, unsigned entry, struct view *text)
{
	struct reader in = {.rest = op->texts};
	struct indicator said;

	if (op->type != OP_BATCH || entry >= op->count || !op->texts.n)
		return -1;
	for (unsigned k = 0; k <= entry; k++) {
		const uint8_t *word = op->words + (size_t)k * WORD_SIZE;
		struct view t;

		if (word[0] < INDICATOR_URI || word[0] > INDICATOR_AGENT) {
			if (k == entry)
				return -1;
			continue;
		}
		t = reader_view(&in, reader_u8(&in));
		if (in.failed)
			return -1;
		if (k < entry)
			continue;
		/* The author writes what he likes; only the hash binds. */
		said = indicator_from_canonical(word[0], t);
		if (memcmp(&said, word, INDICATOR_SIZE) || !text_is_clean(t))
			return -1;
		*text = t;
	}
	return 0;
}

void tip_advance(
	uint8_t tip_out[HASH_SIZE], const uint8_t tip[HASH_SIZE], struct view operation)
{
	struct keccak k;

	keccak_init(&k);
	keccak_update(&k, tip, HASH_SIZE);
	keccak_update(&k, operation.p, operation.n);
	keccak_final(&k, tip_out);
}

void ledger_id(uint8_t id[HASH_SIZE], struct view genesis)
{
	static const char domain[] = "SIPchain ledger v1";
	struct keccak k;

	keccak_init(&k);
	keccak_update(&k, domain, sizeof domain - 1);
	keccak_update(&k, genesis.p, genesis.n);
	keccak_final(&k, id);
}
