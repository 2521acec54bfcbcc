# Waxseal's commands. `make help` lists them; each one installs what it needs and is missing.

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.ONESHELL:
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

TOOLCHAIN := 1.95.0
TARGET := wasm32-unknown-unknown
RUN := node scripts/run.mjs
NODE_STAMP := node_modules/.stamp
TARGET_STAMP := target/.$(TARGET)-$(TOOLCHAIN)
WASM := target/$(TARGET)/release/waxseal.wasm
GLUE := pkg/dist/wasm/waxseal_bg.wasm
DIST := pkg/dist/waxseal.wasm
TARBALL := target/packed/waxseal.tgz
PROOF := target/proof/waxseal.wasm

RUST_SOURCES := $(shell find src xtask -name '*.rs' -o -name Cargo.toml) Cargo.toml Cargo.lock rust-toolchain.toml
TS_SOURCES := $(shell find pkg/src -name '*.ts') pkg/package.json tsconfig.base.json pkg/tsconfig.json pkg/tsconfig.types.json scripts/build.ts scripts/optimise.ts

##@ Everyday

.PHONY: help
help: ## this list
	@awk 'BEGIN { FS = ":.*## " } /^##@/ { print "\n" substr($$0, 5) } /^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

.PHONY: demo
demo: $(TARBALL) ## the Worker on Cloudflare's runtime, and a walk through sign-in and logout (DEMO_EXIT=1: then stop)
	@exec $(RUN) worker/demo/run.ts

.PHONY: build
build: $(DIST) ## the npm package in pkg/dist

.PHONY: www
www: $(DIST) ## the playground, a static site in www/dist (make www ARGS=--serve: on 127.0.0.1)
	@exec node www/build.mjs $(ARGS)

.PHONY: test
test: $(TARBALL) ## every test: native, Node (ESM, CommonJS), workerd, Chromium, packaging, session stores, end to end
	@scripts/install-chromium.sh
	@scripts/install-prometheus.sh
	@scripts/install-stores.sh
	@scripts/install-packaging.sh
	$(RUN) scripts/test.ts

.PHONY: lint
lint: $(TARBALL) ## formatting, lints, types, documentation, generated files, the package's manifest
	@scripts/lint.sh

##@ Longer

.PHONY: matrix
matrix: $(TARBALL) ## the suite on Node 20, 22, 24 and 26, Deno, Bun, workerd and Chromium, with versions and counts (ARGS="deno bun": some)
	@scripts/install-chromium.sh
	@scripts/install-packaging.sh
	@exec $(RUN) tests/js/run-matrix.ts $(ARGS)

.PHONY: reference
reference: $(TARBALL) ## the reference of the interface, in target/reference/html; fails where an exported name is not documented
	@exec $(RUN) scripts/reference.ts

.PHONY: bench
bench: $(TARBALL) ## verification beside other libraries, on Node, workerd and in Chromium (ARGS=--help: options)
	@exec $(RUN) bench/run.ts $(ARGS)

.PHONY: bench-profile
bench-profile: $(TARBALL) ## which functions the time of a verification goes to (ARGS=--help: options)
	@exec $(RUN) bench/profile/run.ts $(ARGS)

.PHONY: size
size: $(DIST) ## where the bytes of waxseal.wasm go, by crate and module
	@exec $(RUN) scripts/size.ts

.PHONY: bench-stores
bench-stores: $(TARBALL) ## refreshes per second on every session store, beside the store's own operations
	@scripts/install-stores.sh
	@exec $(RUN) bench/stores.ts

.PHONY: load
load: $(TARBALL) ## mixed traffic at full speed on both example servers, with failing stores, for LOAD_SECONDS (600) each
	@scripts/install-stores.sh
	@exec $(RUN) tests/load/run.ts $(ARGS)

# Not in `test`: what servers are made of takes minutes to build, and is not of this crate's tree.
.PHONY: examples
examples: $(TARGET_STAMP) ## the crate in an axum server, which is started, and in a Rust Worker, which is built
	cd examples/rust
	cargo clippy --locked --quiet --package waxseal-example-axum --all-targets -- -Dwarnings
	cargo clippy --locked --quiet --release --target $(TARGET) --package waxseal-example-worker -- -Dwarnings
	cargo test --locked --package waxseal-example-axum
	cargo build --locked --release --target $(TARGET) --package waxseal-example-worker

.PHONY: proof
proof: $(PROOF) $(TARBALL) fuzz examples ## much of what tests do little of: see PROPTEST_CASES, WAXSEAL_PROOF_CASES, WAXSEAL_CALLS and FUZZ_SECONDS in the Makefile
	export PROPTEST_CASES=$${PROPTEST_CASES:-20000}
	# Inputs that a property leaves out grow with the cases; their limit does not by itself.
	export PROPTEST_MAX_GLOBAL_REJECTS=$$PROPTEST_CASES
	cargo test --profile proof --workspace --exclude xtask --no-fail-fast
	# Each case by every path of its algorithm: ten million natively, and as many as are told in the release build.
	WAXSEAL_PROOF_CASES=$${WAXSEAL_PROOF_CASES:-5000000} cargo test --profile proof --package waxseal-arithmetic \
		--test p256_agreement --test rsa_agreement -- --nocapture --test-threads 1
	WAXSEAL_PROOF_CASES=$${WAXSEAL_PROOF_CASES:-1000000} $(RUN) tests/proof/run.ts
	$(RUN) tests/proof/signatures.ts
	# A million random calls on Node, and WAXSEAL_CALLS_SECONDS (300) of them on workerd and in Chromium.
	$(RUN) tests/proof/calls.ts
	cargo run --profile proof --package waxseal-model --bin explore
	# Tokens with anything wrong, before an independent verifier: natively jwt-compact, and jose through Node.
	WAXSEAL_DIFFERENTIAL_CASES=$${WAXSEAL_DIFFERENTIAL_CASES:-200000} cargo test --profile proof --package waxseal-fuzz-bodies \
		--test differential -- --nocapture
	$(RUN) tests/proof/differential.ts

.PHONY: audit
audit: ## licences, sources, duplicates and known weaknesses of the crates that are used
	@exec scripts/audit.sh

.PHONY: reproduce
reproduce: ## builds the package twice, in different places, and compares the two byte by byte
	@exec scripts/reproduce.sh

.PHONY: fuzz
fuzz: ## every fuzz target, for FUZZ_SECONDS (60) each, on a nightly toolchain (ARGS="json cookies": some)
	@exec scripts/fuzz.sh $(ARGS)

.PHONY: mutants
mutants: ## changes the core in one place at a time, to see whether its tests notice: hours (ARGS="claims rotation": some)
	@exec scripts/mutants.sh $(ARGS)

.PHONY: clean
clean: ## removes everything that was built or installed
	rm -rf target fuzz/target node_modules pkg/dist worker/dist worker/node_modules www/dist

# What the above are made of.

# npm ci changes nothing but node_modules, and only when the lock file has changed.
$(NODE_STAMP): package-lock.json package.json $(wildcard */package.json)
	node -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)' || { echo "Node 20 or later is needed" >&2; exit 1; }
	npm ci --no-audit --no-fund --loglevel=error
	touch $@

# rust-toolchain.toml asks for the target too, but does not install it where the toolchain is present already.
$(TARGET_STAMP):
	rustup toolchain list | grep '^$(TOOLCHAIN)' >/dev/null ||
		rustup toolchain install $(TOOLCHAIN) --profile minimal --component clippy --component rustfmt
	rustup target add $(TARGET) --toolchain $(TOOLCHAIN)
	mkdir -p target
	touch $@

# Messages of panics name source files, which must not begin with the home directory of whoever builds. SHA-256 as a loop
# is six kilobytes smaller than unrolled. Every host that is supported has SIMD. Half of the usual stack is enough, and
# keeps the addresses of data, which lie behind it, below 2^20: a byte less in each place that names one. The crate type is
# told here, for Cargo links nothing with `lto` that Cargo.toml says to be a Rust library as well.
$(GLUE) $(PROOF): export CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS := \
	--remap-path-prefix=$(or $(CARGO_HOME),$(HOME)/.cargo)/registry/src= --cfg sha2_backend_soft="compact" -C target-feature=+simd128 \
	-C link-arg=-zstack-size=524288
$(GLUE): $(RUST_SOURCES) | $(TARGET_STAMP)
	cargo rustc --locked --release --target $(TARGET) --features js --package waxseal --lib --crate-type cdylib
	cargo xtask bindgen --target web --omit-default-module-path --experimental-reset-state-function \
		--out-name waxseal --out-dir $(dir $@) $(WASM)
	touch $@

# The same with the arithmetic exported by itself, to try each of its paths.
$(PROOF): $(RUST_SOURCES) scripts/optimise.ts $(NODE_STAMP) | $(TARGET_STAMP)
	cargo rustc --locked --release --target $(TARGET) --target-dir $(dir $@) --features proof --package waxseal --lib --crate-type cdylib
	cargo xtask bindgen --target web --omit-default-module-path --out-name waxseal --out-dir $(dir $@) \
		$(dir $@)$(TARGET)/release/waxseal.wasm
	$(RUN) tests/proof/optimise.ts $(dir $@)waxseal_bg.wasm $@

$(DIST): $(GLUE) $(TS_SOURCES) $(NODE_STAMP)
	$(RUN) scripts/build.ts

$(TARBALL): $(DIST) README.md LICENSE-MIT LICENSE-APACHE scripts/pack.ts
	$(RUN) scripts/pack.ts
