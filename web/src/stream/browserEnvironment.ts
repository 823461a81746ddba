import type { ConnectionEnvironment } from "./connection";
import { socketUrl } from "./socketUrl";

/** The browser's sockets, clock (Unix time in ms) and timers. */
export function browserEnvironment(page: URL): ConnectionEnvironment {
  const url = socketUrl(page);
  return {
    openSocket: () => new WebSocket(url),
    now: () => Date.now(),
    schedule: (callback, delayMs) => {
      const timer = setTimeout(callback, delayMs);
      return () => clearTimeout(timer);
    },
    random: () => Math.random(),
  };
}
