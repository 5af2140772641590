// How late the running system is: incidents that nobody accepts, each against its own deadline.
import { Agent, request } from 'node:http';
import * as z from 'zod';
import { spreadOf, type Spread } from './figures.ts';
import { type Followed, runLoad } from './load.ts';
import type { System, Workplace } from './workplace.ts';

/** How late the first rung's deadlines were met, ms. */
export interface RungsResult {
  /** From the deadline to the decision, as the trail has it. */
  decided: Spread;
  /** From the deadline to the next person's phone. */
  phone: Spread;
  /** Incidents whose deadline brought nobody else. */
  missed: number;
  /** Decisions before their time, which must be none. */
  early: number;
}

/** What of a rung's limit may pass after the last call until everything has been decided, seconds. */
const AFTER_DEADLINE_SECONDS = 12;

const bodySchema = z.object({
  incident: z.object({ deadlines: z.object({ accept: z.iso.datetime() }) }),
  trail: z.array(z.object({ at: z.iso.datetime(), kind: z.string(), rung: z.string().optional() })),
});

const get = (agent: Agent, url: string, token: string): Promise<unknown> =>
  new Promise((done, fail) => {
    request(url, { agent, headers: { authorization: `Bearer ${token}` } }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (text += chunk));
      response.on('end', () => {
        if (response.statusCode === 200) done(JSON.parse(text));
        else fail(new Error(`${url} answers ${response.statusCode}: ${text.slice(0, 200)}`));
      });
    })
      .on('error', fail)
      .end();
  });

/** Calls come at `rate` for `seconds`; nobody accepts; every accept deadline is looked at. */
export const measureRungs = async (
  workplace: Workplace,
  system: System,
  plan: { district: string; rate: number; seconds: number; acceptSeconds: number },
): Promise<RungsResult> => {
  const { followed } = await runLoad(workplace, system, {
    ...plan,
    warmUp: 0,
    accept: false,
    // Its texts go on being heard until the last deadline has passed.
    listenSeconds: plan.acceptSeconds + AFTER_DEADLINE_SECONDS,
  });
  const incidents = followed.filter(
    (one): one is Followed & { incidentId: string } => one.incidentId !== undefined,
  );
  const agent = new Agent({ keepAlive: true, maxSockets: 2 });
  const decided: number[] = [];
  const phone: number[] = [];
  let missed = 0;
  for (let i = 0; i < incidents.length; i += 2)
    await Promise.all(
      incidents.slice(i, i + 2).map(async ({ incidentId, texts }) => {
        const body = bodySchema.parse(
          await get(agent, `${system.url}/api/incidents/${incidentId}`, system.tokens['desk'] ?? ''),
        );
        const deadline = Date.parse(body.incident.deadlines.accept);
        const breach = body.trail.find((line) => line.kind === 'breach' && line.rung === 'accept');
        const next = texts.find(({ at }) => at >= deadline - 1_000);
        if (breach) decided.push(Date.parse(breach.at) - deadline);
        if (next) phone.push(next.at - deadline);
        if (!breach || !next) missed += 1;
      }),
    );
  agent.destroy();
  return {
    decided: spreadOf(decided),
    phone: spreadOf(phone),
    missed: missed + followed.length - incidents.length,
    early: decided.filter((late) => late < 0).length,
  };
};
