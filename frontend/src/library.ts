/* What only the library runs: the grid of any length with its scale, and suggestions for the search. */
import { MediaGrid } from "./library/grid";
import { SearchSuggestions } from "./library/suggestions";

const ELEMENTS: Record<string, CustomElementConstructor> = {
  "media-grid": MediaGrid,
  "search-suggestions": SearchSuggestions,
};

for (const [name, element] of Object.entries(ELEMENTS)) {
  if (!customElements.get(name)) customElements.define(name, element);
}
