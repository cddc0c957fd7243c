#!/usr/bin/env bash
# Runs one fuzz target for some seconds: run.sh TARGET SECONDS
# The seeds are read, what is found goes to corpus/ and artifacts/, which are not committed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
target=$1
seconds=$2

# The sanitizers and coverage flags are unstable. A released compiler takes them when told so; a nightly one anyway.
export RUSTC_BOOTSTRAP=1
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-target}/fuzz
mkdir -p "corpus/$target"

# The core has no unsafe code: address sanitizer would watch only its dependencies, at half the speed.
cargo fuzz run --fuzz-dir . --sanitizer "${SANITIZER:-none}" "$target" "corpus/$target" "seeds/$target" -- \
    -max_total_time="$seconds" -max_len=6000 -timeout=10 -print_final_stats=1 -verbosity=0 2>&1 |
    sed '/Recommended dictionary/,/End of recommended/d'
