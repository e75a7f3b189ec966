/* The menu of a player: quality, speed, captions. */
import { button, part, showPressed } from "./parts";
import { AUTOMATIC, type Quality } from "./source";
import { t } from "../language/words";

const OFF = -1;

function option(value: number, text: string): HTMLOptionElement {
  return new Option(text, String(value));
}

function row(select: HTMLSelectElement): HTMLElement {
  return select.closest<HTMLElement>("label") ?? select;
}

export class QualityChoice {
  private readonly select: HTMLSelectElement;

  constructor(root: HTMLElement, choose: (id: number) => void) {
    this.select = part<HTMLSelectElement>(root, "quality");
    this.select.addEventListener("change", () => choose(Number(this.select.value)));
    this.offer([]);
  }

  offer(qualities: Quality[]): void {
    const options = qualities.map(({ id, name }) => option(id, name));
    this.select.replaceChildren(option(AUTOMATIC, t("Automatic")), ...options);
    row(this.select).hidden = qualities.length < 2;
  }

  /** Says what the automatic choice is at present. */
  tell(name: string): void {
    const automatic = this.select.options[0];
    if (automatic) automatic.text = t("Automatic ({name})", { name });
  }
}

export function offerSpeeds(root: HTMLElement, media: HTMLMediaElement): void {
  const select = part<HTMLSelectElement>(root, "speed");
  select.addEventListener("change", () => {
    media.playbackRate = Number(select.value);
  });
  media.addEventListener("ratechange", () => {
    select.value = String(media.playbackRate);
  });
}

/** Captions by their tracks, which the browser's own menu may switch as well. */
export class CaptionChoice {
  private readonly select: HTMLSelectElement;
  private readonly toggle: HTMLButtonElement;
  private last = 0;

  constructor(
    root: HTMLElement,
    private readonly media: HTMLMediaElement,
  ) {
    this.select = part<HTMLSelectElement>(root, "captions");
    this.toggle = button(root, "captions-toggle");
    this.select.addEventListener("change", () => this.choose(Number(this.select.value)));
    this.toggle.addEventListener("click", () => this.flip());
    for (const name of ["addtrack", "removetrack", "change"]) {
      media.textTracks.addEventListener(name, () => this.show());
    }
    this.show();
  }

  flip(): void {
    if (!this.tracks().length) return;
    this.choose(this.shown() === OFF ? this.last : OFF);
  }

  private tracks(): TextTrack[] {
    return [...this.media.textTracks].filter(({ kind }) => kind !== "chapters" && kind !== "metadata");
  }

  private shown(): number {
    return this.tracks().findIndex(({ mode }) => mode === "showing");
  }

  private choose(index: number): void {
    this.tracks().forEach((track, number) => {
      const mode = number === index ? "showing" : "disabled";
      if (track.mode !== mode) track.mode = mode;
    });
    this.show();
  }

  private show(): void {
    const tracks = this.tracks();
    const shown = this.shown();
    if (shown !== OFF) this.last = shown;
    this.select.replaceChildren(
      option(OFF, t("Off")),
      ...tracks.map((track, index) => option(index, track.label || track.language || t("On"))),
    );
    this.select.value = String(shown);
    row(this.select).hidden = this.toggle.hidden = tracks.length === 0;
    showPressed(this.toggle, shown !== OFF, shown === OFF ? t("Show captions") : t("Hide captions"));
  }
}
