/* Small frames of a film, cut out of one sheet by an index in WebVTT. */
import { parseTimestamp } from "./times";

export interface Tile {
  start: number;
  end: number;
  sheet: string;
  box: [x: number, y: number, width: number, height: number];
}

/** The tiles of an index at `url`, by time; addresses in it are relative to it. */
export async function readTiles(url: string): Promise<Tile[]> {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`no storyboard: ${answer.status}`);
  const cues = (await answer.text()).split(/\r?\n\r?\n/);
  return cues.map((cue) => readTile(cue, new URL(url, location.href))).filter((tile) => !!tile);
}

function readTile(cue: string, base: URL): Tile | null {
  const found = /([\d:.]+)\s*-->\s*([\d:.]+)[^\n]*\n(\S+)#xywh=(\d+),(\d+),(\d+),(\d+)/.exec(cue);
  if (!found) return null;
  const [, start = "", end = "", sheet = "", ...box] = found;
  return {
    start: parseTimestamp(start),
    end: parseTimestamp(end),
    sheet: new URL(sheet, base).href,
    box: box.map(Number) as Tile["box"],
  };
}

/** Draws into `place` what is seen at a time; the index is fetched when first asked for. */
export class Storyboard {
  private tiles: Promise<Tile[]> | null = null;

  constructor(
    private readonly url: string,
    private readonly place: HTMLElement,
  ) {}

  async show(seconds: number): Promise<void> {
    this.tiles ??= readTiles(this.url).catch(() => []);
    const tiles = await this.tiles;
    const tile = tiles.find(({ end }) => seconds < end) ?? tiles.at(-1);
    this.place.hidden = !tile;
    if (!tile) return;
    const [x, y, width, height] = tile.box;
    Object.assign(this.place.style, {
      width: `${width}px`,
      height: `${height}px`,
      backgroundImage: `url("${tile.sheet}")`,
      backgroundPosition: `-${x}px -${y}px`,
    });
  }
}
