import { useState } from "react";
import { DEFAULT_INTERVAL_MS, MAX_INTERVAL_MS, MIN_INTERVAL_MS } from "../stream/interval";
import { useLive } from "./liveContext";

/** Says so where the page does not take the interval that its address asks for. */
export function IntervalNotice() {
  const {
    interval: { intervalMs, rejected },
  } = useLive();
  const [dismissed, setDismissed] = useState(false);
  if (rejected === null || dismissed) return null;
  return (
    <div className="notice" role="status" data-testid="interval-notice">
      <p>
        {rejected.because === "out of range"
          ? `An interval of ${rejected.asked} ms is not possible: it must be ${MIN_INTERVAL_MS} to ${MAX_INTERVAL_MS} ms. This page uses ${intervalMs} ms.`
          : `The interval “${rejected.asked}” is not a number of milliseconds. This page uses the default, ${DEFAULT_INTERVAL_MS} ms.`}
      </p>
      <button type="button" className="button button-quiet" onClick={() => setDismissed(true)}>
        Dismiss
      </button>
    </div>
  );
}
