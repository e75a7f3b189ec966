/* Puts what happens into words for a live region, seldom enough to be listened to. */
import { type Files, filesOf, isDone } from "./files";
import { t, tn } from "../language/words";

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
    say(tn("Upload of {count} file started.", "Upload of {count} files started.", files.length));
  });
  uppy.on("restored", () => {
    const open = filesOf(uppy).filter((file) => !isDone(file) && !file.isPaused).length;
    if (!open) return;
    isBusy = true;
    say(tn("Upload of {count} file goes on.", "Upload of {count} files goes on.", open));
  });
  uppy.on("progress", (percent) => {
    if (percent < said + STEP || percent >= 100) return;
    said = percent;
    say(t("{percent} percent uploaded.", { percent }));
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
  return failed
    ? t("{arrived} uploaded, {failed} not.", { arrived, failed })
    : t("{arrived} uploaded.", { arrived });
}
