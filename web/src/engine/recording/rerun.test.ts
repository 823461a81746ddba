import "fake-indexeddb/auto";
import { describe, expect, it } from "vitest";
import type { ConnectionEnvironment, SocketLike } from "../../stream/connection";
import { resultOf } from "../testing";
import { SessionDatabase } from "./database";
import { Recorder } from "./recorder";
import { Replay } from "./replay";
import { runAgain, type RerunEnvironment } from "./rerun";

const LABELS = ["happiness", "fear"];
const BOX = [10, 20, 100, 100] as const;

/** A server that answers each frame with fear, in the face's id as it was sent. */
function serverOf(received: object[], answersAtMost = Infinity): ConnectionEnvironment {
  let answers = 0;
  return {
    now: () => Date.now(),
    random: () => 0,
    schedule: () => () => {},
    openSocket: () => {
      const say = (message: object) =>
        queueMicrotask(() => socket.onmessage?.({ data: JSON.stringify(message) } as MessageEvent));
      const socket: SocketLike = {
        readyState: 1,
        binaryType: "arraybuffer",
        onmessage: null,
        onclose: null,
        close: () => {},
        send: (data) => {
          if (typeof data === "string") {
            received.push(JSON.parse(data) as object);
            return;
          }
          if (answers++ >= answersAtMost) {
            queueMicrotask(() => socket.onclose?.({ code: 1006 } as CloseEvent));
            return;
          }
          const length = new DataView(data).getUint32(0, true);
          const header = JSON.parse(new TextDecoder().decode(new Uint8Array(data, 4, length))) as {
            frame_id: number;
            captured_at: number;
            faces: { face_id: number }[];
          };
          received.push(header);
          const ids = header.faces.map(({ face_id }) => face_id);
          say({ ...resultOf(ids, "fear", header.captured_at), frame_id: header.frame_id });
        },
      };
      say({
        type: "session.created",
        protocol: 1,
        session_id: "s",
        model: { name: "other", labels: LABELS },
        config: { smoothing: 0, max_faces: 8 },
        limits: { max_message_bytes: 1e6, max_pixels: 1e6, max_faces: 8, max_frames_per_second: 100 },
      });
      return socket;
    },
  };
}

let databases = 0;

/** A session of ten frames of face 7, of which video was kept from the fourth on. */
async function setup() {
  const database = new SessionDatabase(`rerun-${databases++}`);
  let nowMs = 0;
  const recorder = new Recorder(database, {
    now: () => nowMs,
    newId: () => "original",
    hold: () => () => {},
  });
  recorder.setSettings({ model: "m", labels: LABELS, smoothing: 0, intervalMs: 100, source: null });
  await recorder.start("Pilot");
  for (let frame = 0; frame < 10; frame++) {
    nowMs = 100 * frame;
    const result = resultOf([7], "happiness", nowMs);
    recorder.addResult({ ...result, faces: result.faces.map((face) => ({ ...face, box: [...BOX] })) }, nowMs);
  }
  await recorder.stop();
  await database.putVideo(
    { sessionId: "original", number: 0, startMs: 300, endMs: 2000, type: "video/webm" },
    0,
    new Blob(["v"]),
  );
  const replay = await Replay.open(database, "original");
  if (replay === null) throw new Error("it is there");
  const offsets: number[] = [];
  const environment: Omit<RerunEnvironment, "stream"> = {
    newId: () => "again",
    detector: {
      analyse: async () => ({
        // Somebody else is seen as well, who was not recorded.
        detections: [
          { boxXywh: [400, 20, 90, 90], score: 0.9 },
          { boxXywh: [12, 22, 100, 100], score: 0.9 },
        ],
        detectMs: 1,
      }),
      cut: async (faces) => faces.map(({ boxXywh: [x] }) => new ArrayBuffer(x)),
    },
    openSegment: async () => ({
      pictureAt: async (offsetMs) => {
        offsets.push(offsetMs);
        return { width: 640, height: 480, close: () => {} };
      },
      close: () => {},
    }),
  };
  const options = {
    name: "Pilot again",
    smoothing: 0.5,
    signal: new AbortController().signal,
    onProgress: () => {},
  };
  return { database, replay, environment, options, offsets };
}

describe("runAgain", () => {
  it("sends the recorded moments and faces once more, and keeps the answers as a session of its own", async () => {
    const { database, replay, environment, options, offsets } = await setup();
    const received: object[] = [];
    const id = await runAgain(database, replay, { ...environment, stream: serverOf(received) }, options);
    expect(offsets).toEqual([0, 100, 200, 300, 400, 500, 600]);
    expect(received[0]).toEqual({ type: "session.update", config: { smoothing: 0.5 } });
    expect(received[1]).toMatchObject({ captured_at: 300, faces: [{ face_id: 7, length: 12 }] });
    expect(await database.session(id)).toMatchObject({
      name: "Pilot again",
      rows: 7,
      rerunOf: "original",
      isEnded: true,
      settings: { model: "other", smoothing: 0.5 },
    });
    const again = await Replay.open(database, id);
    expect((await again?.rowsAt(500))?.map(({ faceId, emotion }) => [faceId, emotion])).toEqual([
      [7, "fear"],
    ]);
  });

  it("leaves nothing behind where the server goes away", async () => {
    const { database, replay, environment, options } = await setup();
    const stream = serverOf([], 3);
    await expect(runAgain(database, replay, { ...environment, stream }, options)).rejects.toThrow("lost");
    expect((await database.sessions()).map(({ id }) => id)).toEqual(["original"]);
  });

  it("ends when it is cancelled", async () => {
    const { database, replay, environment, options } = await setup();
    const abort = new AbortController();
    const running = runAgain(
      database,
      replay,
      { ...environment, stream: serverOf([]) },
      { ...options, signal: abort.signal, onProgress: () => abort.abort() },
    );
    await expect(running).rejects.toThrow();
    expect(await database.session("again")).toBeUndefined();
  });
});
