import * as z from 'zod';
import type { Inbound } from '#shared/ports/sender.ts';

/** Chinese time without an offset, as vendors write it. */
export const chinaTimeSchema = z.string().regex(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/);

/** The instant of such a time. */
export const chinaTime = (text: string): Date => new Date(`${text.replace(' ', 'T')}+08:00`);

/**
 * The readable ones of the entries that a vendor has posted together. An unreadable one does not take the others with it: it is handed on
 * as a sentence that names fields and no values, because those are telephone numbers.
 */
export const readEntries = (
  entries: readonly unknown[],
  schemaOf: (entry: unknown) => z.ZodType<Inbound | Inbound[]>,
  onUnreadable: (sentence: string) => void,
): Inbound[] =>
  entries.flatMap((entry) => {
    const read = schemaOf(entry).safeParse(entry);
    if (read.success) return read.data;
    onUnreadable(read.error.issues.map((i) => `${i.path.join('.') || 'entry'}: ${i.message}`).join('; '));
    return [];
  });

/** A posted body that is a JSON array. @throws z.ZodError or SyntaxError when it is none at all. */
export const arrayIn = (body: string): unknown[] => z.array(z.unknown()).parse(JSON.parse(body));
