/* Whoever signs out leaves no files behind in the browser, nor their names. */

const DATABASE = "uppy-blobs"; // where Uppy keeps what a reload shall find again
const OURS = ["uploads:", "tus::", "uppyState"];

function forget(): void {
  indexedDB.deleteDatabase(DATABASE);
  for (const name of Object.keys(localStorage)) {
    if (OURS.some((prefix) => name.startsWith(prefix))) localStorage.removeItem(name);
  }
}

export function forgetOnSignOut(): void {
  document.addEventListener("submit", ({ target }) => {
    if (target instanceof HTMLFormElement && target.matches("[data-sign-out]")) forget();
  });
}
