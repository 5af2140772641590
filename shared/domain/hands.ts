import type { District } from './district.ts';
import type { Incident } from './incident.ts';
import { onShift, type Member, type Role, type Shift } from './roster.ts';
import { candidates } from './routing.ts';

/** A person who could be asked or told, as far as the rules need to know him. */
export interface Hand {
  id: string;
  role: Role;
  squad: string;
}

/** Who could be moved at one instant: the hands (手脚) of the brain. Everybody in here is on shift. */
export interface Hands {
  /** In the order in which routing wants them asked. */
  candidates: Hand[];
  leaders: Hand[];
  duty: Hand[];
  street: Hand[];
}

const hand = ({ id, role, squad }: Member): Hand => ({ id, role, squad });

/**
 * The hands at an instant: the incident's candidates in their stored order, and everybody above them, as far as on shift.
 * Candidates who have left the roster are passed over.
 */
export const handsAt = (
  members: readonly Member[],
  shifts: readonly Shift[],
  candidates: readonly string[],
  at: Date,
): Hands => {
  const here = members.filter((member) => onShift(member, shifts, at));
  const byId = new Map(here.map((member) => [member.id, member]));
  const withRole = (role: Role): Hand[] => here.filter((member) => member.role === role).map(hand);
  return {
    candidates: candidates.flatMap((id) => byId.get(id) ?? []).map(hand),
    leaders: withRole('leader'),
    duty: withRole('duty'),
    street: withRole('street'),
  };
};

/**
 * The hands for one incident: its stored candidates in their order, then whoever routing would pick by now — people come
 * on shift while an incident waits, and a roster changes.
 */
export const handsFor = (
  district: District,
  members: readonly Member[],
  incident: Pick<Incident, 'classification' | 'place'>,
  stored: readonly string[],
  at: Date,
): Hands => {
  const { classification, place } = incident;
  const fresh =
    classification && place
      ? candidates(district, members, {
          place: {
            ...(place.grid === undefined ? {} : { gridId: place.grid }),
            ...(place.road === undefined ? {} : { roadId: place.road }),
            name: place.name,
            how: '',
          },
          classification,
          at,
        }).picked.map((pick) => pick.id)
      : [];
  return handsAt(members, district.shifts, [...new Set([...stored, ...fresh])], at);
};

/** Nobody on shift at all. */
export const NO_HANDS: Hands = { candidates: [], leaders: [], duty: [], street: [] };
