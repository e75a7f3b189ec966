/* The scale at the side: where in the list one is, and the way to any other place at once. */
import { t } from "../language/words";

export interface Mark {
  at: number; // 0–1 of the list's height
  words: string;
  year: string; // empty where the list is not by time
}

const APART = 26; // CSS pixels between two years that are written
const SHOWN_FOR = 1500; // milliseconds after scrolling, on a touch screen

/** By its translation: what moves so shifts no layout. The height is that of the scale. */
const placed = (at: number, aside = "0"): string => `${aside} calc(${at * 100}cqh - 50%)`;

export class Scrubber {
  readonly element = document.createElement("div");
  private readonly thumb = document.createElement("span");
  private readonly label = document.createElement("span");
  private readonly years = document.createElement("span");
  private marks: Mark[] = [];
  private at = 0;
  private isHeld = false;
  private timer = 0;

  constructor(
    private readonly goTo: (at: number) => void,
    isByTime: boolean,
  ) {
    const { element, thumb, label, years } = this;
    element.className = "scrubber";
    element.tabIndex = 0;
    for (const [name, value] of Object.entries({
      role: "slider",
      "aria-orientation": "vertical",
      "aria-controls": "grid",
      "aria-label": isByTime ? t("Date") : t("Place in the list"),
    })) {
      element.setAttribute(name, value);
    }
    years.className = "scrubber__years";
    thumb.className = "scrubber__thumb";
    label.className = "scrubber__label";
    for (const part of [years, thumb, label]) part.setAttribute("aria-hidden", "true");
    element.append(years, thumb, label);
    element.addEventListener("pointerdown", (event) => this.hold(event));
    element.addEventListener("pointermove", (event) => this.point(event));
    element.addEventListener("pointerleave", () => this.say(this.at));
    for (const name of ["pointerup", "pointercancel"]) {
      element.addEventListener(name, () => this.letGo());
    }
    element.addEventListener("keydown", (event) => this.press(event));
  }

  scale(marks: Mark[]): void {
    this.marks = marks;
    this.element.setAttribute("aria-valuemin", "1");
    this.element.setAttribute("aria-valuemax", String(marks.length));
    this.writeYears();
    this.show(this.at);
  }

  /** The list was scrolled to there. */
  show(at: number): void {
    this.at = at;
    const index = this.indexAt(at);
    this.element.setAttribute("aria-valuenow", String(index + 1));
    this.element.setAttribute("aria-valuetext", this.marks[index]?.words ?? "");
    this.thumb.style.translate = placed(at);
    if (!this.isHeld) this.say(at);
    this.element.classList.add("is-moving");
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => {
      if (!this.isHeld) this.element.classList.remove("is-moving");
    }, SHOWN_FOR);
  }

  private say(at: number): void {
    this.label.textContent = this.marks[this.indexAt(at)]?.words ?? "";
    this.label.style.translate = placed(at, document.dir === "rtl" ? "100%" : "-100%");
  }

  private indexAt(at: number): number {
    let [low, high] = [0, this.marks.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.marks[middle]?.at ?? 0) <= at + 1e-6) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  private writeYears(): void {
    const height = this.element.clientHeight;
    let [year, last] = ["", -APART];
    this.years.replaceChildren();
    for (const mark of this.marks) {
      if (mark.year === year) continue;
      year = mark.year;
      const top = mark.at * height;
      if (top - last < APART) continue;
      last = top;
      const line = document.createElement("span");
      line.textContent = year;
      line.style.top = `${mark.at * 100}%`;
      this.years.append(line);
    }
  }

  private fractionOf(event: PointerEvent): number {
    const { top, height } = this.element.getBoundingClientRect();
    return Math.min(Math.max((event.clientY - top) / height, 0), 1);
  }

  private hold(event: PointerEvent): void {
    if (event.button !== 0) return;
    event.preventDefault();
    this.element.focus({ preventScroll: true });
    this.element.setPointerCapture(event.pointerId);
    this.isHeld = true;
    this.element.classList.add("is-held");
    this.point(event);
  }

  private point(event: PointerEvent): void {
    const at = this.fractionOf(event);
    this.say(at);
    if (this.isHeld) this.goTo(at);
  }

  private letGo(): void {
    this.isHeld = false;
    this.element.classList.remove("is-held");
    this.show(this.at);
  }

  private press(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const target = this.targetOf(event.key);
    if (target === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    const last = this.marks.length - 1;
    this.goTo(this.marks[Math.min(Math.max(target, 0), last)]?.at ?? 0);
  }

  /** Arrows by month, page keys by year. */
  private targetOf(key: string): number | undefined {
    const now = this.indexAt(this.at);
    const year = this.marks[now]?.year;
    const isOther = (mark: Mark): boolean => mark.year !== year;
    switch (key) {
      case "ArrowDown":
      case "ArrowRight":
        return now + 1;
      case "ArrowUp":
      case "ArrowLeft":
        return now - 1;
      case "PageDown": {
        const next = year ? this.marks.findIndex((mark, index) => index > now && isOther(mark)) : now + 12;
        return next < 0 ? this.marks.length - 1 : next;
      }
      case "PageUp": {
        if (!year) return now - 12;
        const first = this.marks.findIndex((mark) => mark.year === year);
        const before = this.marks[Math.max(first - 1, 0)]?.year;
        return this.marks.findIndex((mark) => mark.year === before);
      }
      case "Home":
        return 0;
      case "End":
        return this.marks.length - 1;
      default:
        return undefined;
    }
  }
}
