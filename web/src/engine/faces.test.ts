import { describe, expect, it } from "vitest";
import { FaceBook, sameView, staleAfterMs } from "./faces";
import { resultOf, trackOf } from "./testing";

function bookWith(...faceIds: number[]): FaceBook {
  const book = new FaceBook();
  book.setTracks(faceIds.map((faceId) => trackOf(faceId)));
  return book;
}

describe("a threshold of one's own", () => {
  it("makes emotions uncertain that are less probable, and no others", () => {
    const book = new FaceBook();
    book.setTracks([trackOf(1)]);
    book.setThreshold(0.9);
    book.addResult(resultOf([1], "surprise", 1), 0);
    expect(book.view(0).faces[0]?.answer).toMatchObject({ uncertain: true, reasons: ["ambiguous"] });
    book.setThreshold(0.8);
    book.addResult(resultOf([1], "surprise", 2), 0);
    expect(book.view(0).faces[0]?.answer?.uncertain).toBeUndefined();
  });
});

describe("FaceBook", () => {
  it("shows a face before its first answer, without an emotion", () => {
    expect(bookWith(1).view(0).faces).toMatchObject([{ faceId: 1, answer: null, fresh: false }]);
  });

  it("gives each face its own answer", () => {
    const book = bookWith(1, 2);
    book.addResult(resultOf([1], "anger"), 0);
    book.addResult(resultOf([2], "fear"), 0);
    expect(book.view(0).faces.map((face) => face.answer?.emotion)).toEqual(["anger", "fear"]);
  });

  it("keeps what the server says of its doubt", () => {
    const book = bookWith(1);
    const result = resultOf([1]);
    const doubt = { uncertain: true, reasons: ["dark"], quality: { sharpness: 1, brightness: 0.05 } };
    book.addResult({ ...result, faces: result.faces.map((face) => ({ ...face, ...doubt })) }, 0);
    expect(book.view(0).faces[0]?.answer).toMatchObject(doubt);
  });

  it("keeps an answer fresh for a second, then no longer", () => {
    const book = bookWith(1);
    book.addResult(resultOf([1]), 5000);
    expect(book.view(6000).faces[0]?.fresh).toBe(true);
    expect(book.view(6001).faces[0]?.fresh).toBe(false);
  });

  it("does not let the answer to an older frame replace a newer one", () => {
    const book = bookWith(1);
    book.addResult(resultOf([1], "happiness", 200), 300);
    book.addResult(resultOf([1], "anger", 100), 310);
    expect(book.view(310).faces[0]?.answer?.emotion).toBe("happiness");
  });

  it("drops answers about faces that have left", () => {
    const book = bookWith(1);
    book.addResult(resultOf([1, 7]), 0);
    book.setTracks([]);
    book.setTracks([trackOf(7)]);
    expect(book.view(0).faces).toMatchObject([{ faceId: 7, answer: null, fresh: false }]);
  });

  it("tells when faces come or go, not when they move", () => {
    const book = new FaceBook();
    expect(book.setTracks([trackOf(1)])).toBe(true);
    expect(book.setTracks([{ ...trackOf(1), smoothXywh: [9, 9, 9, 9] }])).toBe(false);
    expect(book.setTracks([trackOf(2)])).toBe(true);
    expect(book.setTracks([])).toBe(true);
  });

  it("selects the largest face, until another is chosen and for as long as that one is there", () => {
    const book = new FaceBook();
    const small = trackOf(1, 50);
    const large = trackOf(2, 150);
    book.setTracks([small, large]);
    expect(book.view(0).selectedId).toBe(2);
    book.choose(1);
    expect(book.view(0)).toMatchObject({ selectedId: 1, chosenId: 1 });
    book.setTracks([large]);
    expect(book.view(0)).toMatchObject({ selectedId: 2, chosenId: null });
  });
});

describe("FaceBook, with faces that are missed", () => {
  const away = (faceId: number) => ({ ...trackOf(faceId), detection: null });

  it("shows no emotion of a face that is not in this frame, nor counts it, and no box after a moment", () => {
    const book = bookWith(1, 2);
    book.addResult(resultOf([1, 2]), 0);
    expect(book.setTracks([trackOf(1), away(2)], 0.1)).toBe(true);
    const view = book.view(100);
    expect(view.seenCount).toBe(1);
    expect(view.faces.map(({ faceId, seen, fresh }) => [faceId, seen, fresh])).toEqual([
      [1, true, true],
      [2, false, false],
    ]);
    expect(book.setTracks([trackOf(1), away(2)], 0.3)).toBe(true);
    expect(book.boxes.map(({ faceId }) => faceId)).toEqual([1]);
  });

  it("holds the details of a face that a frame or two missed, so that they do not flicker", () => {
    const book = bookWith(1);
    book.addResult(resultOf([1]), 0);
    book.setTracks([away(1)], 0.1);
    expect(book.view(100).faces).toMatchObject([{ seen: false, fresh: false, held: true }]);
    expect(book.view(1100).faces).toMatchObject([{ held: false }]);
    book.setTracks([away(1)], 0.3);
    expect(book.view(300).faces).toEqual([]);
  });

  it("has the answer again when the face is back, and the choice", () => {
    const book = bookWith(1, 2);
    book.choose(2);
    book.addResult(resultOf([2]), 0);
    book.setTracks([trackOf(1), away(2)], 0.9);
    expect(book.view(900)).toMatchObject({ selectedId: 2, chosenId: 2 });
    book.setTracks([trackOf(1), trackOf(2)], 0.95);
    expect(book.view(950).faces[1]).toMatchObject({ faceId: 2, fresh: true });
  });

  it("selects a face that is seen before a larger one that is not", () => {
    const book = new FaceBook();
    book.setTracks([{ ...away(1), boxXywh: [0, 0, 300, 300] }, trackOf(2)], 0.1);
    expect(book.view(0).selectedId).toBe(2);
  });
});

describe("FaceBook, with more faces than a frame may carry", () => {
  it("says of a face without a fresh answer that it waits for its turn", () => {
    const book = bookWith(1, 2, 3);
    book.setPerFrame(2);
    book.addResult(resultOf([1]), 0);
    const view = book.view(10);
    expect(view).toMatchObject({ seenCount: 3, perFrame: 2 });
    expect(view.faces.map(({ queued }) => queued)).toEqual([false, true, true]);
    book.setPerFrame(3);
    expect(book.view(10).faces.map(({ queued }) => queued)).toEqual([false, false, false]);
  });

  it("keeps answers fresh for as long as a turn takes", () => {
    const book = new FaceBook();
    book.setInterval(800);
    book.setTracks([trackOf(1), trackOf(2)]);
    book.setPerFrame(1);
    book.addResult(resultOf([1]), 0);
    expect(book.view(2400).faces[0]?.fresh).toBe(true);
    expect(book.view(2401).faces[0]?.fresh).toBe(false);
  });
});

describe("sameView", () => {
  it("is true until an answer comes, goes stale, or another face is selected", () => {
    const book = bookWith(1);
    const empty = book.view(0);
    expect(sameView(empty, book.view(10))).toBe(true);
    book.addResult(resultOf([1]), 10);
    const answered = book.view(10);
    expect(sameView(empty, answered)).toBe(false);
    expect(sameView(answered, book.view(20))).toBe(true);
    expect(sameView(answered, book.view(2000))).toBe(false);
  });
});

describe("staleAfterMs", () => {
  it("is a second, and longer only where answers are asked for that rarely", () => {
    expect(staleAfterMs(100)).toBe(1000);
    expect(staleAfterMs(500)).toBe(1000);
    expect(staleAfterMs(1000)).toBe(1500);
    expect(staleAfterMs(500, 3)).toBe(2250);
  });
});

describe("a picture that stands still", () => {
  it("keeps what is known of its faces", () => {
    const book = new FaceBook();
    book.setTracks([trackOf(1)]);
    book.addResult(resultOf([1], "happiness", 500), 1000);
    expect(book.view(60_000).faces[0]?.fresh).toBe(false);
    expect(book.view(60_000, true).faces[0]?.fresh).toBe(true);
  });

  it("is answered once each face has an answer about it", () => {
    const book = new FaceBook();
    book.setTracks([trackOf(1), trackOf(2)]);
    book.addResult(resultOf([1, 2], "happiness", 500), 600);
    expect(book.isAnsweredSince(500)).toBe(true);
    book.addResult(resultOf([1], "happiness", 900), 1000);
    expect(book.isAnsweredSince(900)).toBe(false);
    book.addResult(resultOf([2], "happiness", 950), 1100);
    expect(book.isAnsweredSince(900)).toBe(true);
  });
});
