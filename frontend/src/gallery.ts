/* `<media-gallery>`: a grid whose pictures open large, one after another, and can be put in order.
 *
 * The server writes all markup, and each card leads to a page of its own without this. What shows
 * pictures large is fetched when the first is opened.
 */
import { Arranging } from "./gallery/arranging";
import { cardsOf, openAt } from "./gallery/lightbox";

class MediaGallery extends HTMLElement {
  private readonly gone = new AbortController();
  private arranging: Arranging | undefined;

  connectedCallback(): void {
    const { signal } = this.gone;
    // Before the card hears of it: `hx-boost` listens there.
    this.addEventListener("click", (event) => this.open(event), { signal, capture: true });
    const { order } = this.dataset;
    if (order) this.arranging = new Arranging(this, order, signal);
  }

  disconnectedCallback(): void {
    this.arranging?.end();
    this.gone.abort();
  }

  /** Other buttons and keys mean another tab or window, as everywhere. */
  private open(event: MouseEvent): void {
    const plain = event.button === 0 && !(event.ctrlKey || event.metaKey || event.shiftKey);
    const link = (event.target as Element).closest?.<HTMLAnchorElement>("a.card__link");
    const at = link ? cardsOf(this).indexOf(link) : -1;
    if (!plain || at < 0) return;
    event.preventDefault();
    event.stopPropagation();
    void openAt(this, at).catch(() => location.assign(link?.href ?? ""));
  }
}

if (!customElements.get("media-gallery")) customElements.define("media-gallery", MediaGallery);
