/* Brings cards and outlines from the server: few at once, the nearest first, and none that nobody
 * looks at any more. */
import type { Ends } from "../page/selection/chosen";
import type { Row, Stretch } from "./stretches";

const AT_ONCE = 4;

export class RefusedError extends Error {}

async function ask(url: string, signal?: AbortSignal): Promise<Response> {
  const answer = await fetch(url, { signal: signal ?? null, headers: { "X-Requested-With": "fetch" } });
  if (!answer.ok || answer.redirected) throw new RefusedError(String(answer.status));
  return answer;
}

export async function fetchOutline(url: string, signal: AbortSignal): Promise<Row[]> {
  const answer = await ask(url, signal);
  const { stretches } = (await answer.json()) as { stretches: Row[] };
  return stretches;
}

/** The ids of the list, or from one file of it to the other, in parts; `most` of them. */
export async function fetchIds(url: string, most: number, ends?: Ends): Promise<string[]> {
  const address = new URL(url, location.href);
  if (ends) address.searchParams.set("ends", ends.join(","));
  const ids: string[] = [];
  for (let cursor: string | null = ""; cursor !== null && ids.length < most; ) {
    if (cursor) address.searchParams.set("cursor", cursor);
    const answer = await ask(address.href);
    const part = (await answer.json()) as { ids: string[]; next: string | null };
    ids.push(...part.ids);
    cursor = part.next;
  }
  return ids.slice(0, most);
}

function cardsIn(html: string): HTMLElement[] {
  const template = document.createElement("template");
  template.innerHTML = html;
  return [...template.content.querySelectorAll<HTMLElement>("li.card")];
}

export async function fetchCard(url: string, signal: AbortSignal): Promise<HTMLElement | undefined> {
  return cardsIn(await (await ask(url, signal)).text())[0];
}

export class Loader {
  private waiting: Stretch[] = [];
  private busy = 0;

  constructor(
    private readonly cardsUrl: string,
    private readonly arrived: (stretch: Stretch) => void,
  ) {}

  /** These and no others, the first of them first. */
  want(stretches: readonly Stretch[], all: readonly Stretch[]): void {
    for (const stretch of all) {
      if (stretch.loading && !stretches.includes(stretch)) stretch.loading.abort();
    }
    this.waiting = stretches.filter((one) => !one.cards && !one.loading && !one.failed);
    this.next();
  }

  stop(all: readonly Stretch[]): void {
    this.waiting = [];
    for (const stretch of all) stretch.loading?.abort();
  }

  private next(): void {
    while (this.busy < AT_ONCE) {
      const stretch = this.waiting.shift();
      if (!stretch) return;
      void this.load(stretch);
    }
  }

  private async load(stretch: Stretch): Promise<void> {
    this.busy += 1;
    const loading = (stretch.loading = new AbortController());
    try {
      const answer = await ask(this.urlOf(stretch), loading.signal);
      stretch.take(cardsIn(await answer.text()));
    } catch {
      stretch.failed = !loading.signal.aborted;
    }
    stretch.loading = null;
    this.busy -= 1;
    if (!loading.signal.aborted) this.arrived(stretch);
    this.next();
  }

  private urlOf({ cursor, count }: Stretch): string {
    const url = new URL(this.cardsUrl, location.href);
    if (cursor) url.searchParams.set("cursor", cursor);
    url.searchParams.set("count", String(count));
    return url.href;
  }
}
