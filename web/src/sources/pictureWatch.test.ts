import { describe, expect, it } from "vitest";
import { PictureWatch } from "./pictureWatch";

const BRIGHT = 180;

/** Lets time pass with a frame every 40 ms until `framesEndMs`. @returns what is wrong at the end */
function watchFor(watch: PictureWatch, untilMs: number, brightest: number | null, framesEndMs = untilMs) {
  let trouble = watch.check(0, brightest);
  for (let nowMs = 0; nowMs <= untilMs; nowMs += 40) {
    if (nowMs <= framesEndMs) watch.onFrame(nowMs);
    trouble = watch.check(nowMs, brightest);
  }
  return trouble;
}

describe("PictureWatch", () => {
  it("finds nothing wrong with a picture that moves", () => {
    expect(watchFor(new PictureWatch(), 10_000, BRIGHT)).toBeNull();
  });

  it("notices that no new frames come", () => {
    expect(watchFor(new PictureWatch(), 5000, BRIGHT, 1000)).toBe("frozen");
  });

  it("notices a camera that never sends a frame", () => {
    const watch = new PictureWatch();
    watch.reset(0);
    expect(watch.check(2900, null)).toBeNull();
    expect(watch.check(3100, null)).toBe("frozen");
  });

  it("notices a picture that stays black, and not one that begins so", () => {
    expect(watchFor(new PictureWatch(), 1000, 0)).toBeNull();
    expect(watchFor(new PictureWatch(), 2500, 4)).toBe("black");
  });

  it("takes a dark room for what it is", () => {
    expect(watchFor(new PictureWatch(), 10_000, 25)).toBeNull();
  });

  it("is content again as soon as something is to be seen", () => {
    const watch = new PictureWatch();
    expect(watchFor(watch, 3000, 0)).toBe("black");
    watch.onFrame(3040);
    expect(watch.check(3040, BRIGHT)).toBeNull();
  });

  it("does not hold it against a camera that the page was hidden", () => {
    const watch = new PictureWatch();
    watchFor(watch, 1000, BRIGHT);
    watch.reset(60_000);
    expect(watch.check(61_000, BRIGHT)).toBeNull();
  });
});
