/* Choosing all that are listed, or from one to another, whether or not they are here: what the list
 * knows is chosen at once, the rest when the server has named it. */
import { choose, era, listed, type Ends } from "./chosen";

const hearers: (() => void)[] = [];
let busy = 0;
let failed = false;

/** Whether more is being asked for: what is selected so far is not all that was meant. */
export const isReaching = (): boolean => busy > 0;
/** Whether it could not be asked for. */
export const hasFailed = (): boolean => failed;

export function onReaching(hear: () => void): void {
  hearers.push(hear);
}

export async function chooseListed(ends?: Ends, isIn = true): Promise<void> {
  const order = listed();
  const { ids, isWhole } = order.known(ends);
  choose(ids, isIn);
  if (isWhole || !order.ask) return;
  const [begun, known] = [era, new Set(ids)];
  turn(1);
  try {
    const all = await order.ask(ends);
    // What somebody has changed since stays as they want it.
    if (era === begun) choose(all.filter((id) => !known.has(id)), isIn);
    turn(-1);
  } catch {
    turn(-1, era === begun);
  }
}

function turn(by: 1 | -1, isFailure = false): void {
  busy += by;
  failed = isFailure;
  for (const hear of hearers) hear();
}
