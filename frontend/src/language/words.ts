/* The words that scripts say, in the language of the page.
 *
 * The code says them in English. Another language has an entry of its own (`words-de.ts`), which
 * only its pages fetch, before the scripts that speak; what it does not know stays English.
 */

type Values = Readonly<Record<string, string | number>>;
type Forms = Readonly<Partial<Record<Intl.LDMLPluralRule, string>>>;
export type Table = Readonly<Record<string, string | Forms>>;

const language = document.documentElement.lang || "en";
const rules = new Intl.PluralRules(language);
let table: Table = {};

export function learn(words: Table): void {
  table = words;
}

const fill = (words: string, values: Values): string =>
  words.replace(/\{(\w+)\}/g, (place, name: string) => String(values[name] ?? place));

/** `words` with `values` at their `{…}`. */
export function t(words: string, values: Values = {}): string {
  const known = table[words];
  return fill(typeof known === "string" ? known : words, values);
}

/** Words that depend on how many there are, which is their `{count}`; known by those for many. */
export function tn(one: string, many: string, count: number, values: Values = {}): string {
  const known = table[many];
  const forms: Forms = typeof known === "object" ? known : { one, other: many };
  return fill(forms[rules.select(count)] ?? forms.other ?? many, { count, ...values });
}

/** A number with so many digits after the point, as the language writes it. */
export const decimal = (value: number, digits: number): string =>
  value.toLocaleString(language, {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
    useGrouping: false,
  });

/** A count, as the language writes it. */
export const whole = (count: number): string => count.toLocaleString(language);

const UNITS = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"];

/** A size as people say it. */
export function bytes(size: number): string {
  const power = Math.min(Math.floor(Math.log10(Math.max(size, 1)) / 3), UNITS.length - 1);
  return new Intl.NumberFormat(language, {
    style: "unit",
    unit: UNITS[power] ?? "byte",
    maximumFractionDigits: 1,
  }).format(size / 1000 ** power);
}
