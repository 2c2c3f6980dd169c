import assert from "node:assert/strict";
import { test } from "node:test";
import { beginningOfName, complete } from "../../creator_hub/web/assets/js/chat/naming.js";

test("a name begins after @ at the beginning of a word", () => {
  assert.equal(beginningOfName("hi @an", 6), "an");
  assert.equal(beginningOfName("(@bo-1", 6), "bo-1");
  assert.equal(beginningOfName("hi @an there", 6), "an");
});

test("an address, a lone @ and a finished name begin none", () => {
  for (const text of ["mail@an", "hi @", "hi @ana ", ""]) assert.equal(beginningOfName(text, text.length), null);
});

test("choosing completes the name and leaves what follows", () => {
  assert.deepEqual(complete("hi @an, see", 6, "ana"), { text: "hi @ana, see", caret: 7 });
  assert.deepEqual(complete("hi @an", 6, "ana"), { text: "hi @ana ", caret: 8 });
});
