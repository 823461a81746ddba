import { useCallback } from "react";
import { useTranslation } from "react-i18next";
import { useLive } from "./liveContext";
import { useShortcut } from "./shortcuts/shortcuts";
import { useStore } from "./useStore";

/** Where the person has agreed to the camera: which one, and whether it is on. Before that there is but the question. */
export function CameraControls() {
  const { stores } = useLive();
  const consent = useStore(stores.consent, (given) => given);
  return consent ? <Controls /> : null;
}

function Controls() {
  const { t } = useTranslation();
  const live = useLive();
  const camera = useStore(live.stores.camera, (state) => state);
  const choices = useStore(live.stores.cameraChoices, (cameras) => cameras);
  const isOn = camera.kind === "live" || camera.kind === "asking";
  const toggle = useCallback(() => (isOn ? live.stopCamera() : live.startCamera()), [live, isOn]);
  useShortcut("c", t(isOn ? "camera.stop" : "camera.start"), toggle);
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
        onClick={toggle}
      >
        <span className="wide-only">{t(isOn ? "camera.stop" : "camera.start")}</span>
        <span className="narrow-only">{t(isOn ? "camera.stop_short" : "camera.start_short")}</span>
      </button>
    </div>
  );
}
