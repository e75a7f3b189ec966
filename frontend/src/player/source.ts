/* Where the picture and the sound come from: an adaptive stream where there is one, else a file.
 *
 * The stream is played by hls.js wherever the browser lets scripts feed it: a browser's own player
 * offers no choice of quality, and `canPlayType` promises more than it keeps. The library comes in
 * a chunk of its own, and segments are not asked for before somebody plays or seeks.
 */
import type Hls from "hls.js";
import type { ErrorData, Level } from "hls.js";
import { decimal } from "../language/words";

/** What can be chosen; `id` is the player's own number of it. */
export interface Quality {
  id: number;
  name: string;
}

export interface Source {
  /** Resolves when playing can be asked for. */
  ready: Promise<void>;
  /** Somebody wants to play or has gone to a place: only now the stream itself is loaded. */
  load(): void;
  choose(id: number): void;
  destroy(): void;
}

export interface Listener {
  qualities(found: Quality[]): void;
  /** What is being played when the choice is automatic. */
  playing(name: string): void;
  failed(): void;
}

export const AUTOMATIC = -1;
const MEGABIT = 1_000_000;
const ATTEMPTS = 3;

const canFeed = (): boolean => "MediaSource" in window || "ManagedMediaSource" in window;

/** Starts with the stream at `url`, if there is one, else with the files in the element itself. */
export function openSource(media: HTMLMediaElement, url: string, listener: Listener): Source {
  const files = [...media.querySelectorAll("source")];
  if (!url || !canFeed()) return openFiles(media, files, listener);
  files.forEach((file) => file.remove());
  media.load();
  return openStream(media, url, files, listener);
}

function openFiles(
  media: HTMLMediaElement,
  files: HTMLSourceElement[],
  listener: Listener,
): Source {
  const fail = (): void => listener.failed();
  // The last source fails when all have; what was begun fails on the element itself.
  files.at(-1)?.addEventListener("error", fail);
  media.addEventListener("error", fail);
  if (!media.querySelector("source")) media.append(...files);
  media.preload = "metadata";
  media.load();
  return {
    ready: Promise.resolve(),
    load: () => undefined,
    choose: () => undefined,
    destroy: () => {
      media.removeEventListener("error", fail);
      media.removeAttribute("src");
      media.replaceChildren();
      media.load(); // lets go of the connection
    },
  };
}

function openStream(
  media: HTMLMediaElement,
  url: string,
  files: HTMLSourceElement[],
  listener: Listener,
): Source {
  let current: Source | null = null;
  let destroyed = false;
  const goOnWithFiles = (): void => {
    const at = media.currentTime;
    const wasPlaying = !media.paused;
    current?.destroy();
    listener.qualities([]);
    current = openFiles(media, files, listener);
    media.currentTime = at;
    if (wasPlaying) void media.play().catch(() => undefined);
  };
  const ready = import("hls.js").then(({ default: Library }) => {
    if (destroyed) return;
    if (Library.isSupported()) current = feed(new Library(SETTINGS), media, url, listener, fail);
    else goOnWithFiles();
  });
  function fail(): void {
    if (files.length) goOnWithFiles();
    else listener.failed();
  }
  return {
    ready: ready.catch(fail),
    load: () => void ready.then(() => current?.load()),
    choose: (id) => current?.choose(id),
    destroy: () => {
      destroyed = true;
      current?.destroy();
    },
  };
}

const SETTINGS = {
  autoStartLoad: false,
  capLevelToPlayerSize: true,
  // Our segments need no repacking, so that a worker would only cost its start.
  enableWorker: false,
  // Captions are elements of the page, which also the other ways of playing have.
  enableWebVTT: false,
  enableCEA708Captions: false,
};

function feed(
  hls: Hls,
  media: HTMLMediaElement,
  url: string,
  listener: Listener,
  fail: () => void,
): Source {
  const events = (hls.constructor as typeof Hls).Events;
  let isLoading = false;
  const load = (): void => {
    if (!isLoading) hls.startLoad(media.currentTime || -1);
    isLoading = true;
  };
  hls.on(events.MANIFEST_PARSED, () => {
    const found = hls.levels.map((level, id) => ({ id, name: nameOf(level, hls.levels), level }));
    listener.qualities(found.sort((one, other) => compare(other.level, one.level)));
  });
  hls.on(events.LEVEL_SWITCHED, (_event, { level }) => {
    const found = hls.levels[level];
    if (found) listener.playing(`${linesOf(found)}p`);
  });
  recover(hls, media, url, fail);
  hls.attachMedia(media);
  hls.loadSource(url);
  return {
    ready: Promise.resolve(),
    load,
    choose: (id) => {
      hls.currentLevel = id; // at once, also when all is loaded in another quality
    },
    destroy: () => hls.destroy(),
  };
}

const linesOf = (level: Level): number => Math.min(level.width, level.height);

const compare = (one: Level, other: Level): number =>
  linesOf(one) - linesOf(other) || one.bitrate - other.bitrate;

/** Lines are counted on the shorter side, as in "1080p"; equal ones are told apart by bit rate. */
function nameOf(level: Level, all: Level[]): string {
  const plain = `${linesOf(level)}p`;
  if (all.filter((one) => linesOf(one) === linesOf(level)).length === 1) return plain;
  return `${plain}, ${decimal(level.bitrate / MEGABIT, 1)} Mbit/s`;
}

/** A stream that was made anew during playing is asked for again; so is one that was cut off. */
function recover(hls: Hls, media: HTMLMediaElement, url: string, fail: () => void): void {
  const { Events: events, ErrorTypes: types } = hls.constructor as typeof Hls;
  let left = ATTEMPTS;
  hls.on(events.FRAG_BUFFERED, () => {
    left = ATTEMPTS;
  });
  hls.on(events.ERROR, (_event, data: ErrorData) => {
    if (!data.fatal) return;
    left -= 1;
    if (left < 0) fail();
    else if (data.type === types.MEDIA_ERROR) hls.recoverMediaError();
    else renew(hls, media, url);
  });
}

function renew(hls: Hls, media: HTMLMediaElement, url: string): void {
  const at = media.currentTime;
  hls.loadSource(url);
  hls.startLoad(at || -1);
}
