/** History events, stored compactly and told in the shape of GetExecutionHistory. */

/** One stored event: type, instant (epoch ms), details. */
export interface StoredEvent {
  type: string;
  at: number;
  details: Record<string, unknown>;
}

/** One event as the API tells it; `timestamp` is epoch ms here and becomes seconds at the HTTP face. */
export interface HistoryEvent {
  id: number;
  previousEventId: number;
  type: string;
  timestamp: number;
  [details: `${string}EventDetails`]: Record<string, unknown>;
}

/** AWS ends an execution that writes more. */
export const historyLimit = 25_000;

/** Numbers stored events and puts their details under AWS's name. */
export function tellHistory(events: readonly StoredEvent[]): HistoryEvent[] {
  return events.map(({ type, at, details }, index) => {
    const shared = /State(Entered|Exited)$/.exec(type);
    const subject = shared === null ? type[0]?.toLowerCase() + type.slice(1) : `state${shared[1]}`;
    return {
      id: index + 1,
      previousEventId: index,
      type,
      timestamp: at,
      ...(Object.keys(details).length === 0 ? {} : { [`${subject}EventDetails` as const]: details }),
    };
  });
}
