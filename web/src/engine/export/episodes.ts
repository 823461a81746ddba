import { eventTime, type Gap, type Marker, markerLabel, personOf } from "../recording/session";
import { type ExportSource, tableRows } from "./rows";
import { rounded } from "./text";

/** A face that is away for longer ends an episode, in s; the command line has the same rule. */
const MAX_PAUSE_S = 1;

/** A stretch of time through which one emotion was a person's likeliest. Times are in s since the session began. */
export interface Episode {
  readonly person: string;
  readonly startS: number;
  readonly endS: number;
  readonly emotion: string;
  /** The emotion's mean probability, in [0, 1]. */
  readonly confidence: number;
}

interface Open {
  readonly person: string;
  readonly emotion: string;
  readonly startS: number;
  endS: number;
  sum: number;
  rows: number;
}

/** Joins rows into episodes. Its memory grows with the changes of emotion, not with the rows. */
export class EpisodeBuilder {
  readonly #open = new Map<string, Open>();
  readonly #closed: Episode[] = [];

  /** @param timeS never smaller than in the person's call before */
  add(person: string, timeS: number, emotion: string, confidence: number, intervalMs = 0): void {
    const open = this.#open.get(person);
    const isNear =
      open !== undefined && timeS - open.endS <= Math.max(MAX_PAUSE_S, (2.5 * intervalMs) / 1000);
    if (open !== undefined && isNear && open.emotion === emotion) {
      open.endS = timeS;
      open.sum += confidence;
      open.rows++;
      return;
    }
    if (open !== undefined) {
      // Without a pause one emotion lasts until the next begins.
      if (isNear) open.endS = timeS;
      this.#closed.push(closed(open));
    }
    this.#open.set(person, { person, emotion, startS: timeS, endS: timeS, sum: confidence, rows: 1 });
  }

  /** All episodes, by their start. */
  finish(): readonly Episode[] {
    for (const open of this.#open.values()) this.#closed.push(closed(open));
    this.#open.clear();
    return this.#closed.sort(
      (a, b) => a.startS - b.startS || (a.person < b.person ? -1 : Number(a.person > b.person)),
    );
  }
}

function closed({ person, emotion, startS, endS, sum, rows }: Open): Episode {
  return {
    person,
    emotion,
    startS: rounded(startS, 3),
    endS: rounded(endS, 3),
    confidence: rounded(sum / rows, 4),
  };
}

/** What was marked, or a time without rows. `endS` is `startS` for a marker. */
export interface Happening {
  readonly kind: "marker" | "gap";
  readonly startS: number;
  readonly endS: number;
  readonly label: string;
}

/** A session as laboratories' programs read it. */
export interface LabSession {
  readonly episodes: readonly Episode[];
  readonly happenings: readonly Happening[];
}

export async function labSessionOf(source: ExportSource): Promise<LabSession> {
  const builder = new EpisodeBuilder();
  const { people, startedAtMs, updatedAtMs } = source.session;
  for await (const rows of tableRows(source)) {
    for (const { faceId, timeS, emotion, confidence, settings } of rows) {
      builder.add(personOf(people, faceId), timeS, emotion, confidence, settings.intervalMs);
    }
  }
  const sinceStartS = (atMs: number): number => rounded(Math.max(0, atMs - startedAtMs) / 1000, 3);
  const happenings = source.events.map((event): Happening => {
    const startS = sinceStartS(eventTime(event));
    return event.kind === "marker"
      ? { kind: "marker", startS, endS: startS, label: markerLabel(event satisfies Marker) }
      : {
          kind: "gap",
          startS,
          endS: sinceStartS((event satisfies Gap).toMs ?? updatedAtMs),
          label: event.reason,
        };
  });
  return { episodes: builder.finish(), happenings };
}
