/* What only the page of one file runs: along the list, into the picture, the edits of it.
 *
 * Elements by themselves, as players are: what htmx brings or takes starts and ends by itself.
 */
import { MediaBeside } from "./detail/beside";
import { FocalPoint, PictureCrop, PosterMoment } from "./detail/shaping";
import { PosterStrip } from "./detail/strip";
import { PictureZoom } from "./detail/zoom";

const ELEMENTS: Record<string, CustomElementConstructor> = {
  "media-beside": MediaBeside,
  "picture-zoom": PictureZoom,
  "picture-crop": PictureCrop,
  "focal-point": FocalPoint,
  "poster-moment": PosterMoment,
  "poster-strip": PosterStrip,
};

for (const [name, element] of Object.entries(ELEMENTS)) {
  if (!customElements.get(name)) customElements.define(name, element);
}
