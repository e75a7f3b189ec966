/* Heights in the list, and places in its element: the same, until the list is higher than an element
 * can be (a million files are some 45 million pixels on a desk). Then the element is a window of that
 * height into the list, which moves along it. Arithmetic alone. */

const LEAP = 2; // windows at once: nobody scrolls so, but draws the bar of the browser

export class Heights {
  /** What of the list lies above the element. */
  shift = 0;
  private height = 0;
  private shown = 0;
  private last = 0;

  /** The height of the element for a list of `height`; none is higher than `tallest`. */
  fit(height: number, tallest: number): number {
    this.height = height;
    this.shown = Math.min(height, tallest);
    this.shift = Math.min(this.shift, this.hidden);
    return this.shown;
  }

  private get hidden(): number {
    return this.height - this.shown;
  }

  /** After scrolling to the place `at` of the element, with a window of height `view`: what to scroll
   * by for more of the list to lie above and below. Steps are as they are; a leap is to the same
   * share of the list. */
  follow(at: number, view: number): number {
    const by = at - this.last;
    this.last = at;
    if (!this.hidden) return 0;
    if (Math.abs(by) > LEAP * view) {
      this.shift = share(at, this.shown - view) * this.hidden;
      return 0;
    }
    const room = (LEAP + 1) * view;
    const isAtTop = at < room && this.shift > 0;
    const isAtEnd = at > this.shown - view - room && this.shift < this.hidden;
    return isAtTop || isAtEnd ? this.moveTo(at + this.shift - this.shown / 2, at) : 0;
  }

  /** What to scroll by, from the place `at`, for the height `y` of the list to be at the top. */
  reach(y: number, at: number, view: number): number {
    const by = y - this.shift - at;
    if (!this.hidden || Math.abs(by) <= LEAP * view) return this.noted(at, by);
    this.shift = share(y, this.height - view) * this.hidden;
    return this.noted(at, y - this.shift - at);
  }

  private moveTo(shift: number, at: number): number {
    const before = this.shift;
    this.shift = Math.min(Math.max(shift, 0), this.hidden);
    return this.noted(at, before - this.shift);
  }

  private noted(at: number, by: number): number {
    this.last = at + by;
    return by;
  }
}

const share = (part: number, whole: number): number => Math.min(Math.max(part / whole, 0), 1);
