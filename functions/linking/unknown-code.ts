import type { Log } from '#shared/ports/log.ts';
import type { Store } from '#shared/ports/store.ts';
import type { District } from '#shared/domain/district.ts';

/**
 * Counts a category code that neither the district's table nor the shared one knows: it was kept with its report, and
 * whoever looks after the table has to see it. A job that comes twice counts twice. Never throws: nobody waits for it.
 */
export const countUnknownCode = async (
  { store, district, log }: { store: Store; district: District; log: Log },
  categoryCode: string | undefined,
  at: number,
): Promise<void> => {
  const code = categoryCode?.trim() ?? '';
  if (code === '' || Object.hasOwn(district.codes, code) || Object.hasOwn(district.sharedCodes, code)) return;
  log.count('CodeUnknown');
  await store.countCode(code, at).catch((error: unknown) => log.error('code-not-counted', error));
};
