/** Of one picture of the screen, time that drawing may take, in ms; what it has begun it ends. */
const BUDGET_MS = 8;

/** What is to be drawn, by whom it belongs to, in the order of the turns. */
const waiting = new Map<object, () => void>();
let isRequested = false;

/**
 * Has a drawing made in one of the next pictures of the screen: as many in each as there is time for, so that many
 * charts do not hold up the page together. It replaces what still waits of the same owner and keeps its turn, so that
 * all have theirs however often they are asked for.
 */
export function drawSoon(owner: object, draw: () => void): void {
  waiting.set(owner, draw);
  request();
}

/** Forgets what waits of this owner. */
export function drawNoMore(owner: object): void {
  waiting.delete(owner);
}

function request(): void {
  if (isRequested) return;
  isRequested = true;
  requestAnimationFrame(drawSome);
}

function drawSome(): void {
  isRequested = false;
  const untilMs = performance.now() + BUDGET_MS;
  try {
    for (const [owner, draw] of waiting) {
      waiting.delete(owner);
      draw();
      if (performance.now() >= untilMs) break;
    }
  } finally {
    // Also after a drawing that failed: the others' turns come.
    if (waiting.size > 0) request();
  }
}
