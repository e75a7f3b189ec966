/* `<picture-zoom>`: into a picture by wheel, fingers, double click, keys and buttons.
 *
 * Keys are heard while the focus is in here, so that they disturb nobody who speaks or writes. A
 * picture with more detail is fetched only once somebody looks that close.
 */
import Panzoom, { type PanzoomObject } from "@panzoom/panzoom";
import { fetchMade } from "../page/made";
import { t } from "../language/words";

const STEP = 1.5; // of a button or key
const CLOSE = 2.5; // of a double click
const NEVER_LESS = 3; // how far in at least, however small the picture
const NEVER_MORE = 16;
const PAST = 2; // screen pixels for one of the file's
const WHEEL = 0.006; // of the scale, by pixel of the wheel
const WHEEL_MOST = 60; // pixels of one turn that count
const LINE = 20; // pixels of a wheel that turns by lines
const PAN = 60; // pixels of an arrow key
const SLACK = 1.01;
const SETTLED = 150; // milliseconds
const WIDE = "(min-width: 64em)";

interface Place {
  x: number;
  y: number;
  scale: number;
}

export class PictureZoom extends HTMLElement {
  private gone = new AbortController();
  private panzoom: PanzoomObject | undefined;
  private isHolding = false;
  private timer = 0;
  private address = "";

  connectedCallback(): void {
    const image = this.querySelector("img");
    if (!image || image.closest(".picture--icon")) return;
    this.gone = new AbortController();
    image.draggable = false;
    const view = this.piece("view");
    view.tabIndex = 0;
    view.setAttribute("role", "group");
    view.setAttribute("aria-label", t("Picture: plus and minus zoom, 0 shows all of it"));
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.panzoom = Panzoom(this.piece("sheet"), {
      animate: !still,
      canvas: true,
      cursor: "",
      touchAction: "",
      minScale: 1,
      maxScale: NEVER_LESS,
      panOnlyWhenZoomed: true,
      setTransform: (sheet: HTMLElement | SVGElement, place: Place): void => {
        const { x, y } = this.bounded(place);
        sheet.style.transform = `scale(${place.scale}) translate(${x}px, ${y}px)`;
      },
      // What is not for us goes on to the page: a swipe, a scroll.
      handleStartEvent: (event: Event) => {
        if (this.isZoomed) event.preventDefault();
        view.focus({ preventScroll: true });
      },
    });
    this.listen(view);
    this.piece("bar").hidden = false;
    this.show();
  }

  disconnectedCallback(): void {
    this.gone.abort();
    this.panzoom?.destroy();
    this.panzoom = undefined;
    clearTimeout(this.timer);
    URL.revokeObjectURL(this.address);
  }

  private get scale(): number {
    return this.panzoom?.getScale() ?? 1;
  }

  private get isZoomed(): boolean {
    return this.scale > SLACK;
  }

  private get image(): HTMLImageElement {
    return this.querySelector("img") as HTMLImageElement;
  }

  private piece<T extends HTMLElement>(name: string): T {
    return this.querySelector(`[data-part="${name}"]`) as T;
  }

  private listen(view: HTMLElement): void {
    const { signal } = this.gone;
    const sheet = this.piece("sheet");
    sheet.addEventListener("panzoomchange", () => this.change(), { signal });
    view.addEventListener("wheel", (event) => this.wheel(event), { signal, passive: false });
    view.addEventListener("dblclick", (event) => this.flip(event), { signal });
    this.addEventListener("keydown", (event) => this.press(event), { signal });
    const deeds = { in: STEP, out: 1 / STEP, reset: 0 };
    for (const [name, factor] of Object.entries(deeds))
      this.piece(name).addEventListener("click", () => this.zoomBy(factor), { signal });
    const watcher = new ResizeObserver(() => this.show());
    watcher.observe(view);
    signal.addEventListener("abort", () => watcher.disconnect());
  }

  /** By `factor`, around the middle; back to all of the picture by 0. */
  private zoomBy(factor: number): void {
    const { panzoom } = this;
    if (!panzoom) return;
    const wanted = this.scale * factor;
    if (wanted < SLACK) panzoom.reset();
    else panzoom.zoom(Math.min(wanted, this.most), { animate: true });
  }

  private zoomAt(scale: number, event: MouseEvent, animate: boolean): void {
    const kept = Math.min(Math.max(scale, 1), this.most);
    if (kept < SLACK) this.panzoom?.reset({ animate });
    else this.panzoom?.zoomToPoint(kept, event, { animate });
  }

  /** As near as there is something to see. */
  private get most(): number {
    const width = Number(this.image.getAttribute("width")) || this.image.naturalWidth;
    const near = (PAST * width) / (this.image.clientWidth || 1) / devicePixelRatio;
    return Math.min(Math.max(near, NEVER_LESS), NEVER_MORE);
  }

  /** A wheel that would only make smaller what is all there already scrolls the page. */
  private wheel(event: WheelEvent): void {
    const turned = event.deltaY * (event.deltaMode ? LINE : 1);
    const isOurs = event.ctrlKey || this.isZoomed || (matchMedia(WIDE).matches && turned < 0);
    if (!isOurs) return;
    event.preventDefault();
    const counted = Math.min(Math.max(turned, -WHEEL_MOST), WHEEL_MOST);
    this.zoomAt(this.scale * Math.exp(-counted * WHEEL), event, false);
  }

  private flip(event: MouseEvent): void {
    event.preventDefault();
    this.zoomAt(this.isZoomed ? 1 : CLOSE, event, true);
  }

  private press(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const deeds: Record<string, () => void> = {
      "+": () => this.zoomBy(STEP),
      "=": () => this.zoomBy(STEP),
      "-": () => this.zoomBy(1 / STEP),
      0: () => this.zoomBy(0),
    };
    const moves: Record<string, () => void> = {
      Escape: () => this.zoomBy(0),
      ArrowLeft: () => this.pan(PAN, 0),
      ArrowRight: () => this.pan(-PAN, 0),
      ArrowUp: () => this.pan(0, PAN),
      ArrowDown: () => this.pan(0, -PAN),
    };
    const deed = deeds[event.key] ?? (this.isZoomed ? moves[event.key] : undefined);
    if (!deed) return;
    event.preventDefault();
    deed();
  }

  private pan(across: number, down: number): void {
    const { scale } = this;
    this.panzoom?.pan(across / scale, down / scale, { relative: true, animate: false });
  }

  private change(): void {
    this.hold();
    this.show();
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => this.sharpen(), SETTLED);
  }

  /** Where the picture may be: an edge goes no further in than that of the view. */
  private bounded({ x, y, scale }: Place): { x: number; y: number } {
    const view = this.piece("view");
    const held = (at: number, picture: number, place: number): number => {
      const room = Math.max(0, (picture * scale - place) / 2) / scale;
      return Math.min(Math.max(at, -room), room);
    };
    return {
      x: held(x, this.image.clientWidth, view.clientWidth),
      y: held(y, this.image.clientHeight, view.clientHeight),
    };
  }

  /** What is dragged on is counted from where the picture is, and not from where it would be. */
  private hold(): void {
    const { panzoom, scale } = this;
    if (!panzoom || this.isHolding) return;
    const at = panzoom.getPan();
    const { x, y } = this.bounded({ ...at, scale });
    if (Math.abs(at.x - x) < 0.5 && Math.abs(at.y - y) < 0.5) return;
    this.isHolding = true;
    panzoom.pan(x, y, { force: true, animate: false });
    this.isHolding = false;
  }

  private show(): void {
    const { scale, most } = this;
    this.panzoom?.setOptions({ maxScale: most });
    this.classList.toggle("is-zoomed", this.isZoomed);
    this.piece("scale").textContent = `${Math.round(100 * scale)} %`;
    this.piece<HTMLButtonElement>("in").disabled = scale > most / SLACK;
    this.piece<HTMLButtonElement>("out").disabled = !this.isZoomed;
    this.piece<HTMLButtonElement>("reset").disabled = !this.isZoomed;
  }

  /** The browser chooses among what there is by the width that is said; more has to be made. */
  private sharpen(): void {
    if (!this.isZoomed) return;
    const wanted = Math.ceil(this.image.clientWidth * this.scale);
    for (const one of this.querySelectorAll<HTMLSourceElement>("source[sizes]"))
      if (!(parseInt(one.sizes) >= wanted && one.sizes.endsWith("px"))) one.sizes = `${wanted}px`;
    const { larger, width } = this.dataset;
    if (!larger || wanted * devicePixelRatio <= Number(width)) return;
    delete this.dataset.larger;
    void this.fetchLarger(larger).catch(() => undefined); // what there is stays
  }

  private async fetchLarger(url: string): Promise<void> {
    const address = URL.createObjectURL(await fetchMade(url, this.gone.signal));
    const loaded = Object.assign(new Image(), { src: address });
    await loaded.decode();
    this.address = address;
    this.querySelectorAll("picture source").forEach((source) => source.remove());
    this.image.src = address;
  }
}
