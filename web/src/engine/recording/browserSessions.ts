import { browserEnvironment } from "../../stream/browserEnvironment";
import { socketUrl } from "../../stream/socketUrl";
import type { SessionsEnvironment } from "./sessions";
import { recordVideo } from "./videoKeeper";

/** The browser's clock, locks, storage and recorder. @param ownUrl the address of the page's own stream */
export function browserSessionsEnvironment(ownUrl: () => string): SessionsEnvironment {
  return {
    streamTo: (server) => {
      const url = new URL(server === "" ? ownUrl() : socketUrl(server));
      url.searchParams.set("mode", "all");
      return browserEnvironment(() => url.href);
    },
    now: () => Date.now(),
    newId: () => crypto.randomUUID(),
    hold: (name) => {
      let release: () => void = () => {};
      const isOver = new Promise<void>((resolve) => {
        release = resolve;
      });
      // Typed as always there, but browsers withhold it from insecure pages.
      void (navigator.locks as LockManager | undefined)?.request(name, () => isOver);
      return release;
    },
    heldNames: async () => {
      const state = await (navigator.locks as LockManager | undefined)?.query();
      return new Set(state?.held?.map(({ name }) => name ?? ""));
    },
    storage: async () => {
      const manager = navigator.storage as StorageManager | undefined;
      const { usage, quota } = (await manager?.estimate()) ?? {};
      return {
        usedBytes: usage ?? null,
        quotaBytes: quota ?? null,
        isPersistent: (await manager?.persisted()) ?? false,
      };
    },
    persist: async () => {
      await (navigator.storage as StorageManager | undefined)?.persist().catch(() => false);
    },
    record: recordVideo,
  };
}
