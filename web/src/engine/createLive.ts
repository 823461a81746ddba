import { detectorAssets } from "../detection/assets";
import { BACKENDS } from "../detection/backends";
import { DetectorKeeper } from "../detection/detectorKeeper";
import { detectorKinds } from "../detection/detectorKinds";
import { browserEnvironment } from "../stream/browserEnvironment";
import { browserMemory } from "../sources/rememberedCamera";
import { socketUrl } from "../stream/socketUrl";
import { Live } from "./live";
import { browserSessionsEnvironment } from "./recording/browserSessions";
import { SessionDatabase } from "./recording/database";
import { Sessions } from "./recording/sessions";
import type { Settings } from "./settings/settings";

/** The dashboard's works, set up as the settings ask. */
export function createLive(page: URL, settings: Settings): Live {
  const { backend } = settings.values.get();
  const kinds = detectorKinds({
    assets: detectorAssets(page),
    evenInSoftware: () => settings.values.get().backend !== "auto",
  });
  const server = () => settings.values.get().server ?? page;
  return new Live({
    settings,
    // Typed as always there, but browsers withhold it from insecure pages.
    media: navigator.mediaDevices,
    memory: browserMemory(),
    stream: browserEnvironment(() => socketUrl(server(), settings.token.get())),
    detector: new DetectorKeeper(backend === "auto" ? BACKENDS : [backend], kinds),
    server,
    sessions: new Sessions(
      new SessionDatabase(),
      browserSessionsEnvironment(() => socketUrl(server(), settings.token.get())),
    ),
  });
}
