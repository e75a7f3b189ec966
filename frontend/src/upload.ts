/* The upload page with script: many files, dropped or chosen, each with its own progress. */
import Uppy from "@uppy/core";
import Dashboard from "@uppy/dashboard";
import { isDark } from "./page/themes";
import { describeProgress } from "./upload/announce";
import { reportOutcomes } from "./upload/report";
import { sendWithXhr } from "./upload/send";

function replacePlainFields(form: HTMLFormElement): void {
  form.querySelectorAll<HTMLElement>("[data-plain-files]").forEach((part) => part.remove());
  form.addEventListener("submit", (event) => event.preventDefault());
}

function showDashboard(uppy: Uppy, target: HTMLElement): void {
  uppy.use(Dashboard, {
    target,
    inline: true,
    width: "100%",
    height: 420,
    theme: isDark() ? "dark" : "light",
    proudlyDisplayPoweredByUppy: false,
    showRemoveButtonAfterComplete: false,
    doneButtonHandler: () => uppy.clear(),
    note: "Photos, videos, audio, PDF and office documents.",
  });
  document.addEventListener("theme:changed", () => {
    uppy.getPlugin("Dashboard")?.setOptions({ theme: isDark() ? "dark" : "light" });
  });
}

function start(form: HTMLFormElement): void {
  const target = form.querySelector<HTMLElement>("[data-dashboard]");
  if (!target) return;
  replacePlainFields(form);
  const uppy = new Uppy({ id: "upload" });
  showDashboard(uppy, target);
  sendWithXhr(uppy, form);
  reportOutcomes(uppy, form.querySelector("[data-refused]"));
  describeProgress(uppy, document.querySelector("[data-upload-status]"));
}

const form = document.querySelector<HTMLFormElement>("form[data-upload]");
if (form) start(form);
