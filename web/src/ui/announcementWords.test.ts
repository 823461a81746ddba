import i18next from "i18next";
import { describe, expect, it } from "vitest";
import { announce as announceIn } from "./announcementWords";
import { FaceBook, type FacesView, NO_FACES } from "../engine/faces";
import { resultOf, trackOf } from "../engine/testing";

const announce = (view: FacesView) => announceIn(view, { t: i18next.t, i18n: i18next });

describe("announce", () => {
  it("says that nobody is there", () => {
    expect(announce(NO_FACES)).toBe("No face in view.");
  });

  it("names the emotion of a single face", () => {
    const book = new FaceBook();
    book.setTracks([trackOf(1)]);
    book.addResult(resultOf([1], "surprise"), 0);
    expect(announce(book.view(0))).toBe("One face: surprise.");
  });

  it("names no emotion that is out of date", () => {
    const book = new FaceBook();
    book.setTracks([trackOf(1)]);
    book.addResult(resultOf([1], "surprise"), 0);
    expect(announce(book.view(5000))).toBe("One face in view, no current emotion.");
  });

  it("counts several faces and names the selected one's emotion", () => {
    const book = new FaceBook();
    book.setTracks([trackOf(1), trackOf(2, 200)]);
    book.addResult(resultOf([1], "fear"), 0);
    book.addResult(resultOf([2], "anger"), 0);
    expect(announce(book.view(0))).toBe("2 faces. Face 2: anger.");
  });
});
