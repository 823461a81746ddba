import { describe, expect, it } from "vitest";
import { SessionLog, toCsv, toJson } from "./sessionLog";
import { resultOf } from "./testing";

describe("SessionLog", () => {
  it("keeps an entry for each face of each answer, oldest first", () => {
    const log = new SessionLog();
    log.addResult(resultOf([1, 2], "fear", 10), 20);
    log.addResult(resultOf([1], "anger", 30), 40);
    expect(log.entries().map(({ faceId, emotion }) => [faceId, emotion])).toEqual([
      [1, "fear"],
      [2, "fear"],
      [1, "anger"],
    ]);
  });

  it("overwrites the oldest when it is full", () => {
    const log = new SessionLog(3);
    for (let time = 0; time < 8; time++) log.addResult(resultOf([1], "fear", time), time);
    expect(log.size).toBe(3);
    expect(log.entries().map((entry) => entry.capturedAtMs)).toEqual([5, 6, 7]);
  });
});

describe("toCsv", () => {
  it("has a row per face and answer, and a column per label", () => {
    const log = new SessionLog();
    log.addResult(resultOf([3], "fear", 1000), 0);
    expect(toCsv(log.entries())).toBe(
      "captured_at,face_id,emotion,confidence,fear,other\r\n1970-01-01T00:00:01.000Z,3,fear,0.8,0.8,0.2\r\n",
    );
  });

  it("quotes what would break a row", () => {
    const log = new SessionLog();
    log.addResult(resultOf([3], 'mixed, "odd"', 0), 0);
    expect(toCsv(log.entries())).toContain('"mixed, ""odd"""');
  });

  it("leaves a cell empty where a model did not know the label", () => {
    const log = new SessionLog();
    log.addResult(resultOf([1], "fear", 0), 0);
    log.addResult(resultOf([1], "anger", 0), 0);
    expect(toCsv(log.entries()).split("\r\n")[2]).toBe("1970-01-01T00:00:00.000Z,1,anger,0.8,,0.2,0.8");
  });

  it("is a header alone where nothing was seen", () => {
    expect(toCsv([])).toBe("captured_at,face_id,emotion,confidence\r\n");
  });
});

describe("toJson", () => {
  it("uses the wire's names", () => {
    const log = new SessionLog();
    log.addResult(resultOf([3], "fear", 1000), 0);
    expect(JSON.parse(toJson(log.entries()))).toEqual([
      {
        captured_at: 1000,
        face_id: 3,
        emotion: "fear",
        confidence: 0.8,
        predictions: { fear: 0.8, other: 0.2 },
      },
    ]);
  });
});
