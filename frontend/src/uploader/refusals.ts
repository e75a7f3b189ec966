/* Why a file did not arrive, in a sentence, and what to do about it. */
import { t } from "../language/words";

export interface Failure {
  code: string;
  reason: string;
  advice: string;
  /** Sending the same file again can help. */
  mayRetry: boolean;
  /** The uploader tries again by itself. */
  isPassing: boolean;
  link?: { href: string; words: string };
}

interface Problem {
  code?: string;
  detail?: string;
  errors?: Record<string, string[]>;
}

const SERVER_ERRORS = 500;
const PASSING = new Set([0, 408, 423, 425, 429]);

const adviceFor = (): Record<string, string> => ({
  corrupt_file: t("Open it in the program that made it, save a new copy and upload that."),
  empty_file: t("It holds nothing. Look at the file on your device, and choose it again."),
  file_too_large: t("Make it smaller, or cut it into parts, and upload those."),
  malware_found: t("Check the device it comes from, and upload a clean copy."),
  quota_exceeded: t("Empty the trash or delete what you no longer need, then try again."),
  too_long: t("Cut it into shorter parts and upload those."),
  too_many_pages: t("Split it into several documents and upload those."),
  too_many_pixels: t("Make it smaller and upload that."),
  type_mismatch: t("Give it the name that fits what it is, and upload it again."),
  unsafe_content: t("Save it without scripts, macros and embedded files, and upload that."),
  unsupported_type:
    t("Save it as a common photo, video, audio, PDF or office document and upload that."),
});
// The bytes may be fine: what stood in the way can be removed.
const CURABLE = new Set(["quota_exceeded", "upload_expired", "rejected"]);

function read(xhr: XMLHttpRequest | undefined): Problem {
  try {
    return (JSON.parse(xhr?.responseText ?? "") as Problem | null) ?? {};
  } catch {
    return {};
  }
}

/** What ends by itself: as the server says it, or the server is away. */
function passing({ code, detail }: Problem): Failure {
  const said = code && detail;
  return {
    code: said ? code : "away",
    reason: said ? detail : t("The server could not be reached."),
    advice: said
      ? t("This goes on by itself as soon as it can.")
      : t("This goes on by itself as soon as it answers."),
    mayRetry: true,
    isPassing: true,
  };
}

/** A link to a place whose address the page tells, as the project has it; none where it does not. */
function linkTo(place: "signIn" | "trash", words: string): Pick<Failure, "link"> {
  const href = document.querySelector<HTMLElement>("#uploads")?.dataset[place];
  return href ? { link: { href, words } } : {};
}

function linkToSignIn(): Pick<Failure, "link"> {
  const { link } = linkTo("signIn", t("Sign in"));
  if (!link) return {};
  const here = new URLSearchParams({ next: location.pathname + location.search });
  return { link: { ...link, href: `${link.href}${link.href.includes("?") ? "&" : "?"}${here}` } };
}

function signedOut(): Failure {
  return {
    code: "signed_out",
    reason: t("You have been signed out."),
    advice: t("Sign in again; the upload goes on where it stopped."),
    mayRetry: true,
    isPassing: false,
    ...linkToSignIn(),
  };
}

function isSignedOut(status: number, code: string): boolean {
  return (
    status === 401 ||
    (status === 403 && code !== "permission_denied") ||
    code === "not_authenticated"
  );
}

/** By the protocol nothing is arrived as soon as it is begun, so that no server would refuse it. */
export function emptyFile(): Failure {
  const code = "empty_file";
  const advice = adviceFor()[code] ?? "";
  return { code, reason: t("The file is empty."), advice, mayRetry: false, isPassing: false };
}

/** What the server's answer `xhr` means for the person; none at all means it is away. */
export function explain(xhr: XMLHttpRequest | undefined): Failure {
  const status = xhr?.status ?? 0;
  const problem = read(xhr);
  if (PASSING.has(status) || status >= SERVER_ERRORS) return passing(problem);
  const { code = "", detail, errors } = problem;
  if (isSignedOut(status, code)) return signedOut();
  const advice = adviceFor();
  const first = Object.values(errors ?? {}).flat()[0];
  return {
    code: code || `http_${status}`,
    reason: first ?? detail ?? t("The server did not take this file."),
    advice: advice[code] ?? "",
    mayRetry: CURABLE.has(code) || !(code in advice),
    isPassing: false,
    ...(code === "quota_exceeded" && linkTo("trash", t("Open the trash"))),
  };
}
