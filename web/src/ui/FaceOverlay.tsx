import { type CSSProperties, memo, useEffect, useLayoutEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Answer, FaceView } from "../engine/faces";
import { doubtWords } from "./doubtWords";
import { emotionWord, formatPercent } from "./format";
import { useLive } from "./liveContext";
import { OverlayLayout } from "./overlayLayout";
import { colourOf, STALE_COLOUR } from "./palette";
import { useStore } from "./useStore";
import { isMirrored } from "../sources/sourceState";

export function FaceOverlay() {
  const { stores, settings } = useLive();
  const faces = useStore(stores.faces, (view) => view.faces);
  const selectedId = useStore(stores.faces, (view) => view.selectedId);
  const overlay = useRef<HTMLDivElement>(null);
  const [layout] = useState(() => new OverlayLayout());

  // Boxes move with every detection, many times a second, so they are moved past React.
  useLayoutEffect(() => {
    const detach = overlay.current === null ? undefined : layout.attach(overlay.current);
    const show = () => {
      const mirrored = settings.values.get().mirror && isMirrored(stores.source.get());
      layout.show(stores.boxes.get(), mirrored);
    };
    show();
    const stops = [
      stores.boxes.subscribe(show),
      stores.source.subscribe(show),
      settings.values.subscribe(show),
    ];
    return () => {
      for (const stop of stops) stop();
      detach?.();
    };
  }, [layout, stores, settings]);

  useEffect(() => () => layout.dispose(), [layout]);

  return (
    <div ref={overlay} className="overlay">
      {faces.map((face) => (
        <FaceBox key={face.faceId} face={face} selected={face.faceId === selectedId} layout={layout} />
      ))}
    </div>
  );
}

interface FaceBoxProps {
  readonly face: FaceView;
  readonly selected: boolean;
  readonly layout: OverlayLayout;
}

const FaceBox = memo(function FaceBox({
  face: { faceId, answer, fresh, seen, queued },
  selected,
  layout,
}: FaceBoxProps) {
  const words = useTranslation();
  const { t } = words;
  const live = useLive();
  const button = useRef<HTMLButtonElement>(null);
  const tag = useRef<HTMLSpanElement>(null);

  useLayoutEffect(
    () =>
      button.current === null || tag.current === null
        ? undefined
        : layout.add(faceId, button.current, tag.current),
    [layout, faceId],
  );

  const shown = fresh ? answer : null;
  const colour = shown === null ? STALE_COLOUR : colourOf(shown.emotion, Object.keys(shown.predictions));
  const emotion = shown === null ? null : emotionWord(shown.emotion, words);
  const percent = shown === null ? null : formatPercent(shown.confidence, words.i18n.language);
  const doubt = shown === null ? null : doubtWords(shown, words);
  return (
    <button
      ref={button}
      type="button"
      className="face"
      data-testid="face-box"
      data-face-id={faceId}
      data-emotion={shown?.emotion}
      data-stale={shown === null}
      data-seen={seen}
      data-uncertain={doubt !== null}
      aria-pressed={selected}
      style={{ "--emotion": colour } as CSSProperties}
      onClick={() => live.chooseFace(faceId)}
    >
      {/* The button's name is what it shows, with whose it is before it. */}
      <span className="visually-hidden">{t("faces.face", { faceId })}: </span>
      <span ref={tag} className="face-tag">
        {shown === null ? (
          <span>{t(waitingWord(answer, queued))}</span>
        ) : doubt !== null ? (
          <>
            <span>{doubt.unsure}</span> <span className="face-guess">{doubt.guess}</span>
          </>
        ) : (
          <>
            <span className="label">{emotion}</span> <span className="num">{percent}</span>
          </>
        )}
      </span>
    </button>
  );
});

/** Why a face shows no emotion. */
function waitingWord(answer: Answer | null, queued: boolean) {
  if (queued) return "tracking.queued";
  return answer === null ? "faces.waiting" : "faces.stale";
}
