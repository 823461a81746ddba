import { useCallback, useSyncExternalStore } from "react";

const STEP_MS = 200;

/** Whole seconds until a moment (Unix time in ms), counted down to 0; null without a moment. */
export function useSecondsUntil(atMs: number | null): number | null {
  const isCounting = atMs !== null;
  const everyStep = useCallback(
    (onStep: () => void) => {
      if (!isCounting) return () => {};
      const timer = setInterval(onStep, STEP_MS);
      return () => clearInterval(timer);
    },
    [isCounting],
  );
  return useSyncExternalStore(everyStep, () =>
    atMs === null ? null : Math.max(0, Math.ceil((atMs - Date.now()) / 1000)),
  );
}
