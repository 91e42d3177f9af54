# `make run` and `make test` are all that a newcomer needs; the rest is slower.

.PHONY: run test tools fmt lint fuzz bench crash

# Builds the server and starts it with its defaults, for this machine only.
run:
	cargo run --release --package anser-server -- serve

# Everything that has to hold at every commit.
test: tools lint
	cargo build --package anser-server
	cargo test --workspace

# What the tests need and a machine with Rust may lack.
tools:
	sh tests/install.sh

lint:
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings

fmt:
	cargo fmt --all

# Kills the server a hundred times while people write to each other, and a hundred times while they
# speak in rooms; a few of these are in `test`.
crash:
	cargo build --package anser-server
	ANSER_CRASHES=100 cargo test --package anser-tests --test crash --test crash_rooms -- --nocapture

# Anser beside ejabberd and Prosody; an hour and a half, or BENCH=--quick, or BENCH='--only chat'.
# The table goes to bench/results.
bench:
	cargo build --release --package anser-server --package anser-bench
	$${CARGO_TARGET_DIR:-target}/release/anser-bench compare --install $(BENCH)

# Ten minutes of made-up input for each of the targets in fuzz/, or FUZZ_SECONDS.
fuzz:
	sh fuzz/run.sh
