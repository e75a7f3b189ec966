/* Adds the card of each file that the upload page reports; the card then follows its own state. */
import htmx from "htmx.org";
import { UPLOADED, type UploadedDetail } from "./events";

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

export function addUploadedCards(): void {
  document.addEventListener(UPLOADED, (event) => {
    const { pageUrl } = (event as CustomEvent<UploadedDetail>).detail;
    const list = document.querySelector("#uploaded");
    if (!list) return;
    document.querySelector("[data-uploaded]")?.removeAttribute("hidden");
    const item = pendingCard(pageUrl);
    list.prepend(item);
    htmx.process(item);
  });
}
