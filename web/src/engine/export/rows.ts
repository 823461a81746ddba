import { type Row, rowAt } from "../recording/rows";
import {
  type Chunk,
  type Marker,
  markerLabel,
  type RowSettings,
  type SessionEvent,
  type SessionRecord,
} from "../recording/session";
import { rounded } from "./text";

/** A recorded session as an export reads it: a few chunks in memory at a time. */
export interface ExportSource {
  readonly session: SessionRecord;
  readonly events: readonly SessionEvent[];
  chunks(): AsyncIterable<Chunk>;
}

/** A row with all that tables say about it. */
export interface TableRow extends Row {
  /** Counts the frames in which a face was seen, from 0. */
  readonly frame: number;
  /** Since the session began, in s. */
  readonly timeS: number;
  /** The name that somebody gave to the face; null where nobody did. */
  readonly person: string | null;
  /** What was marked since the frame before; null where nothing was. */
  readonly marker: string | null;
  readonly settings: RowSettings;
}

/** Decimal places of a time in s in tables. */
const TIME_DECIMALS = 6;

/** Rows in order, a chunk's together. */
export async function* tableRows(source: ExportSource): AsyncGenerator<readonly TableRow[], void, undefined> {
  const { session, events } = source;
  const markers = events.filter((event): event is Marker => event.kind === "marker");
  let frame = -1;
  let frameMs = Number.NaN;
  let next = 0;
  let marker: string | null = null;
  for await (const { columns, settings } of source.chunks()) {
    const rows: TableRow[] = [];
    for (let index = 0; index < columns.rows; index++) {
      const row = rowAt(columns, settings.labels, index);
      if (row.capturedAtMs !== frameMs) {
        frameMs = row.capturedAtMs;
        frame++;
        const first = next;
        while ((markers[next]?.atMs ?? Infinity) <= frameMs) next++;
        marker = first === next ? null : markers.slice(first, next).map(markerLabel).join("; ");
      }
      const timeS = rounded((row.capturedAtMs - session.startedAtMs) / 1000, TIME_DECIMALS);
      rows.push({ ...row, frame, timeS, person: session.people[row.faceId] ?? null, marker, settings });
    }
    yield rows;
  }
}
