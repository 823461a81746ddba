import "uplot/dist/uPlot.min.css";
import uPlot from "uplot";
import { colourOf } from "./palette";
import { TRACE_MS, type TraceColumns } from "../engine/traces";

/** A chart of probabilities over the last half minute. */
export interface TraceChart {
  /** @param nowMs the right edge, as Unix time in ms */
  draw(columns: TraceColumns, nowMs: number): void;
  dispose(): void;
}

const GRID_COLOUR = "#1d262b";
const TEXT_COLOUR = "#8b979d";

/**
 * Fills `host`, and follows its size.
 *
 * @param secondsBefore names a time on the axis, so many seconds before the right edge
 */
export function createTraceChart(
  host: HTMLElement,
  labels: readonly string[],
  secondsBefore: (seconds: number) => string,
): TraceChart {
  const chart = new uPlot(
    {
      ...sizeOf(host),
      padding: [6, 0, 0, 0],
      legend: { show: false },
      cursor: { show: false },
      scales: { x: { time: false }, y: { range: [0, 1] } },
      axes: [
        {
          stroke: TEXT_COLOUR,
          font: "12px 'Geist Variable', sans-serif",
          size: 22,
          gap: 4,
          grid: { show: false },
          ticks: { show: false },
          splits: (_self, _axis, _min, max) => [max - 20, max - 10],
          values: (self, splits) =>
            splits.map((split) => secondsBefore(Math.round((self.scales.x?.max ?? split) - split))),
        },
        {
          show: true,
          size: 0,
          splits: [0, 0.5, 1],
          values: () => [],
          grid: { stroke: GRID_COLOUR, width: 1 },
          ticks: { show: false },
        },
      ],
      series: [
        {},
        ...labels.map((label) => ({
          stroke: colourOf(label, labels),
          width: 1.5,
          points: { show: false },
        })),
      ],
    },
    [[], ...labels.map(() => [])],
    host,
  );
  const observer = new ResizeObserver(() => chart.setSize(sizeOf(host)));
  observer.observe(host);
  return {
    draw: (columns, nowMs) => {
      chart.batch(() => {
        // uPlot only reads the columns, although its type asks for mutable ones.
        chart.setData(columns as unknown as uPlot.AlignedData, false);
        chart.setScale("x", { min: (nowMs - TRACE_MS) / 1000, max: nowMs / 1000 });
      });
    },
    dispose: () => {
      observer.disconnect();
      chart.destroy();
    },
  };
}

function sizeOf(host: HTMLElement): { width: number; height: number } {
  return { width: Math.max(host.clientWidth, 100), height: Math.max(host.clientHeight, 60) };
}
