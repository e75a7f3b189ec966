/* The list as the server tells its outline: stretches of files, most of them not here. A stretch
 * knows its height once its files were seen; before, it guesses. */
import { between, type Ends } from "../page/selection/chosen";
import { guess, justify, type Frame, type Spot } from "./rows";

export type Row = [count: number, mark: string, cursor: string | null];

export const HEADING = 52; // CSS pixels above the first files of a month

export class Stretch {
  first = 0; // the number of its first file in the list, from 0
  top = 0; // CSS pixels from the top of the list, its heading included
  height = 0;
  /** The cards, while they are kept. */
  cards: HTMLElement[] | null = null;
  /** What outlives the cards: the ids and shapes of the files. */
  ids: string[] = [];
  shapes: number[] | null = null;
  spots: Spot[] = [];
  failed = false;
  used = 0; // when it was last in view: a number that rises
  loading: AbortController | null = null;

  constructor(
    public count: number,
    readonly mark: string,
    readonly cursor: string | null,
    readonly heading: boolean,
  ) {}

  get margin(): number {
    return this.heading ? HEADING : 0;
  }

  take(cards: HTMLElement[]): void {
    this.cards = cards;
    this.ids = cards.map(idOf);
    this.shapes ??= cards.map(shapeOf);
    if (this.shapes.length !== cards.length) this.shapes = cards.map(shapeOf);
    this.count = cards.length;
  }

  lay(frame: Frame, shape: number): void {
    if (!this.shapes) {
      this.height = this.margin + guess(this.count, shape, frame);
      return;
    }
    this.spots = justify(this.shapes, frame);
    const last = this.spots.at(-1);
    this.height = this.margin + (last ? last.y + last.height : 0);
  }

  /** Where the file stands in the list. */
  spot(index: number): Spot | undefined {
    const spot = this.spots[index];
    return spot && { ...spot, y: this.top + this.margin + spot.y };
  }
}

export const idOf = (card: HTMLElement): string => card.id.replace("card-", "");

const shapeOf = (card: HTMLElement): number =>
  Number(/\bratio-(\d+)/.exec(card.className)?.[1] ?? 10) / 10;

/** Stretches out of an outline; months have headings, other marks have none. */
export function stretchesOf(rows: readonly Row[]): Stretch[] {
  let last = "";
  return rows.map(([count, mark, cursor]) => {
    const begins = mark !== last && isMonth(mark);
    last = mark;
    return new Stretch(count, mark, cursor, begins);
  });
}

export const isMonth = (mark: string): boolean => /^\d{4}-\d\d$/.test(mark);

/** The stretch at a height of the list, or the last one above. */
export function stretchAt(all: readonly Stretch[], y: number): number {
  return search(all, (stretch) => stretch.top <= y);
}

/** The stretch that has the file of this number. */
export function stretchOf(all: readonly Stretch[], number: number): number {
  return search(all, (stretch) => stretch.first <= number);
}

/** The ids from one file to the other, else of all; `isWhole` unless one of them was never seen. */
export function idsOf(all: readonly Stretch[], ends?: Ends): { ids: string[]; isWhole: boolean } {
  const places = ends?.map((id) => all.findIndex(({ ids }) => ids.includes(id)));
  if (places?.includes(-1)) return { ids: ends ? [ends[1]] : [], isWhole: true };
  const part = places ? all.slice(Math.min(...places), Math.max(...places) + 1) : all;
  const ids = between(part.flatMap((stretch) => stretch.ids), ends);
  return { ids, isWhole: part.every((stretch) => stretch.ids.length === stretch.count) };
}

function search(all: readonly Stretch[], isBefore: (stretch: Stretch) => boolean): number {
  let [low, high] = [0, all.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    const stretch = all[middle];
    if (stretch && isBefore(stretch)) low = middle;
    else high = middle - 1;
  }
  return low;
}
