import type { CSSProperties } from "react";
import { useLive } from "./liveContext";
import { colourOf, STALE_COLOUR } from "./palette";
import { useStore } from "./useStore";

/** A button per face, where there is more than one to choose from. */
export function FaceChips() {
  const live = useLive();
  const { faces, selectedId, chosenId } = useStore(live.stores.faces, (view) => view);
  if (faces.length < 2) return null;
  return (
    <fieldset className="chips">
      <legend className="visually-hidden">Whose emotions to show</legend>
      {faces.map(({ faceId, answer, fresh }) => {
        const emotion = fresh && answer !== null ? answer.emotion : null;
        const colour = emotion === null ? STALE_COLOUR : colourOf(emotion);
        return (
          <button
            key={faceId}
            type="button"
            className="chip"
            aria-pressed={faceId === selectedId}
            style={{ "--emotion": colour } as CSSProperties}
            onClick={() => live.chooseFace(faceId)}
          >
            Face {faceId}
            <span className="chip-emotion label">{emotion ?? "–"}</span>
          </button>
        );
      })}
      {chosenId !== null && (
        <button type="button" className="chip chip-plain" onClick={() => live.chooseFace(null)}>
          Follow the largest
        </button>
      )}
    </fieldset>
  );
}
