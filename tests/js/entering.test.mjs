import assert from "node:assert/strict";
import { test } from "node:test";
import { flatten, toMinor } from "../../creator_hub/web/assets/js/lib/forms.js";
import { amount, bars, totalsOf } from "../../creator_hub/web/assets/js/lib/tally.js";
import { countdown } from "../../creator_hub/web/assets/js/lib/time.js";

test("an amount becomes minor units by its digits", () => {
  assert.equal(toMinor("5", "USD"), 500);
  assert.equal(toMinor("5.5", "EUR"), 550);
  assert.equal(toMinor("0,29", "EUR"), 29);
  assert.equal(toMinor("1.15", "USD"), 115);
  assert.equal(toMinor("500", "JPY"), 500);
  assert.equal(toMinor("1.250", "KWD"), 1250);
});

test("what is no amount of the currency is refused, not rounded", () => {
  for (const [text, currency] of [["1.234", "USD"], ["1.5", "JPY"], ["five", "USD"], ["", "USD"], ["1e3", "USD"]]) {
    assert.ok(Number.isNaN(toMinor(text, currency)), text);
  }
});

test("nested errors of the API find their field by a dotted name", () => {
  assert.deepEqual(flatten({ price: { amount_minor: ["Too small."] }, name: ["Missing.", "Too long."] }), [
    ["price.amount_minor", "Too small."], ["name", "Missing. Too long."],
  ]);
});

test("exact totals are read as whole numbers and fractions", () => {
  assert.equal(amount("7/2"), 3.5);
  assert.equal(amount("4"), 4);
  assert.equal(amount(undefined), 0);
});

test("bars show each option's share of everything given", () => {
  const options = [{ id: "a" }, { id: "b" }, { id: "c" }];
  assert.deepEqual(bars(options, { a: "3", b: "1" }).map((bar) => bar.share), [0.75, 0.25, 0]);
  assert.deepEqual(bars(options, {}).map((bar) => bar.share), [0, 0, 0]);
});

test("what decides is shown before what was cast", () => {
  assert.deepEqual(totalsOf({ raw: { totals: { a: "1" } }, weighted: { totals: { a: "3" } } }), { a: "3" });
});

test("a countdown grows finer as the end comes near", () => {
  const now = new Date("2026-11-25T05:00:00Z");
  const left = (text) => countdown(new Date(text), now);
  assert.equal(left("2026-11-25T05:04:05Z"), "4:05");
  assert.equal(left("2026-11-25T08:05:00Z"), "3 h 5 min");
  assert.equal(left("2026-11-28T06:00:00Z"), "3 d 1 h");
  assert.equal(left("2026-11-25T04:59:00Z"), "");
});
