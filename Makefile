# Everything is done by SwiftPM and the scripts; these are the names to call them by.
.DEFAULT_GOAL := help
.PHONY: help up test openapi crash torture fuzz allocations lint bench image k8s packages

# Every target imports what it declares and nothing else, so that the target graph stays true.
SWIFT_FLAGS := --explicit-target-dependency-import-check error

help: ## What can be made
	@sed -nE 's/^([a-z0-9]+):.*## (.*)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 14

# A debug build: it shares .build with the tests, and builds in a fraction of the time. `make bench` and the image
# are release builds.
up: packages ## Install what is missing, build, and serve everything on http://127.0.0.1:8080
	swift build $(SWIFT_FLAGS) --product tiketi
	@exec .build/debug/tiketi dev

test: packages ## Install what is missing, build, and run every test against private servers
	@scripts/install-duckdb
	@scripts/install-service-peers
	swift build --build-tests $(SWIFT_FLAGS)
	scripts/run-tests $(SWIFT_FLAGS)

openapi: packages ## Hold every service against the OpenAPI document that it serves, with Schemathesis
	@scripts/check-openapi

crash: packages ## The sums under kill -9: a minute at 20,000 beacons/s against a release build
	swift build -c release --product tiketi
	swift build --build-tests $(SWIFT_FLAGS)
	TIKETI_BINARY=$(CURDIR)/.build/release/tiketi TIKETI_CRASH_SECONDS=60 TIKETI_CRASH_RATE=20000 \
		scripts/run-tests $(SWIFT_FLAGS) --filter CrashTests

# A debug build: a release build has no crash points.
torture: packages ## The spool on a disk that fails, 100,000 schedules; kill -9 at every crash point, of ingest and of sales
	swift build --build-tests $(SWIFT_FLAGS)
	TIKETI_SCHEDULES=100000 scripts/run-tests $(SWIFT_FLAGS) --filter SpoolScheduleTests
	TIKETI_ROUNDS=204 scripts/run-tests $(SWIFT_FLAGS) --filter ProcessTests.TortureTests
	TIKETI_ROUNDS=200 scripts/run-tests $(SWIFT_FLAGS) --filter SaleTortureTests

fuzz: packages ## Ten minutes of libFuzzer each for bodies, connections, spool segments, blocks and id runs
	@scripts/fuzz

allocations: packages ## That ingest asks for no memory for each beacon, counted in a release build
	swift run -c release allocations

lint: ## Formatting, house rules, shell scripts
	@scripts/lint

bench: packages ## The project's own benchmarks, in a release build, beside ClickHouse and DuckDB from PyPI
	@scripts/install-bench-peers
	swift build -c release --product tiketi
	@PATH="$(CURDIR)/.build/bench-peers/bin:$$PATH" .build/release/tiketi bench all --peers Benchmarks

image: ## The container image, tiketi:local
	docker build --tag tiketi:local .

k8s: ## Build and validate every Kubernetes overlay
	@scripts/check-k8s

packages:
	@scripts/install-packages
