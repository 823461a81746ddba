import { lazy, Suspense, useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { type TimeSpan, zoomed } from "../../engine/timeline/span";
import { useLive } from "../liveContext";
import { RecordBar } from "../session/RecordBar";
import { useStore } from "../useStore";
import "./dock.css";

// The chart's library is a fifth of the page's script, and there is nothing to draw until a face has been seen.
const TimelineView = lazy(async () => ({ default: (await import("./TimelineView")).TimelineView }));

/** Four times a second would be seen as little more than twice. */
const REDRAW_MS = 400;

/** What is shown at first, in ms. */
const FIRST_SPAN_MS = 60_000;

/** The dock under the stage: what is recorded, and the time that this page has seen. */
export function Dock({ onList }: { readonly onList: () => void }) {
  const { t } = useTranslation();
  return (
    <section className="dock-body" aria-label={t("timeline.title")}>
      <RecordBar onList={onList} />
      <LiveTimeline />
    </section>
  );
}

function LiveTimeline() {
  const { t } = useTranslation();
  const { sessions, settings } = useLive();
  const intervalMs = useStore(settings.values, (values) => values.interval);
  const events = useStore(sessions.recorder.view, (view) => view.events);
  useStore(sessions.people, (people) => people);
  const nowMs = useNow(REDRAW_MS);
  const [lengthMs, setLengthMs] = useState(FIRST_SPAN_MS);
  /** The right edge; null follows the present. */
  const [endMs, setEndMs] = useState<number | null>(null);
  const seen = sessions.timeline.spanMs;
  if (seen === null) return <p className="dock-empty quiet">{t("timeline.empty")}</p>;

  const within: TimeSpan = { fromMs: Math.min(seen[0], nowMs - FIRST_SPAN_MS), toMs: nowMs };
  const rightMs = endMs ?? nowMs;
  const span: TimeSpan = { fromMs: rightMs - lengthMs, toMs: rightMs };
  return (
    <Suspense>
      <TimelineView
        timeline={sessions.timeline}
        events={events}
        span={span}
        within={within}
        originMs={seen[0]}
        intervalMs={intervalMs}
        onSpan={(wanted) => {
          const next = zoomed(wanted, wanted.toMs, 1, within);
          setLengthMs(next.toMs - next.fromMs);
          setEndMs(next.toMs >= nowMs - REDRAW_MS ? null : next.toMs);
        }}
        onRename={(lane, name) => sessions.namePerson(lane.faceIds, name)}
      />
      {endMs !== null && (
        <button type="button" className="button button-small dock-follow" onClick={() => setEndMs(null)}>
          {t("timeline.follow")}
        </button>
      )}
    </Suspense>
  );
}

/** The time, again and again while the page is seen. */
function useNow(everyMs: number): number {
  const [nowMs, setNowMs] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => {
      if (!document.hidden) setNowMs(Date.now());
    }, everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return nowMs;
}
