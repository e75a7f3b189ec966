/* One file of the tray. */
import { useEffect, useState } from "preact/hooks";
import { Icon, IconButton } from "./icon";
import type { Row } from "./view";
import { t } from "../language/words";

const LARGEST_PREVIEW = 12 * 1024 * 1024; // bytes; larger pictures take long to decode
const PREVIEWED = /^image\/(jpeg|png|webp|gif|avif)$/;

export interface RowActions {
  pause(id: string): void;
  resume(id: string): void;
  retry(id: string): void;
  remove(id: string): void;
  choose(): void;
}

function useLikeness({ data, type }: Row["file"]): [string, () => void] {
  const [address, setAddress] = useState("");
  useEffect(() => {
    if (!(data instanceof Blob) || !PREVIEWED.test(type) || data.size > LARGEST_PREVIEW) return;
    const made = URL.createObjectURL(data);
    setAddress(made);
    return () => URL.revokeObjectURL(made);
  }, [data, type]);
  return [address, () => setAddress("")]; // what is no picture after all gets its icon back
}

const KINDS = [
  ["video/", "play"],
  ["audio/", "sound"],
  ["image/", "photos"],
] as const;

function Picture({ row }: { row: Row }) {
  const [likeness, drop] = useLikeness(row.file);
  const icon = KINDS.find(([prefix]) => row.file.type.startsWith(prefix))?.[1] ?? "document";
  return (
    <span class="upload__picture" aria-hidden="true">
      {likeness ? <img src={likeness} alt="" onError={drop} /> : <Icon name={icon} />}
      {row.phase === "done" && (
        <span class="upload__mark">
          <Icon name="check" />
        </span>
      )}
    </span>
  );
}

function Story({ row }: { row: Row }) {
  const { failure, arrival } = row.file;
  if (row.phase === "failed" && failure) {
    return (
      <span class="upload__words upload__words--bad">
        <strong>{failure.reason}</strong> {failure.advice}{" "}
        {failure.link && <a href={failure.link.href}>{failure.link.words}</a>}
      </span>
    );
  }
  if (arrival?.twin) {
    return (
      <span class="upload__words">
        {t("You have this already:")} <a href={arrival.twin}>{t("the same file")}</a>
      </span>
    );
  }
  return <span class="upload__words">{row.words}</span>;
}

function Name({ row }: { row: Row }) {
  const page = row.file.arrival?.page;
  return (
    <span class="upload__name" title={row.name}>
      {page ? <a href={page}>{row.name}</a> : row.name}
    </span>
  );
}

function Buttons({ row, actions }: { row: Row; actions: RowActions }) {
  const { id, name, phase } = row;
  const isMoving = phase === "sending" || phase === "waiting" || phase === "preparing";
  return (
    <span class="upload__buttons">
      {isMoving && (
        <IconButton icon="pause" label={t("Pause {name}", { name })} onPress={() => actions.pause(id)} />
      )}
      {phase === "paused" && (
        <IconButton icon="play" label={t("Go on with {name}", { name })} onPress={() => actions.resume(id)} />
      )}
      {phase === "lost" && (
        <IconButton icon="upload" label={t("Choose {name} again", { name })} onPress={actions.choose} />
      )}
      {phase === "failed" && row.file.failure?.mayRetry && (
        <IconButton icon="retry" label={t("Try {name} again", { name })} onPress={() => actions.retry(id)} />
      )}
      {phase !== "done" && phase !== "finishing" && (
        <IconButton
          icon="close"
          label={phase === "failed" ? t("Dismiss {name}", { name }) : t("Cancel {name}", { name })}
          onPress={() => actions.remove(id)}
        />
      )}
    </span>
  );
}

export function UploadRow({ row, actions }: { row: Row; actions: RowActions }) {
  const isShown = row.phase === "sending" || row.phase === "paused" || row.phase === "finishing";
  return (
    <li class={`upload upload--${row.phase}`}>
      <Picture row={row} />
      <span class="upload__text">
        <Name row={row} />
        <Story row={row} />
        {isShown && (
          <progress max={100} value={row.percent} aria-label={t("Progress of {name}", { name: row.name })} />
        )}
      </span>
      <Buttons row={row} actions={actions} />
    </li>
  );
}
