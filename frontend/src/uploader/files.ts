/* What the uploader keeps of a file beside what Uppy keeps of any. */
import type Uppy from "@uppy/core";
import type { Body, Meta, UppyFile } from "@uppy/core/utils";
import type { Failure } from "./refusals";

export interface FileMeta extends Meta {
  filename?: string;
  filetype?: string;
  tags?: string;
  visibility?: string;
  sha256?: string;
  for_use?: string;
  field?: string;
}

/** What came of it: its page, and the page of the file that has the same bytes. */
export interface Arrival {
  id?: string;
  title: string;
  page: string;
  twin?: string;
}

interface Kept {
  failure?: Failure | undefined;
  arrival?: Arrival | undefined;
  direct?: { id: string } | undefined;
}

export interface MediaBody extends Body {
  xhr?: XMLHttpRequest;
  media?: Media;
}

/** As the API writes a media file; only what is used here. */
export interface Media {
  id: string;
  title: string;
  original_name: string;
  urls: { page: string };
  duplicate_of?: string | { id?: string; urls?: { page?: string } } | null;
}

export type Files = Uppy<FileMeta, MediaBody>;
export type SentFile = UppyFile<FileMeta, MediaBody> & Kept;

export const filesOf = (uppy: Files): SentFile[] => uppy.getFiles() as SentFile[];

export function keep(uppy: Files, id: string, kept: Kept): void {
  if (uppy.getFile(id)) uppy.setFileState(id, kept as Partial<SentFile>);
}

export const isDone = (file: SentFile): boolean => Boolean(file.progress.uploadComplete);
