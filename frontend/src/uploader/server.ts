/* Requests to our own server, in the visitor's session. */

/** The newest token: signing in anew, in whatever tab, changes it. */
export function csrfToken(): string {
  const cookie = /(?:^|;\s*)(?:__Host-)?csrftoken=([^;]+)/.exec(document.cookie)?.[1];
  return cookie ?? document.querySelector<HTMLElement>("#uploads")?.dataset.csrf ?? "";
}

/** What browsers write themselves, and let no script write. */
const FORBIDDEN = new Set(["content-length", "host"]);

interface Sending {
  method?: string;
  body?: Blob | string;
  headers?: Record<string, string>;
  signal?: AbortSignal | undefined;
  onProgress?: (bytes: number) => void;
}

/** One request that tells how far it is. Resolves with whatever answer, with status 0 for none. */
export function send(url: string, sending: Sending = {}): Promise<XMLHttpRequest> {
  return new Promise((resolve, reject) => {
    const xhr = new XMLHttpRequest();
    const stop = (): void => xhr.abort();
    sending.signal?.addEventListener("abort", stop);
    xhr.open(sending.method ?? "GET", url);
    for (const [name, value] of Object.entries(sending.headers ?? {})) {
      if (!FORBIDDEN.has(name.toLowerCase())) xhr.setRequestHeader(name, value);
    }
    xhr.upload.onprogress = (event) => sending.onProgress?.(event.loaded);
    xhr.onabort = () => reject(new DOMException("stopped", "AbortError"));
    xhr.onloadend = () => {
      sending.signal?.removeEventListener("abort", stop);
      resolve(xhr);
    };
    xhr.send(sending.body ?? null);
  });
}

/** One call of the API, with JSON in and out. */
export function call(
  url: string,
  method = "GET",
  body?: object,
  signal?: AbortSignal,
): Promise<XMLHttpRequest> {
  const headers: Record<string, string> = {
    Accept: "application/json",
    "X-CSRFToken": csrfToken(),
  };
  if (body) headers["Content-Type"] = "application/json";
  return send(url, { method, headers, signal, ...(body && { body: JSON.stringify(body) }) });
}

export const isGood = (xhr: XMLHttpRequest): boolean => xhr.status >= 200 && xhr.status < 300;
