#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# prove.sh: what takes minutes: halmos (the arithmetic, for all inputs),
# slither (static analysis, every finding answered), coverage, and fuzz and
# invariant runs many times as long as test.sh's. RUNS=n times as long: 20.
# The tools come from PyPI into build/contracts-tools. The last line is
# "contracts: N passed, N failed"; leaves with 1 when something failed.
set -uo pipefail
cd "$(dirname "$0")" || exit
# shellcheck source=contracts/tools.sh
. ./tools.sh

readonly RUNS=${RUNS:-20}
build=$(cd .. && pwd)/build
tools=$build/contracts-tools
passed=0
failed=0

count() { # name, exit status
	if [ "$2" -eq 0 ]; then
		echo "ok: contracts: $1"
		passed=$((passed + 1))
	else
		echo "FAILED: contracts: $1"
		failed=$((failed + 1))
	fi
}

python_tools() {
	[ -e "$tools/.installed" ] && return
	mkdir -p "$build"
	python3 -m venv "$tools" &&
		"$tools/bin/pip" install -q --disable-pip-version-check \
			halmos==0.3.3 slither-analyzer==0.11.6 &&
		touch "$tools/.installed"
}

# The provers run forge themselves, and clean and write where they please: in
# a copy.
copy() { # folder
	rm -rf "$1"
	mkdir -p "$1" && cp -r src prove foundry.toml solc "$1" &&
		mkdir "$1/test" && cp test/Arithmetic.sol test/Vm.sol "$1/test" &&
		ln -s "$PWD/node_modules" "$1/node_modules"
}

halmos() {
	copy "$build/contracts-halmos" && (
		cd "$build/contracts-halmos" &&
			FOUNDRY_TEST=prove "$tools/bin/halmos" --contract Symbolic --loop 40 \
				--solver-timeout-assertion 0
	) | tee "$build/contracts-halmos/log" | grep -aE 'PASS|FAIL|ERROR|WARNING|Symbolic test'
	# A path that was not followed is no proof, though halmos only warns of it.
	grep -aqE 'Symbolic test result: [1-9][0-9]* passed.* 0 failed' "$build/contracts-halmos/log" &&
		! grep -aqE 'WARNING|ERROR' "$build/contracts-halmos/log"
}

slither() {
	copy "$build/contracts-slither" && rm -r "$build/contracts-slither/prove" && (
		cd "$build/contracts-slither" &&
			"$tools/bin/slither" . --filter-paths 'node_modules|test' --fail-pedantic
	) 2>&1 | tail -n 40
	return "${PIPESTATUS[0]}"
}

# Lines, statements, branches, functions: with the least of the optimiser that the
# compiler's intermediate language needs, and that for all, as forge does not
# count what another of its compiler profiles has built.
coverage() {
	copy "$build/contracts-coverage" && cp -r test "$build/contracts-coverage" && (
		cd "$build/contracts-coverage" && rm test/Gas.t.sol &&
			sed -i '/^additional_compiler_profiles/,/^]/d; /^compilation_restrictions/,/^]/d' \
				foundry.toml &&
			"$forge" coverage --ir-minimum --no-match-coverage '^test/' >log 2>&1
	) || return
	grep -E '^[|+╭╰].*(File|SIPchain|Total|=)' "$build/contracts-coverage/log"
	# Its lines and statements are mapped roughly, functions are not; and a test
	# that fails is no witness.
	grep -qE 'src/SIPchain\.sol .*\| 100\.00% \([0-9/]+\) *\|$' "$build/contracts-coverage/log" &&
		! grep -qE '[1-9][0-9]* failed' "$build/contracts-coverage/log"
}

long_runs() {
	forge build >/dev/null &&
		FOUNDRY_FUZZ_RUNS=$((200 * RUNS)) FOUNDRY_INVARIANT_RUNS=$((16 * RUNS)) \
			forge test --no-match-path test/Gas.t.sol 2>&1 | tee "$build/contracts-long.log" |
		grep -E 'FAIL|runs:|tests passed'
	[ "${PIPESTATUS[0]}" -eq 0 ]
}

install_tools
python_tools || die "halmos and slither could not be installed: python3 with venv is needed"
programs=("$PWD"/node_modules/@foundry-rs/forge-*/bin/forge)
forge=${programs[0]}
PATH="${forge%/*}:$PATH" # as slither and halmos call it

halmos
count "halmos: the arithmetic of indicators and words, for all inputs" $?
slither
count "slither: no finding without its answer" $?
coverage
count "forge coverage" $?
long_runs
count "forge test, $RUNS times as long" $?

echo "contracts: $passed passed, $failed failed"
[ $failed -eq 0 ]
