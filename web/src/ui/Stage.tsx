import { type CSSProperties, useState } from "react";
import { useTranslation } from "react-i18next";
import { FaceOverlay } from "./FaceOverlay";
import { useLive } from "./liveContext";
import { useStore } from "./useStore";
import { isMirrored } from "../sources/sourceState";
import { PictureTrouble } from "./sources/PictureTrouble";
import { SourcePicture } from "./sources/SourcePicture";
import { StageHint } from "./StageHint";
import { StageMessage } from "./StageMessage";
import { StreamTrouble } from "./StreamTrouble";

const DEFAULT_RATIO = 4 / 3;

/** The picture with all that lies on it. */
export function Stage() {
  const { t } = useTranslation();
  const live = useLive();
  const mirror = useStore(live.settings.values, (values) => values.mirror);
  const canMirror = useStore(live.stores.source, isMirrored);
  const [ratio, setRatio] = useState(DEFAULT_RATIO);

  return (
    <section className="stage" aria-label={t("camera.picture")}>
      <div className="stage-room">
        <div
          className="stage-frame"
          data-mirror={mirror && canMirror}
          style={{ "--ratio": ratio } as CSSProperties}
        >
          <SourcePicture onSize={({ width, height }) => setRatio(width / height)} />
          <FaceOverlay />
          <StageMessage />
          <PictureTrouble />
          <StageHint />
        </div>
      </div>
      <StreamTrouble />
    </section>
  );
}
