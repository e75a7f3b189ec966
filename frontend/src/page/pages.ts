/* `<document-pages>`: the pages of a document one by one, each made when somebody turns to it. */
import { t } from "../language/words";
import { fetchMade } from "./made";

class DocumentPages extends HTMLElement {
  private page = 1;
  private turning = new AbortController();
  private address = "";

  connectedCallback(): void {
    const number = this.piece<HTMLInputElement>("number");
    this.piece("previous").addEventListener("click", () => this.turn(this.page - 1));
    this.piece("next").addEventListener("click", () => this.turn(this.page + 1));
    number.addEventListener("change", () => this.turn(Number(number.value) || this.page));
    this.piece("bar").hidden = false;
  }

  disconnectedCallback(): void {
    this.turning.abort();
    URL.revokeObjectURL(this.address);
  }

  private get count(): number {
    return Number(this.dataset.pages);
  }

  private piece<T extends HTMLElement>(name: string): T {
    const found = this.querySelector<T>(`[data-part="${name}"]`);
    if (!found) throw new Error(`the document has no part "${name}"`);
    return found;
  }

  private turn(wanted: number): void {
    this.page = Math.min(Math.max(Math.round(wanted), 1), this.count);
    this.piece<HTMLInputElement>("number").value = String(this.page);
    this.piece<HTMLButtonElement>("previous").disabled = this.page === 1;
    this.piece<HTMLButtonElement>("next").disabled = this.page === this.count;
    this.turning.abort();
    this.turning = new AbortController();
    void this.load(this.page, this.turning.signal);
  }

  private async load(page: number, signal: AbortSignal): Promise<void> {
    this.say(t("Loading page {page}…", { page }));
    this.classList.add("is-waiting");
    try {
      const picture = await fetchMade(this.urlOf(page), signal);
      if (signal.aborted) return;
      this.show(page, picture);
      this.say("");
    } catch {
      if (!signal.aborted) this.say(t("This page could not be loaded."));
    }
    if (!signal.aborted) this.classList.remove("is-waiting");
  }

  private urlOf(page: number): string {
    return (this.dataset.pageUrl ?? "").replace(/page-0\.jpg$/, `page-${page}.jpg`);
  }

  /** The place keeps its size, so that nothing jumps while pages are turned. */
  private show(page: number, picture: Blob): void {
    URL.revokeObjectURL(this.address);
    this.address = URL.createObjectURL(picture);
    const image = this.piece("sheet").querySelector("img");
    image?.parentElement?.querySelectorAll("source").forEach((source) => source.remove());
    if (!image) return;
    image.src = this.address;
    image.alt = t("Page {page}", { page });
  }

  private say(words: string): void {
    const place = this.piece("state");
    place.textContent = words;
    place.hidden = !words;
  }
}

export function showDocuments(): void {
  customElements.define("document-pages", DocumentPages);
}
