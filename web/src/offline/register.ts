/**
 * Lets the page work without the server, but for the stream, and browsers install it. A new service worker waits until
 * the pages of the old release are closed, whose files the old one keeps; a page that has just been loaded is of the
 * new release already, and lets the new one begin.
 */
export async function registerServiceWorker(
  container: Pick<ServiceWorkerContainer, "register"> | undefined,
): Promise<void> {
  if (container === undefined) return;
  try {
    const { waiting } = await container.register(`${import.meta.env.BASE_URL}sw.js`);
    waiting?.postMessage("take over");
  } catch {
    // Private windows and certificates that are not trusted: the page works without it.
  }
}
