import { type CSSProperties, useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import { type ChartShape, chartColumns } from "../../engine/timeline/chartData";
import type { TimeSpan } from "../../engine/timeline/span";
import type { Lane as LaneData, Timeline } from "../../engine/timeline/timeline";
import { emotionWord, formatPercent } from "../format";
import { colourOf } from "../palette";
import { drawNoMore, drawSoon } from "./drawing";
import { createLaneChart, type LaneChart } from "./laneChart";

export interface LaneProps {
  readonly lane: LaneData;
  readonly timeline: Timeline;
  readonly span: TimeSpan;
  readonly shape: ChartShape;
  readonly hidden: ReadonlySet<string>;
  readonly intervalMs: number;
  /** A second recording of the same time, drawn dashed. */
  readonly compared?: { readonly timeline: Timeline; readonly lane: LaneData } | undefined;
  /** Null where the lane is no person. */
  readonly onRename: ((name: string) => void) | null;
}

/** Points in a lane for each pixel of its width: more cannot be seen. */
const POINTS_PER_PX = 0.5;

/** One person's name, shares and chart. */
export function Lane(props: LaneProps) {
  const { lane, timeline, span, shape, hidden, intervalMs, compared, onRename } = props;
  const host = useRef<HTMLDivElement>(null);
  const chart = useRef<LaneChart | null>(null);
  const { labels } = timeline;
  const isCompared = compared !== undefined;

  useEffect(
    () => () => {
      chart.current?.dispose();
      chart.current = null;
    },
    [labels, shape, hidden, isCompared],
  );

  useEffect(() => {
    drawSoon(host, () => {
      if (host.current === null) return;
      chart.current ??= createLaneChart(host.current, { labels, shape, hidden, isCompared });
      const points = Math.max(100, host.current.clientWidth * POINTS_PER_PX);
      const { fromMs, toMs } = span;
      const columnsOf = (from: Timeline, of: LaneData) =>
        chartColumns(from.points(of, fromMs, toMs, points), shape, intervalMs);
      chart.current.draw(
        columnsOf(timeline, lane),
        span,
        compared && columnsOf(compared.timeline, compared.lane),
      );
    });
  });
  useEffect(() => () => drawNoMore(host), []);

  return (
    <li className="lane">
      <div className="lane-who">
        <LaneName name={lane.name} onRename={onRename} />
        <Shares labels={labels} shares={lane.shares} />
      </div>
      <div ref={host} className="lane-chart" aria-hidden="true" />
    </li>
  );
}

function LaneName({ name, onRename }: { readonly name: string; readonly onRename: LaneProps["onRename"] }) {
  const { t } = useTranslation();
  if (onRename === null) return <span className="lane-name">{name}</span>;
  return (
    <input
      key={name}
      className="lane-name name-field"
      aria-label={t("timeline.name_of", { name })}
      title={t("timeline.rename_hint")}
      defaultValue={name}
      maxLength={80}
      onKeyDown={(event) => {
        if (event.key === "Enter") event.currentTarget.blur();
        if (event.key === "Escape") {
          event.currentTarget.value = name;
          event.currentTarget.blur();
        }
        event.stopPropagation();
      }}
      onBlur={(event) => {
        if (event.currentTarget.value !== name) onRename(event.currentTarget.value);
      }}
    />
  );
}

interface SharesProps {
  readonly labels: readonly string[];
  /** In [0, 1], one for each label. */
  readonly shares: readonly number[];
}

/** How much of the time each emotion was the likeliest: a bar of parts, and the largest in words. */
export function Shares({ labels, shares }: SharesProps) {
  const words = useTranslation();
  const language = words.i18n.language;
  const largest = shares.reduce((best, share, at) => (share > (shares[best] ?? 0) ? at : best), 0);
  const all = labels
    .map((label, at) => ({ label, share: shares[at] ?? 0 }))
    .filter(({ share }) => share >= 0.005)
    .sort((a, b) => b.share - a.share)
    .map(({ label, share }) => `${emotionWord(label, words)} ${formatPercent(share, language)}`)
    .join(", ");
  return (
    <div className="shares" title={all}>
      <span className="shares-bar" aria-hidden="true">
        {labels.map((label, at) => (
          <span
            key={label}
            style={{ flexGrow: shares[at] ?? 0, "--emotion": colourOf(label, labels) } as CSSProperties}
          />
        ))}
      </span>
      <span className="shares-words" aria-hidden="true">
        {emotionWord(labels[largest] ?? "", words)} {formatPercent(shares[largest] ?? 0, language)}
      </span>
      <span className="visually-hidden">{all}</span>
    </div>
  );
}
