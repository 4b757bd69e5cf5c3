/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "sense/ami_accounts.h"
#include "sense/ami_event.h"
#include "sense/ami_session.h"

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size);

struct stream {
	struct ami_accounts *accounts;
	unsigned messages;
	uint64_t hash; /* of what came out */
};

/* What must hold of any observation, whoever wrote the stream. */
static void check(const struct observation *o)
{
	if (o->source.family != 4 && o->source.family != 6)
		abort();
	if (o->kind == OBSERVED_CALL ? o->proof != PROOF_AUTH :
				       o->kind < OBSERVED_AUTH_FAILED ||
				o->kind > OBSERVED_AUTH_OK || *o->dialled)
		abort();
	/* UDP proves nothing but a password. */
	if (o->proof != PROOF_NONE &&
		(o->proof != PROOF_TCP || o->transport == TRANSPORT_UDP) &&
		(o->proof != PROOF_AUTH ||
			(o->kind != OBSERVED_AUTH_OK && o->kind != OBSERVED_CALL)))
		abort();
	if (o->sensor != SENSOR_AMI || *o->agent ||
		!memchr(o->account, '\0', sizeof(o->account)) ||
		!memchr(o->dialled, '\0', sizeof(o->dialled)))
		abort();
}

static void add(struct stream *s, const void *p, size_t n)
{
	const struct hash_key key = {s->hash, n};

	s->hash = hash_bytes(&key, p, n);
}

static bool on_message(void *context, const struct ami_message *m)
{
	struct stream *s = context;
	struct observation o;
	struct ami_call call;
	enum ami_event_result result = ami_event_parse(&o, &call, m);

	s->messages++;
	add(s, &result, sizeof(result));
	if (m->count > AMI_FIELDS_MAX || (m->faults & AMI_OVERSIZE && m->count))
		abort();
	if (m->faults && result != AMI_EVENT_INJECTION)
		abort();
	if (result == AMI_EVENT_OBSERVATION) {
		check(&o);
		ami_accounts_success(s->accounts, &o, 1);
		add(s, &o.attempt, sizeof(o.attempt));
	} else if (result == AMI_EVENT_CALL &&
		ami_accounts_call(s->accounts, &o, call.endpoint, call.dialled, 1)) {
		check(&o);
	}
	return true;
}

/* The stream in pieces of `step` bytes. */
static struct stream play(struct view input, size_t step)
{
	struct stream s = {.accounts = ami_accounts_new((struct hash_key){1, 2})};
	struct ami_reader r = {0};

	if (!s.accounts)
		abort();
	for (size_t at = 0; at < input.n; at += step)
		if (ami_reader_feed(
			    &r, view_head(view_from(input, at), step), on_message, &s))
			abort();
	if (r.rest.n > AMI_MESSAGE_MAX + step)
		abort();
	ami_reader_free(&r);
	ami_accounts_free(s.accounts);
	return s;
}

/* --- a whole session, whose every answer is the input's --- */

static void on_connect(void *context)
{
	(void)context;
}

static void on_observation(void *context, const struct observation *o)
{
	(void)context;
	check(o);
}

static void on_trunks(void *context, const struct ami_trunk *trunks, size_t count)
{
	(void)context;
	for (size_t i = 0; i < count; i++)
		if (indicator_check_shape(&trunks[i].indicator, NULL) ||
			!memchr(trunks[i].endpoint, '\0', sizeof(trunks[i].endpoint)))
			abort();
}

static void converse(struct view input)
{
	static const char secret[] = "never-to-be-said";
	const struct ami_callbacks callbacks = {
		NULL, on_connect, on_observation, on_trunks};
	const struct ami_config config = {"pbx", "sipchain", {0}, ami_timing_default};
	struct ami_session s;

	if (ami_session_init(&s, &config, &callbacks, (struct hash_key){3, 4}))
		abort();
	s.secret = view_str(secret);
	ami_session_begin(&s);
	ami_session_feed(&s, view_str("Asterisk Call Manager/11.0.0\r\n"), 1);
	for (size_t at = 0; at < input.n && !s.failed;) {
		/* A byte 1 stands for the id that is waited for. */
		size_t n = view_find(view_from(input, at), 1);

		ami_session_feed(&s, view_of(input.p + at, n), at);
		at += n;
		if (at < input.n && !s.failed)
			ami_session_feed(&s, view_str(s.id), at);
		at++;
		if (view_find_str(view_of(s.out.p, s.out.n), secret) < s.out.n)
			abort();
		s.out.n = 0;
	}
	ami_session_free(&s);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
	struct view v = view_of(input, size);
	struct stream whole = play(v, size ? size : 1), pieces;

	/* However it is cut, the same comes out (one that is cut off may differ). */
	pieces = play(v, 7);
	if (size <= AMI_MESSAGE_MAX &&
		(whole.messages != pieces.messages || whole.hash != pieces.hash))
		abort();
	converse(v);
	return 0;
}
