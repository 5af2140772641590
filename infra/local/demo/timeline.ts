/** How a line of the timeline is meant, and therefore painted. */
export type Tone = 'call' | 'ring' | 'done' | 'late' | 'refused' | 'quiet';

const PAINT: Record<Tone, string> = {
  call: '1;36',
  ring: '33',
  done: '32',
  late: '1;31',
  refused: '35',
  quiet: '2',
};

/** Columns a text takes in a terminal: a Chinese character takes two. */
export const columns = (text: string): number =>
  Array.from(text).reduce(
    (sum, c) =>
      sum +
      (/[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]/u.test(
        c,
      )
        ? 2
        : 1),
    0,
  );

/** The text filled up with blanks to so many columns. */
export const padded = (text: string, width: number): string =>
  text + ' '.repeat(Math.max(0, width - columns(text)));

/** Beginning of a text in at most so many columns. */
export const shortened = (text: string, width: number): string => {
  if (columns(text) <= width) return text;
  let kept = '';
  for (const c of text) {
    if (columns(kept) + columns(c) > width - 2) break;
    kept += c;
  }
  return `${kept}……`;
};

/** Paints for a terminal; plain text for everything else. */
export const painter =
  (colour: boolean) =>
  (tone: Tone, text: string): string =>
    colour ? `\u001B[${PAINT[tone]}m${text}\u001B[0m` : text;

/** 14:03:20 in Beijing, of an instant in epoch ms. */
export const wallClock = (at: number): string => new Date(at + 8 * 3_600_000).toISOString().slice(11, 19);

/** A span in ms as mm:ss, from an hour on h:mm:ss. */
export const span = (ms: number): string => {
  const seconds = Math.max(0, Math.round(ms / 1000));
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor((seconds % 3600) / 60), seconds % 60];
  const two = (n: number) => String(n).padStart(2, '0');
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${two(m)}:${two(s)}`;
};

/** A span in words, as limits are spoken of: 60秒, 1分15秒, 3分钟, 25小时45分. */
export const inWords = (ms: number): string => {
  const exact = Math.round(ms / 1000);
  // Beyond two hours nobody speaks of seconds.
  const seconds = exact > 7200 ? Math.round(exact / 60) * 60 : exact;
  if (seconds <= 90) return `${seconds}秒`;
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor((seconds % 3600) / 60), seconds % 60];
  if (h === 0 || (h === 1 && m === 0 && s === 0))
    return s === 0 ? `${seconds / 60}分钟` : `${Math.floor(seconds / 60)}分${s}秒`;
  return m === 0 && s === 0 ? `${h}小时` : `${h}小时${m}分`;
};

/** Rows under a head, every column as wide as its widest cell. */
export const table = (head: readonly string[], rows: readonly (readonly string[])[]): string[] => {
  const widths = head.map((cell, i) => Math.max(columns(cell), ...rows.map((row) => columns(row[i] ?? ''))));
  const line = (row: readonly string[]) =>
    row
      .map((cell, i) => padded(cell, widths[i] ?? 0))
      .join('  ')
      .trimEnd();
  return [line(head), widths.map((width) => '─'.repeat(width)).join('  '), ...rows.map(line)];
};
