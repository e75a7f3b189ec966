/* What a stretch is of, in words: its month, or the value that the list is sorted by. */
import { bytes } from "../language/words";
import { isMonth } from "./stretches";

const language = document.documentElement.lang || "en";
const long = new Intl.DateTimeFormat(language, { month: "long", year: "numeric", timeZone: "UTC" });
const short = new Intl.DateTimeFormat(language, { month: "short", year: "numeric", timeZone: "UTC" });

const dayOf = (month: string): Date => new Date(`${month}-01T00:00:00Z`);

export const monthInWords = (mark: string): string => long.format(dayOf(mark));

export function markInWords(mark: string, ordering: string): string {
  if (isMonth(mark)) return short.format(dayOf(mark));
  if (ordering.endsWith("size")) return bytes(Number(mark));
  return mark.slice(0, 2).toLocaleUpperCase(language);
}
