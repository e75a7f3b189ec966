/* A long touch on a card selects it; the finger, still down, then draws over all that it passes. */
import { BOX, chooseOnly, chosenIds, listed } from "./chosen";
import { scrollAtEdges } from "./edges";
import { chooseListed } from "./reaching";

const LONG = 450; // milliseconds
const SLACK = 10; // CSS pixels

const idAt = (place: Element | null): string =>
  place?.closest(".card")?.querySelector<HTMLInputElement>(BOX)?.value ?? "";

interface Drawing {
  move: (touch: Touch) => void;
  end: () => void;
}

/** From the card `first` to the one that is under the finger. */
function drawFrom(first: string, touch: Touch): Drawing {
  const before = chosenIds();
  let [x, y] = [touch.clientX, touch.clientY];
  let last = first;
  const take = (): void => {
    last = idAt(document.elementFromPoint(x, y)) || last;
    chooseOnly([...before, ...listed().known([first, last]).ids]);
  };
  chooseOnly([...before, first]);
  navigator.vibrate?.(10);
  const rest = scrollAtEdges(() => y, take);
  return {
    move: (moved) => {
      [x, y] = [moved.clientX, moved.clientY];
      take();
    },
    end: () => {
      rest();
      void chooseListed([first, last]); // also what flew by before it was here
    },
  };
}

let timer = 0;
let drawing: Drawing | undefined;
let origin: Touch | undefined;

function stop(): void {
  clearTimeout(timer);
  drawing?.end();
  drawing = origin = undefined;
}

function begin(event: TouchEvent): void {
  stop();
  const touch = event.touches[0];
  const id = idAt(event.target as Element);
  const isOnCard = (event.target as Element).closest(".card__link") !== null;
  if (!touch || event.touches.length > 1 || !id || !isOnCard) return;
  origin = touch;
  timer = window.setTimeout(() => {
    drawing = drawFrom(id, touch);
  }, LONG);
}

function move(event: TouchEvent): void {
  const touch = event.touches[0];
  if (!touch || !origin) return;
  if (drawing) {
    event.preventDefault(); // the page is not to scroll under it
    drawing.move(touch);
  } else if (Math.hypot(touch.clientX - origin.clientX, touch.clientY - origin.clientY) > SLACK) {
    stop();
  }
}

function end(event: TouchEvent): void {
  if (drawing) event.preventDefault(); // no click follows
  stop();
}

/** The browser's own answer to a long touch would come in between. */
function noMenu(event: Event): void {
  if (origin) event.preventDefault();
}

const adopted = new WeakSet<Element>();

/** On grids alone: a page that hears every touch scrolls less smoothly. */
export function selectByTouch(root: Element): void {
  const grids = [...root.querySelectorAll<HTMLElement>(".grid")];
  if (root.matches(".grid")) grids.push(root as HTMLElement);
  for (const grid of grids) {
    if (adopted.has(grid)) continue;
    adopted.add(grid);
    grid.addEventListener("touchstart", begin, { passive: true });
    grid.addEventListener("touchmove", move, { passive: false });
    grid.addEventListener("touchend", end);
    grid.addEventListener("touchcancel", stop);
    grid.addEventListener("contextmenu", noMenu);
  }
}
