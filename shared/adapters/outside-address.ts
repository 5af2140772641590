/** Names that only a network itself knows (RFC 6762, RFC 8375, and what clouds and routers use). */
const INSIDE =
  /(?:^|\.)(?:localhost|localdomain|local|internal|intranet|lan|home|corp|arpa|svc|cluster|consul|docker|private)$/i;

/**
 * An address outside that may be posted to although somebody else has named it, or undefined. `plainOrigins`: origins that are allowed
 * without TLS; none in service.
 */
export const outsideAddress = (to: string, plainOrigins: readonly string[]): URL | undefined => {
  if (!URL.canParse(to)) return undefined;
  const url = new URL(to);
  if (plainOrigins.includes(url.origin)) return url;
  // Addresses by number lead into networks (a cloud's metadata, the machine itself); a system that is meant to be called has a name.
  const named = /\.[a-z][a-z\d-]+$/i.test(url.hostname);
  const inside = INSIDE.test(url.hostname);
  return url.protocol === 'https:' && named && !inside && url.username === '' ? url : undefined;
};

/** Origins that may be posted to without TLS: only where all vendors are somebody's emulation. `vendorsUrl`: `real`, or where they are. */
export const plainOriginsOf = (vendorsUrl: string): string[] =>
  vendorsUrl === 'real' ? [] : [new URL(vendorsUrl).origin];
