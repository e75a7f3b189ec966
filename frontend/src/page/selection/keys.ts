/* Many files at once, by ticks and keys: Shift takes all between two ticks, Ctrl or Cmd with A all
 * that are listed, Escape lets go of them. While some are selected, a click on another card selects
 * that, too; Enter still opens it. */
import { BOX, choose, chooseOnly, countChosen, isChosen } from "./chosen";
import { chooseListed } from "./reaching";

let last = "";

/** The box of the card or row that was clicked; on the card itself if that means to select. */
function boxAt(event: MouseEvent): HTMLInputElement | null {
  const target = event.target as Element;
  if (target.matches(BOX)) return target as HTMLInputElement;
  const isByKey = event.detail === 0;
  const isMeant = event.shiftKey || event.ctrlKey || event.metaKey || countChosen() > 0;
  const link = isMeant && !isByKey ? target.closest(".card__link") : null;
  return link?.parentElement?.querySelector<HTMLInputElement>(BOX) ?? null;
}

function click(event: MouseEvent): void {
  const box = boxAt(event);
  if (!box) return;
  const { value: id } = box;
  const isOnCard = event.target !== box;
  if (isOnCard) {
    event.preventDefault();
    event.stopPropagation();
  }
  const isIn = isOnCard ? event.shiftKey || !isChosen(id) : box.checked;
  if (event.shiftKey) void chooseListed([last || id, id], isIn);
  else choose([id], isIn);
  last = id;
}

function press(event: KeyboardEvent): void {
  const target = event.target as Element;
  const isWriting = target.matches("input:not([type=checkbox]), textarea, select");
  const isBusy = isWriting || document.querySelector("dialog[open], :popover-open") !== null;
  if (isBusy || !document.querySelector("#selection")) return;
  const wantsAll = event.key === "a" && (event.ctrlKey || event.metaKey) && !event.shiftKey;
  if (wantsAll) event.preventDefault();
  if (wantsAll) void chooseListed();
  else if (event.key === "Escape" && countChosen()) chooseOnly([]);
}

export function selectByKeys(): void {
  // Before the links are followed in place.
  document.addEventListener("click", click, { capture: true });
  document.addEventListener("keydown", press);
}
