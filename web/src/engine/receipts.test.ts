import { expect, it } from "vitest";
import type { Receipt } from "../stream/protocol";
import { totalOf, withReceipt } from "./receipts";

const receipt = (session_id: string, started_at: number, at: number, count: number): Receipt => ({
  session_id,
  started_at,
  at,
  bytes_received: 100 * count,
  frames_received: count,
  images_kept: 1,
});

it("adds up sessions, each with its latest receipt", () => {
  const all = [receipt("a", 10, 20, 1), receipt("a", 10, 30, 2), receipt("b", 40, 50, 5)].reduce<
    readonly Receipt[]
  >(withReceipt, []);
  expect(totalOf(all)).toMatchObject({
    startedAtMs: 10,
    endedAtMs: 50,
    framesReceived: 7,
    bytesReceived: 700,
    imagesKept: 2,
  });
  expect(totalOf([])).toBeNull();
});
