import { renderToStaticMarkup } from "react-dom/server";
import { describe, expect, it } from "vitest";
import { BarList, Doubt, Headline } from "./EmotionPanel";

const ANSWER = {
  emotion: "happiness",
  confidence: 0.934,
  predictions: { happiness: 0.934, confusion: 0.066 },
  capturedAtMs: 0,
  receivedAtMs: 0,
};

describe("BarList", () => {
  it("has a progress bar for each label that the server names, also for one nobody has heard of", () => {
    const markup = renderToStaticMarkup(<BarList labels={["confusion", "happiness"]} answer={ANSWER} />);
    expect(markup).toMatch(
      /role="progressbar"[^>]*aria-valuenow="93"[^>]*data-testid="emotion-bar-happiness"/,
    );
    expect(markup).toMatch(
      /role="progressbar"[^>]*aria-valuenow="7"[^>]*data-testid="emotion-bar-confusion"/,
    );
    expect(markup.indexOf("emotion-bar-confusion")).toBeLessThan(markup.indexOf("emotion-bar-happiness"));
  });

  it("stands at zero without a current answer", () => {
    const markup = renderToStaticMarkup(<BarList labels={["happiness"]} answer={null} />);
    expect(markup).toMatch(/aria-valuenow="0"/);
  });
});

describe("Headline", () => {
  it("names the emotion exactly as the server does, with its confidence in per cent", () => {
    const markup = renderToStaticMarkup(<Headline answer={ANSWER} />);
    expect(markup).toMatch(/data-testid="dominant-emotion"[^>]*>happiness</);
    expect(markup).toContain("93%");
  });

  it("holds its word where the answer has hardly changed its mind", () => {
    const markup = renderToStaticMarkup(<Headline answer={{ ...ANSWER, headline: "confusion" }} />);
    expect(markup).toMatch(/data-testid="dominant-emotion"[^>]*>confusion</);
    expect(markup).toContain("7%");
  });

  it("names no emotion without a current answer", () => {
    const markup = renderToStaticMarkup(<Headline answer={null} />);
    expect(markup).toMatch(/data-testid="dominant-emotion">–</);
  });
});

describe("Doubt", () => {
  it("says why an answer should not be believed, and what else it may be", () => {
    const doubted = { ...ANSWER, uncertain: true, reasons: ["cut_off"] };
    const markup = renderToStaticMarkup(<Doubt answer={doubted} />);
    expect(markup).toMatch(/data-testid="doubt"[^>]*>Unsure: cut off .*happiness or confusion</);
  });

  it("says nothing of an answer that may be believed", () => {
    expect(renderToStaticMarkup(<Doubt answer={ANSWER} />)).toBe("");
  });
});
