import assert from "node:assert/strict";
import test from "node:test";
import { arranged, concerns, liveOf, nextOf } from "../../creator_hub/web/assets/js/qa/order.js";
import { paragraphs, walk } from "../../creator_hub/web/assets/js/story/walk.js";

const tree = [{ id: "a", parent: null }, { id: "b", parent: "a" }, { id: "c", parent: "b" }, { id: "d", parent: "a" }];
const at = (id) => tree.find((node) => node.id === id);

test("arrow keys walk a tree: back, on, and among branches", () => {
  const steps = { ArrowRight: [["a", "b"], ["b", "c"], ["c", null]], ArrowLeft: [["c", "b"], ["a", null]], ArrowDown: [["b", "d"], ["d", null]], ArrowUp: [["d", "b"], ["a", null]], x: [["a", null]] };
  for (const [key, pairs] of Object.entries(steps)) for (const [from, to] of pairs) assert.equal(walk(tree, at(from), key)?.id ?? null, to);
});

test("an empty line begins a paragraph, a single one only breaks", () => {
  assert.deepEqual(paragraphs("One,\ntwo.\n\n \n\nThree.\r\n\r\nFour.\n"), [["One,", "two."], ["Three."], ["Four."]]);
  assert.deepEqual(paragraphs("  \n "), []);
});

test("approved questions come before asked ones, and the live one is nobody's next", () => {
  const questions = [["1", "asked"], ["2", "live"], ["3", "approved"], ["4", "answered"]].map(([id, state]) => ({ id, state }));
  assert.equal(liveOf(questions).id, "2");
  assert.equal(nextOf(questions).id, "3");
  assert.deepEqual(arranged(questions).map((each) => each.id), ["2", "1", "3", "4"]);
  assert.equal(nextOf([]), null);
});

test("a page listens to its own session only", () => {
  assert.equal(concerns("x", "question.ranked", { id: "x" }), true);
  assert.equal(concerns("x", "question.ranked", { id: "y" }), false);
  assert.equal(concerns("x", "event", { kind: "question.asked", data: { qa_id: "x" } }), true);
  assert.equal(concerns("x", "event", { kind: "qa.closed", data: { id: "x" } }), true);
  assert.equal(concerns("x", "event", { kind: "message.created", data: { id: "x" } }), false);
  assert.equal(concerns("x", "typing", {}), false);
});
