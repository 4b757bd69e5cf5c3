#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# build.sh: compile the contract, write artifact/ and the tests' interface to it.
# build.sh --check: compile it and compare with what is there, byte for byte.
# build.sh --tools: only install what package.json names, if it is missing.
set -euo pipefail
cd "$(dirname "$0")"
# shellcheck source=contracts/tools.sh
. ./tools.sh

# Into an empty folder and of this one source alone: names inside the compiler,
# and by them the order of the code, depend on what else it is given.
compile() { # folder
	forge build --force --out "$1/out" --cache-path "$1/cache" src/SIPchain.sol \
		>"$1/log" 2>&1 || {
		cat "$1/log" >&2
		die "src/SIPchain.sol does not compile"
	}
	if grep -q '^Warning' "$1/log"; then
		cat "$1/log" >&2
		die "the compiler warns of src/SIPchain.sol"
	fi
	node - "$1/out/SIPchain.sol/SIPchain.json" "$1" <<'JS'
const fs = require('fs');
const [json, dir] = process.argv.slice(2);
const made = JSON.parse(fs.readFileSync(json, 'utf8'));
const code = { creation: made.bytecode, runtime: made.deployedBytecode };
const LIMIT = 24576; // bytes of a contract's code, EIP-170
for (const [name, part] of Object.entries(code)) {
	if (!/^0x[0-9a-f]+$/.test(part.object))
		throw new Error(name + ' code is not linked');
	fs.writeFileSync(`${dir}/SIPchain.${name}.hex`, part.object.slice(2) + '\n');
}
const bytes = code.runtime.object.length / 2 - 1;
if (bytes > LIMIT)
	throw new Error(`the code has ${bytes} bytes: at most ${LIMIT} can be deployed`);
fs.writeFileSync(`${dir}/SIPchain.abi.json`, JSON.stringify(made.abi, null, 1) + '\n');
console.log(`SIPchain: ${bytes} bytes of code, ${LIMIT - bytes} below the limit`);
JS
}

main() {
	local file

	case ${1-} in
	'' | --check | --tools) ;;
	*) die "usage: build.sh [--check | --tools]" ;;
	esac
	install_tools
	[ "${1-}" != --tools ] || return 0
	dir=$(mktemp -d)
	trap 'rm -rf "$dir"' EXIT
	compile "$dir"
	node interface.js "$dir/SIPchain.abi.json" >"$dir/ISIPchain.sol"
	for file in artifact/SIPchain.{creation.hex,runtime.hex,abi.json} test/ISIPchain.sol; do
		if [ "${1-}" != --check ]; then
			mkdir -p "${file%/*}"
			cp "$dir/${file##*/}" "$file"
		elif ! cmp "$dir/${file##*/}" "$file"; then
			die "$file is not what src/SIPchain.sol compiles to:" \
				"run contracts/build.sh and commit it"
		fi
	done
}

main "$@"
