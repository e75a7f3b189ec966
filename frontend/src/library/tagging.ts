/* `<tag-names>`: completes the last of the tags in a field from those that somebody has. Tags have commas
 * between them; one that has a comma itself stands in double quotes. */
import { Combobox } from "./combobox";

export class TagNames extends Combobox {
  protected readonly shortest = 1;

  /** The last tag, once somebody writes at the end. */
  protected get typed(): string {
    const { field } = this;
    if (!field || field.selectionEnd !== field.value.length) return "";
    return bare(split(field.value).last);
  }

  /** No tag is needed twice. */
  protected isOffered({ dataset }: HTMLElement): boolean {
    const { before } = split(this.field?.value ?? "");
    return !before.some((name) => bare(name).toLowerCase() === dataset.tag?.toLowerCase());
  }

  protected follow({ dataset }: HTMLElement): void {
    const { field } = this;
    if (!field || !dataset.tag) return;
    const names = [...split(field.value).before, quoted(dataset.tag)];
    field.value = `${names.join(", ")}, `;
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }
}

/** The tags as they are written, the last one apart. */
function split(text: string): { before: string[]; last: string } {
  const parts = [""];
  let isQuoted = false;
  for (const letter of text) {
    if (letter === '"') isQuoted = !isQuoted;
    if (letter === "," && !isQuoted) parts.push("");
    else parts[parts.length - 1] += letter;
  }
  const last = parts.pop() ?? "";
  return { before: parts.map((part) => part.trim()).filter(Boolean), last };
}

function bare(written: string): string {
  return written.trim().replace(/^"|"$/g, "").replaceAll('""', '"');
}

function quoted(name: string): string {
  return /[",]/.test(name) ? `"${name.replaceAll('"', '""')}"` : name;
}

if (!customElements.get("tag-names")) customElements.define("tag-names", TagNames);
