# keyroll: two commands for a fresh machine that has Swift: make demo, make test.
SHELL := /bin/bash
.ONESHELL:
.SHELLFLAGS := -euo pipefail -c
PACKAGES := libssl-dev libsqlite3-dev libarchive-dev libpq-dev libyaml-dev pkg-config python3-venv sqlite3 openssl zstd time
# What stands on the other side in tests: servers, of which each test starts its own, and users (useradd, setpriv).
SERVERS := postgresql pgbouncer munge slurm-wlm dovecot-pop3d passwd util-linux
# What looks at pages and metrics in tests: a browser with its driver, an HTML checker's runtime, promtool.
LOOKERS := chromium chromium-driver default-jre-headless prometheus strace gdb rsync patch
VENV := .build/venv
# What make bench compares with and draws with.
PEERS := postgresql age gnupg gcc libc6-dev
BENCH_VENV := .build/bench-venv
# make bench QUICK=1: small sizes, three minutes.
QUICK ?=
BUILD := .build/release

.PHONY: help setup build release man completions install uninstall deb test-packaging docs demo test test-full test-asan test-tsan fuzz mutants soak lint bench bench-ready bench-check bench-baseline bench-rotation scale bench-postgres bench-broker clean

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 16

setup: ## install the Debian packages that building and testing need (only those that are missing)
	@.ci/install $(PACKAGES)

build: setup ## the release build
	@swift build -c release --product keyroll

# Installing: packaging/install.mk
include packaging/install.mk

demo: build ## import this machine's documentation into a scratch home, rotate it twice, verify, compare
	@jobs/demo.sh $(BUILD)/keyroll

# The libraries that stand on the other side in tests: an independent COSE library, published vectors.
$(VENV)/ready: Tests/requirements.txt
	@python3 -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check -r Tests/requirements.txt
	touch $@

test: setup ## every test, on the release build
	@.ci/install $(SERVERS) $(LOOKERS)
	$(MAKE) --no-print-directory $(VENV)/ready
	KEYROLL_STRICT=1 swift build -c release --build-tests --explicit-target-dependency-import-check error
	KEYROLL_STRICT=1 KEYROLL_TEST_VENV="$$PWD/$(VENV)" swift test -c release --skip-build
	PYTHONDONTWRITEBYTECODE=1 python3 -m unittest discover -s benchmarks -t benchmarks -p "test_*.py"
	packaging/docs.sh $(BUILD) .build/docs
	$(MAKE) --no-print-directory test-packaging
	Tests/mutants/run.sh --check
	$(MAKE) --no-print-directory fuzz SECONDS=5

docs: build ## the library's documentation, in .build/docs
	@packaging/docs.sh $(BUILD) .build/docs

FAULTS := syscalls power errors creation garbled kills nested full memory rotators writers leftover counts clocks rollback places fresh
FAULT_RUN = $(VENV)/bin/python3 Tests/faults $(1) --keyroll $(BUILD)/keyroll --writer $(BUILD)/FaultWriter

test-full: test ## every test in its full size: every step, every call, every sync; takes a night and a day
	@KEYROLL_TEST_EVERY_STEP=1 KEYROLL_TEST_VENV="$$PWD/$(VENV)" swift test -c release --skip-build --filter Crash
	mkdir -p .build/faults
	failed=
	for check in $(FAULTS); do
	    $(call FAULT_RUN,$$check) --size nightly --workers 2 > .build/faults/$$check.json || failed="$$failed $$check"
	done
	[ -z "$$failed" ] || { echo "failed:$$failed; see .build/faults" >&2; exit 1; }

fuzz: build ## every parser by libFuzzer, SECONDS=60 each
	@$(MAKE) --no-print-directory $(VENV)/ready
	[ -d .build-fuzz ] || mkdir .build-fuzz
	KEYROLL_FUZZ=1 swift build -c release --sanitize fuzzer --product Fuzz --scratch-path .build-fuzz
	Tests/fuzz/run.sh $(or $(SECONDS),60) $(TARGETS)

# OpenSSL keeps its random generators' states where the leak check does not look.
ASAN := detect_leaks=0
TSAN := halt_on_error=1

test-asan: setup ## the tests under the address sanitizer, FILTER=… for some of them
	@.ci/install $(SERVERS) $(LOOKERS)
	$(MAKE) --no-print-directory $(VENV)/ready
	export KEYROLL_TEST_SANITIZER=address SWIFT_BACKTRACE=enable=no ASAN_OPTIONS=$(ASAN)
	KEYROLL_TEST_VENV="$$PWD/$(VENV)" swift test -c release --sanitize address --scratch-path .build-asan $(if $(FILTER),--filter '$(FILTER)')

test-tsan: setup ## the tests under the thread sanitizer, FILTER=… for some of them; in a copy whose locks it can see
	@.ci/install $(SERVERS) $(LOOKERS)
	$(MAKE) --no-print-directory $(VENV)/ready
	mkdir -p .build-tsan/tree
	rsync -a --delete --exclude .build --exclude '.build-*' --exclude .git ./ .build-tsan/tree/
	grep -rl '^import Synchronization$$' .build-tsan/tree/{Sources,Tests} | xargs sed -i 's/^import Synchronization$$/import SeenSynchronization/'
	export KEYROLL_TSAN=1 KEYROLL_TEST_SANITIZER=thread SWIFT_BACKTRACE=enable=no TSAN_OPTIONS=$(TSAN)
	export KEYROLL_TEST_VENV="$$PWD/$(VENV)"
	cd .build-tsan/tree
	swift test -c release --sanitize thread --scratch-path ../build $(if $(FILTER),--filter '$(FILTER)')

mutants: setup ## deliberate mistakes, each of which the tests have to notice; after make test
	@.ci/install rsync patch
	Tests/mutants/run.sh $(NAMES)

soak: build ## rotations under live writers, with kills and failing calls, for MINUTES=60
	@$(MAKE) --no-print-directory $(VENV)/ready
	swift build -c release --product FaultWriter
	$(call FAULT_RUN,soak) --size nightly --set minutes=$(or $(MINUTES),60)

lint: ## formatting and style
	@swift format lint -r -p --strict Package.swift Sources Plugins Examples Tests benchmarks

# Versions are pinned: a peer that becomes faster is a change that somebody makes on purpose.
$(BENCH_VENV)/ready: benchmarks/requirements.txt
	@python3 -m venv $(BENCH_VENV)
	$(BENCH_VENV)/bin/pip install --quiet --disable-pip-version-check -r benchmarks/requirements.txt
	touch $@

bench-ready: build
	@.ci/install $(PEERS)
	$(MAKE) --no-print-directory $(BENCH_VENV)/ready
	swift build -c release --product StageBenchmark
	swift build -c release --product RotationBenchmark

bench: bench-ready ## everything beside bare limits and peers, as JSON, plots and benchmarks/RESULTS.md; 20 minutes, 10 GB of disk; QUICK=1: 3 minutes
	@benchmarks/bench.sh $(BUILD) $(BENCH_VENV)/bin/python $(if $(QUICK),--quick) $(BENCH)

bench-check: bench-ready ## a quick run whose ratios are held against benchmarks/baseline.json; fails where one is 20 % worse
	@cd benchmarks
	python3 -m unittest --quiet bench.test_check
	cd ..
	benchmarks/bench.sh $(BUILD) $(BENCH_VENV)/bin/python --check $(BENCH)

bench-baseline: bench-ready ## three quick runs, whose median ratios become benchmarks/baseline.json; on a quiet machine
	@for run in 1 2 3; do
	    mkdir -p benchmarks/results/local/baseline-$$run
	    benchmarks/bench.sh $(BUILD) $(BENCH_VENV)/bin/python --quick --out benchmarks/results/local/baseline-$$run $(BENCH) || [ $$? = 3 ]
	done
	cd benchmarks
	python3 -m bench.check --save results/local/baseline-{1,2,3}/bench.json

bench-rotation: setup ## rotation beside the bare limits of this machine, alone
	@swift build -c release --product RotationBenchmark
	$(BUILD)/RotationBenchmark $(BENCH)

scale: build ## growth to 10 million secrets, latencies, large secrets, re-encryption; needs 25 GB of disk and some minutes
	@swift build -c release --product RotationBenchmark
	benchmarks/scale.sh $(BUILD)/keyroll all

bench-broker: build ## the broker beside reading directly: cost, throughput, ten thousand idle clients
	swift build -c release --product BrokerBenchmark
	benchmarks/broker.sh $(BUILD)/keyroll $(BUILD)/BrokerBenchmark $(BENCH)

bench-postgres: build ## the PostgreSQL store on a server of its own: rates, memory, latencies, fleets; needs 10 GB of disk
	@.ci/install postgresql
	swift build -c release --product RotationBenchmark
	benchmarks/postgres.sh $(BUILD)/keyroll $(BENCH)

clean: ## remove everything that was built
	@rm -rf .build .build-*
