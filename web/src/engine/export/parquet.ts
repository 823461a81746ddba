import type { BasicType } from "hyparquet-writer";
import { QUALITY_FIELDS } from "../recording/rows";
import { type ExportSource, type TableRow, tableRows } from "./rows";

interface Column {
  readonly name: string;
  readonly type: BasicType;
  readonly of: (row: TableRow) => unknown;
}

/** Rows that are encoded together: enough to compress, few enough to hold. */
const ROW_GROUP = 32_768;

/** Parquet, with the columns and types of the command line. Its compressed pages are in memory until it is whole. */
export async function parquetFile(source: ExportSource): Promise<Blob> {
  // Few people want it, so the library comes only now.
  const { ByteWriter, ParquetWriter, schemaFromColumnData } = await import("hyparquet-writer");
  const columns = columnsOf(source);
  const dataOf = (rows: readonly TableRow[]) =>
    columns.map(({ name, type, of }) => ({ name, type, nullable: true, data: rows.map(of) }));
  const writer = new ByteWriter();
  const file = new ParquetWriter({ writer, schema: schemaFromColumnData({ columnData: dataOf([]) }) });
  const write = async (rows: readonly TableRow[]): Promise<void> =>
    await file.write({
      columnData: dataOf(rows).map(({ name, data }) => ({ name, data })),
      rowGroupSize: ROW_GROUP,
    });
  let waiting: TableRow[] = [];
  for await (const rows of tableRows(source)) {
    waiting = [...waiting, ...rows];
    if (waiting.length >= ROW_GROUP) {
      await write(waiting);
      waiting = [];
    }
  }
  if (waiting.length > 0) await write(waiting);
  await file.finish();
  return new Blob([writer.getBuffer()], { type: "application/vnd.apache.parquet" });
}

function columnsOf({ session }: ExportSource): readonly Column[] {
  return [
    { name: "frame", type: "INT64", of: ({ frame }) => BigInt(frame) },
    { name: "time_s", type: "DOUBLE", of: ({ timeS }) => timeS },
    { name: "source", type: "STRING", of: ({ settings }) => settings.source },
    { name: "face_id", type: "INT64", of: ({ faceId }) => BigInt(faceId) },
    ...["box_x", "box_y", "box_width", "box_height"].map((name, side): Column => ({
      name,
      type: "INT32",
      of: ({ boxXywh }) => boxXywh?.[side] ?? null,
    })),
    { name: "score", type: "FLOAT", of: () => null },
    { name: "emotion", type: "STRING", of: ({ emotion }) => emotion },
    { name: "confidence", type: "FLOAT", of: ({ confidence }) => confidence },
    ...session.labels.map((label): Column => ({
      name: `p_${label}`,
      type: "FLOAT",
      of: ({ probabilities, settings }) => probabilities[settings.labels.indexOf(label)] ?? null,
    })),
    ...QUALITY_FIELDS.map((name, at): Column => ({
      name,
      type: "FLOAT",
      of: ({ quality }) => quality[at] ?? null,
    })),
    { name: "uncertain", type: "BOOLEAN", of: ({ uncertain }) => uncertain },
    { name: "reasons", type: "STRING", of: ({ reasons }) => reasons.join(" ") },
    { name: "captured_at", type: "DOUBLE", of: ({ capturedAtMs }) => capturedAtMs },
    { name: "person", type: "STRING", of: ({ person }) => person },
    { name: "marker", type: "STRING", of: ({ marker }) => marker },
    { name: "session", type: "STRING", of: () => session.name },
    { name: "model", type: "STRING", of: ({ settings }) => settings.model },
    { name: "smoothing", type: "DOUBLE", of: ({ settings }) => settings.smoothing },
    { name: "interval_ms", type: "INT32", of: ({ settings }) => settings.intervalMs },
  ];
}
