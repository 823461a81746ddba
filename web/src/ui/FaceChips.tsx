import type { CSSProperties } from "react";
import { useTranslation } from "react-i18next";
import { emotionWord } from "./format";
import { useLive } from "./liveContext";
import { colourOf, STALE_COLOUR } from "./palette";
import { useStore } from "./useStore";

/** A button per face, where there is more than one to choose from. */
export function FaceChips() {
  const words = useTranslation();
  const { t } = words;
  const live = useLive();
  const { faces, selectedId, chosenId, seenCount, perFrame } = useStore(live.stores.faces, (view) => view);
  if (faces.length < 2) return null;
  return (
    <fieldset className="chips">
      <legend className="visually-hidden">{t("faces.choose")}</legend>
      {faces.map(({ faceId, answer, fresh, queued }) => {
        const emotion = fresh && answer !== null ? answer.emotion : null;
        const labels = Object.keys(answer?.predictions ?? {});
        const colour = emotion === null ? STALE_COLOUR : colourOf(emotion, labels);
        return (
          <button
            key={faceId}
            type="button"
            className="chip"
            aria-pressed={faceId === selectedId}
            title={queued ? t("tracking.queued") : undefined}
            style={{ "--emotion": colour } as CSSProperties}
            onClick={() => live.chooseFace(faceId)}
          >
            {t("faces.face", { faceId })}
            <span className="chip-emotion label">
              {emotion === null ? "–" : emotionWord(emotion, words)}
              {fresh && answer?.uncertain === true && "?"}
            </span>
          </button>
        );
      })}
      {chosenId !== null && (
        <button type="button" className="chip chip-plain" onClick={() => live.chooseFace(null)}>
          {t("faces.follow_largest")}
        </button>
      )}
      {seenCount > perFrame && (
        <p className="chips-note quiet" data-testid="turns-note">
          {t("tracking.turns", { count: seenCount, perFrame })}
        </p>
      )}
    </fieldset>
  );
}
