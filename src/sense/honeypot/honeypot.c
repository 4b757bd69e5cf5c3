/* SPDX-License-Identifier: Apache-2.0 */
#include "sense/honeypot/honeypot.h"

#include <stdlib.h>

#include "sense/honeypot/honeypot_state.h"
#include "sense/injection.h"
#include "sense/wire_request.h"

#define RATE_MAX    1000000u
#define DIALOGS_MAX 65536u

const struct honeypot_config honeypot_config_default = {
	.baits = {"100", "101", "102", "200", "201", "1000", "1001", "2000", "admin"},
	.n_baits = 9,
	.refuse = 8,
	.ring = 2 * USEC_PER_SEC,
	.talk = 20 * USEC_PER_SEC,
	.per_source = 200,
	.total = 100000,
	.dialogs = 512,
};

static int check(const struct honeypot_config *c, struct error *err)
{
	if (!c->per_source || c->per_source > RATE_MAX || !c->total ||
		c->total > RATE_MAX)
		return error_set(err,
			"the honeypot's rates are 1 to %u messages a second", RATE_MAX);
	if (!c->dialogs || c->dialogs > DIALOGS_MAX)
		return error_set(err, "the honeypot keeps 1 to %u dialogs", DIALOGS_MAX);
	if (c->n_baits > HONEYPOT_BAITS_MAX)
		return error_set(err, "the honeypot has at most %d bait accounts",
			HONEYPOT_BAITS_MAX);
	for (unsigned i = 0; i < c->n_baits; i++)
		if (!c->baits[i][0] || !memchr(c->baits[i], 0, HONEYPOT_BAIT_MAX))
			return error_set(err,
				"bait account %u has no name or one of more "
				"than %d bytes",
				i + 1, HONEYPOT_BAIT_MAX - 1);
	return 0;
}

/* A key of its own for each hash table, out of the one that was given. */
static struct hash_key table_key(const uint8_t key[32], uint8_t number)
{
	struct hash_key seed = {be64_load(key), be64_load(key + 8)};
	uint8_t word[2] = {number, 0};
	struct hash_key made;

	made.k0 = hash_bytes(&seed, word, sizeof word);
	word[1] = 1;
	made.k1 = hash_bytes(&seed, word, sizeof word);
	return made;
}

struct honeypot *honeypot_new(const struct honeypot_config *config,
	const struct honeypot_hooks *hooks, const uint8_t key[32], usec now,
	struct error *err)
{
	struct honeypot *h;

	if (check(config, err))
		return NULL;
	h = calloc(1, sizeof *h);
	if (!h || dialogs_begin(&h->dialogs, config->dialogs, table_key(key, 1))) {
		error_set(err, "no memory for the honeypot");
		free(h);
		return NULL;
	}
	h->config = *config;
	h->hooks = *hooks;
	h->profile = config->profile ? *config->profile : profiles_builtin()->at[0];
	h->config.profile = &h->profile;
	if (!config->tools)
		h->config.tools = tools_builtin();
	h->key = table_key(key, 2);
	h->proved.key = table_key(key, 3);
	h->guesses.key = table_key(key, 4);
	stamp_keys_begin(&h->stamps, key, now);
	limit_begin(&h->limit, table_key(key, 5), config->per_source, config->total, now);
	return h;
}

void honeypot_free(struct honeypot *h)
{
	if (!h)
		return;
	dialogs_end(&h->dialogs);
	explicit_bzero(&h->stamps, sizeof h->stamps);
	free(h);
}

/* A stronger proof than the message had. */
static void prove(struct turn *t, uint8_t proof, struct view returned, usec issued)
{
	if (t->o.proof == PROOF_NONCE || (t->o.proof == PROOF_TCP && proof == PROOF_ACK))
		return;
	t->o.proof = proof;
	t->o.issued = issued;
	view_copy(t->o.returned, sizeof t->o.returned, returned);
}

/* Credentials: do they bear what this address was sent? */
static void look_at_nonces(struct turn *t)
{
	struct honeypot *h = t->h;
	const struct honeypot_profile *p = &h->profile;
	const uint16_t forms[] = {p->nonce, p->short_nonce};
	bool foreign = false;
	usec issued = 0;

	for (unsigned i = 0; i < t->m.n_credentials; i++) {
		enum stamp_verdict v = STAMP_FOREIGN;

		for (unsigned k = 0; k < 2 && v == STAMP_FOREIGN; k++)
			v = stamp_check(&h->stamps, t->m.credentials[i].nonce,
				p->text + forms[k], STAMP_NONCE, &t->path->remote,
				view_str(p->text + p->realm), t->now, &issued);
		t->own_nonce |= v == STAMP_OURS;
		t->old_nonce |= v == STAMP_EXPIRED;
		foreign |= v == STAMP_FOREIGN && t->m.credentials[i].nonce.n;
		if (v == STAMP_OURS)
			prove(t, PROOF_NONCE, t->m.credentials[i].nonce, issued);
	}
	if (foreign && !t->own_nonce && !t->old_nonce &&
		t->path->transport == TRANSPORT_UDP)
		t->o.signs |= SIGN_FORGED;
}

/* The To-tag of a request: was this address given it? */
static void look_at_tag(struct turn *t)
{
	static const struct {
		enum stamp_purpose purpose;
		uint8_t proof;
	} kinds[] = {{STAMP_REFUSAL, PROOF_NONCE}, {STAMP_ACCEPT, PROOF_ACK}};
	const struct honeypot_profile *p = &t->h->profile;
	usec issued = 0;

	for (size_t i = 0; t->m.to.tag.n && i < sizeof kinds / sizeof *kinds; i++) {
		if (stamp_check(&t->h->stamps, t->m.to.tag, p->text + p->tag,
			    kinds[i].purpose, &t->path->remote, t->m.call_id, t->now,
			    &issued) != STAMP_OURS)
			continue;
		prove(t, kinds[i].proof, t->m.to.tag, issued);
		t->o.signs |= SIGN_TOOK_PART;
		return;
	}
}

/* Who it is, and what speaks for his being there. */
static void look_at(struct turn *t)
{
	struct honeypot *h = t->h;

	if (t->verdict != SIP_VALID || !t->m.request) {
		t->o = (struct observation){
			.time = t->now,
			.source = t->path->remote,
			.port = t->path->remote_port,
			.proof = wire_transport_proof(t->path->transport),
			.transport = t->path->transport,
			.sensor = SENSOR_HONEYPOT,
		};
		view_copy(t->o.agent, sizeof t->o.agent, t->m.agent);
		t->proved = t->path->transport != TRANSPORT_UDP;
		return;
	}
	t->tool = tool_of(h->config.tools, &t->m, t->bytes);
	turn_describe(t);
	look_at_nonces(t);
	look_at_tag(t);
	if (t->o.proof == PROOF_NONCE || t->o.proof == PROOF_ACK)
		h->figures.proofs++;
	/* PROOF_ACK is remembered of the call alone, see honeypot.h. */
	if (t->o.proof == PROOF_NONCE && t->path->transport == TRANSPORT_UDP)
		proved_put(&h->proved, &t->path->remote, t->now);
	t->proved = t->path->transport != TRANSPORT_UDP ||
		proved_has(&h->proved, &t->path->remote, t->now);
}

/*
 * A NUL behind a backslash is text (RFC 3261 25.1, quoted-pair), as in RFC 4475
 * 3.1.1.2. sip_parse() refuses every NUL, for whoever writes it into a log; nothing is
 * written here, so that it is shown one without. Lengths stay as they are.
 */
static struct view without_quoted_nul(struct honeypot *h, struct view bytes)
{
	if (view_find(bytes, 0) == bytes.n || bytes.n > sizeof h->plain)
		return bytes;
	memcpy(h->plain, bytes.p, bytes.n);
	for (size_t i = 1; i < bytes.n; i++)
		if (!h->plain[i] && h->plain[i - 1] == '\\')
			h->plain[i] = '?';
	return view_of(h->plain, bytes.n);
}

/*
 * From: <uri>;tag=a;tag=b has no valid grammar, and a PBX may take the last: a BYE of
 * svwar's is one. Then the message is read once more, without the others.
 */
static void read_last_tag(struct turn *t)
{
	struct view from = t->echo.from, first = {0}, last = {0}, tag = {0};
	struct view rest, name, value;
	struct honeypot *h = t->h;
	size_t cut, at;

	if (!h->profile.last_tag || !t->m.request || t->m.method != SIP_BYE ||
		strcmp(t->why, "From") != 0 || t->bytes.n > sizeof h->plain ||
		view_find(t->bytes, 0) < t->bytes.n)
		return;
	rest = view_from(from, view_find(from, '>'));
	rest = view_from(rest, view_find(rest, ';') + 1);
	while (sip_param_next(&rest, ';', &name, &value) > 0) {
		if (!view_eq_nocase(name, "tag"))
			continue;
		if (first.n && !view_eq(value, tag))
			t->two_tags = true;
		if (!first.n)
			first = name;
		last = name;
		tag = value;
	}
	if (first.p == last.p)
		return;
	at = (size_t)(first.p - t->bytes.p);
	cut = (size_t)(last.p - first.p);
	memcpy(h->plain, t->bytes.p, at);
	memcpy(h->plain + at, t->bytes.p + at + cut, t->bytes.n - at - cut);
	t->verdict = sip_parse(&t->m, view_of(h->plain, t->bytes.n - cut), &t->why);
	if (t->verdict == SIP_VALID)
		t->echo.from = view_of(h->plain + (from.p - t->bytes.p), from.n - cut);
}

void honeypot_receive(
	struct honeypot *h, const struct honeypot_path *path, struct view bytes, usec now)
{
	struct turn t = {.h = h, .path = path, .bytes = bytes, .now = now};

	h->now = now;
	h->figures.received++;
	h->figures.bytes_received += bytes.n;
	stamp_keys_turn(&h->stamps, now);
	t.verdict = sip_parse(&t.m, without_quoted_nul(h, bytes), &t.why);
	if (t.verdict == SIP_KEEPALIVE) {
		h->figures.keepalives++;
		return;
	}
	if (t.verdict != SIP_FOREIGN)
		echo_read(&t.echo, bytes);
	if (t.verdict == SIP_MALFORMED)
		read_last_tag(&t);
	look_at(&t);
	t.budget = t.proved ? SIZE_MAX : bytes.n;
	turn_record(&t);
	if (t.verdict == SIP_FOREIGN) {
		h->figures.foreign++;
		if (injection_packet(bytes))
			turn_observe(&t, OBSERVED_INJECTION);
	} else if (t.verdict == SIP_MALFORMED) {
		h->figures.malformed++;
		turn_malformed(&t);
	} else if (t.m.request) {
		h->figures.requests++;
		turn_request(&t);
	} else {
		h->figures.responses++;
		turn_response(&t);
	}
}

void honeypot_closed(struct honeypot *h, uint64_t connection, usec now)
{
	(void)now;
	dialogs_closed(&h->dialogs, connection);
}

usec honeypot_due(struct honeypot *h, usec now)
{
	struct dialog *d;

	stamp_keys_turn(&h->stamps, now);
	while ((d = dialog_next_due(&h->dialogs, now)))
		dialog_act(h, d, now);
	return h->dialogs.next;
}

usec honeypot_next(const struct honeypot *h)
{
	return h->dialogs.next;
}

bool honeypot_proved(const struct honeypot *h, const struct address *source, usec now)
{
	return proved_has(&h->proved, source, now);
}

void honeypot_figures(const struct honeypot *h, struct honeypot_figures *out)
{
	*out = h->figures;
	out->dialogs = h->dialogs.open;
	out->sources = proved_count(&h->proved, h->now);
	out->memory = sizeof *h + dialogs_memory(&h->dialogs);
}
