/* SPDX-License-Identifier: Apache-2.0 */
/* Which known name did the operator mean? */
#include "daemon/config_nearest.h"

#include "daemon/config_schema.h"

#define NAME_MAX_LEN NEAREST_NONE

/*
 * Optimal string alignment distance: insertions, deletions, substitutions and
 * swaps of neighbours, each 1. Names past NAME_MAX_LEN are far from everything.
 */
static unsigned distance(const char *a, const char *b)
{
	unsigned row[3][NAME_MAX_LEN + 1];
	size_t n = strlen(a), m = strlen(b);

	if (n > NAME_MAX_LEN || m > NAME_MAX_LEN)
		return NAME_MAX_LEN;
	for (size_t j = 0; j <= m; j++)
		row[0][j] = (unsigned)j;
	for (size_t i = 1; i <= n; i++) {
		unsigned *now = row[i % 3], *last = row[(i + 2) % 3],
			 *before = row[(i + 1) % 3];

		now[0] = (unsigned)i;
		for (size_t j = 1; j <= m; j++) {
			unsigned d = last[j - 1] + (a[i - 1] != b[j - 1]);

			if (last[j] + 1 < d)
				d = last[j] + 1;
			if (now[j - 1] + 1 < d)
				d = now[j - 1] + 1;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
				a[i - 2] == b[j - 1] && before[j - 2] + 1 < d)
				d = before[j - 2] + 1;
			now[j] = d;
		}
	}
	return row[n % 3][m];
}

bool name_nearer(const char *name, const char *candidate, unsigned *best)
{
	unsigned d = distance(name, candidate);

	if (d >= *best || d > 1 + strlen(candidate) / 3)
		return false;
	*best = d;
	return true;
}

const char *config_nearest_section(const char *name)
{
	unsigned best = NEAREST_NONE;
	const char *found = NULL;

	for (size_t i = 0; i < config_sections_count; i++)
		if (name_nearer(name, config_sections[i].name, &best))
			found = config_sections[i].name;
	return found;
}

const struct config_key *config_nearest_key(const char *section, const char *name)
{
	const struct config_key *found = NULL;
	unsigned best = NEAREST_NONE;

	for (size_t i = 0; i < config_keys_count; i++)
		if (strcmp(config_keys[i].section, section) == 0 &&
			name_nearer(name, config_keys[i].name, &best))
			found = &config_keys[i];
	if (found)
		return found;
	/* The right name in the wrong section? */
	for (size_t i = 0; i < config_keys_count; i++)
		if (strcmp(config_keys[i].name, name) == 0)
			return &config_keys[i];
	return NULL;
}
