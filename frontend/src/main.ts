/* What every page runs. All of it is a comfort: each page works without it. */
import htmx from "htmx.org";
import { watchListFailures } from "./page/failures";
import { keepMenusTidy } from "./page/menus";
import { showPlaceholders } from "./page/placeholders";
import { watchPolls } from "./page/polls";
import { improveFilters } from "./page/filters";
import { offerThemes } from "./page/themes";
import { addUploadedCards } from "./page/uploaded";

improveFilters();
watchPolls();
watchListFailures();
keepMenusTidy();
offerThemes();
addUploadedCards();
htmx.onLoad(showPlaceholders);
