/* Arrow keys lead from file to file, Home and End to the first and the last, the page keys by
 * windows. A file is where its link is. */
import type { Spot } from "./rows";

export interface Walkable {
  count: number;
  /** The number of the file that has the focus, or -1. */
  focused: () => number;
  spot: (number: number) => Spot | undefined;
  /** Shows the file and gives it the focus, once it is here. */
  open: (number: number) => void;
}

const ROWS_AROUND = 40; // files before or after that are looked at for the row above or below

export function walk(list: Walkable, event: KeyboardEvent): void {
  if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
  const now = list.focused();
  if (now < 0) return;
  const next = target(list, now, event.key);
  if (next === undefined) return;
  event.preventDefault();
  list.open(Math.min(Math.max(next, 0), list.count - 1));
}

function target(list: Walkable, now: number, key: string): number | undefined {
  const forward = document.documentElement.dir === "rtl" ? -1 : 1;
  switch (key) {
    case "ArrowRight":
      return now + forward;
    case "ArrowLeft":
      return now - forward;
    case "ArrowDown":
      return across(list, now, 1);
    case "ArrowUp":
      return across(list, now, -1);
    case "PageDown":
      return far(list, now, 1);
    case "PageUp":
      return far(list, now, -1);
    case "Home":
      return 0;
    case "End":
      return list.count - 1;
    default:
      return undefined;
  }
}

/** The file in the next row that lies most nearly below or above. */
function across(list: Walkable, now: number, way: 1 | -1): number {
  const from = list.spot(now);
  if (!from) return now + way;
  const middle = from.x + from.width / 2;
  let best = now;
  let row: number | undefined;
  let least = Infinity;
  for (let number = now + way; Math.abs(number - now) <= ROWS_AROUND; number += way) {
    const spot = list.spot(number);
    if (!spot) break;
    if (spot.y === from.y) continue;
    row ??= spot.y;
    if (spot.y !== row) break;
    const distance = Math.abs(spot.x + spot.width / 2 - middle);
    if (distance >= least) continue;
    [least, best] = [distance, number];
  }
  return best === now ? now + way : best;
}

function far(list: Walkable, now: number, way: 1 | -1): number {
  const from = list.spot(now);
  let number = now;
  while (number >= 0 && number < list.count) {
    const spot = list.spot(number);
    if (!from || !spot || Math.abs(spot.y - from.y) >= innerHeight * 0.8) return number;
    number += way;
  }
  return number;
}
