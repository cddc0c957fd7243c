#!/usr/bin/env bash
# What do existing SDKs do with a token server? Installs them below target/, in the versions written here, and runs the cases.
# usage: tests/interop/run.sh WXTOKEN     (the command, built)
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
wxtoken=$(realpath "$1")
into=${CARGO_TARGET_DIR:-$here/../../target}/interop
mkdir -p "$into"
into=$(realpath "$into")

# Anew whenever the versions change.
if ! cmp -s "$here/requirements.txt" "$into/requirements.txt"; then
    rm -rf "$into/python" "$into/requirements.txt"
    python3 -m venv "$into/python"
    "$into/python/bin/pip" install --quiet --disable-pip-version-check --no-deps -r "$here/requirements.txt"
    cp "$here/requirements.txt" "$into/"
fi
if ! cmp -s "$here/package-lock.json" "$into/installed.json"; then
    rm -rf "$into/node" "$into/installed.json"
    mkdir "$into/node"
    cp "$here/package.json" "$here/package-lock.json" "$into/node/"
    (cd "$into/node" && npm ci --ignore-scripts --no-audit --no-fund --silent)
    cp "$here/package-lock.json" "$into/installed.json"
fi

exec "$into/python/bin/python" "$here/cases.py" "$wxtoken" "$into/python/bin/python" "$(command -v node)" \
    "$into/node/node_modules"
