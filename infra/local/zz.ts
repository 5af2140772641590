import { synthesize } from '../../tests/local/cloud/stack.ts';
import { startCloud } from './cloud.ts';
import { createClock } from './clock.ts';
import { rmSync, mkdirSync, writeFileSync } from 'node:fs';
rmSync('/tmp/h2/c', { recursive: true, force: true });
mkdirSync('/tmp/h2/c', { recursive: true });
console.time('synth');
const assembly = await synthesize('/tmp/h2/c');
console.timeEnd('synth');
console.time('start');
const clock = createClock({ at: Date.parse('2026-01-05T08:00:00Z'), speed: 0 });
const cloud = await startCloud({
  assembly,
  stack: 'Small',
  data: '/tmp/h2/c/data',
  port: 0,
  clock,
  secret: { a: 1 },
  log: console.log,
});
console.timeEnd('start');
console.log(cloud.url, cloud.resources);
const post = (b: unknown) =>
  fetch(cloud.url + '/things', {
    method: 'POST',
    body: JSON.stringify(b),
    headers: { 'content-type': 'application/json' },
  });
console.log((await post({ id: 'a', mode: 'watch', seconds: 60 })).status);
console.time('settle');
await cloud.settle();
console.timeEnd('settle');
console.log(await (await fetch(cloud.url + '/things/a')).json());
console.time('adv');
await cloud.advance(Date.parse('2026-01-05T08:02:00Z'));
console.timeEnd('adv');
console.log(await (await fetch(cloud.url + '/things/a')).json());
console.log(await (await fetch(cloud.url + '/things/beat')).json());
console.log(await (await fetch(cloud.url + '/clock')).json());
console.log(await (await fetch(cloud.url + '/secret')).json());
for (let i = 0; i < 3; i++)
  console.log((await fetch(cloud.url + '/limited', { method: 'PUT', body: 'x' })).status);
await post({ id: 'f', mode: 'fail' });
console.time('fail');
await cloud.settle();
console.timeEnd('fail');
console.log(cloud.queue('Work'));
import { Session } from 'node:inspector';
const ses = new Session();
ses.connect();
ses.post('Profiler.enable');
ses.post('Profiler.start');
for (const rate of [100]) {
  const lat: number[] = [];
  const n = rate * 10;
  const t0 = performance.now();
  const all = [];
  for (let i = 0; i < n; i++) {
    const at = t0 + (i * 1000) / rate;
    const w = at - performance.now();
    if (w > 0) await new Promise((r) => setTimeout(r, w));
    all.push(
      (async () => {
        const s = performance.now();
        const r = await post({ id: `r${rate}-${i}`, mode: 'watch', seconds: 3600 });
        await r.text();
        lat.push(performance.now() - s);
      })(),
    );
  }
  await Promise.all(all);
  const t1 = performance.now();
  await cloud.settle();
  lat.sort((a, b) => a - b);
  console.log(
    rate,
    'p50',
    lat[n >> 1]!.toFixed(1),
    'p99',
    lat[Math.floor(n * 0.99)]!.toFixed(1),
    'drain',
    (performance.now() - t1).toFixed(0),
  );
}
await new Promise<void>((r) =>
  ses.post('Profiler.stop', (_e, x) => {
    writeFileSync('/tmp/h2/prof/x.cpuprofile', JSON.stringify(x.profile));
    r();
  }),
);
const { spawnSync } = await import('node:child_process');
console.log(spawnSync('python3', ['/tmp/h2/threads.py'], { encoding: 'utf8' }).stdout);
console.time('stop');
await cloud.stop();
console.timeEnd('stop');
clock.stop();
