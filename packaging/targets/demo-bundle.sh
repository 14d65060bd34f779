# Trains the demo's reference, optimizes it, and puts the result into demo/bundle. Interrupted, it goes on; the argument
# names the folder of its work. Training takes a quarter of an hour of a busy 2-core Xeon without avx512_bf16, optimizing its budget.
target_demo_bundle() { # trains, optimizes and packs demo/bundle anew (most of an hour)
  need dataset-fashion-mnist libturbojpeg0
  local work=${1:-artifacts/demo-bundle}
  compile build src/Optimizer
  local optimizer=(nice -n 19 artifacts/bin/Optimizer/release/dunlin-optimizer)
  [ -e "$work/reference.onnx" ] || "${optimizer[@]}" train --out "$work/reference.onnx" --widths 32,64,128 --epochs 12
  # For x64-avx2, whose models answer alike on x64 boards with and without VNNI; the region is where in a frame of `belt` the garment lies.
  [ -e "$work/bundle" ] || "${optimizer[@]}" optimize "$work/reference.onnx" --target x64-avx2 --budget 30m --variants 6 --out "$work/bundle" --name garments --region 208,128,224,224@640x480
  local variants=("$work"/bundle.study/variants/*.onnx)
  "${optimizer[@]}" evaluate "${variants[@]/*\/reference.onnx/$work/reference.onnx}" --frames 2000
  rm -rf demo/bundle
  cp -r "$work/bundle" demo/bundle
}
