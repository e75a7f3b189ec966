/* The buttons of a player, and its keys. */
import { button, part, showPressed } from "./parts";
import { t } from "../language/words";

const JUMP = 10; // seconds
const STEP = 5;
const IDLE = 3_000; // milliseconds after which the bar leaves a full screen

export interface Deeds {
  play(): void;
  seekBy(seconds: number): void;
  flipCaptions(): void;
}

export function wireButtons(root: HTMLElement, media: HTMLMediaElement, deeds: Deeds): void {
  wirePlay(root, media, deeds);
  wireVolume(root, media);
  wireFullscreen(root, media);
  wirePictureInPicture(root, media);
  wireKeys(root, media, deeds);
}

function wirePlay(root: HTMLElement, media: HTMLMediaElement, deeds: Deeds): void {
  const play = button(root, "play");
  const begin = root.querySelector<HTMLElement>('[data-part="begin"]');
  const show = (): void => {
    showPressed(play, !media.paused, media.paused ? t("Play") : t("Pause"));
    if (begin && !media.paused) begin.hidden = true;
  };
  play.addEventListener("click", deeds.play);
  begin?.addEventListener("click", () => {
    play.focus({ preventScroll: true }); // the button goes; keys shall still be heard
    deeds.play();
  });
  if (begin) media.addEventListener("click", deeds.play);
  for (const name of ["play", "pause", "ended", "emptied"]) media.addEventListener(name, show);
  for (const name of ["waiting", "seeking"]) {
    media.addEventListener(name, () => root.classList.add("is-waiting"));
  }
  for (const name of ["playing", "canplay", "seeked", "emptied", "error"]) {
    media.addEventListener(name, () => root.classList.remove("is-waiting"));
  }
  show();
}

function wireVolume(root: HTMLElement, media: HTMLMediaElement): void {
  const mute = button(root, "mute");
  const volume = part<HTMLInputElement>(root, "volume");
  const show = (): void => {
    const silent = media.muted || media.volume === 0;
    showPressed(mute, silent, silent ? t("Sound on") : t("Sound off"));
    volume.value = String(silent ? 0 : media.volume);
    volume.style.setProperty("--played", `${100 * Number(volume.value)}%`);
  };
  mute.addEventListener("click", () => {
    media.muted = !media.muted;
    if (!media.muted && media.volume === 0) media.volume = 1;
  });
  volume.addEventListener("input", () => {
    media.volume = Number(volume.value);
    media.muted = media.volume === 0;
  });
  media.addEventListener("volumechange", show);
  show();
}

/** A telephone may give the whole screen to the film alone, and not to our bar. */
function wireFullscreen(root: HTMLElement, media: HTMLMediaElement): void {
  const control = root.querySelector<HTMLButtonElement>('[data-part="fullscreen"]');
  if (!control) return;
  const alone = media as HTMLMediaElement & { webkitEnterFullscreen?: () => void };
  control.hidden = !document.fullscreenEnabled && !alone.webkitEnterFullscreen;
  control.addEventListener("click", () => {
    if (document.fullscreenElement) void document.exitFullscreen();
    else if (document.fullscreenEnabled) void root.requestFullscreen();
    else alone.webkitEnterFullscreen?.();
  });
  root.addEventListener("fullscreenchange", () => {
    const full = document.fullscreenElement === root;
    showPressed(control, full, full ? t("Leave full screen") : t("Full screen"));
  });
  hideWhileIdle(root, media);
}

/** The film in a small window of its own, where the browser has such. */
function wirePictureInPicture(root: HTMLElement, media: HTMLMediaElement): void {
  const control = root.querySelector<HTMLButtonElement>('[data-part="pip"]');
  if (!control || !(media instanceof HTMLVideoElement) || !document.pictureInPictureEnabled) return;
  control.hidden = false;
  control.addEventListener("click", () => {
    const inside = document.pictureInPictureElement === media;
    const done = inside ? document.exitPictureInPicture() : media.requestPictureInPicture();
    done.catch(() => undefined); // nothing to show yet, or not wished
  });
}

function hideWhileIdle(root: HTMLElement, media: HTMLMediaElement): void {
  let timer = 0;
  const wake = (): void => {
    root.classList.remove("is-idle");
    clearTimeout(timer);
    timer = window.setTimeout(() => {
      const away = !root.querySelector("[data-part='bar'] :focus-visible, details[open]");
      if (!media.paused && away) root.classList.add("is-idle");
    }, IDLE);
  };
  for (const name of ["pointermove", "pointerdown", "keydown"]) root.addEventListener(name, wake);
  for (const name of ["play", "pause"]) media.addEventListener(name, wake);
}

/** Keys work while the focus is in the player, and leave other controls their own. */
function wireKeys(root: HTMLElement, media: HTMLMediaElement, deeds: Deeds): void {
  const keys: Record<string, () => void> = {
    " ": deeds.play,
    k: deeds.play,
    j: () => deeds.seekBy(-JUMP),
    l: () => deeds.seekBy(JUMP),
    ArrowLeft: () => deeds.seekBy(-STEP),
    ArrowRight: () => deeds.seekBy(STEP),
    m: () => button(root, "mute").click(),
    c: deeds.flipCaptions,
    p: () => root.querySelector<HTMLElement>('[data-part="pip"]:not([hidden])')?.click(),
    f: () => root.querySelector<HTMLElement>('[data-part="fullscreen"]')?.click(),
  };
  root.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isTheirs(event)) return;
    const deed = keys[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!deed) return;
    event.preventDefault();
    deed();
  });
}

function isTheirs({ target, key }: KeyboardEvent): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target.matches("select, textarea, input:not([type='range'])")) return true;
  if (target.matches("input")) return key.startsWith("Arrow");
  return key === " " && target.matches("button, summary, a");
}
