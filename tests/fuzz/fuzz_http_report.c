/* SPDX-License-Identifier: Apache-2.0 */
/* The body of POST /v1/reports: every entry is fit for the outbox, or says why not. */
#include <stdlib.h>

#include "api/http_report.h"
#include "base/escape.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void check_entry(const json_t *entry)
{
	struct error err = {""};
	const char *field = NULL;
	struct http_report r;

	if (http_report_parse(&r, entry, &field, &err)) {
		if (!err.text[0] || !field)
			abort();
		return;
	}
	if (r.indicator.kind < INDICATOR_IP4 || r.indicator.kind > INDICATOR_AGENT ||
		indicator_check_shape(&r.indicator, &err) ||
		r.category == CATEGORY_OBJECTION || r.category == CATEGORY_NONE ||
		r.ttl > HTTP_REPORT_TTL_MAX || !text_is_clean(view_str(r.note)))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct error err = {""};
	char name[HTTP_REPORT_NAME];
	const char *field = NULL;
	size_t count = 0;
	json_t *root = http_reports_load(view_of(p, n), name, &err);

	if (!text_is_clean(view_str(name)) || (root && name[0]))
		abort();

	if (!root || http_reports_list(root, &count, &field, &err)) {
		if (!err.text[0])
			abort();
		json_decref(root);
		return 0;
	}
	if (!count || count > HTTP_REPORTS_MAX)
		abort();
	for (size_t i = 0; i < count; i++)
		check_entry(http_reports_at(root, i));
	json_decref(root);
	return 0;
}
