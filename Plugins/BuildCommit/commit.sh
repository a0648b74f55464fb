#!/bin/sh
# Writes BuildCommit.swift with the commit that PACKAGE is at: from git where PACKAGE is a checkout, else from the file
# "commit" beside this script, into which git archive writes it (see .gitattributes), else nothing. Never fails a build.
#
# usage: commit.sh PACKAGE FOLDER
package=${1%/} folder=${2%/}
commit=
# Only the package's own repository: a tarball may lie unpacked in somebody else's.
if [ "$(git -C "$package" rev-parse --show-toplevel 2>/dev/null)" = "$(cd "$package" && pwd -P)" ]; then
    # Without taking git's locks: this may run beside anything.
    commit=$(GIT_OPTIONAL_LOCKS=0 git -C "$package" describe --always --abbrev=7 --exclude '*' --dirty=', modified' 2>/dev/null)
else
    commit=$(head -n 1 "$package/Plugins/BuildCommit/commit" 2>/dev/null)
fi
# The file as it is in the repository: no archive was made of it.
case $commit in *Format:*) commit= ;; esac
cat >"$folder/BuildCommit.new" <<END
/// Made by the plugin BuildCommit.
enum BuildCommit {
    /// The commit that this was built from, empty where it is not known.
    static let text = "$commit"
}
END
# A file that is the same keeps its time, so that nothing is compiled for it.
cmp -s "$folder/BuildCommit.new" "$folder/BuildCommit.swift" || cp "$folder/BuildCommit.new" "$folder/BuildCommit.swift"
rm -f "$folder/BuildCommit.new"
exit 0
