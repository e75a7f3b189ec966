/* Shows what has arrived: its card on the upload page and, newest first, in the plain library.
 * A card follows its own state from then on. */
import htmx from "htmx.org";
import type { MediaGrid } from "../library/grid";
import { UPLOADED, type UploadedDetail } from "./events";

const arrived: string[] = []; // pages of files, oldest first, for as long as the document lives

/** An element that replaces itself by the card: one per file, since htmx gives each element one
 * request at a time. */
function pendingCard(pageUrl: string): HTMLLIElement {
  const item = document.createElement("li");
  item.className = "card ratio-10";
  item.setAttribute("hx-get", `${pageUrl}status/`);
  item.setAttribute("hx-trigger", "load");
  item.setAttribute("hx-swap", "outerHTML");
  return item;
}

function addTo(list: Element, pageUrl: string): void {
  if (list.querySelector(`a[href="${pageUrl}"]`)) return;
  const item = pendingCard(pageUrl);
  list.prepend(item);
  htmx.process(item);
}

function showUploaded(pageUrl: string): void {
  const list = document.querySelector("#uploaded");
  if (!list) return;
  document.querySelector("[data-uploaded]")?.removeAttribute("hidden");
  addTo(list, pageUrl);
}

/** The library without filters shows everything, so also this; an empty one is asked for anew. */
function showInLibrary(pageUrl: string): void {
  const results = document.querySelector("#results[data-newest]");
  if (!results) return;
  const grid = results.querySelector("#grid");
  const library = results.querySelector<MediaGrid>("media-grid.is-placed");
  if (library) void library.add(pageUrl);
  else if (grid) addTo(grid, pageUrl);
  else
    void htmx.ajax("get", location.href, {
      target: "#results",
      select: "#results",
      swap: "outerHTML",
    });
}

export function addUploadedCards(): void {
  document.addEventListener(UPLOADED, (event) => {
    const { pageUrl, field } = (event as CustomEvent<UploadedDetail>).detail;
    if (field) return; // it is no part of the library
    arrived.push(pageUrl);
    showUploaded(pageUrl);
    showInLibrary(pageUrl);
  });
  htmx.onLoad((part) => {
    if (
      part instanceof Element &&
      document.querySelector("#uploaded:empty, #uploaded:not(:has(*))")
    ) {
      arrived.forEach(showUploaded);
    }
  });
}
