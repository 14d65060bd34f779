target_systemd_test() { # packages the agent, installs and upgrades it under real systemd in a namespace (root; minutes)
  need systemd systemd-container mmdebstrap procps util-linux dpkg-dev xz-utils \
    mosquitto libturbojpeg0 dataset-fashion-mnist
  target_publish linux-x64
  local folder=artifacts/systemd/packages version
  rm -rf "$folder"; mkdir -p "$folder"
  for version in 0.0.1 0.0.2; do
    DUNLIN_PACKAGE_VERSION=$version DUNLIN_PACKAGE_LEVEL=0 package_agent amd64 linux-x64 strip
    mv "artifacts/packages/dunlin-agent_${version}_amd64.deb" "$folder/"
  done
  compile build src/Optimizer
  artifacts/bin/Optimizer/release/dunlin-optimizer belt --out artifacts/systemd/demo/frames --count 36
  tar -cf "$folder/demo.tar" --mode=a+rX -C demo bundle -C "$PWD/artifacts/systemd/demo" frames
  packaging/nspawn.sh root > /dev/null
  compile build tests/EndToEnd.Tests
  DUNLIN_SYSTEMD_TEST="$PWD/$folder" dotnet run --project tests/EndToEnd.Tests -c Release --no-build -- -class '*PackageTests' "$@"
}
