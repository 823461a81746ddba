import type { SessionDatabase } from "../recording/database";
import { labSessionOf } from "./episodes";
import { bidsEvents, bidsSidecar, borisEvents, elanFile } from "./labFormats";
import { type ExportSource, type TableRow, tableRows } from "./rows";
import { jsonLine, longHeader, longLines, wideHeader, wideLine } from "./tables";

/** What a session can be taken away as. */
export const EXPORT_FORMATS = ["csv", "csv_long", "jsonl", "parquet", "bids", "elan", "boris"] as const;

export type ExportFormat = (typeof EXPORT_FORMATS)[number];

export interface ExportFile {
  readonly name: string;
  readonly blob: Blob;
}

/** Text is handed to the browser in pieces of about this size, which it keeps where it likes, not in the page's heap. */
const PIECE_CHARACTERS = 1_000_000;

/** @returns null where there is no such session */
export async function exportSourceOf(database: SessionDatabase, id: string): Promise<ExportSource | null> {
  const session = await database.session(id);
  if (session === undefined) return null;
  return { session, events: await database.events(id), chunks: () => database.chunks(id) };
}

/** The file of a session in a format. Hours of rows go through in pieces. */
export async function exportSession(source: ExportSource, format: ExportFormat): Promise<ExportFile> {
  const { session } = source;
  const stem = fileStem(session.name, session.startedAtMs);
  switch (format) {
    case "csv":
      return {
        name: `${stem}.csv`,
        blob: await textOf(source, "text/csv", wideHeader(session.labels), (row) => wideLine(row, session)),
      };
    case "csv_long":
      return {
        name: `${stem}.long.csv`,
        blob: await textOf(source, "text/csv", longHeader(), (row) => longLines(row, session)),
      };
    case "jsonl":
      return {
        name: `${stem}.jsonl`,
        blob: await textOf(source, "application/x-ndjson", "", (row) => jsonLine(row, session)),
      };
    case "parquet": {
      const { parquetFile } = await import("./parquet");
      return { name: `${stem}.parquet`, blob: await parquetFile(source) };
    }
    case "bids": {
      const { downloadZip } = await import("client-zip");
      const lab = await labSessionOf(source);
      const model = session.settings?.model ?? "";
      const files = [
        { name: `${stem}_events.tsv`, input: bidsEvents(lab), lastModified: new Date() },
        { name: `${stem}_events.json`, input: bidsSidecar(model, session.labels), lastModified: new Date() },
      ];
      return { name: `${stem}_bids.zip`, blob: await downloadZip(files).blob() };
    }
    case "elan":
      return {
        name: `${stem}.eaf`,
        blob: new Blob([elanFile(await labSessionOf(source), session.startedAtMs)], { type: "text/xml" }),
      };
    case "boris":
      return {
        name: `${stem}.boris.csv`,
        blob: new Blob([borisEvents(await labSessionOf(source))], { type: "text/csv" }),
      };
    default:
      return format satisfies never;
  }
}

async function textOf(
  source: ExportSource,
  type: string,
  header: string,
  textOfRow: (row: TableRow) => string,
): Promise<Blob> {
  const pieces: Blob[] = [];
  let text = header;
  for await (const rows of tableRows(source)) {
    for (const row of rows) text += textOfRow(row);
    if (text.length < PIECE_CHARACTERS) continue;
    pieces.push(new Blob([text]));
    text = "";
  }
  return new Blob([...pieces, text], { type });
}

/** A file's name from a session's, and from its time where that says nothing. */
export function fileStem(name: string, startedAtMs: number): string {
  const words = name
    .normalize("NFC")
    .replaceAll(/[^\p{L}\p{N}]+/gu, "-")
    .replaceAll(/^-+|-+$/g, "")
    .slice(0, 60);
  const time = new Date(startedAtMs).toISOString().slice(0, 19).replaceAll(":", "-");
  return words === "" ? `emostream-${time}` : `emostream-${words}`;
}
