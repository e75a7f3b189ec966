/* Where the fields of a page are. What they do comes when there is one; see element.ts. */

interface TakesFiles extends HTMLElement {
  take?(files: File[]): void;
}

const fields = (): TakesFiles[] => [...document.querySelectorAll<TakesFiles>("media-field")];

/** What the uploader knows a field by, also after the page has been loaded anew. */
export const keyOf = (field: HTMLElement): string => `${location.pathname}#${field.dataset.name}`;

/** Whether a field of the page shows the files that are for `key`. */
export const isShown = (key?: string): boolean =>
  key !== undefined && fields().some((field) => keyOf(field) === key);

/** The field that files are meant for which come to `target`: the one around it, or the only one. */
export function fieldAt(target: EventTarget | null): HTMLElement | undefined {
  const around = target instanceof Element ? target.closest<HTMLElement>("media-field") : null;
  const all = fields();
  return around ?? (all.length === 1 ? all[0] : undefined);
}

export function give(field: HTMLElement, files: File[]): void {
  (field as TakesFiles).take?.(files);
}

export function useFields(part: Node): void {
  if (part instanceof Element && fields().length) void import("./element");
}
