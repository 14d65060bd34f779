# Trains the demo's two networks, quantizes both, and packs demo/bundle (design §10). Interrupted, it goes on after the last whole
# epoch; the argument names the folder of its models. An epoch took 77 (reference) and 50 (narrow) CPU-seconds of a busy 2-core Xeon
# without avx512_bf16: 22 CPU-minutes for all, at the lowest priority.
target_demo_bundle() { # trains, quantizes and packs demo/bundle anew
  need dataset-fashion-mnist libturbojpeg0
  local work=${1:-artifacts/demo-bundle}
  dotnet build src/Optimizer -v q -c Release
  local optimizer=(env OMP_WAIT_POLICY=passive nice -n 19 artifacts/bin/Optimizer/release/dunlin-optimizer)
  [ -e "$work/reference.onnx" ] || "${optimizer[@]}" train --out "$work/reference.onnx" --widths 32,64,128 --epochs 12
  [ -e "$work/narrow.onnx" ] || "${optimizer[@]}" train --out "$work/narrow.onnx" --widths 16,32,64 --epochs 8 --teacher "$work/reference.onnx"
  local name
  for name in reference narrow; do "${optimizer[@]}" quantize "$work/$name.onnx" --out "$work/$name-int8.onnx"; done
  "${optimizer[@]}" evaluate "$work"/{reference,reference-int8,narrow,narrow-int8}.onnx --frames 2000
  rm -rf demo/bundle
  # Where in a frame of `belt` the garment lies.
  "${optimizer[@]}" pack "$work"/{reference,reference-int8,narrow,narrow-int8}.onnx --out demo/bundle --name garments --region 208,128,224,224@640x480
}
