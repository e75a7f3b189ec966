/* `<poster-strip>`: the frames of a film's storyboard, of which one is chosen as its poster.
 *
 * The index is fetched when the strip is first seen. A choice goes into the field for the moment,
 * and the player shows it; the form says it. Without a storyboard there is no strip.
 */
import { readTiles, type Tile } from "../player/storyboard";
import { clock } from "../player/times";

const PERCENT = 100;

export class PosterStrip extends HTMLElement {
  private readonly watching = new AbortController();

  connectedCallback(): void {
    const place = this.closest("details");
    const { signal } = this.watching;
    if (place?.open) void this.fill();
    else place?.addEventListener("toggle", () => void this.fill(), { once: true, signal });
    this.field?.addEventListener("input", () => this.mark(), { signal });
    this.addEventListener("change", (event) => this.choose(event), { signal });
  }

  disconnectedCallback(): void {
    this.watching.abort();
  }

  private get field(): HTMLInputElement | null {
    return this.closest("form")?.querySelector<HTMLInputElement>("input[name=at]") ?? null;
  }

  private get choices(): HTMLInputElement[] {
    return [...this.querySelectorAll<HTMLInputElement>("input[type=radio]")];
  }

  private async fill(): Promise<void> {
    const tiles = await readTiles(this.dataset.storyboard ?? "").catch(() => []);
    const list = this.querySelector("[data-part=frames]");
    if (!list || !tiles.length || this.choices.length) return;
    const sheet = sizeOf(tiles);
    list.append(...tiles.map((tile) => choiceOf(tile, sheet)));
    this.hidden = false;
    this.mark();
  }

  /** Checks the frame that is seen at the moment in the field, if there is one. */
  private mark(): void {
    const { value = "" } = this.field ?? {};
    const at = value === "" ? NaN : Number(value);
    for (const choice of this.choices) {
      choice.checked = Number(choice.dataset.start) <= at && at < Number(choice.dataset.end);
    }
    this.querySelector("input:checked")?.closest("label")?.scrollIntoView({ block: "nearest" });
  }

  private choose(event: Event): void {
    const { target } = event;
    if (!(target instanceof HTMLInputElement) || !this.field) return;
    this.field.value = target.value;
    target.closest("label")?.scrollIntoView({ block: "nearest", inline: "nearest" });
    document
      .querySelector(".preview media-player")
      ?.dispatchEvent(new CustomEvent("player:show", { detail: Number(target.value) }));
  }
}

function sizeOf(tiles: Tile[]): [width: number, height: number] {
  const ends = tiles.map(({ box: [x, y, width, height] }) => [x + width, y + height] as const);
  return [Math.max(...ends.map(([right]) => right)), Math.max(...ends.map(([, down]) => down))];
}

function choiceOf(tile: Tile, sheet: [number, number]): HTMLLabelElement {
  const middle = (tile.start + tile.end) / 2;
  const label = document.createElement("label");
  const input = Object.assign(document.createElement("input"), {
    type: "radio",
    name: "frame",
    value: middle.toFixed(3),
  });
  Object.assign(input.dataset, { start: String(tile.start), end: String(tile.end) });
  const time = Object.assign(document.createElement("span"), { textContent: clock(middle) });
  label.append(input, pictureOf(tile, sheet), time);
  return label;
}

/** The part of the sheet in shares of its own size, so that style says how large it is. */
function pictureOf({ sheet: url, box }: Tile, [width, height]: [number, number]): HTMLElement {
  const [x, y, across, down] = box;
  const picture = document.createElement("span");
  picture.className = "strip__frame";
  Object.assign(picture.style, {
    aspectRatio: `${across} / ${down}`,
    backgroundImage: `url("${url}")`,
    backgroundSize: `${(PERCENT * width) / across}% ${(PERCENT * height) / down}%`,
    backgroundPosition: `${share(x, width - across)}% ${share(y, height - down)}%`,
  });
  return picture;
}

const share = (part: number, whole: number): number => (whole ? (PERCENT * part) / whole : 0);
