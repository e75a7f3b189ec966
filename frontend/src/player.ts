/* `<media-player>`: the controls around a film or a sound, which plays without them too.
 *
 * The server writes all markup; this brings it to life and takes the browser's own controls away.
 * An element by itself, so that a player that htmx brings or takes starts and ends by itself.
 */
import { CaptionChoice, offerSpeeds, QualityChoice } from "./player/choices";
import { wireButtons } from "./player/controls";
import { part } from "./player/parts";
import { SeekBar } from "./player/seek";
import { openSource, type Source } from "./player/source";
import { Waveform } from "./player/waveform";
import { t } from "./language/words";

class MediaPlayer extends HTMLElement {
  private source: Source | null = null;
  private readonly watching = new AbortController();

  connectedCallback(): void {
    const media = this.querySelector<HTMLMediaElement>("video, audio");
    if (!media || this.source) return;
    media.controls = false;
    const load = (): void => this.source?.load();
    const seek = new SeekBar(this, media, Number(this.dataset.duration) || 0, load);
    const captions = new CaptionChoice(this, media);
    const quality = new QualityChoice(this, (id) => this.source?.choose(id));
    offerSpeeds(this, media);
    this.source = openSource(media, this.dataset.hls ?? "", {
      qualities: (found) => quality.offer(found),
      playing: (name) => quality.tell(name),
      failed: () => this.explain(),
    });
    wireButtons(this, media, {
      play: () => void this.flip(media),
      seekBy: (seconds) => seek.seek(media.currentTime + seconds),
      flipCaptions: () => captions.flip(),
    });
    this.drawSound();
    this.followLinks(media, seek);
    this.addEventListener("player:show", (event) => {
      seek.seek((event as CustomEvent<number>).detail);
    });
    part(this, "bar").hidden = false;
    this.classList.add("is-ready");
  }

  disconnectedCallback(): void {
    this.watching.abort();
    this.source?.destroy();
    this.source = null;
  }

  private async flip(media: HTMLMediaElement): Promise<void> {
    if (!media.paused) {
      media.pause();
      return;
    }
    await this.source?.ready;
    this.source?.load();
    // An attempt that a pause or a seek overtakes is no failure.
    await media.play().catch(() => undefined);
  }

  private explain(): void {
    const place = part(this, "error");
    place.textContent = t("This cannot be played at the moment. Download it, or try again later.");
    place.hidden = false;
    this.classList.remove("is-waiting");
  }

  private drawSound(): void {
    const { peaks } = this.dataset;
    const canvas = this.querySelector("canvas");
    if (!peaks || !canvas) return;
    const waveform = new Waveform(canvas, peaks);
    this.addEventListener("player:moved", (event) => {
      waveform.show((event as CustomEvent<number>).detail);
    });
  }

  /** Links with a time, such as those of chapters, go there instead of away. */
  private followLinks(media: HTMLMediaElement, seek: SeekBar): void {
    const go = (event: MouseEvent): void => {
      const { target } = event;
      const link = target instanceof Element ? target.closest<HTMLElement>("[data-seek]") : null;
      if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      seek.seek(Number(link.dataset.seek));
      if (media.paused) void this.flip(media);
      this.scrollIntoView({ block: "nearest" });
    };
    document.addEventListener("click", go, { signal: this.watching.signal });
  }
}

customElements.define("media-player", MediaPlayer);
