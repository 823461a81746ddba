/** The stream's address on the page's own server, with the page's `?token=` handed on. */
export function socketUrl(page: URL): string {
  const url = new URL("/ws", page);
  url.protocol = page.protocol === "https:" ? "wss:" : "ws:";
  const token = page.searchParams.get("token");
  if (token !== null) url.searchParams.set("token", token);
  return url.href;
}
