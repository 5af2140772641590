import gcoordModule from 'gcoord';
import type { Point } from '#shared/domain/roster.ts';

// The package's types describe a module with a `default` member; both what Node loads and what is bundled is that member.
// oxlint-disable-next-line typescript/no-unsafe-type-assertion
const gcoord = gcoordModule as unknown as (typeof gcoordModule)['default'];

/** Coordinate systems that Chinese maps deliver: GPS, the state's shifted one (高德), and Baidu's on top of it. */
export type CoordinateSystem = 'wgs84' | 'gcj02' | 'bd09';

const SYSTEMS = { wgs84: gcoord.WGS84, gcj02: gcoord.GCJ02, bd09: gcoord.BD09 } as const;

/** Converts a point to WGS-84 degrees, rounded to 6 decimals (0.1 m); good to about a metre, better than any phone. */
export const toWgs84 = ({ lng, lat }: Point, system: CoordinateSystem): Point => {
  if (system === 'wgs84') return { lng, lat };
  const [x, y] = gcoord.transform([lng, lat], SYSTEMS[system], gcoord.WGS84);
  return { lng: Math.round(x * 1e6) / 1e6, lat: Math.round(y * 1e6) / 1e6 };
};
