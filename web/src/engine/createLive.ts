import { BACKENDS } from "../detection/backends";
import { DetectorKeeper } from "../detection/detectorKeeper";
import { detectorKinds } from "../detection/detectorKinds";
import { browserEnvironment } from "../stream/browserEnvironment";
import { socketUrl } from "../stream/socketUrl";
import { Live } from "./live";
import type { Settings } from "./settings/settings";

/** The dashboard's works, set up as the settings ask. */
export function createLive(page: URL, settings: Settings): Live {
  const base = new URL(import.meta.env.BASE_URL, page);
  const assets = {
    modelUrl: new URL("models/blazeface.json", base).href,
    wasmUrl: new URL("wasm/", base).href,
  };
  const { backend } = settings.values.get();
  const server = () => settings.values.get().server ?? page;
  return new Live({
    settings,
    // Typed as always there, but browsers withhold it from insecure pages.
    media: navigator.mediaDevices,
    stream: browserEnvironment(() => socketUrl(server(), settings.token.get())),
    detector: new DetectorKeeper(backend === "auto" ? BACKENDS : [backend], detectorKinds(assets)),
    server,
  });
}
