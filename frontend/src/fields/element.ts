/* `<media-field>`: uploads, chooses, crops, sorts and takes back the files of a form's field.
 * The list in the page is the truth; it goes with the form as one text. */
import { ask, uploader } from "../page/intake";
import type { SentFile } from "../uploader/files";
import type { Uploader } from "../uploader/start";
import { call, isGood } from "../uploader/server";
import { t, tn } from "../language/words";
import { size } from "../uploader/words";
import { buttonOf, type Item, label, nameOf, nudge, partOf, read, show, showProgress } from "./items";
import { keyOf } from "./keys";
import { letOrder } from "./ordering";
import { preview } from "./preview";
import { type Field, watchForms } from "./sending";

const PREVIEWED = /^image\/(jpeg|png|webp|gif|avif)$/;
const LARGEST_PREVIEW = 30 * 1024 * 1024; // bytes

interface Step {
  words: string;
  undo(): void;
}

class MediaField extends HTMLElement implements Field {
  private uploader: Uploader | undefined;
  private stop: (() => void) | undefined;
  private steps: Step[] = [];
  private settlers: ((good: boolean) => void)[] = [];
  private isDrawing = false;
  private leaving = new AbortController();
  private isReady = false;

  connectedCallback(): void {
    this.leaving = new AbortController();
    const { signal } = this.leaving;
    watchForms();
    this.form?.addEventListener("formdata", (event) => this.write(event.formData), { signal });
    this.prepare();
    const user = document.querySelector<HTMLElement>("#uploads")?.dataset.user ?? "";
    if (localStorage.getItem(`uploads:pending:${user}`)) void this.follow();
  }

  private prepare(): void {
    if (this.isReady) return;
    this.isReady = true;
    for (const input of this.querySelectorAll<HTMLInputElement>("[name]"))
      if (!input.name.endsWith("-sent")) input.removeAttribute("name");
    this.items.forEach((item) => this.adopt(item));
    this.addEventListener("click", (event) => this.press(event));
    this.addEventListener("input", () => this.nudge());
    this.refresh();
  }

  disconnectedCallback(): void {
    this.leaving.abort();
    this.stop?.();
    this.stop = undefined;
    this.settle(false);
  }

  // -- what it is -----------------------------------------------------------------------------

  private get form(): HTMLFormElement | null {
    return this.closest("form");
  }

  private get list(): HTMLElement {
    return this.querySelector(".media-field__items") as HTMLElement;
  }

  private get items(): Item[] {
    return [...this.list.children] as Item[];
  }

  private get isMany(): boolean {
    return "many" in this.dataset;
  }

  private get room(): number {
    return this.isMany ? Number(this.dataset.maxCount) - this.items.length : 1;
  }

  private get ratio(): number {
    return Number(this.dataset.ratio) || 0;
  }

  private piece(name: string): HTMLElement {
    return this.querySelector(`[data-part="${name}"]`) as HTMLElement;
  }

  private say(words: string): void {
    this.piece("state").textContent = words;
  }

  private complain(words: string): void {
    const place = this.piece("trouble");
    place.textContent = words;
    place.hidden = !words;
  }

  // -- its list -------------------------------------------------------------------------------

  private create(): Item {
    const template = this.querySelector("template") as HTMLTemplateElement;
    const item = (template.content.firstElementChild as Element).cloneNode(true) as Item;
    for (const away of item.querySelectorAll("[data-scripted-away]")) away.remove();
    return item;
  }

  /** `item` answers to its buttons from now on. */
  private adopt(item: Item): void {
    label(item);
    preview(item);
    letOrder(item, {
      items: () => this.items,
      move: (one, next) => this.list.insertBefore(one, next),
      done: (one, before) => {
        this.remember(t("{name} moved.", { name: nameOf(one) }), () => this.list.insertBefore(one, before));
        this.refresh();
      },
      say: (words) => this.say(words),
    });
  }

  /** Adds `item`; in a field for one it takes the place of the one before. */
  private put(item: Item): void {
    const there = this.isMany ? [] : this.items;
    there.forEach((one) => this.discard(one));
    const before = there.filter((one) => !one.dataset.upload);
    this.list.append(item);
    this.adopt(item);
    this.remember(t("{name} added.", { name: nameOf(item) }), () => {
      this.discard(item);
      this.list.append(...before);
    });
    this.refresh();
  }

  private discard(item: Item): void {
    if (item.dataset.upload) this.uploader?.remove(item.dataset.upload);
    item.remove();
  }

  private takeOut(item: Item): void {
    const place = this.items.indexOf(item);
    const next = item.nextElementSibling;
    const isRunning = Boolean(item.dataset.upload);
    this.discard(item);
    if (isRunning) this.say(t("{name} removed.", { name: nameOf(item) }));
    else
      this.remember(t("{name} removed.", { name: nameOf(item) }), () =>
        this.list.insertBefore(item, next?.parentElement === this.list ? next : null),
      );
    this.refresh();
    const neighbour = this.items[Math.min(place, this.items.length - 1)];
    const refuge = (neighbour && buttonOf(neighbour, "remove")) ?? buttonOf(this, "upload");
    refuge?.focus();
  }

  private remember(words: string, undo: () => void): void {
    this.steps.push({ words, undo });
    this.say(words);
    this.refresh();
  }

  private undo(): void {
    const step = this.steps.pop();
    step?.undo();
    this.items.forEach(preview);
    this.refresh();
    this.say(step ? t("Undone: {words}", { words: step.words }) : "");
    if (!this.steps.length) buttonOf(this, "upload")?.focus();
  }

  /** What follows from the list: what is offered, and what is still to be said. */
  private refresh(): void {
    const undo = this.querySelector<HTMLElement>('.media-field__state [data-do="undo"]');
    if (undo) undo.hidden = this.steps.length === 0;
    const isFull = this.isMany && this.room <= 0;
    this.classList.toggle("is-full", isFull);
    this.classList.toggle("is-empty", this.items.length === 0);
    for (const name of ["upload", "choose"]) {
      const offer = this.querySelector<HTMLButtonElement>(`.media-field__add [data-do="${name}"]`);
      if (offer) offer.disabled = isFull;
    }
    this.nudge();
  }

  private nudge(): void {
    const place = this.querySelector<HTMLElement>('[data-part="nudge"]');
    if (!place) return;
    place.textContent = nudge(this.items.filter((item) => item.dataset.media));
    place.hidden = !place.textContent;
  }

  private write(data: FormData): void {
    const chosen = this.items.filter((item) => item.dataset.media);
    data.set(`${this.dataset.name}-items`, JSON.stringify(chosen.map(read)));
  }

  // -- its buttons ----------------------------------------------------------------------------

  private press(event: MouseEvent): void {
    const pressed = (event.target as Element).closest<HTMLElement>("[data-do]");
    const item = pressed?.closest<Item>("[data-item]");
    if (!pressed) return;
    this.complain("");
    const { do: name } = pressed.dataset;
    if (item && name === "remove") this.takeOut(item);
    else if (item && name === "crop") void this.crop(item);
    else if (item && name === "focal") void this.point(item);
    else if (item && name === "retry" && item.dataset.upload) this.uploader?.retry(item.dataset.upload);
    else if (name === "undo") this.undo();
    else if (name === "choose") void this.choose();
    else if (name === "upload")
      ask({ multiple: this.isMany, accept: this.dataset.accept ?? "" }, (files) => this.take(files));
  }

  private async choose(): Promise<void> {
    const { choose } = await import("./chooser");
    const taken = new Set(this.items.map((item) => item.dataset.media ?? ""));
    const picks = await choose({
      address: this.dataset.chooser ?? "",
      many: this.isMany,
      room: this.room,
      taken,
    });
    for (const pick of picks) {
      const item = this.create();
      show(item, pick, pick.likeness);
      this.put(item);
    }
    const last = this.items.at(-1);
    if (picks.length && !this.isMany && last) this.offerCrop(last);
  }

  // -- uploads --------------------------------------------------------------------------------

  /** Files somebody has chosen, dropped or pasted. */
  take(files: File[]): void {
    const fit = this.isMany ? files.slice(0, Math.max(this.room, 0)) : files.slice(-1);
    const left = files.length - fit.length;
    this.complain(
      left && this.isMany
        ? tn(
            "{count} file left out: at most {most} are accepted here.",
            "{count} files left out: at most {most} are accepted here.",
            left,
            { most: this.dataset.maxCount ?? "" },
          )
        : "",
    );
    const good = fit.filter((file) => this.accepts(file));
    if (good.length) void this.send(good);
  }

  /** What can be told at once; the server looks at the bytes. */
  private accepts(file: File): boolean {
    const kind = file.type.split("/")[0] ?? "";
    const isOther = ["image", "video", "audio"].includes(kind) && !this.dataset.kinds?.includes(kind);
    const most = Number(this.dataset.maxSize) || Infinity;
    const { name } = file;
    const nouns = this.dataset.nouns ?? "";
    if (isOther) this.complain(t("{name}: only {nouns} are accepted here.", { name, nouns }));
    if (file.size > most) this.complain(t("{name} is larger than {size}.", { name, size: size(most) }));
    return !isOther && file.size <= most;
  }

  private async send(files: File[]): Promise<void> {
    await this.follow();
    const wishes = { tags: "", visibility: "", field: keyOf(this) };
    this.uploader?.add(files, wishes);
    this.draw();
  }

  private async follow(): Promise<void> {
    this.uploader ??= await uploader();
    if (this.stop || !this.isConnected) return;
    this.stop = this.uploader.onChange(() => this.drawSoon());
    this.draw();
  }

  private drawSoon(): void {
    if (this.isDrawing) return;
    this.isDrawing = true;
    setTimeout(() => {
      this.isDrawing = false;
      if (this.isConnected) this.draw();
    }, 100);
  }

  private draw(): void {
    const files = this.uploader?.filesFor(keyOf(this)) ?? [];
    for (const file of files) {
      const item = this.items.find((one) => one.dataset.upload === file.id) ?? this.admit(file);
      this.drawOne(item, file);
    }
    if (this.hindrance() !== "running") this.settle(this.hindrance() === "");
  }

  private admit(file: SentFile): Item {
    const item = this.create();
    const kind = file.type.split("/")[0] ?? "other";
    Object.assign(item.dataset, { upload: file.id, kind, name: file.name });
    if (file.data instanceof Blob && PREVIEWED.test(file.type) && file.data.size < LARGEST_PREVIEW) {
      const image = Object.assign(document.createElement("img"), {
        alt: "",
        src: URL.createObjectURL(file.data),
      });
      image.addEventListener("error", () => image.remove()); // no picture that a browser can show
      item.dataset.picture = image.src;
      partOf(item, "picture").append(image);
    }
    this.put(item);
    if (!this.isMany) this.offerCrop(item);
    return item;
  }

  private drawOne(item: Item, file: SentFile): void {
    const { failure, arrival, progress } = file;
    item.classList.toggle("media-item--failed", Boolean(failure && !failure.isPassing));
    const retry = buttonOf(item, "retry");
    if (retry) retry.hidden = !failure?.mayRetry;
    if (arrival?.id) {
      item.dataset.media = arrival.id;
      delete item.dataset.upload;
      showProgress(item, 100, "");
      label(item);
      this.uploader?.remove(file.id);
      this.say(t("{name} uploaded.", { name: file.name }));
      this.refresh();
    } else if (failure) {
      showProgress(item, 0, `${failure.reason} ${failure.advice}`);
    } else {
      const sent = Number(progress.bytesUploaded || 0);
      const whole = file.size ?? 0;
      const percent = whole ? (100 * sent) / whole : 0;
      showProgress(item, percent, sent && sent < whole ? `${Math.floor(percent)} %` : t("Uploading"));
    }
  }

  hindrance(): "" | "running" | "failed" {
    if (this.failed) return "failed";
    return this.items.some((item) => item.dataset.upload) ? "running" : "";
  }

  explain(): void {
    const running = this.items.filter((item) => item.dataset.upload).length;
    if (this.failed) {
      const name = nameOf(this.failed);
      this.complain(
        t("{name} was not uploaded. Remove it or try again, then send the form.", { name }),
      );
      buttonOf(this.failed, "remove")?.focus();
    } else if (running) {
      this.say(
        tn(
          "Waits for {count} upload, then sends the form.",
          "Waits for {count} uploads, then sends the form.",
          running,
        ),
      );
    }
  }

  private get failed(): Item | undefined {
    return this.items.find((item) => item.classList.contains("media-item--failed"));
  }

  settled(): Promise<boolean> {
    const state = this.hindrance();
    if (state !== "running") return Promise.resolve(state === "");
    return new Promise((resolve) => this.settlers.push(resolve));
  }

  private settle(good: boolean): void {
    this.settlers.splice(0).forEach((resolve) => resolve(good));
  }

  // -- how a picture is shown -----------------------------------------------------------------

  /** In a field for one picture of a shape, what is shown of it is asked at once. */
  private offerCrop(item: Item): void {
    const isWanted = "crops" in this.dataset && this.ratio > 0 && item.dataset.kind === "image";
    if (isWanted && item.dataset.picture) void this.crop(item);
  }

  private async crop(item: Item): Promise<void> {
    const picture = item.dataset.picture || (await pictureOf(item));
    if (!picture) {
      this.complain(t("{name} is still being prepared. It can be cropped in a moment.", { name: nameOf(item) }));
      return;
    }
    const { cut } = await import("./cropping");
    const before = item.dataset.crop;
    const isRound = this.classList.contains("media-field--round");
    const crop = await cut({ name: nameOf(item), picture, crop: before, ratio: this.ratio, isRound });
    if (crop === undefined || crop === (before ?? "")) return;
    item.dataset.crop = crop;
    preview(item);
    this.remember(t("{name} cropped.", { name: nameOf(item) }), () => {
      item.dataset.crop = before ?? "";
    });
  }

  private async point(item: Item): Promise<void> {
    const picture = item.dataset.picture || (await pictureOf(item));
    if (!picture) return;
    const { point } = await import("./pointing");
    const before = item.dataset.focal;
    const focal = await point({ name: nameOf(item), picture, focal: before });
    if (focal === undefined) return;
    item.dataset.focal = focal;
    this.remember(t("{name}: point chosen.", { name: nameOf(item) }), () => {
      item.dataset.focal = before ?? "";
    });
  }
}

interface Details {
  renditions: { url: string; width: number | null; mime_type: string; name: string }[];
}

/** The address of a picture to work on, of a file whose page did not know one. */
async function pictureOf(item: Item): Promise<string> {
  const answer = await call(`/api/v1/media/${item.dataset.media}/`);
  if (!isGood(answer)) return "";
  const { renditions } = JSON.parse(answer.responseText) as Details;
  const whole = renditions.filter(({ name }) => /^w\d+\./.test(name));
  const [widest] = whole.sort((a, b) => (b.width ?? 0) - (a.width ?? 0));
  item.dataset.picture = widest?.url ?? "";
  return item.dataset.picture;
}

if (!customElements.get("media-field")) customElements.define("media-field", MediaField);
