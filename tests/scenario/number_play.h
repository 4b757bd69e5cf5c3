/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_SCENARIO_NUMBER_PLAY_H
#define TESTS_SCENARIO_NUMBER_PLAY_H

#include "detect/detect.h"

/*
 * What attackers call, in a scenario (run_detect.c) that begins with a statement
 * `numbers`:
 *
 *   numbers country 44 | area 20 | own +44207946* | short 4444 | outside 9,0
 *   numbers bare yes | domestic yes | domains example.com,example.net
 *   numbers calls 2 86400 | prefix 5 86400      threshold and seconds; 0: off
 *   numbers again 3d | bytes 100000 | min-e164 5
 *   numbers allow INDICATOR         on the allowlist: refused, when it is told
 *   numbers forgive INDICATOR       a person lifted its ban
 *   expect number INDICATOR [proof= source-proof= category= calls= sources=
 *           numbers= dialled= text= refuse=yes|no report=yes|no]
 *   expect number-reason TEXT       of the one that was expected last
 *   expect fate DIALLED FATE [INDICATOR]    of the string, as it was judged last;
 *           FATE unjudged: it never was
 *
 * Of every detection it is decided as the daemon does (own.h) whether its source is
 * an attacker. Numbers are expected as detections are.
 */
struct number_play;

struct number_play *number_play_new(void);
void number_play_free(struct number_play *p);

/* words without `numbers`; NULL, or what is wrong. */
const char *number_play_set(struct number_play *p, char **words, unsigned n);
/* words without `expect`; NULL, or what is wrong. */
const char *number_play_expect(struct number_play *p, char **words, unsigned n);

void number_play_note(struct number_play *p, const struct observation *o);
void number_play_detected(struct number_play *p, const struct detection *d);
void number_play_due(struct number_play *p, usec now);

/* How many were told and are not expected yet; they are printed to stderr. */
unsigned number_play_pending(const struct number_play *p);

#endif
