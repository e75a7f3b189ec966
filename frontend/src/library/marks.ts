/* What a stretch is of, in words: its month, or the value that the list is sorted by. */
import { bytes } from "../language/words";
import { isMonth } from "./stretches";

const language = document.documentElement.lang || "en";
const long = new Intl.DateTimeFormat(language, { month: "long", year: "numeric", timeZone: "UTC" });
const short = new Intl.DateTimeFormat(language, { month: "short", year: "numeric", timeZone: "UTC" });

const dayOf = (month: string): Date => new Date(`${month}-01T00:00:00Z`);

/** The month that a file came in, by the clock of the site: its id begins with the moment (UUID 7),
 * and the outline goes by the same. */
export function monthOf(id: string, zone: string): string {
  const moment = new Date(parseInt(id.replace("-", "").slice(0, 12), 16));
  const parts = new Intl.DateTimeFormat("en", { year: "numeric", month: "2-digit", timeZone: zone });
  const [month, , year] = parts.formatToParts(moment).map(({ value }) => value);
  return `${year}-${month}`;
}

export const monthInWords = (mark: string): string => long.format(dayOf(mark));

export function markInWords(mark: string, ordering: string): string {
  if (isMonth(mark)) return short.format(dayOf(mark));
  if (ordering.endsWith("size")) return bytes(Number(mark));
  return mark.slice(0, 2).toLocaleUpperCase(language);
}
