/* Sends each file as one request to the API, with what the form says about all of them. */
import type Uppy from "@uppy/core";
import XHRUpload from "@uppy/xhr-upload";

const PARALLEL = 3;
const TOO_MANY_REQUESTS = 429;
const SERVER_ERRORS = 500;

interface Problem {
  detail?: string;
  errors?: Record<string, string[]>;
}

function text(form: HTMLFormElement, name: string): string {
  return String(new FormData(form).get(name) ?? "");
}

/** Names with commas between them; quoted ones may hold a comma, as in the plain form. */
export function splitTags(line: string): string[] {
  const names = line.match(/\s*"(?:[^"]|"")*"|[^,\n]+/g) ?? [];
  return names
    .map((name) => name.trim().replace(/^"([\s\S]*)"$/, "$1").replaceAll('""', '"').trim())
    .filter(Boolean);
}

function explain(xhr: XMLHttpRequest): string {
  try {
    const problem = JSON.parse(xhr.responseText) as Problem;
    const first = Object.values(problem.errors ?? {})[0]?.[0];
    return first ?? problem.detail ?? xhr.statusText;
  } catch {
    return "The server gave no reason.";
  }
}

function refuse(xhr: XMLHttpRequest): void {
  if (xhr.status < 200 || xhr.status >= 300) throw new Error(explain(xhr));
}

/** A refusal is final; a server that is away or busy is asked again. */
function shouldRetry(xhr: XMLHttpRequest): boolean {
  return xhr.status === 0 || xhr.status === TOO_MANY_REQUESTS || xhr.status >= SERVER_ERRORS;
}

export function sendWithXhr(uppy: Uppy, form: HTMLFormElement): void {
  uppy.use(XHRUpload, {
    endpoint: form.dataset.endpoint ?? "",
    fieldName: "file",
    limit: PARALLEL,
    timeout: 120_000,
    allowedMetaFields: ["tags", "visibility"],
    headers: { "X-CSRFToken": text(form, "csrfmiddlewaretoken"), Accept: "application/json" },
    onAfterResponse: refuse,
    shouldRetry,
  });
  uppy.addPreProcessor(async (ids) => {
    const meta = { tags: splitTags(text(form, "tags")), visibility: text(form, "visibility") };
    for (const id of ids) uppy.setFileMeta(id, meta as unknown as Record<string, string>);
  });
}
