target_package() { # makes artifacts/packages/dunlin-agent_VERSION_{amd64,arm64}.deb (or of the architectures named)
  need dpkg-dev xz-utils binutils binutils-aarch64-linux-gnu
  local architecture
  [ $# -gt 0 ] || set -- amd64 arm64
  for architecture in "$@"; do
    case "$architecture" in
      amd64) target_publish linux-x64; package_agent amd64 linux-x64 strip ;;
      arm64) target_publish linux-arm64; package_agent arm64 linux-arm64 aarch64-linux-gnu-strip ;;
      *) echo "package: there is no architecture '$architecture'; there are amd64 and arm64" >&2; return 2 ;;
    esac
  done
}

# Puts the published agent and packaging/debian into a package. Times are those of the last commit; DUNLIN_PACKAGE_VERSION and DUNLIN_PACKAGE_LEVEL (of xz) are for tests.
package_agent() {
  local architecture=$1 rid=$2 strip=$3
  local version=${DUNLIN_PACKAGE_VERSION:-$(sed -n 's:.*<Version>\(.*\)</Version>.*:\1:p' Directory.Build.props)}
  local published=artifacts/agent/$rid stage=artifacts/package/$architecture debian=packaging/debian
  SOURCE_DATE_EPOCH=$(git log -1 --format=%ct 2> /dev/null || stat -c %Y Directory.Build.props); export SOURCE_DATE_EPOCH
  rm -rf "$stage"

  install -D -m 755 "$published/dunlin-agent" "$stage/usr/lib/dunlin/dunlin-agent"
  install -D -m 644 "$published/libonnxruntime.so" "$stage/usr/lib/dunlin/libonnxruntime.so"
  "$strip" --strip-unneeded "$stage/usr/lib/dunlin/dunlin-agent" "$stage/usr/lib/dunlin/libonnxruntime.so"
  mkdir -p "$stage/usr/bin"; ln -s ../lib/dunlin/dunlin-agent "$stage/usr/bin/dunlin-agent"

  install -D -m 640 "$debian/agent.json" "$stage/etc/dunlin/agent.json"
  install -D -m 644 "$debian/dunlin-agent.service" "$stage/usr/lib/systemd/system/dunlin-agent.service"
  install -D -m 644 "$debian/dunlin-agent.rules" "$stage/usr/lib/udev/rules.d/60-dunlin-agent.rules"
  install -D -m 644 "$debian/copyright" "$stage/usr/share/doc/dunlin-agent/copyright"
  # Messages of the agent name these pages, but for fleet.md, to which the others link.
  install -m 644 docs/configuration.md docs/fleet.md docs/operations.md docs/topics.md "$stage/usr/share/doc/dunlin-agent/"
  packaging/notices.sh "artifacts/obj/Agent/release_$rid/native/dunlin-agent.ilc.rsp" > "$stage/usr/share/doc/dunlin-agent/third-party-notices"
  gzip -9n "$stage/usr/share/doc/dunlin-agent/third-party-notices"
  printf 'dunlin-agent (%s) unstable; urgency=medium\n\n  * See CHANGELOG.md of the project.\n\n -- The Dunlin authors <dunlin@localhost>  %s\n' \
    "$version" "$(date -u -R -d "@$SOURCE_DATE_EPOCH")" | gzip -9n > "$stage/usr/share/doc/dunlin-agent/changelog.gz"
  install -D -m 644 "$debian/lintian-overrides" "$stage/usr/share/lintian/overrides/dunlin-agent"
  find "$stage" -type d -exec chmod 755 {} +

  mkdir "$stage/DEBIAN"
  install -m 755 "$debian/postinst" "$debian/prerm" "$debian/postrm" "$stage/DEBIAN/"
  echo /etc/dunlin/agent.json > "$stage/DEBIAN/conffiles"
  (cd "$stage" && find etc usr -type f -print0 | LC_ALL=C sort -z | xargs -0 md5sum) > "$stage/DEBIAN/md5sums"
  sed -e "s/@VERSION@/$version/" -e "s/@ARCHITECTURE@/$architecture/" \
      -e "s/@SIZE@/$(du -k -s --exclude=DEBIAN "$stage" | cut -f1)/" "$debian/control" > "$stage/DEBIAN/control"
  find "$stage" -newermt "@$SOURCE_DATE_EPOCH" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +

  mkdir -p artifacts/packages
  local package=artifacts/packages/dunlin-agent_${version}_$architecture.deb
  dpkg-deb --root-owner-group -Zxz -z"${DUNLIN_PACKAGE_LEVEL:-9}" --build "$stage" "$package"
  [ -n "${DUNLIN_PACKAGE_LEVEL:-}" ] || check_size "$package" || return
}

# A board's disk and link are small.
check_size() {
  local most=20000000 bytes; bytes=$(stat -c %s "$1")
  [ "$bytes" -le $most ] || { echo "package: '$1' has $bytes bytes, which is more than $most; look at what has grown in it (dpkg-deb -c), or whether it is stripped" >&2; return 1; }
}
