import { useState } from "react";
import { useTranslation } from "react-i18next";
import { MAX_INTERVAL_MS, MIN_INTERVAL_MS } from "../stream/interval";
import { useLive } from "./liveContext";

/** Says so where the page does not take the interval that its address asks for. */
export function IntervalNotice() {
  const { t } = useTranslation();
  const {
    interval: { intervalMs, rejected },
  } = useLive();
  const [dismissed, setDismissed] = useState(false);
  if (rejected === null || dismissed) return null;
  return (
    <div className="notice" role="status" data-testid="interval-notice">
      <p>
        {t(
          rejected.because === "out of range"
            ? "notice.interval_out_of_range"
            : "notice.interval_not_a_number",
          {
            asked: rejected.asked,
            used: intervalMs,
            min: MIN_INTERVAL_MS,
            max: MAX_INTERVAL_MS,
          },
        )}
      </p>
      <button type="button" className="button button-quiet" onClick={() => setDismissed(true)}>
        {t("notice.dismiss")}
      </button>
    </div>
  );
}
