/* SPDX-License-Identifier: Apache-2.0 */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int error_set(struct error *err, const char *fmt, ...)
{
	va_list ap;

	if (!err)
		return -1;
	va_start(ap, fmt);
	if (vsnprintf(err->text, sizeof(err->text), fmt, ap) < 0)
		err->text[0] = '\0';
	va_end(ap);
	return -1;
}

int error_prefix(struct error *err, const char *fmt, ...)
{
	struct error old;
	va_list ap;
	size_t at, n;
	int rc;

	if (!err)
		return -1;
	old = *err;
	va_start(ap, fmt);
	rc = vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	if (rc < 0 || (size_t)rc > sizeof(err->text) - 3) {
		/* No room for both: the reason says more than the place. */
		*err = old;
		return -1;
	}
	at = (size_t)rc;
	memcpy(err->text + at, ": ", 2);
	at += 2;
	n = strnlen(old.text, sizeof(err->text) - 1 - at);
	memcpy(err->text + at, old.text, n);
	err->text[at + n] = '\0';
	return -1;
}
