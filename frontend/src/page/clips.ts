/* A film in the grid moves while the mouse rests on it, unless less motion is asked for. */

const DELAY = 250; // milliseconds: passing over is not resting
const still = matchMedia("(prefers-reduced-motion: reduce)");

let timer = 0;

function ground(event: Event): HTMLElement | null {
  const { target } = event;
  const link = target instanceof Element ? target.closest(".card__link") : null;
  return link?.querySelector<HTMLElement>("[data-clip]") ?? null;
}

function start(place: HTMLElement): void {
  if (place.querySelector("video")) return;
  const clip = document.createElement("video");
  clip.className = "card__clip";
  clip.muted = clip.loop = clip.playsInline = true;
  clip.tabIndex = -1;
  clip.setAttribute("aria-hidden", "true");
  clip.src = place.dataset.clip ?? "";
  clip.addEventListener("playing", () => clip.classList.add("is-playing"), { once: true });
  clip.addEventListener("error", () => clip.remove(), { once: true });
  place.append(clip);
  void clip.play().catch(() => clip.remove());
}

function stop(place: HTMLElement): void {
  clearTimeout(timer);
  place.querySelector("video")?.remove();
}

export function moveClips(): void {
  document.addEventListener("pointerover", (event) => {
    const place = ground(event);
    if (!place || event.pointerType !== "mouse" || still.matches) return;
    clearTimeout(timer);
    timer = window.setTimeout(() => start(place), DELAY);
  });
  document.addEventListener("pointerout", (event) => {
    const place = ground(event);
    const { relatedTarget } = event;
    const left = place?.closest(".card__link");
    if (place && !(relatedTarget instanceof Node && left?.contains(relatedTarget))) stop(place);
  });
}
