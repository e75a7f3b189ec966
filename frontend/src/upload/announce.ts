/* Puts the progress into words for a live region, seldom enough to be listened to. */
import type Uppy from "@uppy/core";

const STEP = 25; // percent

export function describeProgress(uppy: Uppy, place: Element | null): void {
  if (!place) return;
  let said = 0;
  const say = (words: string): void => {
    place.textContent = words;
  };
  uppy.on("upload", () => {
    said = 0;
    say("Upload started.");
  });
  uppy.on("progress", (percent) => {
    if (percent < said + STEP || percent >= 100) return;
    said = percent;
    say(`${percent} percent uploaded.`);
  });
  uppy.on("upload-error", (file, error) => say(`${file?.name ?? "A file"}: ${error.message}`));
  uppy.on("complete", ({ successful, failed }) => {
    const refused = failed?.length ? `, ${failed.length} not` : "";
    say(`${successful?.length ?? 0} uploaded${refused}.`);
  });
}
