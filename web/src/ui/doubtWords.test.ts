import i18n from "i18next";
import { describe, expect, it } from "vitest";
import { startWords } from "../i18n/i18n";
import { doubtWords } from "./doubtWords";

const ANSWER = {
  emotion: "happiness",
  confidence: 0.6,
  predictions: { anger: 0.1, happiness: 0.6, fear: 0.3 },
  uncertain: true,
  reasons: ["small", "dark"],
  capturedAtMs: 0,
  receivedAtMs: 0,
};
const words = { t: i18n.t, i18n };

describe("doubtWords", () => {
  it("says why, and the next best label", () => {
    expect(doubtWords(ANSWER, words)).toEqual({
      unsure: "Unsure: too small, too dark",
      why: "too small, too dark",
      guess: "happiness or fear",
    });
  });

  it("says nothing of an answer that may be believed, or of an older server's", () => {
    expect(doubtWords({ ...ANSWER, uncertain: false }, words)).toBeNull();
    expect(doubtWords({ ...ANSWER, uncertain: undefined }, words)).toBeNull();
  });

  it("takes a newer server's reasons, and models of one label, as they are", () => {
    const only = { ...ANSWER, predictions: { happiness: 1 } };
    expect(doubtWords({ ...only, reasons: ["in_the_rain"] }, words)).toMatchObject({
      unsure: "Unsure: in the rain",
      guess: "happiness",
    });
    expect(doubtWords({ ...only, reasons: [] }, words)?.unsure).toBe("Unsure");
  });

  it("speaks German", async () => {
    await startWords("de");
    expect(doubtWords(ANSWER, words)).toMatchObject({ unsure: "Unsicher: zu klein, zu dunkel" });
    await startWords("en");
  });
});
