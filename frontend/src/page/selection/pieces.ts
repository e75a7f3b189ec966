/* An act on very many files goes to the server in pieces, with its progress in the bar. The last piece
 * is sent as the form itself would be; its answer tells of all. Stopping lets that be the next one,
 * without any files. Who leaves the page meanwhile finds the answer on the next. */
import { t, whole } from "../../language/words";
import { choose, chosenIds, countChosen } from "./chosen";

let piece: string[] | undefined;
let act = "";

/** What the form sends of the selection. */
export function writeChosen(data: FormData): void {
  data.delete("ids");
  data.append("ids", (piece ?? chosenIds()).join(","));
  if (piece) data.append("act", act);
}

/** How many files the server takes at once. */
export const mostOf = (form: HTMLFormElement): number => Number(form.dataset.most);

/** Takes the submission over where it is of too many files for one. */
export function sendInPieces(event: SubmitEvent): void {
  const { submitter: button } = event;
  const form = event.target as HTMLFormElement;
  const isOne = piece !== undefined || countChosen() <= mostOf(form);
  if (isOne || !(button instanceof HTMLButtonElement) || button.hasAttribute("formaction")) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  void new Sending(form, button).run();
}

class Sending {
  private readonly ids = chosenIds();
  private readonly name = `${Date.now()}-${Math.random()}`;
  private readonly stopping = new AbortController();
  private done = 0;

  constructor(
    private readonly form: HTMLFormElement,
    private readonly button: HTMLButtonElement,
  ) {}

  async run(): Promise<void> {
    this.begin();
    try {
      while (this.ids.length - this.done > this.most && !this.isStopped && (await this.send())) {
        this.done += this.most;
        this.show();
      }
      await this.finish();
    } catch {
      this.fail();
    }
    this.end();
  }

  private get most(): number {
    return mostOf(this.form);
  }

  private get isStopped(): boolean {
    return this.stopping.signal.aborted;
  }

  /** False where the server wants to say something: as an answer to the last piece, it can. */
  private async send(isLast = false): Promise<boolean> {
    const data = this.write(() => new FormData(this.form, this.button));
    if (!isLast) data.append("more", "1");
    const answer = await fetch(this.form.action, { method: "POST", body: data });
    return answer.status === 204;
  }

  private async finish(): Promise<void> {
    // By its button: htmx sends the one that was clicked, which hiding it made it forget.
    if (this.form.isConnected) this.write(() => this.button.click());
    else await this.send(true);
  }

  private write<T>(send: () => T): T {
    piece = this.isStopped ? [] : this.ids.slice(this.done, this.done + this.most);
    act = this.name;
    try {
      return send();
    } finally {
      piece = undefined;
    }
  }

  // -- what is seen -----------------------------------------------------------------------------

  private part<E extends Element>(name: string): E | null {
    return this.form.querySelector<E>(`[data-${name}]`);
  }

  private begin(): void {
    this.button.closest<HTMLElement>("[popover]")?.hidePopover();
    this.form.classList.add("is-working");
    const { signal } = this.stopping;
    this.part("stop")?.addEventListener("click", () => this.stopping.abort(), { signal });
    this.show();
  }

  private show(): void {
    const [done, all] = [whole(this.done), whole(this.ids.length)];
    const words = this.part("count");
    if (words) words.textContent = t("{done} of {all} done", { done, all });
    const progress = this.part<HTMLProgressElement>("progress");
    if (progress) progress.value = this.done / this.ids.length;
  }

  /** What is left stays selected: the same button goes on with it. */
  private fail(): void {
    choose(this.ids.slice(0, this.done), false);
    const notice = this.part<HTMLElement>("notice");
    if (!notice) return;
    notice.textContent = t("The connection broke. What is not done is still selected.");
    notice.hidden = false;
  }

  private end(): void {
    this.form.classList.remove("is-working");
    this.stopping.abort();
  }
}
