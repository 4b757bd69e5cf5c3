/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cell_search.h"

static bool usable(const struct cell_search *s, uint32_t cell)
{
	for (unsigned i = 0; i < s->avoid_count; i++)
		if (s->avoid[i] == cell)
			return false;
	return cell < s->cap; /* above a cap that was lowered words only live on */
}

static void take(struct cell_search *s, uint32_t cell, const uint8_t *word)
{
	struct report r;

	word_decode(&r, word);
	if (r.expiry <= s->now || r.generation != s->generation) {
		if (!s->free && usable(s, cell)) {
			s->free = true;
			s->free_cell = cell;
		}
		return;
	}
	if (!s->own && !memcmp(&r.indicator, &s->indicator, sizeof r.indicator)) {
		s->own = true;
		s->own_word = r;
		s->own_word.cell = cell;
	}
	if (usable(s, cell) && (!s->oldest || r.expiry < s->oldest_expiry)) {
		s->oldest = true;
		s->oldest_cell = cell;
		s->oldest_expiry = r.expiry;
	}
}

void cell_search_page(struct cell_search *s, uint32_t from, struct view words)
{
	s->untouched = bytes_zero(words.p, words.n);
	for (size_t i = 0; (i + 1) * WORD_SIZE <= words.n; i++)
		take(s, from + (uint32_t)i, words.p + i * WORD_SIZE);
}

bool cell_search_goes_on(const struct cell_search *s, uint32_t from)
{
	return !s->own && !s->untouched && from < s->cap;
}

int cell_search_choose(const struct cell_search *s, uint32_t *cell, uint8_t *action)
{
	*action = ACTION_REPORT;
	if (s->own && usable(s, s->own_word.cell))
		*cell = s->own_word.cell;
	else if (s->free)
		*cell = s->free_cell;
	else if (s->oldest) {
		*cell = s->oldest_cell;
		*action = ACTION_REPLACE;
	} else
		return -1;
	return 0;
}
