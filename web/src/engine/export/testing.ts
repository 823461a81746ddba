import { chunkOf } from "../recording/database";
import { type RecordedFace, RowBuffer } from "../recording/rows";
import type { RowSettings, SessionEvent, SessionRecord } from "../recording/session";
import type { ExportSource } from "./rows";

/** For tests: a face of an answer at a time. */
export interface TimedFace extends RecordedFace {
  readonly capturedAtMs: number;
}

/** For tests: a recorded session in memory, in chunks of a few rows each. */
export function sourceOf(
  settings: RowSettings,
  faces: readonly TimedFace[],
  changes: Partial<SessionRecord> = {},
  events: readonly SessionEvent[] = [],
  rowsPerChunk = 3,
): ExportSource {
  const session: SessionRecord = {
    id: "id",
    name: "",
    startedAtMs: 0,
    updatedAtMs: 0,
    isEnded: true,
    rows: faces.length,
    bytes: 0,
    people: {},
    lastFaceId: 0,
    settings,
    labels: settings.labels,
    hasVideo: false,
    rerunOf: null,
    ...changes,
  };
  return {
    session,
    events,
    chunks: async function* () {
      for (let first = 0; first < faces.length; first += rowsPerChunk) {
        const buffer = new RowBuffer(settings.labels, rowsPerChunk);
        for (const face of faces.slice(first, first + rowsPerChunk)) {
          buffer.add(face.capturedAtMs, face.face_id, face);
        }
        yield chunkOf("id", first, settings, buffer.slice());
      }
    },
  };
}
