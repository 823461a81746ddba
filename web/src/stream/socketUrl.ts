/**
 * The stream's address on a server, which a proxy may have below a path.
 *
 * @param server its address, or that of its page, with http or https
 * @param token browsers cannot set headers on a WebSocket, so it goes into the address
 */
export function socketUrl(server: string | URL, token: string | null = null): string {
  const url = serverUrl("ws", server);
  url.protocol = url.protocol === "https:" || url.protocol === "wss:" ? "wss:" : "ws:";
  if (token !== null) url.searchParams.set("token", token);
  return url.href;
}

/**
 * Where something of the server is: `v1/model`, say, beside its page.
 *
 * @param path without a slash before it, or it would start at the host and not where a proxy has the server
 * @param server as for `socketUrl`
 */
export function serverUrl(path: string, server: string | URL): URL {
  const base = new URL(server);
  // A folder's address often lacks its slash; a page's own name is the only file's there.
  if (!/(\/|\.html)$/.test(base.pathname)) base.pathname += "/";
  return new URL(path, base);
}
