# What a contributor runs. Each target says below what it is for: `make help`.

.DEFAULT_GOAL := help
SHELL := /bin/bash

# Installs a Debian package when its program is missing: $(call need,program,package)
SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)
need = command -v $(1) >/dev/null || { $(SUDO) apt-get update && $(SUDO) apt-get install -y $(2); }

.PHONY: help
help: ## Show this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /\1\t/' | expand -t 14

.PHONY: test
test: ## Run all tests; they start and stop Redis servers of their own, and nginx
	@$(call need,redis-server,redis-server)
	@PATH="$$PATH:/usr/sbin"; $(call need,nginx,nginx-light)
	@$(MAKE) --no-print-directory duckdb google playwright
	cargo test --workspace
	@$(MAKE) --no-print-directory parquet

.PHONY: parquet
parquet: duckdb ## Run the tests of the archive in a program with Parquet; `make test` includes them
	cargo test --features parquet --lib -- store::archive an_hour_becomes
	cargo test --features parquet --test archive --test config

# A reader of the archive that is not ours, beside the build and not in the system.
.PHONY: duckdb
duckdb: ## Install the DuckDB that tests/archive.rs reads the archive with, into target/python
	@$(call need,pip3,python3-pip)
	@[ -d target/python/duckdb ] || python3 -m pip install --quiet --target target/python duckdb==2.0.0

.PHONY: google
google: ## Install the Google client that tests/googl uses, into target/python-google
	@$(call need,pip3,python3-pip)
	@[ -d target/python-google/googleapiclient ] || python3 -m pip install --quiet \
		--target target/python-google google-api-python-client==2.202.0

# A browser, what drives it, and what tells whether everyone can use a page.
.PHONY: playwright
playwright: ## Install Chromium, Playwright and axe-core for tests/dashboard.rs, the last two into target
	@$(call need,chromium,chromium)
	@$(call need,pip3,python3-pip)
	@$(call need,npm,npm)
	@[ -d target/python-playwright/playwright-1.65.2.dist-info ] || python3 -m pip install --quiet --upgrade \
		--target target/python-playwright playwright==1.65.2
	@grep -qs '"version": "4.14.1"' target/npm/node_modules/axe-core/package.json || npm install --silent \
		--no-save --prefix target/npm axe-core@4.14.1

.PHONY: check
check: ## Formatting, lints and documentation, with warnings as errors
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	cargo clippy --all-targets --features parquet -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --no-deps --workspace

.PHONY: fmt
fmt: ## Format the sources
	cargo fmt --all

.PHONY: deny
deny: ## Licences and sources of all dependencies (cargo install cargo-deny)
	@command -v cargo-deny >/dev/null || { echo "cargo-deny is missing: cargo install cargo-deny"; exit 1; }
	cargo deny check bans licenses sources

.PHONY: agents
agents: ## Fetch the newest tables of user agents (needs python3 with PyYAML, npm)
	python3 tools/agents.py

.PHONY: bench
bench: ## Measure against a bare actix-web handler; ARGS="--help" says what else
	@$(call need,wrk,wrk)
	@$(call need,redis-server,redis-server)
	cargo build --profile dist
	cargo run --profile dist -p slugline-bench -- $(ARGS)

.PHONY: interactive
interactive: playwright ## Measure how soon the dashboard can be used
	cargo build --release
	PYTHONPATH=target/python-playwright python3 benches/interactive.py target/release/slugline 10

# What libFuzzer needs to see which ways the input takes; stable Rust can do without `cargo fuzz`.
FUZZ_FLAGS := -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
	-Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
	-Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1 --cfg fuzzing
FUZZ_HOST = $(shell rustc -vV | sed -n 's/^host: //p')
SECONDS_EACH ?= 60

.PHONY: fuzz
fuzz: ## Make up input for everything that reads what strangers send; SECONDS_EACH=60, TARGETS=code
	@$(call need,c++,g++)
	cd fuzz && RUSTFLAGS="$(FUZZ_FLAGS)" cargo build --release --target $(FUZZ_HOST) --target-dir ../target/fuzz
	@for target in $(or $(TARGETS),$(patsubst fuzz/targets/%.rs,%,$(wildcard fuzz/targets/*.rs))); do \
		mkdir -p target/fuzz/found/$$target; \
		echo "== $$target"; \
		target/fuzz/$(FUZZ_HOST)/release/$$target -max_total_time=$(SECONDS_EACH) -timeout=5 \
			-rss_limit_mb=1024 -max_len=16384 -print_final_stats=1 -verbosity=0 \
			-artifact_prefix=target/fuzz/found/$$target- \
			target/fuzz/found/$$target fuzz/seeds/$$target || exit 1; \
	done

.PHONY: image
image: ## Build the container image
	docker build -t slugline .
