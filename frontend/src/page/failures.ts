/* Says so when a list cannot go on; its link remains, and tries again. */

function more(event: Event): HTMLElement | null {
  return event.target instanceof HTMLElement ? event.target.closest<HTMLElement>(".more") : null;
}

function setFailed(event: Event, failed: boolean): void {
  const place = more(event);
  const message = place?.querySelector<HTMLElement>(".more__failed");
  if (!place || !message) return;
  message.hidden = !failed;
}

export function watchListFailures(): void {
  for (const name of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) {
    document.addEventListener(name, (event) => setFailed(event, true));
  }
  document.addEventListener("htmx:beforeRequest", (event) => setFailed(event, false));
}
