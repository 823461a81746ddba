/**
 * The stream's address on a server.
 *
 * @param server its address, with http or https
 * @param token browsers cannot set headers on a WebSocket, so it goes into the address
 */
export function socketUrl(server: string | URL, token: string | null = null): string {
  const url = new URL("/ws", server);
  url.protocol = url.protocol === "https:" || url.protocol === "wss:" ? "wss:" : "ws:";
  if (token !== null) url.searchParams.set("token", token);
  return url.href;
}
