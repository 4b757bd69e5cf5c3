/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_NUMBER_URI_H
#define DETECT_NUMBER_URI_H

#include "detect/numbers.h"

/* Whether a dialled text names a domain, or an address: "user@host", "sip:...". */
bool number_is_uri(const char *dialled);

/*
 * Of such a text: FATE_URI and the canonical URI (room for INDICATOR_SOURCE_TEXT and
 * NUL), or why none is told: what is dialled at an address or an own domain is this
 * site's, and a host without a dot, or of a domain that is nobody's, is nothing.
 */
uint8_t number_uri(const struct numbers_config *config, const char *dialled, char *uri);

/* Whether a canonical domain is, or is below, one of the site's own. */
bool number_domain_owned(const struct numbers_config *config, struct view domain);

#endif
