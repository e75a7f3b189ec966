/* Which parts of the list are in the document: what is near the window, and what has the focus. */
import htmx from "htmx.org";
import { monthInWords } from "./marks";
import type { Spot } from "./rows";
import type { Stretch } from "./stretches";

export class Scene {
  private shift = 0;
  private shown = new Set<HTMLElement>();
  private readonly headings = new WeakMap<Stretch, HTMLElement>();
  private readonly waits = new WeakMap<Stretch, HTMLElement>();

  constructor(
    private readonly list: HTMLElement,
    private readonly total: () => number,
    /** Hears of what was taken out of the document. */
    private readonly left: (element: HTMLElement) => void,
  ) {}

  /** What is in the document between the heights `from` and `to` of the list, of which `shift` lies
   * above its element. */
  show(stretches: readonly Stretch[], from: number, to: number, shift: number): void {
    this.shift = shift;
    const wanted: HTMLElement[] = [];
    for (const stretch of stretches) this.collect(stretch, from, to, wanted);
    this.put(wanted);
  }

  private collect(stretch: Stretch, from: number, to: number, wanted: HTMLElement[]): void {
    if (stretch.heading) wanted.push(this.heading(stretch));
    const { cards } = stretch;
    if (!cards) {
      wanted.push(this.wait(stretch));
      return;
    }
    cards.forEach((card, index) => {
      const spot = stretch.spot(index);
      if (!spot) return;
      const isNear = spot.y < to && spot.y + spot.height > from;
      if (!isNear && !card.contains(document.activeElement)) return;
      lay(card, spot, this.shift);
      card.setAttribute("aria-posinset", String(stretch.first + index + 1));
      card.setAttribute("aria-setsize", String(this.total()));
      wanted.push(card);
    });
  }

  /** Elements that stay are not touched: whoever takes one out of the document and in again would
   * take its focus and start its film anew. */
  private put(wanted: HTMLElement[]): void {
    const keep = new Set(wanted);
    for (const element of this.shown) {
      if (keep.has(element)) continue;
      element.remove();
      this.left(element);
    }
    const fresh = wanted.filter((element) => !element.isConnected);
    let next: Element | null = this.list.firstElementChild;
    for (const element of wanted) {
      if (element === next) next = next.nextElementSibling;
      else this.list.insertBefore(element, next);
    }
    while (next) {
      const rest = next;
      next = next.nextElementSibling;
      rest.remove();
    }
    this.shown = keep;
    for (const card of fresh) if (card.matches(".card")) wake(card);
  }

  private heading(stretch: Stretch): HTMLElement {
    let item = this.headings.get(stretch);
    if (!item) {
      item = document.createElement("li");
      item.className = "grid__month";
      const title = document.createElement("h2");
      title.textContent = monthInWords(stretch.mark);
      item.append(title);
      this.headings.set(stretch, item);
    }
    item.style.translate = `0 ${stretch.top - this.shift}px`;
    return item;
  }

  private wait(stretch: Stretch): HTMLElement {
    let item = this.waits.get(stretch);
    if (!item) {
      item = document.createElement("li");
      item.className = "grid__waiting";
      item.setAttribute("aria-hidden", "true");
      this.waits.set(stretch, item);
    }
    item.style.translate = `0 ${stretch.top + stretch.margin - this.shift}px`;
    item.style.height = `${stretch.height - stretch.margin}px`;
    return item;
  }
}

export function lay(card: HTMLElement, spot: Spot, shift: number): void {
  const { style } = card;
  style.insetInlineStart = `${spot.x}px`;
  style.translate = `0 ${spot.y - shift}px`;
  style.width = `${spot.width}px`;
  style.height = `${spot.height}px`;
}

/** As after htmx has brought it: links are followed in place, boxes ticked, colours shown. */
function wake(card: HTMLElement): void {
  htmx.process(card);
  htmx.trigger(card, "htmx:load", { elt: card });
}
