#!/usr/bin/env bash
# Builds the gateway's images, prints their sizes, boots them in an emulator for each case and checks what they say.
# usage: test.sh [--plain] [NAME...]    only the images without TLS; only cases whose name contains one of these;
#                                       --decoded prints the logs, --help says more
# Needs qemu-system-arm and a compiler for bare metal; tests/all.sh firmware installs both where it may.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
# shellcheck source=tests/bare-metal.sh
source "$root/tests/bare-metal.sh"
target=thumbv7m-none-eabi
bare_metal_toolchain || { echo "no compiler for $target. Remedy: $BARE_REMEDY" >&2; exit 77; }
command -v qemu-system-arm >/dev/null || { echo "no qemu-system-arm. Remedy: apt-get install qemu-system-arm" >&2; exit 77; }

plain=""
if [[ ${1-} == --plain ]]; then
    plain=yes
    shift
fi

cd "$here"
[[ -n $plain ]] || mbedtls_tools || { echo "missing: $MBEDTLS_MISSING, which Mbed TLS is built with. Remedy: $MBEDTLS_REMEDY" >&2; exit 77; }

export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$root/target}/firmware
images=() elves=()
# build NAME [CARGO'S ARGUMENTS]: the binary gateway-NAME, which becomes the image NAME.
build() {
    local name=$1 elf=$CARGO_TARGET_DIR/$target/release/gateway-$1
    shift
    # defmt leaves out what is below this level, and without it all but errors.
    DEFMT_LOG=info RUSTFLAGS=$BARE_RUSTFLAGS "${BARE_CARGO[@]}" build --locked --release --quiet -p wxtoken-firmware \
        --bin "gateway-$name" "$@" --target "$target"
    images+=(--image "$name=$elf")
    elves+=("$elf")
}

echo "the images${plain:+ without TLS}, with $BARE_NAME"
# With Rust's core alone, which proves that they allocate nothing.
build http "${BARE_BUILD_STD[@]}"
build async --features async "${BARE_BUILD_STD[@]}"
if [[ -z $plain ]]; then
    # Mbed TLS allocates. Without build-std, rustup's target has alloc precompiled.
    with_alloc=("${BARE_BUILD_STD[@]/%-Zbuild-std=core/-Zbuild-std=core,alloc}")
    build tls --features tls "${with_alloc[@]}"
    build async-tls --features async,tls "${with_alloc[@]}"
fi
# text and data lie in flash; data and bss in RAM, and the stack besides.
if command -v size >/dev/null; then size "${elves[@]}"; fi
cargo build --locked --quiet -p wxtoken-firmware-runner
exec "$CARGO_TARGET_DIR/debug/wxtoken-firmware-runner" "${images[@]}" "$@"
