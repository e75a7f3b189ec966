/* The switch between light and dark. Until it is used, the system's choice holds. */

const dark = matchMedia("(prefers-color-scheme: dark)");
const root = document.documentElement;

export const isDark = (): boolean =>
  root.dataset.theme ? root.dataset.theme === "dark" : dark.matches;

function show(button: HTMLElement): void {
  button.hidden = false;
  button.setAttribute("aria-pressed", String(isDark()));
}

function choose(theme: "light" | "dark"): void {
  root.dataset.theme = theme;
  localStorage.setItem("theme", theme);
  document.dispatchEvent(new Event("theme:changed"));
}

export function offerThemes(): void {
  const button = document.querySelector<HTMLElement>("[data-theme-toggle]");
  if (!button) return;
  show(button);
  button.addEventListener("click", () => choose(isDark() ? "light" : "dark"));
  document.addEventListener("theme:changed", () => show(button));
  dark.addEventListener("change", () => document.dispatchEvent(new Event("theme:changed")));
}
