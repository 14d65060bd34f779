# The demo: a camera over a conveyor belt, one agent, a broker; a signed release is pushed to it over the broker,
# then the operator's table is in the foreground.
# --seconds N ends it after N seconds; all other arguments go to `dunlin-fleet watch` (--json). Tests set
# DUNLIN_DEMO_BUILT to their own configuration, so that nothing is built anew. What it makes lies in one temporary folder, which
# is gone afterwards.
target_demo() { # shows the whole: a belt camera, an agent that races its models, a live table (Ctrl-C ends it)
  local seconds=()
  if [ "${1:-}" = --seconds ]; then seconds=(timeout --foreground "$2"); shift 2; fi
  command -v dotnet > /dev/null || { echo "demo: there is no 'dotnet'; install the .NET 10 SDK (https://dot.net)" >&2; return 1; }
  need libturbojpeg0 dataset-fashion-mnist mosquitto-clients >&2
  local form=${DUNLIN_DEMO_BUILT:-release} project
  if [ -z "${DUNLIN_DEMO_BUILT:-}" ]; then
    for project in Optimizer Fleet Agent; do
      echo "building $project …" >&2
      compile build "src/$project" -nologo -p:RunAnalyzers=false -clp:NoSummary >&2
    done
    end_compiler
  fi
  local bin=artifacts/bin folder; folder=$(mktemp -d -t dunlin-demo.XXXXXX)
  local agent=$bin/Agent/$form/dunlin-agent fleet=$bin/Fleet/$form/dunlin-fleet optimizer=$bin/Optimizer/$form/dunlin-optimizer
  trap "demo_stop '$folder'" EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP

  echo "composing the camera's frames from images that the network has never seen …" >&2
  "$optimizer" belt --out "$folder/frames" --count 720 >&2

  # The bundle in git is unsigned: this fleet has keys of its own, and its device trusts only them.
  "$fleet" keys init "$folder/keys" --fleet demo >&2
  cp -r demo/bundle "$folder/bundle"
  "$fleet" sign "$folder/bundle" --keys "$folder/keys" >&2
  install -D -m 600 "$folder/keys/root.json" "$folder/state/trust/root.json"

  # The device begins without a bundle, and gets it as it would in the field: from its fleet, over the broker alone.
  local port; demo_broker "$fleet" "$folder"
  "$agent" run --set Device:Id=belt-1 --set Device:Fleet=demo --set Device:StateDirectory="$folder/state" \
    --set Camera:Source="$folder/frames" --set Telemetry:WindowSeconds=2 --set Updates:TrialSeconds=5 --set Updates:MinimumRuns=50 --set Mqtt:Host=127.0.0.1 --set Mqtt:Port="$port" \
    > "$folder/agent.log" 2>&1 &
  local agent_id=$! status=0
  cat >&2 <<TEXT

  The release is pushed: the agent fetches it in pieces, checks its models on this machine, races them, tries the
  winner for 5 s, and keeps it. Then the table shows which one won, and why.
    every message   mosquitto_sub -p $port -t 'dunlin/v1/demo/#' -v
    the agent       tail -f $folder/agent.log
    its frames      $folder/frames

TEXT
  "$fleet" push "$folder/bundle" --keys "$folder/keys" --broker "127.0.0.1:$port" --to belt-1 --source mqtt --trial 5s --minimum-runs 50 \
    --wait --timeout 5m >&2 &
  local push_id=$! ended
  wait -n -p ended "$push_id" "$agent_id" || status=$?
  if [ "$ended" = "$agent_id" ] || [ $status != 0 ]; then
    echo "demo: the update has not been committed ($status); the agent says:" >&2; tail -n 20 "$folder/agent.log" >&2
    return 1
  fi
  "${seconds[@]}" "$fleet" watch --broker "127.0.0.1:$port" --fleet demo "$@" &
  local watch_id=$!
  wait -n -p ended "$watch_id" "$agent_id" || status=$?
  if [ "$ended" = "$agent_id" ]; then
    kill "$watch_id"; wait "$watch_id" || true
    echo "demo: the agent has ended with $status:" >&2; tail -n 20 "$folder/agent.log" >&2
    return 1
  fi
  [ $status = 124 ] || return $status
}

# Starts the broker on a free port of loopback and sets `port`.
demo_broker() {
  local id
  while :; do
    port=$((20000 + RANDOM % 30000))
    "$1" broker --port "$port" > "$2/broker.log" 2>&1 &
    id=$!
    until grep -q '^MQTT broker on' "$2/broker.log"; do
      kill -0 "$id" 2> /dev/null || { grep -q 'cannot listen' "$2/broker.log" && continue 2; cat "$2/broker.log" >&2; return 1; }
      sleep 0.05
    done
    return 0
  done
}

# Ends what this shell has started, and removes its folder.
demo_stop() {
  trap '' INT TERM HUP
  local ids; ids=$(jobs -p)
  [ -z "$ids" ] || { kill $ids 2> /dev/null || true; wait $ids 2> /dev/null || true; }
  rm -rf "$1"
}
