import { useLive } from "./liveContext";
import { useStore } from "./useStore";

/** A line on the picture while there is nothing to frame in it. */
export function StageHint() {
  const { stores } = useLive();
  const isLive = useStore(stores.camera, (camera) => camera.kind === "live");
  const detector = useStore(stores.detector, (status) => status);
  const hasFaces = useStore(stores.faces, (view) => view.faces.length > 0);
  if (!isLive || hasFaces) return null;
  switch (detector.kind) {
    case "off":
    case "starting":
      return <p className="stage-hint">Getting the face detector ready…</p>;
    case "failed":
      return (
        <p className="stage-hint" role="alert">
          The face detector does not start in this browser. “Details”, below, says why.
        </p>
      );
    case "ready":
      return <p className="stage-hint">No face in view. Come a little closer, with light on your face.</p>;
    default:
      return detector satisfies never;
  }
}
