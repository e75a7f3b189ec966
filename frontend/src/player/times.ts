/* Times as people read them, and as WebVTT writes them. */

const MINUTE = 60;
const HOUR = 3600;

const padded = (value: number): string => String(value).padStart(2, "0");

// A stream may end some frames before the film it was made of.
const SLACK = 0.1;

/** Seconds as 1:02 or 1:01:02. */
export function clock(seconds: number): string {
  const whole = Math.max(0, Math.floor(Number.isFinite(seconds) ? seconds + SLACK : 0));
  const hours = Math.floor(whole / HOUR);
  const minutes = Math.floor((whole % HOUR) / MINUTE);
  const rest = padded(whole % MINUTE);
  return hours ? `${hours}:${padded(minutes)}:${rest}` : `${minutes}:${rest}`;
}

/** The seconds of a WebVTT time stamp, whose hours may be missing; NaN for anything else. */
export function parseTimestamp(text: string): number {
  const parts = /^(?:(\d+):)?(\d\d):(\d\d\.\d{3})$/.exec(text.trim());
  if (!parts) return NaN;
  return Number(parts[1] ?? 0) * HOUR + Number(parts[2]) * MINUTE + Number(parts[3]);
}
