import { type CSSProperties, useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { Replay } from "../../engine/recording/replay";
import type { Row } from "../../engine/recording/rows";
import { markerLabel, personOf, withName } from "../../engine/recording/session";
import { clock, type TimeSpan } from "../../engine/timeline/span";
import { TimelineView } from "../timeline/TimelineView";
import { emotionWord, formatPercent } from "../format";
import { useLive } from "../liveContext";
import { colourOf } from "../palette";
import { Compare, type Compared } from "./Compare";
import { ReplayVideo } from "./ReplayVideo";
import { SaveAs } from "./SaveAs";

/** A recorded session: any moment of it, with its video where that was kept. */
export function ReplayView({ id }: { readonly id: string }) {
  const { t } = useTranslation();
  const { sessions } = useLive();
  const [replay, setReplay] = useState<Replay | "loading" | "missing">("loading");

  useEffect(() => {
    let isWanted = true;
    void Replay.open(sessions.database, id)
      .catch(() => null)
      .then((opened) => {
        if (isWanted) setReplay(opened ?? "missing");
      });
    return () => {
      isWanted = false;
    };
  }, [sessions, id]);

  if (typeof replay === "string") return <p className="quiet">{t(`replay.${replay}`)}</p>;
  return (
    <OpenReplay
      replay={replay}
      onChanged={() => void Replay.open(sessions.database, id).then((opened) => opened && setReplay(opened))}
    />
  );
}

interface OpenReplayProps {
  readonly replay: Replay;
  readonly onChanged: () => void;
}

function OpenReplay({ replay, onChanged }: OpenReplayProps) {
  const { t } = useTranslation();
  const { sessions } = useLive();
  const { session, events, within } = replay;
  const [span, setSpan] = useState<TimeSpan>(within);
  const [atMs, setAtMs] = useState(within.fromMs);
  const [compared, setCompared] = useState<Compared | null>(null);
  const [, setDetail] = useState(0);
  const rows = useRowsAt(replay, atMs);
  const markers = events.filter((event) => event.kind === "marker");

  const seek = (wantedMs: number): void => {
    setAtMs(wantedMs);
    if (wantedMs < span.fromMs || wantedMs > span.toMs) {
      const half = (span.toMs - span.fromMs) / 2;
      setSpan({ fromMs: wantedMs - half, toMs: wantedMs + half });
    }
  };

  return (
    <div className="replay" data-testid="replay">
      <div className="replay-head">
        <h2>{session.name}</h2>
        <SaveAs record={session} />
      </div>
      <div className="replay-stage" data-video={session.hasVideo}>
        {session.hasVideo && <ReplayVideo replay={replay} atMs={atMs} onTime={setAtMs} />}
        <Moment rows={rows} people={session.people} />
      </div>
      <label className="replay-position">
        <span className="num" data-testid="replay-time">
          {clock((atMs - session.startedAtMs) / 1000)}
        </span>
        <input
          type="range"
          aria-label={t("replay.position")}
          aria-valuetext={clock((atMs - session.startedAtMs) / 1000)}
          min={within.fromMs}
          max={within.toMs}
          step={100}
          value={atMs}
          onChange={(event) => seek(event.target.valueAsNumber)}
        />
        <span className="num quiet">{clock((within.toMs - session.startedAtMs) / 1000)}</span>
      </label>
      <TimelineView
        timeline={replay.timelineFor(span, () => setDetail((count) => count + 1))}
        events={events}
        span={span}
        within={within}
        originMs={session.startedAtMs}
        intervalMs={session.settings?.intervalMs ?? 0}
        onSpan={setSpan}
        cursorMs={atMs}
        onSeek={seek}
        compared={compared?.replay.timeline}
        onRename={(lane, name) => {
          const people = lane.faceIds.reduce((all, faceId) => withName(all, faceId, name), session.people);
          void sessions.change(session.id, (kept) => ({ ...kept, people })).then(onChanged);
        }}
      />
      {markers.length > 0 && (
        <section className="replay-markers">
          <h3>{t("replay.markers")}</h3>
          <ul>
            {markers.map((marker) => (
              <li key={marker.id}>
                <button type="button" className="button button-small" onClick={() => seek(marker.atMs)}>
                  <span className="num quiet">{clock((marker.atMs - session.startedAtMs) / 1000)}</span>{" "}
                  {markerLabel(marker)}
                </button>
              </li>
            ))}
          </ul>
        </section>
      )}
      <Compare replay={replay} compared={compared} onCompared={setCompared} onSeek={seek} />
    </div>
  );
}

interface MomentProps {
  readonly rows: readonly Row[];
  readonly people: Readonly<Record<number, string>>;
}

/** Who was seen at this moment, and how. */
function Moment({ rows, people }: MomentProps) {
  const words = useTranslation();
  const { t, i18n } = words;
  if (rows.length === 0) return <p className="replay-moment quiet">{t("replay.nobody")}</p>;
  return (
    <ul className="replay-moment" data-testid="moment">
      {rows.map(({ faceId, emotion, confidence }) => (
        <li key={faceId}>
          <span className="quiet">{personOf(people, faceId)}</span>
          <strong className="label" style={{ "--emotion": colourOf(emotion) } as CSSProperties}>
            {emotionWord(emotion, words)}
          </strong>
          <span className="num">{formatPercent(confidence, i18n.language)}</span>
        </li>
      ))}
    </ul>
  );
}

function useRowsAt(replay: Replay, atMs: number): readonly Row[] {
  const [rows, setRows] = useState<readonly Row[]>([]);
  useEffect(() => {
    let isWanted = true;
    void replay.rowsAt(atMs).then((found) => {
      if (isWanted) setRows(found);
    });
    return () => {
      isWanted = false;
    };
  }, [replay, atMs]);
  return rows;
}
