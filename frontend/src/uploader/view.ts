/* What the tray shows, worked out from what Uppy knows. Plain values: no element, no request. */
import { type Files, filesOf, isDone, type SentFile } from "./files";
import type { Pace } from "./pace";
import type { Queue } from "./queue";
import { size, timeLeft } from "./words";
import { t, tn } from "../language/words";

export type Phase =
  "waiting" | "preparing" | "sending" | "paused" | "finishing" | "done" | "failed" | "lost";

export interface Row {
  id: string;
  name: string;
  phase: Phase;
  percent: number;
  words: string;
  file: SentFile;
}

export interface Summary {
  title: string;
  words: string;
  percent: number;
  isOpen: boolean; // something is still to be sent
  isPaused: boolean;
  isBad: boolean;
  failed: number;
}

const ORDER: Phase[] = [
  "failed",
  "lost",
  "sending",
  "finishing",
  "preparing",
  "paused",
  "waiting",
  "done",
];
const MOVING = new Set<Phase>(["sending", "finishing", "preparing"]);

function phaseOf(file: SentFile, queue: Queue): Phase {
  const { progress } = file;
  if (isDone(file)) return "done";
  if (file.failure) return "failed";
  if (file.isGhost) return "lost";
  if (file.isPaused) return "paused";
  if (!queue.isRunning(file.id)) return "waiting";
  if (!progress.uploadStarted) return "preparing";
  return progress.bytesUploaded && progress.bytesUploaded === progress.bytesTotal
    ? "finishing"
    : "sending";
}

const sentOf = (file: SentFile): number =>
  isDone(file) ? (file.size ?? 0) : Number(file.progress.bytesUploaded || 0);
const percentOf = (file: SentFile): number =>
  file.size ? (100 * sentOf(file)) / file.size : isDone(file) ? 100 : 0;

function wordsOf(file: SentFile, phase: Phase): string {
  const whole = size(file.size ?? 0);
  switch (phase) {
    case "sending":
      return t("{sent} of {whole}", { sent: size(sentOf(file)), whole });
    case "paused":
      return t("Paused at {percent} %", { percent: Math.floor(percentOf(file)) });
    case "preparing":
      return t("Starting");
    case "finishing":
      return t("Checking the file");
    case "waiting":
      return t("{whole}, waiting", { whole });
    case "lost":
      return t("Choose this file again: it goes on where it stopped.");
    default:
      return whole;
  }
}

/** Of the files but those of which `isField` says that a field of the page shows them itself. */
export function rowsOf(uppy: Files, queue: Queue, isField: (key?: string) => boolean): Row[] {
  const files = filesOf(uppy).filter((file) => !isField(file.meta.field));
  const rows = files.map((file): Row => {
    const phase = phaseOf(file, queue);
    return {
      id: file.id,
      name: file.name,
      phase,
      percent: percentOf(file),
      words: wordsOf(file, phase),
      file,
    };
  });
  return rows.sort((a, b) => ORDER.indexOf(a.phase) - ORDER.indexOf(b.phase));
}

const numberIn = (rows: Row[], ...phases: Phase[]): number =>
  rows.filter((row) => phases.includes(row.phase)).length;

function total(rows: Row[], of: (file: SentFile) => number): number {
  return rows.reduce((sum, row) => sum + of(row.file), 0);
}

function endWords(done: number, failed: number): [string, string] {
  if (!failed) return [tn("{count} file uploaded", "{count} files uploaded", done), ""];
  const title = done
    ? t("{done} uploaded, {failed} not", { done, failed })
    : tn("{count} file not uploaded", "{count} files not uploaded", failed);
  return [title, t("See what to do below")];
}

function movingWords(rows: Row[], pace: Pace): string {
  const sent = total(rows, sentOf);
  const all = total(rows, (file) => file.size ?? 0);
  const speed = pace.look(sent);
  const parts = [`${Math.floor(all ? (100 * sent) / all : 0)} %`];
  if (pace.isStill() && numberIn(rows, "sending")) parts.push(t("Waits for the connection"));
  else if (speed > 1) parts.push(`${size(speed)}/s`, timeLeft((all - sent) / speed));
  return parts.join(" · ");
}

/** One line for all of them. `isOnline` as the browser has it. */
export function summarize(rows: Row[], pace: Pace, isOnline: boolean): Summary {
  const failed = numberIn(rows, "failed");
  const counted = rows.filter((row) => row.phase !== "failed" && row.phase !== "lost");
  const done = numberIn(rows, "done");
  const open = counted.length - done;
  const passing = rows.some((row) => row.file.failure?.isPassing);
  const all = total(counted, (file) => file.size ?? 0);
  const percent = all ? (100 * total(counted, sentOf)) / all : done ? 100 : 0;
  const summary = { percent, isOpen: open > 0, isPaused: false, isBad: failed > 0, failed };
  const place = { number: Math.min(done + 1, counted.length), all: counted.length };
  if (!isOnline && (open || passing)) {
    const words = t("Waits for the connection");
    return { ...summary, title: t("You are offline"), words, isBad: true };
  }
  if (open > 0 && !rows.some((row) => MOVING.has(row.phase)) && numberIn(rows, "paused") > 0) {
    const words = tn("{count} file to go", "{count} files to go", open);
    return { ...summary, title: t("Paused"), words, isPaused: true };
  }
  if (open > 0) {
    const title = t("Uploading {number} of {all}", place);
    return { ...summary, title, words: movingWords(counted, pace) };
  }
  if (numberIn(rows, "lost")) {
    return {
      ...summary,
      title: t("Waiting for you"),
      words: t("Choose the files again to go on"),
      isBad: true,
    };
  }
  const [title, words] = endWords(done, failed);
  return { ...summary, title, words };
}
