/* The camera in a window of its own: photographs and films become files like any other. */
import Webcam from "@uppy/webcam";
import type { Files } from "./files";
import { t } from "../language/words";

const wordsOfCamera = () => ({
  takePicture: t("Take a photograph"),
  startRecording: t("Start filming"),
  stopRecording: t("Stop filming"),
  submitRecordedFile: t("Upload it"),
  discardRecordedFile: t("Take another"),
  allowAccessTitle: t("Your camera, please"),
  allowAccessDescription: t("Allow this site to use the camera; your browser asks for it."),
  noCameraTitle: t("There is no camera"),
  noCameraDescription: t("Connect one, or choose a file instead."),
  smile: t("Smile!"),
  recordingLength: t("Length of the recording: {length}", { length: "%{recording_length}" }),
  recordingStoppedMaxSize: t("Filming ended: the file would become larger than is accepted."),
});
const MODES = ["picture", "video-audio"] as const;

function loadStyles(address: string): void {
  if (!address || document.querySelector(`link[href="${address}"]`)) return;
  const link = document.createElement("link");
  link.rel = "stylesheet";
  link.href = address;
  document.head.append(link);
}

function makeDialog(icons: string): HTMLDialogElement {
  const dialog = document.createElement("dialog");
  dialog.className = "dialog camera";
  dialog.setAttribute("aria-labelledby", "camera-title");
  dialog.innerHTML = `<div class="camera__head">
      <h2 id="camera-title">${t("Camera")}</h2>
      <button type="button" class="icon-button" aria-label="${t("Close the camera")}">
        <svg class="icon" aria-hidden="true"><use href="${icons}#close"></use></svg>
      </button>
    </div><div></div>`;
  dialog.querySelector("button")?.addEventListener("click", () => dialog.close());
  return dialog;
}

export function openCamera(uppy: Files, place: HTMLElement): void {
  if (uppy.getPlugin("Webcam")) return;
  loadStyles(place.dataset.cameraStyles ?? "");
  const dialog = makeDialog(place.dataset.icons ?? "");
  place.append(dialog);
  dialog.showModal();
  const target = dialog.lastElementChild as HTMLElement;
  uppy.use(Webcam, {
    target,
    modes: [...MODES],
    mirror: false,
    showVideoSourceDropdown: true,
    showRecordingLength: true,
    locale: { strings: wordsOfCamera() } as never,
  });
  // A photograph taken before the first picture of the camera is there would be empty.
  dialog.addEventListener("loadeddata", () => dialog.classList.add("has-picture"), true);
  const finish = (): void => dialog.close();
  uppy.on("file-added", finish);
  dialog.addEventListener("close", () => {
    uppy.off("file-added", finish);
    const camera = uppy.getPlugin("Webcam");
    if (camera) uppy.removePlugin(camera);
    dialog.remove();
  });
}
