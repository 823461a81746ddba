import { type CSSProperties, useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { markerLabel, type SessionEvent } from "../../engine/recording/session";
import type { ChartShape } from "../../engine/timeline/chartData";
import { clock, moved, rulerS, type TimeSpan, zoomed } from "../../engine/timeline/span";
import type { Lane as LaneData, Timeline } from "../../engine/timeline/timeline";
import { emotionWord } from "../format";
import { colourOf } from "../palette";
import { AXIS_REM } from "./laneChart";
import { Lane } from "./Lane";
import { TimelineTable } from "./TimelineTable";
import "./timeline.css";

export interface TimelineViewProps {
  readonly timeline: Timeline;
  readonly events: readonly SessionEvent[];
  /** What is shown. */
  readonly span: TimeSpan;
  /** What there is. */
  readonly within: TimeSpan;
  /** Unix time in ms that the ruler counts from. */
  readonly originMs: number;
  readonly intervalMs: number;
  readonly onSpan: (span: TimeSpan) => void;
  readonly onRename: (lane: LaneData, name: string) => void;
  /** A moment that is looked at; null where there is none. */
  readonly cursorMs?: number | null;
  readonly onSeek?: (atMs: number) => void;
  readonly compared?: Timeline | undefined;
}

/** Events that are drawn at most; where more lie in a span they would cover each other. */
const MAX_EVENTS = 200;

const RULER_STEPS = 8;

/** Lanes of all persons with their ruler, markers, gaps, legend and table. The same for what is live and recorded. */
export function TimelineView(props: TimelineViewProps) {
  const { timeline, events, span, within, originMs, intervalMs, onSpan, onRename, cursorMs, onSeek } = props;
  const { t } = useTranslation();
  const [shape, setShape] = useState<ChartShape>("bands");
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set());
  const lanes = timeline.lanes();
  const shownShape = props.compared === undefined ? shape : "lines";
  const comparedLanes = props.compared?.lanes() ?? [];
  const all = lanes.length > 1 ? [timeline.group(t("timeline.group")), ...lanes] : lanes;

  const toggle = (label: string): void => {
    const next = new Set(hidden);
    if (!next.delete(label)) next.add(label);
    setHidden(next);
  };

  return (
    <div className="timeline">
      <div className="timeline-tools">
        <Legend labels={timeline.labels} hidden={hidden} onToggle={toggle} />
        <div className="timeline-zoom" role="group" aria-label={t("timeline.zoom")}>
          {props.compared === undefined && (
            <button
              type="button"
              className="button button-small"
              aria-pressed={shape === "lines"}
              onClick={() => setShape(shape === "lines" ? "bands" : "lines")}
            >
              {t("timeline.lines")}
            </button>
          )}
          <ZoomButtons span={span} within={within} onSpan={onSpan} />
        </div>
      </div>
      <Board span={span} within={within} onSpan={onSpan} onSeek={onSeek}>
        <Ruler span={span} originMs={originMs} />
        <ol className="lanes">
          {all.map((lane) => {
            const isGroup = !lanes.includes(lane);
            const other = comparedLanes.find(({ name }) => name === lane.name);
            const compared =
              props.compared === undefined
                ? undefined
                : {
                    timeline: props.compared,
                    lane: isGroup ? props.compared.group(lane.name) : (other ?? { ...lane, faceIds: [] }),
                  };
            return (
              <Lane
                key={isGroup ? "group" : lane.faceIds.join(" ")}
                lane={lane}
                timeline={timeline}
                span={span}
                shape={shownShape}
                hidden={hidden}
                intervalMs={intervalMs}
                compared={compared}
                onRename={isGroup ? null : (name) => onRename(lane, name)}
              />
            );
          })}
        </ol>
        <Happenings events={events} span={span} cursorMs={cursorMs ?? null} />
      </Board>
      <TimelineTable lanes={all} labels={timeline.labels} events={events} originMs={originMs} />
    </div>
  );
}

interface LegendProps {
  readonly labels: readonly string[];
  readonly hidden: ReadonlySet<string>;
  readonly onToggle: (label: string) => void;
}

/** Which colour is which emotion; a press takes one out of the lanes. */
function Legend({ labels, hidden, onToggle }: LegendProps) {
  const words = useTranslation();
  return (
    <ul className="legend" aria-label={words.t("timeline.legend")}>
      {labels.map((label) => (
        <li key={label}>
          <button
            type="button"
            className="legend-key"
            aria-pressed={!hidden.has(label)}
            style={{ "--emotion": colourOf(label, labels) } as CSSProperties}
            onClick={() => onToggle(label)}
          >
            <span className="label">{emotionWord(label, words)}</span>
          </button>
        </li>
      ))}
    </ul>
  );
}

type SpanProps = Pick<TimelineViewProps, "span" | "within" | "onSpan">;

function ZoomButtons({ span, within, onSpan }: SpanProps) {
  const { t } = useTranslation();
  const middleMs = (span.fromMs + span.toMs) / 2;
  return (
    <>
      <button
        type="button"
        className="button button-small"
        aria-label={t("timeline.zoom_out")}
        onClick={() => onSpan(zoomed(span, middleMs, 2, within))}
      >
        −
      </button>
      <button
        type="button"
        className="button button-small"
        aria-label={t("timeline.zoom_in")}
        onClick={() => onSpan(zoomed(span, middleMs, 0.5, within))}
      >
        +
      </button>
      <button type="button" className="button button-small" onClick={() => onSpan(within)}>
        {t("timeline.everything")}
      </button>
    </>
  );
}

interface BoardProps extends SpanProps {
  readonly onSeek: TimelineViewProps["onSeek"];
  readonly children: React.ReactNode;
}

/** Takes the pointer and the keys for all lanes together: drag to move, wheel with Ctrl to zoom, press to seek. */
function Board({ span, within, onSpan, onSeek, children }: BoardProps) {
  const { t } = useTranslation();
  const board = useRef<HTMLDivElement>(null);
  const drag = useRef<{ readonly x: number; readonly span: TimeSpan; isMoved: boolean } | null>(null);

  const plot = (): DOMRect | undefined =>
    board.current?.querySelector(".lanes-plot")?.getBoundingClientRect();
  const timeAt = (clientX: number): number => {
    const rect = plot();
    if (rect === undefined || rect.width === 0) return span.fromMs;
    const share = Math.min(Math.max((clientX - rect.left) / rect.width, 0), 1);
    return span.fromMs + share * (span.toMs - span.fromMs);
  };

  // React listens passively to the wheel, and could not keep the page from zooming as well.
  useEffect(() => {
    const element = board.current;
    if (element === null) return;
    const onWheel = (event: WheelEvent): void => {
      const rect = plot();
      if (rect === undefined) return;
      if (event.ctrlKey || event.metaKey) {
        event.preventDefault();
        onSpan(zoomed(span, timeAt(event.clientX), event.deltaY > 0 ? 1.25 : 0.8, within));
      } else if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
        event.preventDefault();
        const pixels = event.deltaX === 0 ? event.deltaY : event.deltaX;
        onSpan(moved(span, (pixels / rect.width) * (span.toMs - span.fromMs), within));
      }
    };
    element.addEventListener("wheel", onWheel, { passive: false });
    return () => element.removeEventListener("wheel", onWheel);
  });

  return (
    <div
      ref={board}
      className="board"
      role="group"
      aria-label={t("timeline.board")}
      tabIndex={0}
      onKeyDown={(event) => {
        const step = (span.toMs - span.fromMs) / 10;
        const middleMs = (span.fromMs + span.toMs) / 2;
        if (event.target !== event.currentTarget) return;
        if (event.key === "ArrowLeft") onSpan(moved(span, -step, within));
        else if (event.key === "ArrowRight") onSpan(moved(span, step, within));
        else if (event.key === "+") onSpan(zoomed(span, middleMs, 0.5, within));
        else if (event.key === "-") onSpan(zoomed(span, middleMs, 2, within));
        else if (event.key === "Home") onSpan(moved(span, -Infinity, within));
        else if (event.key === "End") onSpan(moved(span, Infinity, within));
        else return;
        event.preventDefault();
      }}
      onPointerDown={(event) => {
        const rect = plot();
        if (rect === undefined || event.clientX < rect.left || event.target instanceof HTMLInputElement)
          return;
        drag.current = { x: event.clientX, span, isMoved: false };
        event.currentTarget.setPointerCapture(event.pointerId);
      }}
      onPointerMove={(event) => {
        const start = drag.current;
        const rect = plot();
        if (start === null || rect === undefined) return;
        const pixels = start.x - event.clientX;
        if (Math.abs(pixels) < 4 && !start.isMoved) return;
        start.isMoved = true;
        onSpan(moved(start.span, (pixels / rect.width) * (start.span.toMs - start.span.fromMs), within));
      }}
      onPointerUp={(event) => {
        if (drag.current?.isMoved === false) onSeek?.(timeAt(event.clientX));
        drag.current = null;
      }}
      onPointerCancel={() => {
        drag.current = null;
      }}
    >
      {children}
    </div>
  );
}

function Ruler({ span, originMs }: { readonly span: TimeSpan; readonly originMs: number }) {
  const [fromS, toS] = [(span.fromMs - originMs) / 1000, (span.toMs - originMs) / 1000];
  return (
    <div className="ruler" aria-hidden="true" style={{ "--axis": `${AXIS_REM}rem` } as CSSProperties}>
      <div className="ruler-scale">
        {rulerS(fromS, toS, RULER_STEPS).map((atS) => (
          <span key={atS} style={{ left: `${(100 * (atS - fromS)) / (toS - fromS)}%` }}>
            {atS < 0 ? `−${clock(-atS)}` : clock(atS)}
          </span>
        ))}
      </div>
    </div>
  );
}

interface HappeningsProps {
  readonly events: readonly SessionEvent[];
  readonly span: TimeSpan;
  readonly cursorMs: number | null;
}

/** Markers, gaps and the cursor over all lanes. The table says the same to those who do not see it. */
function Happenings({ events, span: { fromMs, toMs }, cursorMs }: HappeningsProps) {
  const { t } = useTranslation();
  const place = (atMs: number): number => (100 * (atMs - fromMs)) / (toMs - fromMs);
  const shown = events
    .filter((event) =>
      event.kind === "gap"
        ? event.fromMs <= toMs && (event.toMs ?? toMs) >= fromMs
        : event.atMs >= fromMs && event.atMs <= toMs,
    )
    .slice(-MAX_EVENTS);
  return (
    <div className="lanes-plot" aria-hidden="true" style={{ "--axis": `${AXIS_REM}rem` } as CSSProperties}>
      {shown.map((event) => {
        if (event.kind === "marker") {
          return (
            <span key={event.id} className="marker" style={{ left: `${place(event.atMs)}%` }}>
              <span className="marker-flag">{markerLabel(event)}</span>
            </span>
          );
        }
        const [left, right] = [Math.max(0, place(event.fromMs)), Math.min(100, place(event.toMs ?? toMs))];
        return (
          <span key={event.id} className="gap" style={{ left: `${left}%`, width: `${right - left}%` }}>
            <span className="gap-reason">{t(`timeline.gap.${event.reason}`)}</span>
          </span>
        );
      })}
      {cursorMs !== null && cursorMs >= fromMs && cursorMs <= toMs && (
        <span className="cursor" style={{ left: `${place(cursorMs)}%` }} />
      )}
    </div>
  );
}
