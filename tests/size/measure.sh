#!/usr/bin/env bash
# What does it cost on a Cortex-M3? Builds the programs below src/bin, says how large they are, and compares our own with
# the committed figures.
# Usage: measure.sh [ours] [--accept]
#   ours      only our own programs, nothing that takes long
#   --accept  writes what was measured into figures.txt, for this compiler
# Exits with 1 when a program has grown by more than 3 %, and with 77 when something is missing to measure or to compare.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
# shellcheck source=tests/bare-metal.sh
source ../bare-metal.sh

target=thumbv7m-none-eabi
figures=figures.txt
growth_limit=3
root=$(cd ../.. && pwd)
built=${CARGO_TARGET_DIR:-$root/target}/size
images=$built/$target/release

# Our programs, in the order of the table, and what they are.
ours=(fetch core exchange client client-async)
declare -A what=(
    [fetch]="request, exchange, reply (no keeper)"
    [core]="core: keeper, request, reply"
    [exchange]="core + blocking exchange"
    [client]="core + blocking client"
    [client-async]="core + async client"
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

build_rust() {
    RUSTFLAGS=$BARE_RUSTFLAGS CARGO_TARGET_DIR=$built "${BARE_CARGO[@]}" build --locked --quiet --release \
        -p "$1" "${BARE_BUILD_STD[@]}" --target "$target"
}

# beyond_empty IMAGE EMPTY
beyond_empty() {
    echo $(($(flash_bytes "$1") - $(flash_bytes "$2")))
}

# --- the committed figures -------------------------------------------------------------------------------------------

# By compiler, since another one makes other code of the same source.
compiler_key() {
    local rustc said
    rustc=$("${BARE_CARGO[@]}" -vV >/dev/null && bare_rustc)
    said=$("$rustc" -vV)
    echo "[rustc $(sed -n 's/^release: //p' <<<"$said"), LLVM $(sed -n 's/^LLVM version: //p' <<<"$said")," \
        "core $( ((${#BARE_BUILD_STD[@]})) && echo built along || echo precompiled)]"
}

bare_rustc() {
    local word
    for word in "${BARE_CARGO[@]}"; do
        [[ $word != RUSTC=* ]] || { echo "${word#RUSTC=}"; return; }
    done
    echo rustc
}

# committed NAME: nothing if there is no figure for this compiler.
committed() {
    awk -v key="$key" -v name="$1" '/^\[/ { here = ($0 == key) } here && $1 == name { print $2 }' "$figures"
}

write_figures() {
    local name
    {
        # All but the section of this compiler.
        awk -v key="$key" '/^\[/ { skip = ($0 == key) } !skip' "$figures" | sed -e :a -e '/^\n*$/{$d;N;ba' -e '}'
        echo
        echo "$key"
        for name in "${ours[@]}"; do echo "$name ${text[$name]}"; done
    } >"$figures.new"
    mv "$figures.new" "$figures"
    echo "written: $figures"
}

# --- the table -------------------------------------------------------------------------------------------------------

percent() {
    awk -v new="$1" -v old="$2" 'BEGIN { printf "%+.1f %%", (new - old) * 100 / old }'
}

# Whether NEW lies beyond OLD by more than the limit, upwards.
beyond() { (($1 * 100 > $2 * (100 + growth_limit))); }

compare() {
    local name old
    for name in "${ours[@]}"; do
        old=$(committed "$name")
        if [[ -z $old ]]; then
            unknown=1
            continue
        elif beyond "${text[$name]}" "$old"; then
            echo "GROWN: $name, $old to ${text[$name]} bytes ($(percent "${text[$name]}" "$old"));" \
                "make it smaller, or accept it: tests/all.sh size --accept" >&2
            grown=1
        elif beyond "$old" "${text[$name]}"; then
            echo "smaller: $name, $old to ${text[$name]} bytes; lower the figure: tests/all.sh size --accept"
        fi
    done
}

print_ours() {
    local name old
    printf '  %-40s %7s  %9s\n' "text, bytes" now committed
    for name in "${ours[@]}"; do
        old=$(committed "$name")
        printf '  %-40s %7d  %9s  %s\n' "${what[$name]}" "${text[$name]}" "${old:--}" "${old:+$(percent "${text[$name]}" "$old")}"
    done
}

mode=all accept="" unknown=0 grown=0
while (($#)); do
    case $1 in
    ours) mode=ours ;;
    --accept) accept=1 ;;
    *)
        sed -n '2,8s/^# //p' "$0"
        exit 2
        ;;
    esac
    shift
done

bare_metal_toolchain || { echo "no compiler for bare metal. Remedy: $BARE_REMEDY" >&2; exit 77; }
key=$(compiler_key)
declare -A text=()
build_rust wxtoken-size
for name in "${ours[@]}"; do
    text[$name]=$(beyond_empty "$images/$name" "$images/empty")
done

echo "for $target with $BARE_NAME: ${key:1:-1}"
echo "opt-level s, fat LTO, one codegen unit, panic=abort"
echo "text: what is loaded into flash (code, constants, initial data) beyond an empty image of $(flash_bytes "$images/empty") bytes"
echo
print_ours
[[ $mode != all ]] || true
echo
if [[ $accept ]]; then
    write_figures
    exit 0
fi
compare
if ((unknown)); then
    echo "no committed figure for this compiler, so nothing was compared. Remedy: tests/all.sh size --accept, and commit $figures" >&2
    exit 77
fi
exit "$grown"
