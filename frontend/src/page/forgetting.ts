/* Whoever signs out leaves no files behind in the browser, nor their names. */

import { DATABASE as SHARED } from "../worker/shared";

const DATABASES = ["uppy-blobs", SHARED]; // the first is where Uppy keeps what a reload shall find
const OURS = ["uploads:", "tus::", "uppyState"];

function forget(): void {
  for (const name of DATABASES) indexedDB.deleteDatabase(name);
  for (const name of Object.keys(localStorage)) {
    if (OURS.some((prefix) => name.startsWith(prefix))) localStorage.removeItem(name);
  }
}

export function forgetOnSignOut(): void {
  document.addEventListener("submit", ({ target }) => {
    if (target instanceof HTMLFormElement && target.matches("[data-sign-out]")) forget();
  });
}
