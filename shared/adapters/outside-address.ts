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
  return url.protocol === 'https:' && named && url.username === '' ? url : undefined;
};
