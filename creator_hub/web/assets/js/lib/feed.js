/**
 * The pure part of the channel client: which events of one channel may be shown, and in which order.
 *
 * Rules (docs/delivery): apply an event iff seq = last + 1; drop seq ≤ last; hold what is further ahead until the gap
 * before it is filled. What is applied is therefore in order, without gaps, each exactly once.
 *
 * @typedef {{seq: number, kind: string, at: string, data: object}} StreamEvent
 * @typedef {{last: number, held: Map<number, StreamEvent>, head: number}} Feed
 */

/** @param {number} last the highest seq already shown @returns {Feed} */
export const newFeed = (last) => ({ last, held: new Map(), head: last });

/**
 * Take one event (live or fetched).
 * @param {Feed} feed @param {StreamEvent} event
 * @returns {StreamEvent[]} the events that may be shown now, in order
 */
export function receive(feed, event) {
  feed.head = Math.max(feed.head, event.seq);
  if (event.seq <= feed.last) return [];
  feed.held.set(event.seq, event);
  const ready = [];
  for (let next = feed.held.get(feed.last + 1); next; next = feed.held.get(feed.last + 1)) {
    feed.held.delete(next.seq);
    feed.last = next.seq;
    ready.push(next);
  }
  return ready;
}

/** The server says how far the channel has come. @param {Feed} feed @param {number} head */
export function noteHead(feed, head) {
  feed.head = Math.max(feed.head, head);
}

/** Is something known to exist that cannot be shown yet? @param {Feed} feed */
export const hasGap = (feed) => feed.head > feed.last;

/** Start again after `channel.reset`. @param {Feed} feed @param {number} last */
export function restart(feed, last) {
  feed.held.clear();
  feed.last = last;
  feed.head = last;
}

/** Milliseconds before try number `attempt` (0, 1, …): doubling from half a second to 15 s, with full jitter above half. */
export function backoff(attempt, random = Math.random) {
  const ceiling = Math.min(15_000, 500 * 2 ** attempt);
  return Math.round(ceiling / 2 + (random() * ceiling) / 2);
}
