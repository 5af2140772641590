import type { Classification } from '../domain/classification.ts';
import { counterParties } from '../domain/counter-party.ts';
import type { Place } from '../domain/place.ts';
import type { Beside, Content } from './store.ts';
import type { HistoryKind, Vault } from './vault.ts';

/**
 * Under which keys a report is found again, and what is kept there: keyed hashes of caller, address, road and whom it is
 * about, and a keyed sketch of its words. Nothing here can be read back.
 */
export const historyOf = (
  vault: Vault,
  content: Content,
  place: Pick<Place, 'roadId' | 'gridId'>,
  { category, risk, danger }: Pick<Classification, 'category' | 'risk' | 'danger'>,
): NonNullable<Beside['history']> => {
  const { phone, name } = content.caller;
  const where = place.roadId ?? place.gridId;
  const named: [HistoryKind, string][] = [
    // Without a number a name is shared by thousands, and without a name a number may be a doorman's.
    ...(phone ? [['phone', phone] as [HistoryKind, string]] : []),
    ...(name && phone ? [['person', `${name}/${phone}`] as [HistoryKind, string]] : []),
    // An estate without a number is the address of a thousand people.
    ...(/\p{N}/u.test(content.address) ? [['address', content.address] as [HistoryKind, string]] : []),
    ...(where === undefined ? [] : [['place', where] as [HistoryKind, string]]),
    ...counterParties(content.content, content.address, phone).map(
      ({ kind, value }): [HistoryKind, string] => [kind, value],
    ),
  ];
  return {
    keys: [...new Set(named.map(([kind, value]) => `${kind}:${vault.hash(kind, value)}`))],
    kept: { category, risk, danger: [...danger], sketch: vault.sketch(content.content) },
  };
};
