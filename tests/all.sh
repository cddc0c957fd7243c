#!/usr/bin/env bash
# Runs all tests, or the parts named. `tests/all.sh --help` lists them; tests/README.md says what each one proves.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
# shellcheck source=tests/bare-metal.sh
source tests/bare-metal.sh

export CARGO_TERM_COLOR=${CARGO_TERM_COLOR:-never}
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$root/target}
scratch=$(mktemp -d)
lane=
# The second lane is a process group of its own: it does not hear of an interrupt at the terminal.
trap '[[ -z $lane ]] || kill -- "-$lane" 2>/dev/null || true; rm -rf "$scratch"' EXIT

default_parts=(fmt lint doc unit no-alloc no-panic size-of size tree shuttle process fuzz-smoke secrets demo interop page routes firmware-plain)
other_parts=(fuzz mutants cargo-mutants bench properties-long server-bench server-reports server-kill server-soak firmware)
size_arguments=()
mutant_arguments=()
cargo_mutants_arguments=()
# Those that build in folders of their own under target/, so that none of them waits for a lock of the others.
second_lane=(no-alloc no-panic size-of size shuttle fuzz-smoke)
# Whose boards keep time by this machine's clock: after the lanes, with nothing beside it.
alone=(firmware-plain)
fuzz_targets=(reply request operations base errcode)

usage() {
    cat <<END
usage: tests/all.sh [PART...]

Without a part: all of the following, within 30 minutes on 2 cores; in two lanes, then what must be alone, each part's
output when it has ended.
Parts that are named run one after the other.
  fmt         rustfmt agrees
  lint        clippy has nothing to say, nor has shellcheck of the scripts
  doc         the documentation builds without a warning
  unit        unit tests, doctests, timelines, properties, simulated days, the museum of known bugs
  no-alloc    core and the embedded adapter build for bare metal with Rust's own core alone: nothing can allocate
  no-panic    the link proof, on this machine and for bare metal
  size-of     a keeper on thumbv7m takes at most 640 bytes
  size        text, RAM, stack and instructions on thumbv7m, beside others; fails when ours grow by more than 3 %
              (size --accept writes the figures that are compared with; size --tls builds Mbed TLS too, for minutes)
  tree        core depends on what it says and on nothing else
  shuttle     the shared client under many interleavings of its threads
  process     two processes share one cache and are killed at random
  fuzz-smoke  the fuzz targets, for a minute in all
  secrets     no secret in anything the programs print
  demo        both demos end within 30 s and with exit 0; the command takes 10 MB up and down in less than 12 MB of memory,
              byte for byte, with a bar on a terminal, and says how far it got when it is cut
  interop     existing SDKs before a real token server, 64 threads each: cold start, tokens replaced elsewhere or refused, a
              wrong key; fetches counted, and none of them loops
  page        the status page in headless Chromium before a real server: what is shown, live changes, rotation, the keyboard,
              both languages and schemes, and nothing secret in the browser; screenshots in target/page
  routes      every route of the token server, driven from its own description by schemathesis and by hand: statuses, bodies
              and heads are as described; wrong keys learn nothing
  firmware-plain  the gateway's images without TLS on an emulated board, in every case that concerns them

Only when named:
  fuzz [SECONDS]    each fuzz target for so long (default 3600)
  mutants [--from NAME]
                    every seeded mutant is killed (from NAME on, where an earlier run ended), then cargo-mutants
  cargo-mutants [--iterate]
                    every mutant that cargo-mutants makes of keeper, reply and call is killed (of those that were not
                    noticed yet)
  bench             the benchmarks
  properties-long   properties and simulated days, twenty times as many, from a new seed
  server-bench      what reading a token costs the token server, beside nginx and Redis under the same load
  server-reports    a million reports of one refused token from a thousand connections are one fetch
  server-kill       the token server is killed a thousand times under load: nothing stored is fetched again, nothing torn
  server-soak       100,000 accounts for three simulated days: fetches, memory and processor time
  firmware          the same with all four images, the certificates too (builds Mbed TLS, for minutes)

What a part needs is installed where that may be done (Debian packages as root, cargo's own tools for everybody). What
could not run is said with its remedy; it is a failure when CI=true.
END
}

# --- helpers ---------------------------------------------------------------------------------------------------------

# Ends a part that lacks something. The reason goes into the final table.
could_not_run() {
    echo "$1" | tee "$scratch/$part.why" >&2
    exit 77
}

# Alone among the lanes, where that can be done.
exclusively() {
    local lock=$1
    shift
    if command -v flock >/dev/null; then
        (flock 9 && "$@") 9>"$scratch/$lock.lock"
    else
        "$@"
    fi
}

install_packages() {
    apt-get update -qq && apt-get install -y -qq --no-install-recommends "$@"
}

# want_packages REMEDY PACKAGE...: installs Debian packages as root, or ends the part.
want_packages() {
    local remedy=$1
    shift
    if [[ $(id -u) == 0 ]] && command -v apt-get >/dev/null; then
        echo "installing $*"
        export DEBIAN_FRONTEND=noninteractive
        if exclusively apt install_packages "$@" >"$scratch/$part.apt" 2>&1 </dev/null; then
            return 0
        fi
        tail -5 "$scratch/$part.apt" >&2
    fi
    could_not_run "missing: $*. Remedy: $remedy"
}

want_command() {
    command -v "$1" >/dev/null || want_packages "apt-get install $2" "$2"
}

want_bare_metal() {
    want_command readelf binutils
    bare_metal_toolchain && return 0
    want_packages "$BARE_REMEDY" "${BARE_PACKAGES[@]}"
    bare_metal_toolchain || could_not_run "the packages brought no compiler for bare metal. Remedy: $BARE_REMEDY"
}

want_mbedtls_tools() {
    mbedtls_tools || want_packages "$MBEDTLS_REMEDY" "${MBEDTLS_PACKAGES[@]}"
}

# want_cargo_tool NAME: a cargo subcommand that comes as a crate.
want_cargo_tool() {
    command -v "cargo-$1" >/dev/null && return 0
    PATH=${CARGO_HOME:-$HOME/.cargo}/bin:$PATH
    command -v "cargo-$1" >/dev/null && return 0
    echo "installing cargo-$1"
    cargo install --quiet --locked "cargo-$1" </dev/null ||
        could_not_run "cargo-$1 could not be installed. Remedy: cargo install --locked cargo-$1"
}

# All test targets, one a line: name and place.
all_tests() {
    cargo metadata --no-deps --format-version 1 |
        grep -o '"kind":\["test"\],"crate_types":\["bin"\],"name":"[^"]*","src_path":"[^"]*"' |
        sed 's/.*"name":"\([^"]*\)","src_path":"\([^"]*\)"/\1 \2/'
}

# The names of those below tests/, and of all others.
crossing_tests() { all_tests | awk -v at="$root/tests/" 'index($2, at) == 1 { print $1 }' | sort -u; }
inner_tests() { all_tests | awk -v at="$root/tests/" 'index($2, at) != 1 { print $1 }' | sort -u; }

# want_test PACKAGE TARGET
want_test() {
    cargo metadata --no-deps --format-version 1 | grep -q "\"kind\":\[\"test\"\],\"crate_types\":\[\"bin\"\],\"name\":\"$2\"" ||
        could_not_run "package $1 has no test target $2 in this checkout"
}

# --- the parts -------------------------------------------------------------------------------------------------------

part_fmt() {
    cargo fmt --all --check
    cargo fmt --manifest-path tests/nopanic/Cargo.toml --check
    cargo fmt --manifest-path tests/size/Cargo.toml --all --check
    cargo fmt --manifest-path tests/fuzz/Cargo.toml --check
    cargo fmt --manifest-path examples/firmware/Cargo.toml -p wxtoken-firmware -p wxtoken-firmware-runner --check
}

part_lint() {
    cargo clippy --locked --workspace --all-targets -- -D warnings
    # Those that are run by their names only are none of all targets.
    cargo clippy --locked -p wxtoken-server -p wxtoken-cli --test '*' -- -D warnings
    cargo clippy --locked -p wxtoken-core --features defmt,js-sdk,token-server -- -D warnings
    # The link proof has no tests, and no unwinding, which only its release profile knows.
    (cd tests/nopanic && cargo clippy --locked --release --features with-reply,defmt -- -D warnings)
    (cd tests/size && cargo clippy --locked --release --workspace --exclude wxtoken-size-tls -- -D warnings)
    (cd tests/fuzz && cargo clippy --locked --all-targets -- -D warnings)
    lint_firmware
    want_command shellcheck shellcheck
    git ls-files '*.sh' .ci/run | xargs shellcheck -x
}

# The firmware's job and the program that boots it, and then the images without TLS for their own target.
lint_firmware() {
    CARGO_TARGET_DIR=$CARGO_TARGET_DIR/firmware cargo clippy --locked --manifest-path examples/firmware/Cargo.toml \
        -p wxtoken-firmware -p wxtoken-firmware-runner --lib --bin wxtoken-firmware-runner --tests -- -D warnings
    lint_images "" async
}

# lint_images FEATURES...: the firmware with each of these.
lint_images() {
    local features build_std
    want_bare_metal
    "${BARE_CLIPPY[@]}" --version >/dev/null 2>&1 || want_packages "apt-get install rust-web-clippy" rust-web-clippy
    for features in "$@"; do
        build_std=("${BARE_BUILD_STD[@]}")
        # Mbed TLS allocates.
        if [[ $features == *tls* ]]; then build_std=("${build_std[@]/%-Zbuild-std=core/-Zbuild-std=core,alloc}"); fi
        CARGO_TARGET_DIR=$CARGO_TARGET_DIR/firmware RUSTFLAGS=$BARE_RUSTFLAGS "${BARE_CLIPPY[@]}" --locked --release \
            --manifest-path examples/firmware/Cargo.toml -p wxtoken-firmware --features "$features" "${build_std[@]}" \
            --target thumbv7m-none-eabi -- -D warnings
    done
}

part_doc() {
    RUSTDOCFLAGS="-D warnings" cargo doc --locked --workspace --no-deps
}

# Always the whole workspace, with the targets named: chosen by package, a dependency gets other features for each choice
# and is built anew, our own crates with it.
test_workspace() {
    cargo test --locked --workspace "$@"
}

part_unit() {
    local name inner=() crossing=()
    while read -r name; do
        case $name in
        secrets | log | soak | crowd | reports | speed) ;; # with a part of their own
        *) inner+=(--test "$name") ;;
        esac
    done < <(inner_tests)
    test_workspace --lib --bins --examples "${inner[@]}"
    # What lies below tests/ says what it did, less what has a part of its own.
    while read -r name; do
        case $name in
        process | shuttle) ;;
        *) crossing+=(--test "$name") ;;
        esac
    done < <(crossing_tests)
    ((${#crossing[@]})) || { echo "no test targets below tests/" >&2; return 1; }
    test_workspace "${crossing[@]}" -- --show-output
    test_workspace --doc
    cargo test --locked -p wxtoken-core --features js-sdk,token-server
}

part_no_alloc() {
    local target line
    want_bare_metal
    echo "with $BARE_NAME"
    for target in "${BARE_TARGETS[@]}"; do
        # Package and features; every feature there is, since none of them may bring an allocator along.
        while read -r -a line; do
            CARGO_TARGET_DIR=$CARGO_TARGET_DIR/bare RUSTFLAGS=$BARE_RUSTFLAGS "${BARE_CARGO[@]}" build --locked --quiet \
                "${BARE_SMALL[@]}" -p "${line[0]}" --lib --features "${line[1]-}" "${BARE_BUILD_STD[@]}" --target "$target"
            echo "  builds: $target, ${line[*]}"
        done <<'END'
wxtoken-core
wxtoken-core defmt
wxtoken-core defmt,js-sdk,token-server
wxtoken-embedded
wxtoken-embedded defmt,embassy-time,flash,nal,nal-async,token-server
END
    done
    if ((${#BARE_BUILD_STD[@]})); then
        echo "proven: nothing but Rust's core was there to link with, neither alloc nor std"
    else
        echo "shown by no-panic instead: its program links core without an allocator (for the stronger proof:" \
            "rustup component add rust-src)"
    fi
}

part_no_panic() {
    local code=0
    want_command objdump binutils
    tests/nopanic/prove.sh host || code=$?
    if ((code == 77)); then
        echo "the proof for the host was left out: it needs Linux on x86_64" >&2
    elif ((code)); then
        return "$code"
    fi
    want_bare_metal
    tests/nopanic/prove.sh bare
}

part_size_of() {
    want_bare_metal
    tests/nopanic/prove.sh size
}

part_size() {
    want_bare_metal
    want_command qemu-system-arm qemu-system-arm
    if [[ " ${size_arguments[*]} " == *" --tls "* ]]; then
        want_mbedtls_tools
    fi
    # The C client's compiler, C library, and what unpacks the source of its JSON reader.
    if ! echo '#include <stdlib.h>' | arm-none-eabi-gcc -E - >/dev/null 2>&1 || ! command -v dpkg-source >/dev/null; then
        want_packages "apt-get install gcc-arm-none-eabi libnewlib-arm-none-eabi dpkg-dev" \
            gcc-arm-none-eabi libnewlib-arm-none-eabi dpkg-dev
    fi
    tests/size/measure.sh "${size_arguments[@]}"
}

part_tree() {
    local features brought direct graph expected=(embedded-io heapless serde serde-json-core zeroize) manifest
    for features in "" defmt js-sdk; do
        # The crate a feature is for.
        brought=${features/js-sdk/sha1}
        echo "wxtoken-core${features:+ with feature $features}:"
        cargo tree --locked -p wxtoken-core --features "$features" -e normal
        direct=$(cargo tree --locked -p wxtoken-core --features "$features" -e normal --depth 1 --prefix none |
            awk 'NR > 1 { print $1 }' | sort -u)
        # shellcheck disable=SC2086 # they may be several, or none
        if [[ $direct != "$(printf '%s\n' "${expected[@]}" $brought | sort -u)" ]]; then
            echo "core depends on other crates than it says" >&2
            return 1
        fi
    done
    # With this feature serde-json-core panics on a long message, and features add up over the whole graph.
    for manifest in Cargo.toml tests/nopanic/Cargo.toml tests/size/Cargo.toml tests/fuzz/Cargo.toml; do
        graph=$(cargo tree --locked --manifest-path "$manifest" --workspace --all-features -e features,all -i serde-json-core)
        if grep custom-error-messages <<<"$graph"; then
            echo "feature custom-error-messages of serde-json-core is on in $manifest" >&2
            return 1
        fi
    done
    echo "feature custom-error-messages of serde-json-core is off in every graph"
}

part_shuttle() {
    want_test wxtoken-shuttle shuttle
    CARGO_TARGET_DIR=$CARGO_TARGET_DIR/shuttle RUSTFLAGS="--cfg shuttle" CARGO_PROFILE_RELEASE_DEBUG=0 \
        cargo test --locked -p wxtoken-shuttle --release
}

part_process() {
    want_test wxtoken-process process
    test_workspace --test process -- --show-output
}

part_secrets() {
    # Everything the command prints, the client's events, the platform's log, and what each type shows of itself.
    want_test wxtoken-cli secrets
    want_test wxtoken secrets
    test_workspace --test secrets --test log
    test_workspace --test museum no_28
    test_workspace --test serve -- neither_log_nor_store no_log_audit_or_state
}

part_demo() {
    local code=0 scene
    want_test wxtoken-cli media
    # Of a build for release: one for debugging has memory of its own. It makes the command, too.
    cargo test --locked --release -p wxtoken-cli --test media -- --show-output
    for scene in day server; do
        timeout 30 "$CARGO_TARGET_DIR/release/wxtoken" demo "$scene" </dev/null || code=$?
        ((code != 124)) || echo "the demo of the $scene did not end within 30 s" >&2
        ((code == 0)) || return "$code"
    done
}

part_interop() {
    python3 -c 'import ensurepip, venv' 2>/dev/null || want_packages "apt-get install python3-venv" python3-venv
    want_command node nodejs
    want_command npm npm
    cargo build --locked -p wxtoken-cli
    tests/interop/run.sh "$CARGO_TARGET_DIR/debug/wxtoken"
}

part_page() {
    want_command chromium chromium
    want_command node nodejs
    want_command npm npm
    # For the screenshots only; without it their Chinese is boxes.
    [[ -n $(fc-list :lang=zh 2>/dev/null) ]] || want_packages "apt-get install fonts-wqy-microhei" fontconfig fonts-wqy-microhei
    cargo build --locked -p wxtoken-cli
    tests/page/run.sh "$CARGO_TARGET_DIR/debug/wxtoken"
}

part_routes() {
    python3 -c 'import ensurepip, venv' 2>/dev/null || want_packages "apt-get install python3-venv" python3-venv
    cargo build --locked -p wxtoken-cli
    tests/routes/run.sh "$CARGO_TARGET_DIR/debug/wxtoken"
}

run_fuzz() {
    local target seconds=$1
    want_cargo_tool fuzz
    want_command c++ g++
    for target in "${fuzz_targets[@]}"; do
        echo "fuzzing $target for $seconds s"
        # Its own exit codes mean other things here.
        tests/fuzz/run.sh "$target" "$seconds" || return 1
    done
}

part_fuzz_smoke() {
    run_fuzz $((60 / ${#fuzz_targets[@]}))
}

part_fuzz() {
    run_fuzz "${fuzz_seconds:-3600}"
}

part_mutants() {
    cargo run --quiet --locked -p wxtoken-mutants -- "${mutant_arguments[@]}"
    part_cargo_mutants
}

part_cargo_mutants() {
    want_cargo_tool mutants
    # Two copies of the tree, each with a target folder of its own: sharing one, they would wait for each other. Its
    # output folder would land in the checkout.
    local output=$CARGO_TARGET_DIR/cargo-mutants code=0
    mkdir -p "$output"
    env -u CARGO_TARGET_DIR cargo mutants "${cargo_mutants_arguments[@]}" --jobs 2 --package wxtoken-core --output "$output" \
        --file 'core/src/keeper.rs' --file 'core/src/keeper/*.rs' --file 'core/src/reply.rs' --file 'core/src/reply/*.rs' \
        --file 'core/src/call.rs' --file 'core/src/call/*.rs' || code=$?
    wc -l "$output"/mutants.out/{caught,missed,timeout,unviable}.txt
    # Its 3 says that under some a test did not end, and hides whether others survived. Whoever waits has noticed.
    if ((code == 3)) && [[ ! -s $output/mutants.out/missed.txt ]]; then
        echo "noticed by a test that did not end:"
        cat "$output/mutants.out/timeout.txt"
        return 0
    fi
    return "$code"
}

part_bench() {
    cargo bench --locked --workspace
}

part_properties_long() {
    local seed=${WXTOKEN_SEED:-$RANDOM$RANDOM}
    echo "WXTOKEN_SEED=$seed repeats this"
    WXTOKEN_SEED=$seed WXTOKEN_CASES=100000 WXTOKEN_LIVES=5000 \
        cargo test --locked --release -p wxtoken-tests --test properties --test simulation -- --nocapture
}

run_firmware() {
    want_bare_metal
    want_command qemu-system-arm qemu-system-arm
    if [[ ${1-} != --plain ]]; then want_mbedtls_tools; fi
    CARGO_TARGET_DIR=$CARGO_TARGET_DIR/firmware cargo test --locked --quiet --manifest-path examples/firmware/Cargo.toml \
        -p wxtoken-firmware -p wxtoken-firmware-runner
    examples/firmware/test.sh "$@"
}

part_server_bench() {
    want_test wxtoken-cli speed
    want_command nginx nginx-light
    want_command redis-server redis-server
    cargo test --locked --release -p wxtoken-cli --test speed
}

part_server_reports() {
    want_test wxtoken-cli reports
    cargo test --locked --release -p wxtoken-cli --test reports
}

part_server_kill() {
    want_test wxtoken-cli serve_kill
    WXTOKEN_KILLS=${WXTOKEN_KILLS:-1000} cargo test --locked --release -p wxtoken-cli --test serve_kill -- --nocapture
}

part_server_soak() {
    want_test wxtoken-server soak
    want_test wxtoken-cli crowd
    cargo test --locked --release -p wxtoken-cli --test crowd
    cargo test --locked --release -p wxtoken-server --test soak
}

part_firmware() {
    want_mbedtls_tools
    lint_images tls async,tls
    run_firmware
}

part_firmware_plain() {
    run_firmware --plain
}

# --- the run ---------------------------------------------------------------------------------------------------------

# What became of a part goes to a file: it may have run in the other lane.
run_part() {
    local part=$1 code began=$SECONDS result took
    printf '\n=== %s ===\n' "$part"
    # In a subshell outside any condition: there `set -e` holds inside the part too.
    set +e
    (
        set -e
        "part_${part//-/_}"
    )
    code=$?
    set -e
    took=$((SECONDS - began))
    case $code in
    0) result=ok ;;
    77) result="could not run: $(cat "$scratch/$part.why" 2>/dev/null || echo "see above")" ;;
    *) result="FAILED (exit $code)" ;;
    esac
    printf -- '--- %s: %s, %d s\n' "$part" "$result" "$took"
    echo "$code" >"$scratch/$part.code"
    printf '%-16s %5d s  %s\n' "$part" "$took" "$result" >"$scratch/$part.row"
}

# A lane shows that a part begins, and all that it said when it has ended: two that speak at once nobody can follow.
run_lane() {
    local part
    for part in "$@"; do
        printf '... %s begins\n' "$part"
        run_part "$part" >"$scratch/$part.out" 2>&1
        exclusively out cat "$scratch/$part.out"
    done
}

# One of these words is the first.
among() {
    local word=$1 other
    shift
    for other in "$@"; do
        [[ $other != "$word" ]] || return 0
    done
    return 1
}

run_in_lanes() {
    local part first=()
    for part in "${parts[@]}"; do
        among "$part" "${second_lane[@]}" "${alone[@]}" || first+=("$part")
    done
    set -m
    run_lane "${second_lane[@]}" </dev/null &
    lane=$!
    set +m
    run_lane "${first[@]}"
    wait "$lane"
    lane=
    run_lane "${alone[@]}"
}

# What a part that failed in a lane said last: by the end of the run it is far above.
repeat_end_of() {
    local part=$1
    [[ -s $scratch/$part.out ]] || return 0
    printf '\n=== the end of %s, which failed ===\n' "$part"
    tail -n 60 "$scratch/$part.out"
}

parts=()
while (($#)); do
    case $1 in
    -h | --help)
        usage
        exit 0
        ;;
    *)
        among "$1" "${default_parts[@]}" "${other_parts[@]}" || { usage >&2; echo "no part is called $1" >&2; exit 2; }
        parts+=("$1")
        # The parts with arguments.
        if [[ $1 == fuzz && ${2-} =~ ^[0-9]+$ ]]; then
            fuzz_seconds=$2
            shift
        elif [[ $1 == mutants && ${2-} == --from && -n ${3-} ]]; then
            mutant_arguments+=("$2" "$3")
            shift 2
        elif [[ $1 == cargo-mutants && ${2-} == --iterate ]]; then
            cargo_mutants_arguments+=("$2")
            shift
        elif [[ $1 == size ]]; then
            while [[ ${2-} == --* ]]; do
                size_arguments+=("$2")
                shift
            done
        fi
        shift
        ;;
    esac
done
if ((${#parts[@]})); then
    for part in "${parts[@]}"; do
        run_part "$part"
    done
else
    parts=("${default_parts[@]}")
    run_in_lanes
fi

printf '\n'
failed=0
left_out=0
for part in "${parts[@]}"; do
    # A lane that ended early has left parts without one.
    code=$(cat "$scratch/$part.code" 2>/dev/null || echo 1)
    cat "$scratch/$part.row" 2>/dev/null || printf '%-16s         FAILED: it never ended\n' "$part"
    case $code in
    0) ;;
    77)
        left_out=$((left_out + 1))
        [[ ${CI-} != true ]] || failed=1
        ;;
    *)
        failed=1
        repeat_end_of "$part" >>"$scratch/ends"
        ;;
    esac
done
cat "$scratch/ends" 2>/dev/null || true
if ((failed)); then
    echo "not all is well"
    exit 1
fi
if ((left_out)); then
    echo "nothing failed, and $left_out of ${#parts[@]} parts could not run"
else
    echo "all is well"
fi
