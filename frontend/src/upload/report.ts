/* Tells the page of each file that has arrived, and lists those that were refused with the reason. */
import type Uppy from "@uppy/core";
import { UPLOADED, type UploadedDetail } from "../page/events";

interface Media {
  urls?: { page?: string };
}

function tellArrived(media: Media | undefined): void {
  const page = media?.urls?.page;
  if (!page) return;
  const detail: UploadedDetail = { pageUrl: new URL(page, location.href).pathname };
  document.dispatchEvent(new CustomEvent(UPLOADED, { detail }));
}

function refusal(name: string, reason: string): HTMLLIElement {
  const item = document.createElement("li");
  item.className = "outcome outcome--bad";
  const title = document.createElement("strong");
  title.textContent = name;
  const words = document.createElement("span");
  words.textContent = `Not uploaded: ${reason}`;
  item.append(title, words);
  return item;
}

export function reportOutcomes(uppy: Uppy, refused: HTMLElement | null): void {
  uppy.on("upload", () => refused?.replaceChildren());
  uppy.on("upload-success", (_file, response) => tellArrived(response.body as Media | undefined));
  uppy.on("upload-error", (file, error) => {
    refused?.append(refusal(file?.name ?? "A file", error.message));
  });
}
