/* Takes files from anywhere: dropped or pasted on any page, or chosen by its buttons.
 *
 * Only the ear is here; what sends files comes when there are any, or when some of an earlier
 * visit may be left.
 */
import { getDroppedFiles } from "@uppy/core/utils";
import htmx from "htmx.org";
import { fieldAt, give } from "../fields/keys";
import type { Uploader } from "../uploader/start";
import { t } from "../language/words";
import { offerShared } from "./installing";

export interface Wishes {
  tags: string;
  visibility: string;
  /** The form's field that the files are for (see `fields/keys.ts`); none: for the library. */
  field?: string;
}

const place = (): HTMLElement | null => document.querySelector<HTMLElement>("#uploads");
const PENDING = "uploads:pending"; // set while files are on their way; see uploader/start.ts

let coming: Promise<Uploader> | undefined;

export function uploader(): Promise<Uploader> {
  const target = place();
  if (!target) throw new Error("this page takes no uploads");
  coming ??= import("../uploader/start").then(({ start }) => start(target, { choose }));
  return coming;
}

/** What the upload page says about the files to come; nothing on other pages. */
function wishes(): Wishes {
  const form = document.querySelector<HTMLFormElement>("form[data-upload]");
  const said = form ? new FormData(form) : undefined;
  return {
    tags: String(said?.get("tags") ?? "").trim(),
    visibility: String(said?.get("visibility") ?? ""),
  };
}

async function take(files: File[]): Promise<void> {
  if (files.length === 0) return;
  const said = wishes();
  (await uploader()).add(files, said);
}

type Settings = Pick<
  Partial<HTMLInputElement>,
  "multiple" | "webkitdirectory" | "accept" | "capture"
>;

/** The browser's own dialogue, and what is chosen in it. In the page, since Safari wants that. */
export function ask(
  settings: Settings,
  use: (files: File[]) => void = (files) => void take(files),
): void {
  place()?.querySelector("input[type=file]")?.remove();
  const input = Object.assign(document.createElement("input"), settings, {
    type: "file",
    hidden: true,
  });
  input.addEventListener("change", () => {
    input.remove();
    use([...(input.files ?? [])]);
  });
  place()?.append(input);
  input.click();
}

function choose(kind: "files" | "folder" = "files"): void {
  ask({ multiple: true, webkitdirectory: kind === "folder" });
}

/** Telephones have a camera app; elsewhere a window of ours shows the camera. */
async function photograph(): Promise<void> {
  if (matchMedia("(pointer: coarse)").matches) {
    ask({ accept: "image/*,video/*", capture: "environment" });
  } else {
    (await uploader()).openCamera(wishes());
  }
}

// -- dropping ---------------------------------------------------------------------------------

const carriesFiles = (event: DragEvent): boolean =>
  Boolean(event.dataTransfer?.types.includes("Files")) && place() !== null;

function showTarget(shown: boolean, field?: HTMLElement): void {
  document.documentElement.classList.toggle("is-dropping", shown && !field);
  for (const one of document.querySelectorAll("media-field.is-target"))
    if (one !== field) one.classList.remove("is-target");
  field?.classList.add("is-target");
}

function hover(event: DragEvent): void {
  if (!carriesFiles(event) || !event.dataTransfer) return;
  event.preventDefault();
  event.dataTransfer.dropEffect = "copy";
  showTarget(true, fieldAt(event.target));
}

/** Leaving an element for another inside the page is not leaving the page. */
function unhover(event: DragEvent): void {
  if (!event.relatedTarget) showTarget(false);
}

async function drop(event: DragEvent): Promise<void> {
  const field = fieldAt(event.target);
  showTarget(false);
  if (!carriesFiles(event) || !event.dataTransfer) return;
  event.preventDefault();
  const files = getDroppedFiles(event.dataTransfer); // reads the list before anybody empties it
  if (field) give(field, (await files) as File[]);
  else await take((await files) as File[]);
}

// -- pasting ----------------------------------------------------------------------------------

function isField(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.matches("input, textarea, [contenteditable]");
}

/** Browsers call every copied picture `image.png`; the time makes names that differ. */
function named(file: File): File {
  if (file.name !== "image.png") return file;
  const time = new Date().toISOString().slice(0, 19).replace("T", " ").replaceAll(":", ".");
  return new File([file], `${t("Pasted {time}", { time })}.png`, {
    type: file.type,
    lastModified: file.lastModified,
  });
}

function paste(event: ClipboardEvent): void {
  const data = event.clipboardData;
  if (!data?.files.length || !place()) return;
  if (isField(event.target) && data.types.includes("text/plain")) return;
  event.preventDefault();
  const files = [...data.files].map(named);
  const field = fieldAt(event.target);
  if (field) give(field, files);
  else void take(files);
}

// -- buttons ----------------------------------------------------------------------------------

function press(event: MouseEvent): void {
  const button = (event.target as Element).closest<HTMLElement>("[data-add]");
  if (!button || !place()) return;
  if (button.dataset.add === "camera") void photograph();
  else choose(button.dataset.add === "folder" ? "folder" : "files");
}

/** What another program shared waits on the upload page for a word of the person. */
function takeShared(root: Node): void {
  if (place() && root instanceof Element) offerShared(root, take);
}

/** Fetches the rest before it is needed, and goes on with what an earlier visit left. */
function prepare(): void {
  const target = place();
  if (!target) return;
  const isAsked = document.querySelector("form[data-upload]") !== null;
  if (isAsked || localStorage.getItem(`${PENDING}:${target.dataset.user}`)) void uploader();
}

export function takeFiles(): void {
  document.addEventListener("dragenter", hover);
  document.addEventListener("dragover", hover);
  document.addEventListener("dragleave", unhover);
  document.addEventListener("drop", (event) => void drop(event));
  document.addEventListener("paste", paste);
  document.addEventListener("click", press);
  htmx.onLoad(prepare);
  htmx.onLoad(takeShared);
}
