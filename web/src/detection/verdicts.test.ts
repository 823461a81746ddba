import { describe, expect, it } from "vitest";
import type { BoxXywh } from "./box";
import { FURTHER_LOOKS, PLAIN_LOOK } from "./looks";
import { verdictOf, Verdicts } from "./verdicts";

const BOX: BoxXywh = [100, 100, 80, 80];
const FACE = verdictOf([0.99], 0.9);

describe("verdictOf", () => {
  it.each([
    ["an upright face", [0.95, 0.02, 0.9, 0], { isFace: true, probability: 0.95, turn: 0 }],
    [
      "an upright face that was judged in no other turn",
      [0.95],
      { isFace: true, probability: 0.95, turn: 0 },
    ],
    ["perhaps a face", [0.8, 0.1, 0.3, 0.1], { isFace: false, probability: 0.8, turn: 0 }],
    [
      "an upright face that is as likely upside down",
      [0.95, 0, 0.97, 0],
      { isFace: true, probability: 0.95, turn: 0 },
    ],
    ["a face upside down", [0.95, 0.02, 0.99, 0], { isFace: false, probability: 0.95, turn: 2 }],
    ["a face turned clockwise", [0.01, 0.7, 0.2, 0], { isFace: false, probability: 0.01, turn: 1 }],
    ["a face turned anticlockwise", [0.01, 0, 0.2, 0.7], { isFace: false, probability: 0.01, turn: 3 }],
    ["no face", [0.01, 0.4, 0.02, 0], { isFace: false, probability: 0.01, turn: 0 }],
  ])("knows %s", (_, probabilities, verdict) => {
    expect(verdictOf(probabilities, 0.9)).toEqual(verdict);
  });
});

describe("Verdicts", () => {
  it("keeps a verdict for a face that moves, and forgets it after some frames", () => {
    const verdicts = new Verdicts(15);
    verdicts.remember(PLAIN_LOOK, BOX, FACE);

    const known = Array.from({ length: 20 }, (_, frame) => {
      verdicts.nextFrame();
      return verdicts.recall(PLAIN_LOOK, [100 + 20 * (frame + 1), 100, 80, 80]) !== null;
    });

    expect(known).toEqual(Array.from({ length: 20 }, (_, frame) => frame < 14));
  });

  it("says nothing of a face elsewhere, or in another look", () => {
    const verdicts = new Verdicts(15);
    verdicts.remember(PLAIN_LOOK, BOX, FACE);
    verdicts.nextFrame();

    expect(verdicts.recall(PLAIN_LOOK, [160, 100, 80, 80])).toBeNull();
    expect(verdicts.recall(FURTHER_LOOKS[0], BOX)).toBeNull();
  });

  it("gives one verdict to one box of a frame", () => {
    const verdicts = new Verdicts(15);
    verdicts.remember(PLAIN_LOOK, BOX, FACE);
    verdicts.nextFrame();

    expect(verdicts.recall(PLAIN_LOOK, BOX)).toEqual(FACE);
    expect(verdicts.recall(PLAIN_LOOK, BOX)).toBeNull();
  });
});
