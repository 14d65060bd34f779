# Measures whole processes on this machine; nothing else should run meanwhile. Models, frames and states are kept in artifacts/bench.
target_bench() { # measures everything into docs/performance.md (--quick: only tries; TOPIC…: some; micro: the parts)
  need mosquitto libturbojpeg0 dataset-fashion-mnist curl nginx-light docker-registry procps
  # Node may be another than Debian's, which then conflicts with the packages.
  command -v npm > /dev/null || need nodejs npm
  compile build bench
  local bench=artifacts/bin/Bench/release/Dunlin.Bench work=artifacts/bench
  if [ "${1:-}" = micro ]; then "$bench" micro; return; fi
  target_publish linux-x64
  mkdir -p "$work/node"
  cp bench/peers/node/{package.json,package-lock.json,.npmrc,peer.js} "$work/node/"
  # onnxruntime-node has its library in the package; its install script would fetch others.
  (cd "$work/node" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error)
  "$bench" all "$@"
}
