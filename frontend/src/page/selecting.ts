/* Many files at once: Shift takes all between two ticks, Ctrl or Cmd with A all that are shown,
 * Escape lets go of them. The boxes are ordinary ones; what is done with them is the form's. */
const BOX = ".card__pick input, .row__pick input";

let last: HTMLInputElement | undefined;

const boxes = (): HTMLInputElement[] => [...document.querySelectorAll<HTMLInputElement>(BOX)];

function tick(chosen: HTMLInputElement[], isTicked: boolean): void {
  for (const box of chosen) box.checked = isTicked;
  // The form shows itself by what is ticked; who listens hears of it once.
  chosen.at(-1)?.dispatchEvent(new Event("change", { bubbles: true }));
}

/** All from the box that was ticked before to this one. */
function between(box: HTMLInputElement): HTMLInputElement[] {
  const all = boxes();
  const from = last ? all.indexOf(last) : -1;
  const to = all.indexOf(box);
  return from < 0 ? [box] : all.slice(Math.min(from, to), Math.max(from, to) + 1);
}

/** The box of the card or row that was clicked; with Shift, anywhere on it. */
function boxAt(event: MouseEvent): HTMLInputElement | null {
  const target = event.target as Element;
  if (target.matches(BOX)) return target as HTMLInputElement;
  const link = event.shiftKey ? target.closest(".card__link") : null;
  return link?.parentElement?.querySelector<HTMLInputElement>(BOX) ?? null;
}

function click(event: MouseEvent): void {
  const box = boxAt(event);
  if (!box) return;
  const isOnCard = event.target !== box;
  if (isOnCard) {
    event.preventDefault();
    event.stopPropagation();
  }
  const isTicked = isOnCard || box.checked;
  if (event.shiftKey) tick(between(box), isTicked);
  last = box;
}

function press(event: KeyboardEvent): void {
  const target = event.target as Element;
  const isWriting = target.matches("input:not([type=checkbox]), textarea, select");
  const isBusy = isWriting || document.querySelector("dialog[open], :popover-open") !== null;
  if (isBusy || !boxes().length) return;
  const wantsAll = event.key === "a" && (event.ctrlKey || event.metaKey) && !event.shiftKey;
  if (wantsAll) event.preventDefault();
  if (wantsAll) tick(boxes(), true);
  else if (event.key === "Escape") tick(boxes(), false);
}

export function selectMany(): void {
  // Before the links are followed in place.
  document.addEventListener("click", click, { capture: true });
  document.addEventListener("keydown", press);
}
