import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';

/** Where lines come from: every line carries it. */
export interface LogSource {
  district: string;
  stage: string;
  verb: string;
}

// Lambda's console puts a time and an id before the text, which would make the line no JSON and the metric no metric.
const toStdout = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

/**
 * Log lines as JSON: level, code, district and small facts. Counts are written as CloudWatch's embedded metric format
 * (namespace `Xiaonao`, dimensions `District` and `Stage`), so that counting costs no call.
 */
export const jsonLog = (source: LogSource, clock: Clock, write: (line: string) => void = toStdout): Log => {
  const line = (level: 'info' | 'error', code: string, facts: object): void =>
    write(JSON.stringify({ level, code, at: clock.now().toISOString(), ...source, ...facts }));
  return {
    info: (code, facts = {}) => line('info', code, facts),
    error: (code, error, facts = {}) =>
      line('error', code, {
        ...facts,
        error:
          error instanceof Error
            ? { name: error.name, message: error.message, stack: error.stack?.split('\n').slice(1, 6) }
            : { name: typeof error, message: String(error) },
      }),
    count: (metric, n = 1, facts = {}) =>
      write(
        JSON.stringify({
          _aws: {
            Timestamp: clock.now().getTime(),
            CloudWatchMetrics: [
              {
                Namespace: 'Xiaonao',
                Dimensions: [['District', 'Stage']],
                Metrics: [{ Name: metric, Unit: 'Count' }],
              },
            ],
          },
          District: source.district,
          Stage: source.stage,
          verb: source.verb,
          ...facts,
          [metric]: n,
        }),
      ),
  };
};

/** A log that keeps its lines, for tests. */
export const listLog = (): Log & {
  lines: { code: string; facts: object; error?: unknown }[];
  counts: Record<string, number>;
} => {
  const lines: { code: string; facts: object; error?: unknown }[] = [];
  const counts: Record<string, number> = {};
  return {
    lines,
    counts,
    info: (code, facts = {}) => void lines.push({ code, facts }),
    error: (code, error, facts = {}) => void lines.push({ code, facts, error }),
    count: (metric, n = 1) => {
      counts[metric] = (counts[metric] ?? 0) + n;
    },
  };
};
