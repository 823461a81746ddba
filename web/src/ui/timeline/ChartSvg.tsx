import { eventTime, markerLabel, type SessionEvent } from "../../engine/recording/session";
import { chartColumns, type ChartColumns } from "../../engine/timeline/chartData";
import { clock, rulerS, type TimeSpan } from "../../engine/timeline/span";
import type { Timeline } from "../../engine/timeline/timeline";
import { colourOf } from "../palette";

export interface ChartSvgProps {
  readonly title: string;
  /** What stands under the title: the model and its settings. */
  readonly about: string;
  readonly timeline: Timeline;
  readonly events: readonly SessionEvent[];
  readonly span: TimeSpan;
  readonly originMs: number;
  readonly intervalMs: number;
  /** What the mean of all is called. */
  readonly groupName: string;
  /** The words for the labels, in their order. */
  readonly words: readonly string[];
}

const [WIDTH, LEFT, RIGHT, TOP, LANE, GAP] = [1200, 170, 24, 96, 84, 14];
const [INK, QUIET, LINE, PAPER] = ["#14191c", "#5b666c", "#d5dbde", "#ffffff"];
const PLOT = WIDTH - LEFT - RIGHT;

/** The chart as a drawing of its own, on white, for documents: lanes, ruler, legend, markers and gaps. */
export function ChartSvg(props: ChartSvgProps) {
  const { title, about, timeline, events, span, originMs, intervalMs, groupName, words } = props;
  const lanes = timeline.lanes();
  const all = lanes.length > 1 ? [timeline.group(groupName), ...lanes] : lanes;
  const bottom = TOP + all.length * (LANE + GAP);
  const x = (atMs: number): number => round(LEFT + (PLOT * (atMs - span.fromMs)) / (span.toMs - span.fromMs));
  const inside = (atMs: number): boolean => atMs >= span.fromMs && atMs <= span.toMs;
  const seconds = (atMs: number): number => (atMs - originMs) / 1000;
  return (
    <svg
      xmlns="http://www.w3.org/2000/svg"
      width={WIDTH}
      height={bottom + 36}
      viewBox={`0 0 ${WIDTH} ${bottom + 36}`}
      fontFamily="Geist, 'Helvetica Neue', Arial, sans-serif"
      fontSize={13}
      fill={INK}
    >
      <rect width={WIDTH} height={bottom + 36} fill={PAPER} />
      <text x={24} y={34} fontSize={19} fontWeight={600}>
        {title}
      </text>
      <text x={24} y={56} fill={QUIET}>
        {about}
      </text>
      {timeline.labels.map((label, at) => (
        <g key={label} transform={`translate(${LEFT + at * 118} 70)`}>
          <rect width={11} height={11} rx={2} fill={colourOf(label, timeline.labels)} />
          <text x={17} y={10}>
            {words[at]}
          </text>
        </g>
      ))}
      {all.map((lane, at) => {
        const top = TOP + at * (LANE + GAP);
        const points = timeline.points(lane, span.fromMs, span.toMs, PLOT / 2);
        const columns = chartColumns(points, "bands", intervalMs);
        return (
          <g key={lane.name}>
            <text x={24} y={top + LANE / 2 + 4} fontWeight={600}>
              {lane.name.length > 17 ? `${lane.name.slice(0, 16)}…` : lane.name}
            </text>
            <text x={LEFT - 6} y={top + 10} textAnchor="end" fontSize={10} fill={QUIET}>
              100%
            </text>
            <text x={LEFT - 6} y={top + LANE} textAnchor="end" fontSize={10} fill={QUIET}>
              0%
            </text>
            {timeline.labels.map((label, index) => (
              <path
                key={label}
                d={bandPath(columns, index, (atS) => x(atS * 1000), top)}
                fill={colourOf(label, timeline.labels)}
              />
            ))}
            <rect x={LEFT} y={top} width={PLOT} height={LANE} fill="none" stroke={LINE} />
          </g>
        );
      })}
      {events.map((event) => {
        if (event.kind === "gap") {
          const [from, to] = [
            Math.max(event.fromMs, span.fromMs),
            Math.min(event.toMs ?? span.toMs, span.toMs),
          ];
          if (to <= from) return null;
          return (
            <rect
              key={event.id}
              x={x(from)}
              y={TOP}
              width={round(x(to) - x(from))}
              height={bottom - TOP - GAP}
              fill={QUIET}
              fillOpacity={0.16}
            />
          );
        }
        if (!inside(eventTime(event))) return null;
        return (
          <g key={event.id}>
            <line x1={x(event.atMs)} x2={x(event.atMs)} y1={TOP - 6} y2={bottom - GAP} stroke={INK} />
            <text x={x(event.atMs) + 4} y={TOP - 2} fontSize={11}>
              {markerLabel(event)}
            </text>
          </g>
        );
      })}
      {rulerS(seconds(span.fromMs), seconds(span.toMs), 10).map((atS) => (
        <text
          key={atS}
          x={x(originMs + atS * 1000)}
          y={bottom + 10}
          textAnchor="middle"
          fontSize={11}
          fill={QUIET}
        >
          {clock(atS)}
        </text>
      ))}
    </svg>
  );
}

/** One band: from the sums before it up to its own, a closed shape for each stretch without a break. */
function bandPath(
  [times, ...sums]: ChartColumns,
  index: number,
  x: (atS: number) => number,
  top: number,
): string {
  const [upper = [], lower] = [sums[index], index > 0 ? sums[index - 1] : undefined];
  const y = (sum: number): number => round(top + LANE * (1 - sum));
  const paths: string[] = [];
  let start = 0;
  for (let at = 0; at <= times.length; at++) {
    if (at < times.length && upper[at] !== null) continue;
    const indices = Array.from({ length: at - start }, (_, step) => start + step);
    if (indices.length > 1) {
      const over = indices.map((i) => `${x(times[i] ?? 0)} ${y(upper[i] ?? 0)}`);
      const under = indices.map((i) => `${x(times[i] ?? 0)} ${y(lower?.[i] ?? 0)}`).reverse();
      paths.push(`M${over.join("L")}L${under.join("L")}Z`);
    }
    start = at + 1;
  }
  return paths.join("");
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
