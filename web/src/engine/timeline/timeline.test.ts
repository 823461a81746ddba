import { describe, expect, it } from "vitest";
import { RowBuffer } from "../recording/rows";
import { Timeline } from "./timeline";

const LABELS = ["glad", "sad"];
const GLAD = { glad: 0.9, sad: 0.1 };
const SAD = { glad: 0.2, sad: 0.8 };

function timeline(): Timeline {
  const made = new Timeline();
  made.setLabels(LABELS);
  return made;
}

describe("Timeline", () => {
  it("has a lane for each face, in the order in which they came, and the share of each emotion", () => {
    const time = timeline();
    time.add(2, 100, GLAD);
    time.add(1, 200, SAD);
    time.add(2, 300, GLAD);
    time.add(2, 400, SAD);
    time.add(2, 500, GLAD);
    expect(time.lanes()).toMatchObject([
      { name: "Face 2", rows: 4, shares: [0.75, 0.25], firstMs: 100, lastMs: 500 },
      { name: "Face 1", rows: 1, shares: [0, 1] },
    ]);
    expect(time.spanMs).toEqual([100, 500]);
  });

  it("makes one lane of faces with one name", () => {
    const time = timeline();
    time.add(1, 0, GLAD);
    time.add(2, 10_000, SAD);
    time.setPeople({ 1: "Ada", 2: "Ada" });
    const [ada, ...others] = time.lanes();
    expect(others).toEqual([]);
    expect(ada).toMatchObject({ name: "Ada", faceIds: [1, 2], shares: [0.5, 0.5] });
    expect(ada && time.points(ada, 0, 20_000, 100).means[0]?.map((mean) => mean.toFixed(1))).toEqual([
      "0.9",
      "0.2",
    ]);
  });

  it("gives the mean of the group", () => {
    const time = timeline();
    time.add(1, 0, GLAD);
    time.add(2, 0, SAD);
    const points = time.points(time.group("All"), 0, 1000, 100);
    expect(points.means.map(([mean]) => mean?.toFixed(2))).toEqual(["0.55", "0.45"]);
  });

  it("shows recorded columns as it shows answers, also where a model had its labels in another order", () => {
    const buffer = new RowBuffer(["sad", "glad"], 1);
    buffer.add(100, 1, { face_id: 1, emotion: "glad", predictions: GLAD });
    const time = timeline();
    time.addColumns(buffer.slice(), buffer.labels);
    const [lane] = time.lanes();
    expect(lane?.shares).toEqual([1, 0]);
    expect(lane && time.points(lane, 0, 1000, 100).means[0]?.[0]).toBeCloseTo(0.9, 5);
  });

  it("begins anew with another model's labels", () => {
    const time = timeline();
    time.add(1, 0, GLAD);
    time.setLabels([...LABELS]);
    expect(time.lanes()).toHaveLength(1);
    time.setLabels(["calm"]);
    expect([time.lanes(), time.spanMs]).toEqual([[], null]);
  });

  it("forgets the faces that were seen longest ago where thousands come by", () => {
    const time = timeline();
    time.add(1, 0, GLAD);
    for (let faceId = 2; faceId < 1000; faceId++) {
      time.add(faceId, faceId, GLAD);
      time.add(1, faceId, GLAD);
    }
    expect(time.lanes().length).toBe(256);
    expect(time.lanes()[0]?.name).toBe("Face 1");
  });
});
