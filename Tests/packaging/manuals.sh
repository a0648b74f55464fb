#!/usr/bin/env bash
# Every command has a man page, and neither groff nor mandoc has anything to say of it.
#
# usage: manuals.sh KEYROLL FOLDER
. "$(dirname "$0")/lib.sh"
keyroll=$1 folder=$2
commands() {
    "$keyroll" --experimental-dump-help | python3 -c '
import json, sys
def walk(command, path):
    print("-".join(path))
    for child in command.get("subcommands", []):
        if child["shouldDisplay"] and child["commandName"] != "help": walk(child, path + [child["commandName"]])
root = json.load(sys.stdin)["command"]
walk(root, [root["commandName"]])' | sort
}
same "a page for every command, and no other" "$(cd "$folder" && ls ./*.1 | sed 's|./||; s|\.1$||' | sort)" "$(commands)"
same "groff" "$(for page in "$folder"/*.1; do man --warnings -E UTF-8 -l -Tutf8 -Z "$page" 2>&1 >/dev/null; done)" ""
same "mandoc" "$(mandoc -Tlint -W warning "$folder"/*.1 2>&1)" ""
for section in NAME SYNOPSIS DESCRIPTION ENVIRONMENT FILES "EXIT STATUS" EXAMPLES; do
    is "keyroll(1) has $section" grep -q "^$section" <<<"$(man -l "$folder/keyroll.1" | col -b)"
done
finish "$(commands | wc -l) pages"
