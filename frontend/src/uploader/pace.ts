/* How fast bytes go, smoothed so that the time left does not jump about. */
import { emaFilter } from "@uppy/core/utils";

const HALF_LIFE = 3_000; // milliseconds
const SHORTEST = 400; // milliseconds between two looks

export class Pace {
  private bytes = 0;
  private looked = 0;
  private smoothed = 0;

  /** Bytes per second, after `bytes` have gone in all. */
  look(bytes: number, now = performance.now()): number {
    const passed = now - this.looked;
    if (passed < SHORTEST) return this.smoothed;
    // Less than before: something was removed, or begins again.
    const speed = Math.max(bytes - this.bytes, 0) / (passed / 1000);
    const isFirst = this.looked === 0 || bytes < this.bytes;
    if (!isFirst) {
      this.smoothed = this.smoothed ? emaFilter(speed, this.smoothed, HALF_LIFE, passed) : speed;
    }
    this.bytes = bytes;
    this.looked = now;
    return this.smoothed;
  }

  /** What went before says nothing about what comes. */
  forget(): void {
    this.looked = this.smoothed = 0;
  }
}
