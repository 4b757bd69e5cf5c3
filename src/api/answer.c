/* SPDX-License-Identifier: Apache-2.0 */
#include "api/answer.h"

#include <string.h>

#include "base/hex.h"
#include "base/table.h"

/* Words shown of one indicator; a consortium has fewer members than this. */
#define WORDS_MAX 256

json_t *answer_tip(const struct registry *r, enum chain chain)
{
	const struct tip *t = registry_tip(r, chain);
	char hash[2 * HASH_SIZE + 1];

	return json_pack("{s:I, s:s}", "seq", (json_int_t)t->seq, "hash",
		hex_encode(hash, t->hash, HASH_SIZE));
}

json_t *answer_tips(const struct registry *r)
{
	return json_pack("{s:o, s:o}", "members", answer_tip(r, CHAIN_MEMBERS), "admin",
		answer_tip(r, CHAIN_ADMIN));
}

static json_t *word_json(const struct registry *r, const struct report *w)
{
	const struct member *m = registry_member(r, w->member);
	char text[INDICATOR_TEXT];

	return json_pack("{s:i, s:s, s:i, s:s, s:b, s:s, s:s, s:I, s:I}", "member",
		w->member, "name", m ? m->name : "?", "weight", m ? m->weight : 0,
		"indicator", indicator_print(text, &w->indicator), "objection",
		w->category == CATEGORY_OBJECTION, "category", category_name(w->category),
		"proof", proof_name(w->proof), "expiry", (json_int_t)w->expiry, "cell",
		(json_int_t)w->cell);
}

json_t *answer_decision(
	const struct answer_source *s, const struct indicator *i, bool with_words)
{
	char text[INDICATOR_TEXT], sentence[DECISION_TEXT];
	const char *published = s->text(s->context, i);
	struct report words[WORDS_MAX];
	struct decision d;
	json_t *out, *list;
	size_t count;

	decide_learnt_text(&d, s->policy, s->registry, s->allow, i, published, s->now);
	out = json_pack("{s:s, s:s, s:b, s:s, s:s, s:I, s:I, s:I, s:s, s:s}", "indicator",
		indicator_print(text, i), "kind", indicator_kind_name(i->kind), "block",
		d.block, "why", why_name(d.why), "text", decision_print(sentence, &d),
		"sum", (json_int_t)d.sum, "required", (json_int_t)d.required, "until",
		(json_int_t)(d.block ? d.until : 0), "category",
		category_name(d.category), "proof", proof_name(d.proof));
	if (published)
		json_object_set_new(out, "source", json_string(published));
	if (!with_words)
		return out;
	list = json_array();
	count = registry_words(s->registry, i, s->now, words, WORDS_MAX);
	for (size_t k = 0; k < count && k < WORDS_MAX; k++)
		json_array_append_new(list, word_json(s->registry, &words[k]));
	json_object_set_new(out, "words", list);
	return out;
}

struct listing {
	const struct answer_source *source;
	struct table *seen;
	json_t *out;
	const char *kind;
};

static bool list_word(void *context, const struct report *word)
{
	struct listing *l = context;
	bool fresh = false;

	if (l->kind && strcmp(l->kind, indicator_kind_name(word->indicator.kind)))
		return true;
	if (table_put(l->seen, &word->indicator, &fresh) && fresh)
		json_array_append_new(
			l->out, answer_decision(l->source, &word->indicator, false));
	return true;
}

json_t *answer_list(const struct answer_source *s, const char *kind)
{
	struct listing l = {.source = s, .kind = kind, .out = json_array()};

	l.seen = table_new(INDICATOR_SIZE, INDICATOR_SIZE, 0, hash_key_random());
	if (l.seen)
		registry_each(s->registry, s->now, list_word, &l);
	table_free(l.seen);
	return l.out;
}

/* A URI's text: as asked, else as published; NULL: not known. */
static const char *text_of(
	const struct answer_source *s, const struct indicator *i, const char *uri)
{
	return uri && *uri ? uri : s->text(s->context, i);
}

/* spared: why nothing of it counts, or NULL. */
static void put_around(json_t *out, const struct answer_source *s,
	const struct indicator *i, const struct decision *spared)
{
	struct indicator around[136];
	const size_t most = sizeof around / sizeof around[0];
	size_t count = registry_around(s->registry, i, around, most);
	char sentence[DECISION_TEXT];

	for (size_t k = 0; k < count && k < most; k++) {
		json_t *d = answer_decision(s, &around[k], true);

		json_array_append_new(out, d);
		if (!spared)
			continue;
		json_object_set_new(d, "block", json_false());
		json_object_set_new(d, "until", json_integer(0));
		json_object_set_new(d, "why", json_string(why_name(spared->why)));
		json_object_set_new(
			d, "text", json_string(decision_print(sentence, spared)));
	}
}

json_t *answer_around(
	const struct answer_source *s, const struct indicator *i, const char *uri)
{
	json_t *out = json_array();
	struct uri_parts parts;
	struct decision d;

	if (i->kind != INDICATOR_URI) {
		put_around(out, s, i, NULL);
		return out;
	}
	uri_parts(&parts, i, text_of(s, i, uri));
	for (enum uri_part k = URI_ITSELF; k < URI_PARTS; k++) {
		bool spared = decide_spared(
			&d, s->policy, s->registry, s->allow, &parts, k, s->now);

		if (parts.part[k].kind)
			put_around(out, s, &parts.part[k], spared ? &d : NULL);
	}
	return out;
}

bool answer_any_blocks(const json_t *listed)
{
	const json_t *d;
	size_t at;

	json_array_foreach(
		listed, at, d) if (json_is_true(json_object_get(d, "block"))) return true;
	return false;
}

void explorer_link(
	struct buffer *out, const char *pattern, const uint8_t transaction[HASH_SIZE])
{
	const char *at = strstr(pattern, "{tx}");
	char hash[2 * HASH_SIZE + 1];

	if (!at)
		return;
	buffer_put(out, pattern, (size_t)(at - pattern));
	buffer_printf(out, "0x%s%s", hex_encode(hash, transaction, HASH_SIZE), at + 4);
	buffer_put_u8(out, 0);
}

void answer_transaction(
	json_t *out, const uint8_t *transaction, uint64_t block, const char *pattern)
{
	bool known = transaction && !bytes_zero(transaction, HASH_SIZE);
	char hash[2 * HASH_SIZE + 3] = "0x";
	struct buffer link = {0};

	json_object_set_new(
		out, "block", block ? json_integer((json_int_t)block) : json_null());
	if (!known) {
		json_object_set_new(out, "transaction", json_null());
		return;
	}
	hex_encode(hash + 2, transaction, HASH_SIZE);
	json_object_set_new(out, "transaction", json_string(hash));
	explorer_link(&link, pattern, transaction);
	if (link.n && !link.failed)
		json_object_set_new(out, "link", json_string((const char *)link.p));
	buffer_free(&link);
}

struct answer_exempt answer_exempt(
	const struct answer_source *s, const struct indicator *i, const char *uri)
{
	struct answer_exempt out = {allowlist_overlap(s->allow, i, s->now),
		registry_protected_overlap(s->registry, i)};
	struct uri_parts parts;

	if (i->kind != INDICATOR_URI)
		return out;
	uri_parts(&parts, i, text_of(s, i, uri));
	for (enum uri_part k = URI_DOMAIN; k < URI_PARTS; k++) {
		if (!parts.part[k].kind)
			continue;
		if (!out.allowed)
			out.allowed = allowlist_overlap(s->allow, &parts.part[k], s->now);
		if (!out.protected)
			out.protected = registry_protected_overlap(
				s->registry, &parts.part[k]);
	}
	return out;
}

void answer_exceptions(json_t *out, const struct answer_exempt *exempt)
{
	const struct allow_entry *allowed = exempt->allowed;
	char text[INDICATOR_TEXT];

	if (allowed)
		json_object_set_new(out, "allowed",
			json_pack("{s:s, s:s, s:s}", "indicator",
				indicator_print(text, &allowed->indicator), "origin",
				allow_origin_name(allowed->origin), "note",
				allowed->note));
	if (exempt->protected)
		json_object_set_new(out, "protected",
			json_string(indicator_print(text, exempt->protected)));
}
