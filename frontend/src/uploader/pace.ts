/* How fast bytes go, smoothed so that the time left does not jump about. */
import { emaFilter } from "@uppy/core/utils";

const HALF_LIFE = 3_000; // milliseconds
const SHORTEST = 400; // milliseconds between two looks
const STILL = 8_000; // milliseconds without a byte until nothing is said to move

export class Pace {
  private bytes = 0;
  private looked = 0;
  private moved = 0;
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
    if (isFirst || bytes > this.bytes) this.moved = now;
    this.bytes = bytes;
    this.looked = now;
    return this.smoothed;
  }

  /** Whether nothing goes any more, as where the server is away and is asked again in silence. */
  isStill(now = performance.now()): boolean {
    return this.looked > 0 && now - this.moved > STILL;
  }

  /** What went before says nothing about what comes. */
  forget(): void {
    this.looked = this.smoothed = 0;
  }
}
