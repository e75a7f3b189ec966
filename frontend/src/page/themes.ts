/* The switch between light and dark. Until it is used, the system's choice holds. */
import htmx from "htmx.org";

const dark = matchMedia("(prefers-color-scheme: dark)");
const root = document.documentElement;

const isDark = (): boolean => (root.dataset.theme ? root.dataset.theme === "dark" : dark.matches);

function show(): void {
  const button = document.querySelector<HTMLElement>("[data-theme-toggle]");
  if (!button) return;
  button.hidden = false;
  button.setAttribute("aria-pressed", String(isDark()));
  tint();
}

/** What the browser draws around the page, which asks the system alone. */
function tint(): void {
  if (!root.dataset.theme) return;
  const { backgroundColor } = getComputedStyle(document.body);
  for (const meta of document.querySelectorAll<HTMLMetaElement>("meta[name=theme-color]")) {
    meta.content = backgroundColor;
  }
}

/** All at once: what fades from colour to colour would still be in the old ones. */
function repaint(): void {
  root.classList.add("is-repainting");
  requestAnimationFrame(() => requestAnimationFrame(() => root.classList.remove("is-repainting")));
}

function choose(theme: "light" | "dark"): void {
  repaint();
  root.dataset.theme = theme;
  localStorage.setItem("theme", theme);
  show();
}

export function offerThemes(): void {
  show();
  htmx.onLoad(show); // each page brings a button of its own
  dark.addEventListener("change", () => {
    repaint();
    show();
  });
  document.addEventListener("click", ({ target }) => {
    if (target instanceof Element && target.closest("[data-theme-toggle]"))
      choose(isDark() ? "light" : "dark");
  });
}
