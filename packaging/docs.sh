#!/usr/bin/env bash
# The library's documentation, from the modules as they were built: the compiler's symbol graphs, and docc. Both come with
# Swift, so that no build has to carry a dependency for it. A warning is an error.
#
# usage: docs.sh BUILD-FOLDER OUTPUT-FOLDER
set -euo pipefail
build=$1 output=$2
# The library, and below it the modules whose types it hands out or throws.
modules=(Files Cryptography KeyManagement SecretStores Protection Access BrokerWire Home)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

options=()
for map in Sources/C*/module.modulemap; do options+=(-Xcc "-fmodule-map-file=$PWD/$map"); done
for flag in $(pkg-config --cflags-only-I libcrypto sqlite3 libarchive libpq yaml-0.1); do options+=(-Xcc "$flag"); done
graphs() {
    mkdir -p "$work/graphs/$1"
    swift-symbolgraph-extract -module-name "$1" -I "$build/Modules" -target "$(uname -m)-unknown-linux-gnu" \
        -minimum-access-level public -skip-synthesized-members -output-dir "$work/graphs/$1" "${options[@]}"
    # Extensions of other modules' types are those modules' business.
    find "$work/graphs/$1" -name '*@*' -delete
}
archives=()
dependencies=()
convert() {
    local module=$1
    shift
    graphs "$module"
    docc convert "$@" --additional-symbol-graph-dir "$work/graphs/$module" --output-path "$work/$module.doccarchive" \
        --fallback-display-name "$module" --fallback-bundle-identifier "org.keyroll.$module" \
        --enable-experimental-external-link-support "${dependencies[@]}" --warnings-as-errors
    archives+=("$work/$module.doccarchive")
    dependencies+=(--dependency "$work/$module.doccarchive")
}
for module in "${modules[@]}"; do convert "$module"; done
convert Keyroll Sources/Keyroll/Keyroll.docc
rm -rf "$output"
mkdir -p "$(dirname "$output")"
docc merge "${archives[@]}" --output-path "$output" --synthesized-landing-page-name keyroll
echo "$output"
