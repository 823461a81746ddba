import i18next from "i18next";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { speak } from "../i18n/i18n";
import {
  emotionWord,
  formatBytes,
  formatDuration,
  formatMs,
  formatNumber,
  formatPercent,
  toPercent,
} from "./format";

describe("toPercent", () => {
  it("is a whole number from 0 to 100", () => {
    expect([0, 0.004, 0.005, 0.934, 1, 1.0001, -0.1].map(toPercent)).toEqual([0, 0, 1, 93, 100, 100, 0]);
  });
});

describe("formatMs", () => {
  it("has a decimal for short times only, and a dash for unknown ones", () => {
    const times = [0.72, 9.99, 10.4, 1234.5, null, undefined];
    expect(times.map((ms) => formatMs(ms, "en"))).toEqual(["0.7", "10.0", "10", "1235", "–", "–"]);
  });
});

describe("numbers", () => {
  it("are written as the language writes them", () => {
    expect(formatNumber(9.84, "en", 1)).toBe("9.8");
    expect(formatNumber(9.84, "de", 1)).toBe("9,8");
    expect(formatPercent(0.934, "en")).toBe("93%");
    expect(formatPercent(0.934, "de")).toBe("93\u00a0%");
  });
});

describe("formatBytes", () => {
  it("has the unit that makes the number short", () => {
    const sizes = [0, 999, 1000, 1_540_000, 21_400_000, 1_073_741_824];
    expect(sizes.map((bytes) => formatBytes(bytes, "en"))).toEqual([
      "0 bytes",
      "999 bytes",
      "1 kB",
      "1.5 MB",
      "21 MB",
      "1.1 GB",
    ]);
  });
});

describe("formatDuration", () => {
  it("is in seconds, then in minutes", () => {
    expect([7_400, 119_000, 121_000, 3_600_000].map((ms) => formatDuration(ms, "en"))).toEqual([
      "7 sec",
      "119 sec",
      "2 min",
      "60 min",
    ]);
  });
});

describe("emotionWord", () => {
  const word = (label: string) => emotionWord(label, { t: i18next.t, i18n: i18next });

  it("leaves a label as the server says it, in English and where no language knows it", () => {
    expect(["happiness", "Happy", "confusion"].map(word)).toEqual(["happiness", "Happy", "confusion"]);
  });

  describe("in German", () => {
    beforeAll(() => speak("de"));
    afterAll(() => speak("en"));

    it("has the language's word for the label and its synonyms", () => {
      expect(["happiness", "Happy", "confusion"].map(word)).toEqual(["Freude", "Freude", "confusion"]);
    });
  });
});
