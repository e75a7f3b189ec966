/* Which files are selected. Their ids are kept here and nowhere else, whether or not their cards are
 * in the page just now: a list that holds only a part of itself says its order by `giveOrder`, and
 * calls `showChosen` for what it brings back. The boxes on cards and rows only show it. */
export const BOX = ".card__pick input, .row__pick input";

const chosen = new Set<string>();
const hearers: (() => void)[] = [];

export const boxes = (root: ParentNode = document): HTMLInputElement[] => [
  ...root.querySelectorAll<HTMLInputElement>(BOX),
];

const inPage = (): string[] => boxes().map((box) => box.value);
let order: () => string[] = inPage;

/** The ids of all that are listed, as somebody sees them, one after the other. */
export const listed = (): string[] => order();

/** By default those in the page; for a list whose cards are not all there. Without one: the default. */
export function giveOrder(ids: () => string[] = inPage): void {
  order = ids;
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

/** These and no others. */
export function chooseOnly(ids: Iterable<string>): void {
  chosen.clear();
  choose(ids);
}

/** All that are listed from one to the other, both included. */
export function between(from: string, to: string): string[] {
  const all = listed();
  const [start, end] = [all.indexOf(from), all.indexOf(to)];
  if (start < 0 || end < 0) return [to];
  return all.slice(Math.min(start, end), Math.max(start, end) + 1);
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
