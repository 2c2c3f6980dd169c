import assert from "node:assert/strict";
import { test } from "node:test";
import { STEPS } from "../../creator_hub/web/assets/js/vote/ranks.js";

const order = [["a"], ["b"], ["c"]];

test("touching ranks in turn, and takes out again", () => {
  assert.deepEqual(STEPS.rank(STEPS.rank([], "b"), "a"), [["b"], ["a"]]);
  assert.deepEqual(STEPS.unrank(order, "b"), [["a"], ["c"]]);
  assert.deepEqual(STEPS.unrank([["a", "b"]], "a"), [["b"]]);
});

test("one step up or down changes places with the neighbour, and the ends hold", () => {
  assert.deepEqual(STEPS.up(order, "c"), [["a"], ["c"], ["b"]]);
  assert.deepEqual(STEPS.down(order, "a"), [["b"], ["a"], ["c"]]);
  assert.deepEqual(STEPS.up(order, "a"), order);
  assert.deepEqual(STEPS.down(order, "c"), order);
});

test("an option is put level with the one above, and apart again", () => {
  const level = STEPS.level(order, "b");
  assert.deepEqual(level, [["a", "b"], ["c"]]);
  assert.deepEqual(STEPS.level(level, "c"), [["a", "b", "c"]]);
  assert.deepEqual(STEPS.level(level, "b"), order);
  assert.deepEqual(STEPS.level(order, "a"), order);
});

test("moving out of a tie gives a place of its own beside it", () => {
  const level = [["a", "b"], ["c"]];
  assert.deepEqual(STEPS.up(level, "b"), [["b"], ["a"], ["c"]]);
  assert.deepEqual(STEPS.down(level, "a"), [["b"], ["a"], ["c"]]);
});

test("a step leaves the order it began with as it was", () => {
  for (const step of Object.values(STEPS)) step(order, "b");
  assert.deepEqual(order, [["a"], ["b"], ["c"]]);
});
