/* SPDX-License-Identifier: Apache-2.0 */
#include "../prng.h"
#include "pending_fixture.h"

/*
 * Random histories: a chain that forks (never deeper than what counts as
 * final), a pool that loses transactions, reverts, a thief of nonces, answers
 * that fail or come late and stale, restarts at any point. Whatever happens,
 * each batch ends on the chain exactly once.
 */
#define BATCHES 12
#define DEPTH   4
#define BLOCKS  4000
#define SENT    600
#define ROWS    600
#define ASKED   400

struct mined {
	int sent[64]; /* -1: somebody else's */
	bool success[64];
	unsigned n;
	uint64_t nonce; /* after it */
	uint8_t fork;
};

struct sent_bytes {
	uint8_t hash[HASH_SIZE];
	uint64_t nonce, fee;
	int batch;
	bool pooled;
};

struct row {
	struct saved_row {
		uint8_t raw[700];
		struct sent row;
	} saved;
	bool gone;
};

/* A question on its way, with the answer that it had when it was asked. */
struct asked {
	struct action a;
	struct sighting sighting;
	uint64_t count;
	enum answer answer;
};

struct model {
	struct world *w;
	struct prng r;
	struct mined block[BLOCKS];
	uint64_t head;
	struct sent_bytes sent[SENT];
	int sent_count;
	struct row row[ROWS];
	int row_count;
	struct asked asked[ASKED];
	int asked_count;
	bool done[BATCHES], begun[BATCHES];
	bool calm; /* no more faults */
	unsigned reorganisations, thefts, restarts, reverts;
};

static bool chance(struct model *m, unsigned percent)
{
	return prng_below(&m->r, 100) < percent;
}

static bool fault(struct model *m, unsigned percent)
{
	return !m->calm && chance(m, percent);
}

static uint64_t final_of(const struct model *m)
{
	return m->head > DEPTH ? m->head - DEPTH : 0;
}

/* --- the chain --- */

static bool on_chain(const struct model *m, int sent)
{
	for (uint64_t b = 1; b <= m->head; b++)
		for (unsigned i = 0; i < m->block[b].n; i++)
			if (m->block[b].sent[i] == sent)
				return true;
	return false;
}

static unsigned times_on_chain(const struct model *m, int batch)
{
	unsigned n = 0;

	for (uint64_t b = 1; b <= m->head; b++)
		for (unsigned i = 0; i < m->block[b].n; i++)
			n += m->block[b].sent[i] >= 0 && m->block[b].success[i] &&
				m->sent[m->block[b].sent[i]].batch == batch;
	return n;
}

static void put_in(struct mined *b, int sent, bool success)
{
	assert_in_range(b->n, 0, 63);
	b->sent[b->n] = sent;
	b->success[b->n++] = success;
	b->nonce++;
}

static void mine(struct model *m, bool theft)
{
	struct mined *b = &m->block[++m->head];

	assert_in_range(m->head, 1, BLOCKS - 1);
	b->n = 0;
	b->nonce = b[-1].nonce;
	b->fork = b[-1].fork;
	if (theft)
		put_in(b, -1, true);
	for (bool more = true; more && b->n < 60;) {
		int best = -1;

		for (int i = 0; i < m->sent_count; i++)
			if (m->sent[i].pooled && m->sent[i].nonce == b->nonce &&
				(best < 0 || m->sent[i].fee > m->sent[best].fee))
				best = i;
		more = best >= 0 && !fault(m, 20);
		if (more) {
			bool reverts = fault(m, 5);

			m->reverts += reverts;
			put_in(b, best, !reverts);
		}
	}
}

static void reorganise(struct model *m)
{
	unsigned n = 1 + prng_below(&m->r, DEPTH);
	uint8_t fork = (uint8_t)(m->block[m->head].fork + 1);

	if (m->head < 10)
		return;
	m->reorganisations++;
	for (unsigned i = 0; i < n; i++) {
		struct mined *b = &m->block[m->head--];

		for (unsigned k = 0; k < b->n; k++)
			if (b->sent[k] >= 0)
				m->sent[b->sent[k]].pooled = chance(m, 50);
	}
	for (unsigned i = 0; i < n; i++) {
		mine(m, fault(m, 5));
		m->block[m->head].fork = fork;
	}
}

static void tell_head(struct model *m)
{
	struct header h = {.number = m->head,
		.timestamp = 1700000000 + m->head,
		.gas_limit = 30000000};

	block_hash(h.hash, m->head, m->block[m->head].fork);
	block_hash(h.parent, m->head - 1, m->block[m->head - 1].fork);
	pending_head(m->w->set, &h, final_of(m));
}

/* --- what is asked of it --- */

static enum answer take(struct model *m, const struct pending *b)
{
	const struct offer *o = &b->offers[b->offer_count - 1];
	int i = 0;

	while (i < m->sent_count && memcmp(m->sent[i].hash, o->hash, HASH_SIZE))
		i++;
	assert_in_range(i, 0, m->sent_count - 1); /* it was signed */
	if (fault(m, 10))
		return ANSWER_NONE;
	if (fault(m, 3))
		return ANSWER_POOL_FULL;
	if (o->nonce < m->block[m->head].nonce)
		return ANSWER_NONCE_LOW;
	if (m->sent[i].pooled)
		return ANSWER_KNOWN;
	m->sent[i].pooled = !fault(m, 10);
	return ANSWER_ACCEPTED;
}

static struct sighting look(struct model *m, const struct action *a)
{
	struct sighting s = {.kind = SIGHTING_ABSENT};
	const struct pending *p = a->batch;

	if (fault(m, 10))
		s.kind = SIGHTING_UNKNOWN;
	/* One endpoint's index may lag; of all of them it is not believed to. */
	if (s.kind == SIGHTING_UNKNOWN ||
		(!a->everywhere && !a->canonical && fault(m, 10)))
		return s;
	for (uint64_t n = 1; n <= m->head; n++)
		for (unsigned i = 0; i < m->block[n].n; i++)
			for (unsigned k = 0; k < p->offer_count; k++) {
				int t = m->block[n].sent[i];

				if (t < 0 ||
					memcmp(m->sent[t].hash, p->offers[k].hash,
						HASH_SIZE))
					continue;
				if (!m->block[n].success[i] &&
					p->offers[k].nonce != p->nonce)
					continue;
				s.kind = SIGHTING_FOUND;
				s.offer = k;
				s.succeeded = m->block[n].success[i];
				s.block = n;
				block_hash(s.block_hash, n, m->block[n].fork);
			}
	return s;
}

static uint64_t count_at(const struct model *m, uint64_t block)
{
	return m->block[block < m->head ? block : m->head].nonce;
}

static void compute(struct model *m, struct asked *q)
{
	if (q->a.kind == ACTION_SEND)
		q->answer = take(m, q->a.batch);
	else if (q->a.kind == ACTION_LOOK)
		q->sighting = look(m, &q->a);
	else if (q->a.kind == ACTION_COUNT)
		q->count = count_at(m, m->head);
	else if (q->a.kind == ACTION_FINAL_COUNT)
		q->count = count_at(m, q->a.block);
}

static void resolve(struct model *m, struct asked *q)
{
	static const struct fee_quotes price = {.gas_price = GWEI};
	struct preflight p = {.outcome = PREFLIGHT_PASSED, .gas = 100000};
	struct pending_set *set = m->w->set;
	uint32_t jitter = (uint32_t)prng_next(&m->r);
	uint64_t now = m->w->now;

	switch ((int)q->a.kind) {
	case ACTION_COUNT:
		pending_count(set, !fault(m, 10), q->count, now, jitter);
		break;
	case ACTION_FINAL_COUNT:
		pending_final_count(set, !fault(m, 10), q->count);
		break;
	case ACTION_QUOTES:
		pending_quotes(set, fault(m, 10) ? NULL : &price, now, jitter);
		break;
	case ACTION_PREFLIGHT:
		if (fault(m, 10))
			p.outcome = PREFLIGHT_AGAIN;
		pending_preflight(set, q->a.batch, &p, now, jitter);
		break;
	case ACTION_SEND:
		pending_answered(set, q->a.batch, q->answer, "", now, jitter);
		break;
	case ACTION_LOOK:
		pending_looked(set, q->a.batch, &q->sighting, now, jitter);
		break;
	default:
		fail_msg("not asked");
	}
}

/* Some of what is on its way arrives, in any order. */
static void arrive(struct model *m)
{
	for (int i = 0; i < m->asked_count;) {
		struct asked q = m->asked[i];

		if (!m->calm && chance(m, 40)) {
			i++;
			continue;
		}
		m->asked[i] = m->asked[--m->asked_count];
		if (chance(m, 50) && q.a.kind != ACTION_SEND)
			compute(m, &q); /* else as it was when asked */
		resolve(m, &q);
	}
}

/* --- what is done at once --- */

static void sign_and_save(struct model *m, const struct action *a)
{
	struct row *r = &m->row[m->row_count];
	struct sent_bytes *t = &m->sent[m->sent_count];
	struct buffer raw = {0};

	assert_in_range(m->row_count, 0, ROWS - 1);
	assert_in_range(m->sent_count, 0, SENT - 1);
	assert_int_equal(
		transaction_sign(&raw, m->w->last_hash, &a->transaction, m->w->signer),
		0);
	assert_in_range(raw.n, 1, sizeof r->saved.raw);
	for (int i = 0; i < m->sent_count; i++)
		assert_memory_not_equal(m->sent[i].hash, m->w->last_hash, HASH_SIZE);
	memset(t, 0, sizeof *t);
	memcpy(t->hash, m->w->last_hash, HASH_SIZE);
	t->nonce = a->transaction.nonce;
	t->fee = a->transaction.max_fee;
	t->batch = a->batch->filler ? -1 : (int)a->batch->ticket;
	m->sent_count++;
	memset(r, 0, sizeof *r);
	memcpy(r->saved.raw, raw.p, raw.n);
	r->saved.row = (struct sent){.id = (uint64_t)m->row_count + 1,
		.ticket = a->batch->ticket,
		.nonce = t->nonce,
		.raw = {r->saved.raw, raw.n}};
	memcpy(r->saved.row.batch, a->batch->submission.hash, HASH_SIZE);
	memcpy(r->saved.row.hash, t->hash, HASH_SIZE);
	m->row_count++;
	/* Killed here, it is in the journal and was never sent. */
	pending_signed(m->w->set, a->batch, &a->transaction, t->hash,
		view_of(raw.p, raw.n), m->w->now);
}

static void end_it(struct model *m, struct pending *b)
{
	int batch = b->filler ? -1 : (int)b->ticket;

	for (int i = 0; i < m->row_count; i++) {
		struct row *r = &m->row[i];

		if (memcmp(r->saved.row.batch, b->submission.hash, HASH_SIZE))
			continue;
		if (b->fate.fate == FATE_FINAL) {
			r->saved.row.block = b->fate.block;
			r->saved.row.settled = b->settled;
			r->saved.row.told = true;
		} else {
			r->gone = true;
		}
	}
	if (batch < 0) {
		/* It is there for its nonce alone. */
	} else if (b->fate.fate == FATE_FINAL) {
		if (times_on_chain(m, batch) != 1)
			fail_msg("final, and %u times on the chain",
				times_on_chain(m, batch));
		m->done[batch] = true;
	} else {
		assert_int_equal(b->fate.fate, FATE_FAILED);
		assert_int_equal(times_on_chain(m, batch), 0);
		m->begun[batch] = false; /* its author tries again */
	}
	pending_ended(m->w->set, b, NULL, m->w->now, 0);
}

static void forget_rows(struct model *m, struct pending *b)
{
	for (int i = 0; i < m->row_count; i++)
		if (!memcmp(m->row[i].saved.row.batch, b->submission.hash, HASH_SIZE))
			m->row[i].gone = true;
	pending_forget(m->w->set, b);
}

static void work(struct model *m)
{
	struct action a;

	for (int n = 0; pending_next(m->w->set, m->w->now, !fault(m, 5), &a); n++) {
		if (n > 300)
			fail_msg("it never ends");
		if (a.kind == ACTION_SIGN) {
			sign_and_save(m, &a);
		} else if (a.kind == ACTION_END) {
			end_it(m, a.batch);
		} else if (a.kind == ACTION_FORGET) {
			forget_rows(m, a.batch);
		} else if (a.kind != ACTION_TROUBLE) {
			struct asked *q = &m->asked[m->asked_count++];

			assert_in_range(m->asked_count, 0, ASKED - 1);
			memset(q, 0, sizeof *q);
			q->a = a;
			compute(m, q);
		}
	}
}

static void hand_over(struct model *m, int batch)
{
	m->begun[batch] = true;
	submit(m->w, (uint64_t)batch, (unsigned)batch * 10);
}

static int by_nonce(const void *a, const void *b)
{
	const struct sent *x = *(const struct sent *const *)a;
	const struct sent *y = *(const struct sent *const *)b;

	if (x->nonce != y->nonce)
		return x->nonce < y->nonce ? -1 : 1;
	return x->id < y->id ? -1 : x->id > y->id;
}

static void restart(struct model *m)
{
	const struct sent *rows[ROWS];
	int64_t highest = -1;
	struct error err;
	int n = 0;

	m->restarts++;
	for (int i = 0; i < m->row_count; i++) {
		if ((int64_t)m->row[i].saved.row.nonce > highest)
			highest = (int64_t)m->row[i].saved.row.nonce;
		if (!m->row[i].gone)
			rows[n++] = &m->row[i].saved.row;
	}
	qsort(rows, (size_t)n, sizeof *rows, by_nonce);
	pending_free(m->w->set);
	start(m->w, highest);
	m->asked_count = 0;
	for (int i = 0; i < n; i++)
		if (pending_restore(m->w->set, rows[i], &err))
			fail_msg("%s", err.text);
	/* Its author knows which have no fate yet, and hands them over again;
	 * now and then also one whose fate he has heard. */
	for (int i = 0; i < BATCHES; i++)
		if (m->begun[i] && (!m->done[i] || chance(m, 10)))
			hand_over(m, i);
}

static void step(struct model *m)
{
	m->w->now += prng_below(&m->r, 3000);
	if (chance(m, 30))
		mine(m, false);
	if (fault(m, 2))
		reorganise(m);
	if (fault(m, 1)) {
		mine(m, true);
		m->thefts++;
	}
	if (fault(m, 2) && m->sent_count) {
		int i = (int)prng_below(&m->r, (unsigned)m->sent_count);

		m->sent[i].pooled = m->sent[i].pooled && on_chain(m, i);
	}
	if (m->head && !fault(m, 30))
		tell_head(m);
	for (int i = 0; i < BATCHES; i++)
		if (!m->begun[i] && chance(m, 3))
			hand_over(m, i);
	work(m);
	if (fault(m, 1))
		restart(m);
	arrive(m);
	work(m);
}

static bool all_done(const struct model *m)
{
	for (int i = 0; i < BATCHES; i++)
		if (!m->done[i])
			return false;
	return true;
}

static struct model *play(struct world *w, uint64_t seed)
{
	struct model *m = calloc(1, sizeof *m);
	int n = 0;

	assert_non_null(m);
	m->w = w;
	m->r.state = seed * UINT64_C(0x9e3779b97f4a7c15);
	for (int i = 0; i < 400 && m->sent_count < SENT / 2; i++)
		step(m);
	m->calm = true;
	for (; !all_done(m) && n < 3000; n++)
		step(m);
	for (int i = 0; i < BATCHES; i++)
		if (!m->done[i] || times_on_chain(m, i) != 1)
			fail_msg("seed %u: batch %d is %u times on the chain, %s",
				(unsigned)seed, i, times_on_chain(m, i),
				m->done[i] ? "final" : "not final");
	return m;
}

static void whatever_happens_each_is_there_once(void **state)
{
	struct world *w = *state;
	unsigned reorganisations = 0, thefts = 0, restarts = 0, reverts = 0;

	for (uint64_t seed = 1; seed <= 150; seed++) {
		struct model *m = play(w, seed);

		reorganisations += m->reorganisations;
		thefts += m->thefts;
		restarts += m->restarts;
		reverts += m->reverts;
		free(m);
		pending_free(w->set);
		start(w, -1);
	}
	fprintf(stderr,
		"150 histories: %u reorganisations, %u nonces stolen, %u restarts, %u "
		"reverts\n",
		reorganisations, thefts, restarts, reverts);
	/* It would prove nothing without them. */
	assert_true(
		reorganisations > 150 && thefts > 150 && restarts > 150 && reverts > 50);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_world(whatever_happens_each_is_there_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
