/**
 * Ends what was begun, the last first, and each of it even when another one fails: one full disk must not leave an engine running.
 * @throws the first failure, after all of them.
 */
export async function closeAll(closing: (() => void | Promise<void>)[]): Promise<void> {
  const failures: unknown[] = [];
  for (const end of closing.splice(0).toReversed()) {
    try {
      await end();
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
}
