/* Sizes and times as people say them. Sizes count in 1024s, as the server's pages do. */

const UNITS = ["bytes", "KB", "MB", "GB", "TB"];
const MINUTE = 60; // seconds, and minutes of an hour

export function size(bytes: number): string {
  const power = bytes < 1 ? 0 : Math.min(Math.floor(Math.log2(bytes) / 10), UNITS.length - 1);
  const value = bytes / 1024 ** power;
  return `${value.toFixed(power === 0 || value >= 100 ? 0 : 1)} ${UNITS[power]}`;
}

export function timeLeft(seconds: number): string {
  if (!Number.isFinite(seconds)) return "";
  if (seconds < MINUTE) return `${Math.max(Math.round(seconds), 1)} s left`;
  const minutes = Math.round(seconds / MINUTE);
  if (minutes < MINUTE) return `${minutes} min left`;
  return `${Math.floor(minutes / MINUTE)} h ${minutes % MINUTE} min left`;
}

export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
