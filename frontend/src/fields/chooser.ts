/* The library in a dialog: search, pages, and what somebody picks. */
import htmx from "htmx.org";
import { showPlaceholders } from "../page/placeholders";
import { button, openDialog } from "./dialogs";
import type { Chosen } from "./items";
import { t, tn } from "../language/words";

export interface Pick extends Chosen {
  likeness: Element | null;
}

interface Choosing {
  address: string;
  many: boolean;
  /** How many may still be chosen. */
  room: number;
  taken: Set<string>;
}

function pickOf(choice: HTMLElement): Pick {
  const { choose = "", name = "", kind = "", picture = "", alt = "", width, height } = choice.dataset;
  return { id: choose, name, kind, picture, alt, width, height, likeness: choice.querySelector("picture") };
}

/** Resolves with what was picked, in the order of picking; nothing if it was given up. */
export function choose({ address, many, room, taken }: Choosing): Promise<Pick[]> {
  const title = many ? t("Choose from your library") : t("Choose one from your library");
  const { dialog, body, foot } = openDialog("chooser", title);
  const picked = new Map<string, Pick>();
  let result: Pick[] = [];
  const done = button(t("Add"));
  const words = Object.assign(document.createElement("p"), { className: "quiet" });
  words.setAttribute("role", "status");
  if (many) foot.append(done, words);
  else foot.remove();

  const tell = (): void => {
    done.disabled = picked.size === 0;
    done.textContent = picked.size
      ? tn("Add {count} file", "Add {count} files", picked.size)
      : t("Add");
    words.textContent = picked.size >= room ? t("That is all there is room for.") : "";
  };
  const finish = (picks: Pick[]): void => {
    result = picks;
    dialog.close();
  };
  const mark = (): void => {
    for (const choice of body.querySelectorAll<HTMLButtonElement>(".choice")) {
      const id = choice.dataset.choose ?? "";
      choice.setAttribute("aria-pressed", String(picked.has(id) || taken.has(id)));
      choice.disabled = taken.has(id);
    }
  };
  const toggle = (choice: HTMLElement): void => {
    const pick = pickOf(choice);
    if (!many) return finish([pick]);
    if (!picked.delete(pick.id) && picked.size < room) picked.set(pick.id, pick);
    mark();
    tell();
  };
  body.addEventListener("click", (event) => {
    const choice = (event.target as Element).closest<HTMLElement>(".choice");
    if (choice) toggle(choice);
  });
  body.addEventListener("htmx:afterSettle", () => {
    mark();
    showPlaceholders(body);
  });
  body.addEventListener("htmx:responseError", () => {
    words.textContent = t("Your library could not be loaded. Try again.");
    if (!body.children.length) body.textContent = words.textContent;
  });
  done.addEventListener("click", () => finish([...picked.values()]));
  tell();
  void htmx
    .ajax("get", address, { target: body, swap: "innerHTML" })
    .then(() => body.querySelector<HTMLElement>("[autofocus]")?.focus());
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(result));
  });
}
