# What each technique buys on a ResNet-50 for Fashion-MNIST, alone and together; writes docs/case-study.md. Interrupted, it goes on
# from the last checkpoint. --quick runs every step on a few images, to see that they work, and writes the page to artifacts.
target_case_study() { # a ResNet-50 pruned, distilled and quantized, each alone and together; writes docs/case-study.md (hours)
  need dataset-fashion-mnist libturbojpeg0 jq
  local work=artifacts/case-study page=docs/case-study.md epochs=8 further=4 recovery=2 last=2 student=8 sizes=() judged=() step=()
  if [ "${1:-}" = --quick ]; then
    work=artifacts/case-study-quick page=$work/case-study.md epochs=1 further=1 recovery=1 last=1 student=1 sizes=(--limit 640) judged=(--images 500) step=(--step 16)
  fi
  compile build src/Optimizer
  mkdir -p "$work"
  local bfloat=(); ! grep -qm1 avx512_bf16 /proc/cpuinfo || bfloat=(--bfloat16)
  local optimizer=("$PWD/artifacts/bin/Optimizer/release/dunlin-optimizer")
  local small=(--widths 32,64,128)
  pushd "$work" > /dev/null

  # NAME VERB…: makes NAME.onnx, unless it is there.
  make() { [ -e "$1.onnx" ] || { echo "== $1"; "${optimizer[@]}" "${@:2}" --out "$1.onnx"; }; }
  # NAME STUDENT EPOCHS: the reference teaches, on bytes: its answers are the same but for a few in a thousand, in a quarter of the time.
  recover() { make "$1" distil "$2.onnx" --teacher reference-int8.onnx --epochs "$3" "${bfloat[@]}" "${sizes[@]}"; }

  # Cosine annealing with one warm restart (Loshchilov and Hutter 2017).
  make begun train --widths 64,128,256,512 --blocks 3,4,6,3 --bottlenecks --batch-size 128 --epochs "$epochs" "${bfloat[@]}" "${sizes[@]}"
  make reference train --from begun.onnx --learning-rate 0.05 --seed 2 --batch-size 128 --epochs "$further" "${bfloat[@]}" "${sizes[@]}"

  # Quantization alone.
  make reference-int8 quantize reference.onnx

  # Pruning: half of the channels, then three tenths of what is left, with a recovery after each.
  make half.cut prune reference.onnx --ratio 0.5 --importance taylor "${step[@]}"
  recover half half.cut 1
  make pruned.cut prune half.onnx --ratio 0.3 --importance taylor "${step[@]}"
  recover pruned pruned.cut "$recovery"

  # Distillation: a small network learns from the reference; the same one learns as long from the labels alone. Both see another view of
  # each image in each epoch.
  make distilled train "${small[@]}" --teacher reference-int8.onnx --views "$student" --epochs "$student" "${sizes[@]}"
  make scratch train "${small[@]}" --epochs "$student" "${sizes[@]}"

  # Quantization on top of the others.
  make pruned-int8 quantize pruned.onnx
  make distilled-int8 quantize distilled.onnx

  # All together: the pruned network pruned again, taught longer, quantized.
  make thin.cut prune pruned.onnx --ratio 0.5 --importance taylor "${step[@]}"
  recover thin thin.cut "$last"
  make together quantize thin.onnx

  # The same layers from random weights, from the labels alone, for as many epochs as all recoveries had together.
  make anew train --like thin.onnx --epochs $((1 + recovery + last)) "${bfloat[@]}" "${sizes[@]}"

  "${optimizer[@]}" report {reference-int8,pruned,pruned-int8,distilled,distilled-int8,scratch,thin,together,anew}.onnx --reference reference.onnx --out report "${judged[@]}"
  "${optimizer[@]}" evaluate distilled.onnx --reference scratch.onnx --json distilled-against-scratch.json "${judged[@]}" > /dev/null
  "${optimizer[@]}" evaluate thin.onnx --reference anew.onnx --json thin-against-anew.json "${judged[@]}" > /dev/null
  popd > /dev/null
  case_study_page "$work" > "$page.new"
  mkdir -p "${page%.md}"; cp "$work/report"/*.svg "$work/report"/*.jpg "${page%.md}/"
  mv "$page.new" "$page"
  echo "$page"
}

# The claims that began this project, and our own, beside what the report measured; then the report itself.
case_study_page() {
  cat packaging/case-study/introduction.md
  jq -r --slurpfile distilledAgainstScratch "$1/distilled-against-scratch.json" --slurpfile thinAgainstAnew "$1/thin-against-anew.json" -f packaging/case-study/claims.jq "$1/report/report.json"
  echo
  sed -E '1s/.*/## The report/; 2,$s/^(#+) /#\1 /; s#\]\(([^):]*\.(svg|jpg))\)#](case-study/\1)#g' "$1/report/report.md"
}
