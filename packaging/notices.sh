#!/usr/bin/env bash
# Prints whose work the agent's package holds beside our own, and under which licences: the packages in NuGet's folder that the native
# compiler was given, by its response file, and the one with ONNX Runtime's library. Fails where one does not say its licence.
#   packaging/notices.sh artifacts/obj/Agent/RID/native/dunlin-agent.ilc.rsp
set -euo pipefail
shopt -s inherit_errexit

# Sets `folder` to the NAME/VERSION above a file; it is where the .nuspec lies.
find_package() {
  folder=${1%/*}
  until compgen -G "$folder/*.nuspec" > /dev/null; do
    [ -n "$folder" ] || { echo "notices: '$1' is compiled in and of no NuGet package; see whose it is" >&2; return 1; }
    folder=${folder%/*}
  done
}

packages() {
  local file folder
  # One file speaks for its folder: the runtime has 175 in one.
  sed -n 's/^-r://p' "$1" | grep -v '/Dunlin\.[^/]*\.dll$' | sort | awk '{folder = $0; sub("/[^/]*$", "", folder)} !seen[folder]++' | while read -r file; do
    find_package "$file"
    echo "$folder"
    # ONNX Runtime's assembly has its library in a package of its own.
    case $folder in */microsoft.ml.onnxruntime.managed/*) echo "${folder/.managed/}" ;; esac
  done | sort -u
}

# Of the package at hand.
field() { [[ $nuspec =~ \<$1(\ [^>]*)?\>([^<]*)\</$1\> ]] && echo "${BASH_REMATCH[2]}" || true; }

licence_of() {
  local licence; licence=$(field license)
  case $2:$licence in
    *:MIT | *:MIT-0 | *:Apache-2.0 | *:CC0-1.0) echo "$licence" ;;
    # It names a page; each of its files says so.
    HdrHistogram:) echo CC0-1.0 ;;
    *)
      [ -n "$licence" ] && [ -f "$1/$licence" ] ||
        { echo "notices: package '$1' is compiled in, and its licence ('$licence') is not known here; see that it may be shipped, then add it to packaging/notices.sh" >&2; return 1; }
      echo "as in $licence, below" ;;
  esac
}

# What the package brings of texts; those of the runtime's packages are mostly the same, and told once.
texts_of() {
  local file sum
  for file in "$1"/*; do
    case ${file##*/} in [Ll][Ii][Cc][Ee][Nn][SsCc][Ee]* | *[Nn][Oo][Tt][Ii][Cc][Ee]*) ;; *) continue ;; esac
    sum=$(sha256sum < "$file")
    if [ -n "${told[$sum]:-}" ]; then printf '\n%s: that of %s, above\n' "${file##*/}" "${told[$sum]}"; continue; fi
    told[$sum]=$2
    printf '\n%s:\n' "${file##*/}"
    sed 's/\r$//' "$file"
  done
}

[ -s "${1:-}" ] || { echo "notices: there is no response file '${1:-}'; publish the agent first" >&2; exit 1; }
declare -A told=()
list=$(packages "$1")
echo 'What dunlin-agent is compiled of beside its own code, and libonnxruntime.so. The texts of MIT (MIT-0 is that without its condition) and of
Apache-2.0 are in the file "copyright" beside this one and in /usr/share/common-licenses, as is that of CC0-1.0.'
while read -r folder; do
  nuspec=$(cat "$folder"/*.nuspec)
  name=$(field id)
  licence=$(licence_of "$folder" "$name")
  copyright=$(field copyright)
  printf '\n== %s %s\nCopyright: %s\nLicence: %s\n' "$name" "$(field version)" "${copyright:-$(field authors)}" "$licence"
  texts_of "$folder" "$name"
done <<< "$list"
