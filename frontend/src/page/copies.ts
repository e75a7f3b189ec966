/* Buttons that copy what a field holds; shown only where the browser can. */
import { t } from "../language/words";

const SAID_FOR = 2000; // ms

function field(button: HTMLElement): HTMLInputElement | null {
  const found = document.getElementById(button.dataset.copy ?? "");
  return found instanceof HTMLInputElement ? found : null;
}

async function copy(button: HTMLButtonElement): Promise<void> {
  const source = field(button);
  if (!source) return;
  const before = button.textContent;
  try {
    await navigator.clipboard.writeText(source.value);
    button.textContent = t("Copied");
  } catch {
    source.select(); // to be copied by hand
    return;
  }
  setTimeout(() => (button.textContent = before), SAID_FOR);
}

export function offerCopies(root: Element): void {
  if (!navigator.clipboard) return; // only where the connection is safe
  for (const button of root.querySelectorAll<HTMLButtonElement>("button[data-copy]")) {
    button.hidden = false;
    button.addEventListener("click", () => void copy(button));
  }
}
