# keyroll: two commands for a fresh machine that has Swift: make demo, make test.
SHELL := /bin/bash
.ONESHELL:
.SHELLFLAGS := -euo pipefail -c
PACKAGES := libssl-dev libsqlite3-dev libarchive-dev libpq-dev pkg-config python3-venv sqlite3 openssl zstd time
# What stands on the other side in tests: servers, of which each test starts its own, and users (useradd, setpriv).
SERVERS := postgresql pgbouncer munge slurm-wlm passwd util-linux
VENV := .build/venv
BUILD := .build/release

.PHONY: help setup build demo test test-full soak lint bench scale bench-postgres bench-broker clean

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 16

setup: ## install the Debian packages that building and testing need (only those that are missing)
	@.ci/install $(PACKAGES)

build: setup ## the release build
	@swift build -c release --product keyroll

demo: build ## import this machine's documentation into a scratch home, rotate it twice, verify, compare
	@jobs/demo.sh $(BUILD)/keyroll

# The libraries that stand on the other side in tests: an independent COSE library, published vectors.
$(VENV)/ready: Tests/requirements.txt
	@python3 -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check -r Tests/requirements.txt
	touch $@

test: setup ## every test, on the release build
	@.ci/install $(SERVERS)
	$(MAKE) --no-print-directory $(VENV)/ready
	KEYROLL_STRICT=1 swift build -c release --build-tests --explicit-target-dependency-import-check error
	KEYROLL_STRICT=1 KEYROLL_TEST_VENV="$$PWD/$(VENV)" swift test -c release --skip-build

FAULTS := syscalls power errors kills nested full memory rotators writers leftover clocks rollback
FAULT_RUN = $(VENV)/bin/python3 Tests/faults $(1) --keyroll $(BUILD)/keyroll --writer $(BUILD)/FaultWriter

test-full: test ## every test in its full size: every step, every call, every sync; takes a night and a day
	@KEYROLL_TEST_EVERY_STEP=1 KEYROLL_TEST_VENV="$$PWD/$(VENV)" swift test -c release --skip-build --filter Crash
	mkdir -p .build/faults
	failed=
	for check in $(FAULTS); do
	    $(call FAULT_RUN,$$check) --size nightly --workers 2 > .build/faults/$$check.json || failed="$$failed $$check"
	done
	[ -z "$$failed" ] || { echo "failed:$$failed; see .build/faults" >&2; exit 1; }

soak: build ## rotations under live writers, with kills and failing calls, for MINUTES=60
	@$(MAKE) --no-print-directory $(VENV)/ready
	swift build -c release --product FaultWriter
	$(call FAULT_RUN,soak) --size nightly --set minutes=$(or $(MINUTES),60)

lint: ## formatting and style
	@swift format lint -r -p --strict Package.swift Sources Tests benchmarks

bench: setup ## rotation beside the bare limits of this machine, in one run
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
