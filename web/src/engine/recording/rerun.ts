import { boxIou, type BoxXywh, type Detection, type SizePx } from "../../detection/box";
import type { FaceDetector } from "../../detection/faceDetector";
import { type ConnectionEnvironment, StreamConnection } from "../../stream/connection";
import type { FaceCrop } from "../../stream/envelope";
import { facesPerFrame } from "../../stream/pacing";
import type { ResultMessage, SessionCreated } from "../../stream/protocol";
import { ChunkWriter } from "./chunkWriter";
import type { SessionDatabase } from "./database";
import type { Replay } from "./replay";
import type { RowSettings, SessionRecord, VideoSegment } from "./session";

/** A recorded face and a detected one are the same from this overlap on. */
const MIN_IOU = 0.25;

/** Frames between two steps in which rows are kept. */
const FRAMES_PER_STEP = 50;

/** Pictures of a stretch of video, at any moment of it. */
export interface SegmentReader {
  /** @param offsetMs from its beginning @returns null where there is no picture */
  pictureAt(offsetMs: number): Promise<(ImageBitmap & SizePx) | null>;
  close(): void;
}

/** What a rerun needs of the world. */
export interface RerunEnvironment {
  readonly stream: ConnectionEnvironment;
  readonly detector: Pick<FaceDetector, "analyse" | "cut">;
  openSegment(video: Blob): Promise<SegmentReader>;
  newId(): string;
}

export interface RerunOptions {
  readonly name: string;
  /** In [0, 1). */
  readonly smoothing: number;
  readonly signal: AbortSignal;
  /** @param done frames so far @param total all that have video */
  readonly onProgress: (done: number, total: number) => void;
}

interface RecordedFrame {
  readonly atMs: number;
  readonly faces: readonly { readonly faceId: number; readonly boxXywh: BoxXywh }[];
}

/**
 * Sends a session's kept video through the stream once more: the same moments, the same faces, each frame answered.
 * What comes back is a session of its own, over the same time.
 *
 * @returns the new session's id
 * @throws Error where the server cannot be reached or ends the stream
 */
export async function runAgain(
  database: SessionDatabase,
  replay: Replay,
  environment: RerunEnvironment,
  { name, smoothing, signal, onProgress }: RerunOptions,
): Promise<string> {
  const stream = await openStream(environment.stream, smoothing, signal);
  const id = environment.newId();
  const { session } = replay;
  const settings: RowSettings = {
    model: stream.session.model.name,
    labels: stream.session.model.labels,
    smoothing,
    intervalMs: session.settings?.intervalMs ?? 0,
    source: session.settings?.source ?? null,
  };
  const record: SessionRecord = {
    ...session,
    id,
    name,
    rows: 0,
    bytes: 0,
    settings,
    labels: settings.labels,
    isEnded: false,
    hasVideo: false,
    rerunOf: session.id,
  };
  let segment: VideoSegment | null = null;
  let reader: SegmentReader | null = null;
  try {
    await database.putSession(record);
    const writer = new ChunkWriter(database, id, 0);
    const total = await countFrames(database, replay);
    let done = 0;
    for await (const frame of framesOf(database, session.id)) {
      signal.throwIfAborted();
      const wanted = replay.segmentAt(frame.atMs);
      if (wanted === null) continue;
      if (wanted !== segment) {
        reader?.close();
        reader = await environment.openSegment(await database.video(wanted));
        segment = wanted;
      }
      const picture = await reader?.pictureAt(frame.atMs - wanted.startMs);
      if (picture !== null && picture !== undefined) {
        const size = { width: picture.width, height: picture.height };
        const limit = facesPerFrame(stream.session);
        const { detections } = await environment.detector.analyse(picture);
        const found = matched(frame, detections).slice(0, limit);
        if (found.length > 0) {
          const crops = await environment.detector.cut(found.map(({ detection }) => detection));
          const faces = found.flatMap(({ faceId, detection }, at): FaceCrop[] => {
            const image = crops[at];
            return image === undefined ? [] : [{ ...detection, faceId, image }];
          });
          const result = await stream.ask(frame.atMs, faces, size);
          for (const face of result.faces) writer.add(settings, frame.atMs, face.face_id, face);
        }
      }
      onProgress(++done, total);
      if (done % FRAMES_PER_STEP === 0) {
        writer.cut();
        await writer.drain(session.updatedAtMs);
      }
    }
    writer.cut();
    await writer.drain(session.updatedAtMs);
    await database.changeSession(id, (kept) => ({
      ...kept,
      isEnded: true,
      updatedAtMs: session.updatedAtMs,
    }));
    return id;
  } catch (error) {
    await database.deleteSession(id);
    throw error;
  } finally {
    reader?.close();
    stream.close();
  }
}

/** The detected faces that were recorded at this moment, with their recorded ids. */
function matched(
  frame: RecordedFrame,
  detections: readonly Detection[],
): readonly { readonly faceId: number; readonly detection: Detection }[] {
  const left = new Set(detections);
  return frame.faces.flatMap(({ faceId, boxXywh }) => {
    const overlaps = [...left].map((detection) => ({ detection, iou: boxIou(boxXywh, detection.boxXywh) }));
    const best = overlaps.sort((a, b) => b.iou - a.iou)[0];
    if (best === undefined || best.iou < MIN_IOU) return [];
    left.delete(best.detection);
    return [{ faceId, detection: best.detection }];
  });
}

async function* framesOf(
  database: SessionDatabase,
  id: string,
): AsyncGenerator<RecordedFrame, void, undefined> {
  let atMs = Number.NaN;
  let faces: { faceId: number; boxXywh: BoxXywh }[] = [];
  for await (const { columns } of database.chunks(id)) {
    for (let index = 0; index < columns.rows; index++) {
      const rowMs = columns.capturedAtMs[index] ?? 0;
      if (rowMs !== atMs) {
        if (faces.length > 0) yield { atMs, faces };
        atMs = rowMs;
        faces = [];
      }
      const [x = 0, y = 0, width = 0, height = 0] = columns.boxesXywh.subarray(4 * index, 4 * index + 4);
      faces.push({ faceId: columns.faceIds[index] ?? 0, boxXywh: [x, y, width, height] });
    }
  }
  if (faces.length > 0) yield { atMs, faces };
}

async function countFrames(database: SessionDatabase, replay: Replay): Promise<number> {
  let count = 0;
  for await (const { atMs } of framesOf(database, replay.session.id)) {
    if (replay.segmentAt(atMs) !== null) count++;
  }
  return count;
}

interface OpenStream {
  readonly session: SessionCreated;
  ask(capturedAtMs: number, faces: readonly FaceCrop[], size: SizePx): Promise<ResultMessage>;
  close(): void;
}

/** A frame without an answer ends the run, in ms. */
const ANSWER_TIMEOUT_MS = 20_000;

/** A connection that answers every frame, one at a time. */
async function openStream(
  environment: ConnectionEnvironment,
  smoothing: number,
  signal: AbortSignal,
): Promise<OpenStream> {
  let settle: { resolve: (result: ResultMessage) => void; reject: (error: Error) => void } | null = null;
  let opened: { resolve: (session: SessionCreated) => void; reject: (error: Error) => void } | null = null;
  const fail = (reason: string): void => {
    settle?.reject(new Error(reason));
    opened?.reject(new Error(reason));
  };
  const connection = new StreamConnection(environment, {
    onState: (state) => {
      if (state.kind === "open") opened?.resolve(state.session);
      else if (state.kind === "closed") fail(state.reason);
      else if (state.kind === "waiting") fail(state.cause);
    },
    onResult: (result) => settle?.resolve(result),
    onConfig: () => {},
    onError: ({ message }) => fail(message),
  });
  const close = (): void => connection.disconnect();
  signal.addEventListener("abort", () => fail("abort"), { once: true });
  try {
    const session = await new Promise<SessionCreated>((resolve, reject) => {
      opened = { resolve, reject };
      connection.connect();
    });
    connection.updateConfig({ smoothing });
    return {
      session,
      close,
      ask: async (capturedAtMs, faces, size) =>
        await new Promise((resolve, reject) => {
          const cancel = environment.schedule(() => reject(new Error("no answer")), ANSWER_TIMEOUT_MS);
          settle = {
            resolve: (result) => {
              cancel();
              resolve(result);
            },
            reject: (error) => {
              cancel();
              reject(error);
            },
          };
          if (!connection.send({ capturedAtMs, faces, size })) reject(new Error("the stream is closed"));
        }),
    };
  } catch (error) {
    close();
    throw error;
  }
}
