/* What is typed is completed from a list that the server sends (the combobox pattern of ARIA: the focus
 * stays in the field, arrows choose, Escape closes). Enter without a choice is the form's. */
const PAUSE = 150; // milliseconds after the last letter

export abstract class Combobox extends HTMLElement {
  /** Letters that the server asks for. */
  protected abstract readonly shortest: number;
  private gone = new AbortController();
  private asking = new AbortController();
  private timer = 0;
  private chosen = -1;

  connectedCallback(): void {
    this.gone = new AbortController();
    const { signal } = this.gone;
    const { field, list } = this;
    if (!field || !list) return;
    for (const [name, value] of Object.entries({
      role: "combobox",
      "aria-autocomplete": "list",
      "aria-controls": list.id,
      "aria-expanded": "false",
    })) {
      field.setAttribute(name, value);
    }
    field.addEventListener("input", () => this.askSoon(), { signal });
    field.addEventListener("keydown", (event) => this.press(event), { signal });
    field.addEventListener("blur", () => this.close(), { signal });
    // The field keeps the focus.
    list.addEventListener("pointerdown", (event) => event.preventDefault(), { signal });
    list.addEventListener("click", (event) => this.pick(event), { signal });
  }

  disconnectedCallback(): void {
    this.gone.abort();
    this.close();
  }

  /** What a list is asked for. */
  protected abstract get typed(): string;

  protected abstract follow(option: HTMLElement): void;

  /** Whether an option is worth showing. */
  protected isOffered(_option: HTMLElement): boolean {
    return true;
  }

  protected get field(): HTMLInputElement | null {
    return this.querySelector<HTMLInputElement>("input");
  }

  private get list(): HTMLElement | null {
    return this.querySelector<HTMLElement>("[role=listbox]");
  }

  private get options(): HTMLElement[] {
    return [...this.querySelectorAll<HTMLElement>("[role=option]")];
  }

  private askSoon(): void {
    clearTimeout(this.timer);
    this.asking.abort();
    const { typed } = this;
    if (typed.length < this.shortest) {
      this.close();
      return;
    }
    this.timer = window.setTimeout(() => void this.ask(typed), PAUSE);
  }

  private async ask(typed: string): Promise<void> {
    this.asking = new AbortController();
    const { signal } = this.asking;
    try {
      const answer = await fetch(`${this.dataset.url}?q=${encodeURIComponent(typed)}`, { signal });
      const html = answer.ok && !answer.redirected ? await answer.text() : "";
      if (!signal.aborted) this.open(html);
    } catch {
      // What is typed is looked for all the same.
    }
  }

  private open(html: string): void {
    const { field, list } = this;
    if (!field || !list || document.activeElement !== field) return;
    list.innerHTML = html;
    for (const option of this.options) if (!this.isOffered(option)) option.remove();
    this.options.forEach((option, number) => (option.id = `${list.id}-${number}`));
    this.choose(-1);
    const isOpen = this.options.length > 0;
    list.hidden = !isOpen;
    field.setAttribute("aria-expanded", String(isOpen));
  }

  private close(): void {
    clearTimeout(this.timer);
    this.asking.abort();
    if (this.list) this.list.hidden = true;
    this.field?.setAttribute("aria-expanded", "false");
    this.choose(-1);
  }

  private choose(index: number): void {
    const { options } = this;
    this.chosen = index;
    options.forEach((option, number) => option.setAttribute("aria-selected", String(number === index)));
    const option = options[index];
    if (option) this.field?.setAttribute("aria-activedescendant", option.id);
    else this.field?.removeAttribute("aria-activedescendant");
    option?.scrollIntoView({ block: "nearest" });
  }

  private press(event: KeyboardEvent): void {
    const isOpen = this.list?.hidden === false;
    const count = this.options.length;
    if (event.isComposing || !isOpen) return;
    const { key } = event;
    const step = key === "ArrowDown" ? 1 : key === "ArrowUp" ? -1 : 0;
    if (step) {
      event.preventDefault();
      // Beyond either end is the field itself.
      this.choose(((this.chosen + 1 + step + count + 1) % (count + 1)) - 1);
    } else if (key === "Escape") {
      event.preventDefault(); // what was typed stays
      event.stopPropagation();
      this.close();
    } else if (key === "Enter") {
      const option = this.options[this.chosen];
      this.close();
      if (!option) return;
      event.preventDefault();
      this.follow(option);
    }
  }

  private pick(event: Event): void {
    const option = (event.target as Element).closest<HTMLElement>("[role=option]");
    if (!option) return;
    this.close();
    this.follow(option);
  }
}
