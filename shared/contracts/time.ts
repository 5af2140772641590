import * as z from 'zod';
import type { Instant } from '../domain/incident.ts';

/** How the API writes an instant: ISO 8601, UTC, milliseconds. */
export const isoSchema = z.iso.datetime({ precision: 3 }).meta({ examples: ['2026-03-01T06:03:20.000Z'] });

/** Writes an instant as the API does. */
export const iso = (at: Instant): string => new Date(at).toISOString();
