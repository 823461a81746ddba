import { describe, expect, it } from "vitest";
import type { BoxXywh } from "./box";
import { FaceSearch, type FrameViewer, type Proposal } from "./faceSearch";
import { FURTHER_LOOKS, type Look, PLAIN_LOOK, type Quarters } from "./looks";

const [COARSER, BY_90, BY_270] = FURTHER_LOOKS;

const UPRIGHT = [0.99, 0, 0, 0];
const NO_FACE = [0, 0, 0, 0];
/** Turned clockwise by a quarter. */
const TURNED = [0.01, 0.95, 0, 0];

function proposal(score: number, boxXywh: BoxXywh = [100, 100, 80, 80]): Proposal {
  return { face: { boxXywh, score }, inputXywh: boxXywh };
}

/** A frame in which each look shows what is said of it, and the verifier gives what is said of all four turns. */
function frame(
  seen: ReadonlyMap<Look, readonly Proposal[]>,
  probabilities: (proposal: Proposal) => readonly number[] | null,
) {
  const looks: Look[] = [];
  const judged: { readonly proposal: Proposal; readonly turns: readonly Quarters[] }[] = [];
  const viewer: FrameViewer = {
    see: async (look) => {
      looks.push(look);
      return seen.get(look) ?? [];
    },
    judge: async (one, turns) => {
      judged.push({ proposal: one, turns });
      return probabilities(one)?.slice(0, turns.length) ?? null;
    },
  };
  return { viewer, looks, judged };
}

describe("a frame with a sure face", () => {
  it("costs one look, and the verifier's once in some frames", async () => {
    const search = new FaceSearch();
    const frames = Array.from({ length: 15 }, () =>
      frame(new Map([[PLAIN_LOOK, [proposal(0.9)]]]), () => UPRIGHT),
    );

    for (const { viewer } of frames)
      expect((await search.find(viewer)).map(({ score }) => score)).toEqual([0.9]);

    expect(frames.flatMap(({ looks }) => looks)).toEqual(Array(15).fill(PLAIN_LOOK));
    expect(frames.flatMap(({ judged }) => judged)).toHaveLength(1);
  });

  it("costs one look and nothing more while there is no verifier", async () => {
    const { viewer, looks } = frame(
      new Map([[PLAIN_LOOK, [proposal(0.9), proposal(0.3, [0, 0, 80, 80])]]]),
      () => null,
    );

    expect((await new FaceSearch().find(viewer)).map(({ score }) => score)).toEqual([0.9]);
    expect(looks).toEqual([PLAIN_LOOK]);
  });

  it("is not looked at further for faces that are turned", async () => {
    const { viewer, looks } = frame(
      new Map([[PLAIN_LOOK, [proposal(0.9), proposal(0.45, [300, 0, 80, 80])]]]),
      ({ face }) => (face.score > 0.5 ? UPRIGHT : TURNED),
    );

    expect((await new FaceSearch().find(viewer)).map(({ score }) => score)).toEqual([0.9, 0.4]);
    expect(looks).toEqual([PLAIN_LOOK]);
  });

  it("counts as one where the face is too small for the verifier", async () => {
    const { viewer, looks, judged } = frame(
      new Map([[PLAIN_LOOK, [proposal(0.7, [0, 0, 12, 12])]]]),
      () => NO_FACE,
    );

    expect((await new FaceSearch().find(viewer)).map(({ score }) => score)).toEqual([0.7]);
    expect([looks, judged]).toEqual([[PLAIN_LOOK], []]);
  });
});

describe("a frame that a face fills", () => {
  const large = proposal(0.9, [20, 20, 200, 200]);
  const whole = proposal(0.8, [0, 0, 240, 240]);
  const seen = new Map([
    [PLAIN_LOOK, [large]],
    [COARSER, [whole]],
  ]);

  it("is looked at smaller, once in many frames, and its box stays as it is", async () => {
    const search = new FaceSearch();
    const frames = Array.from({ length: 30 }, () => frame(seen, () => UPRIGHT));

    for (const { viewer } of frames) expect(await search.find(viewer)).toEqual([large.face]);

    expect(frames.filter(({ looks }) => looks.includes(COARSER))).toHaveLength(1);
    expect(frames[0]?.looks).toEqual([PLAIN_LOOK, COARSER]);
  });

  it("is looked at turned where the smaller frame shows that the face is, at once", async () => {
    const upright = proposal(0.9, [10, 10, 220, 220]);
    const { viewer, looks } = frame(new Map([...seen, [BY_270, [upright]]]), (one) =>
      one === whole ? [0.01, 0, 0, 0.95] : UPRIGHT,
    );

    expect(await new FaceSearch().find(viewer)).toEqual([upright.face]);
    expect(looks).toEqual([PLAIN_LOOK, COARSER, BY_270]);
  });

  it("has the smaller frame's face where it shows a part of it that only the verifier accepts", async () => {
    const weak = proposal(0.3, [120, 60, 110, 110]);
    const { viewer } = frame(
      new Map([
        [PLAIN_LOOK, [weak]],
        [COARSER, [whole]],
      ]),
      () => UPRIGHT,
    );

    expect(await new FaceSearch().find(viewer)).toEqual([whole.face]);
  });
});

describe("a frame with two large faces, of which the smaller frame contradicts one", () => {
  it("has the boxes of the smaller frame, in each frame", async () => {
    const sure = proposal(0.9, [0, 0, 150, 150]);
    const half = proposal(0.3, [300, 60, 110, 110]);
    const seen = new Map([
      [PLAIN_LOOK, [sure, half]],
      [COARSER, [proposal(0.9, [2, 2, 150, 150]), proposal(0.8, [200, 0, 240, 240])]],
    ]);
    const search = new FaceSearch();

    for (let count = 0; count < 3; count++) {
      const found = await search.find(frame(seen, () => UPRIGHT).viewer);
      expect(found.map(({ boxXywh }) => boxXywh)).toEqual([
        [2, 2, 150, 150],
        [200, 0, 240, 240],
      ]);
    }
  });
});

describe("a frame without a sure face", () => {
  it("has what the verifier takes for a face, with the score that a new face needs", async () => {
    const small = proposal(0.3, [100, 100, 60, 60]);
    const { viewer, looks } = frame(new Map([[PLAIN_LOOK, [small]]]), () => UPRIGHT);

    expect(await new FaceSearch().find(viewer)).toEqual([{ ...small.face, score: 0.6 }]);
    expect(looks).toEqual([PLAIN_LOOK]);
  });

  it("looks at a larger one in the smaller frame, too, and then no more where both agree", async () => {
    const weak = proposal(0.3, [100, 100, 80, 80]);
    const search = new FaceSearch();
    const frames = Array.from({ length: 3 }, () =>
      frame(
        new Map([
          [PLAIN_LOOK, [weak]],
          [COARSER, [proposal(0.3, [95, 95, 85, 85])]],
        ]),
        () => UPRIGHT,
      ),
    );

    for (const { viewer } of frames)
      expect(await search.find(viewer)).toEqual([{ ...weak.face, score: 0.6 }]);
    expect(frames.map(({ looks }) => looks)).toEqual([[PLAIN_LOOK, COARSER], [PLAIN_LOOK], [PLAIN_LOOK]]);
  });

  it("has no new face that the verifier takes for none, unless the detector has no doubt", async () => {
    const faces = [proposal(0.85, [300, 0, 80, 80]), proposal(0.7), proposal(0.3, [0, 0, 80, 80])];
    const { viewer } = frame(new Map([[PLAIN_LOOK, faces]]), () => NO_FACE);

    expect((await new FaceSearch().find(viewer)).map(({ score }) => score)).toEqual([0.85, 0.4]);
  });

  it("has only the likeliest proposals judged, the first in all turns, and none that is too small", async () => {
    const many = [0.39, 0.38, 0.37, 0.36, 0.35].map((score, at) => proposal(score, [100 * at, 0, 80, 80]));
    const { viewer, judged } = frame(
      new Map([[PLAIN_LOOK, [proposal(0.5, [0, 300, 12, 12]), ...many]]]),
      () => NO_FACE,
    );

    await new FaceSearch().find(viewer);

    expect(judged.map((one) => one.proposal)).toEqual(many.slice(0, 3));
    expect(judged.map(({ turns }) => turns.length)).toEqual([4, 1, 1]);
  });

  it("is looked at in the turn that the verifier asks for, at once", async () => {
    const upright = proposal(0.8, [90, 90, 100, 100]);
    const { viewer, looks } = frame(
      new Map([
        [PLAIN_LOOK, [proposal(0.9)]],
        [BY_90, [upright]],
      ]),
      (one) => (one === upright ? UPRIGHT : TURNED),
    );

    expect(await new FaceSearch().find(viewer)).toEqual([upright.face]);
    expect(looks).toEqual([PLAIN_LOOK, BY_90]);
  });

  it("is looked at in one further way, another in each frame, until one finds a face, and then in that way", async () => {
    const search = new FaceSearch();
    const close = new Map([[BY_90, [proposal(0.9)]]]);
    const frames = [0, 1, 2, 3].map(() => frame(close, () => UPRIGHT));

    const found = [];
    for (const { viewer } of frames) found.push(await search.find(viewer));

    expect(found.map((faces) => faces.length)).toEqual([0, 1, 1, 1]);
    expect(frames.map(({ looks }) => looks)).toEqual([
      [PLAIN_LOOK, COARSER],
      [PLAIN_LOOK, BY_90],
      [PLAIN_LOOK, BY_90],
      [PLAIN_LOOK, BY_90],
    ]);
  });

  it("is looked at in two further ways at most", async () => {
    const search = new FaceSearch();
    await search.find(frame(new Map([[COARSER, [proposal(0.9)]]]), () => UPRIGHT).viewer);
    const { viewer, looks } = frame(new Map(), () => NO_FACE);

    await search.find(viewer);

    expect(looks).toEqual([PLAIN_LOOK, COARSER, BY_270]);
  });

  it("has a sure face of a further look instead of the uncertain part of it that was seen before", async () => {
    const whole = proposal(0.9, [60, 60, 200, 200]);
    const elsewhere = proposal(0.45, [400, 0, 80, 80]);
    const { viewer } = frame(
      new Map([
        [PLAIN_LOOK, [proposal(0.5), elsewhere]],
        [COARSER, [whole]],
      ]),
      (one) => (one === whole ? UPRIGHT : NO_FACE),
    );

    expect((await new FaceSearch().find(viewer)).map(({ boxXywh }) => boxXywh)).toEqual([
      elsewhere.face.boxXywh,
      whole.face.boxXywh,
    ]);
  });

  it("keeps what was seen in it as it is where a further look is not sure, either", async () => {
    const { viewer } = frame(
      new Map([
        [PLAIN_LOOK, [proposal(0.5)]],
        [COARSER, [proposal(0.9, [60, 60, 100, 100]), proposal(0.45, [400, 0, 80, 80])]],
      ]),
      () => NO_FACE,
    );

    const found = await new FaceSearch().find(viewer);

    expect(found.map(({ boxXywh }) => boxXywh[0])).toEqual([100, 400]);
  });

  it("has no small face from a further look, which textures look like", async () => {
    const { viewer } = frame(new Map([[COARSER, [proposal(0.9, [100, 100, 12, 12])]]]), () => null);

    expect(await new FaceSearch().find(viewer)).toEqual([]);
  });
});
