/* The page goes on by itself while something is drawn to its upper or lower edge. */

const EDGE = 70; // CSS pixels
const STEP = 14; // CSS pixels a frame

/** Scrolls while `height()`, in the window, is at an edge, and calls `moved` after each step; what it
 * returns ends that. */
export function scrollAtEdges(height: () => number, moved: () => void): () => void {
  let frame = requestAnimationFrame(step);
  function step(): void {
    const by = height() < EDGE ? -STEP : height() > innerHeight - EDGE ? STEP : 0;
    const before = scrollY;
    if (by) scrollBy({ top: by, behavior: "instant" });
    if (scrollY !== before) moved();
    frame = requestAnimationFrame(step);
  }
  return () => cancelAnimationFrame(frame);
}
