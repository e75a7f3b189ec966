/* Puts what happens into words for a live region, seldom enough to be listened to. */
import { type Files, filesOf, isDone } from "./files";
import { count } from "./words";

const STEP = 25; // percent

export function announce(uppy: Files, place: Element | null): (words: string) => void {
  let said = 0;
  let isBusy = false;
  const say = (words: string): void => {
    if (place) place.textContent = words;
  };
  uppy.on("files-added", (files) => {
    if (!isBusy) said = 0;
    isBusy = true;
    say(`Upload of ${count(files.length, "file")} started.`);
  });
  uppy.on("restored", () => {
    const open = filesOf(uppy).filter((file) => !isDone(file) && !file.isPaused).length;
    if (!open) return;
    isBusy = true;
    say(`Upload of ${count(open, "file")} goes on.`);
  });
  uppy.on("progress", (percent) => {
    if (percent < said + STEP || percent >= 100) return;
    said = percent;
    say(`${percent} percent uploaded.`);
  });
  uppy.on("state-update", () => {
    const files = filesOf(uppy);
    if (!isBusy || files.some((file) => !file.failure && !file.arrival)) return;
    isBusy = false;
    say(summary(files.filter(isDone).length, files.filter((file) => file.failure).length));
  });
  return say;
}

export function summary(arrived: number, failed: number): string {
  return `${arrived} uploaded${failed ? `, ${failed} not` : ""}.`;
}
