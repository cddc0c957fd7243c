#!/usr/bin/env bash
# What does it cost on a Cortex-M3? Builds small programs, says how large they are and how they run on an emulated board,
# and compares our own with the committed figures.
# Usage: measure.sh [ours] [--tls] [--accept]
#   ours      only our own programs' text, which takes seconds
#   --tls     TLS too, which builds Mbed TLS and takes minutes; else its figure is shown
#   --accept  writes what was measured into figures.txt, for this compiler, and into the embedded adapter's README
# Exits with 1 when text has grown by more than 3 % or stack by more than 10 %, or when a target is missed that had been
# met, and with 77 when something is missing to measure or to compare. tests/README.md says what is counted.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
# shellcheck source=tests/bare-metal.sh
source ../bare-metal.sh

target=thumbv7m-none-eabi
figures=figures.txt
readme=../../adapters/embedded/README.md
# By how many per cent something may grow. Stack comes in frames, of which a handful make the whole.
declare -A growth_limit=([text]=3 [stack]=10)
root=$(cd ../.. && pwd)
# With what the other bare-metal tests build: the same profile, so that Rust's core is built once.
built=${CARGO_TARGET_DIR:-$root/target}/bare
images=$built/$target/small

# The targets, in bytes.
exchange_limit=14336
ram_limit=1900
stack_limit=1023

# Our programs, in the order of the table.
ours=(fetch core exchange client client-async)
# What is compared with its committed figure: the text of each, TLS if it was measured, and the stack.
compared=("${ours[@]/#/text-}" text-tls stack-exchange stack-response stack-tick stack-tick-async)

# By name: what was measured, and what it is.
declare -A now=() what=(
    [text-fetch]="request, exchange, reply: a fetch without the keeper"
    [text-core]="core: keeper, request, reply"
    [text-exchange]="core + blocking exchange"
    [text-client]="core + blocking client"
    [text-client-async]="core + asynchronous client"
    [text-tls]="TLS alone: Mbed TLS, C library, allocator"
    [text-reqwless]="reqwless, serde-json-core"
    [text-edge-http]="edge-http, serde-json-core"
    [text-c]="C"
    [ram-keeper]="keeper"
    [ram-token]="  of it the token"
    [ram-account]="account"
    [ram-buffer]="buffer of request and reply"
    [ram-kept]="together, beside the stack"
    [ram-exchange]="exchange, on the stack"
    [ram-client]="blocking client (keeper and account in it)"
    [ram-client-async]="asynchronous client (keeper and account in it)"
    [ram-future]="future of the asynchronous client's next()"
    [stack-poll]="poll"
    [stack-request]="render the request"
    [stack-exchange]="blocking exchange, request to body"
    [stack-response]="handle_response"
    [stack-tick]="all of it: tick of the blocking client"
    [stack-tick-async]="all of it: tick of the asynchronous client"
    [instructions-token]="token()"
    [instructions-poll-early]="poll, nothing due"
    [instructions-poll-due]="poll, a fetch is due"
    [instructions-request]="render the request"
    [instructions-exchange]="blocking exchange, request to body"
    [instructions-response]="handle_response"
    [instructions-tick]="all of it: a tick that fetches"
)

# --- measuring -------------------------------------------------------------------------------------------------------

# Bytes loaded into flash: all sections that are loaded and not merely reserved (code, constants, initial data, vectors).
flash_bytes() {
    local total=0 name type address offset size entry flags rest
    # shellcheck disable=SC2034 # the columns of readelf
    while read -r name type address offset size entry flags rest; do
        [[ $type == NOBITS || $flags != *A* ]] || total=$((total + 16#$size))
    done < <(readelf -SW "$1" | sed -n 's/^ *\[ *[1-9][0-9]*\] //p')
    echo "$total"
}

# beyond_empty IMAGE EMPTY
beyond_empty() {
    echo $(($(flash_bytes "$1") - $(flash_bytes "$2")))
}

# Package by package: what one asks of a shared dependency must not reach another.
build_rust() {
    RUSTFLAGS=$BARE_RUSTFLAGS CARGO_TARGET_DIR=$built "${BARE_CARGO[@]}" build --locked --quiet --profile small \
        -p "$1" "${BARE_BUILD_STD[@]}" --target "$target"
}

measure_ours() {
    local name
    build_rust wxtoken-size
    for name in "${ours[@]}"; do
        now[text-$name]=$(beyond_empty "$images/$name" "$images/empty")
    done
}

# The one that needs an allocator, and Mbed TLS's own tools (clang, cmake, ninja).
measure_tls() {
    [[ $with_tls ]] || return 0
    ((!${#BARE_BUILD_STD[@]})) || local BARE_BUILD_STD=("-Zbuild-std=core,alloc")
    build_rust wxtoken-size-tls
    now[text-tls]=$(beyond_empty "$images/tls" "$images/empty")
}

locked_version() {
    awk -v name="\"$1\"" '$1 == "name" { here = ($3 == name) } here && $1 == "version" { gsub("\"", "", $3); print $3 }' Cargo.lock
}

measure_rivals() {
    local name
    build_rust wxtoken-size-rivals
    for name in reqwless edge-http; do
        now[text-$name]=$(beyond_empty "$images/$name" "$images/empty")
        what[text-$name]="$name $(locked_version "$name"), serde-json-core $(locked_version serde-json-core)"
    done
    rivals/c/build.sh "$built/c"
    now[text-c]=$(beyond_empty "$built/c/fetch" "$built/c/empty")
    what[text-c]="C: $(<"$built/c/version")"
}

# The emulated board says the rest, a line each: kind, name, number, and for the stack the reply that needs most.
measure_on_board() {
    local kind name number reply said
    command -v qemu-system-arm >/dev/null || { echo "no qemu-system-arm. Remedy: apt-get install qemu-system-arm" >&2; exit 77; }
    build_rust wxtoken-size-board
    # One instruction is one nanosecond, and nothing waits for the host: the same figures each time.
    said=$(timeout 60 qemu-system-arm -M mps2-an385 -icount shift=0 -display none -monitor none -serial null \
        -nic user,model=lan9118,restrict=on -semihosting-config enable=on,target=native -kernel "$images/board" </dev/null) || {
        echo "$said"
        echo "the measuring program failed on the emulated board" >&2
        exit 1
    }
    while read -r kind name number reply; do
        now[$kind-$name]=$number
        [[ -z $reply ]] || what[$kind-$name]+=" (reply: $reply)"
    done <<<"$said"
    now[ram-kept]=$((now[ram-keeper] + now[ram-account] + now[ram-buffer]))
}

# --- the committed figures -------------------------------------------------------------------------------------------

# By compiler, since another one makes other code of the same source.
compiler_key() {
    local word rustc=rustc said
    for word in "${BARE_CARGO[@]}"; do
        [[ $word != RUSTC=* ]] || rustc=${word#RUSTC=}
    done
    said=$("$rustc" -vV)
    printf '[rustc %s, LLVM %s, core %s]' "$(sed -n 's/^release: //p' <<<"$said")" \
        "$(sed -n 's/^LLVM version: //p' <<<"$said")" "$( ((${#BARE_BUILD_STD[@]})) && echo "built along" || echo precompiled)"
}

# committed NAME: nothing if there is no figure for this compiler.
committed() {
    awk -v key="$key" -v name="$1" '/^\[/ { here = ($0 == key) } here && $1 == name { print $2 }' "$figures"
}

write_figures() {
    local name old
    {
        # All but the section of this compiler, less the empty lines at its end.
        awk -v key="$key" '/^\[/ { skip = ($0 == key) } !skip && NF { for (; empty; empty--) print ""; print } !skip && !NF { empty++ }' "$figures"
        printf '\n%s\n' "$key"
        for name in "${compared[@]}"; do
            # What was not measured this time keeps its figure.
            old=$(committed "$name")
            [[ -z ${now[$name]-$old} ]] || echo "$name ${now[$name]-$old}"
        done
    } >"$figures.new"
    mv "$figures.new" "$figures"
    echo "written: tests/size/$figures"
}

# The table between two marks in the README.
write_readme() {
    local name rows
    rows=$(
        echo "| ${key:1:-1} | | |"
        echo "|---|---|---|"
        for name in fetch core exchange client client-async tls reqwless edge-http c; do readme_row "text-$name" bytes; done
        for name in keeper account buffer kept; do readme_row "ram-$name" bytes; done
        for name in tick tick-async; do readme_row "stack-$name" bytes; done
        for name in poll-early request exchange response tick; do readme_row "instructions-$name" instructions; done
    )
    ROWS=$rows awk '/^<!-- end of sizes -->/ { skip = 0 } !skip; /^<!-- sizes/ { print ENVIRON["ROWS"]; skip = 1 }' "$readme" >"$readme.new"
    mv "$readme.new" "$readme"
    echo "written: adapters/embedded/README.md"
}

readme_row() {
    local number=${now[$1]-$(committed "$1")}
    [[ -z $number ]] || echo "| ${1%%-*} | ${what[$1]} | $(sed ':a;s/\B[0-9]\{3\}\>/,&/;ta' <<<"$number") $2 |"
}

# --- the table -------------------------------------------------------------------------------------------------------

percent() {
    awk -v new="$1" -v old="$2" 'BEGIN { printf "%+.1f %%", (new - old) * 100 / old }'
}

line() {
    local old
    old=$(committed "$1")
    printf '  %-62s %7s' "${what[$1]}" "${now[$1]--}"
    [[ -z $old ]] || printf '  %7d' "$old"
    [[ -z $old || -z ${now[$1]-} ]] || printf '  %s' "$(percent "${now[$1]}" "$old")"
    printf '\n'
}

# verdict NAME LIMIT MUST TEXT: a target that must hold, or that the committed figure had met, fails when it is missed.
verdict() {
    local old
    old=$(committed "$1")
    if ((now[$1] <= $2)); then
        echo "  target met: $4"
        return
    fi
    echo "  target NOT met: $4; it is $((now[$1] - $2)) bytes too much"
    if [[ $3 == must || (-n $old && $old -le $2) ]]; then
        echo "MISSED: $4, and it had been met" >&2
        failed=1
    fi
}

smaller_than_rivals() {
    local rival verdict=""
    for rival in reqwless edge-http c; do
        if ((now[$1] >= now[text-$rival])); then verdict+="${verdict:+, }not than $rival"; fi
    done
    echo "  target ${verdict:+NOT }met: ${what[$1]} smaller than each of the others${verdict:+ ($verdict)}"
}

print_text() {
    local name
    echo
    printf '%-64s %7s  %7s\n' "text, bytes beyond an empty image" now figure
    for name in "${ours[@]}"; do line "text-$name"; done
    line text-tls
    [[ $with_tls ]] || echo "    (measured by tests/all.sh size --tls)"
    [[ $mode == all ]] || return 0
    echo "others, for the same fetch, and nothing of what a keeper does"
    line text-reqwless
    line text-edge-http
    line text-c
    verdict text-exchange "$exchange_limit" wish "${what[text-exchange]} in at most $exchange_limit bytes"
    smaller_than_rivals text-fetch
    smaller_than_rivals text-exchange
}

print_board() {
    local name
    printf '\nRAM, bytes; no heap\n'
    for name in keeper token account buffer kept exchange client client-async future; do line "ram-$name"; done
    verdict ram-kept "$ram_limit" must "keeper, account and buffer in at most $ram_limit bytes"
    printf '\n%-64s %7s  %7s\n' "stack, bytes, painted; the deepest over all replies" now figure
    for name in poll request exchange response tick tick-async; do line "stack-$name"; done
    verdict stack-tick "$stack_limit" wish "a blocking tick in less than $((stack_limit + 1)) bytes of stack"
    verdict stack-tick-async "$stack_limit" wish "an asynchronous tick in less than $((stack_limit + 1)) bytes of stack"
    printf '\ninstructions, Cortex-M3; the usual reply, a token of 136 bytes\n'
    for name in token poll-early poll-due request exchange response tick; do line "instructions-$name"; done
}

# beyond NEW OLD NAME: whether it is more, by more than the limit.
beyond() { (($1 * 100 > $2 * (100 + ${growth_limit[${3%%-*}]}))); }

compare() {
    local name old change unknown=0
    for name in "${compared[@]}"; do
        [[ -n ${now[$name]-} ]] || continue
        old=$(committed "$name")
        [[ -n $old ]] || { unknown=1; continue; }
        change="$name, $old to ${now[$name]} bytes ($(percent "${now[$name]}" "$old"))"
        if beyond "${now[$name]}" "$old" "$name"; then
            echo "GROWN: $change; make it smaller, or accept it: tests/all.sh size --accept" >&2
            failed=1
        elif beyond "$old" "${now[$name]}" "$name"; then
            echo "smaller: $change; lower the figure: tests/all.sh size --accept"
        fi
    done
    ((!failed)) || exit 1
    if ((unknown)); then
        echo "not compared: no figure for this compiler. Remedy: tests/all.sh size --accept, and commit tests/size/$figures" >&2
        exit 77
    fi
}

# --- the run ---------------------------------------------------------------------------------------------------------

mode=all accept="" with_tls="" failed=0
while (($#)); do
    case $1 in
    ours) mode=ours ;;
    --accept) accept=1 ;;
    --tls) with_tls=1 ;;
    *)
        sed -n '2,9s/^# //p' "$0"
        exit 2
        ;;
    esac
    shift
done

bare_metal_toolchain || { echo "no compiler for bare metal. Remedy: $BARE_REMEDY" >&2; exit 77; }
key=$(compiler_key)
measure_ours
measure_tls
if [[ $mode == all ]]; then
    measure_rivals
    measure_on_board
fi
echo "for $target with $BARE_NAME: ${key:1:-1}"
echo "opt-level s, fat LTO, one codegen unit, panic=abort; an empty image has $(flash_bytes "$images/empty") bytes"
print_text
[[ $mode != all ]] || print_board
echo
if [[ $accept ]]; then
    write_figures
    [[ $mode != all ]] || write_readme
else
    compare
fi
