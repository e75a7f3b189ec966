/* Which file goes next. A few at a time, each by itself: one refusal holds up nobody. */
import { type Files, filesOf, isDone, keep, type SentFile } from "./files";

const PARALLEL = 3; // leaves connections for the pages
const PATIENCE = 20_000; // milliseconds until what failed in passing is tried again

export class Queue {
  private readonly running = new Set<string>();

  constructor(private readonly uppy: Files) {
    uppy.on("files-added", () => this.fill());
    uppy.on("file-removed", (file) => this.running.delete(file.id) && this.fill());
    addEventListener("online", () => this.retryPassing());
  }

  /** Starts as many as may go at once. */
  fill(): void {
    const moving = [...this.running].filter((id) => this.uppy.getFile(id)?.isPaused !== true);
    let free = PARALLEL - moving.length;
    for (const file of filesOf(this.uppy)) {
      if (free <= 0) return;
      if (!this.isWaiting(file)) continue;
      this.run(file.id);
      free -= 1;
    }
  }

  isRunning(id: string): boolean {
    return this.running.has(id);
  }

  pause(id: string): void {
    this.setPaused(id, true);
    this.fill();
  }

  resume(id: string): void {
    this.setPaused(id, false);
    this.fill();
  }

  pauseAll(): void {
    // Those that wait come first, or each would start when one before it stops.
    const open = this.unfinished().sort(
      (a, b) => Number(this.isRunning(a.id)) - Number(this.isRunning(b.id)),
    );
    for (const file of open) this.setPaused(file.id, true);
  }

  resumeAll(): void {
    for (const file of this.unfinished()) this.setPaused(file.id, false);
    this.fill();
  }

  retry(id: string): void {
    keep(this.uppy, id, { failure: undefined });
    this.uppy.setFileState(id, { error: null, isPaused: false });
    this.fill();
  }

  /** Tries again by itself, sooner or later. */
  retryLater(id: string): void {
    setTimeout(() => {
      const file = filesOf(this.uppy).find((one) => one.id === id);
      if (file?.failure?.isPassing && navigator.onLine) this.retry(id);
    }, PATIENCE);
  }

  retryPassing(): void {
    for (const file of filesOf(this.uppy)) if (file.failure?.isPassing) this.retry(file.id);
  }

  private unfinished(): SentFile[] {
    return filesOf(this.uppy).filter((file) => !isDone(file) && !file.failure && !file.isGhost);
  }

  private isWaiting(file: SentFile): boolean {
    const isStopped = file.isPaused || file.isGhost || file.failure || file.error;
    return !isStopped && !isDone(file) && !this.running.has(file.id);
  }

  private setPaused(id: string, paused: boolean): void {
    const file = this.uppy.getFile(id);
    if (!file || Boolean(file.isPaused) === paused) return;
    if (this.running.has(id)) this.uppy.pauseResume(id);
    else this.uppy.setFileState(id, { isPaused: paused });
  }

  private run(id: string): void {
    this.running.add(id);
    const finish = (): void => {
      this.running.delete(id);
      this.fill();
    };
    // Uppy's way to start one file alone; what fails is told by its events.
    this.uppy.retryUpload(id).then(finish, finish);
  }
}
