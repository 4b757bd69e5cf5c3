/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_PASSWORD_H
#define CLI_PASSWORD_H

#include "cli/command.h"
#include "ledger/keystore.h"

/* A password in a locked page of its own: secret_page_free() wipes it. */
struct password {
	size_t n;
	char text[KEYSTORE_PASSWORD_MAX + 2]; /* its line's end, too, on the way */
};

/*
 * From --password-file (one line), else asked on the terminal without echo,
 * a second time when twice. NULL after having said why; *code is the exit code
 * then. Never from the command line, the environment or standard input.
 */
struct password *password_take(
	struct invocation *in, const char *prompt, bool twice, int *code);

#endif
