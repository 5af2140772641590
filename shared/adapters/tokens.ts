import { SignJWT, errors, importJWK, jwtVerify } from 'jose';
import * as z from 'zod';
import type { DistrictSecret } from '../contracts/secret.ts';
import type { Clock } from '../ports/clock.ts';
import type { Secrets } from '../ports/secrets.ts';
import type { Bearer, SignIn } from '../ports/sign-in.ts';

/** The only algorithm we sign and accept: pinned, so that a token cannot choose its own. */
const ALGORITHM = 'ES256';
const ISSUER = 'xiaonao';

/** What a token is made out for. `hours`: how long it lives; a shift is 8 to 12. */
export interface TokenFor {
  sub: string;
  role: Bearer['kind'];
  district: string;
  hours: number;
  /** Only this incident, on the device whose secret has this hash. */
  only?: { incident: string; device: string };
}

const claimsSchema = z.object({
  sub: z.string().min(1),
  role: z.enum(['member', 'desk']),
  only: z.object({ incident: z.string(), device: z.string() }).optional(),
});

/** Issues a bearer token (JWT, ES256) for a member or the desk of one district. */
export const issueToken = async (
  secret: Pick<DistrictSecret, 'jwt'>,
  { sub, role, district, hours, only }: TokenFor,
  clock: Clock,
): Promise<string> => {
  const seconds = Math.floor(clock.now().getTime() / 1000);
  return new SignJWT({ role, ...(only ? { only } : {}) })
    .setProtectedHeader({ alg: ALGORITHM, kid: secret.jwt.kid, typ: 'JWT' })
    .setSubject(sub)
    .setIssuer(ISSUER)
    .setAudience(district)
    .setIssuedAt(seconds)
    .setExpirationTime(seconds + Math.round(hours * 3600))
    .sign(await importJWK(secret.jwt.privateJwk, ALGORITHM));
};

/** Importing a key costs more than verifying with it, so a process imports each key once. */
const imported = new Map<string, ReturnType<typeof importJWK>>();
const keyOf = (jwk: DistrictSecret['jwt']['publicJwks'][number]): ReturnType<typeof importJWK> => {
  const name = `${jwk.kid}.${jwk.x}.${jwk.y}`;
  const known = imported.get(name) ?? importJWK(jwk, ALGORITHM);
  imported.set(name, known);
  return known;
};

/** Whose token is this, in this district, now? */
export const verifyToken = async (
  secret: Pick<DistrictSecret, 'jwt'>,
  token: string,
  district: string,
  clock: Clock,
): Promise<Bearer | 'expired' | 'wrong'> => {
  try {
    const { payload } = await jwtVerify(
      token,
      async ({ kid }) => {
        const jwk = secret.jwt.publicJwks.find((key) => key.kid === kid);
        if (!jwk) throw new errors.JWKSNoMatchingKey();
        return keyOf(jwk);
      },
      {
        algorithms: [ALGORITHM],
        issuer: ISSUER,
        audience: district,
        requiredClaims: ['exp', 'sub'],
        currentDate: clock.now(),
      },
    );
    const claims = claimsSchema.safeParse(payload);
    if (!claims.success) return 'wrong';
    const { role, sub, only } = claims.data;
    return { kind: role, id: sub, ...(only ? { only } : {}) };
  } catch (error) {
    if (error instanceof errors.JWTExpired) return 'expired';
    if (error instanceof errors.JOSEError) return 'wrong';
    throw error;
  }
};

/** Signing in with our own tokens: nothing but the district's secret is needed. */
export const tokenSignIn = (secrets: Secrets, district: string, clock: Clock): SignIn => ({
  who: async (token) => verifyToken(await secrets.district(), token, district, clock),
});
