import { type CSSProperties, useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { useLive } from "./liveContext";
import { useStore } from "./useStore";
import { FaceOverlay } from "./FaceOverlay";
import { StageHint } from "./StageHint";
import { StageMessage } from "./StageMessage";
import { StreamTrouble } from "./StreamTrouble";

const DEFAULT_RATIO = 4 / 3;

/** The mirrored picture with all that lies on it. Only CSS mirrors: boxes and crops are of the frame as it is. */
export function Stage() {
  const { t } = useTranslation();
  const live = useLive();
  const mirror = useStore(live.settings.values, (values) => values.mirror);
  const stream = useStore(live.stores.camera, (camera) => (camera.kind === "live" ? camera.stream : null));
  const video = useRef<HTMLVideoElement>(null);
  const [ratio, setRatio] = useState(DEFAULT_RATIO);

  useEffect(() => (video.current === null ? undefined : live.attachVideo(video.current)), [live]);

  useEffect(() => {
    if (video.current !== null) video.current.srcObject = stream;
  }, [stream]);

  return (
    <section className="stage" aria-label={t("camera.picture")}>
      <div className="stage-room">
        <div className="stage-frame" data-mirror={mirror} style={{ "--ratio": ratio } as CSSProperties}>
          <video
            ref={video}
            className="stage-video"
            data-live={stream !== null}
            autoPlay
            muted
            playsInline
            onResize={({ currentTarget: { videoWidth, videoHeight } }) => {
              if (videoWidth > 0 && videoHeight > 0) setRatio(videoWidth / videoHeight);
            }}
          />
          <FaceOverlay />
          <StageMessage />
          <StageHint />
        </div>
      </div>
      <StreamTrouble />
    </section>
  );
}
