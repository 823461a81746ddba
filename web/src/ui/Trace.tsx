import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import { useLive } from "./liveContext";
import { useStore } from "./useStore";
import { createTraceChart } from "./traceChart";

const REDRAW_MS = 250;
const NO_LABELS: readonly string[] = [];

/** The selected face's last half minute, a line per emotion. The bars say the same to those who cannot see it. */
export function Trace() {
  const { t } = useTranslation();
  const live = useLive();
  const labels = useStore(live.stores.session, (session) => session?.model.labels ?? NO_LABELS);
  const host = useRef<HTMLDivElement>(null);

  useEffect(() => {
    if (host.current === null || labels.length === 0) return;
    const chart = createTraceChart(host.current, labels, (seconds) => t("trace.seconds_before", { seconds }));
    const timer = setInterval(() => {
      if (document.hidden) return;
      const { selectedId } = live.stores.faces.get();
      chart.draw(live.traces.columns(selectedId, labels), Date.now());
    }, REDRAW_MS);
    return () => {
      clearInterval(timer);
      chart.dispose();
    };
  }, [live, labels, t]);

  if (labels.length === 0) return null;
  return (
    <section className="trace" aria-hidden="true">
      <h2 className="trace-title">{t("trace.title")}</h2>
      <div ref={host} className="trace-chart" />
    </section>
  );
}
