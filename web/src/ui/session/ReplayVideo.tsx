import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Replay } from "../../engine/recording/replay";
import { useLive } from "../liveContext";

/** A picture that is further off is moved to, in s. */
const MAX_OFFSET_S = 0.15;

export interface ReplayVideoProps {
  readonly replay: Replay;
  readonly atMs: number;
  /** Called while it plays. */
  readonly onTime: (atMs: number) => void;
}

/** The kept video at a moment: stretch after stretch, each a file of its own. */
export function ReplayVideo({ replay, atMs, onTime }: ReplayVideoProps) {
  const { t } = useTranslation();
  const { database } = useLive().sessions;
  const video = useRef<HTMLVideoElement>(null);
  const segment = replay.segmentAt(atMs);
  const [source, setSource] = useState<{ readonly number: number; readonly url: string } | null>(null);
  const [isPlaying, setIsPlaying] = useState(false);
  const number = segment?.number ?? null;

  useEffect(() => {
    if (segment === null) return;
    let url: string | null = null;
    let isWanted = true;
    void database.video(segment).then((blob) => {
      if (!isWanted) return;
      url = URL.createObjectURL(blob);
      setSource({ number: segment.number, url });
    });
    return () => {
      isWanted = false;
      if (url !== null) URL.revokeObjectURL(url);
    };
    // Only another stretch is another file.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [database, number]);

  const wantedS = segment === null ? 0 : (atMs - segment.startMs) / 1000;
  useEffect(() => {
    const element = video.current;
    if (element === null || source?.number !== number) return;
    if (Math.abs(element.currentTime - wantedS) > MAX_OFFSET_S) element.currentTime = wantedS;
  }, [wantedS, source, number]);

  return (
    <div className="replay-video">
      <video
        ref={video}
        key={source?.url}
        src={source?.url}
        muted
        playsInline
        aria-label={t("replay.video")}
        data-testid="replay-video"
        onLoadedData={(event) => {
          event.currentTarget.currentTime = wantedS;
          if (isPlaying) void event.currentTarget.play();
        }}
        onTimeUpdate={(event) => {
          if (isPlaying && segment !== null) onTime(segment.startMs + 1000 * event.currentTarget.currentTime);
        }}
        onEnded={() => {
          if (segment === null) return;
          const next = replay.segments.find(
            (other) => other.startMs >= segment.endMs - 500 && other.number > segment.number,
          );
          if (next === undefined) setIsPlaying(false);
          else onTime(next.startMs);
        }}
      />
      {segment === null && <p className="quiet">{t("replay.no_video_here")}</p>}
      <button
        type="button"
        className="button button-small"
        disabled={segment === null}
        onClick={() => {
          if (isPlaying) video.current?.pause();
          else void video.current?.play();
          setIsPlaying(!isPlaying);
        }}
      >
        {isPlaying ? t("replay.pause") : t("replay.play")}
      </button>
    </div>
  );
}
