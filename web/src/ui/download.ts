/** Hands the person a file that was made in the page. */
export function download({ name, blob }: { readonly name: string; readonly blob: Blob }): void {
  const url = URL.createObjectURL(blob);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  // The browser has read the address by the next turn of the event loop.
  setTimeout(() => URL.revokeObjectURL(url), 0);
}
