/* What has arrived: asks for the media file that came of an upload, and tells the page of it. */
import { UPLOADED, type UploadedDetail } from "../page/events";
import { type Arrival, type Files, type Media, type MediaBody, keep } from "./files";
import { call, isGood } from "./server";

type Twin = Media["duplicate_of"];

/** The address of the page of the file that `twin` names, whose page looks like `page`. */
function twinPage(twin: Twin, media: Media): string | undefined {
  if (!twin) return undefined;
  if (typeof twin !== "string" && twin.urls?.page) return pathOf(twin.urls.page);
  const id = typeof twin === "string" ? twin : twin.id;
  return id ? pathOf(media.urls.page).replace(media.id, id) : undefined;
}

const pathOf = (address: string): string => new URL(address, location.href).pathname;

const libraryPage = (): string =>
  document.querySelector<HTMLElement>("#uploads")?.dataset.library ?? "/";

function arrivalOf(media: Media): Arrival {
  const twin = twinPage(media.duplicate_of, media);
  const title = media.title || media.original_name;
  return { id: media.id, title, page: pathOf(media.urls.page), ...(twin && { twin }) };
}

async function fetchMedia(body: MediaBody | undefined): Promise<Media | undefined> {
  if (body?.media) return body.media;
  const address = body?.xhr?.getResponseHeader("Content-Location");
  if (!address) return undefined;
  const answer = await call(pathOf(address));
  return isGood(answer) ? (JSON.parse(answer.responseText) as Media) : undefined;
}

export function watchArrivals(uppy: Files): void {
  uppy.on("upload-success", async (file, response) => {
    if (!file) return;
    const media = await fetchMedia(response.body);
    if (!media) {
      keep(uppy, file.id, { arrival: { title: file.name, page: libraryPage() } });
      return;
    }
    const arrival = arrivalOf(media);
    keep(uppy, file.id, { arrival });
    const detail: UploadedDetail = { pageUrl: arrival.page, field: file.meta.field };
    document.dispatchEvent(new CustomEvent(UPLOADED, { detail }));
  });
}
