/* A stream of the server says when the bell's count has changed, while somebody looks at the page.
 * Where there is none (no room, no script for it, the server away), the bell asks as before. */

let stream: EventSource | undefined;

/** Whether what is new comes by itself. */
export function isLive(): boolean {
  return stream?.readyState === EventSource.OPEN;
}

function tellUnread(event: MessageEvent<string>): void {
  const shown = document.querySelector<HTMLElement>("[data-live]")?.dataset.count;
  if (shown !== event.data) document.body.dispatchEvent(new CustomEvent("unread"));
}

function close(): void {
  stream?.close();
  stream = undefined;
}

/** A hidden page needs none: a browser with fifty tabs holds one. */
function openOrClose(): void {
  const address = document.querySelector<HTMLElement>("[data-live]")?.dataset.live;
  if (document.hidden || !address) {
    close();
    return;
  }
  if (stream && stream.readyState !== EventSource.CLOSED) return;
  stream = new EventSource(address);
  stream.addEventListener("unread", tellUnread);
}

export function watchLive(): void {
  if (!("EventSource" in window)) return;
  openOrClose();
  document.addEventListener("visibilitychange", openOrClose);
  document.addEventListener("htmx:afterSettle", openOrClose); // signed in or out in place
  window.addEventListener("pagehide", close);
  window.addEventListener("pageshow", openOrClose);
}
