/* Links and forms of signed-in pages take only the page, not the document, so that uploads go on.
 *
 * `hx-boost` on the body asks for it; this says where it ends: at what is no page of ours. A page
 * that comes back without the place for uploads (signed out, an error of the server in front) is
 * opened the ordinary way. Nothing is kept of pages that are left: going back asks again.
 */
import htmx from "htmx.org";
import { focusFault } from "./faults";
import { followLink } from "./following";

const NO_PAGES = ["/admin/", "/api/", "/accounts/", "/media/", "/share/", "/static/"];
const FRAME = 'id="uploads"';
const PLACES = "scroll:"; // keys of the session's storage, one for each address

interface Answer {
  boosted?: boolean;
  shouldSwap: boolean;
  isError: boolean;
  xhr: XMLHttpRequest;
  requestConfig: { elt: Element; boosted?: boolean; verb: string };
}

interface Asking {
  boosted?: boolean;
  headers: Record<string, string>;
}

const detail = (event: Event): Answer => (event as CustomEvent<Answer>).detail;
const isBoosted = (event: Event): boolean => Boolean(detail(event).requestConfig?.boosted);

export function isPage(link: HTMLAnchorElement): boolean {
  if (link.hasAttribute("download") || link.origin !== location.origin) return false;
  return !NO_PAGES.some((prefix) => link.pathname.startsWith(prefix));
}

function leaveOthersAlone(event: Event): void {
  const { target } = event;
  const isOther =
    (target instanceof HTMLAnchorElement && !isPage(target)) ||
    (target instanceof HTMLFormElement &&
      NO_PAGES.some((prefix) => target.action.startsWith(location.origin + prefix)));
  if (isOther) target.setAttribute("hx-boost", "false");
}

/** Without it a refusal would come as a program reads it. */
function askForPage(event: Event): void {
  const { boosted, headers } = (event as CustomEvent<Asking>).detail;
  if (boosted) headers.Accept = "text/html";
}

/** Refusals are pages too. What is no page of ours is opened by the browser itself. */
function judge(event: Event): void {
  if (!isBoosted(event)) return;
  const answer = detail(event);
  if (answer.xhr.response.includes(FRAME)) {
    rememberPlace();
    answer.shouldSwap = true;
    answer.isError = false;
    return;
  }
  event.preventDefault();
  location.assign(answer.xhr.responseURL || location.href);
}

/** The server is away: the browser's own page for that says more, and offers to try again. */
function openPlainly(event: Event): void {
  const { elt, verb } = detail(event).requestConfig ?? {};
  if (!isBoosted(event) || verb !== "get") return;
  if (elt instanceof HTMLAnchorElement && navigator.onLine) location.assign(elt.href);
}

/** What somebody wants next: it waits for a form that is being sent, and overtakes a link. */
let underWay: Element | undefined;
let next = "";

function takeTurns(event: Event): void {
  if (!isBoosted(event)) return;
  const { elt } = detail(event).requestConfig;
  if (underWay instanceof HTMLFormElement && underWay.method === "post") {
    event.preventDefault();
    if (elt instanceof HTMLAnchorElement) next = elt.href;
    return;
  }
  if (underWay) htmx.trigger(underWay, "htmx:abort");
  underWay = elt;
}

function giveTurn(event: Event): void {
  if (!isBoosted(event) || detail(event).requestConfig.elt !== underWay) return;
  underWay = undefined;
  if (!next) return;
  const url = next;
  next = "";
  followLink(url);
}

/** Who goes back twice wants the page before the last: answers may come in any order. */
let restoring: XMLHttpRequest | undefined;

function restoreOnlyLast(event: Event): void {
  restoring?.abort();
  restoring = detail(event).xhr;
  if (underWay) htmx.trigger(underWay, "htmx:abort");
}

function rememberPlace(): void {
  sessionStorage.setItem(PLACES + location.pathname + location.search, String(scrollY));
}

function returnToPlace(): void {
  const top = Number(sessionStorage.getItem(PLACES + location.pathname + location.search)) || 0;
  requestAnimationFrame(() => scrollTo({ top, behavior: "instant" }));
}

/** As after an ordinary load: reading starts at the top, and a reader is told where it is. Who has
 * pressed what is on the next page too, such as a button of a list, goes on from there. */
function arrive(event: Event): void {
  if (!isBoosted(event)) return;
  const classes = /<body[^>]*\bclass="([^"]*)"/.exec(detail(event).xhr.response)?.[1];
  document.body.className = classes?.trim() ?? "";
  tellWhere();
}

function tellWhere(): void {
  // What opens later has a first field of its own.
  const first = document.querySelector<HTMLElement>("[autofocus]:not([popover] *, dialog *)");
  if (document.activeElement === document.body && !focusFault()) {
    (first ?? document.querySelector<HTMLElement>("#main"))?.focus({ preventScroll: true });
  }
  const place = document.querySelector("#arrived");
  if (place) place.textContent = document.title.trim();
}

export function navigateInPlace(): void {
  focusFault();
  document.addEventListener("htmx:beforeProcessNode", leaveOthersAlone);
  document.addEventListener("htmx:configRequest", askForPage);
  document.addEventListener("htmx:beforeRequest", takeTurns);
  document.addEventListener("htmx:afterRequest", giveTurn);
  document.addEventListener("htmx:beforeSwap", judge);
  document.addEventListener("htmx:sendError", openPlainly);
  document.addEventListener("htmx:afterSettle", arrive);
  document.addEventListener("htmx:historyCacheMiss", restoreOnlyLast);
  document.addEventListener("htmx:historyRestore", () => {
    returnToPlace();
    tellWhere();
  });
  htmx.on("htmx:historyCacheMissLoadError", () => location.reload());
}
