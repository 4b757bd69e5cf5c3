/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which ledger a command line means, what may not stand on it, and what is made
 * of the answers: exit codes, links, the section that pins a ledger.
 */
#include "../cmocka_all.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/answer.h"
#include "cli/contract.h"
#include "cli/desk.h"

#define CONTRACT "0x5FbDB2315678afecb367f032d93F642f64180aa3"
#define HTTP     "http://127.0.0.1:8545"

static char folder[64];

static struct invocation *parsed(const char *line)
{
	static struct invocation in;
	static char text[1024];
	char *argv[32];
	int argc = 0;

	snprintf(text, sizeof text, "sipchain %s", line);
	for (char *word = strtok(text, " "); word; word = strtok(NULL, " "))
		argv[argc++] = word;
	argv[argc] = NULL;
	if (invocation_parse(&in, argc, argv))
		fail_msg("%s: %s", line, in.error.text);
	return &in;
}

static int chosen(struct choice *c, const char *line, unsigned flags)
{
	return choice_make(c, parsed(line), flags);
}

static void write_file(const char *name, const char *text, mode_t mode)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof path, "%s/%s", folder, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	assert_int_equal(chmod(path, mode), 0);
}

static int setup(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/sipchain-choice-XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static int teardown(void **state)
{
	static const char *const names[] = {"a.conf", "secret", "open"};
	char path[128];

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		snprintf(path, sizeof path, "%s/%s", folder, names[i]);
		unlink(path);
	}
	return rmdir(folder);
}

static void the_command_line_alone_is_enough(void **state)
{
	struct choice c;

	(void)state;
	assert_int_equal(chosen(&c, "member list --ledger /tmp/x.db", 0), 0);
	assert_int_equal(c.config.ledger.type, CONFIG_LEDGER_LOCAL);
	assert_string_equal(c.config.ledger.path, "/tmp/x.db");
	assert_false(c.configured);
	choice_free(&c);
	assert_int_equal(
		chosen(&c, "member list --endpoint " HTTP " --contract " CONTRACT, 0), 0);
	assert_int_equal(c.config.ledger.type, CONFIG_LEDGER_ETHEREUM);
	assert_int_equal(c.config.ledger.ethereum.endpoint_count, 1);
	assert_string_equal(c.config.ledger.ethereum.endpoints[0].url, HTTP);
	assert_int_equal(c.config.ledger.ethereum.contract[0], 0x5f);
	assert_int_equal(c.config.ledger.ethereum.chain_id, 0);
	choice_free(&c);
	assert_int_equal(chosen(&c, "contract deploy --endpoint " HTTP " --max-fee 0.05",
				 CHOICE_NO_CONTRACT),
		0);
	assert_int_equal(c.config.ledger.ethereum.max_fee, 50000000);
	assert_false(c.config.ledger.ethereum.zero_fee);
	choice_free(&c);
}

static void what_cannot_be_is_a_usage_error(void **state)
{
	static const char *const lines[] = {
		"member list --ledger /tmp/x --endpoint " HTTP,
		"member list --ledger /tmp/x --contract " CONTRACT,
		"member list --contract " CONTRACT " --endpoint ftp://127.0.0.1/",
		"member list --endpoint " HTTP " --contract 0x1234",
		"ledger pause --endpoint " HTTP " --contract " CONTRACT " --max-fee much",
	};
	struct choice c;

	(void)state;
	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
		if (chosen(&c, lines[i], 0) != CONTROL_USAGE)
			fail_msg("%s is taken", lines[i]);
}

static void options_stand_above_the_configuration(void **state)
{
	char line[512], text[1024];
	struct choice c;

	(void)state;
	snprintf(text, sizeof text,
		"[node]\nname = x\n[ledger]\ntype = ethereum\nendpoint = "
		"http://127.0.0.1:1\ncontract = " CONTRACT
		"\nchain_id = 7\ngenesis = 0x%064d\ncode_hash = 0x%064d\ndeployed = 9\n",
		1, 2);
	write_file("a.conf", text, 0600);
	snprintf(line, sizeof line, "member list --config %s/a.conf --endpoint " HTTP,
		folder);
	assert_int_equal(chosen(&c, line, 0), 0);
	assert_true(c.configured);
	assert_string_equal(c.config.ledger.ethereum.endpoints[0].url, HTTP);
	assert_int_equal(c.config.ledger.ethereum.chain_id, 7);
	assert_int_equal(c.config.ledger.ethereum.deployed, 9);
	assert_false(bytes_zero(c.config.ledger.ethereum.code_hash, HASH_SIZE));
	choice_free(&c);
	/* Another contract is another ledger: its code and age are not pinned. */
	snprintf(line, sizeof line,
		"member list --config %s/a.conf --contract "
		"0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf",
		folder);
	assert_int_equal(chosen(&c, line, 0), 0);
	assert_int_equal(c.config.ledger.ethereum.chain_id, 7);
	assert_int_equal(c.config.ledger.ethereum.deployed, 0);
	assert_true(bytes_zero(c.config.ledger.ethereum.code_hash, HASH_SIZE));
	choice_free(&c);
}

static void secrets_do_not_stand_on_a_command_line(void **state)
{
	static const char *const secret[] = {
		"https://user:pass@rpc.example.net/",
		"https://rpc.example.net/v3/9aa3d95b3bc440fa88ea12eaa4456161",
		"https://rpc.example.net/?key=1",
		"https://rpc.example.net/ header=\"X-Key: 1\"",
		"https://rpc.example.net/ basic=a:b",
		"https://rpc.example.net/ ws=wss://rpc.example.net/ws/abcdefghij0123456789",
		"https://rpc.example.net/ proxy=http://a:b@proxy.example.net:3128",
	};
	static const char *const open_to_all[] = {
		HTTP,
		"https://rpc.example.net/ext/bc/C/rpc",
		"https://rpc.example.net/ ws=none",
		"https://besu.bank-a.example.net:8545/ ca_file=/etc/ssl/consortium.pem",
		"https://rpc.example.net/ bearer_file=/etc/sipchain/token",
	};
	struct endpoint e;

	(void)state;
	for (size_t i = 0; i < sizeof secret / sizeof secret[0]; i++) {
		struct error err = {""};

		assert_int_equal(endpoint_parse(&e, view_str(secret[i]), &err), 0);
		if (!endpoint_public(&e, &err))
			fail_msg("%s is let through", secret[i]);
		assert_non_null(strstr(err.text, "@FILE"));
		assert_null(strstr(err.text, "9aa3"));
	}
	for (size_t i = 0; i < sizeof open_to_all / sizeof open_to_all[0]; i++) {
		assert_int_equal(endpoint_parse(&e, view_str(open_to_all[i]), NULL), 0);
		if (endpoint_public(&e, NULL))
			fail_msg("%s is refused", open_to_all[i]);
	}
}

static void an_endpoint_may_come_out_of_a_private_file(void **state)
{
	static const char *const secret =
		"https://rpc.example.net/v3/9aa3d95b3bc440fa88ea12eaa4456161\n";
	char line[256];
	struct choice c;

	(void)state;
	write_file("secret", secret, 0600);
	write_file("open", secret, 0644);
	snprintf(line, sizeof line,
		"member list --endpoint @%s/secret --contract " CONTRACT, folder);
	assert_int_equal(chosen(&c, line, 0), 0);
	assert_string_equal(c.config.ledger.ethereum.endpoints[0].url,
		"https://rpc.example.net/v3/9aa3d95b3bc440fa88ea12eaa4456161");
	choice_free(&c);
	snprintf(line, sizeof line,
		"member list --endpoint @%s/open --contract " CONTRACT, folder);
	assert_int_equal(chosen(&c, line, 0), CONTROL_USAGE);
	snprintf(line, sizeof line,
		"member list --endpoint @%s/none --contract " CONTRACT, folder);
	assert_int_equal(chosen(&c, line, 0), CONTROL_USAGE);
}

static void each_fault_has_its_own_code(void **state)
{
	bool seen[128] = {false};

	(void)state;
	for (int f = SESSION_UNREACHABLE; f < SESSION_FAILED; f++) {
		struct session_failure why = {.fault = (enum session_fault)f};
		int code = session_exit(&why);
		bool told = false;

		assert_in_range(code, CONTROL_REFUSED, CONTROL_PASSWORD);
		assert_false(seen[code]);
		seen[code] = true;
		for (size_t i = 0; i < exit_codes_count; i++)
			told = told || exit_codes[i].code == code;
		assert_true(told);
	}
	assert_int_equal(refusal_exit(REFUSED_NOT_OWNER), CONTROL_PERMISSION);
	assert_int_equal(refusal_exit(REFUSED_NOT_SIGNER), CONTROL_PERMISSION);
	assert_int_equal(refusal_exit(REFUSED_PROTECTED), CONTROL_REFUSED);
}

static void a_link_holds_the_hash(void **state)
{
	uint8_t hash[HASH_SIZE] = {0xab, 0xcd};
	struct buffer out = {0};

	(void)state;
	explorer_link(&out, "https://x.example/tx/{tx}?a=1", hash);
	assert_string_equal((const char *)out.p,
		"https://x.example/tx/0xabcd000000000000000000000000000000000000000000000000"
		"000000000000?a=1");
	buffer_free(&out);
	explorer_link(&out, "https://x.example/", hash);
	assert_int_equal(out.n, 0);
}

/* What deployment prints is a configuration that the daemon takes. */
static void the_section_reads_back(void **state)
{
	static struct ethereum_settings s;
	static struct config c;
	struct buffer text = {0}, errors = {0};

	(void)state;
	assert_int_equal(
		endpoint_parse(&s.endpoints[0],
			view_str("https://rpc.example.net/v3/secretsecret0"), NULL),
		0);
	s.endpoint_count = 1;
	s.contract[19] = 7;
	s.chain_id = 1;
	s.genesis[0] = 1;
	s.code_hash[0] = 2;
	s.deployed = 1234567;
	s.finality = FINALITY_FINALIZED;
	s.zero_fee = true;
	s.poll_ms = 2000;
	buffer_printf(&text, "[node]\nname = x\n");
	assert_int_equal(ledger_section(&text, &s, true), 0);
	if (config_parse(&c, "made", view_of(text.p, text.n), &errors))
		fail_msg("%.*s", (int)errors.n, (const char *)errors.p);
	assert_string_equal(c.ledger.ethereum.endpoints[0].url, s.endpoints[0].url);
	assert_memory_equal(c.ledger.ethereum.contract, s.contract, ADDRESS20);
	assert_memory_equal(c.ledger.ethereum.genesis, s.genesis, HASH_SIZE);
	assert_memory_equal(c.ledger.ethereum.code_hash, s.code_hash, HASH_SIZE);
	assert_int_equal(c.ledger.ethereum.deployed, 1234567);
	assert_int_equal(c.ledger.ethereum.finality, FINALITY_FINALIZED);
	assert_true(c.ledger.ethereum.zero_fee);
	assert_int_equal(c.ledger.ethereum.poll_ms, 2000);
	config_free(&c);
	text.n = 0;
	assert_int_equal(ledger_section(&text, &s, false), 0);
	buffer_put_u8(&text, 0);
	assert_null(strstr((const char *)text.p, "secretsecret0"));
	assert_null(strstr((const char *)text.p, "explorer"));
	buffer_free(&text);
	buffer_free(&errors);
}

static void storage_must_hold_what_the_views_say(void **state)
{
	struct contract_state c = {.version = 1};
	struct error err = {""};

	(void)state;
	memset(c.owner, 0x11, ADDRESS20);
	memcpy(c.storage[0] + 12, c.owner, ADDRESS20);
	memset(c.tips.tip[CHAIN_ADMIN].hash, 0x22, HASH_SIZE);
	c.tips.tip[CHAIN_ADMIN].seq = 5;
	c.tips.last_block[CHAIN_ADMIN] = 77;
	memset(c.storage[3], 0x22, HASH_SIZE);
	c.storage[4][31] = 5;
	c.storage[4][23] = 77;
	assert_int_equal(contract_state_check(&c, &err), 0);
	c.storage[4][23] = 78;
	assert_int_equal(contract_state_check(&c, &err), -1);
	assert_non_null(
		strstr(err.text, "slots 4 and 5 do not hold the administrative tip"));
	c.storage[4][23] = 77;
	c.storage[1][0] = 1;
	assert_int_equal(contract_state_check(&c, &err), -1);
	assert_non_null(strstr(err.text, "slots 2 and 3 do not hold the members' tip"));
	c.storage[1][0] = 0;
	c.storage[0][31] = 0;
	assert_int_equal(contract_state_check(&c, &err), -1);
	assert_non_null(strstr(err.text, "slot 0"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_command_line_alone_is_enough),
		cmocka_unit_test(what_cannot_be_is_a_usage_error),
		cmocka_unit_test(options_stand_above_the_configuration),
		cmocka_unit_test(secrets_do_not_stand_on_a_command_line),
		cmocka_unit_test(an_endpoint_may_come_out_of_a_private_file),
		cmocka_unit_test(each_fault_has_its_own_code),
		cmocka_unit_test(a_link_holds_the_hash),
		cmocka_unit_test(the_section_reads_back),
		cmocka_unit_test(storage_must_hold_what_the_views_say),
	};

	return cmocka_run_group_tests_name("choice", tests, setup, teardown);
}
