/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/exit.h"

const struct exit_code exit_codes[] = {
	{CONTROL_OK, "ok"},
	{CONTROL_FAILED, "not listed, or failed"},
	{CONTROL_USAGE, "usage"},
	{CONTROL_UNREACHABLE, "daemon unreachable"},
	{CONTROL_PERMISSION, "permission: of a file, or the key is not the right one"},
	{CONTROL_REFUSED, "refused by a rule of the ledger"},
	{CONTROL_NO_ENDPOINT, "no endpoint of the chain answers"},
	{CONTROL_UNAUTHORISED, "the endpoint refuses the credentials given to it"},
	{CONTROL_CERTIFICATE, "the endpoint's certificate is expired or not trusted"},
	{CONTROL_PROXY, "the proxy does not let us through"},
	{CONTROL_NOT_RPC, "what answers is no JSON-RPC endpoint"},
	{CONTROL_WRONG_CHAIN, "the endpoint is of another chain"},
	{CONTROL_NO_CODE, "no contract at the address"},
	{CONTROL_WRONG_CODE, "another contract, or another version of it"},
	{CONTROL_NO_FUNDS, "the key's account cannot pay for the transaction"},
	{CONTROL_FEE, "the chain asks more than max-fee"},
	{CONTROL_NOT_MINED, "the transaction is sent, but in no block yet"},
	{CONTROL_LIED, "what the endpoint says does not verify"},
	{CONTROL_PASSWORD, "the password of a keystore is wrong"},
	{CONTROL_CONFIG, "configuration"},
};

const size_t exit_codes_count = sizeof exit_codes / sizeof exit_codes[0];

int refusal_exit(enum refusal_code code)
{
	return code == REFUSED_NOT_OWNER || code == REFUSED_NOT_GUARDIAN ||
			code == REFUSED_NOT_PROPOSED_OWNER || code == REFUSED_NOT_SIGNER ?
		CONTROL_PERMISSION :
		CONTROL_REFUSED;
}

int session_exit(const struct session_failure *why)
{
	static const int codes[] = {
		[SESSION_OK] = CONTROL_FAILED,
		[SESSION_UNREACHABLE] = CONTROL_NO_ENDPOINT,
		[SESSION_UNAUTHORISED] = CONTROL_UNAUTHORISED,
		[SESSION_CERTIFICATE] = CONTROL_CERTIFICATE,
		[SESSION_PROXY] = CONTROL_PROXY,
		[SESSION_NOT_RPC] = CONTROL_NOT_RPC,
		[SESSION_WRONG_CHAIN] = CONTROL_WRONG_CHAIN,
		[SESSION_NO_CODE] = CONTROL_NO_CODE,
		[SESSION_WRONG_CODE] = CONTROL_WRONG_CODE,
		[SESSION_REFUSED] = CONTROL_REFUSED,
		[SESSION_NO_FUNDS] = CONTROL_NO_FUNDS,
		[SESSION_FEE] = CONTROL_FEE,
		[SESSION_NOT_MINED] = CONTROL_NOT_MINED,
		[SESSION_LIED] = CONTROL_LIED,
		[SESSION_FAILED] = CONTROL_FAILED,
	};

	if (why->fault == SESSION_REFUSED)
		return refusal_exit(why->refusal.code);
	return (size_t)why->fault < sizeof codes / sizeof codes[0] ? codes[why->fault] :
								     CONTROL_FAILED;
}

int session_failed(const struct session_failure *why)
{
	if (why->fault == SESSION_REFUSED)
		return refused(&why->refusal);
	return failure(session_exit(why), "%s", why->error.text);
}

int refused(const struct refusal *why)
{
	char text[REFUSAL_TEXT];

	return failure(refusal_exit(why->code), "refused: %s", refusal_print(text, why));
}
