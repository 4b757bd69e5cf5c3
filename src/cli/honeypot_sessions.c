/* SPDX-License-Identifier: Apache-2.0 */
/* Messages counted into sessions. */
#include "cli/honeypot.h"

#include <stdlib.h>

#include "indicator/word.h"

#define SESSIONS_MAX 2000000
#define SEEN_MAX     16000000
#define TEXTS_MAX    (512u << 20)

/*
 * Texts stand one behind the other: next:32 length:8 bytes, where next is the place
 * of the list's next text, or 0. The first byte of all is not used.
 */
#define TEXT_HEAD 5

struct honeypot_sessions {
	struct honeypot_filter filter;
	struct table *sessions;
	struct table *seen; /* hash of session, list and text: to count different ones */
	struct hash_key key;
	struct buffer texts;
};

struct honeypot_sessions *honeypot_sessions_new(const struct honeypot_filter *f)
{
	struct honeypot_sessions *s = calloc(1, sizeof *s);

	if (!s)
		return NULL;
	s->filter = *f;
	s->key = hash_key_random();
	s->texts.max = TEXTS_MAX;
	s->sessions = table_new(
		sizeof(struct honeypot_session), sizeof(uint64_t), SESSIONS_MAX, s->key);
	s->seen = table_new(sizeof(uint64_t), sizeof(uint64_t), SEEN_MAX, s->key);
	if (s->sessions && s->seen && !buffer_put_u8(&s->texts, 0))
		return s;
	honeypot_sessions_free(s);
	return NULL;
}

void honeypot_sessions_free(struct honeypot_sessions *s)
{
	if (!s)
		return;
	table_free(s->sessions);
	table_free(s->seen);
	buffer_free(&s->texts);
	free(s);
}

uint64_t honeypot_session_id(const struct honeypot_filter *f, const struct record *r)
{
	struct record all;

	if (!f->by_source)
		return record_session(r);
	all = *r;
	all.session = 0;
	return record_session(&all);
}

/* Whether this is the first time that a session has this in one of its lists. */
static bool is_new(struct honeypot_sessions *s, uint64_t session, uint8_t list,
	const void *p, size_t n)
{
	struct {
		uint64_t session, text, list;
	} what = {session, hash_bytes(&s->key, p, n), list};
	uint64_t hash = hash_bytes(&s->key, &what, sizeof what);
	bool fresh = false;

	return table_put(s->seen, &hash, &fresh) && fresh;
}

/* Keep a text at the end of one of the session's lists. */
static void keep(struct honeypot_sessions *s, struct honeypot_session *x,
	enum honeypot_list list, struct view text)
{
	size_t at = s->texts.n;
	struct buffer *b = &s->texts;

	if (x->kept[list] == HONEYPOT_KEPT || text.n > UINT8_MAX ||
		buffer_reserve(b, TEXT_HEAD + text.n))
		return;
	buffer_put_u32(b, 0);
	buffer_put_u8(b, (uint8_t)text.n);
	buffer_put(b, text.p, text.n);
	if (x->last[list])
		be32_store(b->p + x->last[list], (uint32_t)at);
	else
		x->first[list] = (uint32_t)at;
	x->last[list] = (uint32_t)at;
	x->kept[list]++;
}

struct view honeypot_sessions_text(const struct honeypot_sessions *s, uint32_t *at)
{
	const uint8_t *p = s->texts.p + *at;

	*at = be32_load(p);
	return view_of(p + TEXT_HEAD, p[4]);
}

static void add_text(struct honeypot_sessions *s, struct honeypot_session *x,
	enum honeypot_list list, uint32_t *count, struct view text)
{
	if (!text.n || !is_new(s, x->id, (uint8_t)list, text.p, text.n))
		return;
	++*count;
	keep(s, x, list, text);
}

/* A proof is worth more than none; of two, the one that says more. */
static uint8_t better(uint8_t a, uint8_t b)
{
	if (honeypot_proves(a) != honeypot_proves(b))
		return honeypot_proves(a) ? a : b;
	/* An ACK can be had from whom one names: the others weigh more. */
	if (a == PROOF_ACK || b == PROOF_ACK)
		return a == PROOF_ACK ? b : a;
	return a > b ? a : b;
}

int honeypot_sessions_add(struct honeypot_sessions *s, const struct record *r)
{
	uint64_t id = honeypot_session_id(&s->filter, r), call = record_session(r);
	bool fresh;
	struct honeypot_session *x = table_put(s->sessions, &id, &fresh);

	if (!x)
		return -1;
	if (fresh) {
		x->begin = x->end = r->time;
		x->remote = r->remote;
		x->port = r->remote_port;
		x->transport = r->transport;
	}
	if (r->time < x->begin)
		x->begin = r->time;
	if (r->time > x->end)
		x->end = r->time;
	r->out ? x->out++ : x->in++;
	x->proof = better(x->proof, r->proof);
	if (!r->out && r->text[RECORD_TOOL].n)
		view_copy(x->tool, sizeof x->tool, r->text[RECORD_TOOL]);
	if (!r->out && r->text[RECORD_AGENT].n)
		view_copy(x->agent, sizeof x->agent, r->text[RECORD_AGENT]);
	add_text(s, x, HONEYPOT_ACCOUNTS, &x->accounts, r->text[RECORD_ACCOUNT]);
	add_text(s, x, HONEYPOT_NUMBERS, &x->numbers, r->text[RECORD_DIALLED]);
	x->sessions += is_new(s, id, 2, &call, sizeof call);
	x->dialled |= honeypot_dialled(&s->filter, r->text[RECORD_DIALLED]);
	return 0;
}

static bool asked_for(const struct honeypot_filter *f, const struct honeypot_session *x)
{
	return (!f->proved || honeypot_proves(x->proof)) && (!f->number[0] || x->dialled);
}

bool honeypot_sessions_has(const struct honeypot_sessions *s, uint64_t id)
{
	const struct honeypot_session *x = table_get(s->sessions, &id);

	return x && asked_for(&s->filter, x);
}

static int by_begin(const void *a, const void *b)
{
	const struct honeypot_session *x = *(const struct honeypot_session *const *)a;
	const struct honeypot_session *y = *(const struct honeypot_session *const *)b;

	if (x->begin != y->begin)
		return x->begin < y->begin ? -1 : 1;
	return x->id < y->id ? -1 : x->id > y->id;
}

const struct honeypot_session **honeypot_sessions_list(
	const struct honeypot_sessions *s, size_t limit, size_t *count, size_t *all)
{
	const struct honeypot_session **list, *x;
	size_t at = 0, n = 0;

	*count = 0;
	*all = table_count(s->sessions);
	list = calloc(*all + 1, sizeof *list);
	if (!list)
		return NULL;
	while ((x = table_next(s->sessions, &at)))
		if (asked_for(&s->filter, x))
			list[n++] = x;
	qsort(list, n, sizeof *list, by_begin);
	*all = n;
	*count = n < limit ? n : limit;
	memmove(list, list + (n - *count), *count * sizeof *list);
	return list;
}

/* All that the folder has. Returns an exit code, having said why. */
static int read_all(struct honeypot_sessions *s, struct record_reader *r,
	const struct honeypot_filter *f, struct error *err)
{
	struct record record;
	int rc = record_reader_since(r, f->since, err);

	while (!rc && (rc = record_reader_next(r, &record, err)) > 0) {
		rc = 0;
		if (honeypot_takes(f, &record) && honeypot_sessions_add(s, &record))
			return failure(CONTROL_FAILED,
				"there are too many sessions to hold at once: ask for fewer "
				"by --since or --source, or --by source");
	}
	return rc ? failure(CONTROL_FAILED, "%s", err->text) : 0;
}

struct honeypot_sessions *honeypot_sessions_read(
	struct invocation *in, const struct honeypot_filter *f, int *code)
{
	struct record_reader *r = honeypot_open(in, code);
	struct honeypot_sessions *s;

	if (!r)
		return NULL;
	s = honeypot_sessions_new(f);
	progress_begin("reading what was recorded");
	*code = s ? read_all(s, r, f, &in->error) :
		    failure(CONTROL_FAILED, "out of memory");
	progress_end();
	if (*code) {
		record_reader_close(r);
		honeypot_sessions_free(s);
		return NULL;
	}
	honeypot_close(r);
	return s;
}
