/* A player that opened before all was made: takes the rest at the end, unless it is in use. */

const isInUse = (media: HTMLMediaElement): boolean => !media.paused || media.currentTime > 0;

export function takeFinished(part: Node): void {
  if (!(part instanceof Element) || !part.matches("[data-finished]")) return;
  const media = document.querySelector<HTMLMediaElement>("#preview video, #preview audio");
  if (media && isInUse(media)) return;
  part.querySelector<HTMLElement>("[hx-get]")?.click();
}
