import { describe, expect, it } from "vitest";
import { type About, fetchAbout, noticeIn } from "./about";

const ABOUT: About = {
  operator: "Museum of Faces",
  notice: {},
  kept_images: { every_s: 10, max_bytes: 1000 },
  kept_corrections: { max_bytes: 1000 },
  model: "default",
  labels: ["happiness"],
  version: "1",
  servers: [],
  frame_ancestors: [],
};

const answering =
  (body: string, status = 200) =>
  async () =>
    new Response(body, { status });

describe("fetchAbout", () => {
  it("reads what the server says", async () => {
    const newer = { ...ABOUT, more: true };
    expect(await fetchAbout("http://localhost", answering(JSON.stringify(newer)))).toEqual(ABOUT);
  });

  it("reads an older server that keeps no corrections, and does not know the word", async () => {
    // JSON leaves out what is undefined.
    const older = JSON.stringify({ ...ABOUT, kept_corrections: undefined });
    expect(await fetchAbout("http://localhost", answering(older))).toEqual({
      ...ABOUT,
      kept_corrections: null,
    });
  });

  it.each([
    ["an older server", answering("{}", 404)],
    ["another program", answering("<!doctype html>")],
    ["half an answer", answering("{}")],
    [
      "nobody",
      async () => {
        throw new TypeError("Failed to fetch");
      },
    ],
  ])("is null where %s answers", async (_name, get) => {
    expect(await fetchAbout("http://localhost", get)).toBeNull();
  });
});

describe("noticeIn", () => {
  const notice = (texts: Record<string, string>, language: string) =>
    noticeIn({ ...ABOUT, notice: texts }, language);

  it("is in the reader's language where there is one, else in the first", () => {
    expect(notice({ en: "A", de: "B" }, "de")).toEqual({ text: "B", language: "de" });
    expect(notice({ fr: "C", de: "B" }, "en")).toEqual({ text: "C", language: "fr" });
    expect(notice({ und: "D" }, "de")).toEqual({ text: "D", language: "und" });
    expect(notice({}, "de")).toBeNull();
  });
});
