import { adviceFor } from "../camera/cameraState";
import { useLive } from "./liveContext";
import { useStore } from "./useStore";

/** In place of the picture: why there is none, and what to do. */
export function StageMessage() {
  const live = useLive();
  const camera = useStore(live.stores.camera, (state) => state);
  switch (camera.kind) {
    case "live":
      return null;
    case "off":
      return (
        <div className="stage-message" role="status">
          <h2>The camera is off</h2>
          <p>Nothing is recorded or sent. Pictures of faces leave this device only while the camera is on.</p>
          <button type="button" className="button button-primary" onClick={() => live.startCamera()}>
            Start camera
          </button>
        </div>
      );
    case "asking":
      return (
        <div className="stage-message" role="status">
          <h2>May this page use the camera?</h2>
          <p>Your browser asks near its address bar. Choose “Allow” to begin.</p>
        </div>
      );
    case "problem": {
      const { title, advice, retry } = adviceFor(camera.problem);
      return (
        <div className="stage-message" role="alert">
          <h2>{title}</h2>
          <p>{advice}</p>
          {camera.problem === "failed" && camera.detail !== "" && <p className="quiet">{camera.detail}</p>}
          {retry !== null && (
            <button type="button" className="button button-primary" onClick={() => live.startCamera()}>
              {retry}
            </button>
          )}
        </div>
      );
    }
    default:
      return camera satisfies never;
  }
}
