# Compares the lock of a project with its manifest, without a network. $projectPath holds the folder,
# $manifestPath the path of the manifest in it, or nothing, and $programPath the command line.
set -euo pipefail

project=$(<"$projectPath")
manifest=$(<"$manifestPath")
export HOME=$PWD
"$(<"$programPath")" lock --check --cwd "$project" ${manifest:+--manifest "$manifest"}
: >"$out"
