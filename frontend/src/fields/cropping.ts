/* Cuts a picture on the screen: Cropper's frame to drag, and sliders that say the same to keyboards
 * and screen readers. Nothing is done to the file; what comes of it are four fractions. */
import "cropperjs";
import type { CropperSelection } from "cropperjs";
import { type Crop, inside, largest, readCrop, WHOLE, writeCrop } from "./crops";
import { button, openDialog } from "./dialogs";
import { t } from "../language/words";

export interface Cutting {
  name: string;
  picture: string;
  crop: string | undefined;
  /** Width over height, 0 for any. */
  ratio: number;
  isRound: boolean;
}

const HANDLES = ["n", "e", "s", "w", "ne", "nw", "se", "sw"];
const CORNERS = new Set(["ne", "nw", "se", "sw"]);
const PERCENT = 100;
const SMALLEST = 0.05; // of the largest
const SLACK = 0.002;

const FRAME = `<cropper-canvas>
    <cropper-shade></cropper-shade>
    <cropper-selection movable resizable outlined precise>
      <cropper-grid role="grid" covered></cropper-grid>
      <cropper-handle action="move" theme-color="rgba(255, 255, 255, 0)"></cropper-handle>
    </cropper-selection>
  </cropper-canvas>`;

function slider(words: string, change: (value: number) => void): HTMLInputElement {
  const input = Object.assign(document.createElement("input"), {
    type: "range",
    min: "0",
    max: String(PERCENT),
    step: "1",
  });
  const place = document.createElement("label");
  place.append(words, input);
  input.addEventListener("input", () => change(Number(input.value) / PERCENT));
  return input;
}

/** The picture with its frame, and the sliders, all saying the same crop. */
class Cutter {
  private crop: Crop = WHOLE;
  private isWriting = false;
  private readonly image = document.createElement("img");
  private readonly stage = document.createElement("div");
  private readonly sliders: Record<"size" | "across" | "down", HTMLInputElement>;
  private selection!: CropperSelection;

  constructor(
    private readonly body: HTMLElement,
    private readonly cutting: Cutting,
  ) {
    this.sliders = {
      size: slider(t("Size"), (value) => this.resize(value)),
      across: slider(t("From left to right"), (value) => this.move("left", "width", value)),
      down: slider(t("From top to bottom"), (value) => this.move("top", "height", value)),
    };
  }

  async open(): Promise<void> {
    this.image.alt = "";
    this.image.src = this.cutting.picture;
    await this.image.decode();
    this.stage.className = `cropper__stage${this.cutting.isRound ? " cropper__stage--round" : ""}`;
    this.stage.innerHTML = FRAME;
    this.stage.prepend(this.image);
    this.selection = this.stage.querySelector("cropper-selection") as CropperSelection;
    this.addHandles();
    const sliders = document.createElement("div");
    sliders.className = "cropper__sliders";
    sliders.append(...Object.values(this.sliders).map((one) => one.parentElement as HTMLElement));
    this.body.replaceChildren(this.stage, sliders);
    this.selection.addEventListener("change", (event) => this.take(event as CustomEvent<never>));
    this.set(readCrop(this.cutting.crop) ?? largest(this.shape, this.cutting.ratio));
    new ResizeObserver(() => this.write()).observe(this.stage);
    this.sliders.size.focus();
  }

  get value(): string {
    const { left, top, width, height } = this.crop;
    const isWhole = left < SLACK && top < SLACK && width > 1 - SLACK && height > 1 - SLACK;
    return isWhole ? "" : writeCrop(this.crop);
  }

  reset(): void {
    this.set(largest(this.shape, this.cutting.ratio));
  }

  private get shape(): number {
    return this.image.naturalWidth / this.image.naturalHeight;
  }

  /** What the size is counted from: the largest frame of the shape that it has now. */
  private get full(): Crop {
    const { width, height } = this.crop;
    return largest(this.shape, this.cutting.ratio || (width / height) * this.shape);
  }

  private addHandles(): void {
    for (const side of HANDLES) {
      if (this.cutting.ratio && !CORNERS.has(side)) continue; // only corners keep a shape well
      const handle = document.createElement("cropper-handle");
      handle.setAttribute("action", `${side}-resize`);
      this.selection.append(handle);
    }
  }

  private resize(size: number): void {
    const { left, top, width, height } = this.crop;
    const factor = Math.max(size, SMALLEST);
    const [wide, high] = [this.full.width * factor, this.full.height * factor];
    const middle = { left: left + (width - wide) / 2, top: top + (height - high) / 2 };
    this.set({ ...middle, width: wide, height: high });
  }

  private move(start: "left" | "top", side: "width" | "height", to: number): void {
    this.set({ ...this.crop, [start]: (1 - this.crop[side]) * to });
  }

  private set(crop: Crop): void {
    this.crop = inside(crop);
    this.write();
  }

  private write(): void {
    const { clientWidth: wide, clientHeight: high } = this.stage;
    const { left, top, width, height } = this.crop;
    this.isWriting = true;
    this.selection.$change(left * wide, top * high, width * wide, height * high);
    this.isWriting = false;
    this.tell();
  }

  /** What was dragged; what leaves the picture is put back into it. */
  private take(event: CustomEvent<{ x: number; y: number; width: number; height: number }>): void {
    if (this.isWriting) return;
    const { clientWidth: wide, clientHeight: high } = this.stage;
    const { x, y, width, height } = event.detail;
    const drawn = { left: x / wide, top: y / high, width: width / wide, height: height / high };
    const kept = inside({ ...drawn, ...this.shaped(drawn) });
    this.crop = kept;
    const isOut = Object.entries(kept).some(
      ([name, part]) => Math.abs(part - drawn[name as keyof Crop]) > SLACK,
    );
    if (isOut) {
      event.preventDefault();
      queueMicrotask(() => this.write());
    } else this.tell();
  }

  /** The sides that a dragged frame gets: of the field's shape, and not smaller than can be used. */
  private shaped({ width, height }: Crop): Pick<Crop, "width" | "height"> {
    const { ratio } = this.cutting;
    const full = this.full;
    if (!ratio)
      return { width: Math.max(width, SMALLEST), height: Math.max(height, SMALLEST) };
    const factor = Math.min(Math.max(width / full.width, height / full.height, SMALLEST), 1);
    return { width: full.width * factor, height: full.height * factor };
  }

  private tell(): void {
    const { left, top, width, height } = this.crop;
    const place = (start: number, side: number): number =>
      side > 1 - SLACK ? PERCENT / 2 : (PERCENT * start) / (1 - side);
    const values = {
      size: (PERCENT * width) / this.full.width,
      across: place(left, width),
      down: place(top, height),
    };
    for (const [name, value] of Object.entries(values)) {
      const input = this.sliders[name as keyof typeof this.sliders];
      if (document.activeElement !== input || Math.round(value) !== Number(input.value))
        input.value = String(Math.round(value));
      input.setAttribute("aria-valuetext", `${Math.round(value)} percent`);
    }
    this.sliders.across.disabled = width > 1 - SLACK;
    this.sliders.down.disabled = height > 1 - SLACK;
  }
}

/** Resolves with the crop, written; with nothing for the whole picture; undefined if given up. */
export async function cut(cutting: Cutting): Promise<string | undefined> {
  const { dialog, body, foot } = openDialog("cropper", t("Crop {name}", { name: cutting.name }));
  const cutter = new Cutter(body, cutting);
  let result: string | undefined;
  const [done, whole, cancel] = [
    button(t("Use this part")),
    button(cutting.ratio ? t("Reset") : t("Whole picture"), "button button--quiet"),
    button(t("Cancel"), "button button--quiet"),
  ];
  done.disabled = true;
  foot.append(done, whole, cancel);
  done.addEventListener("click", () => {
    result = cutter.value;
    dialog.close();
  });
  whole.addEventListener("click", () => cutter.reset());
  cancel.addEventListener("click", () => dialog.close());
  const closed = new Promise<string | undefined>((resolve) => {
    dialog.addEventListener("close", () => resolve(result));
  });
  try {
    await cutter.open();
    done.disabled = false;
  } catch {
    body.textContent = t("This picture could not be loaded. Try again in a moment.");
  }
  return closed;
}
