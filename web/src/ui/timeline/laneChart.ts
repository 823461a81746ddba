import "uplot/dist/uPlot.min.css";
import uPlot from "uplot";
import type { ChartColumns, ChartShape } from "../../engine/timeline/chartData";
import type { TimeSpan } from "../../engine/timeline/span";
import { colourOf } from "../palette";

/** Room for the numbers of the y-axis: every lane has the same, so that their times are in line. */
export const AXIS_REM = 2.75;
const FONT_REM = 0.6875;

/** One lane's chart. */
export interface LaneChart {
  /** @param columns one for each label, after the times @param compared dashed lines over them, if any */
  draw(columns: ChartColumns, span: TimeSpan, compared?: ChartColumns): void;
  dispose(): void;
}

export interface LaneChartOptions {
  readonly labels: readonly string[];
  readonly shape: ChartShape;
  readonly hidden: ReadonlySet<string>;
  readonly isCompared: boolean;
}

/** Fills `host`, and follows its size. */
export function createLaneChart(host: HTMLElement, options: LaneChartOptions): LaneChart {
  const { labels, shape, hidden, isCompared } = options;
  // Asked at each drawing, so that the chart follows the page from light to dark.
  const colour = (name: string, emotion?: string) => {
    const probe = host.appendChild(document.createElement("span"));
    probe.hidden = true;
    if (emotion !== undefined) probe.style.setProperty("--emotion", emotion);
    probe.style.color = `var(${name})`;
    const style = getComputedStyle(probe);
    return (): string => style.color;
  };
  const [grid, text] = [colour("--line"), colour("--text-quiet")];
  const fills = new Map(labels.map((label) => [label, colour("--emotion-fill", colourOf(label, labels))]));
  const fill = (label: string) => fills.get(label) ?? text;
  const line = (label: string, dash: number[] | null): uPlot.Series => ({
    stroke: fill(label),
    width: 1.5,
    points: { show: false },
    show: !hidden.has(label),
    ...(dash === null ? {} : { dash }),
  });
  const band = (label: string): uPlot.Series => ({
    fill: hidden.has(label) ? grid : fill(label),
    width: 0,
    points: { show: false },
  });
  // Bands lie on one another: the topmost sum is drawn first, and the others over it.
  const order = shape === "bands" ? labels.map((_, at) => labels.length - 1 - at) : labels.map((_, at) => at);
  const series = order.map((at) => {
    const label = labels[at] ?? "";
    return shape === "bands" ? band(label) : line(label, null);
  });
  const dashed = isCompared ? labels.map((label) => line(label, [3, 4])) : [];
  const all = [...series, ...dashed];
  const chart = new uPlot(
    {
      ...sizeOf(host),
      padding: [6, 0, 6, 0],
      legend: { show: false },
      cursor: { show: false },
      scales: { x: { time: false }, y: { range: [0, 1] } },
      axes: [
        { show: false },
        {
          size: () => AXIS_REM * remPx(),
          gap: 6,
          stroke: text,
          font: `${FONT_REM * remPx()}px 'Geist Variable', sans-serif`,
          splits: [0, 0.5, 1],
          values: (_self, splits) => splits.map((split) => (split === 0.5 ? "" : `${split * 100}%`)),
          grid: { stroke: grid, width: 1 },
          ticks: { show: false },
        },
      ],
      series: [{}, ...all],
    },
    [[], ...all.map(() => [])],
    host,
  );
  const observer = new ResizeObserver(() => chart.setSize(sizeOf(host)));
  observer.observe(host);
  return {
    draw: ([times, ...values], { fromMs, toMs }, compared) => {
      const ordered: ChartColumns = [times, ...order.map((at) => values[at] ?? [])];
      const joined = compared === undefined || !isCompared ? ordered : join(ordered, compared);
      chart.batch(() => {
        // uPlot only reads the columns, although its type asks for mutable ones.
        chart.setData(joined as unknown as uPlot.AlignedData, false);
        chart.setScale("x", { min: fromMs / 1000, max: toMs / 1000 });
      });
    },
    dispose: () => {
      observer.disconnect();
      chart.destroy();
    },
  };
}

function join(a: ChartColumns, b: ChartColumns): ChartColumns {
  const tables = [a, b] as unknown as uPlot.AlignedData[];
  // A null breaks a line; what joining leaves empty does not.
  const nulls = tables.map((table) => table.map(() => 2));
  return uPlot.join(tables, nulls) as unknown as ChartColumns;
}

function sizeOf(host: HTMLElement): { width: number; height: number } {
  return { width: Math.max(host.clientWidth, 100), height: Math.max(host.clientHeight, 40) };
}

/** CSS pixels of a rem: more on large screens. */
function remPx(): number {
  return Number.parseFloat(getComputedStyle(document.documentElement).fontSize);
}
