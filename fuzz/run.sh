#!/bin/sh
# Runs the targets that are named, or all of them, for FUZZ_SECONDS each, and says in a line what
# came of it. Fails if there is a finding.
set -eu
cd "$(dirname "$0")"
command -v cargo-fuzz >/dev/null || cargo install cargo-fuzz --locked

# No sanitizer: nothing here is unsafe, and twice as much is tried without one. What leaks meets
# the limit on memory.
fuzz() {
	cargo +nightly fuzz run --release --sanitizer none "$1" "corpus/$1" "seeds/$1" -- \
		-dict="dictionaries/$1.dict" -max_total_time="${FUZZ_SECONDS:-600}" \
		-timeout=10 -rss_limit_mb=1024 -print_final_stats=1
}

outcome=0
for target in ${*:-xml jid sasl c2s}; do
	log=artifacts/$target.log
	mkdir -p artifacts "corpus/$target"
	fuzz "$target" >"$log" 2>&1 || outcome=1
	runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
	coverage=$(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "$log" | tail -n 1)
	findings=$(grep -c 'Test unit written to' "$log" || true)
	echo "$target: ${runs:-no} runs, coverage ${coverage:-unknown}, $findings findings (fuzz/$log)"
done
exit $outcome
