/**
 * Where rules' surroundings get the time from. Rules never ask: an instant is handed to them.
 * Vendor signatures, webhooks and deadlines all use this clock, so that a system whose clock is shifted stays consistent.
 */
export type Clock = { now(): Date };
