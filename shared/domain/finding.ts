import type { Finding } from './assign.ts';
import type { Classification } from './classification.ts';
import { ladderFor, type District } from './district.ts';
import { handsAt, type Hands } from './hands.ts';
import type { Mode } from './ladder.ts';
import type { Place } from './place.ts';
import type { Member } from './roster.ts';
import { candidates, type Consideration } from './routing.ts';

/** So many of those picked and rejected are kept with their reasons: enough for any climb, and a small item. */
const KEPT = 15;

/** Who answers a matter of this kind at this place now, by when, and why these people. */
export interface Found {
  finding: Finding;
  hands: Hands;
  /** The lists that are kept beside the row; `how` the place was found. */
  picks: { picked: Consideration[]; rejected: Consideration[]; how: string };
}

/** Turns what a matter is and where into who answers and by when. Pure: roster and instant are given. */
export const findFor = (
  district: District,
  members: readonly Member[],
  { classification, place, mode, at }: { classification: Classification; place: Place; mode: Mode; at: Date },
): Found => {
  const found = candidates(district, members, { place, classification, at });
  return {
    finding: {
      classification,
      ladder: ladderFor(district, classification.category, mode),
      place: {
        ...(place.gridId === undefined ? {} : { grid: place.gridId }),
        ...(place.roadId === undefined ? {} : { road: place.roadId }),
        name: place.name,
      },
      picks: {
        picked: found.picked.length + found.more.picked,
        rejected: found.rejected.length + found.more.rejected,
      },
    },
    hands: handsAt(
      members,
      district.shifts,
      found.picked.map((pick) => pick.id),
      at,
    ),
    picks: {
      picked: found.picked.slice(0, KEPT),
      rejected: found.rejected.slice(0, KEPT),
      how: place.how,
    },
  };
};
