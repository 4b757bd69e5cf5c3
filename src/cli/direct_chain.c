/* SPDX-License-Identifier: Apache-2.0 */
/* What a one-word report needs to know of a ledger on a chain, by views. */
#include "cli/direct.h"

#include <string.h>

#include "base/clock.h"
#include "ledger/ethereum/abi.h"

/*
 * Cells of the first page, which is asked for together with the member; each
 * further one has twice as many as the one before, up to the most.
 */
#define FIRST_CELLS 64
#define PAGE_CELLS  1024

static struct view result(const struct session_view *v)
{
	return view_of(v->result.p, v->result.n);
}

static int malformed(struct desk *d, const struct error *err)
{
	return session_fail(&d->why, SESSION_LIED, "%s: a malformed view: %s",
		session_endpoint(d->session), err->text);
}

/* What a view gave, decoded; a contract that is not ours says so. 0 or -1. */
static int checked(struct direct *d, int decoded, const struct error *err)
{
	if (!decoded)
		return 0;
	return session_check_code(d->desk.session, &d->desk.why) ?
		-1 :
		malformed(&d->desk, err);
}

/* Open the session, with the signer's member and the configuration. 0 or -1. */
static int ask_member(struct direct *d)
{
	struct desk *k = &d->desk;
	struct session_view v[3];
	struct error err = {""};
	uint64_t index = 0, version = 0;
	int rc = -1;

	memset(v, 0, sizeof v);
	abi_call_version(&v[0].call);
	abi_call_member_of(&v[1].call, signer_address(k->signer));
	abi_call_config(&v[2].call);
	k->session = session_open_views(&k->choice.config.ledger.ethereum, v, 3, &k->why);
	if (k->session)
		rc = checked(d,
			abi_uint_decode(&version, result(&v[0]), &err) ||
				version != CONTRACT_VERSION ||
				abi_uint_decode(&index, result(&v[1]), &err) ||
				index > UINT16_MAX ||
				abi_config_decode(
					&d->standing.config, result(&v[2]), &err),
			&err);
	views_free(v, 3);
	d->standing.member.index = (uint16_t)index;
	return rc;
}

/* One page of cells into words, which points into v. 0 or -1. */
static int take_page(struct direct *d, const struct session_view *v, uint32_t count,
	struct view *words)
{
	struct error err = {""};

	if (checked(d, abi_words_decode(words, result(v), &err), &err))
		return -1;
	if (words->n == (size_t)count * WORD_SIZE)
		return 0;
	return session_fail(&d->desk.why, SESSION_LIED, "%s: gave %zu cells of %u",
		session_endpoint(d->desk.session), words->n / WORD_SIZE, count);
}

int standing_chain(struct direct *d)
{
	struct session_view v[2];
	struct error err = {""};
	struct view words;
	uint16_t index;
	int rc;

	if (ask_member(d))
		return -1;
	d->standing.now = (uint32_t)session_head(d->desk.session)->timestamp;
	index = d->standing.member.index;
	if (!index)
		return 0;
	memset(v, 0, sizeof v);
	abi_call_member(&v[0].call, index);
	abi_call_snapshot(&v[1].call, index, 0, FIRST_CELLS);
	rc = session_views(d->desk.session, NULL, v, 2, &d->desk.why);
	if (!rc)
		rc = checked(d,
			abi_member_decode(&d->standing.member, result(&v[0]), &err),
			&err);
	if (!rc)
		rc = take_page(d, &v[1], FIRST_CELLS, &words);
	if (!rc)
		rc = buffer_put(&d->cells, words.p, words.n);
	views_free(v, 2);
	d->standing.member.index = index;
	return rc;
}

/* One further page of cells. 0 or -1. */
static int ask_page(
	struct direct *d, struct cell_search *search, uint32_t from, uint32_t count)
{
	struct session_view v = {.call = {0}};
	struct view words;
	int rc;

	abi_call_snapshot(&v.call, d->standing.member.index, from, count);
	rc = session_views(d->desk.session, NULL, &v, 1, &d->desk.why);
	if (!rc)
		rc = take_page(d, &v, count, &words);
	if (!rc)
		cell_search_page(search, from, words);
	views_free(&v, 1);
	return rc;
}

/* The first page: as it was, or, after somebody was faster, anew. 0 or -1. */
static int first_page(struct direct *d, struct cell_search *search)
{
	if (!d->cells.n)
		return ask_page(d, search, 0, FIRST_CELLS);
	cell_search_page(search, 0, view_of(d->cells.p, d->cells.n));
	d->cells.n = 0;
	return 0;
}

/* A word in a cell that is out of the usual order: the whole ledger is read. */
static int find_word(struct direct *d, struct cell_search *search)
{
	uint32_t now = (uint32_t)(clock_wall() / USEC_PER_SEC);

	if (session_read(d->desk.session, false, now, NULL, NULL, &d->desk.why))
		return -1;
	search->own = !registry_own_word(
		reading_registry(session_reading(d->desk.session)),
		d->standing.member.index, &d->indicator, d->standing.now,
		&search->own_word);
	return 0;
}

int cell_chain(struct direct *d)
{
	const struct member *m = &d->standing.member;
	struct cell_search search = {.indicator = d->indicator,
		.generation = m->generation,
		.cap = m->cap,
		.now = d->standing.now,
		.avoid = d->taken,
		.avoid_count = d->taken_count};
	uint32_t from = FIRST_CELLS, page = FIRST_CELLS, count;

	if (first_page(d, &search))
		return -1;
	while (cell_search_goes_on(&search, from)) {
		page = page < PAGE_CELLS ? 2 * page : PAGE_CELLS;
		count = search.cap - from < page ? search.cap - from : page;
		if (ask_page(d, &search, from, count))
			return -1;
		from += count;
	}
	if (d->kind == DIRECT_REVOKE) {
		if (!search.own && find_word(d, &search))
			return -1;
		if (!search.own)
			return 1;
		d->word.cell = search.own_word.cell;
		d->word.category = search.own_word.category;
		d->word.proof = search.own_word.proof;
		d->word.expiry = search.own_word.expiry;
		d->word.action = ACTION_SPEND;
		return 0;
	}
	if (!cell_search_choose(&search, &d->word.cell, &d->word.action))
		return 0;
	return session_fail(
		&d->desk.why, SESSION_FAILED, "member %u has no cell", m->index);
}
