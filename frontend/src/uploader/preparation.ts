/* What is done with a file before its first byte goes: its labels, and its digest. */
import { type Files, type FileMeta, filesOf, keep } from "./files";

const LARGEST_DIGESTED = 64 * 1024 * 1024; // bytes; the browser digests only what is in memory
const FIELDS = ["filename", "filetype", "tags", "visibility", "sha256", "for_use"] as const;

/** Hexadecimal SHA-256, or nothing where the browser refuses to count it. */
async function digest(data: Blob): Promise<string> {
  if (data.size > LARGEST_DIGESTED || !globalThis.crypto?.subtle) return "";
  try {
    const bytes = new Uint8Array(await crypto.subtle.digest("SHA-256", await data.arrayBuffer()));
    return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  } catch {
    return ""; // cannot be read: sending it will say so
  }
}

/** Resolves when the file may move: Uppy's uploaders never start one that comes to them paused. */
function whenMoving(uppy: Files, id: string): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (uppy.getFile(id)?.isPaused) return;
      uppy.off("state-update", look);
      resolve();
    };
    uppy.on("state-update", look);
    look();
  });
}

export function prepareFiles(uppy: Files): void {
  uppy.addPreProcessor(async (ids: string[]) => {
    for (const id of ids) {
      const file = filesOf(uppy).find((one) => one.id === id);
      if (!file) continue;
      const meta: Partial<FileMeta> = { filename: file.name, filetype: file.type };
      if (!file.meta.sha256 && file.data instanceof Blob) meta.sha256 = await digest(file.data);
      await whenMoving(uppy, id);
      if (!uppy.getFile(id)) continue;
      uppy.setFileMeta(id, meta as FileMeta);
      limitFields(uppy, id);
      keep(uppy, id, { failure: undefined });
    }
  });
}

/** A field without a value is not sent. */
function limitFields(uppy: Files, id: string): void {
  const file = uppy.getFile(id);
  const allowedMetaFields = FIELDS.filter((name) => file.meta[name]);
  uppy.setFileState(id, { tus: { ...file.tus, allowedMetaFields } } as object);
}
