import { useEffect } from "react";

/** Keeps the screen on while this is drawn, wherever the browser can and may. */
export function useWakeLock(wanted: boolean): void {
  useEffect(() => {
    // Typed as always there, but browsers withhold it from insecure pages.
    const wakeLock = navigator.wakeLock as WakeLock | undefined;
    if (!wanted || wakeLock === undefined) return;
    let lock: WakeLockSentinel | null = null;
    let isOver = false;
    const ask = async () => {
      if (document.hidden) return;
      // Refused where the battery is low: the screen then goes dark as it always does.
      lock = await wakeLock.request("screen").catch(() => null);
      if (isOver) void lock?.release();
    };
    // A page that was hidden has lost its lock.
    const again = () => void ask();
    void ask();
    document.addEventListener("visibilitychange", again);
    return () => {
      isOver = true;
      document.removeEventListener("visibilitychange", again);
      void lock?.release();
    };
  }, [wanted]);
}
