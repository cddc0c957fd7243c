#!/usr/bin/env bash
# Does a token server keep to what it says of its routes? Installs schemathesis below target/, in the version written here, and
# drives a real server with it.
# usage: tests/routes/run.sh WXTOKEN     (the command, built)
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
wxtoken=$(realpath "$1")
into=${CARGO_TARGET_DIR:-$here/../../target}/routes
mkdir -p "$into"
into=$(realpath "$into")

# Anew whenever the versions change.
if ! cmp -s "$here/requirements.txt" "$into/requirements.txt"; then
    rm -rf "$into/python" "$into/requirements.txt"
    python3 -m venv "$into/python"
    "$into/python/bin/pip" install --quiet --disable-pip-version-check --no-deps -r "$here/requirements.txt"
    cp "$here/requirements.txt" "$into/"
fi

# It leaves files where it runs.
cd "$into"
exec "$into/python/bin/python" "$here/drive.py" "$wxtoken" "$into"
