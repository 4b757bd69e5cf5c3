/* SPDX-License-Identifier: Apache-2.0 */
/* sipchain key */
#include <errno.h>
#include <unistd.h>

#include "base/hex.h"
#include "cli/command.h"
#include "ledger/ledger.h"

static int print_address(struct invocation *in, const char *path, const struct signer *s)
{
	char address[43];
	json_t *out;

	address20_print(address, signer_address(s));
	if (!given(in, OPTION_JSON)) {
		printf("%s\n", address);
		return 0;
	}
	out = json_pack("{s:s, s:s}", "address", address, "file", path);
	print_json(out);
	json_decref(out);
	return 0;
}

int run_key_new(struct invocation *in)
{
	struct signer *s = signer_create(in->arguments[0], &in->error);

	if (!s && (errno == EACCES || errno == EPERM || errno == EROFS))
		return failure(CONTROL_PERMISSION, "%s", in->error.text);
	if (!s)
		return failure(CONTROL_FAILED, "%s", in->error.text);
	print_address(in, in->arguments[0], s);
	signer_free(s);
	return 0;
}

int run_key_address(struct invocation *in)
{
	int code = file_permitted(in->arguments[0], R_OK);
	struct signer *s;

	if (code)
		return code;
	s = signer_open(in->arguments[0], &in->error);
	if (!s)
		return failure(CONTROL_FAILED, "%s", in->error.text);
	print_address(in, in->arguments[0], s);
	signer_free(s);
	return 0;
}
