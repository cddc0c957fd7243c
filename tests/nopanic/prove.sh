#!/usr/bin/env bash
# The link proof: links tests/nopanic where no panic may be reachable, sees it fail where one is, and lists what remains.
# Usage: prove.sh host|bare|size
#   host  the proof for this machine (x86_64 Linux), the two controls, and the list of what remains in the JSON reader
#   bare  the proof and its control for bare-metal targets
#   size  the size of a keeper on thumbv7m, at most 640 bytes
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
# shellcheck source=tests/bare-metal.sh
source ../bare-metal.sh

target_dir=${CARGO_TARGET_DIR:-target}
host=x86_64-unknown-linux-gnu
log=$(mktemp)
trap 'rm -f "$log"' EXIT

# build_for TARGET PROFILE FEATURES: what cargo says goes into the log.
build_for() {
    local target=$1 profile=$2 features=$3
    if [[ $target == "$host" ]]; then
        # --target although it is this machine: build scripts must not get the flags.
        RUSTFLAGS="-C link-arg=-nostartfiles" CARGO_TARGET_DIR=$target_dir \
            cargo build --locked --profile "$profile" --features "$features" --target "$host" >"$log" 2>&1
    else
        RUSTFLAGS=$BARE_RUSTFLAGS CARGO_TARGET_DIR=$target_dir/bare "${BARE_CARGO[@]}" build --locked \
            --profile "$profile" --features "$features" "${BARE_BUILD_STD[@]}" --target "$target" >"$log" 2>&1
    fi
}

opt_level() { if [[ $1 == small ]]; then echo s; else echo 3; fi; }

must_link() {
    local what
    what="$1, opt-level $(opt_level "$2")"
    if build_for "$1" "$2" "${3-}"; then
        echo "  links: $what${3:+, feature $3}"
    else
        cat "$log"
        echo "DOES NOT LINK: $what; a panic is reachable. Where: $0 host lists it" >&2
        return 1
    fi
}

# For the one reason only: any other failure to build would pass for a proof.
must_not_link() {
    if build_for "$1" "$2" "$3"; then
        echo "LINKS, and must not: $1, opt-level $(opt_level "$2"), feature $3; the proof proves nothing" >&2
        return 1
    elif grep -q "undefined.*wxtoken_panic_is_reachable" "$log"; then
        echo "  does not link, as it must not: $1, opt-level $(opt_level "$2"), feature $3"
    else
        cat "$log"
        echo "does not build, for another reason than a panic" >&2
        return 1
    fi
}

# What can still panic, by place; each must lie in the JSON reader.
list_remaining() {
    local profile=$1 features=$2 places
    build_for "$host" "$profile" "list-remaining $features" || { cat "$log"; return 1; }
    places=$(./remaining.sh "$target_dir/$host/$profile/wxtoken-nopanic")
    echo "$places"
    if grep -v serde_json_core <<<"$places" | grep -q .; then
        echo "a panic remains outside the JSON reader" >&2
        return 1
    fi
}

prove_host() {
    local profile
    for profile in release small; do
        if ! must_link "$host" "$profile"; then
            list_remaining "$profile" "" || true
            return 1
        fi
        must_not_link "$host" "$profile" seeded-panic
        must_not_link "$host" "$profile" with-reply
    done
    must_link "$host" small defmt
    for profile in release small; do
        echo "  remains with the JSON reader at opt-level $(opt_level "$profile") (calls, then functions, innermost first):"
        list_remaining "$profile" with-reply
    done
    echo "proven: Account, Base, Endpoint, Request, Call, Healing, ErrcodeReader, Token, Fingerprint, Instant, Ticks32, Policy, Refusal, Meaning,"
    echo "        PageSignature, Nonce, every Display, and Keeper with all its methods except handle_response, which is"
    echo "        handle_reply(Reply::read(body)): handle_reply, Reply::granted and Reply::refused are proven"
    echo "tested: Reply::read and refuses_token, which reads by it: the JSON reader (serde-json-core keeps the checks listed above): every input of up to"
    echo "        4 structural bytes around every field in core's tests, and the fuzz targets reply and operations"
    echo "not in either: Debug, which is for developers (derived; core::fmt's own code)"
}

prove_bare() {
    local target profile
    for target in "${BARE_TARGETS[@]}"; do
        for profile in release small; do
            must_link "$target" "$profile"
            must_not_link "$target" "$profile" seeded-panic
        done
    done
}

size_of_keeper() {
    local target=thumbv7m-none-eabi size
    build_for "$target" small "" || { cat "$log"; return 1; }
    size=$(readelf -sW "$target_dir/bare/$target/small/wxtoken-nopanic" | awk '/SIZE_OF_KEEPER/ { print $3 }')
    echo "size_of::<Keeper>() on $target: $size bytes (at most 640)"
    [[ -n $size ]] && ((size <= 640))
}

case ${1-} in
host)
    if [[ $(uname -sm) != "Linux x86_64" ]]; then
        echo "the proof for the host is written for Linux on x86_64" >&2
        exit 77
    fi
    prove_host
    ;;
bare | size)
    if ! bare_metal_toolchain; then
        echo "no compiler for bare metal: $BARE_REMEDY" >&2
        exit 77
    fi
    echo "  with $BARE_NAME"
    if [[ $1 == bare ]]; then prove_bare; else size_of_keeper; fi
    ;;
*)
    sed -n '2,6s/^# //p' "$0"
    exit 2
    ;;
esac
