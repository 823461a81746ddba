/** Of one picture of the screen, time that drawing may take, in ms; what it has begun it ends. */
const BUDGET_MS = 8;

const waiting = new Set<() => void>();

/**
 * Has a drawing made in one of the next pictures of the screen: as many in each as there is time for, in the order of
 * the calls, so that many charts do not hold up the page together.
 *
 * @returns cancels it
 */
export function drawSoon(draw: () => void): () => void {
  // A function of its own: the same drawing may be wanted twice.
  const once = (): void => draw();
  if (waiting.size === 0) requestAnimationFrame(drawSome);
  waiting.add(once);
  return () => waiting.delete(once);
}

function drawSome(): void {
  const untilMs = performance.now() + BUDGET_MS;
  try {
    for (const draw of waiting) {
      waiting.delete(draw);
      draw();
      if (performance.now() >= untilMs) break;
    }
  } finally {
    // Also after a drawing that failed: the others' turns come.
    if (waiting.size > 0) requestAnimationFrame(drawSome);
  }
}
