# The exhaustive tests of the promises in docs/promises.md. Can be cut and started again: artifacts/torture keeps each case.
target_torture() { # breaks updates everywhere, fuzzes parsers; writes docs/reliability.md (AREA…: some; --again: from the start)
  need mosquitto nginx ffmpeg afl++ e2fsprogs mount gcc libc6-dev libturbojpeg0 procps
  local root=$PWD/artifacts/torture
  if [ "${1:-}" = --again ]; then rm -rf "$root"; shift; fi
  compile build tests/Torture
  # Compiled ahead of time, as it is shipped: its children start in a tenth of the time.
  [ -x artifacts/agent/linux-x64/dunlin-agent ] && [ -z "$(find src -newer artifacts/agent/linux-x64/dunlin-agent -name '*.cs' -print -quit)" ] || target_publish linux-x64
  local torture=artifacts/bin/Torture/release/Dunlin.Torture agent=$PWD/artifacts/agent/linux-x64/dunlin-agent
  mkdir -p "$root/results" "$root/work"
  gcc -O1 -shared -fPIC -Wall -o "$root/shim.so" tests/Torture/Shim/shim.c -ldl
  local area failed=0
  for area in "${@:-fuzz hostile storm watchdog kill rollback sync full power soak windows}"; do
    for area in $area; do
      echo "== $area"
      case $area in
        fuzz) torture_fuzz "$root" || failed=1 ;;
        hostile) "$torture" hostile "$agent" "$root/work" "$root/results" || failed=1 ;;
        kill | rollback | sync | full | power | soak) "$torture" "$area" "$agent" "$root/shim.so" "$root/work" "$root/results" || failed=1 ;;
        windows) "$torture" windows "$root/work" "$root/results" || failed=1 ;;
        storm) "$torture" storm "$root/results" || failed=1 ;;
        watchdog) "$torture" watchdog "$agent" "$root/work" "$root/results" || failed=1 ;;
        *) echo "build.sh torture: there is no area '$area'" >&2; return 2 ;;
      esac
    done
  done
  "$torture" page "$root/results" docs/reliability.md || failed=1
  return $failed
}

# Two minutes of afl++ for each parser, from the corpus in git; what it kept that is small and new goes back there.
torture_fuzz() {
  local root=$1 seconds=${DUNLIN_FUZZ_SECONDS:-120} name failed=0
  [ -x "$root/tools/sharpfuzz" ] || dotnet tool install SharpFuzz.CommandLine --version 2.3.0 --tool-path "$root/tools" > /dev/null
  export AFL_SKIP_BIN_CHECK=1 AFL_SKIP_CPUFREQ=1 AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1 AFL_NO_UI=1 AFL_NO_AFFINITY=1
  for name in envelope:Contracts manifest:Contracts journal:Contracts chunk-map:Bundles onnx:Runtime; do
    local assembly=Dunlin.${name#*:}.dll; name=${name%:*}
    local work=$root/fuzz/$name corpus=tests/Torture/corpus/$name
    mkdir -p "$corpus"
    "artifacts/bin/Torture/release/Dunlin.Torture" replay "$name" "$corpus" || failed=1
    [ ! -f "$work/done" ] || continue
    rm -rf "$work"; mkdir -p "$work/in"
    cp -r artifacts/bin/Torture/release "$work/program"
    "$root/tools/sharpfuzz" "$work/program/$assembly"
    "artifacts/bin/Torture/release/Dunlin.Torture" seeds "$name" "$work/in"
    find "$corpus" -type f -exec cp -t "$work/in" {} +
    echo "fuzzing $name for $seconds s"
    afl-fuzz -i "$work/in" -o "$work/out" -V "$seconds" -t 5000 -m none dotnet "$work/program/Dunlin.Torture.dll" fuzz "$name" > "$work/log" 2>&1 || { tail -20 "$work/log"; failed=1; continue; }
    "artifacts/bin/Torture/release/Dunlin.Torture" fuzzed "$name" "$root/results" "$work/out/default" || failed=1
    # The forty smallest inputs that reached something new are kept.
    find "$work/out/default/queue" -maxdepth 1 -name 'id:*+cov' -size -3k -printf '%s %p\n' | sort -n | head -40 | while read -r _ file; do
      cp "$file" "$corpus/$(sha256sum "$file" | cut -c1-16)"
    done
    touch "$work/done"
  done
  return $failed
}
