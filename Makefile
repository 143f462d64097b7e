# SPDX-License-Identifier: Apache-2.0
# What people and continuous integration run. Every target does its own set-up; `make help` lists them.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
ON_ALL_CPUS := --numprocesses=auto --dist=worksteal
SOURCES := pyproject.toml meson.build meson.options README.md LICENSE \
	$(shell find src native -not -name '*.pyc' -not -name __pycache__ 2>/dev/null)
export PATH := $(CURDIR)/$(BIN):$(PATH)
export PYTHON
export PYTHONDONTWRITEBYTECODE := 1
comma := ,

INTEROP_PACKAGES := debootstrap default-jdk-headless libnss3-tools libp11-dev nginx nodejs npm openssh-client \
	openssh-server p11-kit-modules podman

.DEFAULT_GOAL := help
PREFIX ?= /usr/local
.PHONY: install deb wheel image help demo test check docs interop board board-is-named bench bench-instructions bench-many bench-fair bench-hostile bench-holds fuzz soak packages clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 20

demo: $(INSTALLED) ## walk through OP-TEE's documentation with real programs
	@softee demo
	@echo 'The command is $(BIN)/softee; after `. $(BIN)/activate` it is found as softee.'

test: $(INSTALLED) ## run all tests, against the installed wheel; with TESTS=... some of them
	@tools/debian_packages.sh default-jdk-headless libp11-dev musl-tools nginx openssh-client openssh-server p11-kit-modules softhsm2 valgrind
ifdef TESTS
	pytest $(ON_ALL_CPUS) $(TESTS)
else
	@coverage erase
	coverage run -m pytest $(ON_ALL_CPUS)
	@coverage combine --quiet
	coverage report
endif

check: $(INSTALLED) docs ## format, lint, types, generated files, links of the documents, C warnings
	ruff format --check .
	ruff check .
	mypy
	for generator in tools/gen_*.py; do python $$generator --check || exit 1; done
	clang-format --dry-run --Werror $$(find native -name '*.[ch]' -not -name '*.gen.h')
	rm -rf build/warnings
	meson setup --werror -Dpython=false -Dnative_tests=true build/warnings >/dev/null
	meson compile -C build/warnings

docs: $(INSTALLED) ## the documents as a site, in build/docs/site; their links are checked
	rm -rf build/docs
	mkdir -p build/docs/pages
	cp -r --parents *.md docs contrib/README.md examples/README.md packages/*/README.md build/docs/pages
	mkdocs build --quiet --strict

interop: $(INSTALLED) ## other people's programs and suites, in Debian 13 too
	@tools/debian_packages.sh $(INTEROP_PACKAGES)
	SOFTEE_CLIENTS=1 pytest $(ON_ALL_CPUS) --timeout=1800 -o faulthandler_timeout=0 $(or $(TESTS),tests/interop)

board: board-is-named $(INSTALLED) ## compare with a real OP-TEE, on a board that BOARD= boots
	@tools/debian_packages.sh gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user
	SOFTEE_BOARD=$(abspath $(BOARD)) pytest --timeout=3600 -o faulthandler_timeout=0 $(or $(TESTS),tests/board)

board-is-named:
	@test -n "$(BOARD)" || { sed -n 's/^#: \{0,1\}//p' $(MAKEFILE_LIST) >&2; exit 2; }

#: make board BOARD=SCRIPT needs a script that boots a board, or an emulator, with the real OP-TEE:
#:   SCRIPT prepare DIRECTORY                fetches what it needs into the directory, once
#:   SCRIPT run DIRECTORY COMMANDS FILE...   boots, runs the shell script COMMANDS with the FILEs in /payload,
#:                                           prints what it prints, and exits as it does
#: The board has xtest, pkcs11-tool, libteec and libckteec for arm64, and OP-TEE's PKCS#11 application.

bench: $(INSTALLED) ## calls per second, beside SoftHSM2; with ARGS=... what `softee bench` is told
	@tools/debian_packages.sh p11-kit-modules softhsm2
	softee bench $(or $(ARGS),--callers 1$(comma)2$(comma)2p --json build/bench.json --plot build/bench.svg)

bench-instructions: $(INSTALLED) ## instructions of a call, held to bench/instructions.json; with ARGS=--update written there
	@tools/debian_packages.sh valgrind
	python -m bench.instructions $(ARGS)

bench-many: $(INSTALLED) ## what a token of 100,000 objects costs
	python -m bench.many

bench-fair: $(INSTALLED) ## how alike 64 busy clients among 1,000 are served; with ARGS=--workers=N, by so many processes
	python -m bench.fairness $(ARGS)

bench-hostile: $(INSTALLED) ## what hostile clients cost another one's signatures; with ARGS=--workers=N, of so many processes
	python -m bench.hostile $(ARGS)

bench-holds: $(INSTALLED) ## how long each sort of work keeps a worker's other clients waiting
	python -m bench.holds $(ARGS)

fuzz: $(INSTALLED) ## each fuzz target for a minute, with ARGS=--seconds=N for longer; more examples of tests of random bytes
	@tools/debian_packages.sh clang libclang-rt-dev
	python tools/run_fuzzers.py $(ARGS)
	pytest --hypothesis-profile=fuzz --timeout=3600 tests/fuzz

SOAKED := tests/attacks tests/interop/test_restart.py tests/interop/test_lost_connection.py tests/interop/test_bad_company.py \
	tests/interop/test_nginx_under_load.py \
	tests/native/test_musl.py tests/native/test_round_trips.py tests/native/test_thread_sanitizer.py \
	tests/vectors

soak: $(INSTALLED) ## the long versions of the crash tests, all vectors, musl, ThreadSanitizer
	@tools/debian_packages.sh musl-tools nginx
	SOFTEE_SOAK=1 pytest --timeout=7200 -o faulthandler_timeout=0 $(SOAKED)

install: $(INSTALLED) ## for the whole machine: programs, units, headers, below PREFIX=/usr/local; DESTDIR= is heeded
	tools/install.sh "$(PREFIX)" "$(DESTDIR)"

deb: $(INSTALLED) ## a Debian package, in build/deb; with ARGS=--python=3.13 for Debian 13
	python tools/make_deb.py $(ARGS)

wheel: $(INSTALLED) ## a wheel for any Python from 3.11 on and any glibc from 2.28 on, in build/wheel
	python tools/make_wheel.py $(ARGS)

image: deb ## a container image of the Debian package, with podman, buildah or docker; as root
	tools/make_image.sh

packages: ## install the Debian packages that are missing, or say which
	@tools/debian_packages.sh

$(BIN)/python: | packages
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo 'softee needs Python 3.11 or newer.' >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(INSTALLED): $(SOURCES) | packages $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check '.[dev]'
	@touch $@

clean: ## remove what was built and installed here
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .benchmarks .coverage*
	find . -name __pycache__ -prune -exec rm -rf {} +
