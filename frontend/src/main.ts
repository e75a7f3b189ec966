/* What every page runs. All of it is a comfort: each page works without it. */
import htmx from "htmx.org";
import { moveClips } from "./page/clips";
import { watchListFailures } from "./page/failures";
import { takeFinished } from "./page/finished";
import { keepMenusTidy } from "./page/menus";
import { showDocuments } from "./page/pages";
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
moveClips();
showDocuments();
htmx.onLoad(showPlaceholders);
htmx.onLoad(takeFinished);
