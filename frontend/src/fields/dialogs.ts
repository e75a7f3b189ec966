/* Dialogs of fields: one frame, with a title and a way out. */
import { t } from "../language/words";

export interface Frame {
  dialog: HTMLDialogElement;
  body: HTMLElement;
  foot: HTMLElement;
}

export const icons = (): string =>
  document.querySelector<HTMLElement>("#uploads")?.dataset.icons ?? "";

export function button(words: string, look = "button"): HTMLButtonElement {
  return Object.assign(document.createElement("button"), {
    type: "button",
    className: look,
    textContent: words,
  });
}

/** A dialog on top of the page; it goes with its closing, and the keyboard goes back. */
export function openDialog(name: string, title: string): Frame {
  const dialog = document.createElement("dialog");
  dialog.className = `dialog ${name}`;
  dialog.setAttribute("aria-labelledby", `${name}-title`);
  dialog.innerHTML = `<div class="dialog__head">
      <h2 id="${name}-title"></h2>
      <button type="button" class="icon-button" aria-label="${t("Close")}">
        <svg class="icon" aria-hidden="true"><use href="${icons()}#close"></use></svg>
      </button>
    </div><div class="dialog__body"></div><div class="dialog__foot actions"></div>`;
  const [head, body, foot] = [...dialog.children] as [HTMLElement, HTMLElement, HTMLElement];
  (head.querySelector("h2") as HTMLElement).textContent = title;
  head.querySelector("button")?.addEventListener("click", () => dialog.close());
  const before = document.activeElement;
  dialog.addEventListener("close", () => {
    dialog.remove();
    if (before instanceof HTMLElement && before.isConnected) before.focus();
  });
  document.body.append(dialog);
  dialog.showModal();
  return { dialog, body, foot };
}
