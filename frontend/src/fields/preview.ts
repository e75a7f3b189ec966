/* Shows in an item what its crop leaves of the picture. */
import { readCrop } from "./crops";
import { type Item, partOf } from "./items";

const WIDEST = 640; // pixels

function draw(image: HTMLImageElement, item: Item): void {
  const crop = readCrop(item.dataset.crop);
  if (!crop || !image.naturalWidth) return;
  const { naturalWidth: wide, naturalHeight: high } = image;
  const [width, height] = [crop.width * wide, crop.height * high];
  const scale = Math.min(1, WIDEST / width);
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(Math.round(width * scale), 1);
  canvas.height = Math.max(Math.round(height * scale), 1);
  canvas.setAttribute("aria-hidden", "true");
  const context = canvas.getContext("2d");
  const [left, top] = [crop.left * wide, crop.top * high];
  context?.drawImage(image, left, top, width, height, 0, 0, canvas.width, canvas.height);
  const place = partOf(item, "picture");
  place.querySelector("canvas")?.remove();
  place.append(canvas);
  place.classList.add("is-cropped");
}

export function preview(item: Item): void {
  const place = partOf(item, "picture");
  place.classList.remove("is-cropped");
  place.querySelector("canvas")?.remove();
  const image = place.querySelector("img");
  if (!image || !item.dataset.crop) return;
  image.loading = "eager";
  if (image.complete) draw(image, item);
  else image.addEventListener("load", () => draw(image, item), { once: true });
}
