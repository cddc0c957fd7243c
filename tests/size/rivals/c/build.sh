#!/usr/bin/env bash
# Builds the C images: the source of cJSON comes from Debian's archive, as Debian patches it, and stays out of the checkout.
# Usage: build.sh FOLDER    leaves empty, fetch and version in it
# Exits with 77 when something is missing.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
mkdir -p "$1"
cd "$1"

for tool in arm-none-eabi-gcc dpkg-source patch apt-get; do
    command -v "$tool" >/dev/null || {
        echo "no $tool. Remedy (Debian): apt-get install gcc-arm-none-eabi libnewlib-arm-none-eabi dpkg-dev" >&2
        exit 77
    }
done

# The machine's own archives, for sources too; apt's state in a folder of our own, so that root is not needed.
get_source() {
    local options file
    rm -rf apt source
    mkdir -p apt/parts apt/lists/partial apt/cache/archives/partial source
    for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
        [[ ! -f $file ]] || sed -n 's/^deb \(.*debian.*\)/deb-src \1/p' "$file" >"apt/parts/$(basename "$file" .list).list"
    done
    for file in /etc/apt/sources.list.d/*.sources; do
        [[ ! -f $file ]] || ! grep -q debian-archive "$file" || sed 's/^Types:.*/Types: deb-src/' "$file" >"apt/parts/$(basename "$file")"
    done
    options=(-o "Dir::Etc::SourceList=/dev/null" -o "Dir::Etc::SourceParts=$PWD/apt/parts" -o "Dir::State::Lists=$PWD/apt/lists"
        -o "Dir::Cache=$PWD/apt/cache" -o "APT::Sandbox::User=$(id -un)" -o "APT::Update::Post-Invoke-Success=")
    (apt-get "${options[@]}" -qq update && cd source && apt-get "${options[@]}" -qq source cjson) >apt/log 2>&1 </dev/null
}

if [[ ! -f $(echo source/cjson-*/cJSON.c) ]]; then
    get_source || { tail -5 apt/log >&2; echo "the source of cJSON could not be had. Remedy: a Debian archive in reach" >&2; exit 77; }
fi
cjson=$(echo "$PWD"/source/cjson-*)

options=(-mcpu=cortex-m3 -mthumb -Os -flto -ffunction-sections -fdata-sections -Wall -Wextra -Werror --specs=nano.specs
    -nostartfiles -T "$here/image.ld" "-Wl,--gc-sections")
arm-none-eabi-gcc "${options[@]}" "$here/start.c" "$here/empty.c" -o empty
arm-none-eabi-gcc "${options[@]}" -I"$cjson" "$here/start.c" "$here/fetch.c" "$cjson/cJSON.c" -o fetch
echo "cJSON ${cjson##*-}, newlib-nano, gcc $(arm-none-eabi-gcc -dumpversion)" >version
