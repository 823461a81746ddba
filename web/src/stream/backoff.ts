import rule from "../../../server/protocol/reconnect.json";

/**
 * How long to wait before coming back, in ms, by the rule of all clients: the first time 500 to 1000, then 1.6 times
 * longer each time, up to 10 s. The random part keeps the clients of a restarted server from coming all at once.
 *
 * @param failures attempts that have failed in a row, 0 for the first wait
 * @param random in [0, 1)
 */
export function reconnectDelayMs(failures: number, random: number): number {
  const longestS = Math.min(rule.first_delay_s * rule.delay_factor ** failures, rule.longest_delay_s);
  return 1000 * longestS * (1 - rule.jitter * (1 - random));
}
