/* `<media-beside>`: the links to the files before and after, also by arrow keys and by swiping.
 * Their pictures are fetched ahead, when there is nothing else to do. */
const SIZES = "(min-width: 64em) calc(100vw - 26rem), 100vw"; // as the page shows them
const FAR = 60; // CSS pixels of a swipe
const FLAT = 2; // how much further across than along
const LONGEST = 800; // milliseconds
const THEIRS =
  "input, textarea, select, iframe, media-player, document-pages, dialog, [contenteditable], [data-keys]";
const BUSY = "dialog[open], :popover-open, .is-zoomed";

interface Touch {
  id: number;
  x: number;
  y: number;
  time: number;
}

export class MediaBeside extends HTMLElement {
  private gone = new AbortController();
  private touch: Touch | null = null;

  connectedCallback(): void {
    this.gone = new AbortController();
    const { signal } = this.gone;
    document.addEventListener("keydown", (event) => this.press(event), { signal });
    const stage = this.parentElement;
    stage?.addEventListener("pointerdown", (event) => this.begin(event), { signal });
    stage?.addEventListener("pointerup", (event) => this.end(event), { signal });
    stage?.addEventListener("pointercancel", () => (this.touch = null), { signal });
    const idle = window.requestIdleCallback ?? ((deed: () => void) => setTimeout(deed, 500));
    idle(() => this.preload());
  }

  disconnectedCallback(): void {
    this.gone.abort();
  }

  private link(side: "prev" | "next"): HTMLAnchorElement | null {
    return this.querySelector<HTMLAnchorElement>(`a[rel="${side}"]`);
  }

  /** What lies in that direction, which is the other one where people read from right to left. */
  private towards(direction: "left" | "right"): HTMLAnchorElement | null {
    const forward = document.documentElement.dir === "rtl" ? "left" : "right";
    return this.link(direction === forward ? "next" : "prev");
  }

  private press(event: KeyboardEvent): void {
    const { key, target } = event;
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    if (key !== "ArrowLeft" && key !== "ArrowRight") return;
    if (target instanceof Element && target.closest(THEIRS)) return;
    if (document.querySelector(BUSY)) return;
    const link = this.towards(key === "ArrowLeft" ? "left" : "right");
    if (!link) return;
    event.preventDefault();
    link.click();
  }

  private begin(event: PointerEvent): void {
    const { target } = event;
    const isTheirs = target instanceof Element && target.closest("input, button, a, .player__bar");
    const alone = event.pointerType === "touch" && event.isPrimary && !isTheirs;
    // A second finger means the picture.
    this.touch = alone && !document.querySelector(BUSY)
      ? { id: event.pointerId, x: event.clientX, y: event.clientY, time: event.timeStamp }
      : null;
  }

  private end(event: PointerEvent): void {
    const { touch } = this;
    this.touch = null;
    if (!touch || touch.id !== event.pointerId || event.timeStamp - touch.time > LONGEST) return;
    const across = event.clientX - touch.x;
    const along = Math.abs(event.clientY - touch.y);
    if (Math.abs(across) < FAR || Math.abs(across) < FLAT * along) return;
    this.towards(across < 0 ? "right" : "left")?.click(); // the finger pulls it in
  }

  private preload(): void {
    if (!this.isConnected) return;
    for (const { dataset } of this.querySelectorAll<HTMLElement>("a[data-src]")) {
      const image = new Image();
      image.sizes = SIZES;
      image.srcset = dataset.srcset ?? "";
      image.src = dataset.src ?? "";
    }
  }
}
