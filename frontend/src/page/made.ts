/* Renditions that are made when somebody asks for them. */
const MAKING = 202;
const PATIENCE = 90; // attempts to fetch what is being made

/** The picture at `url`, after as many tries as its maker asks for. */
export async function fetchMade(url: string, signal: AbortSignal): Promise<Blob> {
  for (let attempt = 0; attempt < PATIENCE; attempt += 1) {
    const answer = await fetch(url, { signal });
    if (!answer.ok) throw new Error(`not made: ${answer.status}`);
    if (answer.status !== MAKING) return answer.blob();
    await pause(Number(answer.headers.get("Retry-After")) || 1, signal);
  }
  throw new Error("it was not made");
}

function pause(seconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, seconds * 1000);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(new Error("nobody waits any more"));
    });
  });
}
