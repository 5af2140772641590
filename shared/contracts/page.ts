/** A page for whoever has only a browser: it says the same as the JSON of its address. It loads nothing, and runs only what it holds itself. */
export interface Page {
  kind: 'page';
  status: 200 | 404;
  html: string;
  /** Its script and its styles, byte for byte as they stand in it. Made by us: nothing that anybody told may be among them. */
  runs: { script?: string; style: string };
}

/** Does whoever asks want a page? Browsers name it; programs take anything, and get JSON. */
export const wantsPage = (headers: Readonly<Record<string, string>>): boolean =>
  /(^|,)\s*text\/html\s*(;(?!\s*q=0(\.0+)?\s*(,|$))|,|$)/i.test(headers['accept'] ?? '');

const SIGNS: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/** Words as they may stand in a page, also between quotes: whatever a name holds, it stays a name. */
export const inPage = (words: string): string => words.replace(/[&<>"']/g, (sign) => SIGNS[sign] ?? '');
