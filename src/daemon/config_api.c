/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/config_api.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/escape.h"
#include "daemon/config_secret.h"

#define PORT_API 8731
#define PEM_MAX  (256U << 10)

static int parse_listen(struct config_api_listen *out, struct view v, struct error *err)
{
	struct config_api_listen l;

	memset(&l, 0, sizeof l); /* values are compared as memory */
	if (view_starts(v, "unix:")) {
		struct view path = view_from(v, 5);

		if (!path.n || path.p[0] != '/' || path.n >= sizeof l.path ||
			!text_is_clean(path))
			return error_set(err,
				"\"%s\": write unix: and an absolute path of at most %zu "
				"bytes",
				escaped(v), sizeof l.path - 1);
		view_copy(l.path, sizeof l.path, path);
	} else if (view_starts(v, "tcp:")) {
		if (address_port_parse(
			    &l.address, &l.port, view_from(v, 4), PORT_API, err))
			return -1;
		if (!l.port)
			return error_set(err,
				"\"%s\": port 0 is no port; write 1 to 65535",
				escaped(v));
	} else {
		return error_set(err,
			"\"%s\": write unix:PATH or tcp:ADDRESS:PORT, such as "
			"tcp:127.0.0.1:%u",
			escaped(v), PORT_API);
	}
	*out = l;
	return 0;
}

int config_api_listen_add(struct config *c, const struct config_key *k, struct view value,
	struct error *err)
{
	(void)k;
	if (!value.n) {
		c->api.listen_count = 0;
		memset(c->api.listen, 0, sizeof c->api.listen);
		return 0;
	}
	if (c->api.listen_count == CONFIG_API_LISTEN_MAX)
		return error_set(
			err, "is given more than %d times", CONFIG_API_LISTEN_MAX);
	if (parse_listen(&c->api.listen[c->api.listen_count], value, err))
		return -1;
	c->api.listen_count++;
	return 0;
}

int config_api_listen_print(struct buffer *out, const struct config_api_listen *l)
{
	bool six = l->address.family == 6;
	char text[ADDRESS_TEXT];

	if (l->path[0])
		return buffer_printf(out, "unix:%s", l->path);
	return buffer_printf(out, "tcp:%s%s%s:%u", six ? "[" : "",
		address_print(text, &l->address), six ? "]" : "", l->port);
}

int config_token_check(const void *one, const struct config_key **at, struct error *err)
{
	const struct config_token *t = one;

	*at = config_key_find("token", "secret_file");
	if (!t->secret_file[0])
		return error_set(err,
			"is missing; write a secret into a file of its own (openssl rand -hex "
			"24, chmod 600) and name that");
	return 0;
}

/* The first address that others can reach; NULL: there is none. */
static const struct config_api_listen *outside(const struct config *c)
{
	for (size_t i = 0; i < c->api.listen_count; i++)
		if (!c->api.listen[i].path[0] &&
			!address_is_loopback(&c->api.listen[i].address))
			return &c->api.listen[i];
	return NULL;
}

int config_api_check(
	const struct config *c, const struct config_key **at, struct error *err)
{
	const struct config_api_listen *l = outside(c);
	char text[ADDRESS_TEXT];

	*at = config_key_find("api", "tls_certificate");
	if (!c->api.tls_certificate[0] != !c->api.tls_key[0])
		return error_set(
			err, "and tls_key belong together; give both or neither");
	*at = config_key_find("api", "listen");
	if (l && !c->api.tls_certificate[0] && !c->api.behind_proxy)
		return error_set(err,
			"others can reach %s, where nothing would be encrypted: give "
			"tls_certificate and tls_key; or behind_proxy = yes, if a proxy does "
			"that; or listen on 127.0.0.1",
			address_print(text, &l->address));
	if ((l || c->api.behind_proxy) && c->api.listen_count && !c->token_count)
		return error_set(err,
			"others can reach it, and there is no token: add a section [token "
			"\"name\"] with secret_file");
	return 0;
}

int config_api_token_digest(
	uint8_t digest[KECCAK_SIZE], const struct config_token *t, struct error *err)
{
	char secret[HTTP_SECRET_MAX + 1];
	int n = config_secret_read(
		secret, sizeof secret, t->secret_file, "the token's secret", err);

	if (n >= 0 && n < HTTP_SECRET_MIN)
		n = error_set(err,
			"%s: the secret has %d characters; at least %d are needed (openssl "
			"rand -hex 24)",
			t->secret_file, n, HTTP_SECRET_MIN);
	if (n > 0)
		http_secret_digest(digest, view_of(secret, (size_t)n));
	explicit_bzero(secret, sizeof secret);
	return n > 0 ? 0 : -1;
}

void config_api_token_rights(struct http_token *out, const struct config_token *t)
{
	memcpy(out->name, t->name, sizeof out->name);
	out->rights = t->rights;
	out->proof = t->class;
	out->rate = t->rate;
}

int config_api_pem(struct buffer *out, const char *path, bool private, struct error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	uint8_t block[4096];
	struct stat st;
	ssize_t n = -1;
	int rc = -1;

	out->max = PEM_MAX;
	if (fd < 0)
		return error_set(err, "%s: %s", path, strerror(errno));
	if (fstat(fd, &st) || !S_ISREG(st.st_mode)) {
		error_set(err, "%s: must be a regular file", path);
		goto done;
	}
	if (private && st.st_mode & 077) {
		error_set(err, "%s: others can read the key: run chmod 600 on it", path);
		goto done;
	}
	while ((n = read(fd, block, sizeof block)) > 0)
		buffer_put(out, block, (size_t)n);
	buffer_put_u8(out, 0);
	rc = n < 0 || out->failed ? error_set(err, "%s: cannot be read", path) : 0;
done:
	explicit_bzero(block, sizeof block);
	close(fd);
	return rc;
}
