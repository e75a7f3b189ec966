/* Justified rows: which files stand beside each other, and how high a row is. Arithmetic alone. */

export interface Frame {
  width: number; // CSS pixels of a full row
  target: number; // of the height that a row had best
  gap: number; // between two pictures
}

export interface Spot {
  x: number; // from the side where reading begins
  y: number; // from the top of the rows
  width: number;
  height: number;
}

const LOOSE = 1.5; // of the target: a last row that would be higher stays open at its end
const FLAT = 0.45; // of the target: more pictures than this do not go into a row
const OPEN = 0.3; // what an open last row costs: less than rows that are stretched for its sake

/** Places for pictures of these shapes (width over height), so that rows are as near to the target
 * as all of them together allow: every row but the last is full. */
export function justify(shapes: readonly number[], frame: Frame): Spot[] {
  const { gap } = frame;
  const spots: Spot[] = [];
  let y = 0;
  for (const [start, end] of breaks(shapes, frame)) {
    const row = shapes.slice(start, end);
    const { height, isOpen } = rowOf(row, frame, end === shapes.length);
    const whole = Math.round(height);
    place(row, frame, isOpen ? whole : 0, (x, width) => spots.push({ x, y, width, height: whole }));
    y += whole + gap;
  }
  return spots;
}

/** Whole pixels; what rounding leaves goes into the widths, so that the row ends where it has to. */
function place(
  row: readonly number[],
  { width, gap }: Frame,
  open: number,
  put: (x: number, width: number) => void,
): void {
  const sum = row.reduce((all, shape) => all + shape, 0);
  const room = open ? open * sum : width - gap * (row.length - 1);
  let before = 0;
  row.forEach((shape, index) => {
    const [from, to] = [before, before + shape].map((part) => Math.round((room * part) / sum));
    put((from ?? 0) + gap * index, (to ?? 0) - (from ?? 0));
    before += shape;
  });
}

function rowOf(row: readonly number[], { width, target, gap }: Frame, isLast: boolean) {
  const sum = row.reduce((all, shape) => all + shape, 0);
  const full = (width - gap * (row.length - 1)) / sum;
  const isOpen = isLast && full > target * LOOSE;
  return { height: isOpen ? target : full, isOpen, full };
}

/** Where rows begin and end, chosen over all rows at once (as TeX breaks lines). */
function breaks(shapes: readonly number[], frame: Frame): [number, number][] {
  const count = shapes.length;
  const costs = new Float64Array(count + 1).fill(Infinity);
  const starts = new Int32Array(count + 1);
  costs[0] = 0;
  for (let start = 0; start < count; start += 1) {
    for (let end = start + 1; end <= count; end += 1) {
      const { full, isOpen } = rowOf(shapes.slice(start, end), frame, end === count);
      if (full < frame.target * FLAT && end > start + 1) break;
      const cost = (costs[start] ?? 0) + (isOpen ? OPEN : (full / frame.target - 1) ** 2);
      if (cost >= (costs[end] ?? 0)) continue;
      costs[end] = cost;
      starts[end] = start;
    }
  }
  const found: [number, number][] = [];
  for (let end = count; end > 0; end = starts[end] ?? 0) found.unshift([starts[end] ?? 0, end]);
  return found;
}

/** How high `count` pictures of an average shape will be. */
export function guess(count: number, shape: number, { width, target, gap }: Frame): number {
  const perRow = Math.max((width + gap) / (target * shape + gap), 1);
  return Math.ceil(count / perRow) * (target + gap) - gap;
}
