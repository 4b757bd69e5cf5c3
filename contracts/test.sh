#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# test.sh: every quick test of the contract, a line for each step; the last
# line is "contracts: N passed, N failed", the tests of forge counted one by
# one. Leaves with 1 when something failed.
set -uo pipefail
cd "$(dirname "$0")" || exit
# shellcheck source=contracts/tools.sh
. ./tools.sh

passed=0
failed=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT

step() { # name, command...
	local name=$1
	shift
	if "$@" >"$log" 2>&1; then
		echo "ok: contracts: $name"
		passed=$((passed + 1))
	else
		cat "$log"
		echo "FAILED: contracts: $name"
		failed=$((failed + 1))
	fi
}

# forge's own counts are added up; without any the step has failed.
forge_tests() {
	local line

	if FORGE_SNAPSHOT_CHECK=true forge test -vv >"$log" 2>&1; then
		echo "ok: contracts: forge test"
	else
		cat "$log"
		echo "FAILED: contracts: forge test"
	fi
	grep -E '^  (gas per report|a further word|the paper|(ip4|ip6|number|hash):)' "$log"
	line=$(grep -Eo '[0-9]+ tests passed, [0-9]+ failed' "$log" | tail -n 1)
	if [ -z "$line" ]; then
		failed=$((failed + 1))
		return
	fi
	passed=$((passed + ${line%% *}))
	line=${line#*passed, }
	failed=$((failed + ${line%% *}))
}

# Every error that the contract itself declares is expected by some test.
errors_are_tested() {
	local name missing=0

	for name in $(node -e '
		const abi = JSON.parse(require("fs").readFileSync("artifact/SIPchain.abi.json"));
		for (const e of abi)
			if (e.type === "error" && !e.name.startsWith("Ownable"))
				console.log(e.name);'); do
		grep -q "ISIPchain\.$name\.selector" test/*.t.sol && continue
		echo "no test expects the error $name"
		missing=1
	done
	return $missing
}

install_tools
step "the artefact is what the source compiles to" ./build.sh --check
step "forge fmt" forge fmt --check
# It leaves with 0 whatever it finds.
lint() {
	forge lint >"$log.lint" 2>&1 && ! grep -E '^(warning|note|error)' "$log.lint"
	local status=$?
	[ $status -eq 0 ] || cat "$log.lint"
	rm -f "$log.lint"
	return $status
}
step "forge lint" lint
step "each error of the contract has its test" errors_are_tested
step "forge build, tests without a warning" forge build --deny warnings
forge_tests
step "forge snapshot: gas within 1 % of .gas-snapshot" \
	forge snapshot --check --tolerance 1 --match-path test/Gas.t.sol

echo "contracts: $passed passed, $failed failed"
[ $failed -eq 0 ]
