// Classifies camera frames and publishes the five best classes, as a Node engineer would write it.
// MODEL, FRAMES (a folder of JPEG images), LABELS, BROKER, TOPIC; RATE in frames per second, 0 = as fast as it can;
// TUNED=1: one intra-op thread, no spinning, sharp with one thread.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import mqtt from 'mqtt';
import ort from 'onnxruntime-node';
import sharp from 'sharp';

const { MODEL, FRAMES, LABELS, BROKER, TOPIC } = process.env;
const tuned = process.env.TUNED === '1';
const rate = Number(process.env.RATE ?? 0);
const side = 224;
const pixels = side * side;

if (tuned) sharp.concurrency(1);
const options = tuned
  ? { intraOpNumThreads: 1, interOpNumThreads: 1, extra: { session: { intra_op: { allow_spinning: '0' }, inter_op: { allow_spinning: '0' } } } }
  : {};

const [session, labels, files, client] = await Promise.all([
  ort.InferenceSession.create(MODEL, options),
  readFile(LABELS, 'utf8').then((text) => text.trimEnd().split('\n')),
  readdir(FRAMES).then((names) => Promise.all(names.sort().map((name) => readFile(join(FRAMES, name))))),
  mqtt.connectAsync(BROKER, { protocolVersion: 5 }),
]);

const data = new Float32Array(3 * pixels);
const input = new ort.Tensor('float32', data, [1, 3, side, side]);

async function classify(jpeg) {
  const rgb = await sharp(jpeg).resize(side, side, { fit: 'fill' }).removeAlpha().raw().toBuffer();
  for (let i = 0, j = 0; i < pixels; i++, j += 3) {
    data[i] = (rgb[j] - 127.5) / 127.5;
    data[pixels + i] = (rgb[j + 1] - 127.5) / 127.5;
    data[2 * pixels + i] = (rgb[j + 2] - 127.5) / 127.5;
  }
  const { output } = await session.run({ input });
  return best(output.data, 5);
}

// The network ends in a softmax already.
function best(scores, count) {
  const top = [];
  for (let index = 0; index < scores.length; index++) {
    if (top.length === count && scores[index] <= top[count - 1].probability) continue;
    top.push({ index, label: labels[index], probability: scores[index] });
    top.sort((a, b) => b.probability - a.probability);
    if (top.length > count) top.pop();
  }
  return top;
}

let running = true;
process.on('SIGTERM', () => { running = false; });

let due = performance.now();
for (let frame = 0; running; frame++) {
  const captured = performance.now();
  const scores = await classify(files[frame % files.length]);
  client.publish(TOPIC, JSON.stringify({
    frame, captured: new Date().toISOString(), model: MODEL, scores, latencyMilliseconds: performance.now() - captured,
  }), { qos: 0 });
  if (rate === 0) continue;
  due += 1000 / rate;
  await delay(Math.max(0, due - performance.now()));
}
await client.endAsync(true);
process.exit(0);
