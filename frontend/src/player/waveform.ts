/* The shape of a sound, drawn from its peaks; what was played stands out. */

/** What is used of audiowaveform's data format, version 2: pairs of least and greatest. */
interface Peaks {
  bits: number;
  data: number[];
}

const BAR = 3; // CSS pixels, of which one is a gap

export class Waveform {
  private heights: number[] = [];
  private played = 0;

  constructor(
    private readonly canvas: HTMLCanvasElement,
    url: string,
  ) {
    new ResizeObserver(() => this.draw()).observe(canvas);
    document.addEventListener("theme:changed", () => this.draw());
    void this.read(url);
  }

  /** `share` of the whole, 0..1. */
  show(share: number): void {
    this.played = share;
    this.draw();
  }

  private async read(url: string): Promise<void> {
    const answer = await fetch(url);
    if (!answer.ok) return;
    const { bits, data } = (await answer.json()) as Peaks;
    const full = 2 ** (bits - 1);
    const count = Math.floor(data.length / 2);
    this.heights = Array.from({ length: count }, (_unused, index) =>
      Math.max(Math.abs(data[2 * index] ?? 0), Math.abs(data[2 * index + 1] ?? 0)) / full,
    );
    this.canvas.hidden = false;
    this.draw();
  }

  private draw(): void {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    const pen = this.canvas.getContext("2d");
    if (!pen || !width || !this.heights.length) return;
    const scale = devicePixelRatio;
    this.canvas.width = Math.round(width * scale);
    this.canvas.height = Math.round(height * scale);
    pen.scale(scale, scale);
    const colours = getComputedStyle(this.canvas);
    const bars = Math.floor(width / BAR);
    for (let bar = 0; bar < bars; bar += 1) {
      const size = Math.max(2, this.loudest(bar / bars, (bar + 1) / bars) * height);
      const isPlayed = bar / bars < this.played;
      pen.fillStyle = isPlayed ? colours.color : colours.borderTopColor;
      pen.fillRect(bar * BAR, (height - size) / 2, BAR - 1, size);
    }
  }

  private loudest(from: number, to: number): number {
    const { heights } = this;
    const first = Math.floor(from * heights.length);
    const last = Math.max(first + 1, Math.ceil(to * heights.length));
    return Math.min(1, Math.max(...heights.slice(first, last), 0));
  }
}
