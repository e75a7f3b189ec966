/* Elements with `data-poll` ask about their file until it is finished. */

interface Answer {
  xhr: XMLHttpRequest;
}

function isPoll(event: Event): event is CustomEvent<Answer> & { target: HTMLElement } {
  return event.target instanceof HTMLElement && event.target.hasAttribute("data-poll");
}

/** Nobody looks at a hidden tab; it asks again when it is shown. */
function skipWhileHidden(event: Event): void {
  if (isPoll(event) && document.hidden) event.preventDefault();
}

/** The file was removed elsewhere: its card goes, and with it the asking. */
function removeIfGone(event: Event): void {
  if (isPoll(event) && event.detail.xhr.status === 404) event.target.remove();
}

/** Whoever comes back to the page sees at once what happened meanwhile. */
function tellShown(): void {
  if (!document.hidden) document.body.dispatchEvent(new CustomEvent("shown"));
}

export function watchPolls(): void {
  document.addEventListener("htmx:beforeRequest", skipWhileHidden);
  document.addEventListener("htmx:responseError", removeIfGone);
  document.addEventListener("visibilitychange", tellShown);
}
