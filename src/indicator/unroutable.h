/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INDICATOR_UNROUTABLE_H
#define INDICATOR_UNROUTABLE_H

#include "indicator/indicator.h"

/* A special-purpose range (IANA registries, RFC 6890 and later). */
struct unroutable {
	struct indicator range;
	const char *name; /* "private use" */
	const char *rfc;  /* "RFC 1918" */
};

/* The range that i overlaps, or NULL. Only kinds ip4 and ip6 can. */
const struct unroutable *unroutable_find(const struct indicator *i);

#endif
