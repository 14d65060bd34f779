# The table of claims out of report.json; the others are evaluate's JSON of a network against the same layers trained without a teacher.
def variant($name): .variants[] | select(.name == $name);
def number($digits): . * pow(10; $digits) | round / pow(10; $digits) | tostring;
def less($of; $than): 1 - $of / $than;
def percent: "−\(. * 100 | number(1)) %";
def signed: "\(if . < 0 then "−" elif . > 0 then "+" else "" end)\(fabs * 100 | number(2))";
def points: "\(signed) points";
def loss: -.evaluation.againstReference.top1Change.value;
def verdict: if . then "met" else "**missed**" end;
def row($what; $asked; $measured; $met): "| \($what) | \($asked) | \($measured) | \($met | verdict) |";
.variants[0] as $reference
| variant("pruned") as $pruned | variant("distilled") as $distilled | variant("reference-int8") as $int8 | variant("together") as $together
| def parameters: less(.evaluation.parameterCount; $reference.evaluation.parameterCount);
  def macs: less(.evaluation.macs; $reference.evaluation.macs);
  def bytes: less(.evaluation.byteCount; $reference.evaluation.byteCount);
  def time: .times[0].milliseconds / $reference.times[0].milliseconds;
  def lost: "\(-loss | points) of top-1";
  def taught($evaluation; $what): ($evaluation[0].models[] | select(.againstReference != null) | .againstReference.top1Change) as $change
    | row($what; "better by more than the interval"; "\($change.value | points) (\($change.low | signed) to \($change.high | signed))"; $change.low > 0);
  "## The claims\n",
  "| what | asked | measured | |",
  "|---|---|---|---|",
  row("reference, ResNet-50"; "top-1 ≥ 93 %"; "\($reference.evaluation.top1.value * 100 | number(2)) %, \($reference.times[0].milliseconds | number(3)) ms on one thread"; $reference.evaluation.top1.value >= 0.93),
  row("published: pruning"; "−30 % parameters, −25 % compute"; "\($pruned | parameters | percent) parameters, \($pruned | macs | percent) MACs, \($pruned | lost)"; ($pruned | parameters >= 0.3 and macs >= 0.25)),
  row("published: distillation"; "−40 % compute within 1 % accuracy"; "\($distilled | macs | percent) MACs, \($distilled | lost)"; ($distilled | macs >= 0.4 and loss <= 0.01)),
  row("published: quantization"; "−50 % memory, −20 % compute"; "\($int8 | bytes | percent) bytes, \($int8 | 1 - time | percent) time, \($int8 | lost)"; ($int8 | bytes >= 0.5 and 1 - time >= 0.2)),
  row("published: acceleration"; "5 ×"; "\($together | 1 / time | number(1)) ×, \($together | lost)"; ($together | 1 / time >= 5)),
  row("ours: pruning alone, ≤ 0.5 points lost"; "−60 % parameters, −50 % MACs, −35 % time"; "\($pruned | parameters | percent) parameters, \($pruned | macs | percent) MACs, \($pruned | 1 - time | percent) time, \($pruned | lost)"; ($pruned | parameters >= 0.6 and macs >= 0.5 and 1 - time >= 0.35 and loss <= 0.005)),
  row("ours: distillation, within 1 point"; "−85 % MACs"; "\($distilled | macs | percent) MACs, \($distilled | lost)"; ($distilled | macs >= 0.85 and loss <= 0.01)),
  row("ours: int8, ≤ 0.3 points lost"; "−73 % bytes, 2 × faster"; "\($int8 | bytes | percent) bytes, \($int8 | 1 / time | number(2)) ×, \($int8 | lost)"; ($int8 | bytes >= 0.73 and 1 / time >= 2 and loss <= 0.003)),
  row("ours: all together, within 1 point"; "15 × faster on one thread"; "\($together | 1 / time | number(1)) ×, \($together | lost)"; ($together | 1 / time >= 15 and loss <= 0.01)),
  taught($thinAgainstAnew; "ours: the network that comes out of all, before quantization, against its layers from random weights, without a teacher"),
  taught($distilledAgainstScratch; "ours: the distilled network against itself without a teacher")
