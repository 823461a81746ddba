import { lazy, Suspense, useState } from "react";
import { useTranslation } from "react-i18next";
import type { FacesView } from "../../engine/faces";
import { useLive } from "../liveContext";
import { useStore } from "../useStore";
import type { Case } from "./CorrectionDialog";
import "./correction.css";

const CorrectionDialog = lazy(async () => ({
  default: (await import("./CorrectionDialog")).CorrectionDialog,
}));

/** "This is wrong": keeps the selected face's crop with its right label, where the server takes corrections. */
export function Correction() {
  const { t } = useTranslation();
  const { stores, corrections } = useLive();
  const taken = useStore(stores.session, (session) => session?.corrections === true);
  const view = useStore(stores.faces, (faces) => faces);
  const [open, setOpen] = useState<Case | null>(null);
  const face = freshFace(view);
  if (!taken) return null;
  return (
    <div className="correction">
      <button
        type="button"
        className="button button-small"
        data-testid="correct"
        disabled={face === null}
        onClick={() => {
          const crop = face === null ? null : corrections.cropOf(face.faceId);
          if (face !== null && crop !== null) setOpen({ crop, seen: face.emotion });
        }}
      >
        {t("correction.open")}
      </button>
      <Suspense>{open !== null && <CorrectionDialog {...open} onClose={() => setOpen(null)} />}</Suspense>
    </div>
  );
}

function freshFace({ faces, selectedId }: FacesView): { faceId: number; emotion: string } | null {
  const face = faces.find((candidate) => candidate.faceId === selectedId);
  if (face === undefined || !face.fresh || face.answer === null) return null;
  return { faceId: face.faceId, emotion: face.answer.emotion };
}
