/* SPDX-License-Identifier: Apache-2.0 */
#include "sense/log_entry.h"

static size_t put(char *dst, size_t size, size_t at, struct view text)
{
	size_t n = text.n < size - at ? text.n : size - at;

	if (n)
		memcpy(dst + at, text.p, n);
	return at + n;
}

struct view log_entry_line(char *dst, size_t size, const struct log_entry *e)
{
	size_t n = 0;

	if (e->host.n) {
		n = put(dst, size, n, e->host);
		n = put(dst, size, n, view_str(" "));
	}
	if (e->app.n) {
		n = put(dst, size, n, e->app);
		if (e->pid.n) {
			n = put(dst, size, n, view_str("["));
			n = put(dst, size, n, e->pid);
			n = put(dst, size, n, view_str("]"));
		}
		n = put(dst, size, n, view_str(": "));
	}
	n = put(dst, size, n, e->message);
	return view_of(dst, n);
}
