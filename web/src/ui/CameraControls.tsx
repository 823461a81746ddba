import { useTranslation } from "react-i18next";
import { useLive } from "./liveContext";
import { useStore } from "./useStore";

export function CameraControls() {
  const { t } = useTranslation();
  const live = useLive();
  const camera = useStore(live.stores.camera, (state) => state);
  const choices = useStore(live.stores.cameraChoices, (cameras) => cameras);
  const isOn = camera.kind === "live" || camera.kind === "asking";
  return (
    <div className="camera-controls">
      {choices.length > 1 && (
        <select
          className="select"
          aria-label={t("camera.label")}
          value={camera.kind === "live" ? camera.deviceId : ""}
          onChange={(event) => live.chooseCamera(event.target.value)}
        >
          {camera.kind !== "live" && <option value="">{t("camera.choose")}</option>}
          {choices.map(({ deviceId, label }) => (
            <option key={deviceId} value={deviceId}>
              {label}
            </option>
          ))}
        </select>
      )}
      <button
        type="button"
        aria-label={t(isOn ? "camera.stop" : "camera.start")}
        className={isOn ? "button" : "button button-primary"}
        onClick={() => (isOn ? live.stopCamera() : live.startCamera())}
      >
        <span className="wide-only">{t(isOn ? "camera.stop" : "camera.start")}</span>
        <span className="narrow-only">{t(isOn ? "camera.stop_short" : "camera.start_short")}</span>
      </button>
    </div>
  );
}
