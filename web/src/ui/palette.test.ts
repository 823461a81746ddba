import { describe, expect, it } from "vitest";
import { emotions } from "../../../server/emotions.json";
import cases from "../../../tests/data/emotions_cases.json";
import labelSets from "../../../tests/data/label_set_cases.json";
import { colourOf, STALE_COLOUR } from "./palette";

const LABELS = emotions.map(({ name }) => name);
const BACKGROUNDS = ["#0b0f12", "#10161a", "#171f24"];
const TAG_TEXT = "#0a0e10";

/** Relative luminance as WCAG 2 defines it, in [0, 1]. */
function luminance(hex: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((start) => {
    const value = Number.parseInt(hex.slice(start, start + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(a: string, b: string): number {
  const [dark = 0, light = 0] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (light + 0.05) / (dark + 0.05);
}

describe("colourOf", () => {
  it.each([...LABELS, "confusion", "x", ""])(
    "gives “%s” a colour that text can have on every background",
    (label) => {
      for (const background of BACKGROUNDS)
        expect(contrast(colourOf(label), background)).toBeGreaterThan(4.5);
      expect(contrast(colourOf(label), TAG_TEXT)).toBeGreaterThan(4.5);
    },
  );

  it("gives each known emotion a colour of its own", () => {
    expect(new Set([...LABELS.map((label) => colourOf(label)), STALE_COLOUR]).size).toBe(LABELS.length + 1);
  });

  // tests/test_emotions.py holds the server to the same cases.
  it.each(cases)("gives “$label” the colour that the server gives it", ({ label, colour }) => {
    expect(colourOf(label)).toBe(colour);
  });
});

describe("colourOf among a model's labels", () => {
  it.each(labelSets.map((set) => [Object.keys(set).join(", "), set] as const))(
    "gives each of “%s” the colour that the server gives it, and no two the same",
    (_, set) => {
      const labels = Object.keys(set);
      expect(Object.fromEntries(labels.map((label) => [label, colourOf(label, labels)]))).toEqual(set);
      expect(new Set(Object.values(set)).size).toBe(labels.length);
    },
  );
});

describe("STALE_COLOUR", () => {
  it("can be read as well", () => {
    for (const background of BACKGROUNDS) expect(contrast(STALE_COLOUR, background)).toBeGreaterThan(4.5);
  });
});
