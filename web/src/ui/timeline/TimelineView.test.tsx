import { renderToStaticMarkup } from "react-dom/server";
import { describe, expect, it } from "vitest";
import type { SessionEvent } from "../../engine/recording/session";
import { Timeline } from "../../engine/timeline/timeline";
import { ChartSvg } from "./ChartSvg";
import { TimelineView } from "./TimelineView";

const EVENTS: readonly SessionEvent[] = [
  { kind: "marker", id: "a", atMs: 25_000, key: null, note: "question & answer" },
  { kind: "gap", id: "b", fromMs: 40_000, toMs: 60_000, reason: "hidden" },
];

const timeline = new Timeline();
timeline.setLabels(["happiness", "sadness"]);
for (let atMs = 0; atMs < 40_000; atMs += 100) {
  timeline.add(1, atMs, { happiness: 0.9, sadness: 0.1 });
  timeline.add(2, atMs, { happiness: 0.2, sadness: 0.8 });
}
timeline.setPeople({ 1: "Ada" });
const span = { fromMs: 0, toMs: 100_000 };

const view = renderToStaticMarkup(
  <TimelineView
    timeline={timeline}
    events={EVENTS}
    span={span}
    within={span}
    originMs={0}
    intervalMs={100}
    onSpan={() => {}}
    onRename={() => {}}
    cursorMs={50_000}
  />,
);

describe("TimelineView", () => {
  it("has a lane for each person and the mean of all", () => {
    expect([...view.matchAll(/class="lane"/g)]).toHaveLength(3);
    expect(view).toContain("Mean of all faces");
    expect(view).toMatch(/aria-label="Name of Ada"/);
  });

  it("says the share of each emotion", () => {
    expect(view).toMatch(/class="visually-hidden">[^<]*appiness 100%/);
  });

  it("places markers, gaps and the cursor by their time", () => {
    expect(view).toMatch(/class="marker" style="left:25%"/);
    expect(view).toMatch(/class="gap" style="left:40%;width:20%"/);
    expect(view).toMatch(/class="cursor" style="left:50%"/);
  });

  it("has a legend with a switch for each emotion, and a ruler", () => {
    expect(view).toMatch(/class="legend-key" aria-pressed="true"/);
    expect(view).toContain("0:45");
  });

  it("says the same in a table", () => {
    const table = view.slice(view.indexOf("<table"));
    expect(table).toContain("Marker: question &amp; answer");
    expect(table).toContain("Tab was hidden");
    expect(table).toMatch(/<th scope="row">Ada<\/th><td class="num">0:00<\/td><td class="num">0:39<\/td>/);
  });
});

describe("ChartSvg", () => {
  const drawing = renderToStaticMarkup(
    <ChartSvg
      title="Pilot <1>"
      about="m"
      timeline={timeline}
      events={EVENTS}
      span={span}
      originMs={0}
      intervalMs={100}
      groupName="All"
      words={["Happiness", "Sadness"]}
    />,
  );

  it("draws every lane's bands, with names, legend, markers and gaps", () => {
    expect([...drawing.matchAll(/<path d="M/g)]).toHaveLength(6);
    for (const text of [
      "Pilot &lt;1&gt;",
      "Ada",
      "Face 2",
      "All",
      "Sadness",
      "question &amp; answer",
      "100%",
    ]) {
      expect(drawing).toContain(text);
    }
    expect(drawing).toMatch(/<rect x="572.4" y="96" width="201.2"/);
  });
});
