/* SPDX-License-Identifier: Apache-2.0 */
#include "sense/ami_trunks.h"

#include <stdlib.h>

#include "base/escape.h"

#define ENDPOINT_BYTES_MAX 80 /* AST_MAX_EXTENSION: longer ones cannot be dialled */

void ami_trunks_begin(struct ami_trunks *t)
{
	t->names.n = 0;
	t->asked = 0;
	t->endpoints = 0;
	t->count = 0;
	t->unused = 0;
}

void ami_trunks_endpoint(struct ami_trunks *t, struct view name)
{
	/* Clean: no line break can get into the action that asks for it. */
	if (!name.n || name.n > ENDPOINT_BYTES_MAX || !text_is_clean(name) ||
		t->endpoints == AMI_ENDPOINTS_MAX)
		return;
	if (!buffer_put(&t->names, name.p, name.n) && !buffer_put_u8(&t->names, 0))
		t->endpoints++;
}

const char *ami_trunks_next(struct ami_trunks *t)
{
	const char *name;

	if (t->names.failed || t->asked >= t->names.n)
		return NULL;
	name = (const char *)t->names.p + t->asked;
	t->asked += strlen(name) + 1;
	return name;
}

/* The length of a mask whose ones all stand in front. Returns 0 or -1. */
static int mask_length(const struct address *mask, unsigned *plen)
{
	unsigned bits = mask->family == 4 ? 32 : 128, n = 0;

	while (n < bits && mask->bytes[n / 8] & 0x80 >> n % 8)
		n++;
	*plen = n;
	for (; n < bits; n++)
		if (mask->bytes[n / 8] & 0x80 >> n % 8)
			return -1;
	return 0;
}

/* "192.0.2.0/255.255.255.0" and its like. Returns 0 or -1. */
static int match_parse(struct indicator *out, struct view text)
{
	size_t slash = view_find(text, '/');
	struct view after = view_from(text, slash + 1);
	struct address address, mask;
	unsigned plen, most;
	uint64_t n;

	if (address_parse(&address, view_head(text, slash), NULL))
		return -1;
	plen = most = address.family == 4 ? 32 : 128;
	if (slash < text.n && !view_decimal(after, most, &n))
		plen = (unsigned)n;
	else if (slash < text.n &&
		(address_parse(&mask, after, NULL) || mask.family != address.family ||
			mask_length(&mask, &plen)))
		return -1;
	if (plen < (address.family == 4 ? AMI_TRUNK_MIN_V4 : AMI_TRUNK_MIN_V6))
		return -1;
	*out = indicator_from_address(&address, plen);
	return 0;
}

static bool listed(const struct ami_trunks *t, const struct indicator *i)
{
	for (size_t k = 0; k < t->count; k++)
		if (!indicator_compare(&t->list[k].indicator, i))
			return true;
	return false;
}

static void add(struct ami_trunks *t, struct view endpoint, const struct indicator *i)
{
	struct ami_trunk *trunk;

	if (listed(t, i))
		return;
	if (!t->list)
		t->list = calloc(AMI_TRUNKS_MAX, sizeof *t->list);
	if (!t->list || t->count == AMI_TRUNKS_MAX) {
		t->unused++;
		return;
	}
	trunk = &t->list[t->count++];
	memset(trunk, 0, sizeof *trunk);
	trunk->indicator = *i;
	if (text_is_clean(endpoint) && endpoint.n < sizeof trunk->endpoint)
		view_copy(trunk->endpoint, sizeof trunk->endpoint, endpoint);
}

void ami_trunks_match(struct ami_trunks *t, struct view endpoint, struct view match)
{
	struct indicator i;

	while (match.n) {
		size_t end = view_find(match, ',');
		struct view one = view_trim(view_head(match, end));

		match = view_from(match, end + 1);
		if (!one.n)
			continue;
		if (match_parse(&i, one))
			t->unused++;
		else
			add(t, endpoint, &i);
	}
}

void ami_trunks_free(struct ami_trunks *t)
{
	buffer_free(&t->names);
	free(t->list);
	memset(t, 0, sizeof *t);
}
