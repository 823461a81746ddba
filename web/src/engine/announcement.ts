import type { FacesView } from "./faces";

/** The picture in one sentence, for those who hear the page. */
export function announce({ faces, selectedId }: FacesView): string {
  const fresh = faces.filter((face) => face.fresh);
  if (faces.length === 0) return "No face in view.";
  if (fresh.length === 0) return `${countFaces(faces.length)} in view, no current emotion.`;
  const selected = fresh.find((face) => face.faceId === selectedId) ?? fresh[0];
  const emotion = selected?.answer?.emotion ?? "unknown";
  return faces.length === 1
    ? `One face: ${emotion}.`
    : `${countFaces(faces.length)}. Face ${selected?.faceId}: ${emotion}.`;
}

function countFaces(count: number): string {
  return count === 1 ? "One face" : `${count} faces`;
}
