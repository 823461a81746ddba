import type { Receipt } from "../stream/protocol";

/** What all sessions since the page was opened have sent, by their server's count. */
export interface ReceiptTotal {
  /** Unix time in ms. */
  readonly startedAtMs: number;
  readonly endedAtMs: number;
  readonly framesReceived: number;
  readonly bytesReceived: number;
  readonly imagesKept: number;
  readonly receipts: readonly Receipt[];
}

/** Takes a further receipt; a session's later ones replace its earlier ones. */
export function withReceipt(receipts: readonly Receipt[], receipt: Receipt): readonly Receipt[] {
  return [...receipts.filter(({ session_id }) => session_id !== receipt.session_id), receipt];
}

/** Null where no server has counted anything. */
export function totalOf(receipts: readonly Receipt[]): ReceiptTotal | null {
  if (receipts.length === 0) return null;
  const sum = (count: (receipt: Receipt) => number) => receipts.reduce((all, one) => all + count(one), 0);
  return {
    startedAtMs: Math.min(...receipts.map(({ started_at }) => started_at)),
    endedAtMs: Math.max(...receipts.map(({ at }) => at)),
    framesReceived: sum(({ frames_received }) => frames_received),
    bytesReceived: sum(({ bytes_received }) => bytes_received),
    imagesKept: sum(({ images_kept }) => images_kept),
    receipts,
  };
}
