/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>

#include "ledger/ethereum/answer.h"

/*
 * The first that occurs in the text, in lower case, counts: what is part of
 * another stands after it. Engines: G geth (and its children: bor, op-geth,
 * nitro), R reth, B Besu, N Nethermind, E Erigon, P polygon-edge (and the IBFT
 * engines made of it), A anvil, O OpenEthereum.
 */
static const struct {
	const char *words;
	enum answer answer;
} table[] = {
	{"already known", ANSWER_KNOWN},              /* G R E P */
	{"known transaction", ANSWER_KNOWN},          /* old G, B */
	{"alreadyknown", ANSWER_KNOWN},               /* N */
	{"already imported", ANSWER_KNOWN},           /* A O */
	{"existing tx with same hash", ANSWER_KNOWN}, /* E */
	{"already_exists", ANSWER_KNOWN},             /* E by gRPC */
	{"transaction already exists", ANSWER_KNOWN},

	{"replacement transaction underpriced", ANSWER_REPLACEMENT},       /* G R B E A */
	{"replacement tx underpriced", ANSWER_REPLACEMENT},                /* P */
	{"replacementnotallowed", ANSWER_REPLACEMENT},                     /* N */
	{"could not replace existing tx", ANSWER_REPLACEMENT},             /* E */
	{"another transaction with same nonce", ANSWER_REPLACEMENT},       /* O */
	{"tx with the same nonce is already present", ANSWER_REPLACEMENT}, /* P */

	{"nonce too low", ANSWER_NONCE_LOW},                     /* G R B E P A */
	{"nonce is too low", ANSWER_NONCE_LOW},                  /* O */
	{"oldnonce", ANSWER_NONCE_LOW},                          /* N */
	{"nonce below current account nonce", ANSWER_NONCE_LOW}, /* B, older */

	{"nonce too high", ANSWER_NONCE_HIGH},       /* G A */
	{"noncegap", ANSWER_NONCE_HIGH},             /* N */
	{"nonce is too distant", ANSWER_NONCE_HIGH}, /* B */
	{"nonce has too distant", ANSWER_NONCE_HIGH},
	{"rejected future tx", ANSWER_NONCE_HIGH},                  /* P */
	{"future transaction tries to replace", ANSWER_NONCE_HIGH}, /* G */

	{"insufficient funds", ANSWER_INSUFFICIENT_FUNDS},   /* G R E P A O */
	{"insufficientfunds", ANSWER_INSUFFICIENT_FUNDS},    /* N */
	{"upfront cost exceeds", ANSWER_INSUFFICIENT_FUNDS}, /* B */
	{"insufficient balance", ANSWER_INSUFFICIENT_FUNDS},
	{"doesn't have enough funds", ANSWER_INSUFFICIENT_FUNDS}, /* Hardhat */
	{"not enough funds", ANSWER_INSUFFICIENT_FUNDS},          /* Arbitrum classic */
	{"overdraft", ANSWER_INSUFFICIENT_FUNDS}, /* G: pool's sum of all */

	{"feetoolowtocompete", ANSWER_POOL_FULL},         /* N */
	{"less than block base fee", ANSWER_UNDERPRICED}, /* G R A */
	{"below current base fee", ANSWER_UNDERPRICED},   /* B */
	{"below configured minimum", ANSWER_UNDERPRICED}, /* B */
	{"premium is negative", ANSWER_UNDERPRICED},      /* N */
	{"transaction underpriced", ANSWER_UNDERPRICED},  /* G R P A */
	{"feetoolow", ANSWER_UNDERPRICED},                /* N */
	{"fee too low", ANSWER_UNDERPRICED},              /* E */
	{"gas price too low", ANSWER_UNDERPRICED},        /* nitro */
	{"gas price is too low", ANSWER_UNDERPRICED},     /* O */
	{"gas price below", ANSWER_UNDERPRICED}, {"tip needed", ANSWER_UNDERPRICED},
	{"underpriced", ANSWER_UNDERPRICED}, /* E */

	{"exceeds the configured cap", ANSWER_FEE_CAP}, /* G */
	{"fee cap exceeded", ANSWER_FEE_CAP},           /* B */

	{"intrinsic gas too low", ANSWER_GAS_LOW}, /* G R E P A */
	{"intrinsic gas exceeds", ANSWER_GAS_LOW}, /* B */
	{"floor data gas", ANSWER_GAS_LOW},        /* G R: EIP-7623 */
	{"intrinsic gas", ANSWER_GAS_LOW},

	{"exceeds block gas limit", ANSWER_GAS_HIGH},        /* G R B P A */
	{"gas limit too high", ANSWER_GAS_HIGH},             /* G: EIP-7825 */
	{"gaslimitexceeded", ANSWER_GAS_HIGH},               /* N */
	{"cost exceeds current gas limit", ANSWER_GAS_HIGH}, /* O */
	{"gas limit reached", ANSWER_GAS_HIGH},              /* G */
	{"block gas limit", ANSWER_GAS_HIGH},

	{"invalid chain id", ANSWER_WRONG_CHAIN}, /* G R A */
	{"invalid chainid", ANSWER_WRONG_CHAIN},
	{"wrong chainid", ANSWER_WRONG_CHAIN}, /* B */
	{"wrong chain id", ANSWER_WRONG_CHAIN},
	{"invalidtxchainid", ANSWER_WRONG_CHAIN},    /* N */
	{"incompatible eip155", ANSWER_WRONG_CHAIN}, /* Hardhat */

	{"type not supported", ANSWER_TYPE_UNSUPPORTED}, /* G R P */
	{"type is not supported", ANSWER_TYPE_UNSUPPORTED},
	{"invalid transaction type", ANSWER_TYPE_UNSUPPORTED}, /* B P */
	{"invalidtxtype", ANSWER_TYPE_UNSUPPORTED},            /* N */
	{"rlp: expected input list", ANSWER_TYPE_UNSUPPORTED}, /* before EIP-2718 */

	{"not authorized", ANSWER_NOT_PERMITTED}, /* B: permissioning */
	{"not permitted", ANSWER_NOT_PERMITTED},
	{"sender is not allowed", ANSWER_NOT_PERMITTED},
	{"not in allow list", ANSWER_NOT_PERMITTED},

	{"txpool is full", ANSWER_POOL_FULL},                /* G R P */
	{"pool is full", ANSWER_POOL_FULL},                  /* E */
	{"enqueued transactions reached", ANSWER_POOL_FULL}, /* P */
	{"account limit exceeded", ANSWER_POOL_FULL},        /* G */
};

static bool occurs(struct view text, const char *words)
{
	size_t n = strlen(words);

	for (size_t at = 0; at + n <= text.n; at++) {
		size_t i = 0;

		while (i < n && tolower(text.p[at + i]) == words[i])
			i++;
		if (i == n)
			return true;
	}
	return false;
}

enum answer answer_judge(struct view text)
{
	for (size_t i = 0; i < sizeof table / sizeof *table; i++)
		if (occurs(text, table[i].words))
			return table[i].answer;
	return ANSWER_OTHER;
}

const char *answer_name(enum answer a)
{
	static const char *const names[] = {
		[ANSWER_NONE] = "no answer",
		[ANSWER_OTHER] = "refused",
		[ANSWER_WRONG_CHAIN] = "wrong chain id",
		[ANSWER_NOT_PERMITTED] = "not permitted",
		[ANSWER_POOL_FULL] = "pool full",
		[ANSWER_NONCE_HIGH] = "nonce too high",
		[ANSWER_TYPE_UNSUPPORTED] = "transaction type not supported",
		[ANSWER_FEE_CAP] = "above the node's fee cap",
		[ANSWER_GAS_HIGH] = "exceeds the block gas limit",
		[ANSWER_GAS_LOW] = "intrinsic gas too low",
		[ANSWER_INSUFFICIENT_FUNDS] = "insufficient funds",
		[ANSWER_UNDERPRICED] = "underpriced",
		[ANSWER_REPLACEMENT] = "replacement underpriced",
		[ANSWER_NONCE_LOW] = "nonce too low",
		[ANSWER_KNOWN] = "already known",
		[ANSWER_ACCEPTED] = "accepted",
	};

	return (unsigned)a < sizeof names / sizeof *names ? names[a] : "?";
}
