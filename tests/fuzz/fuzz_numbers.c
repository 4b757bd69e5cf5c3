/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What attackers call: each line of the input is one observation, four letters and
 * what was dialled. Whatever comes, what is told is well-formed and never what may not
 * be told.
 */
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "detect/number_uri.h"

#define S USEC_PER_SEC

static void expect(bool holds)
{
	if (!holds)
		abort();
}

static void told(const struct numbers_config *c, const struct number_detection *d)
{
	char text[INDICATOR_TEXT];

	expect(!indicator_check(&d->indicator,
		&(struct indicator_limits){.min_v4 = 16, .min_v6 = 32, .min_e164 = 5},
		NULL));
	expect(d->proof == PROOF_RULE || d->proof == PROOF_CLUSTER);
	expect(d->calls && d->sources && d->sources <= NUMBER_SOURCES_MAX);
	expect(text_is_clean(view_str(d->reason)));
	indicator_print(text, &d->indicator);
	if (d->indicator.kind == INDICATOR_NUMBER) {
		/* None of the site's country, none of its own. */
		expect(strncmp(text, "+44", 3) != 0);
		expect(!dial_plan_owns(
			&c->plan, view_of(text + 1, strcspn(text + 1, "*"))));
	} else {
		const char *host = strchr(d->text, '@');

		host = host ? host + 1 : d->text;
		expect(!number_domain_owned(c, view_of(host, strcspn(host, ":;"))));
	}
}

static void drain(struct numbers *n, const struct numbers_config *c, usec now)
{
	struct number_detection d;

	while (numbers_due(n, now, &d)) {
		told(c, &d);
		if (d.calls % 3 == 0)
			numbers_refuse(n, &d.indicator);
		if (d.calls % 5 == 0)
			numbers_forgive(n, &d.indicator);
	}
}

static void line(struct numbers *n, struct view v, usec now)
{
	struct observation o = {.time = now, .source = {.family = 4}};

	o.source.bytes[3] = v.p[0] & 7;
	o.kind = (v.p[1] & 15) % (OBSERVED_DIALLED + 1);
	o.proof = (v.p[2] & 15) % PROOF_COUNT;
	o.sensor = v.p[3] & 7;
	o.attempt = v.p[3] >> 3;
	if (v.p[0] & 8) {
		o.source.family = 6;
		o.source.bytes[15] = v.p[0] >> 4;
	}
	view_copy(o.dialled, sizeof o.dialled, view_from(v, 4));
	view_copy(o.account, sizeof o.account, view_head(v, 1));
	numbers_note(n, &o);
	if (v.p[1] & 0x80) {
		struct detection d = {.time = now,
			.source = o.source,
			.plen = o.source.family == 6 && v.p[1] & 0x40 ? 64 : 0,
			.category = v.p[2] & 0x80 ? CATEGORY_STOLEN : CATEGORY_FRAUD,
			.proof = PROOF_TCP};

		memcpy(d.account, o.account, sizeof d.account);
		if (d.plen)
			memset(d.source.bytes + 8, 0, 8);
		numbers_convict(n, &d);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct view rest = view_of(data, size);
	struct numbers_config c;
	struct numbers *n;
	usec now = 1000 * S;

	numbers_config_default(&c);
	expect(!dial_plan_country(&c.plan, view_str("44"), NULL));
	expect(!dial_plan_own(&c.plan, view_str("+97259000*"), NULL));
	strcpy(c.domains[0], "example.org");
	c.n_domains = 1;
	c.bytes_max = 20000;
	c.again = 60;
	n = numbers_new(&c, (struct hash_key){1, 2});
	expect(n != NULL);
	while (rest.n) {
		size_t end = view_find(rest, '\n');
		struct view v = view_head(rest, end);

		rest = view_from(rest, end < rest.n ? end + 1 : end);
		now += S / 2;
		if (v.n >= 4)
			line(n, v, now);
		drain(n, &c, now);
	}
	numbers_configure(n, &c);
	drain(n, &c, now + 10 * S);
	numbers_free(n);
	return 0;
}
