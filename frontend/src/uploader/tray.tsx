/* The tray: one line for all uploads, on demand a list. Stays while pages come and go. */
import { render } from "preact";
import { isShown } from "../fields/keys";
import { type Files, filesOf, isDone } from "./files";
import { Icon, IconButton } from "./icon";
import { Pace } from "./pace";
import type { Queue } from "./queue";
import { type RowActions, UploadRow } from "./row";
import type { Asks } from "./start";
import { type Row, rowsOf, summarize, type Summary } from "./view";
import { t } from "../language/words";

const REFRESH = 150; // milliseconds between two drawings
const RECHECK = 2_000; // milliseconds until it is drawn again although nothing was told
const LONGEST = 150; // rows; the rest is counted

interface TrayState {
  rows: Row[];
  summary: Summary;
  isExpanded: boolean;
}

interface TrayActions extends RowActions {
  flip(): void;
  pauseAll(): void;
  resumeAll(): void;
  retryAll(): void;
  cancelAll(): void;
  close(): void;
}

function Heading({
  summary,
  isExpanded,
  actions,
}: {
  summary: Summary;
  isExpanded: boolean;
  actions: TrayActions;
}) {
  return (
    <div class="tray__head">
      <button type="button" class="tray__summary" aria-expanded={isExpanded} onClick={actions.flip}>
        <span class="tray__title">
          {summary.isBad && <Icon name="warning" />}
          {summary.title}
        </span>
        <span class="tray__words">{summary.words}</span>
        <span class="visually-hidden">{t(", show or hide the list")}</span>
      </button>
      {summary.isOpen && !summary.isPaused && (
        <IconButton icon="pause" label={t("Pause all")} onPress={actions.pauseAll} />
      )}
      {summary.isPaused && (
        <IconButton icon="play" label={t("Go on with all")} onPress={actions.resumeAll} />
      )}
      {!summary.isOpen && (
        <IconButton icon="close" label={t("Close the list of uploads")} onPress={actions.close} />
      )}
      <span class={`tray__flip${isExpanded ? " is-flipped" : ""}`} aria-hidden="true">
        <Icon name="up" />
      </span>
    </div>
  );
}

function Foot({ rows, summary, actions }: { rows: Row[]; summary: Summary; actions: TrayActions }) {
  const canRetry = rows.filter((row) => row.file.failure?.mayRetry).length > 1;
  return (
    <p class="tray__foot">
      <button type="button" class="button button--quiet button--small" data-add="files">
        {t("Add files")}
      </button>
      {canRetry && (
        <button type="button" class="button button--quiet button--small" onClick={actions.retryAll}>
          {t("Try all again")}
        </button>
      )}
      {summary.isOpen && (
        <button
          type="button"
          class="button button--danger-quiet button--small"
          onClick={actions.cancelAll}
        >
          {t("Cancel all")}
        </button>
      )}
    </p>
  );
}

function Tray({ state, actions }: { state: TrayState; actions: TrayActions }) {
  const { rows, summary, isExpanded } = state;
  if (rows.length === 0) return null;
  const hidden = rows.length - LONGEST;
  return (
    <section
      class={`tray${summary.isBad ? " tray--bad" : ""}`}
      aria-label={t("Uploads")}
      onKeyDown={(event) => event.key === "Escape" && isExpanded && actions.flip()}
    >
      <Heading summary={summary} isExpanded={isExpanded} actions={actions} />
      <progress
        class="tray__progress"
        max={100}
        value={summary.percent}
        aria-label={t("Progress of all uploads")}
      />
      {isExpanded && (
        <>
          <ul class="tray__list" aria-label={t("Files being uploaded")} tabIndex={0}>
            {rows.slice(0, LONGEST).map((row) => (
              <UploadRow key={row.id} row={row} actions={actions} />
            ))}
            {hidden > 0 && <li class="tray__rest">{t("and {hidden} more", { hidden })}</li>}
          </ul>
          <Foot rows={rows} summary={summary} actions={actions} />
        </>
      )}
    </section>
  );
}

/** A button that takes itself away must not take the keyboard's place with it. */
function keepFocus(root: HTMLElement, change: () => void): void {
  const held = root.contains(document.activeElement);
  change();
  setTimeout(() => {
    if (held && !root.contains(document.activeElement))
      root.querySelector<HTMLElement>(".tray__summary")?.focus();
  }, REFRESH + 50);
}

export function showTray(uppy: Files, queue: Queue, place: HTMLElement, asks: Asks): void {
  const root = document.createElement("div");
  place.append(root);
  const pace = new Pace();
  let isExpanded = false;
  let timer = 0;
  let recheck = 0;
  const forget = (rows: Row[]): void => uppy.removeFiles(rows.map((row) => row.id));
  const calmly = (change: () => void): void => keepFocus(root, change);

  const actions: TrayActions = {
    pause: (id) => calmly(() => queue.pause(id)),
    resume: (id) => calmly(() => queue.resume(id)),
    retry: (id) => calmly(() => queue.retry(id)),
    remove: (id) => calmly(() => uppy.removeFile(id)),
    choose: () => asks.choose(),
    pauseAll: () => calmly(() => queue.pauseAll()),
    resumeAll: () => calmly(() => queue.resumeAll()),
    retryAll: () =>
      calmly(() =>
        rowsOf(uppy, queue, isShown).forEach((row) => row.file.failure?.mayRetry && queue.retry(row.id)),
      ),
    cancelAll: () =>
      calmly(() => forget(rowsOf(uppy, queue, isShown).filter((row) => row.phase !== "done"))),
    close: () => {
      forget(rowsOf(uppy, queue, isShown));
      document.querySelector<HTMLElement>("#main")?.focus({ preventScroll: true });
    },
    flip: () => {
      isExpanded = !isExpanded;
      draw();
    },
  };

  function draw(): void {
    timer = 0;
    clearTimeout(recheck);
    const rows = rowsOf(uppy, queue, isShown);
    const summary = summarize(rows, pace, navigator.onLine);
    if (!summary.isOpen || summary.isPaused) pace.forget();
    else recheck = window.setTimeout(draw, RECHECK);
    place.classList.toggle("has-uploads", rows.length > 0);
    document.documentElement.classList.toggle("has-uploads", rows.length > 0);
    render(<Tray state={{ rows, summary, isExpanded }} actions={actions} />, root);
  }

  const drawSoon = (): void => {
    timer ||= window.setTimeout(draw, REFRESH);
  };
  uppy.on("state-update", drawSoon);
  for (const name of ["online", "offline"]) addEventListener(name, drawSoon);
  uppy.on("files-added", () => {
    if (filesOf(uppy).every((file) => !isDone(file)) && matchMedia("(min-width: 48em)").matches)
      isExpanded = true;
  });
  uppy.on("upload-error", (file) => {
    // A refusal is shown, not only counted.
    const failure = filesOf(uppy).find((one) => one.id === file?.id)?.failure;
    if (failure && !failure.isPassing) isExpanded = true;
    drawSoon();
  });
}
