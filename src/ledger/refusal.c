/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "ledger/registry.h"

/* Where a refusal's entry number means something. */
enum place {
	NOWHERE,
	IN_LIST, /* a batch, a protected table, a list of signers */
};

static const struct {
	const char *name;
	const char *text;
	enum place place;
} reasons[REFUSED_COUNT] = {
	[REFUSED_NOT] = {"Accepted", "accepted", NOWHERE},
	[REFUSED_TYPE] = {"Type", "no such operation: written by a newer version?",
		NOWHERE},
	[REFUSED_NOT_OWNER] = {"NotOwner",
		"only the ledger's owner may do this: sign with the owner's key",
		NOWHERE},
	[REFUSED_NOT_GUARDIAN] = {"NotGuardian",
		"only the guardian or the owner may do this", NOWHERE},
	[REFUSED_NOT_SIGNER] = {"NotSigner",
		"the key is not a signer of this member: ask the owner to add it",
		NOWHERE},
	[REFUSED_NOT_PROPOSED_OWNER] = {"NotProposedOwner",
		"the ownership has not been offered to this key", NOWHERE},
	[REFUSED_MEMBER_UNKNOWN] = {"MemberUnknown",
		"no such member; a new one takes the index after the last", NOWHERE},
	[REFUSED_MEMBER_EXISTS] = {"MemberExists",
		"this member is there already: change it with member-set", NOWHERE},
	[REFUSED_MEMBER_NOT_ACTIVE] = {"MemberNotActive",
		"the member is suspended or removed: ask the owner", NOWHERE},
	[REFUSED_MEMBER_NOT_SUSPENDED] = {"MemberNotSuspended",
		"the member is not suspended", NOWHERE},
	[REFUSED_MEMBER_REMOVED] = {"MemberRemoved",
		"the member was removed: admit it again first", NOWHERE},
	[REFUSED_GENERATIONS] = {"Generations",
		"this index was removed 65535 times: take a new one", NOWHERE},
	[REFUSED_SIGNER_TAKEN] = {"SignerTaken",
		"the address is a member's signer already: make another key", IN_LIST},
	[REFUSED_SIGNER_UNKNOWN] = {"SignerUnknown",
		"the address is not a signer of this member", NOWHERE},
	[REFUSED_SIGNER_LIMIT] = {"SignerLimit",
		"a member has at most 8 signers: remove one first", NOWHERE},
	[REFUSED_ZERO] = {"Zero", "all zeros stand for nobody", IN_LIST},
	[REFUSED_PAUSED] = {"Paused", "the ledger is paused: only spends pass", IN_LIST},
	[REFUSED_NOT_PAUSED] = {"NotPaused", "the ledger is not paused", NOWHERE},
	[REFUSED_SUPERSEDED] = {"Superseded",
		"this ledger has a successor: report there; only spends pass here",
		IN_LIST},
	[REFUSED_BATCH_EMPTY] = {"BatchEmpty", "a batch needs a word", NOWHERE},
	[REFUSED_BATCH_TOO_LARGE] = {"BatchTooLarge",
		"a batch has at most 256 words: split it", NOWHERE},
	[REFUSED_ACTION_UNKNOWN] = {"ActionUnknown",
		"unknown action: 0 reports, 1 replaces, 2 spends", IN_LIST},
	[REFUSED_WRONG_MEMBER] = {"WrongMember",
		"the word carries another member's index", IN_LIST},
	[REFUSED_WRONG_GENERATION] = {"WrongGeneration",
		"the word carries another generation than the member's: build it anew",
		IN_LIST},
	[REFUSED_CELL_OVER_CAP] = {"CellOverCap",
		"the cell lies past the member's cap: use a lower one", IN_LIST},
	[REFUSED_CELL_LIVE] = {"CellLive",
		"the cell holds another live report: replace it or use a free one",
		IN_LIST},
	[REFUSED_CELL_NOT_LIVE] = {"CellNotLive",
		"the cell holds no live report: there is nothing to spend", IN_LIST},
	[REFUSED_CELL_MISMATCH] = {"CellMismatch",
		"the cell holds another indicator than the one to be spent", IN_LIST},
	[REFUSED_INDICATOR] = {"Indicator",
		"the indicator is malformed or wider than the ledger allows", IN_LIST},
	[REFUSED_UNROUTABLE] = {"Unroutable",
		"the address is not a source on the Internet", IN_LIST},
	[REFUSED_EXPIRY_PAST] = {"ExpiryPast", "the expiry has passed already", IN_LIST},
	[REFUSED_EXPIRY_TOO_FAR] = {"ExpiryTooFar",
		"the expiry is further off than the ledger's max_ttl", IN_LIST},
	[REFUSED_CATEGORY] = {"Category", "unknown category: 1 to 8, or 255", IN_LIST},
	[REFUSED_PROOF] = {"Proof", "unknown proof class", IN_LIST},
	[REFUSED_PROTECTED] = {"Protected", "overlaps the consortium's protected table",
		IN_LIST},
	[REFUSED_TABLE_UNSORTED] = {"TableUnsorted",
		"the entry is not after, or overlaps, the one before it", IN_LIST},
	[REFUSED_TABLE_TOO_LARGE] = {"TableTooLarge",
		"the protected table has at most 1024 entries", NOWHERE},
	[REFUSED_NAME] = {"Name",
		"a name is 1 to 64 bytes of UTF-8 without control characters", NOWHERE},
	[REFUSED_WEIGHT] = {"Weight", "the weight must be 1 to 65535", NOWHERE},
	[REFUSED_CAP] = {"Cap", "the cap must be 1 to 16777216 cells", NOWHERE},
	[REFUSED_CONFIG] = {"Config",
		"configuration out of range: min_v4 8..32, "
		"min_v6 16..128, min_e164 1..15, max_ttl up to 366 days, threshold "
		">= 1",
		NOWHERE},
	[REFUSED_GENESIS] = {"Genesis",
		"the genesis is the first operation of a ledger, and only it", NOWHERE},
	[REFUSED_SEQUENCE] = {"Sequence",
		"the sequence number is not the chain's next: something is missing",
		NOWHERE},
	[REFUSED_TIME] = {"Time",
		"the time is before the operation before it: set the clock right",
		NOWHERE},
	[REFUSED_MEMORY] = {"Memory", "out of memory", NOWHERE},
};

const char *refusal_name(enum refusal_code code)
{
	if ((unsigned)code >= REFUSED_COUNT)
		return "?";
	return reasons[code].name;
}

bool refusal_has_entry(enum refusal_code code)
{
	return (unsigned)code < REFUSED_COUNT && reasons[code].place == IN_LIST;
}

bool refusal_has_conflict(enum refusal_code code)
{
	return code == REFUSED_PROTECTED || code == REFUSED_UNROUTABLE;
}

char *refusal_print(char *dst, const struct refusal *r)
{
	char text[INDICATOR_TEXT];
	int n = 0;

	if ((unsigned)r->code >= REFUSED_COUNT) {
		snprintf(dst, REFUSAL_TEXT, "unknown reason %u", (unsigned)r->code);
		return dst;
	}
	if (refusal_has_entry(r->code))
		n = snprintf(dst, REFUSAL_TEXT, "entry %u: ", r->entry);
	n += snprintf(dst + n, REFUSAL_TEXT - (size_t)n, "%s", reasons[r->code].text);
	if (r->conflict.kind && n < REFUSAL_TEXT)
		n += snprintf(dst + n, REFUSAL_TEXT - (size_t)n, ": %s",
			indicator_print(text, &r->conflict));
	if (n < REFUSAL_TEXT)
		snprintf(dst + n, REFUSAL_TEXT - (size_t)n, " (%s)",
			reasons[r->code].name);
	return dst;
}
