# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Sourced by build.sh, test.sh and prove.sh, in this folder: die(), the packages
# that package.json names, and forge().

die() {
	echo "contracts/${0##*/}: $*" >&2
	exit 1
}

# node_modules/.package-lock.json is npm's own record of what it installed.
# Scripts of packages are not run: the programs are in the packages themselves.
install_tools() {
	command -v node >/dev/null || die "node is missing: install nodejs (18 or newer)"
	if [ ! -e node_modules/.package-lock.json ] ||
		[ package.json -nt node_modules/.package-lock.json ]; then
		command -v npm >/dev/null || die "npm is missing: install npm"
		echo "contracts: installing the packages of package.json" >&2
		# No lock file: npm's would name the platform packages of one machine
		# only and then refuse all others. What matters is pinned in
		# package.json, and the artefact is compared byte for byte.
		npm install --no-package-lock --ignore-scripts --no-audit --no-fund --loglevel=error >/dev/null ||
			die "npm could not install the packages of package.json"
		touch node_modules/.package-lock.json
	fi
}

# The native program: npm's wrapper around it leaves with 0 even if it failed.
forge() {
	local programs=(node_modules/@foundry-rs/forge-*/bin/forge)

	[ -x "${programs[0]}" ] || die "npm has no forge for this machine ($(uname -sm))"
	FOUNDRY_DISABLE_NIGHTLY_WARNING=1 "${programs[0]}" "$@"
}
