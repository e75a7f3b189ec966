/* `<picture-crop>`: a button that cuts, whose frame is fetched when it is pressed.
 * `<poster-moment>`: a button that takes the moment at which the player stands.
 * `<focal-point>`: the point of a picture that crops keep, by a click or in numbers. */

const PERCENT = 100;

export class PictureCrop extends HTMLElement {
  connectedCallback(): void {
    this.hidden = !this.dataset.picture;
    this.querySelector("button")?.addEventListener("click", () => void this.cut());
  }

  private async cut(): Promise<void> {
    const { cut } = await import("../fields/cropping");
    const { name = "", picture = "" } = this.dataset;
    const crop = await cut({ name, picture, crop: undefined, ratio: 0, isRound: false });
    const form = this.closest("form");
    const input = form?.querySelector<HTMLInputElement>("input[name=crop]");
    if (!crop || !form || !input) return; // given up, or all of it
    input.value = crop;
    form.requestSubmit();
  }
}

export class PosterMoment extends HTMLElement {
  connectedCallback(): void {
    this.hidden = false;
    this.querySelector("button")?.addEventListener("click", () => {
      const film = document.querySelector<HTMLVideoElement>(".preview video");
      const form = this.closest("form");
      const input = form?.querySelector<HTMLInputElement>("input[name=at]");
      if (!film || !input) return;
      input.value = film.currentTime.toFixed(3);
      form?.requestSubmit();
    });
  }
}

export class FocalPoint extends HTMLElement {
  connectedCallback(): void {
    const image = this.querySelector("img");
    image?.addEventListener("pointerdown", (event) => this.point(event, image));
    for (const input of this.inputs) input.addEventListener("input", () => this.draw());
    this.draw();
  }

  private get inputs(): HTMLInputElement[] {
    return [...this.querySelectorAll<HTMLInputElement>("input[type=number]")];
  }

  private point(event: PointerEvent, image: HTMLImageElement): void {
    const box = image.getBoundingClientRect();
    const shares = [
      (event.clientX - box.left) / box.width,
      (event.clientY - box.top) / box.height,
    ];
    this.inputs.forEach((input, index) => {
      const share = Math.min(Math.max(shares[index] ?? 0, 0), 1);
      input.value = (PERCENT * share).toFixed(1);
    });
    this.draw();
  }

  private draw(): void {
    const [x = 0, y = 0] = this.inputs.map((input) => Number(input.value) || 0);
    this.querySelector("path")?.setAttribute("d", `M${x} 0V100M0 ${y}H100`);
  }
}
