/* Puts the cards of a gallery in another order: by dragging their handles, or by the keys on them.
 *
 * The order is the server's: each move is sent as "these before that one". A move that was refused
 * is taken back.
 */
import { csrfToken } from "../uploader/server";
import { t } from "../language/words";

const PAUSE = 400; // milliseconds after the last key before a move is sent
const EARLIER = new Set(["ArrowLeft", "ArrowUp"]);
const LATER = new Set(["ArrowRight", "ArrowDown"]);

export class Arranging {
  private moving: HTMLElement | undefined;
  private before: Element | null = null; // what followed the moving card when it was taken
  private waiting = 0;

  constructor(
    private readonly gallery: HTMLElement,
    private readonly address: string,
    signal: AbortSignal,
  ) {
    const listen = <K extends keyof HTMLElementEventMap>(
      name: K,
      act: (event: HTMLElementEventMap[K]) => void,
    ): void => gallery.addEventListener(name, act as EventListener, { signal });
    gallery.classList.add("is-arranged");
    listen("pointerdown", (event) => this.take(event));
    listen("pointermove", (event) => this.drag(event));
    listen("pointerup", () => this.drop());
    listen("pointercancel", () => this.putBack());
    listen("keydown", (event) => this.press(event));
  }

  end(): void {
    this.settle();
  }

  // -- by pointer ------------------------------------------------------------------------------

  private take(event: PointerEvent): void {
    const handle = handleOf(event);
    const card = handle?.closest<HTMLElement>(".card");
    if (!handle || !card || event.button !== 0) return;
    event.preventDefault();
    this.settle();
    // The card's own capture would end when it moves.
    this.gallery.setPointerCapture(event.pointerId);
    this.lift(card);
    card.classList.add("is-dragged");
  }

  private drag(event: PointerEvent): void {
    const card = this.moving;
    if (!card?.classList.contains("is-dragged")) return;
    scrollNear(event.clientY);
    const under = document.elementFromPoint(event.clientX, event.clientY)?.closest(".card");
    if (!under || under === card || under.parentElement !== card.parentElement) return;
    const box = under.getBoundingClientRect();
    const isRight = event.clientX > box.left + box.width / 2;
    under.parentElement?.insertBefore(card, isRight ? under.nextElementSibling : under);
  }

  private drop(): void {
    if (!this.moving?.classList.contains("is-dragged")) return;
    this.moving.classList.remove("is-dragged");
    this.moving.querySelector<HTMLElement>("[data-handle]")?.focus({ preventScroll: true });
    this.settle();
  }

  // -- by keys ---------------------------------------------------------------------------------

  private press(event: KeyboardEvent): void {
    const card = handleOf(event)?.closest<HTMLElement>(".card");
    const list = card?.parentElement;
    if (!card || !list || !this.step(event.key, card, list)) return;
    event.preventDefault();
    card.querySelector<HTMLElement>("[data-handle]")?.focus();
    const cards = [...list.children];
    const place = { number: cards.indexOf(card) + 1, all: cards.length };
    this.tell(t("Place {number} of {all}.", place));
    clearTimeout(this.waiting);
    this.waiting = window.setTimeout(() => this.settle(), PAUSE);
  }

  private step(key: string, card: HTMLElement, list: Element): boolean {
    if (this.moving && this.moving !== card) this.settle();
    const isKnown = EARLIER.has(key) || LATER.has(key) || key === "Home" || key === "Escape";
    if (!isKnown) return false;
    if (key === "Escape") {
      this.putBack();
      return true;
    }
    if (!this.moving) this.lift(card);
    const { previousElementSibling: previous, nextElementSibling: next } = card;
    if (key === "Home") list.prepend(card);
    else if (EARLIER.has(key) && previous) list.insertBefore(card, previous);
    else if (LATER.has(key) && next) list.insertBefore(card, next.nextElementSibling);
    return true;
  }

  // -- what both end in ------------------------------------------------------------------------

  private lift(card: HTMLElement): void {
    this.moving = card;
    this.before = card.nextElementSibling;
  }

  private putBack(): void {
    clearTimeout(this.waiting);
    const { moving } = this;
    this.moving = undefined;
    if (!moving) return;
    moving.classList.remove("is-dragged");
    moving.parentElement?.insertBefore(moving, this.before);
  }

  /** Send where the card has come to, if that is another place. */
  private settle(): void {
    clearTimeout(this.waiting);
    const { moving: card, before } = this;
    this.moving = undefined;
    if (!card || card.nextElementSibling === before) return;
    this.keepWithinPage(card);
    const next = card.nextElementSibling as HTMLElement | null;
    void this.send(card, next).catch(() => {
      card.parentElement?.insertBefore(card, before);
      this.tell(t("The order could not be changed. Try again."));
    });
  }

  /** Behind the last card of the page there may be others that have not been loaded. */
  private keepWithinPage(card: HTMLElement): void {
    const last = card.previousElementSibling;
    if (card.nextElementSibling || !last || !document.querySelector("#more a")) return;
    card.parentElement?.insertBefore(card, last);
  }

  private async send(card: HTMLElement, next: HTMLElement | null): Promise<void> {
    const answer = await fetch(this.address, {
      method: "PATCH",
      headers: { "Content-Type": "application/json", "X-CSRFToken": csrfToken() },
      body: JSON.stringify({ media: [card.dataset.media], before: next?.dataset.media ?? null }),
      keepalive: true, // also when the page is left at once
    });
    if (!answer.ok) throw new Error(String(answer.status));
    card.dispatchEvent(new CustomEvent("gallery:arranged", { bubbles: true }));
  }

  private tell(words: string): void {
    const place = this.gallery.querySelector("[data-told]");
    if (place) place.textContent = words;
  }
}

function handleOf(event: Event): HTMLElement | null {
  const { target } = event;
  return target instanceof Element ? target.closest<HTMLElement>("[data-handle]") : null;
}

/** A picture can be dragged further than the window shows. */
function scrollNear(y: number): void {
  const edge = 80; // pixels
  if (y < edge) scrollBy({ top: -24, behavior: "instant" });
  else if (y > innerHeight - edge) scrollBy({ top: 24, behavior: "instant" });
}
