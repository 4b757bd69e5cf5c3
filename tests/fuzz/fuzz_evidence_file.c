/* SPDX-License-Identifier: Apache-2.0 */
/* A file that a stranger gives: whatever it holds, it is read or refused with a
 * text, and what was read agrees with itself or says why not. */
#include <stdlib.h>

#include "api/evidence_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct evidence_search nothing = {.seq = 1};
	struct error err = {""};
	struct evidence_file f;

	if (evidence_file_parse(&f, view_of(p, n), &err)) {
		if (!err.text[0])
			abort();
		return 0;
	}
	if (f.body_length > EVIDENCE_BODY_MAX || f.path.length > MERKLE_DEPTH_MAX)
		abort();
	if (evidence_file_check(&f, &err) && !err.text[0])
		abort();
	err.text[0] = 0;
	/* No ledger is empty and yet holds it. */
	if (!evidence_search_judge(&nothing, &f, f.ledger, &err) || !err.text[0])
		abort();
	evidence_file_free(&f);
	return 0;
}
