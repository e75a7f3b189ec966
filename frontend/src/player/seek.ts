/* The bar of time: a slider for everybody, with what is loaded, where chapters begin, and what is
 * seen at the place that is pointed at. */
import { part } from "./parts";
import { Storyboard } from "./storyboard";
import { clock } from "./times";
import { t } from "../language/words";

const STEP = 5; // seconds, of an arrow key
const PAGE = 30;

interface Chapter {
  start: number;
  title: string;
}

export class SeekBar {
  private readonly slider: HTMLInputElement;
  private readonly tip: HTMLElement;
  private readonly storyboard: Storyboard | null;
  private chapters: Chapter[] = [];
  private isHeld = false;

  constructor(
    private readonly root: HTMLElement,
    private readonly media: HTMLMediaElement,
    private readonly known: number, // seconds, before the player knows itself
    private readonly load: () => void,
  ) {
    this.slider = part<HTMLInputElement>(root, "seek");
    this.tip = part(root, "tip");
    const { storyboard } = root.dataset;
    this.storyboard = storyboard ? new Storyboard(storyboard, part(root, "frame")) : null;
    this.listen();
    this.readChapters();
    this.show();
  }

  get duration(): number {
    return Number.isFinite(this.media.duration) ? this.media.duration : this.known;
  }

  seek(seconds: number): void {
    const last = this.duration || Infinity;
    this.media.currentTime = Math.min(Math.max(seconds, 0), last);
    this.load();
    this.show();
  }

  private listen(): void {
    for (const name of ["timeupdate", "durationchange", "progress", "seeked", "emptied"]) {
      this.media.addEventListener(name, () => this.show());
    }
    // A drag shows where it would go and goes there at its end: every jump asks for segments.
    this.slider.addEventListener("input", () => {
      this.isHeld = true;
      this.paint(Number(this.slider.value));
    });
    this.slider.addEventListener("change", () => {
      this.isHeld = false;
      this.seek(Number(this.slider.value));
    });
    this.slider.addEventListener("keydown", (event) => this.onKey(event));
    this.slider.addEventListener("pointermove", (event) => this.pointAt(event));
    for (const name of ["pointerleave", "pointercancel"]) {
      this.slider.addEventListener(name, () => {
        this.tip.hidden = true;
      });
    }
  }

  private onKey(event: KeyboardEvent): void {
    const steps: Record<string, number> = {
      ArrowLeft: -STEP,
      ArrowDown: -STEP,
      ArrowRight: STEP,
      ArrowUp: STEP,
      PageDown: -PAGE,
      PageUp: PAGE,
    };
    const step = steps[event.key];
    if (step === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    this.seek(this.media.currentTime + step);
  }

  private show(): void {
    this.slider.max = String(this.duration || 1);
    if (this.isHeld) return;
    this.slider.value = String(this.media.currentTime);
    this.paint(this.media.currentTime);
  }

  private paint(seconds: number): void {
    const whole = this.duration || 1;
    const { style } = this.root;
    style.setProperty("--played", `${(100 * seconds) / whole}%`);
    style.setProperty("--loaded", `${(100 * this.loadedUntil()) / whole}%`);
    const chapter = this.chapterAt(seconds);
    const words = t("{time} of {whole}", { time: clock(seconds), whole: clock(whole) });
    this.slider.setAttribute("aria-valuetext", chapter ? `${words}, ${chapter.title}` : words);
    part(this.root, "time").textContent = `${clock(seconds)} / ${clock(this.duration)}`;
    this.root.dispatchEvent(new CustomEvent("player:moved", { detail: seconds / whole }));
  }

  private loadedUntil(): number {
    const { buffered, currentTime } = this.media;
    for (let index = 0; index < buffered.length; index += 1) {
      if (buffered.start(index) <= currentTime + 1 && currentTime <= buffered.end(index)) {
        return buffered.end(index);
      }
    }
    return 0;
  }

  private pointAt(event: PointerEvent): void {
    const box = part(this.root, "marks").getBoundingClientRect(); // the slider ends half a thumb later
    const share = Math.min(Math.max((event.clientX - box.left) / box.width, 0), 1);
    const seconds = share * this.duration;
    const chapter = this.chapterAt(seconds);
    part(this.root, "tip-text").textContent = chapter
      ? `${clock(seconds)} · ${chapter.title}`
      : clock(seconds);
    this.tip.hidden = false;
    this.place(share * box.width, box.width);
    void this.storyboard?.show(seconds).then(() => this.place(share * box.width, box.width));
  }

  /** Keeps the tip inside the bar. */
  private place(x: number, width: number): void {
    const half = this.tip.offsetWidth / 2;
    const left = Math.min(Math.max(x, half), Math.max(width - half, half));
    this.tip.style.setProperty("--at", `${left}px`);
  }

  private chapterAt(seconds: number): Chapter | undefined {
    return this.chapters.filter(({ start }) => start <= seconds).at(-1);
  }

  private readChapters(): void {
    const element = this.media.querySelector<HTMLTrackElement>('track[kind="chapters"]');
    if (!element) return;
    element.track.mode = "hidden";
    element.addEventListener("load", () => {
      const cues = [...(element.track.cues ?? [])] as VTTCue[];
      this.chapters = cues.map(({ startTime, text }) => ({ start: startTime, title: text }));
      this.markChapters();
    });
  }

  private markChapters(): void {
    const marks = this.chapters.filter(({ start }) => start > 0).map(({ start }) => {
      const mark = document.createElement("span");
      mark.style.left = `${(100 * start) / (this.duration || 1)}%`;
      return mark;
    });
    part(this.root, "marks").replaceChildren(...marks);
  }
}
