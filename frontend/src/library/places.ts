/* Where somebody was in a list: going back and reloading come back to the same file. */

export interface Place {
  number: number; // of the file, from 0
  offset: number; // CSS pixels from the top of the window to the top of the file
}

const KEY = "library:";
const name = (): string => KEY + location.pathname + location.search;

let isBack = isReload();

function isReload(): boolean {
  const [entry] = performance.getEntriesByType("navigation") as PerformanceNavigationTiming[];
  return entry?.type === "reload" || entry?.type === "back_forward";
}

addEventListener("popstate", () => (isBack = true));
document.addEventListener("htmx:pushedIntoHistory", () => (isBack = false));

export function rememberPlace(place: Place): void {
  sessionStorage.setItem(name(), JSON.stringify(place));
}

/** The place to come back to; none for who comes anew. It is told once. */
export function placeToReturnTo(): Place | null {
  const wanted = isBack;
  isBack = false;
  const kept = wanted ? sessionStorage.getItem(name()) : null;
  return kept ? (JSON.parse(kept) as Place) : null;
}
