import { BACKENDS, isBackendName } from "../detection/backends";
import { DetectorKeeper } from "../detection/detectorKeeper";
import { detectorKinds } from "../detection/detectorKinds";
import { browserEnvironment } from "../stream/browserEnvironment";
import { readInterval } from "../stream/interval";
import { Live } from "./live";
import { browserStorage } from "./smoothing";

/** The dashboard's works, set up as the page's address asks: `?interval=`, `?token=`, `?backend=`. */
export function createLive(page: URL): Live {
  const backend = page.searchParams.get("backend");
  const base = new URL(import.meta.env.BASE_URL, page);
  const assets = {
    modelUrl: new URL("models/blazeface.json", base).href,
    wasmUrl: new URL("wasm/", base).href,
  };
  return new Live({
    interval: readInterval(page.searchParams),
    // Typed as always there, but browsers withhold it from insecure pages.
    media: navigator.mediaDevices,
    stream: browserEnvironment(page),
    detector: new DetectorKeeper(isBackendName(backend) ? [backend] : BACKENDS, detectorKinds(assets)),
    storage: browserStorage(),
  });
}
