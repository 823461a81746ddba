import { describe, expect, it } from "vitest";
import { FaceBook, sameView, staleAfterMs } from "./faces";
import { resultOf, trackOf } from "./testing";

function bookWith(...faceIds: number[]): FaceBook {
  const book = new FaceBook();
  book.setTracks(faceIds.map((faceId) => trackOf(faceId)));
  return book;
}

describe("FaceBook", () => {
  it("shows a face before its first answer, without an emotion", () => {
    expect(bookWith(1).view(0).faces).toEqual([{ faceId: 1, answer: null, fresh: false }]);
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
    expect(book.view(0).faces).toEqual([{ faceId: 7, answer: null, fresh: false }]);
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
  });
});
