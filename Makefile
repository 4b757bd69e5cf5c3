# SPDX-License-Identifier: Apache-2.0
# The one entry. Every target installs what it lacks (Debian, apt) and then
# calls Meson or a script, which can be called by themselves as well.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help build demo test test-network accuracy prove bench lint fuzz install clean

PREFIX ?= /usr/local
CASES ?=
LEDGER ?= local
CORPUS ?=
SECONDS_EACH ?= 60

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 22

build: ## the programs, optimised, in build/release
	@scripts/setup.sh build
	@scripts/build.sh release

demo: ## attack three nodes with real Asterisk and sipp (CASES=1,4 LEDGER=ethereum)
	@scripts/setup.sh build demo $(if $(filter ethereum,$(LEDGER)),chain)
	@scripts/build.sh release
	@tests/net/run.py --build build/release --ledger $(LEDGER) \
		$(if $(CASES),--cases $(CASES))

test: ## all tests, under the address and undefined-behaviour sanitizers
	@scripts/setup.sh build test demo chain
	@scripts/test.sh

test-network: ## nodes on real networks of validators that die, part and reorganise
	@scripts/setup.sh build test demo chain
	@scripts/test-network.sh

accuracy: ## whom the sensors publish and ban in a corpus, beside the truth (CORPUS=DIR)
	@scripts/setup.sh build accuracy
	@scripts/accuracy.sh $(CORPUS)

prove: ## the contract: symbolic execution, slither, coverage (ten minutes)
	@scripts/setup.sh build chain
	@contracts/prove.sh

bench: ## the measurements, with their yardsticks
	@scripts/setup.sh build bench chain
	@scripts/build.sh bench
	@meson test -C build/bench --benchmark --no-rebuild --verbose

lint: ## formatting, static analysis, layering, scripts
	@scripts/setup.sh build test lint
	@scripts/lint.sh

fuzz: ## every fuzz target for SECONDS_EACH seconds
	@scripts/setup.sh build lint
	@scripts/build.sh fuzz
	@scripts/fuzz.sh build/fuzz $(SECONDS_EACH)

install: ## build/release into PREFIX (default /usr/local; DESTDIR is honoured)
	@scripts/setup.sh build
	@scripts/build.sh release --prefix=$(PREFIX)
	@meson install -C build/release --no-rebuild

clean: ## remove build/
	@rm -rf build
