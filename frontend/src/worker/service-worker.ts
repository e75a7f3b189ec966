/* What stands between the site and the network: a page for when there is none, and a letter box
 * for files that other programs share.
 *
 * It keeps style, script and icons, and nothing else: neither pages nor answers nor anybody's
 * files. What is not named here goes its way as if there were no worker.
 */
import { keepShared } from "./shared";

/** Written in front of this file by the view that serves it. */
interface Site {
  version: string; // of all that is kept; another one replaces it
  offline: string; // the address of the page for when there is no network
  share: string; // what shared files are posted to
  statics: string; // what the addresses of style, script and icons begin with
  bytes: string[]; // what the addresses of files begin with, which are not for a worker
}

declare const self: ServiceWorkerGlobalScope & { SITE: Site };

const SITE = self.SITE;
const PREFIX = "statics-";
const CACHE = PREFIX + SITE.version;
// Names that change with what they name: by Django's manifest, by the bundler.
const NAMED_BY_CONTENT = /\.[0-9a-f]{12}\.\w+$|-[0-9A-Z]{8}\.\w+$/;
const OK = 200;

// -- style, script, icons ---------------------------------------------------------------------

function isStatic(request: Request): boolean {
  const { origin, pathname } = new URL(request.url);
  const isOurs = origin === self.location.origin && pathname.startsWith(SITE.statics);
  return isOurs && request.method === "GET" && !request.headers.has("range");
}

async function fetchAndKeep(request: Request): Promise<Response> {
  const answer = await fetch(request);
  if (answer.status === OK) await (await caches.open(CACHE)).put(request, answer.clone());
  return answer;
}

async function answerStatic(request: Request): Promise<Response> {
  const kept = await caches.match(request);
  if (kept && NAMED_BY_CONTENT.test(new URL(request.url).pathname)) return kept;
  try {
    return await fetchAndKeep(request);
  } catch (error) {
    if (kept) return kept;
    throw error;
  }
}

// -- the page for when there is no network ----------------------------------------------------

const LINKS = /(?:src|href)="([^"]+)"/g; // of a page
const IMPORTS = /(?:from|import)\s*"(\.[^"]+)"/g; // of a script, of what it needs at once

/** The addresses of the static files that an answer's `text` cannot do without. */
function partsOf(text: string, type: string, base: string): string[] {
  const pattern = type.includes("html") ? LINKS : type.includes("javascript") ? IMPORTS : undefined;
  return [...(pattern ? text.matchAll(pattern) : [])]
    .map(([, address]) => new URL(address ?? "", base))
    .filter(({ origin, pathname }) => origin === self.location.origin && pathname.startsWith(SITE.statics))
    .map(({ origin, pathname }) => origin + pathname);
}

async function keepWithParts(address: string, known: Set<string>): Promise<void> {
  if (known.has(address)) return;
  known.add(address);
  const answer = await fetch(address, { cache: "no-cache" });
  if (answer.status !== OK) throw new Error(`${address} answers ${answer.status}`);
  await (await caches.open(CACHE)).put(address, answer.clone());
  const parts = partsOf(await answer.text(), answer.headers.get("Content-Type") ?? "", address);
  await Promise.all(parts.map((part) => keepWithParts(part, known)));
}

async function install(): Promise<void> {
  await keepWithParts(new URL(SITE.offline, self.location.origin).href, new Set());
  await self.skipWaiting();
}

async function activate(): Promise<void> {
  const names = await caches.keys();
  const old = names.filter((name) => name.startsWith(PREFIX) && name !== CACHE);
  await Promise.all(old.map((name) => caches.delete(name)));
  await self.registration.navigationPreload?.enable(); // the page need not wait for the worker
}

async function answerPage(event: FetchEvent): Promise<Response> {
  try {
    const early = (await event.preloadResponse) as Response | undefined;
    return early ?? (await fetch(event.request));
  } catch {
    return (await caches.match(SITE.offline)) ?? Response.error();
  }
}

// -- files that other programs share ----------------------------------------------------------

async function takeShared(request: Request): Promise<Response> {
  let state = "";
  try {
    const form = await request.formData();
    const files = form.getAll("files").filter((one): one is File => one instanceof File);
    await keepShared(files.filter(({ size, name }) => size > 0 || name));
  } catch {
    state = "?lost"; // no room for it, most likely
  }
  return Response.redirect(SITE.share + state, 303);
}

function isShare(request: Request): boolean {
  const { origin, pathname } = new URL(request.url);
  return request.method === "POST" && origin === self.location.origin && pathname === SITE.share;
}

function isPage(request: Request): boolean {
  const { pathname } = new URL(request.url);
  const isFile = SITE.bytes.some((prefix) => pathname.startsWith(prefix));
  return request.mode === "navigate" && request.method === "GET" && !isFile;
}

self.addEventListener("install", (event) => event.waitUntil(install()));
self.addEventListener("activate", (event) => event.waitUntil(activate()));
self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (isShare(request)) event.respondWith(takeShared(request));
  else if (isStatic(request)) event.respondWith(answerStatic(request));
  else if (isPage(request)) event.respondWith(answerPage(event));
});
