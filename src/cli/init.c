/* SPDX-License-Identifier: Apache-2.0 */
/* sipchain init: ledger, keys, membership and configuration in one step. */
#include "cli/init.h"

#include <unistd.h>

static void json_out(const struct setup *s)
{
	json_t *out = json_pack("{s:s, s:s, s:s, s:b, s:I, s:I}", "ledger", s->ledger,
		"owner", s->owner_address, "owner_key", s->owner_key, "owner_key_made",
		s->owner_made, "threshold", (json_int_t)s->rules.threshold, "max_ttl",
		(json_int_t)s->rules.max_ttl);

	if (s->node) {
		json_t *node = json_pack("{s:s, s:s, s:s, s:b, s:i, s:s, s:s}", "name",
			s->name, "key", s->member_key, "address", s->member_address,
			"key_made", s->member_made, "index", 1, "configuration",
			s->config, "state", s->state);

		json_object_set_new(out, "node", node);
	}
	print_json(out);
	json_decref(out);
}

static void next_steps(const struct setup *s)
{
	if (!s->node) {
		printf("\nnext:\n"
		       "  sipchain key new member.key\n"
		       "  sipchain member add --ledger %s --key %s --name NAME --signer 0x...\n"
		       "  sipchain config sample > sipchain.conf   # set [ledger] path, [member] "
		       "key\n",
			s->ledger, s->owner_key);
		return;
	}
	printf("\nnext:\n");
	if (s->user_missing)
		printf("  systemd-sysusers || adduser --system --group sipchain\n"
		       "  chown sipchain:sipchain %s %s-*\n",
			s->ledger, s->ledger);
	if (s->root)
		printf("  systemctl enable --now sipchaind\n  sipchain status\n");
	else
		printf("  sipchaind -c %s\n  sipchain status --config %s\n", s->config,
			s->config);
	printf("Keep %s off this machine: it admits and removes members.\n",
		s->owner_key);
}

int run_init(struct invocation *in)
{
	static struct setup s;
	int code;

	if (!given(in, OPTION_YES) && !isatty(STDIN_FILENO))
		return failure(CONTROL_USAGE,
			"no terminal to ask on; give --yes to take the "
			"defaults of what is not given");
	if (given(in, OPTION_ENDPOINT) || given(in, OPTION_CONTRACT))
		return run_init_chain(in);
	code = setup_choose(&s, in);
	if (!code)
		code = setup_make(&s, in);
	if (code)
		return code;
	if (given(in, OPTION_JSON)) {
		json_out(&s);
		return 0;
	}
	printf("ledger         %s\nowner          %s (%s %s)\n", s.ledger,
		s.owner_address, s.owner_made ? "new key in" : "key of", s.owner_key);
	if (s.node)
		printf("member 1       %s (%s %s), named %s\nconfiguration  %s\n",
			s.member_address, s.member_made ? "new key in" : "key of",
			s.member_key, shown(s.name), s.config);
	next_steps(&s);
	return 0;
}
