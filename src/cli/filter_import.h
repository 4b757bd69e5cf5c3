/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_FILTER_IMPORT_H
#define CLI_FILTER_IMPORT_H

#include <stdio.h>

#include <jansson.h>

#include "sense/filter/conf.h"

/*
 * The enabled jails of fail2ban's configuration as [source] sections, which
 * config_parse() takes as they are, onto out (NULL: not printed) and as objects
 * onto the array list. What cannot be taken over is a comment that says why.
 */
void filter_import_print(FILE *out, json_t *list, const struct conf *conf);

#endif
