/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config/NAME.conf with NAME.ok is right and prints as that file says; with
 * NAME.err it is wrong in just these ways. A case needs no C.
 */
#include "../cmocka_all.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/config_nearest.h"
#include "daemon/config_source.h"
#include "remove_tree.h"

/* The whole file; NUL-terminated past its end. Free with buffer_free(). */
static struct buffer read_case(const char *name, const char *suffix)
{
	struct buffer b = {0};
	char path[512], block[4096];
	size_t n;
	FILE *f;

	snprintf(path, sizeof path, "%s/%s%s", CONFIG_CASES, name, suffix);
	f = fopen(path, "rb");
	if (!f)
		return b;
	while ((n = fread(block, 1, sizeof block, f)) > 0)
		buffer_put(&b, block, n);
	fclose(f);
	buffer_put_u8(&b, 0);
	b.n--;
	assert_false(b.failed);
	return b;
}

static struct view as_view(const struct buffer *b)
{
	return view_of(b->p, b->n);
}

/* Compare texts; a difference is shown whole. */
static void assert_text(
	const char *name, struct buffer *got, const struct buffer *expected)
{
	if (view_eq(as_view(got), as_view(expected)))
		return;
	print_error("%s: got:\n%.*s\nexpected:\n%.*s\n", name, (int)got->n,
		got->n ? (char *)got->p : "", (int)expected->n, (char *)expected->p);
	fail();
}

static void right(const char *name, struct view text, const struct buffer *ok)
{
	struct buffer errors = {0}, printed = {0}, again = {0};
	struct config c, d;

	if (config_parse(&c, name, text, &errors)) {
		print_error("%.*s", (int)errors.n, (char *)errors.p);
		fail();
	}
	assert_int_equal(errors.n, 0);
	assert_int_equal(config_print(&printed, &c, CONFIG_PRINT_SECRETS), 0);
	assert_text(name, &printed, ok);
	/* What is printed reads back to the same. */
	assert_int_equal(config_parse(&d, "printed", as_view(&printed), &errors), 0);
	assert_int_equal(config_print(&again, &d, CONFIG_PRINT_SECRETS), 0);
	assert_text(name, &again, ok);
	assert_int_equal(c.allow.entry_count, d.allow.entry_count);
	if (c.allow.entry_count)
		assert_memory_equal(c.allow.entry, d.allow.entry,
			c.allow.entry_count * sizeof *c.allow.entry);
	free(c.allow.entry);
	free(d.allow.entry);
	c.allow.entry = d.allow.entry = NULL;
	assert_memory_equal(&c, &d, sizeof c);
	buffer_free(&printed);
	buffer_free(&again);
}

static void wrong(const char *name, struct view text, const struct buffer *err)
{
	struct buffer errors = {0};
	char file[300];
	struct config c;

	snprintf(file, sizeof file, "%s.conf", name);
	assert_int_equal(config_parse(&c, file, text, &errors), -1);
	assert_text(name, &errors, err);
	assert_null(c.allow.entry);
	buffer_free(&errors);
}

static void test_cases(void **state)
{
	unsigned good = 0, bad = 0;
	struct dirent *entry;
	DIR *dir = opendir(CONFIG_CASES);

	(void)state;
	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		struct buffer text, ok, err;
		size_t n = strlen(entry->d_name);
		char name[256];

		if (n < 6 || strcmp(entry->d_name + n - 5, ".conf") != 0)
			continue;
		snprintf(name, sizeof name, "%.*s", (int)(n - 5), entry->d_name);
		text = read_case(name, ".conf");
		ok = read_case(name, ".ok");
		err = read_case(name, ".err");
		if (!ok.p == !err.p) {
			print_error("%s: needs either .ok or .err\n", name);
			fail();
		}
		if (ok.p)
			right(name, as_view(&text), &ok);
		else
			wrong(name, as_view(&text), &err);
		good += ok.p != NULL;
		bad += err.p != NULL;
		buffer_free(&text);
		buffer_free(&ok);
		buffer_free(&err);
	}
	closedir(dir);
	assert_true(good >= 3 && bad >= 8);
}

/* The struct, not only its print. */
static void test_members(void **state)
{
	struct buffer text = read_case("full", ".conf"), errors = {0};
	struct config c;

	(void)state;
	assert_int_equal(config_parse(&c, "full.conf", as_view(&text), &errors), 0);
	assert_string_equal(c.node.name, "Z\xc3\xbcrich edge 1");
	assert_string_equal(c.node.user, "_sipchain");
	assert_true(c.node.observe);
	assert_int_equal(c.node.log_level, LOG_LEVEL_DEBUG);
	assert_string_equal(c.member.key, "/etc/sipchain/key");
	assert_int_equal(c.ledger.type, CONFIG_LEDGER_LOCAL);
	assert_int_equal(c.hep.listen_count, 3);
	assert_int_equal(c.hep.listen[1].transport, TRANSPORT_UDP);
	assert_int_equal(c.hep.listen[1].port, 9060);
	assert_int_equal(c.hep.listen[2].transport, TRANSPORT_TCP);
	assert_int_equal(c.hep.listen[2].address.family, 6);
	assert_int_equal(c.hep.listen[2].port, 9061);
	assert_string_equal(c.hep.password, "open sesame=#1;");
	assert_int_equal(c.security_log.path_count, 2);
	assert_string_equal(c.security_log.path[1], "/srv/pbx two/security.json");
	assert_int_equal(c.detect.rules[OBSERVED_AUTH_FAILED].threshold, 5);
	assert_int_equal(c.detect.rules[OBSERVED_AUTH_FAILED].window, 300);
	assert_int_equal(c.detect.rules[OBSERVED_SCAN].threshold, 0);
	assert_int_equal(c.detect.rules[OBSERVED_MALFORMED].threshold, 1000);
	assert_int_equal(c.detect.ban_max, 30 * 86400);
	assert_int_equal(c.detect.sources_max, 1000000);
	assert_int_equal(
		c.report.publish, 1U << PROOF_NONCE | 1U << PROOF_TCP | 1U << PROOF_AUTH);
	assert_int_equal(c.report.ttl, 7200);
	assert_int_equal(c.report.unproved, OWN_UNPROVED_BAN);
	assert_int_equal(c.report.unproved_ban, 300);
	assert_int_equal(c.policy.by_proof[PROOF_MANUAL], QUORUM_NEVER);
	assert_int_equal(c.policy.by_proof[PROOF_NONCE], 3);
	assert_int_equal(c.policy.by_kind[INDICATOR_AGENT], 5);
	assert_int_equal(
		c.policy.by_proof[PROOF_TCP], policy_default.by_proof[PROOF_TCP]);
	assert_int_equal(c.allow.entry_count, 6);
	assert_string_equal(c.allow.entry[2].note, "branch offices");
	assert_int_equal(c.allow.entry[1].indicator.kind, INDICATOR_IP4);
	assert_false(c.allow.automatic);
	assert_int_equal(c.enforce.type, CONFIG_ENFORCE_NONE);
	assert_int_equal(c.enforce.nft.ports_count, 2);
	assert_int_equal(c.enforce.nft.ports[0].first, 5060);
	assert_int_equal(c.enforce.nft.ports[0].last, 5062);
	assert_int_equal(c.enforce.nft.ports[1].first, 5080);
	assert_int_equal(c.enforce.nft.set_size, 200000);
	config_free(&c);
	buffer_free(&text);
}

/* The password goes to the role that needs it, to nobody else. */
static void test_secrets(void **state)
{
	struct buffer text = read_case("full", ".conf"), errors = {0}, printed = {0};
	struct config c, d;

	(void)state;
	assert_int_equal(config_parse(&c, "full.conf", as_view(&text), &errors), 0);
	assert_int_equal(config_print(&printed, &c, 0), 0);
	assert_int_equal(view_find_str(as_view(&printed), "sesame"), printed.n);
	assert_int_equal(view_find_str(as_view(&printed), "password"), printed.n);
	assert_int_equal(config_parse(&d, "printed", as_view(&printed), &errors), 0);
	assert_string_equal(d.hep.password, "");
	config_free(&c);
	config_free(&d);
	buffer_free(&printed);
	buffer_free(&text);
}

/* As much of the endpoints as each reader needs. */
static void test_endpoints(void **state)
{
	struct buffer text = read_case("ethereum", ".conf"), errors = {0}, printed = {0};
	static const char *const secret[] = {"0123456789abcdef", "a b", "pass"};
	struct config c, d;

	(void)state;
	assert_int_equal(config_parse(&c, "ethereum.conf", as_view(&text), &errors), 0);
	assert_int_equal(c.ledger.ethereum.endpoint_count, 2);
	assert_string_equal(c.ledger.ethereum.endpoints[1].basic, "me:pass");
	assert_int_equal(c.ledger.ethereum.finality, FINALITY_FINALIZED);
	assert_int_equal(c.ledger.ethereum.max_fee, 30050000000);
	assert_true(c.ledger.ethereum.zero_fee);
	assert_int_equal(c.ledger.ethereum.poll_ms, 1500);
	assert_int_equal(c.ledger.ethereum.deployed, 17);
	assert_string_equal(c.ledger.ethereum.journal, "/var/lib/sipchain/ethereum.db");
	/* For people, and for the roles that have no business with them. */
	for (unsigned flags = 0; flags <= CONFIG_PRINT_HOSTS;
		flags += CONFIG_PRINT_HOSTS) {
		printed.n = 0;
		assert_int_equal(config_print(&printed, &c, flags), 0);
		for (size_t i = 0; i < 3; i++)
			assert_int_equal(
				view_find_str(as_view(&printed), secret[i]), printed.n);
		assert_true(view_find_str(as_view(&printed),
				    "endpoint = https://rpc.example.net") < printed.n);
	}
	/* The latter reads back, with all that pins the ledger. */
	assert_int_equal(config_parse(&d, "printed", as_view(&printed), &errors), 0);
	assert_int_equal(d.ledger.ethereum.endpoint_count, 2);
	assert_string_equal(
		d.ledger.ethereum.endpoints[0].url, "https://rpc.example.net");
	assert_string_equal(d.ledger.ethereum.endpoints[1].header[0], "");
	assert_memory_equal(d.ledger.ethereum.genesis, c.ledger.ethereum.genesis, 32);
	config_free(&c);
	config_free(&d);
	buffer_free(&printed);
	buffer_free(&text);
}

static void warning_case(const char *endpoint, const char *warning)
{
	struct buffer text = read_case("ethereum", ".conf"), errors = {0}, out = {0};
	struct config c;

	buffer_printf(&text, "endpoint =\nendpoint = %s\n", endpoint);
	assert_int_equal(config_parse(&c, "ethereum.conf", as_view(&text), &errors), 0);
	assert_int_equal(config_warnings(&out, &c), 0);
	buffer_put_u8(&out, 0);
	assert_string_equal((char *)out.p, warning);
	config_free(&c);
	buffer_free(&text);
	buffer_free(&out);
}

static void test_warnings(void **state)
{
	(void)state;
	warning_case("https://rpc.example.net/key", "");
	warning_case("http://127.0.0.1:8545", "");
	warning_case("http://[::1]:8545", "");
	warning_case("http://localhost/key", "");
	warning_case("http://user:key@rpc.example.net:8545/key name=far",
		"[ledger] endpoint: far is asked without encryption: anybody on the way may "
		"read its key and change its answers; write https:// if it has that\n");
	warning_case("http://127.example.net:8545/ name=near",
		"[ledger] endpoint: near is asked without encryption: anybody on the way may "
		"read its key and change its answers; write https:// if it has that\n");
	warning_case("http://localhost.example.net:8545/",
		"[ledger] endpoint: http://localhost.example.net:8545 is asked without "
		"encryption: anybody on the way may read its key and change its answers; "
		"write https:// if it has that\n");
}

/* The sample names every key, and is right but for the name that it asks for. */
static void test_sample(void **state)
{
	struct buffer sample = {0}, errors = {0}, text = {0};
	struct config c;
	char line[80];

	(void)state;
	assert_int_equal(config_sample(&sample), 0);
	for (size_t i = 0; i < config_keys_count; i++) {
		if (config_keys[i].flags & CONFIG_INTERNAL)
			continue;
		snprintf(line, sizeof line, "%s =", config_keys[i].name);
		assert_true(view_find_str(as_view(&sample), line) < sample.n);
		assert_non_null(config_section_find(config_keys[i].section));
	}
	assert_int_equal(config_parse(&c, "sample", as_view(&sample), &errors), -1);
	assert_true(view_find_str(as_view(&errors), "[node] name: is empty") < errors.n);
	assert_int_equal(view_find(as_view(&errors), '\n'), errors.n - 1);
	buffer_free(&errors);

	/* Every default in it is a value that reads back. */
	for (size_t i = 0; i < sample.n; i++)
		if (!(sample.p[i] == '#' && (i == 0 || sample.p[i - 1] == '\n') &&
			    i + 1 < sample.n && sample.p[i + 1] != ' '))
			buffer_put_u8(&text, sample.p[i]);
	buffer_printf(&text, "[node]\n");
	for (size_t i = 0; i < text.n; i++)
		if (view_starts(view_from(as_view(&text), i), "password_file =\n")) {
			size_t start = i;

			while (start && text.p[start - 1] != '\n')
				start--;
			text.p[start] = '#';
		}
	errors.n = 0;
	assert_int_equal(config_parse(&c, "sample", as_view(&text), &errors), -1);
	if (view_find(as_view(&errors), '\n') != errors.n - 1) {
		print_error("%.*s", (int)errors.n, (char *)errors.p);
		fail();
	}
	buffer_free(&sample);
	buffer_free(&text);
	buffer_free(&errors);
}

/* --- files --- */

static char folder[64];

static const char *in_folder(const char *name)
{
	static char path[128];

	snprintf(path, sizeof path, "%s/%s", folder, name);
	return path;
}

static void write_file(const char *name, const char *text, mode_t mode)
{
	FILE *f = fopen(in_folder(name), "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	assert_int_equal(chmod(in_folder(name), mode), 0);
}

static int make_folder(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/config-XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	(void)state;
	return remove_tree(folder);
}

static void test_drop_ins(void **state)
{
	struct buffer errors = {0};
	struct config c;

	(void)state;
	write_file("a.conf",
		"[node]\nname = first\nuser = one\n"
		"[allow]\nentry = 192.0.2.1\n",
		0644);
	assert_int_equal(mkdir(in_folder("a.conf.d"), 0755), 0);
	write_file("a.conf.d/20-second.conf",
		"[node]\nname = second\n"
		"[allow]\nentry = 192.0.2.2\n",
		0644);
	write_file("a.conf.d/10-third.conf",
		"[node]\nname = third\nuser = three\n"
		"[hep]\nlisten = udp:127.0.0.1:1\n",
		0644);
	write_file("a.conf.d/30-ignored.conf~", "[nonsense]\n", 0644);
	write_file("a.conf.d/.hidden.conf", "[nonsense]\n", 0644);
	assert_int_equal(config_load(&c, in_folder("a.conf"), &errors), 0);
	assert_string_equal(c.node.name, "second");
	assert_string_equal(c.node.user, "three");
	assert_int_equal(c.allow.entry_count, 2);
	assert_int_equal(c.hep.listen_count, 1);
	config_free(&c);

	/* An error is told with the file that it stands in, each on its line. */
	write_file("a.conf.d/20-second.conf", "[node]\nobserve = x\n", 0644);
	write_file("a.conf.d/30-last.conf", "\n[detect]\nban = 2d\nban_max = 1x\n", 0644);
	assert_int_equal(config_load(&c, in_folder("a.conf"), &errors), -1);
	assert_true(
		view_find_str(as_view(&errors),
			"/a.conf.d/20-second.conf:2: [node] observe: \"x\" is neither yes nor no\n") <
		errors.n);
	assert_true(
		view_find_str(as_view(&errors),
			"/a.conf.d/30-last.conf:4: [detect] ban_max: \"1x\" is no duration") <
		errors.n);
	buffer_free(&errors);

	/* A rule between keys blames the line that gave the key. */
	write_file("a.conf.d/20-second.conf", "", 0644);
	write_file("a.conf.d/30-last.conf", "[detect]\nban = 2d\nban_max = 1d\n", 0644);
	assert_int_equal(config_load(&c, in_folder("a.conf"), &errors), -1);
	assert_true(
		view_find_str(as_view(&errors),
			"/a.conf.d/30-last.conf:3: [detect] ban_max: is shorter than [detect] ban") <
		errors.n);
	buffer_free(&errors);
}

static void test_unreadable(void **state)
{
	struct buffer errors = {0};
	struct config c;

	(void)state;
	assert_int_equal(config_load(&c, in_folder("none.conf"), &errors), -1);
	assert_true(view_find_str(as_view(&errors),
			    "/none.conf:1: cannot be read: No such file or directory\n") <
		errors.n);
	buffer_free(&errors);
	assert_int_equal(mkdir(in_folder("folder.conf"), 0755), 0);
	assert_int_equal(config_load(&c, in_folder("folder.conf"), &errors), -1);
	assert_true(view_find_str(as_view(&errors),
			    "cannot be read: is no regular file\n") < errors.n);
	buffer_free(&errors);
}

static void password_case(
	const char *text, mode_t mode, const char *password, const char *error)
{
	struct buffer errors = {0}, conf = {0};
	struct config c;

	write_file("password", text, mode);
	buffer_printf(&conf, "[node]\nname = a\n[hep]\npassword_file = %s\n",
		in_folder("password"));
	if (password) {
		assert_int_equal(config_parse(&c, "p.conf", as_view(&conf), &errors), 0);
		assert_string_equal(c.hep.password, password);
		config_free(&c);
	} else {
		assert_int_equal(config_parse(&c, "p.conf", as_view(&conf), &errors), -1);
		assert_true(view_find_str(as_view(&errors), error) < errors.n);
	}
	buffer_free(&errors);
	buffer_free(&conf);
}

static void test_password_file(void **state)
{
	(void)state;
	password_case("s3cret\n", 0600, "s3cret", NULL);
	password_case("two words\r\nnot this\n", 0640, "two words", NULL);
	password_case("s3cret\n", 0644, NULL, "chmod 600");
	password_case("\n", 0600, NULL, "is empty");
	password_case("a ;b\n", 0600, NULL, "may not hold a blank followed by ';'");
	password_case("a\x01"
		      "b\n",
		0600, NULL, "control characters");
}

static void test_nearest(void **state)
{
	(void)state;
	assert_string_equal(config_nearest_section("hpe"), "hep");
	assert_string_equal(config_nearest_section("Enforce"), "enforce");
	assert_null(config_nearest_section("asterisk"));
	assert_string_equal(config_nearest_key("node", "observed")->name, "observe");
	assert_string_equal(config_nearest_key("node", "publish")->section, "report");
	assert_null(config_nearest_key("node", "colour"));
	assert_null(config_nearest_key("node",
		"a-name-that-is-much-longer-than-any-name-that-anybody-would-ever-write-here"));
}

/* The secret of a source: what it is, or why it is none. */
static void secret_case(
	const char *text, mode_t mode, const char *secret, const char *wrong)
{
	struct config_source s = {.name = "pbx"};
	char dst[32];
	struct error err = {""};
	int n;

	write_file("ami.secret", text, mode);
	snprintf(s.secret_file, sizeof s.secret_file, "%s", in_folder("ami.secret"));
	memset(dst, 0xee, sizeof dst);
	n = config_source_secret(dst, sizeof dst, &s, &err);
	if (wrong) {
		assert_int_equal(n, -1);
		assert_non_null(strstr(err.text, wrong));
		assert_non_null(strstr(err.text, s.secret_file));
		return;
	}
	assert_int_equal(n, strlen(secret));
	assert_memory_equal(dst, secret, strlen(secret));
	/* Nothing else of the file is left there. */
	for (size_t i = strlen(secret); i < sizeof dst; i++)
		assert_int_equal(dst[i], 0);
}

static void test_source_secret(void **state)
{
	struct config_source s = {.name = "pbx"};
	struct error err = {""};
	char dst[32];

	(void)state;
	secret_case("s3cret\n", 0600, "s3cret", NULL);
	secret_case("s3cret", 0400, "s3cret", NULL);
	secret_case("two words\r\nnot this\n", 0600, "two words", NULL);
	secret_case("s3cret\n", 0640, NULL, "chmod 600");
	secret_case("s3cret\n", 0604, NULL, "chmod 600");
	secret_case("", 0600, NULL, "the first line must be the secret");
	secret_case("\ns3cret\n", 0600, NULL, "the first line must be the secret");
	secret_case("a\x01"
		    "b\n",
		0600, NULL, "the first line must be the secret");
	secret_case("0123456789012345678901234567890123456789\n", 0600, NULL,
		"1 to 31 bytes");
	/* Neither a link, nor a folder, nor nothing. */
	write_file("ami.secret", "s3cret\n", 0600);
	snprintf(s.secret_file, sizeof s.secret_file, "%s", in_folder("link"));
	assert_int_equal(symlink("ami.secret", in_folder("link")), 0);
	assert_int_equal(config_source_secret(dst, sizeof dst, &s, &err), -1);
	assert_non_null(strstr(err.text, "symbolic link"));
	snprintf(s.secret_file, sizeof s.secret_file, "%s", folder);
	assert_int_equal(config_source_secret(dst, sizeof dst, &s, &err), -1);
	assert_non_null(strstr(err.text, "regular file"));
	snprintf(s.secret_file, sizeof s.secret_file, "%s", in_folder("not-there"));
	assert_int_equal(config_source_secret(dst, sizeof dst, &s, &err), -1);
	assert_non_null(strstr(err.text, "No such file"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_members),
		cmocka_unit_test(test_secrets),
		cmocka_unit_test(test_endpoints),
		cmocka_unit_test(test_warnings),
		cmocka_unit_test(test_sample),
		cmocka_unit_test(test_drop_ins),
		cmocka_unit_test(test_unreadable),
		cmocka_unit_test(test_password_file),
		cmocka_unit_test(test_source_secret),
		cmocka_unit_test(test_nearest),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
