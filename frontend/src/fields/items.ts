/* One file of a field: what the page says of it, read and written. */
import { t, tn } from "../language/words";

export type Item = HTMLLIElement;

export interface Chosen {
  id: string;
  name: string;
  kind: string;
  picture: string;
  alt: string;
  width?: string | undefined;
  height?: string | undefined;
}

export const partOf = <T extends HTMLElement>(item: Element, name: string): T =>
  item.querySelector(`[data-part="${name}"]`) as T;
export const buttonOf = (item: Element, name: string): HTMLButtonElement | null =>
  item.querySelector<HTMLButtonElement>(`[data-do="${name}"]`);
export const textOf = (item: Element, name: string): HTMLInputElement | null =>
  item.querySelector<HTMLInputElement>(`[data-text="${name}"]`);
export const nameOf = (item: Item): string => item.dataset.name ?? "";

const labelsFor = (name: string): Record<string, string> => ({
  grip: t("Move {name}", { name }),
  crop: t("Crop {name}", { name }),
  focal: t("Point to keep in view of {name}", { name }),
  remove: t("Remove {name}", { name }),
});

/** Gives the buttons names that differ, and hides those of no use for this file. */
export function label(item: Item): void {
  for (const [name, words] of Object.entries(labelsFor(nameOf(item)))) {
    buttonOf(item, name)?.setAttribute("aria-label", words);
  }
  const isPicture = item.dataset.kind === "image";
  for (const name of ["crop", "focal"]) {
    const button = buttonOf(item, name);
    if (button) button.hidden = !isPicture || !item.dataset.media;
  }
  for (const place of item.querySelectorAll('[data-part="of"]'))
    place.textContent = ` ${t("for {name}", { name: nameOf(item) })}`;
  partOf(item, "name").textContent = nameOf(item);
}

/** A file of the library. */
export function show(item: Item, chosen: Chosen, likeness: Element | null): void {
  Object.assign(item.dataset, {
    media: chosen.id,
    kind: chosen.kind,
    name: chosen.name,
    picture: chosen.picture,
    width: chosen.width ?? "",
    height: chosen.height ?? "",
  });
  if (likeness) partOf(item, "picture").replaceChildren(likeness.cloneNode(true));
  const alt = textOf(item, "alt_text");
  if (alt && chosen.alt) alt.placeholder = chosen.alt;
  label(item);
}

export function showProgress(item: Item, percent: number, words: string): void {
  const place = partOf(item, "progress");
  place.hidden = !words;
  const bar = place.querySelector("progress");
  if (bar) {
    bar.value = percent;
    bar.setAttribute("aria-label", t("Progress of {name}", { name: nameOf(item) }));
  }
  partOf(item, "words").textContent = words;
}

/** As the server reads it, see forms/submissions.py. */
export function read(item: Item): object {
  return {
    media: item.dataset.media,
    alt_text: textOf(item, "alt_text")?.value ?? "",
    caption: textOf(item, "caption")?.value ?? "",
    crop: item.dataset.crop ?? "",
    focal: item.dataset.focal ?? "",
  };
}

/** How many pictures nobody has described, in words; nothing where all are. */
export function nudge(items: Item[]): string {
  const silent = items.filter((item) => {
    const text = textOf(item, "alt_text");
    const isSilent = Boolean(text && !text.value.trim() && item.dataset.kind === "image");
    const isTold = Boolean(text && !text.placeholder.endsWith("?"));
    item.classList.toggle("media-item--silent", isSilent && !isTold);
    return isSilent && !isTold;
  });
  if (!silent.length) return "";
  return tn(
    "{count} picture without alternative text. People who cannot see it will miss what it shows.",
    "{count} pictures without alternative text. People who cannot see them will miss what they show.",
    silent.length,
  );
}
