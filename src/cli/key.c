/* SPDX-License-Identifier: Apache-2.0 */
/* sipchain key; keystores are Web3 Secret Storage, version 3 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/secret_page.h"
#include "cli/new_file.h"
#include "cli/password.h"

static int print_address(struct invocation *in, const char *path, const struct signer *s)
{
	char address[ADDRESS20_TEXT];
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

/* Reading or writing failed with errno. Returns the exit code. */
static int file_failed(const char *text)
{
	if (errno == EACCES || errno == EPERM || errno == EROFS)
		return failure(CONTROL_PERMISSION, "%s", text);
	return failure(CONTROL_FAILED, "%s", text);
}

int run_key_new(struct invocation *in)
{
	struct signer *s = signer_create(in->arguments[0], &in->error);

	if (!s)
		return file_failed(in->error.text);
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

/* --- keystores --- */

/* --out, which must not be there yet. NULL after having said why. */
static const char *new_file(struct invocation *in, int *code)
{
	const char *path = option(in, OPTION_OUT, NULL);

	*code = 0;
	if (!path)
		*code = failure(CONTROL_USAGE, "where to? give --out FILE");
	else if (!access(path, F_OK))
		*code = failure(CONTROL_FAILED,
			"%s is there already and is not overwritten; choose another name",
			shown(path));
	return *code ? NULL : path;
}

/* --- import --- */

/* The file's text. Returns 0, or the exit code after having said why. */
static int read_text(struct buffer *out, const char *path)
{
	uint8_t chunk[4096];
	int fd, code = file_permitted(path, R_OK);
	ssize_t got;

	if (code)
		return code;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return failure(CONTROL_FAILED, "%s: %s", shown(path), strerror(errno));
	while ((got = read(fd, chunk, sizeof chunk)) > 0)
		if (out->n > KEYSTORE_TEXT_MAX || buffer_put(out, chunk, (size_t)got))
			break;
	if (got < 0)
		code = failure(CONTROL_FAILED, "%s: %s", shown(path), strerror(errno));
	close(fd);
	return code;
}

/* The key in the keystore. NULL after having said why. */
static struct signer *open_keystore(struct invocation *in, struct view text, int *code)
{
	struct password *p = password_take(in, "The keystore's password: ", false, code);
	struct signer *s;
	bool wrong;

	if (!p)
		return NULL;
	progress_begin("opening the keystore");
	s = keystore_decrypt(text, view_of(p->text, p->n), &wrong, &in->error);
	progress_end();
	secret_page_free(p);
	if (!s)
		*code = failure(wrong ? CONTROL_PASSWORD : CONTROL_FAILED, "%s: %s",
			shown(in->arguments[0]), in->error.text);
	return s;
}

int run_key_import(struct invocation *in)
{
	struct buffer text = {0};
	struct signer *s = NULL;
	int code;
	const char *path = new_file(in, &code);

	if (path)
		code = read_text(&text, in->arguments[0]);
	if (!code)
		s = open_keystore(in, view_of(text.p, text.n), &code);
	if (s && signer_save(s, path, &in->error))
		code = file_failed(in->error.text);
	else if (s)
		print_address(in, path, s);
	signer_free(s);
	buffer_free(&text);
	return code;
}

/* --- export --- */

static int make_keystore(struct buffer *out, struct invocation *in,
	const struct signer *s, struct view password)
{
	struct keystore_seed seed;
	int rc;

	if (!password.n)
		return failure(CONTROL_USAGE,
			"an empty password protects nothing: choose another");
	if (getrandom(&seed, sizeof seed, 0) != (ssize_t)sizeof seed)
		return failure(CONTROL_FAILED, "no randomness: %s", strerror(errno));
	progress_begin("making the keystore");
	rc = keystore_encrypt(out, s, password, &keystore_standard, &seed, &in->error);
	progress_end();
	return rc ? failure(CONTROL_FAILED, "%s", in->error.text) : 0;
}

/* Returns the exit code. */
static int export_to(struct invocation *in, const struct signer *s, const char *path)
{
	struct buffer out = {0};
	struct password *p;
	int code;

	p = password_take(in, "A password for the keystore: ", true, &code);
	if (!p)
		return code;
	code = make_keystore(&out, in, s, view_of(p->text, p->n));
	secret_page_free(p);
	if (!code && new_file_write(path, 0600, view_of(out.p, out.n))) {
		error_set(&in->error, "%s: %s", shown(path), strerror(errno));
		code = file_failed(in->error.text);
	} else if (!code) {
		print_address(in, path, s);
	}
	buffer_free(&out);
	return code;
}

int run_key_export(struct invocation *in)
{
	const char *key = option(in, OPTION_KEY, NULL), *path;
	struct signer *s;
	int code;

	if (!key)
		return failure(CONTROL_USAGE, "which key? give --key FILE");
	path = new_file(in, &code);
	if (!path)
		return code;
	code = file_permitted(key, R_OK);
	if (code)
		return code;
	s = signer_open(key, &in->error);
	if (!s)
		return failure(CONTROL_FAILED, "%s", in->error.text);
	code = export_to(in, s, path);
	signer_free(s);
	return code;
}
