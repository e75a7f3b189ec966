/* Puts the uploader together: Uppy's core, the ways to send, what survives a reload, the tray. */
import Uppy from "@uppy/core";
import GoldenRetriever from "@uppy/golden-retriever";
import Tus from "@uppy/tus";
import type { Wishes } from "../page/intake";
import { announce } from "./announce";
import { watchArrivals } from "./arrivals";
import DirectUpload from "./direct";
import {
  type FileMeta,
  type Files,
  filesOf,
  isDone,
  keep,
  type MediaBody,
  type SentFile,
} from "./files";
import { prepareFiles } from "./preparation";
import { Queue } from "./queue";
import { emptyFile, explain, type Failure } from "./refusals";
import { csrfToken } from "./server";
import { showTray } from "./tray";
import { t } from "../language/words";

export interface Uploader {
  add(files: File[], wishes: Wishes): void;
  openCamera(wishes: Wishes): void;
  /** The files of a form's field, as they are now, and whenever something of any has changed. */
  filesFor(field: string): SentFile[];
  onChange(look: () => void): () => void;
  retry(id: string): void;
  remove(id: string): void;
}

export interface Asks {
  choose(kind?: "files" | "folder"): void;
}

const MIB = 1024 * 1024;
const CHUNK = 64 * MIB; // a request that proxies in between take
const DELAYS = [0, 1_000, 3_000, 5_000, 10_000, 20_000, 30_000]; // milliseconds
const KEPT_FILE = 256 * MIB; // what a reload finds again by itself; larger ones are chosen again
const KEPT_ALL = 1024 * MIB;
const KEPT_FOR = 24 * 3600 * 1000; // milliseconds; the server keeps unfinished uploads as long
const TABS = 8;
const silent = (): void => undefined;

/** Each tab has a store of its own: two would send the same file. Resolves with its number. */
async function takeSlot(user: string): Promise<number> {
  for (let slot = 1; navigator.locks && slot <= TABS; slot += 1) {
    const isOurs = await new Promise<boolean>((resolve) => {
      void navigator.locks.request(`uploads:${user}:${slot}`, { ifAvailable: true }, (lock) => {
        resolve(lock !== null);
        return lock ? new Promise(silent) : undefined; // held until the tab goes
      });
    });
    if (isOurs) return slot;
  }
  return 1;
}

function makeUppy(id: string): Files {
  return new Uppy<FileMeta, MediaBody>({
    id,
    logger: { debug: silent, warn: silent, error: silent }, // the tray says it
    // What is over may come again; what is under way is there already.
    onBeforeFileAdded: (file, files) => {
      const known = files[file.id] as
        { error?: unknown; progress: { uploadComplete?: boolean } } | undefined;
      return !known || Boolean(known.error) || Boolean(known.progress.uploadComplete);
    },
  });
}

function addWays(uppy: Files, place: HTMLElement): void {
  const { tus = "", direct = "" } = place.dataset;
  if (direct) uppy.use(DirectUpload, { endpoint: direct });
  uppy.use(Tus, {
    endpoint: tus,
    chunkSize: CHUNK,
    retryDelays: DELAYS,
    limit: 0, // the queue decides how many
    removeFingerprintOnSuccess: true,
    onBeforeRequest: (request) => request.setHeader("X-CSRFToken", csrfToken()),
  });
}

function watchFailures(uppy: Files, queue: Queue, say: (words: string) => void): void {
  const fail = ({ id, name }: SentFile, failure: Failure): void => {
    keep(uppy, id, { failure });
    if (failure.isPassing) queue.retryLater(id);
    else say(`${t("{name} was not uploaded.", { name })} ${failure.reason} ${failure.advice}`);
  };
  uppy.on("file-added", (file) => {
    if (file.size === 0) fail(file, emptyFile());
  });
  uppy.on("upload-error", (file, _error, response) => {
    if (file) fail(file, explain(response?.body?.xhr as XMLHttpRequest | undefined));
  });
  uppy.on("restriction-failed", (file) =>
    say(t("{name} is in the list already.", { name: file?.name ?? t("This file") })),
  );
}

/** Restoring, which takes a moment, replaces all there is by what an earlier visit left: what was
 * added meanwhile is kept here, and the queue alone starts uploads. */
function keepWhatIsAdded(uppy: Files): void {
  const setState = uppy.setState.bind(uppy);
  const parts = ["currentUploads", "files", "recoveredState"]; // of which nothing else sets just all
  uppy.setState = (patch) => {
    if (Object.keys(patch ?? {}).sort().join() !== parts.join()) return setState(patch);
    const { files, currentUploads } = uppy.getState();
    setState({ files: { ...patch?.files, ...files }, currentUploads, recoveredState: null });
  };
}

/** What an earlier visit left goes on; what it had paused stays so. */
function goOnAfterReload(uppy: Files, queue: Queue): void {
  keepWhatIsAdded(uppy);
  uppy.on("restored", () => {
    queue.retryPassing();
    queue.fill();
  });
  const indexedDB = { maxFileSize: KEPT_FILE, maxTotalSize: KEPT_ALL };
  uppy.use(GoldenRetriever, { expires: KEPT_FOR, indexedDB } as object);
}

/** Leaves a mark for the next page while something is under way, and warns who closes the tab. */
function guardLeaving(uppy: Files, user: string): void {
  const mark = `uploads:pending:${user}`;
  const isOpen = (): boolean => filesOf(uppy).some((file) => !isDone(file));
  uppy.on("state-update", () => {
    if (isOpen()) localStorage.setItem(mark, "1");
    else localStorage.removeItem(mark);
  });
  addEventListener("beforeunload", (event) => {
    const isMoving = filesOf(uppy).some(
      (file) => !isDone(file) && !file.failure && !file.isPaused && !file.isGhost,
    );
    if (isMoving) event.preventDefault();
  });
}

function describe(file: File, wishes: Wishes): object {
  const { relativePath, webkitRelativePath } = file as File & { relativePath?: string | null };
  const folder = relativePath || webkitRelativePath || null;
  const { field } = wishes;
  // Uppy knows a file by its path, too: the same one may be wanted by two fields.
  const meta = { ...wishes, relativePath: field ?? folder, ...(field && { for_use: "true" }) };
  return { name: file.name, type: file.type, data: file, source: "page", meta };
}

export async function start(place: HTMLElement, asks: Asks): Promise<Uploader> {
  const user = place.dataset.user ?? "";
  const uppy = makeUppy(`uploads-${user}-${await takeSlot(user)}`);
  const say = announce(uppy, place.querySelector("[data-uploads-status]"));
  const queue = new Queue(uppy);
  prepareFiles(uppy);
  addWays(uppy, place);
  watchArrivals(uppy);
  watchFailures(uppy, queue, say);
  guardLeaving(uppy, user);
  showTray(uppy, queue, place, asks);
  goOnAfterReload(uppy, queue);
  let cameraWishes: Wishes | undefined;
  uppy.on("file-added", (file) => {
    if (file.source === "Webcam") uppy.setFileMeta(file.id, { ...cameraWishes } as FileMeta);
  });
  return {
    add: (files, wishes) => uppy.addFiles(files.map((file) => describe(file, wishes)) as never),
    openCamera: (wishes) => {
      cameraWishes = wishes;
      void import("./camera").then(({ openCamera }) => openCamera(uppy, place));
    },
    filesFor: (field) => filesOf(uppy).filter((file) => file.meta.field === field),
    onChange: (look) => {
      uppy.on("state-update", look);
      return () => uppy.off("state-update", look);
    },
    retry: (id) => queue.retry(id),
    remove: (id) => uppy.getFile(id) && uppy.removeFile(id),
  };
}
