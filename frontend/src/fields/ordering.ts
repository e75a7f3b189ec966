/* Puts the files of a list in another order: by dragging one, or by arrow keys on its handle. */
import { buttonOf, type Item, nameOf } from "./items";
import { t } from "../language/words";

interface Ordering {
  items(): Item[];
  /** `item` is to stand before `next`, or last. */
  move(item: Item, next: Item | null): void;
  done(item: Item, before: Item | null): void;
  say(words: string): void;
}

const STEPS: Record<string, number> = {
  ArrowLeft: -1,
  ArrowUp: -1,
  ArrowRight: 1,
  ArrowDown: 1,
  Home: -Infinity,
  End: Infinity,
};
const EDGE = 70; // pixels from the edge of the window within which it scrolls
const SPEED = 14; // pixels each time

const nextOf = (item: Item): Item | null => item.nextElementSibling as Item | null;

/** Where a dragged file comes to stand: at the one under the pointer, before it or behind. */
function placeAt(items: Item[], dragged: Item, x: number, y: number): Item | null | undefined {
  const under = document.elementFromPoint(x, y)?.closest<Item>("[data-item]");
  if (!under || under === dragged || !items.includes(under)) return undefined;
  return items.indexOf(under) < items.indexOf(dragged) ? under : nextOf(under);
}

function follow(ordering: Ordering, item: Item, start: PointerEvent): void {
  const before = nextOf(item);
  let isOver = false;
  let [x, y] = [start.clientX, start.clientY];
  const step = (): void => {
    if (isOver) return;
    if (y < EDGE) scrollBy(0, -SPEED);
    else if (y > innerHeight - EDGE) scrollBy(0, SPEED);
    const next = placeAt(ordering.items(), item, x, y);
    if (next !== undefined) ordering.move(item, next);
    requestAnimationFrame(step);
  };
  const move = (event: PointerEvent): void => {
    [x, y] = [event.clientX, event.clientY];
  };
  const over = new AbortController();
  const end = (): void => {
    isOver = true;
    over.abort();
    item.classList.remove("is-dragged");
    if (nextOf(item) !== before) ordering.done(item, before);
  };
  item.classList.add("is-dragged");
  // At the document: an element that is put elsewhere loses its hold of the pointer.
  document.addEventListener("pointermove", move, { signal: over.signal });
  for (const name of ["pointerup", "pointercancel"] as const)
    document.addEventListener(name, end, { signal: over.signal });
  requestAnimationFrame(step);
}

function press(ordering: Ordering, item: Item, event: KeyboardEvent): void {
  const step = STEPS[event.key];
  if (step === undefined) return;
  event.preventDefault();
  const items = ordering.items();
  const from = items.indexOf(item);
  const to = Math.min(Math.max(from + step, 0), items.length - 1);
  if (to === from) return;
  const before = nextOf(item);
  ordering.move(item, to < from ? (items[to] ?? null) : nextOf(items[to] as Item));
  ordering.done(item, before);
  buttonOf(item, "grip")?.focus();
  const place = { name: nameOf(item), number: to + 1, all: items.length };
  ordering.say(t("{name}: position {number} of {all}.", place));
}

export function letOrder(item: Item, ordering: Ordering): void {
  const grip = buttonOf(item, "grip");
  grip?.addEventListener("keydown", (event) => press(ordering, item, event));
  grip?.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    event.preventDefault();
    grip.focus();
    follow(ordering, item, event);
  });
  grip?.setAttribute("aria-description", t("Arrow keys move it, Home and End to the ends."));
}
