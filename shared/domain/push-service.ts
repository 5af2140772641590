/**
 * The push services of browsers (seen 2026-11): Chrome and what is built like it, Firefox, Safari, Edge. A page cannot choose another one,
 * so a subscription with any other address was made by hand, and is called for nobody. A name stands for what lies below it as well.
 */
export const PUSH_SERVICES = [
  'fcm.googleapis.com',
  'android.googleapis.com',
  'jmt17.google.com',
  'push.services.mozilla.com',
  'push.apple.com',
  'notify.windows.com',
] as const;

/** Is this the host of a browser's push service? */
export const isPushService = (host: string): boolean =>
  PUSH_SERVICES.some((name) => host.toLowerCase() === name || host.toLowerCase().endsWith(`.${name}`));
