/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SENSE_FILTER_PYTHON_REGEX_H
#define SENSE_FILTER_PYTHON_REGEX_H

#include "base/buffer.h"
#include "base/error.h"

/*
 * Regular expressions are written for Python's `re` on text. These functions
 * make of them what PCRE2 understands in the same way.
 */

/*
 * Put expressions where fail2ban's tags stand: <HOST>, <ADDR>, <IP4>, <IP6>,
 * <DNS>, <CIDR>, <SUBNET>, <SKIPLINES>, <F-NAME>...</F-NAME>; and write global
 * flags inside a group, ((?i)x), as local ones, (?i:x). Appends to out. What is
 * no tag stays. Returns as buffer_put().
 */
int regex_put_tags(struct buffer *out, const char *text);

/*
 * Rewrite a Python expression for PCRE2: flags a, u and L go away ((?iu) is
 * (?i)), {,n} is {0,n}, \Z is \z, \v is \x0b, \s knows U+001C to U+001F, a '['
 * inside a class is a character. What PCRE2 would take and Python does not
 * (verbs, callouts, recursion, \Q, \K ...) is refused, so that no filter works
 * here that fails there. Appends to out. Returns 0, or -1 with a text that says
 * where.
 */
int regex_from_python(struct buffer *out, const char *text, struct error *err);

/* IPv4, IPv6 and host names as fail2ban writes them. */
#define REGEX_IP4    "(?:::f{4,6}:)?(?P<ip4>(?:\\d{1,3}\\.){3}\\d{1,3})"
#define REGEX_IP6    "(?P<ip6>(?:[0-9a-fA-F]{1,4}::?|::){1,7}(?:[0-9a-fA-F]{1,4}|(?<=:):))"
#define REGEX_DNS    "(?P<dns>[\\w\\-.^_]*\\w)"
#define REGEX_CIDR   "(?P<cidr>\\d+)"
#define REGEX_ADDR   "\\[?(?:" REGEX_IP4 "|" REGEX_IP6 ")\\]?"
#define REGEX_HOST   "(?:" REGEX_ADDR "|" REGEX_DNS ")"
#define REGEX_SUBNET "\\[?(?:" REGEX_IP4 "|" REGEX_IP6 ")(?:/" REGEX_CIDR ")?\\]?"

#endif
