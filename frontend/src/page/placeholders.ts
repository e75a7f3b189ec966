/* Shows a blurred likeness, or at least the colour, of a picture until it has arrived. */
import { thumbHashToDataURL } from "thumbhash";

function likeness(hash: string): string {
  try {
    return thumbHashToDataURL(Uint8Array.from(atob(hash), (char) => char.charCodeAt(0)));
  } catch {
    return ""; // not a thumbhash after all: the colour will do
  }
}

function cover(ground: HTMLElement): void {
  const picture = ground.querySelector("img");
  if (!picture || picture.complete) return;
  const { thumbhash, color } = ground.dataset;
  if (color) ground.style.backgroundColor = color;
  const url = thumbhash ? likeness(thumbhash) : "";
  if (url) ground.style.backgroundImage = `url("${url}")`;
  ground.classList.add("is-waiting");
  const uncover = (): void => {
    ground.classList.remove("is-waiting");
    ground.style.backgroundColor = ground.style.backgroundImage = "";
  };
  picture.addEventListener("load", uncover, { once: true });
  picture.addEventListener("error", uncover, { once: true });
}

/** Covers every picture in `part` that is not here yet. */
export function showPlaceholders(part: Node): void {
  if (!(part instanceof Element)) return;
  if (part instanceof HTMLElement && part.matches("[data-thumbhash], [data-color]")) cover(part);
  part.querySelectorAll<HTMLElement>("[data-thumbhash], [data-color]").forEach(cover);
}
