import { useLive } from "./liveContext";
import { useStore } from "./useStore";

export function CameraControls() {
  const live = useLive();
  const camera = useStore(live.stores.camera, (state) => state);
  const choices = useStore(live.stores.cameraChoices, (cameras) => cameras);
  const isOn = camera.kind === "live" || camera.kind === "asking";
  return (
    <div className="camera-controls">
      {choices.length > 1 && (
        <select
          className="select"
          aria-label="Camera"
          value={camera.kind === "live" ? camera.deviceId : ""}
          onChange={(event) => live.chooseCamera(event.target.value)}
        >
          {camera.kind !== "live" && <option value="">Choose a camera</option>}
          {choices.map(({ deviceId, label }) => (
            <option key={deviceId} value={deviceId}>
              {label}
            </option>
          ))}
        </select>
      )}
      <button
        type="button"
        aria-label={isOn ? "Stop camera" : "Start camera"}
        className={isOn ? "button" : "button button-primary"}
        onClick={() => (isOn ? live.stopCamera() : live.startCamera())}
      >
        {isOn ? "Stop" : "Start"}
        <span className="wide-only"> camera</span>
      </button>
    </div>
  );
}
