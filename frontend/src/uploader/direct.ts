/* Sends a file straight to the storage, in parts side by side; our server only opens and closes.
 *
 * The server's addresses for parts end; it makes new ones. Which parts have arrived is the
 * storage's to say, so that a reload costs at most the parts under way. Where the server has no
 * direct way after all, the file is left to the next uploader.
 */
import { BasePlugin, EventManager } from "@uppy/core";
import type { DefinePluginOpts, PluginOpts, Uppy } from "@uppy/core";
import {
  type Files,
  type FileMeta,
  filesOf,
  keep,
  type Media,
  type MediaBody,
  type SentFile,
} from "./files";
import { call, isGood, send } from "./server";

interface Options extends PluginOpts {
  endpoint: string;
}

interface PartAddress {
  number: number;
  url: string;
  headers?: Record<string, string>;
}

interface PartDone {
  number: number;
  etag: string;
}

interface Session {
  id: string;
  part_size: number;
  parts: (PartAddress & Partial<PartDone>)[];
}

const SIDE_BY_SIDE = 4;
const MINTED = 20; // addresses asked for at once
const DELAYS = [1_000, 3_000, 5_000, 10_000, 20_000, 30_000]; // milliseconds
const UNAVAILABLE = "direct_upload_unavailable";
const GONE = new Set([404, 410]);

/** The server or the storage has answered with a refusal, or not at all. */
class AnswerError extends Error {
  constructor(readonly xhr: XMLHttpRequest) {
    super(`answer ${xhr.status}`);
  }
}

function read<T>(xhr: XMLHttpRequest): T {
  if (!isGood(xhr)) throw new AnswerError(xhr);
  return JSON.parse(xhr.responseText) as T;
}

/** One file on its way. */
class DirectSending {
  private readonly finished = new Map<number, string>();
  private readonly moving = new Map<number, number>(); // bytes of parts under way
  private readonly addresses = new Map<number, PartAddress>();
  private id = "";
  private partSize = 0;

  constructor(
    private readonly file: SentFile,
    private readonly endpoint: string,
    private readonly onProgress: (bytes: number) => void,
  ) {}

  /** Opens the session, or the one that `known` names. False where there is no direct way. */
  async open(known: string | undefined, signal: AbortSignal): Promise<string | false> {
    if (known && (await this.reopen(known, signal))) return this.id;
    const { name, size, type, meta } = this.file;
    const labels = {
      tags: meta.tags,
      visibility: meta.visibility,
      sha256: meta.sha256,
      ...(meta.for_use && { for_use: true }),
    };
    const answer = await call(
      this.endpoint,
      "POST",
      { filename: name, size, mime_type: type, ...labels },
      signal,
    );
    if (answer.status === 409 && answer.responseText.includes(UNAVAILABLE)) return false;
    this.take(read<Session>(answer));
    return this.id;
  }

  /** Sends what is missing, and closes. */
  async finish(signal: AbortSignal): Promise<{ media: Media; xhr: XMLHttpRequest }> {
    const missing = this.numbers().filter((number) => !this.finished.has(number));
    const lane = async (): Promise<void> => {
      for (let number = missing.shift(); number; number = missing.shift())
        await this.sendPart(number, signal);
    };
    await Promise.all(Array.from({ length: SIDE_BY_SIDE }, lane));
    const parts = this.numbers().map((number) => ({ number, etag: this.finished.get(number) }));
    const xhr = await call(`${this.endpoint}${this.id}/complete/`, "POST", { parts }, signal);
    return { media: read<Media>(xhr), xhr };
  }

  private async reopen(id: string, signal: AbortSignal): Promise<boolean> {
    const answer = await call(`${this.endpoint}${id}/`, "GET", undefined, signal);
    if (GONE.has(answer.status)) return false;
    const session = read<Session>(answer);
    for (const part of session.parts) this.finished.set(part.number, part.etag ?? "");
    this.take({ ...session, id });
    this.tell();
    return true;
  }

  private take(session: Session): void {
    this.id = session.id;
    this.partSize = session.part_size;
    for (const part of session.parts) if (part.url) this.addresses.set(part.number, part);
  }

  private numbers(): number[] {
    const count = Math.max(Math.ceil((this.file.size ?? 0) / this.partSize), 1);
    return Array.from({ length: count }, (_, index) => index + 1);
  }

  private piece(number: number): Blob {
    return (this.file.data as Blob).slice((number - 1) * this.partSize, number * this.partSize);
  }

  private async sendPart(number: number, signal: AbortSignal): Promise<void> {
    for (let attempt = 0; ; attempt += 1) {
      const { url, headers } = await this.address(number, signal);
      const answer = await send(url, {
        method: "PUT",
        body: this.piece(number),
        headers: headers ?? {},
        signal,
        onProgress: (bytes) => this.tell(number, bytes),
      });
      if (isGood(answer)) {
        // A storage that does not show its tag to scripts is asked for it by our server.
        this.finished.set(number, answer.getResponseHeader("ETag") ?? "");
        this.moving.delete(number);
        return;
      }
      this.addresses.delete(number); // it may have run out
      const delay = DELAYS[attempt];
      if (delay === undefined) throw new AnswerError(answer);
      await rest(delay, signal);
    }
  }

  private async address(number: number, signal: AbortSignal): Promise<PartAddress> {
    const known = this.addresses.get(number);
    if (known) return known;
    const numbers = this.numbers()
      .filter((one) => one >= number && !this.finished.has(one) && !this.addresses.has(one))
      .slice(0, MINTED);
    const answer = await call(`${this.endpoint}${this.id}/parts/`, "POST", { numbers }, signal);
    for (const part of read<Pick<Session, "parts">>(answer).parts)
      this.addresses.set(part.number, part);
    const minted = this.addresses.get(number);
    if (!minted) throw new AnswerError(answer);
    return minted;
  }

  private tell(number?: number, bytes = 0): void {
    if (number) this.moving.set(number, bytes);
    const done = [...this.finished.keys()].reduce((sum, one) => sum + this.piece(one).size, 0);
    this.onProgress([...this.moving.values()].reduce((sum, one) => sum + one, done));
  }
}

/** Waits `delay` milliseconds, and on until there is a connection. */
function rest(delay: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const go = (): void => {
      if (navigator.onLine) resolve();
      else addEventListener("online", () => resolve(), { once: true, signal });
    };
    const timer = setTimeout(go, delay);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(new DOMException("stopped", "AbortError"));
    });
  });
}

export default class DirectUpload extends BasePlugin<
  DefinePluginOpts<Options, never>,
  FileMeta,
  MediaBody
> {
  /** The server's name of each file's session, also of files that were removed meanwhile. */
  private readonly sessions = new Map<string, string>();

  constructor(uppy: Uppy<FileMeta, MediaBody>, options: Options) {
    super(uppy, options);
    this.id = "DirectUpload";
    this.type = "uploader";
  }

  override install(): void {
    this.uppy.addUploader(this.sendAll);
  }

  override uninstall(): void {
    this.uppy.removeUploader(this.sendAll);
  }

  private readonly sendAll = async (ids: string[]): Promise<void> => {
    for (const file of filesOf(this.uppy)) if (ids.includes(file.id)) await this.sendOne(file);
  };

  /** Sends one file; being paused in between, or removed, ends a round of requests. */
  private async sendOne(file: SentFile): Promise<void> {
    const events = new EventManager(this.uppy);
    let round = new AbortController();
    events.onPause(file.id, (isPaused) => isPaused && round.abort());
    events.onFileRemove(file.id, () => round.abort());
    try {
      for (let isOver = false; !isOver; round = new AbortController()) {
        isOver = await this.tryRound(file, round.signal);
      }
    } finally {
      events.remove();
    }
  }

  /** True when nothing is left to do: sent, removed, or left to another uploader. */
  private async tryRound(file: SentFile, signal: AbortSignal): Promise<boolean> {
    try {
      await this.send(file, signal);
      return true;
    } catch (error) {
      if (!signal.aborted) return this.fail(file, error);
      if (await this.isMovingAgain(file.id)) return false;
      this.abandon(file);
      return true;
    }
  }

  private async send(file: SentFile, signal: AbortSignal): Promise<void> {
    const sending = new DirectSending(file, this.opts.endpoint, (bytes) => {
      const current = this.uppy.getFile(file.id);
      if (!current) return;
      const uploadStarted = current.progress.uploadStarted ?? 0;
      this.uppy.emit("upload-progress", current, {
        uploadStarted,
        bytesUploaded: bytes,
        bytesTotal: file.size,
      });
    });
    const current = this.uppy.getFile(file.id) as SentFile;
    const id = await sending.open(current.direct?.id, signal);
    if (!id) return;
    this.sessions.set(file.id, id);
    keep(this.uppy as Files, file.id, { direct: { id } });
    if (!current.progress.uploadStarted) this.uppy.emit("upload-start", [current]);
    const { media, xhr } = await sending.finish(signal);
    this.uppy.emit("upload-success", this.uppy.getFile(file.id), {
      status: xhr.status,
      body: { media },
    });
  }

  private fail(file: SentFile, error: unknown): never {
    const failed = error instanceof Error ? error : new Error(String(error));
    const xhr = error instanceof AnswerError ? error.xhr : undefined;
    this.uppy.emit("upload-error", this.uppy.getFile(file.id), failed, {
      status: xhr?.status ?? 0,
      ...(xhr && { body: { xhr } }),
    });
    throw failed;
  }

  private isMovingAgain(id: string): Promise<boolean> {
    return new Promise((resolve) => {
      const look = (): void => {
        const file = this.uppy.getFile(id);
        if (file?.isPaused) return;
        this.uppy.off("state-update", look);
        resolve(file !== undefined);
      };
      this.uppy.on("state-update", look);
      look();
    });
  }

  private abandon(file: SentFile): void {
    const id = this.sessions.get(file.id);
    if (id) void call(`${this.opts.endpoint}${id}/`, "DELETE");
  }
}
