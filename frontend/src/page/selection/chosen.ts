/* Which files are selected. Their ids are kept here and nowhere else, whether or not their cards are
 * in the page just now: a list that holds only a part of itself says its order by `giveOrder`, and
 * calls `showChosen` for what it brings back; what it has not seen itself, `reaching` asks it for. The boxes on cards and rows only show it. */
export const BOX = ".card__pick input, .row__pick input";

/** Files at once: some megabytes of ids, in a browser and on their way. */
export const MOST_CHOSEN = 100_000;

const chosen = new Set<string>();
const hearers: (() => void)[] = [];

export const boxes = (root: ParentNode = document): HTMLInputElement[] => [
  ...root.querySelectorAll<HTMLInputElement>(BOX),
];

/** Two files of a list, in any order. */
export type Ends = readonly [string, string];

export interface Order {
  /** The ids from one file to the other, else of all, as far as they are known here. */
  known: (ends?: Ends) => { ids: string[]; isWhole: boolean };
  /** The same from the server, which knows all of them. */
  ask?: (ends?: Ends) => Promise<string[]>;
}

const page: Order = {
  known: (ends) => ({ ids: between(boxes().map((box) => box.value), ends), isWhole: true }),
};
let order = page;

/** As somebody sees the files that are listed. */
export const listed = (): Order => order;

/** By default it is that of the page; for a list whose cards are not all there. */
export function giveOrder(given: Order = page): void {
  order = given;
}

export const isChosen = (id: string): boolean => chosen.has(id);
export const countChosen = (): number => chosen.size;
export const chosenIds = (): string[] => [...chosen];

export function choose(ids: Iterable<string>, isIn = true): void {
  for (const id of ids) {
    if (isIn) chosen.add(id);
    else chosen.delete(id);
  }
  tell();
}

/** How often another selection took the place of the one before. */
export let era = 0;

/** These and no others. */
export function chooseOnly(ids: Iterable<string>): void {
  era += 1;
  chosen.clear();
  choose(ids);
}

/** Those of `all` from one end to the other, both included; the second end alone if one is gone. */
export function between(all: string[], ends?: Ends): string[] {
  if (!ends) return all;
  const places = ends.map((id) => all.indexOf(id));
  if (Math.min(...places) < 0) return [ends[1]];
  return all.slice(Math.min(...places), Math.max(...places) + 1);
}

/** Ticks the boxes in `root`, or in the page, as is chosen. */
export function showChosen(root: ParentNode = document): void {
  for (const box of boxes(root)) box.checked = chosen.has(box.value);
}

/** `hear` is called after every change. */
export function onChosen(hear: () => void): void {
  hearers.push(hear);
}

function tell(): void {
  showChosen();
  document.documentElement.classList.toggle("is-selecting", chosen.size > 0);
  for (const hear of hearers) hear();
}
