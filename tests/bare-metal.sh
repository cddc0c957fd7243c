# shellcheck shell=bash
# Which compiler builds for bare metal here? Sourced by tests/all.sh and tests/nopanic/prove.sh.
#
# A person with rustup has the targets precompiled (`rustup target add ...`). A Debian machine has packages whose
# compiler knows the targets and whose source of `core` cargo builds along (-Zbuild-std, for which a released compiler
# must be told RUSTC_BOOTSTRAP=1). Whatever is installed is used.
# shellcheck disable=SC2034 # what is set here is used by those who source it

BARE_TARGETS=(thumbv7m-none-eabi thumbv7em-none-eabihf riscv32imc-unknown-none-elf)
BARE_PACKAGES=(rustc-web cargo-web rust-web-src lld)
BARE_REMEDY="rustup target add ${BARE_TARGETS[*]} (or, on Debian: apt-get install ${BARE_PACKAGES[*]})"

# What Mbed TLS is built with: only the images that speak TLS need it.
MBEDTLS_PACKAGES=(clang libclang-dev cmake ninja-build)
MBEDTLS_REMEDY="apt-get install ${MBEDTLS_PACKAGES[*]}"

# Sets MBEDTLS_MISSING; false if something is.
mbedtls_tools() {
    local tool
    MBEDTLS_MISSING=""
    for tool in clang cmake ninja; do
        command -v "$tool" >/dev/null || MBEDTLS_MISSING+="${MBEDTLS_MISSING:+, }$tool"
    done
    # What bindgen reads headers with; LIBCLANG_PATH says where else it is.
    if [[ -z ${LIBCLANG_PATH-} ]] && ! compgen -G '/usr/lib/llvm-*/lib/libclang*.so*' >/dev/null &&
        ! ldconfig -p 2>/dev/null | grep -q libclang; then
        MBEDTLS_MISSING+="${MBEDTLS_MISSING:+, }libclang"
    fi
    [[ -z $MBEDTLS_MISSING ]]
}

# How a device's image is built: the profile `small` of tests/nopanic and tests/size, for a workspace that has none. Same
# profile and same target folder: then Rust's core, a minute's work for each target, is built once for all of them.
BARE_SMALL=(--profile small --config 'profile.small.inherits="release"' --config 'profile.small.opt-level="s"'
    --config 'profile.small.lto="fat"' --config 'profile.small.codegen-units=1' --config 'profile.small.panic="abort"'
    --config 'profile.small.debug=1')

# Sets BARE_CARGO (the command), BARE_BUILD_STD (its arguments), BARE_RUSTFLAGS, BARE_CLIPPY (the command that lints) and
# BARE_NAME; false if there is none.
bare_metal_toolchain() {
    local installed target source_at
    BARE_BUILD_STD=() BARE_RUSTFLAGS=""
    if installed=$(rustup target list --installed 2>/dev/null); then
        for target in "${BARE_TARGETS[@]}"; do
            grep -qx "$target" <<<"$installed" || { installed=""; break; }
        done
        if [[ -n $installed ]]; then
            BARE_CARGO=(cargo) BARE_CLIPPY=(cargo clippy)
            BARE_NAME="rustup's targets"
            if [[ -d $(rustc --print sysroot)/lib/rustlib/src/rust/library/core ]]; then
                BARE_CARGO=(env RUSTC_BOOTSTRAP=1 cargo)
                BARE_CLIPPY=("${BARE_CARGO[@]}" clippy)
                BARE_BUILD_STD=(-Zbuild-std=core)
                BARE_NAME="rustup's targets and rust-src"
            fi
            return 0
        fi
    fi
    source_at=$(/usr/bin/rustc --print sysroot 2>/dev/null)/lib/rustlib/src/rust/library/core
    if [[ -x /usr/bin/cargo && -d $source_at ]] && command -v ld.lld >/dev/null; then
        # By path and by name: on a machine with both, rustup's cargo comes first and would use its own compiler.
        BARE_CARGO=(env RUSTC=/usr/bin/rustc RUSTDOC=/usr/bin/rustdoc RUSTC_BOOTSTRAP=1 /usr/bin/cargo)
        # By path as well: cargo looks for it among rustup's first.
        BARE_CLIPPY=("${BARE_CARGO[@]::${#BARE_CARGO[@]}-1}" CARGO=/usr/bin/cargo /usr/bin/cargo-clippy clippy)
        BARE_BUILD_STD=(-Zbuild-std=core)
        BARE_RUSTFLAGS="-C linker=ld.lld"
        BARE_NAME="Debian's packages"
        return 0
    fi
    return 1
}
