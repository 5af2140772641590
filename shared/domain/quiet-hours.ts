/** A district's quiet hours, in minutes of its day; they may lie across midnight. */
export interface QuietHours {
  from: number;
  to: number;
}

const DAY_MINUTES = 1_440;
const between = (from: number, to: number): number => (to - from + DAY_MINUTES) % DAY_MINUTES;

/** How many minutes they last. */
export const quietMinutes = ({ from, to }: QuietHours): number => between(from, to);

/** How many minutes ago they began, at a minute of the day; undefined outside of them. */
export const quietSince = (quiet: QuietHours, minute: number): number | undefined => {
  const since = between(quiet.from, minute);
  return since < quietMinutes(quiet) ? since : undefined;
};
