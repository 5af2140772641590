/** Every door of the API by method and path: the stack's routes, the OpenAPI document and the 404/405 answers agree on it. */
export const API_ROUTES = [
  { method: 'POST', path: '/webhooks/110' },
  { method: 'POST', path: '/webhooks/110/heartbeat' },
  { method: 'POST', path: '/receipts/{vendor}/{token}' },
  { method: 'GET', path: '/t/{token}' },
  { method: 'POST', path: '/t/{token}/session' },
  { method: 'GET', path: '/api/incidents' },
  { method: 'GET', path: '/api/incidents/{id}' },
  { method: 'POST', path: '/api/incidents/{id}/actions' },
  { method: 'GET', path: '/api/roster' },
  { method: 'GET', path: '/api/rejected' },
  { method: 'GET', path: '/api/codes' },
  { method: 'GET', path: '/api/unreached' },
  { method: 'GET', path: '/api/vendors' },
  { method: 'GET', path: '/api/drill' },
  { method: 'POST', path: '/api/drill/answer' },
  { method: 'GET', path: '/api/push' },
  { method: 'POST', path: '/api/push/devices' },
  { method: 'DELETE', path: '/api/push/devices/{id}' },
  { method: 'GET', path: '/api/health' },
  { method: 'GET', path: '/openapi.json' },
] as const;
/** A path of the API, with its parameters in braces. */
export type ApiPath = (typeof API_ROUTES)[number]['path'];

/** Largest body of a request in raw bytes: 64 KB. */
export const LARGEST_BODY = 65_536;
