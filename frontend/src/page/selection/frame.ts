/* A frame drawn with the mouse around cards selects them; with Ctrl, Cmd or Shift besides those that
 * are selected already. Without a mouse there are the boxes, keys, and a long touch. */
import { BOX, boxes, chooseOnly, chosenIds } from "./chosen";
import { scrollAtEdges } from "./edges";

const SLACK = 8; // CSS pixels: a hand that clicks moves, too
const PLACES = ".results, .shelf";
const OTHERS = "button, input, select, textarea, label, form, summary, [popover], a:not(.card__link)";

interface Point {
  x: number;
  y: number;
}

/** In the document, so that it stays where it is while the page scrolls. */
const pointOf = (event: MouseEvent): Point => ({ x: event.pageX, y: event.pageY });

function rectOf(one: Point, other: Point): DOMRect {
  const [x, y] = [Math.min(one.x, other.x), Math.min(one.y, other.y)];
  return new DOMRect(x, y, Math.abs(one.x - other.x), Math.abs(one.y - other.y));
}

function isIn(frame: DOMRect, card: Element): boolean {
  const place = card.getBoundingClientRect();
  const [left, top] = [place.left + scrollX, place.top + scrollY];
  const isBeside = left > frame.right || left + place.width < frame.left;
  return !isBeside && top <= frame.bottom && top + place.height >= frame.top;
}

/** Follows the mouse from `start` until it is let go of, which ends `until`. */
function draw(start: Point, first: PointerEvent, until: AbortController): void {
  const pane = document.createElement("div");
  pane.className = "selection-frame";
  document.body.append(pane);
  const kept = first.ctrlKey || first.metaKey || first.shiftKey ? chosenIds() : [];
  const taken = new Set<string>(); // also what a list has put away meanwhile
  let [x, y] = [first.clientX, first.clientY];

  const take = (): void => {
    const frame = rectOf(start, { x: x + scrollX, y: y + scrollY });
    const { style } = pane;
    style.translate = `${frame.x}px ${frame.y}px`;
    [style.width, style.height] = [`${frame.width}px`, `${frame.height}px`];
    for (const box of boxes()) {
      if (isIn(frame, box.closest(".card") ?? box)) taken.add(box.value);
      else taken.delete(box.value);
    }
    chooseOnly([...kept, ...taken]);
  };
  const rest = scrollAtEdges(() => y, take);
  const { signal } = until;
  signal.addEventListener("abort", () => {
    rest();
    pane.remove();
    ignoreClick();
  });
  document.addEventListener(
    "pointermove",
    (event) => {
      [x, y] = [event.clientX, event.clientY];
      take();
    },
    { signal },
  );
  take();
}

/** Letting go of the button is a click where it began, which nobody meant. */
function ignoreClick(): void {
  const stop = (event: Event): void => {
    event.preventDefault();
    event.stopImmediatePropagation();
  };
  window.addEventListener("click", stop, { capture: true, once: true });
  setTimeout(() => window.removeEventListener("click", stop, { capture: true }));
}

function begin(event: PointerEvent): void {
  const target = event.target as Element;
  const isPlace = target.closest(PLACES) && !target.closest(OTHERS);
  const isMine = event.pointerType === "mouse" && event.button === 0;
  if (!isMine || !isPlace || !document.querySelector(BOX)) return;
  const start = pointOf(event);
  const until = new AbortController();
  const { signal } = until;
  let isDrawn = false;
  const move = (moved: PointerEvent): void => {
    const now = pointOf(moved);
    if (isDrawn || Math.hypot(now.x - start.x, now.y - start.y) < SLACK) return;
    isDrawn = true;
    draw(start, moved, until);
  };
  document.addEventListener("pointermove", move, { signal });
  document.addEventListener("dragstart", (drag) => drag.preventDefault(), { signal });
  document.addEventListener("selectstart", (words) => words.preventDefault(), { signal });
  for (const name of ["pointerup", "pointercancel"]) {
    document.addEventListener(name, () => until.abort(), { signal });
  }
}

export function selectByFrame(): void {
  document.addEventListener("pointerdown", begin);
}
