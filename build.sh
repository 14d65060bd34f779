#!/usr/bin/env bash
# The project's only build script: ./build.sh TARGET. Each target installs what it needs from Debian, NuGet or npm.
set -euo pipefail
cd "$(dirname "$0")"
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 ORT_DISABLE_TELEMETRY=1

# Builds or publishes as it is shipped, by one compiler for all projects, which does not profile itself. It waits for more work until it is ended.
compile() { DOTNET_TieredPGO=0 dotnet "$1" "${@:2}" -c Release -v q -p:UseSharedCompilation=true; }
end_compiler() { dotnet build-server shutdown --vbcscompiler > /dev/null; }

for target_file in packaging/need.sh packaging/targets/*.sh; do . "$target_file"; done

usage() { echo "usage: ./build.sh TARGET"; grep -hE '^target_[a-z_]+\(\) *\{ *#' packaging/targets/*.sh | sed -E 's/^target_([a-z_]+)\(\) *\{ *# */  \1\t/; s/_/-/' | expand -t 18; }

target=${1:-}
[ -n "$target" ] || { usage; exit 2; }
shift
declare -F "target_${target//-/_}" > /dev/null || { echo "build.sh: there is no target '$target'" >&2; usage >&2; exit 2; }
"target_${target//-/_}" "$@"
