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
}

function choose(theme: "light" | "dark"): void {
  root.dataset.theme = theme;
  localStorage.setItem("theme", theme);
  show();
}

export function offerThemes(): void {
  show();
  htmx.onLoad(show); // each page brings a button of its own
  dark.addEventListener("change", show);
  document.addEventListener("click", ({ target }) => {
    if (target instanceof Element && target.closest("[data-theme-toggle]"))
      choose(isDark() ? "light" : "dark");
  });
}
