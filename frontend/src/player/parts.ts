/* Finding the parts of a player, which the server has written. */

export function part<T extends HTMLElement>(root: HTMLElement, name: string): T {
  const found = root.querySelector<T>(`[data-part="${name}"]`);
  if (!found) throw new Error(`the player has no part "${name}"`);
  return found;
}

export function button(root: HTMLElement, name: string): HTMLButtonElement {
  return part<HTMLButtonElement>(root, name);
}

/** Shows one of the two drawings of a button, and says what pressing it does. */
export function showPressed(control: HTMLElement, pressed: boolean, label: string): void {
  control.toggleAttribute("data-pressed", pressed);
  control.setAttribute("aria-label", label);
  control.title = label;
}
