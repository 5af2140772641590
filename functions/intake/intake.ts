import { invalid, refused, type Outcome, type Problem, type Refused } from '#shared/contracts/errors.ts';
import { parseReport, type Report } from '#shared/contracts/report.ts';
import { madeDangerous, signsOf } from '#shared/domain/dangerous.ts';
import type { District } from '#shared/domain/district.ts';
import { addReport } from '#shared/domain/further-report.ts';
import { handsFor } from '#shared/domain/hands.ts';
import { receive, type Instant } from '#shared/domain/incident.ts';
import { relayOf } from '#shared/domain/relay.ts';
import type { Point } from '#shared/domain/roster.ts';
import type { Backoff } from '#shared/ports/backoff.ts';
import { jobsOf, type Queues } from '#shared/ports/queue.ts';
import { ownerOf, type Content } from '#shared/ports/store.ts';
import { guard, keep, type Guard, type Message } from './guarded.ts';

/** What taking a report needs. */
export interface Intake extends Guard {
  queues: Pick<Queues, 'notices' | 'reports'>;
  backoff: Backoff;
  toWgs84(point: Point, system: 'wgs84' | 'gcj02' | 'bd09'): Point;
}

/** Answer to a report. */
export interface Received {
  incidentId: string;
  duplicate: boolean;
}

const TRIES = 5;

/**
 * Takes a signed report of the 110 centre. `accepted` only after the commit; what cannot be taken is kept for the desk;
 * the same call number is the same incident. Bad input is never a defect.
 */
export const takeReport = async (intake: Intake, message: Message): Promise<Outcome<Received>> => {
  const stopped = await guard(intake, message);
  if (stopped) return stopped;
  const read = readReport(intake.district, message.raw);
  if ('refusal' in read) {
    await keep(intake, 400, read.refusal.details.map(sentence), message.raw);
    return read.refusal;
  }
  const { clock, ids, store, district } = intake;
  const { report } = read;
  const at = clock.now().getTime();
  const content = contentOf(intake, report, at);
  const incident = receive({
    id: ids.ulid(),
    callNo: report.callNo,
    district: district.id,
    receivedAt: at,
    calledAt: report.calledAt,
    secret: report.secret,
    mode: district.mode,
  });
  const { created, incidentId } = await store.create(incident, content, [
    { at, kind: 'received', by: '110', facts: { calledAt: report.calledAt } },
  ]);
  if (!created) {
    await addToKnown(intake, incidentId, content, report.secret);
    return { kind: 'done', body: { incidentId, duplicate: true } };
  }
  intake.log.count('Received');
  await handOn(intake, incidentId, intake.queues.reports([{ incidentId }]));
  return { kind: 'accepted', body: { incidentId, duplicate: false } };
};

/** Committed work is owed in the table: a queue that fails now is nobody's error, reconcile finds it. */
const handOn = (intake: Intake, incidentId: string, sending: Promise<void>): Promise<void> =>
  sending.catch((error: unknown) => intake.log.error('left-to-reconcile', error, { incident: incidentId }));

const sentence = ({ field, from, message }: Problem): string =>
  `${field}${from === undefined ? '' : `（${from}）`}：${message}`;

const readReport = (district: District, raw: Buffer): { report: Report } | { refusal: Refused } => {
  let body: unknown;
  try {
    body = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(raw));
  } catch (error) {
    const message = error instanceof SyntaxError ? '内容不是 JSON。' : '内容不是 UTF-8 文字。';
    return { refusal: refused('not_json', message, [{ field: 'body', message }]) };
  }
  const parsed = parseReport(district, body);
  return parsed.ok ? { report: parsed.report } : { refusal: invalid(parsed.problems) };
};

const contentOf = (intake: Intake, report: Report, receivedAt: Instant): Content => ({
  callNo: report.callNo,
  calledAt: report.calledAt,
  caller: report.caller,
  address: report.address,
  ...(report.location ? { location: intake.toWgs84(report.location, report.location.system) } : {}),
  content: report.content,
  ...(report.categoryCode === undefined ? {} : { categoryCode: report.categoryCode }),
  ...(report.level === undefined ? {} : { level: report.level }),
  ...(report.linkedCallNo === undefined ? {} : { linkedCallNo: report.linkedCallNo }),
  receivedAt,
});

/** What of a report makes it another one; when we received it does not. */
const told = (content: Content): string =>
  JSON.stringify([
    content.calledAt,
    content.caller.name,
    content.caller.phone,
    content.address,
    content.location?.lng,
    content.location?.lat,
    content.content,
    content.categoryCode,
    content.level,
    content.linkedCallNo,
  ]);

/** A known call number: the same content changes nothing, other content becomes a further report of the incident. */
const addToKnown = async (
  intake: Intake,
  incidentId: string,
  content: Content,
  secret: boolean,
): Promise<void> => {
  const { store, district, clock, queues } = intake;
  for (let attempt = 1; attempt <= TRIES; attempt += 1) {
    const [loaded, first, later] = await Promise.all([
      store.load(incidentId),
      store.content(incidentId),
      store.reports(incidentId),
    ]);
    if (!loaded) throw new Error(`The incident ${incidentId} of a known call number is not there.`);
    const before = [...(first ? [first] : []), ...later];
    const asksSecrecy = secret && !loaded.incident.secret;
    if (!asksSecrecy && before.some((known) => told(known) === told(content))) return;
    const latest = before.at(-1);
    const kinds = (of: Content): string =>
      [...new Set(signsOf(of.content, district).map((sign) => sign.kind))].toSorted().join();
    const signs = signsOf(content.content, district);
    const was = loaded.incident.classification;
    const found = was && madeDangerous(district, was, signs);
    const now = clock.now();
    const change = addReport(
      loaded.incident,
      {
        address: latest?.address !== content.address,
        danger: latest === undefined || kinds(latest) !== kinds(content),
        ...(found && signs.length > 0 ? { found } : {}),
        secret,
      },
      // Whom the matter needs as it is told now; the picks of before are for what it seemed to be.
      handsFor(
        district,
        await store.roster(),
        { ...loaded.incident, ...(found ? { classification: found } : {}) },
        [],
        now,
      ),
      now.getTime(),
    );
    // What turns out to be police work while it waits in triage goes back to 110 by this change.
    const relay = relayOf(change, district.backTo110);
    if (await store.commit(change, { report: content, ...(relay ? { relay } : {}) })) {
      const jobs = jobsOf(ownerOf(incidentId), change.notices, relay);
      if (jobs.length > 0) await handOn(intake, incidentId, queues.notices(jobs));
      return;
    }
    await intake.backoff(attempt);
  }
  throw new Error(`The incident ${incidentId} was changed by others ${TRIES} times in a row.`);
};
