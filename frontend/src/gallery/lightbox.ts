/* Shows the pictures and films of a gallery large: by keys, by swiping, by buttons.
 *
 * What to show is read from the cards. Near the end of what the page has, it asks for more.
 */
import type PhotoSwipe from "photoswipe";
import type { SlideData } from "photoswipe";
import { t } from "../language/words";

const AHEAD = 4; // slides before the end at which more is asked for
const SHOWN = '.pswp__item[aria-hidden="false"]';
const STOPS = `button, ${SHOWN} a[href], ${SHOWN} video`;
const LARGEST = 2560; // pixels; nothing is shown larger

export type Card = HTMLAnchorElement;

/** The cards that can be shown large: those that have a picture, or a film. */
export function cardsOf(gallery: Element): Card[] {
  return [...gallery.querySelectorAll<Card>(".card:not(.card--plain) a.card__link")];
}

function slideOf(card: Card): SlideData {
  const image = card.querySelector("img");
  const best = card.querySelector<HTMLSourceElement>('source:not([media])');
  const width = Number(image?.getAttribute("width")) || 1200;
  const height = Number(image?.getAttribute("height")) || 900;
  const shrink = Math.min(1, LARGEST / Math.max(width, height));
  const size = { width: Math.round(width * shrink), height: Math.round(height * shrink) };
  const small = image?.currentSrc || image?.src || "";
  if (card.dataset.film !== undefined) return { ...size, type: "film", msrc: small, element: card };
  const alt = image?.alt || card.dataset.title || ""; // a card says its words below the picture
  const shown = { src: image?.src ?? "", srcset: best?.srcset ?? "", alt };
  return { ...size, ...shown, type: "image", msrc: small, element: card };
}

export async function openAt(gallery: HTMLElement, index: number): Promise<void> {
  const { default: Lightbox } = await import("photoswipe");
  const cards = cardsOf(gallery);
  const slides = cards.map(slideOf);
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const box = new Lightbox({
    dataSource: slides,
    index,
    loop: false,
    bgOpacity: 0.95,
    wheelToZoom: true,
    returnFocus: false,
    showHideAnimationType: still ? "none" : "fade",
    zoomAnimationDuration: still ? 0 : 200,
    closeTitle: t("Close"),
    zoomTitle: t("Zoom"),
    arrowPrevTitle: t("Previous"),
    arrowNextTitle: t("Next"),
    errorMsg: t("This picture could not be loaded."),
  });
  const grown = (): void => takeMore(gallery, box, cards, slides);
  gallery.addEventListener("htmx:afterSettle", grown);
  showFilms(box);
  keepFocus(box);
  describe(box, cards);
  box.on("change", () => {
    if (box.currIndex >= slides.length - AHEAD) askForMore();
  });
  box.on("destroy", () => {
    gallery.removeEventListener("htmx:afterSettle", grown);
    const last = cards[box.currIndex];
    last?.scrollIntoView({ block: "nearest" });
    last?.focus({ preventScroll: true });
  });
  box.init();
  box.element?.setAttribute("aria-label", gallery.dataset.label ?? t("Gallery"));
  box.element?.setAttribute("aria-modal", "true");
}

/** The tab key goes round in the dialog: behind its last button lies the page. */
function keepFocus(box: PhotoSwipe): void {
  box.on("keydown", (event) => {
    const { key, shiftKey } = event.originalEvent;
    if (key !== "Tab" || !box.element) return;
    const found = box.element.querySelectorAll<HTMLElement>(STOPS);
    const stops = [...found].filter((one) => one.checkVisibility({ visibilityProperty: true }));
    const at = stops.indexOf(document.activeElement as HTMLElement);
    const next = shiftKey ? (at > 0 ? at : stops.length) - 1 : (at + 1) % stops.length;
    event.originalEvent.preventDefault();
    stops[next]?.focus();
  });
}

function askForMore(): void {
  const link = document.querySelector<HTMLElement>("#more a[hx-get]");
  if (link && !link.closest(".htmx-request")) link.click();
}

/** What has been added to the grid meanwhile becomes slides, too. */
function takeMore(gallery: HTMLElement, box: PhotoSwipe, cards: Card[], slides: SlideData[]): void {
  const known = new Set(cards);
  for (const card of cardsOf(gallery)) {
    if (known.has(card)) continue;
    cards.push(card);
    slides.push(slideOf(card));
  }
  box.refreshSlideContent(Math.min(box.currIndex + 1, slides.length - 1));
  box.dispatch("change");
}

/** A film is a player of the browser's own; it stops when it is left. */
function showFilms(box: PhotoSwipe): void {
  box.on("contentLoad", (event) => {
    const { content } = event;
    if (content.type !== "film") return;
    event.preventDefault();
    content.element = film(content.data);
    content.state = "loaded";
  });
  box.on("contentDeactivate", ({ content }) => {
    content.element?.querySelector("video")?.pause();
  });
  // Who drags along a film's bar means the film.
  box.on("pointerDown", (event) => {
    const at = event.originalEvent.target;
    if (at instanceof Element && at.closest("video, .lightbox__link")) event.preventDefault();
  });
}

function film(data: SlideData): HTMLDivElement {
  const card = data.element as Card;
  const place = document.createElement("div");
  place.className = "lightbox__film";
  const address = card.dataset.film;
  if (!address) {
    const link = Object.assign(document.createElement("a"), {
      className: "lightbox__link",
      href: card.href,
      textContent: t("Open the player"),
    });
    place.append(link);
    return place;
  }
  const video = Object.assign(document.createElement("video"), {
    src: address,
    controls: true,
    playsInline: true,
    preload: "metadata",
    poster: data.msrc ?? "",
  });
  video.setAttribute("aria-label", card.dataset.title ?? "");
  place.append(video);
  return place;
}

/** Says what is shown: to everybody what was written under it, to a reader also where one is. */
function describe(box: PhotoSwipe, cards: Card[]): void {
  box.on("uiRegister", () => {
    box.ui?.registerElement({
      name: "words",
      className: "lightbox__words",
      order: 9,
      isButton: false,
      appendTo: "root",
      onInit: (element) => {
        const place = document.createElement("span");
        const words = document.createElement("span");
        place.className = "visually-hidden";
        element.setAttribute("role", "status");
        element.append(place, words);
        const tell = (): void => {
          const card = cards[box.currIndex];
          const title = card?.dataset.title ?? "";
          const at = { number: box.currIndex + 1, all: box.getNumItems(), title };
          place.textContent = `${t("{number} of {all}: {title}.", at)} `;
          words.textContent = card?.dataset.words ?? "";
          element.classList.toggle("is-empty", !words.textContent);
        };
        box.on("change", tell);
        tell();
      },
    });
  });
}
