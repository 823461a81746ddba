import type { ConnectionEnvironment } from "./connection";

/**
 * The browser's sockets, clock (Unix time in ms) and timers.
 *
 * @param url where to connect; asked for each attempt, so that it may change
 */
export function browserEnvironment(url: () => string): ConnectionEnvironment {
  return {
    openSocket: () => new WebSocket(url()),
    now: () => Date.now(),
    schedule: (callback, delayMs) => {
      const timer = setTimeout(callback, delayMs);
      return () => clearTimeout(timer);
    },
    random: () => Math.random(),
  };
}
