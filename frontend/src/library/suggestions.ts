/* `<search-suggestions>`: while somebody types, what they may mean. Enter without a choice searches, as
 * it does without script. */
import { followLink } from "../page/following";
import { Combobox } from "./combobox";

export class SearchSuggestions extends Combobox {
  protected readonly shortest = 2;

  connectedCallback(): void {
    super.connectedCallback();
    // What was typed is looked for too; an answer to that is late once another page is here.
    const form = this.field?.form;
    form?.addEventListener("htmx:beforeOnLoad", (event) => {
      if (!form.isConnected) event.preventDefault();
    });
  }

  protected get typed(): string {
    return this.field?.value.trim() ?? "";
  }

  /** A file is opened; a tag takes the place of what was typed. */
  protected follow({ dataset }: HTMLElement): void {
    const url = new URL(dataset.url ?? location.href, location.href);
    if (dataset.tag) {
      url.searchParams.delete("q");
      url.searchParams.delete("cursor");
      url.searchParams.set("tag", dataset.tag);
    }
    followLink(url.href);
  }
}
