import { describe, expect, it } from "vitest";
import { type Shortcut, shortcutFor } from "./shortcuts";

const ALL: readonly Shortcut[] = [
  { key: "c", words: "camera", run: () => {} },
  { key: "?", words: "list", run: () => {} },
  { key: "c", words: "the later one", run: () => {} },
];

const pressed = (key: string, more: object = {}) =>
  shortcutFor(
    { key, ctrlKey: false, metaKey: false, altKey: false, repeat: false, target: null, ...more },
    ALL,
  )?.words;

const target = (tagName: string, type?: string) => ({ tagName, type, isContentEditable: false });

describe("shortcutFor", () => {
  it("finds the key, in either case, and the latest that has it", () => {
    expect(pressed("?")).toBe("list");
    expect(pressed("C")).toBe("the later one");
    expect(pressed("x")).toBeUndefined();
  });

  it.each([{ ctrlKey: true }, { metaKey: true }, { altKey: true }, { repeat: true }])(
    "leaves to the browser what is its own: %j",
    (more) => {
      expect(pressed("c", more)).toBeUndefined();
    },
  );

  it("is no key for those who write", () => {
    expect(pressed("c", { target: target("INPUT", "text") })).toBeUndefined();
    expect(pressed("c", { target: target("TEXTAREA") })).toBeUndefined();
    expect(pressed("c", { target: target("SELECT") })).toBeUndefined();
    expect(pressed("c", { target: target("INPUT", "range") })).toBe("the later one");
    expect(pressed("c", { target: target("BUTTON") })).toBe("the later one");
  });
});
