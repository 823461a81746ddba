import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { drawNoMore, drawSoon } from "./drawing";

describe("drawSoon", () => {
  let nowMs = 0;
  let frames: FrameRequestCallback[] = [];

  const nextFrame = (): void => {
    const due = frames;
    frames = [];
    for (const callback of due) callback(nowMs);
  };

  beforeEach(() => {
    nowMs = 0;
    frames = [];
    vi.spyOn(performance, "now").mockImplementation(() => nowMs);
    vi.stubGlobal("requestAnimationFrame", (callback: FrameRequestCallback) => frames.push(callback));
  });
  afterEach(() => {
    while (frames.length > 0) nextFrame();
    vi.restoreAllMocks();
    vi.unstubAllGlobals();
  });

  /** Drawings that take so long each, by their names in the order in which they were made. */
  function drawings(names: readonly string[], eachMs: number) {
    const made: string[] = [];
    const owners = names.map((name) => ({ name }));
    const draw = (owner: { readonly name: string }) =>
      drawSoon(owner, () => {
        made.push(owner.name);
        nowMs += eachMs;
      });
    owners.forEach(draw);
    return { made, owners, draw };
  }

  it("makes quick drawings in one picture", () => {
    const { made } = drawings(["a", "b", "c"], 1);
    expect(made).toEqual([]);
    nextFrame();
    expect(made).toEqual(["a", "b", "c"]);
    expect(frames).toEqual([]);
  });

  it("leaves to the next picture what this one has no time for", () => {
    const { made } = drawings(["a", "b", "c"], 5);
    nextFrame();
    expect(made).toEqual(["a", "b"]);
    nextFrame();
    expect(made).toEqual(["a", "b", "c"]);
  });

  it("makes no drawing that is no longer wanted", () => {
    const { made, owners } = drawings(["a", "b"], 1);
    drawNoMore(owners[0] ?? {});
    nextFrame();
    expect(made).toEqual(["b"]);
  });

  it("makes the others after one that failed", () => {
    drawSoon({}, () => {
      throw new Error("no canvas");
    });
    const { made } = drawings(["a"], 1);
    expect(nextFrame).toThrow("no canvas");
    nextFrame();
    expect(made).toEqual(["a"]);
  });

  it("comes to all, however often each is asked for", () => {
    const { made, owners, draw } = drawings(["a", "b", "c"], 10);
    for (let time = 0; time < 3; time++) {
      nextFrame();
      owners.forEach(draw);
    }
    expect(made).toEqual(["a", "b", "c"]);
  });

  it("asks for one picture at a time", () => {
    const { owners, draw } = drawings(["a", "b"], 10);
    owners.forEach(drawNoMore);
    owners.forEach(draw);
    expect(frames).toHaveLength(1);
    nextFrame();
    expect(frames).toHaveLength(1);
  });
});
