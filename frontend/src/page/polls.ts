/* Elements with `data-poll` ask, from time to time, whether something has changed: about their file
 * until it is finished, about the bell as long as somebody looks. */

import { GONE } from "./events";
import { isLive } from "./live";

interface Asking {
  requestConfig: { triggeringEvent?: Event };
  xhr: XMLHttpRequest;
  successful: boolean;
}

interface Pause {
  length: number;
  end: number;
}

const FIRST_PAUSE = 30_000; // milliseconds
const LONGEST_PAUSE = 600_000;
const pauses = new WeakMap<Element, Pause>();

function isPoll(event: Event): event is CustomEvent<Asking> & { target: HTMLElement } {
  return event.target instanceof HTMLElement && event.target.hasAttribute("data-poll");
}

/** Nobody looks at a hidden tab; it asks again when it is shown. The bell is told where it can be. */
function skipUnwanted(event: Event): void {
  if (!isPoll(event)) return;
  const pause = pauses.get(event.target);
  const isByTheClock = !event.detail.requestConfig.triggeringEvent;
  if (isByTheClock && "live" in event.target.dataset && isLive()) event.preventDefault();
  if (document.hidden || (pause && Date.now() < pause.end)) event.preventDefault();
}

/** A server that has trouble is asked less and less often, until it answers. */
function pauseAfterFailure(event: Event): void {
  if (!isPoll(event)) return;
  const { target } = event;
  if (event.detail.successful) {
    pauses.delete(target);
    return;
  }
  const last = pauses.get(target)?.length ?? FIRST_PAUSE / 2;
  const length = Math.min(2 * last, LONGEST_PAUSE);
  pauses.set(target, { length, end: Date.now() + length });
}

/** The file was removed elsewhere: its card goes, and with it the asking. */
function removeIfGone(event: Event): void {
  if (isPoll(event) && event.detail.xhr.status === 404) {
    event.target.dispatchEvent(new CustomEvent(GONE, { bubbles: true }));
    event.target.remove();
  }
}

/** Whoever comes back to the page sees at once what happened meanwhile. */
function tellShown(): void {
  if (!document.hidden) document.body.dispatchEvent(new CustomEvent("shown"));
}

export function watchPolls(): void {
  document.addEventListener("htmx:beforeRequest", skipUnwanted);
  document.addEventListener("htmx:afterRequest", pauseAfterFailure);
  document.addEventListener("htmx:responseError", removeIfGone);
  document.addEventListener("visibilitychange", tellShown);
}
