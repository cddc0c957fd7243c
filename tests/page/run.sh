#!/usr/bin/env bash
# What does a person see of a token server? Installs playwright-core below target/, in the version written here, and drives
# the status page in a headless Chromium.
# usage: tests/page/run.sh WXTOKEN     (the command, built)
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
wxtoken=$(realpath "$1")
into=${CARGO_TARGET_DIR:-$here/../../target}/page
mkdir -p "$into"
into=$(realpath "$into")

# Anew whenever the version changes.
if ! cmp -s "$here/package-lock.json" "$into/installed.json"; then
    rm -rf "$into/node" "$into/installed.json"
    mkdir "$into/node"
    cp "$here/package.json" "$here/package-lock.json" "$into/node/"
    (cd "$into/node" && npm ci --ignore-scripts --no-audit --no-fund --silent)
    cp "$here/package-lock.json" "$into/installed.json"
fi

NODE_PATH=$into/node/node_modules exec node "$here/cases.js" "$wxtoken" "$(command -v chromium)" "$into"
