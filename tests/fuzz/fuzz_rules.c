/* SPDX-License-Identifier: Apache-2.0 */
/* The reader of rules, and a detector that works by what it read. */
#include <stdlib.h>

#include "detect/detect.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void run(const struct rules *rules)
{
	struct detect_config config = detect_config_default;
	struct observation o = {.source = {.family = 6},
		.time = 1767225600 * USEC_PER_SEC,
		.proof = PROOF_NONCE,
		.sensor = SENSOR_HEP,
		.account = "101",
		.dialled = "00972590000101",
		.agent = "friendly-scanner"};
	struct detection out;
	struct detector *d;

	config.more = rules;
	config.sources_max = 64;
	d = detector_new(&config, (struct hash_key){1, 2});
	if (!d)
		return;
	for (unsigned i = 0; i < 200; i++) {
		o.kind = (uint8_t)(1 + i % (OBSERVED_KINDS - 1));
		o.method = (uint8_t)(i % 8);
		o.signs = (uint8_t)(i % 5);
		o.attempt = i + 1;
		o.source.bytes[15] = (uint8_t)(i % 9);
		o.time += USEC_PER_SEC;
		if (detector_feed(d, &o, &out) &&
			memchr(out.reason, 0, sizeof out.reason) == NULL)
			abort();
		while (detector_due(d, o.time, &out))
			;
	}
	detector_free(d);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct rules rules = *rules_builtin();
	struct buffer errors = {.max = 1 << 20};
	int rc = rules_read(&rules, "fuzz", view_of(p, n), &errors);

	if (rules.n > RULES_MAX || (rc && !errors.n && !errors.failed))
		abort();
	if (!rc)
		run(&rules);
	buffer_free(&errors);
	return 0;
}
