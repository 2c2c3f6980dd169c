import assert from "node:assert/strict";
import { test } from "node:test";
import { backoff, hasGap, newFeed, noteHead, receive, restart } from "../../creator_hub/web/assets/js/lib/feed.js";

const event = (seq) => ({ seq, kind: "message.created", at: "2026-11-25T05:00:00Z", data: { n: seq } });
const seqs = (events) => events.map((each) => each.seq);

test("events in order are shown at once", () => {
  const feed = newFeed(4);
  assert.deepEqual(seqs(receive(feed, event(5))), [5]);
  assert.deepEqual(seqs(receive(feed, event(6))), [6]);
  assert.equal(hasGap(feed), false);
});

test("what was shown already is dropped", () => {
  const feed = newFeed(4);
  receive(feed, event(5));
  assert.deepEqual(receive(feed, event(5)), []);
  assert.deepEqual(receive(feed, event(2)), []);
});

test("an event from the future waits for the gap before it", () => {
  const feed = newFeed(0);
  assert.deepEqual(receive(feed, event(3)), []);
  assert.equal(hasGap(feed), true);
  assert.deepEqual(receive(feed, event(2)), []);
  assert.deepEqual(seqs(receive(feed, event(1))), [1, 2, 3]);
  assert.equal(hasGap(feed), false);
});

test("heads reveal a lost tail", () => {
  const feed = newFeed(7);
  noteHead(feed, 9);
  assert.equal(hasGap(feed), true);
});

test("after a reset nothing held from before is shown", () => {
  const feed = newFeed(0);
  receive(feed, event(3));
  restart(feed, 100);
  assert.deepEqual(receive(feed, event(3)), []);
  assert.deepEqual(seqs(receive(feed, event(101))), [101]);
});

test("any order with any repetition shows each event once, in order (seeded)", () => {
  for (let seed = 1; seed <= 300; seed += 1) {
    let state = seed;
    const random = () => ((state = (state * 48271) % 2147483647) / 2147483647);
    const arriving = Array.from({ length: 40 }, (_, i) => (i % 20) + 1).sort(() => random() - 0.5);
    const feed = newFeed(0);
    const shown = arriving.flatMap((seq) => seqs(receive(feed, event(seq))));
    assert.deepEqual(shown, Array.from({ length: 20 }, (_, i) => i + 1), `seed ${seed}`);
  }
});

test("reconnects back off with jitter and stay below 15 seconds", () => {
  assert.equal(backoff(0, () => 0), 250);
  assert.equal(backoff(0, () => 1), 500);
  assert.equal(backoff(30, () => 1), 15_000);
  assert.ok(backoff(3, () => 0.2) < backoff(3, () => 0.9));
});
