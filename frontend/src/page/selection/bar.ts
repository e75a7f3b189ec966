/* The form that says what is done with the selected files: it shows itself while there are some, says
 * how many, and sends all of them, also those whose boxes are not in the page. */
import htmx from "htmx.org";
import { t, tn, whole } from "../../language/words";
import {
  BOX,
  boxes,
  choose,
  chooseOnly,
  countChosen,
  isChosen,
  MOST_CHOSEN,
  onChosen,
  showChosen,
} from "./chosen";
import { selectByFrame } from "./frame";
import { selectByKeys } from "./keys";
import { mostOf, sendInPieces, writeChosen } from "./pieces";
import { hasFailed, isReaching, onReaching } from "./reaching";
import { selectByTouch } from "./touch";

const FORM = "#selection";

function show(): void {
  const form = document.querySelector(FORM);
  if (!form) return;
  const count = countChosen();
  form.classList.toggle("is-open", count > 0);
  form.classList.toggle("is-reaching", isReaching());
  form.querySelector(".selection__acts")?.toggleAttribute("inert", isReaching());
  const words = form.querySelector("[data-count]");
  if (words) words.textContent = count ? countInWords(count) : "";
  notice(form, noticeFor(count));
}

function countInWords(count: number): string {
  if (isReaching()) return t("Selecting…");
  return tn("{shown} selected", "{shown} selected", count, { shown: whole(count) });
}

function noticeFor(count: number): string {
  if (hasFailed()) return t("Not all could be selected. Try again.");
  if (count < MOST_CHOSEN) return "";
  return t("No more than {most} can be selected at once.", { most: whole(MOST_CHOSEN) });
}

function notice(form: Element, words: string): void {
  const place = form.querySelector<HTMLElement>("[data-notice]");
  if (!place) return;
  place.textContent = words;
  place.hidden = !words;
}

/** Also by a key, and whatever else ticks a box. */
function follow(event: Event): void {
  const { target } = event;
  if (!(target instanceof HTMLInputElement) || !target.matches(BOX)) return;
  if (isChosen(target.value) !== target.checked) choose([target.value], target.checked);
}

function write(event: FormDataEvent): void {
  if ((event.target as Element).matches(FORM)) writeChosen(event.formData);
}

/** What is in a dialogue is sent by the button that stands in it; Enter that completed a tag, or a
 * word that is still being composed, sends nothing. */
function enter(event: KeyboardEvent): void {
  const target = event.target as Element;
  if (event.key !== "Enter" || !target.matches(`${FORM} input`)) return;
  if (event.defaultPrevented || event.isComposing) return;
  event.preventDefault();
  target.closest("[popover]")?.querySelector<HTMLElement>("[type=submit]")?.click();
}

function submit(event: SubmitEvent): void {
  const { submitter: button } = event;
  const form = event.target as HTMLFormElement;
  if (!form.matches(FORM)) return;
  if (!(button instanceof HTMLButtonElement) || button.value !== "download") {
    sendInPieces(event);
    return;
  }
  event.preventDefault();
  event.stopImmediatePropagation();
  const most = mostOf(form);
  if (countChosen() <= most) download(form, button);
  else notice(form, tooManyToDownload(most));
}

const tooManyToDownload = (most: number): string =>
  t("At most {most} files at once; a collection is downloaded whole.", { most: whole(most) });

/** Files are saved by the browser itself; as many as there are, they do not fit into an address. */
function download(form: HTMLFormElement, button: HTMLButtonElement): void {
  const plain = document.createElement("form");
  plain.method = "post";
  plain.action = button.formAction;
  plain.hidden = true;
  for (const [name, value] of new FormData(form)) {
    const field = Object.assign(document.createElement("input"), { type: "hidden", name });
    field.value = String(value);
    plain.append(field);
  }
  document.body.append(plain);
  plain.submit();
  plain.remove();
}

/** Another page is another selection. */
function leave(event: Event): void {
  const { detail } = event as CustomEvent<{ requestConfig?: { boosted?: boolean } }>;
  if (detail.requestConfig?.boosted) chooseOnly([]);
}

/** A browser may bring back a page with its boxes ticked. */
function adopt(): void {
  const ticked = boxes().filter((box) => box.checked);
  if (ticked.length) choose(ticked.map((box) => box.value));
}

export function selectMany(): void {
  selectByKeys();
  selectByFrame();
  onChosen(show);
  onReaching(show);
  document.addEventListener("change", follow);
  document.addEventListener("formdata", write);
  document.addEventListener("keydown", enter);
  document.addEventListener("submit", submit, { capture: true });
  document.addEventListener("reset", (event) => {
    if ((event.target as Element).matches(FORM)) chooseOnly([]);
  });
  document.addEventListener("htmx:afterSettle", leave);
  document.addEventListener("htmx:historyRestore", () => chooseOnly([]));
  window.addEventListener("pageshow", adopt);
  htmx.onLoad((part) => {
    if (!(part instanceof Element)) return;
    showChosen(part);
    selectByTouch(part);
    show();
  });
}
