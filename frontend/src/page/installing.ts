/* The site as a program on a telephone's home screen: its service worker, what others shared with
 * it, and a word when there is no connection. */
import htmx from "htmx.org";
import { t, tn } from "../language/words";
import { forgetShared, readShared } from "../worker/shared";

type Take = (files: File[]) => Promise<void>;

const LOCK = "shared-files"; // two tabs would take the same
const SHOWN = 5; // names; the rest is counted

function registerWorker(): void {
  const address = document.querySelector<HTMLMetaElement>("meta[name=media-worker]")?.content;
  if (address && "serviceWorker" in navigator) {
    void navigator.serviceWorker.register(address).catch(() => undefined);
  }
}

// -- what others shared -----------------------------------------------------------------------

function item(words: string): HTMLLIElement {
  return Object.assign(document.createElement("li"), { textContent: words });
}

function list(section: HTMLElement, files: File[]): void {
  const rest = files.length - SHOWN;
  const title = section.querySelector<HTMLElement>("[data-shared-title]");
  if (title) title.textContent = tn("{count} file was shared", "{count} files were shared", files.length);
  section
    .querySelector("[data-shared-names]")
    ?.replaceChildren(
      ...files.slice(0, SHOWN).map((file) => item(file.name)),
      ...(rest > 0 ? [item(t("and {rest} more", { rest }))] : []),
    );
}

/** Sends nothing by itself: who shared them cannot be known, so the person says so. */
async function offer(section: HTMLElement, take: Take): Promise<void> {
  const files = await readShared();
  if (!files.length) return;
  list(section, files);
  section.hidden = false;
  section.addEventListener("click", ({ target }) => {
    const button = target instanceof Element ? target.closest("button") : null;
    if (!button) return;
    section.hidden = true;
    void navigator.locks.request(LOCK, async () => {
      const left = await readShared();
      if (button.matches("[data-shared-take]")) await take(left);
      await forgetShared();
    });
  });
}

export function offerShared(root: Element, take: Take): void {
  const section = root.querySelector<HTMLElement>("[data-shared]");
  if (section) void offer(section, take).catch(() => undefined);
}

// -- no connection ----------------------------------------------------------------------------

function showConnection(): void {
  const notice = document.querySelector<HTMLElement>("[data-offline-notice]");
  if (notice) notice.hidden = navigator.onLine;
}

/** The page for when there is no network gives way to the one that was asked for. */
function goOn(): void {
  if (document.querySelector("[data-offline-page]")) location.reload();
  else showConnection();
}

export function beInstallable(): void {
  registerWorker();
  addEventListener("online", goOn);
  addEventListener("offline", showConnection);
  htmx.onLoad(showConnection); // each page has its own place for it
}
