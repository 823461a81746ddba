import { type CSSProperties, memo, useLayoutEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import type { Answer, FaceView } from "../engine/faces";
import { emotionWord, formatPercent } from "./format";
import { useLive } from "./liveContext";
import { colourOf, STALE_COLOUR } from "./palette";
import { useStore } from "./useStore";
import type { BoxesView } from "../engine/stores";

export function FaceOverlay() {
  const { stores } = useLive();
  const faces = useStore(stores.faces, (view) => view.faces);
  const selectedId = useStore(stores.faces, (view) => view.selectedId);
  return (
    <div className="overlay">
      {faces.map((face) => (
        <FaceBox key={face.faceId} face={face} selected={face.faceId === selectedId} />
      ))}
    </div>
  );
}

interface FaceBoxProps {
  readonly face: FaceView;
  readonly selected: boolean;
}

const FaceBox = memo(function FaceBox({
  face: { faceId, answer, fresh, seen, queued },
  selected,
}: FaceBoxProps) {
  const words = useTranslation();
  const { t } = words;
  const live = useLive();
  const button = useRef<HTMLButtonElement>(null);

  // Boxes move with every detection, many times a second, so they are moved past React.
  useLayoutEffect(() => {
    const place = () => {
      if (button.current !== null) placeBox(button.current, faceId, live.stores.boxes.get());
    };
    place();
    return live.stores.boxes.subscribe(place);
  }, [live, faceId]);

  const shown = fresh ? answer : null;
  const colour = shown === null ? STALE_COLOUR : colourOf(shown.emotion);
  const emotion = shown === null ? null : emotionWord(shown.emotion, words);
  const percent = shown === null ? null : formatPercent(shown.confidence, words.i18n.language);
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
      aria-pressed={selected}
      aria-label={
        shown === null ? t("faces.face", { faceId }) : t("faces.face_emotion", { faceId, emotion, percent })
      }
      style={{ "--emotion": colour } as CSSProperties}
      onClick={() => live.chooseFace(faceId)}
    >
      <span className="face-tag">
        {shown === null ? (
          <span>{t(waitingWord(answer, queued))}</span>
        ) : (
          <>
            <span className="label">{emotion}</span>
            <span className="num">{percent}</span>
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

/** Share of the picture's height that a tag takes up, in a small picture. */
const TAG_ROOM = 0.12;

/** Places a box in percent of the picture, so that the page may change its size; mirrored, as the picture is. */
function placeBox(element: HTMLElement, faceId: number, { frame, boxes }: BoxesView): void {
  const box = boxes.find((candidate) => candidate.faceId === faceId);
  if (box === undefined) return;
  const [x, y, width, height] = box.boxXywh;
  const mirroredX = frame.width - x - width;
  // The tag goes where it stays inside the picture.
  element.dataset.tag = `${y < TAG_ROOM * frame.height ? "below" : "above"}-${mirroredX > frame.width / 2 ? "end" : "start"}`;
  element.style.width = `${(100 * width) / frame.width}cqw`;
  element.style.height = `${(100 * height) / frame.height}cqh`;
  element.style.transform = `translate(${(100 * mirroredX) / frame.width}cqw, ${(100 * y) / frame.height}cqh)`;
}
