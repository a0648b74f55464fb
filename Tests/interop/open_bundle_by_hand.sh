#!/bin/sh
# Opens a bundle without keyroll: tar, zstd, openssl, sed and the core utilities are all it takes.
#
#     open_bundle_by_hand.sh BUNDLE SIGNER KEY
#
# BUNDLE   GROUP-gN.keyroll.tar.zst
# SIGNER   the certificate of who signs the bundles, from a place that you trust (PEM)
# KEY      a recovery key (PEM), or an archive key as `keyroll archive recipient export` wrote it
#
# Prints the generation's key in hexadecimal digits, once the signature and the digest were found right.
set -eu
umask 077
[ $# -eq 3 ] || { sed -n '2,10s/^# \{0,1\}//p' "$0" >&2; exit 64; }
bundle=$1 signer=$2 key=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# 1. Take the three members, each by its name and to the place that we say.
zstd -q -d -c "$bundle" > "$work/bundle.tar"
for member in manifest.json manifest.json.p7s generation.cms; do
    tar -x -O -f "$work/bundle.tar" "$member" > "$work/$member"
done

# 2. The manifest was signed by the signer, and by nobody else.
openssl cms -verify -binary -inform DER -in "$work/manifest.json.p7s" -content "$work/manifest.json" \
    -certfile "$signer" -nointern -noverify -signer "$work/signers.pem" -out /dev/null 2>/dev/null ||
    { echo "the manifest's signature is wrong" >&2; exit 1; }
openssl x509 -in "$signer" -outform PEM | cmp -s - "$work/signers.pem" ||
    { echo "the manifest was not signed by exactly this signer" >&2; exit 1; }

# 3. generation.cms is the one that the manifest means.
said=$(sed -n 's/^ *"sha256" : "\([0-9a-f]*\)"$/\1/p' "$work/manifest.json")
found=$(openssl dgst -sha256 -r "$work/generation.cms" | cut -d ' ' -f 1)
[ "$said" = "$found" ] || { echo "generation.cms is not the one that was signed" >&2; exit 1; }

# 4. Decrypt it. An archive key is one line: a label, the key's identifier, the key.
if grep -q '^keyroll-archive-key-1 ' "$key"; then
    # openssl takes such a key as an argument only, which other users of this machine can see while it runs.
    set -- -secretkey "$(cut -d ' ' -f 3 "$key")" -secretkeyid "$(cut -d ' ' -f 2 "$key")"
else
    set -- -inkey "$key"
fi
openssl cms -decrypt -binary -inform DER -in "$work/generation.cms" "$@" -out "$work/generation" 2>/dev/null ||
    { echo "the key does not open this bundle" >&2; exit 1; }

# 5. Five lines of text: the key is in the last one.
sed -n 's/^key //p' "$work/generation"
