#!/usr/bin/env bash
# Each completion is loaded by its own shell, and completes.
#
# usage: completions.sh FOLDER
. "$(dirname "$0")/lib.sh"
folder=$(realpath "$1")
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
cd "$here"
mkdir some-folder
touch some-file.yaml

# What bash offers for a line, one word each.
bash_offers() {
    bash --norc --noprofile -c '
        source "$1"
        shift
        complete -p keyroll >/dev/null || exit 1
        COMP_LINE="$*"
        COMP_POINT=${#COMP_LINE} COMP_TYPE=9 COMP_KEY=9
        COMP_WORDS=("$@")
        COMP_CWORD=$(($# - 1))
        function=$(complete -p keyroll | sed "s/.*-F \([^ ]*\).*/\1/")
        compopt() { :; }
        "$function" keyroll "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
        printf "%s\n" "${COMPREPLY[@]}"' bash "$folder/bash" "$@" | sed 's/ *$//'
}
is "bash completes a command" grep -qx rotate <<<"$(bash_offers keyroll rot)"
same "bash: what begins with rot" "$(bash_offers keyroll rot)" rotate
is "bash completes a command below a command" grep -qx recipient <<<"$(bash_offers keyroll archive re)"
is "bash completes an option" grep -qx -- --force <<<"$(bash_offers keyroll rotate --fo)"
is "bash completes a file" grep -qx some-file.yaml <<<"$(bash_offers keyroll import some-fi)"
is "bash completes a folder after --home" grep -qx some-folder <<<"$(bash_offers keyroll status --home some-fo)"

# zsh has no completion without a terminal to complete in: a pseudo terminal is asked for a list.
cat >zsh-offers <<'ZSH'
zmodload zsh/zpty
zpty z zsh -f -i
zpty -w z "fpath=($1 \$fpath); autoload -Uz compinit; compinit -u -D; PS1=; LISTMAX=10000; echo READY"
zpty -r z line '*READY*READY*'
zpty -w -n z "$2"$'\t\t'
sleep 2
zpty -w -n z $'\x15'"echo OVER"$'\n'
zpty -r z answer '*OVER*'
print -r -- "$answer"
ZSH
mkdir zsh-functions
cp "$folder/zsh" zsh-functions/_keyroll
# In a home of its own, and with -D: what zsh knows of completions is written to no file. Never name one with -d: it is replaced,
# /dev/null too.
zsh_offers() { HOME=$here ZDOTDIR=$here timeout 60 zsh -f zsh-offers "$here/zsh-functions" "$1" | tr '\r' '\n' | sed 's/\x1b\[[0-9;?]*[a-zA-Z]//g'; }
is "zsh completes commands" grep -q "reencrypt" <<<"$(zsh_offers 'keyroll re')"
is "zsh completes an option" grep -q -- "--force" <<<"$(zsh_offers 'keyroll rotate --fo')"

fish_offers() { fish --no-config -c "source '$folder/fish'; complete -C '$1'" | cut -f1; }
is "fish completes a command" grep -qx rotate <<<"$(fish_offers 'keyroll rot')"
is "fish completes an option" grep -qx -- --force <<<"$(fish_offers 'keyroll rotate --fo')"
is "fish completes a file" grep -q some-file.yaml <<<"$(fish_offers 'keyroll import some-fi')"
same "/dev/null is what it was" "$(stat -c %F:%a /dev/null)" "character special file:666"
finish
