/* Fields for tags fetch what completes them where there are such. */
export function completeTags(root: Element): void {
  if (root.matches("tag-names") || root.querySelector("tag-names")) void import("../library/tagging");
}
