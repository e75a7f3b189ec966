/* What scripts of one page tell each other. */

/** A file has arrived; its page is at `pageUrl`. */
export const UPLOADED = "media:uploaded";

export interface UploadedDetail {
  pageUrl: string;
  /** The form's field it was uploaded for, if it was. */
  field?: string | undefined;
}

/** Comes from a card whose file does not exist any more, before it goes. */
export const GONE = "media:gone";
