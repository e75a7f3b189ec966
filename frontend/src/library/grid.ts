/* `<media-grid>`: a library of any length, of which only what is near the window is in the document.
 *
 * The server gives the first page with its cards, and an outline: how many files there are of each
 * month, in stretches with a way to each. From that the list has its height and its scale at once;
 * the cards of a stretch come when it nears the window, and go when it is far. Once seen, a stretch
 * has the same rows for ever, and what stands in the window stays where it is when others come.
 *
 * What is selected is not kept here but by id in `page/selection/chosen`.
 */
import { t } from "../language/words";
import { GONE } from "../page/events";
import { giveOrder, MOST_CHOSEN, type Ends } from "../page/selection/chosen";
import { fetchCard, fetchIds, fetchOutline, Loader } from "./fetching";
import { Heights } from "./heights";
import { markInWords, monthInWords, monthOf } from "./marks";
import { walk, type Walkable } from "./moving";
import { placeToReturnTo, rememberPlace, type Place } from "./places";
import type { Frame, Spot } from "./rows";
import { lay, Scene } from "./scene";
import { Scrubber, type Mark } from "./scrubber";
import { idOf, idsOf, isMonth, Stretch, stretchAt, stretchesOf, stretchOf, type Row } from "./stretches";

const NEAR = 1; // windows above and below that are in the document
const AHEAD = 2; // windows above and below whose cards are fetched
const KEPT = 40; // stretches whose cards are kept
const CALM = 60; // milliseconds without a leap before cards are fetched
const SCALED_FROM = 3; // windows: a shorter list needs no scale
const SHAPE = 1.35; // of pictures nobody has seen yet

let shown: MediaGrid | undefined;

export class MediaGrid extends HTMLElement {
  private stretches: Stretch[] = [];
  private list!: HTMLElement;
  private scene!: Scene;
  private loader!: Loader;
  private scrubber: Scrubber | null = null;
  private notice: HTMLElement | null = null;
  private frame: Frame = { width: 0, target: 200, gap: 4 };
  private readonly heights = new Heights();
  private height = 0;
  private tallest = Infinity;
  private tick = 0;
  private calm = 0;
  private lastTop = 0;
  private drawing = 0;
  private focusOn = -1;
  private isOutlined = false;
  /** The file that shall stand at its place as soon as it is known where that is. */
  private pending: Place | null = null;
  private gone = new AbortController();

  connectedCallback(): void {
    const list = this.querySelector<HTMLElement>("#grid");
    if (!list) return;
    this.list = list;
    this.gone = new AbortController();
    this.scene = new Scene(list, () => this.count, (element) => this.leave(element));
    this.loader = new Loader(this.dataset.cards ?? "", (stretch) => this.arrive(stretch));
    this.adoptFirstPage();
    this.classList.add("is-placed");
    this.classList.toggle("is-long", "more" in this.dataset);
    this.measure();
    this.layOut();
    this.draw();
    this.listen();
    void this.outline();
    shown = this;
    giveOrder({
      known: (ends) => this.known(ends),
      ask: (ends) => fetchIds(this.dataset.ids ?? "", MOST_CHOSEN, ends),
    });
  }

  disconnectedCallback(): void {
    // Its successor may be here already.
    if (shown === this) giveOrder();
    this.gone.abort();
    this.loader.stop(this.stretches);
    clearTimeout(this.calm);
    cancelAnimationFrame(this.drawing);
  }

  private known(ends?: Ends): { ids: string[]; isWhole: boolean } {
    const { ids, isWhole } = idsOf(this.stretches, ends);
    const isBegun = !this.isOutlined && "more" in this.dataset; // more is to come than is known of
    return { ids, isWhole: isWhole && (ends !== undefined || !isBegun) };
  }

  get count(): number {
    const last = this.stretches.at(-1);
    return last ? last.first + last.count : 0;
  }

  // -- what there is ----------------------------------------------------------------------------

  private adoptFirstPage(): void {
    const cards = [...this.list.querySelectorAll<HTMLElement>(":scope > .card")];
    const months = (this.dataset.months ?? "").split(" ").filter(Boolean);
    const rows: Row[] = months.map((month) => {
      const [mark = "", count] = month.split("*");
      return [Number(count), mark, null];
    });
    this.stretches = stretchesOf(rows.length ? rows : [[cards.length, "", null]]);
    let from = 0;
    for (const stretch of this.stretches) {
      stretch.take(cards.slice(from, from + stretch.count));
      from += stretch.count;
    }
  }

  private async outline(): Promise<void> {
    try {
      const rows = await fetchOutline(this.dataset.outline ?? "", this.gone.signal);
      this.complain("");
      this.takeOutline(rows);
    } catch {
      if (!this.gone.signal.aborted) this.complain(t("The list could not be loaded."));
    }
  }

  /** What is here already stays, where the outline begins with the same. */
  private takeOutline(rows: Row[]): void {
    const here = this.stretches;
    const all = stretchesOf(rows);
    all.forEach((stretch, index) => {
      const same = here[index];
      if (same?.cards && same.count === stretch.count && (!same.mark || same.mark === stretch.mark)) {
        stretch.take(same.cards);
      }
    });
    if (!all.length) return;
    this.stretches = all;
    this.layOut();
    this.scaleScrubber();
    this.isOutlined = true;
    this.returnTo(placeToReturnTo());
    this.draw();
  }

  private returnTo(place: Place | null): void {
    if (!place || place.number >= this.count) return;
    const stretch = this.stretches[stretchOf(this.stretches, place.number)];
    if (!stretch) return;
    this.pending = place;
    this.settle();
  }

  private settle(): void {
    const { pending } = this;
    if (!pending) return;
    const stretch = this.stretches[stretchOf(this.stretches, pending.number)];
    const spot = this.spot(pending.number);
    const y = spot?.y ?? stretch?.top ?? 0;
    if (spot) this.pending = null;
    this.bring(y - pending.offset);
  }

  private arrive(stretch: Stretch): void {
    if (!this.isConnected) return;
    if (stretch.failed) {
      this.complain(
        navigator.onLine
          ? t("The next files could not be loaded.")
          : t("You are offline. The rest comes when you are back."),
      );
    } else {
      this.complain("");
      this.stay(() => this.layOut());
      this.settle();
    }
    this.draw();
  }

  /** The least recently seen give their cards back; what they looked like is kept. */
  private forget(): void {
    const full = this.stretches.filter((stretch) => stretch.cards);
    if (full.length <= KEPT) return;
    full.sort((one, other) => one.used - other.used);
    for (const stretch of full.slice(0, full.length - KEPT)) {
      const isShown = stretch.cards?.some((card) => card.isConnected);
      if (!isShown) stretch.cards = null;
    }
  }

  // -- where it is ------------------------------------------------------------------------------

  private measure(): boolean {
    const style = getComputedStyle(this.list);
    const frame = {
      width: this.list.clientWidth,
      target: parseFloat(style.getPropertyValue("--row")) || 200,
      gap: parseFloat(style.getPropertyValue("--gap")) || 4,
    };
    this.tallest = parseFloat(style.getPropertyValue("--tallest")) || Infinity;
    const isOther = frame.width !== this.frame.width || frame.target !== this.frame.target;
    this.frame = frame;
    return isOther;
  }

  private layOut(): void {
    const seen = this.stretches.flatMap((stretch) => stretch.shapes ?? []);
    const shape = seen.length ? seen.reduce((sum, one) => sum + one, 0) / seen.length : SHAPE;
    let [top, first] = [0, 0];
    for (const stretch of this.stretches) {
      Object.assign(stretch, { top, first });
      stretch.lay(this.frame, shape);
      top += stretch.height + this.frame.gap;
      first += stretch.count;
    }
    this.height = Math.max(top - this.frame.gap, 0);
    this.list.style.height = `${this.heights.fit(this.height, this.tallest)}px`;
  }

  /** The top of the window, as a place in the element of the list. */
  private get at(): number {
    return -this.list.getBoundingClientRect().top;
  }

  /** The top of the list, in the window. */
  private get origin(): number {
    return -this.at - this.heights.shift;
  }

  spot(number: number): Spot | undefined {
    const stretch = this.stretches[stretchOf(this.stretches, number)];
    return stretch?.spot(number - stretch.first);
  }

  /** The file that one looks at: the first whose upper edge is in the window. */
  private place(): Place | null {
    const top = Math.max(-this.origin, 0);
    for (let at = stretchAt(this.stretches, top); at < this.stretches.length; at += 1) {
      const stretch = this.stretches[at];
      if (!stretch || stretch.top > top + innerHeight) return null;
      const index = stretch.spots.findIndex((spot) => stretch.top + stretch.margin + spot.y >= top);
      if (index < 0) continue;
      const y = stretch.spot(index)?.y ?? 0;
      return { number: stretch.first + index, offset: y + this.origin };
    }
    return null;
  }

  /** Does what changes heights; what one looks at stays where it is. */
  private stay(change: () => void): void {
    const place = -this.origin > 0 ? this.place() : null;
    change();
    if (!place) return;
    const spot = this.spot(place.number);
    if (spot) this.bring(spot.y - place.offset);
  }

  /** So that the height `y` of the list is at the top of the window. */
  private bring(y: number): void {
    const by = this.heights.reach(y, this.at, innerHeight);
    if (Math.abs(by) >= 1) scrollBy({ top: by, behavior: "instant" });
    this.drawSoon();
  }

  // -- what is seen -----------------------------------------------------------------------------

  private draw(): void {
    cancelAnimationFrame(this.drawing);
    this.drawing = 0;
    const by = this.heights.follow(this.at, innerHeight);
    if (by) scrollBy({ top: by, behavior: "instant" });
    const top = -this.origin;
    const [from, to] = [top - NEAR * innerHeight, top + (1 + NEAR) * innerHeight];
    const near = this.between(from, to);
    this.tick += 1;
    for (const stretch of near) stretch.used = this.tick;
    const focused = this.focused();
    const kept = focused >= 0 ? this.stretches[stretchOf(this.stretches, focused)] : undefined;
    if (kept && !near.includes(kept)) near[kept.top < from ? "unshift" : "push"](kept);
    this.scene.show(near, from, to, this.heights.shift);
    this.fetchSoon(top);
    this.focusOpened();
    this.scrubber?.show(Math.min(Math.max(top / this.height, 0), 1));
  }

  private between(from: number, to: number): Stretch[] {
    const found: Stretch[] = [];
    for (let at = stretchAt(this.stretches, from); at < this.stretches.length; at += 1) {
      const stretch = this.stretches[at];
      if (!stretch || stretch.top > to) break;
      if (stretch.top + stretch.height >= from) found.push(stretch);
    }
    return found;
  }

  /** Nothing is fetched of what flies by. */
  private fetchSoon(top: number): void {
    const leaps = Math.abs(top - this.lastTop) > innerHeight / 2;
    this.lastTop = top;
    if (this.calm && !leaps) return;
    clearTimeout(this.calm);
    this.calm = window.setTimeout(() => {
      this.calm = 0;
      this.fetchNear();
    }, CALM);
  }

  private fetchNear(): void {
    const top = -this.origin;
    const middle = top + innerHeight / 2;
    const near = this.between(top - AHEAD * innerHeight, top + (1 + AHEAD) * innerHeight);
    const distance = ({ top: y, height }: Stretch): number =>
      Math.max(y - middle, middle - y - height, 0);
    near.sort((one, other) => distance(one) - distance(other));
    this.loader.want(near, this.stretches);
    this.forget();
  }

  /** A card whose file is not finished asks for news only as long as it is in the document; its
   * copy has not asked yet. */
  private leave(element: HTMLElement): void {
    if (!element.hasAttribute("data-poll")) return;
    const [stretch, index] = this.find(idOf(element));
    if (stretch?.cards) stretch.cards[index] = element.cloneNode(true) as HTMLElement;
  }

  private find(id: string): [Stretch | undefined, number] {
    const stretch = this.stretches.find((one) => one.ids.includes(id));
    return [stretch, stretch?.ids.indexOf(id) ?? -1];
  }

  /** The file of a card was removed elsewhere. */
  private drop(event: Event): void {
    const [stretch, index] = this.find(idOf(event.target as HTMLElement));
    if (!stretch?.cards) return;
    stretch.shapes = null;
    stretch.take(stretch.cards.filter((_, number) => number !== index));
    this.stay(() => this.layOut());
    this.drawSoon();
  }

  private complain(words: string): void {
    if (!words && !this.notice) return;
    this.notice ??= this.makeNotice();
    const place = this.notice.querySelector("p");
    if (place) place.textContent = words;
    this.notice.hidden = !words;
  }

  private makeNotice(): HTMLElement {
    const notice = document.createElement("div");
    notice.className = "library__notice";
    notice.hidden = true;
    const words = document.createElement("p");
    words.setAttribute("role", "alert");
    const again = document.createElement("button");
    again.type = "button";
    again.className = "button button--quiet button--small";
    again.textContent = t("Try again");
    again.addEventListener("click", () => this.retry());
    notice.append(words, again);
    this.append(notice);
    return notice;
  }

  private retry(): void {
    this.complain("");
    for (const stretch of this.stretches) stretch.failed = false;
    if (this.stretches.some((stretch) => stretch.cursor)) this.fetchNear();
    else void this.outline();
  }

  // -- the scale --------------------------------------------------------------------------------

  private scaleScrubber(): void {
    // The room for it is there from the start where more than the first page follows.
    const isLong = "more" in this.dataset || this.height > SCALED_FROM * innerHeight;
    this.classList.toggle("is-long", isLong);
    if (this.measure()) this.stay(() => this.layOut()); // the scale takes room
    if (!isLong) {
      this.scrubber?.element.remove();
      this.scrubber = null;
      return;
    }
    const isByTime = isMonth(this.stretches[0]?.mark ?? "");
    this.scrubber ??= new Scrubber((at) => this.bring(at * this.height), isByTime);
    if (!this.scrubber.element.isConnected) this.append(this.scrubber.element);
    this.scrubber.scale(this.marks(isByTime));
  }

  private marks(isByTime: boolean): Mark[] {
    const ordering = new URLSearchParams(location.search).get("ordering") ?? "";
    return this.stretches
      .filter((stretch) => !isByTime || stretch.heading)
      .map(({ mark, top }) => ({
        at: top / this.height,
        words: isByTime ? monthInWords(mark) : markInWords(mark, ordering),
        year: isByTime ? mark.slice(0, 4) : "",
      }));
  }

  // -- what happens -----------------------------------------------------------------------------

  private listen(): void {
    const { signal } = this.gone;
    const options = { signal, passive: true };
    addEventListener("scroll", () => this.drawSoon(), options);
    addEventListener("pagehide", () => this.keepPlace(), options);
    addEventListener("online", () => this.retry(), options);
    document.addEventListener("htmx:beforeRequest", () => this.keepPlace(), options);
    document.addEventListener("htmx:load", (event) => this.follow(event), options);
    for (const name of ["wheel", "touchmove", "keydown", "pointerdown"]) {
      addEventListener(name, () => (this.pending = null), options); // somebody goes elsewhere
    }
    document.addEventListener(GONE, (event) => this.drop(event), options);
    this.list.addEventListener("keydown", (event) => walk(this.walkable, event), { signal });
    // Later, since what it does changes the size of what is observed.
    const observer = new ResizeObserver(() => requestAnimationFrame(() => this.resize()));
    observer.observe(this.list);
    signal.addEventListener("abort", () => observer.disconnect());
  }

  private drawSoon(): void {
    this.drawing ||= requestAnimationFrame(() => this.draw());
  }

  /** Not before there is one: others ask the server for things while the list begins. */
  private keepPlace(): void {
    if (!this.isOutlined || this.pending) return;
    const place = this.place();
    if (place) rememberPlace(place);
  }

  private resize(): void {
    if (!this.isConnected) return;
    const before = this.frame.width;
    const place = this.place();
    if (!this.measure()) return;
    this.layOut();
    const spot = place && -this.origin > 0 ? this.spot(place.number) : undefined;
    if (spot && place && before) this.bring(spot.y - place.offset);
    this.scaleScrubber();
    this.draw();
  }

  /** A card has brought its successor, which knows more of its file. */
  private follow(event: Event): void {
    const { elt } = (event as CustomEvent<{ elt: unknown }>).detail;
    if (!(elt instanceof HTMLElement) || !elt.matches("li.card") || elt.style.width) return;
    const [stretch, index] = this.find(idOf(elt));
    const spot = stretch?.spot(index);
    if (!stretch?.cards || !spot) return;
    stretch.cards[index] = elt;
    lay(elt, spot, this.heights.shift);
    this.drawSoon();
  }

  /** A file that has just been uploaded stands first. */
  async add(pageUrl: string): Promise<void> {
    const card = await fetchCard(`${pageUrl}status/`, this.gone.signal).catch(() => undefined);
    if (!card || this.find(idOf(card))[0]) return;
    const [first] = this.stretches;
    const month = monthOf(idOf(card), this.dataset.zone ?? "UTC");
    if (first?.cards && first.mark === month) {
      first.shapes = null;
      first.take([card, ...first.cards]);
    } else {
      const stretch = new Stretch(1, month, null, true);
      stretch.take([card]);
      this.stretches.unshift(stretch);
    }
    this.stay(() => this.layOut());
    this.scaleScrubber();
    this.draw();
  }

  // -- keys -------------------------------------------------------------------------------------

  private focused(): number {
    const card = document.activeElement?.closest<HTMLElement>("li.card");
    if (!card || !this.list.contains(card)) return -1;
    return Number(card.getAttribute("aria-posinset") ?? 0) - 1;
  }

  private get walkable(): Walkable {
    return {
      count: this.count,
      focused: () => this.focused(),
      spot: (number) => this.spot(number),
      open: (number) => this.open(number),
    };
  }

  private open(number: number): void {
    this.focusOn = number;
    const stretch = this.stretches[stretchOf(this.stretches, number)];
    const spot = this.spot(number);
    const [y, height] = spot ? [spot.y, spot.height] : [stretch?.top ?? 0, innerHeight / 2];
    const top = y + this.origin;
    const head = Math.min(innerHeight / 4, 160); // what stays at the top of the window
    if (top < head) this.bring(y - head);
    else if (top + height > innerHeight - head / 2) this.bring(y + height - innerHeight + head / 2);
    this.draw();
  }

  private focusOpened(): void {
    if (this.focusOn < 0) return;
    const stretch = this.stretches[stretchOf(this.stretches, this.focusOn)];
    const card = stretch?.cards?.[this.focusOn - stretch.first];
    const link = card?.isConnected ? card.querySelector<HTMLElement>(".card__link") : null;
    if (!link) return;
    this.focusOn = -1;
    link.focus({ preventScroll: true });
  }
}
