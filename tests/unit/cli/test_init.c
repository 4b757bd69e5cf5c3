/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration that `sipchain init` writes is one the daemon takes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "cli/init.h"

static struct setup s;

static void fill(bool root)
{
	memset(&s, 0, sizeof s);
	s.node = true;
	s.root = root;
	strcpy(s.name, "edge \xc3\xbc");
	strcpy(s.ledger, "/srv/shared/ledger.db");
	strcpy(s.member_key, "/etc/sipchain/member.key");
	strcpy(s.state, "/srv/state");
	strcpy(s.run, "/srv/run");
}

/* Write it, read it back. Returns config_parse()'s result. */
static int round_trip(struct config *config, struct buffer *errors)
{
	struct buffer text = {0};
	int rc;

	assert_int_equal(setup_config(&text, &s), 0);
	rc = config_parse(config, "made", view_of(text.p, text.n), errors);
	buffer_free(&text);
	return rc;
}

static void roots_configuration_guards_the_system(void **state)
{
	struct buffer errors = {0};
	struct config c;

	(void)state;
	fill(true);
	strcpy(s.hep, "udp:127.0.0.1:9060");
	strcpy(s.security_log, "/var/log/asterisk/security.json");
	assert_int_equal(round_trip(&c, &errors), 0);
	assert_string_equal(c.node.name, s.name);
	assert_string_equal(c.node.user, "sipchain");
	assert_string_equal(c.node.state, "/srv/state");
	assert_string_equal(c.ledger.path, s.ledger);
	assert_string_equal(c.member.key, s.member_key);
	assert_int_equal(c.enforce.type, CONFIG_ENFORCE_NFTABLES);
	assert_int_equal(c.hep.listen_count, 1);
	assert_int_equal(c.hep.listen[0].port, 9060);
	assert_string_equal(c.security_log.path[0], s.security_log);
	config_free(&c);
	buffer_free(&errors);
}

static void a_plain_users_one_touches_nothing(void **state)
{
	struct buffer errors = {0};
	struct config c;

	(void)state;
	fill(false);
	assert_int_equal(round_trip(&c, &errors), 0);
	assert_string_equal(c.node.user, "");
	assert_int_equal(c.enforce.type, CONFIG_ENFORCE_NONE);
	assert_int_equal(c.hep.listen_count, 0);
	assert_int_equal(c.security_log.path_count, 0);
	config_free(&c);
	buffer_free(&errors);
}

static void what_the_daemon_would_refuse_is_told(void **state)
{
	struct buffer errors = {0};
	struct config c;

	(void)state;
	fill(true);
	strcpy(s.hep, "nonsense");
	assert_int_equal(round_trip(&c, &errors), -1);
	buffer_put_u8(&errors, 0);
	assert_non_null(strstr((char *)errors.p, "[hep] listen"));
	buffer_free(&errors);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(roots_configuration_guards_the_system),
		cmocka_unit_test(a_plain_users_one_touches_nothing),
		cmocka_unit_test(what_the_daemon_would_refuse_is_told),
	};

	return cmocka_run_group_tests_name("init", tests, NULL, NULL);
}
