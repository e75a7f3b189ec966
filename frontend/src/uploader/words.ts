/* Sizes and times as people say them. Sizes count in 1024s, as the server's pages do. */
import { decimal, t } from "../language/words";

const UNITS = ["KB", "MB", "GB", "TB"];
const MINUTE = 60; // seconds, and minutes of an hour

export function size(bytes: number): string {
  const power = bytes < 1 ? 0 : Math.min(Math.floor(Math.log2(bytes) / 10), UNITS.length);
  const value = bytes / 1024 ** power;
  const unit = UNITS[power - 1] ?? t("bytes");
  return `${decimal(value, power === 0 || value >= 100 ? 0 : 1)} ${unit}`;
}

export function timeLeft(seconds: number): string {
  if (!Number.isFinite(seconds)) return "";
  if (seconds < MINUTE) return t("{seconds} s left", { seconds: Math.max(Math.round(seconds), 1) });
  const minutes = Math.round(seconds / MINUTE);
  if (minutes < MINUTE) return t("{minutes} min left", { minutes });
  const hours = Math.floor(minutes / MINUTE);
  return t("{hours} h {minutes} min left", { hours, minutes: minutes % MINUTE });
}
