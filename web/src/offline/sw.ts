/// <reference lib="webworker" />
import { matchPrecache, precacheAndRoute, type PrecacheEntry } from "workbox-precaching";
import { registerRoute } from "workbox-routing";
import { CacheFirst } from "workbox-strategies";

declare const self: ServiceWorkerGlobalScope;
/** Written here when the page is built: see build/serviceWorkerFiles.ts. */
declare const __PRECACHE_ENTRIES__: PrecacheEntry[];

/** A server that has not begun to answer by then is away, in ms. */
const PAGE_TIMEOUT_MS = 5000;

const scope = new URL(self.registration.scope).pathname;
/** What this release has loaded beyond the precache; emptied when the next release begins. */
const LOADED = "loaded";

// The page itself comes from the server whenever there is one, so a new release is shown at once, whatever this
// service worker has kept. This route stands before the precache, which would answer first. The address may hold a
// token, so it is neither kept nor looked for among what is.
registerRoute(
  ({ request, url }) =>
    request.mode === "navigate" && (url.pathname === scope || url.pathname === `${scope}index.html`),
  async ({ request }) => {
    const answer = await fetch(request, { signal: AbortSignal.timeout(PAGE_TIMEOUT_MS) }).catch(() => null);
    // A proxy answers for a server that is away.
    if (answer !== null && answer.status < 500) return answer;
    return (await matchPrecache("index.html")) ?? answer ?? Response.error();
  },
);

precacheAndRoute(__PRECACHE_ENTRIES__);

// Their names change with their content, so what is kept is right.
registerRoute(
  ({ url, sameOrigin }) => sameOrigin && url.pathname.startsWith(`${scope}assets/`),
  new CacheFirst({ cacheName: LOADED }),
);

self.addEventListener("message", ({ data }) => {
  if (data === "take over") void self.skipWaiting();
});

self.addEventListener("activate", (event) => {
  event.waitUntil(caches.delete(LOADED));
});
