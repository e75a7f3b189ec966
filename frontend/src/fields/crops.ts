/* A part of a picture: fractions of it, written in thousandths as the server does. */

export interface Crop {
  left: number;
  top: number;
  width: number;
  height: number;
}

const STEPS = 1000;
export const WHOLE: Crop = { left: 0, top: 0, width: 1, height: 1 };

export function readCrop(text: string | undefined): Crop | undefined {
  const parts = /^(\d{4})-(\d{4})-(\d{4})-(\d{4})$/.exec(text ?? "");
  if (!parts) return undefined;
  const [left = 0, top = 0, width = 1, height = 1] = parts.slice(1).map((one) => +one / STEPS);
  return { left, top, width, height };
}

export function writeCrop({ left, top, width, height }: Crop): string {
  const start = [left, top].map((part) => Math.round(part * STEPS));
  const ends = [left + width, top + height].map((part) => Math.min(Math.round(part * STEPS), STEPS));
  const sides = ends.map((end, axis) => Math.max(end - (start[axis] ?? 0), 1));
  return [...start, ...sides].map((part) => String(part).padStart(4, "0")).join("-");
}

/** The largest part of a picture of `shape` (width over height) that has `ratio`, in its middle. */
export function largest(shape: number, ratio: number): Crop {
  if (!ratio) return WHOLE;
  const width = Math.min(1, ratio / shape);
  const height = Math.min(1, shape / ratio);
  return { left: (1 - width) / 2, top: (1 - height) / 2, width, height };
}

/** Moved and, where it must, shrunk until it lies inside the picture. */
export function inside(crop: Crop): Crop {
  const scale = Math.min(1, 1 / crop.width, 1 / crop.height);
  const width = crop.width * scale;
  const height = crop.height * scale;
  const fit = (start: number, side: number): number => Math.min(Math.max(start, 0), 1 - side);
  return { left: fit(crop.left, width), top: fit(crop.top, height), width, height };
}
