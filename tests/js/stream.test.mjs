import assert from "node:assert/strict";
import { test } from "node:test";
import { Outbox } from "../../creator_hub/web/assets/js/lib/outbox.js";
import { StreamClient } from "../../creator_hub/web/assets/js/lib/stream.js";
import { FakeSocket, FakeStorage, FakeTimers, settled } from "./fake-socket.mjs";

const ROOM = "c-1";
const event = (seq, data = {}) => ({ channel_id: ROOM, seq, kind: "message.created", at: "", data });

/** Ana's browser, with a server that the test plays. */
function anasBrowser({ answer = () => ({ ok: true, head_seq: 0 }), history = [], storage = new FakeStorage() } = {}) {
  const seen = { shown: [], fetched: [], states: [], refused: [], granted: [], revoked: [], denied: [], resets: [] };
  const socket = new FakeSocket(answer);
  const timers = new FakeTimers();
  const fetchEvents = async (id, after) => {
    seen.fetched.push(after);
    return { items: history.filter((each) => each.seq > after) };
  };
  const outbox = new Outbox(storage, "ana");
  const stream = new StreamClient(socket, fetchEvents, outbox, {
    shown: (_, each) => seen.shown.push(each.seq),
    reset: async (_, head) => (seen.resets.push(head), head),
    connection: (state) => seen.states.push(state),
    refused: (item, error) => seen.refused.push([item.client_msg_id, error.code]),
    hint: () => {}, granted: (grant) => seen.granted.push(grant), revoked: (loss) => seen.revoked.push(loss),
    denied: (_, error) => seen.denied.push(error.code),
  }, timers);
  return { seen, socket, timers, outbox, stream, storage };
}

const sends = (socket) => socket.sent.filter(([name]) => name === "message.send").map(([, payload]) => payload.client_msg_id);
const message = (id) => ({ client_msg_id: id, channel_id: ROOM, text: "hello" });

test("joining asks for what came after the last event shown", async () => {
  const { socket, stream } = anasBrowser();
  stream.follow(ROOM, 12);
  socket.open();
  await settled();
  assert.deepEqual(socket.sent, [["channel.join", { channel_id: ROOM, after_seq: 12 }]]);
});

test("a reconnect resumes after what was shown meanwhile", async () => {
  const { socket, stream, timers } = anasBrowser();
  stream.follow(ROOM, 0);
  socket.open();
  await settled();
  socket.hear("event", event(1));
  socket.drop();
  await timers.pass();
  assert.equal(socket.connects, 1);
  socket.open();
  await settled();
  assert.deepEqual(socket.sent.at(-1), ["channel.join", { channel_id: ROOM, after_seq: 1 }]);
});

test("a gap that stands is fetched over HTTP and shown in order", async () => {
  const { seen, socket, stream, timers } = anasBrowser({ history: [event(1), event(2), event(3)] });
  stream.follow(ROOM, 0);
  socket.open();
  await settled();
  socket.hear("event", event(3));
  assert.deepEqual(seen.shown, []);
  assert.equal(timers.waiting[0].ms, 200);
  await timers.pass();
  assert.deepEqual(seen.fetched, [0]);
  assert.deepEqual(seen.shown, [1, 2, 3]);
});

test("heads reveal a lost last message", async () => {
  const { seen, socket, stream, timers } = anasBrowser({ history: [event(1)] });
  stream.follow(ROOM, 0);
  socket.open();
  await settled();
  socket.hear("heads", { [ROOM]: 1 });
  await timers.pass();
  assert.deepEqual(seen.shown, [1]);
});

test("a gap the server cannot fill yet is asked for less often", async () => {
  const { socket, stream, timers } = anasBrowser();
  stream.follow(ROOM, 0);
  socket.open();
  await settled();
  socket.hear("heads", { [ROOM]: 5 });
  await timers.pass();
  assert.equal(timers.waiting[0].ms, 3000);
});

test("a message is sent again with the same id until it is acknowledged", async () => {
  const { socket, stream, outbox } = anasBrowser({ answer: (name) => (name === "message.send" ? undefined : { ok: true, head_seq: 0 }) });
  stream.follow(ROOM, 0);
  socket.open();
  await settled();
  stream.send(message("m-1"));
  socket.drop();
  await settled();
  assert.equal(outbox.of(ROOM).length, 1);
  socket.answer = () => ({ ok: true, head_seq: 0 });
  socket.open();
  await settled();
  assert.deepEqual(sends(socket), ["m-1", "m-1"]);
  assert.deepEqual(outbox.of(ROOM), []);
});

test("messages written offline leave in the order they were written", async () => {
  const { socket, stream } = anasBrowser();
  stream.follow(ROOM, 0);
  for (const id of ["m-1", "m-2", "m-3"]) stream.send(message(id));
  assert.deepEqual(sends(socket), []);
  socket.open();
  await settled();
  assert.deepEqual(sends(socket), ["m-1", "m-2", "m-3"]);
});

test("a reload loses no message that was on its way", async () => {
  const storage = new FakeStorage();
  anasBrowser({ storage }).stream.send(message("m-1"));
  const after = anasBrowser({ storage });
  after.stream.follow(ROOM, 0);
  after.socket.open();
  await settled();
  assert.deepEqual(sends(after.socket), ["m-1"]);
});

test("a message seen in the stream is not sent again, though its acknowledgement was lost", async () => {
  const { socket, stream, outbox } = anasBrowser({ answer: (name) => (name === "message.send" ? undefined : { ok: true, head_seq: 0 }) });
  stream.follow(ROOM, 0);
  socket.open();
  await settled();
  stream.send(message("m-1"));
  socket.hear("event", event(1, { client_msg_id: "m-1" }));
  assert.deepEqual(outbox.of(ROOM), []);
});

test("a refusal stays with the writer, who may try again", async () => {
  const refusal = { ok: false, error: { code: "not_allowed", detail: "You cannot write here." } };
  const { seen, socket, stream, outbox } = anasBrowser({ answer: (name) => (name === "message.send" ? refusal : { ok: true, head_seq: 0 }) });
  stream.follow(ROOM, 0);
  socket.open();
  await settled();
  stream.send(message("m-1"));
  await settled();
  assert.deepEqual(seen.refused, [["m-1", "not_allowed"]]);
  assert.equal(outbox.of(ROOM)[0].failed, "You cannot write here.");
  assert.equal(outbox.next(ROOM), undefined);
  assert.equal(outbox.retry("m-1").failed, undefined);
});

test("slow mode waits as long as the server asks", async () => {
  const slow = { ok: false, error: { code: "slow_down", detail: "", retry_after: 7 } };
  const { socket, stream, timers } = anasBrowser({ answer: (name) => (name === "message.send" ? slow : { ok: true, head_seq: 0 }) });
  stream.follow(ROOM, 0);
  socket.open();
  await settled();
  stream.send(message("m-1"));
  await settled();
  assert.equal(timers.waiting[0].ms, 7000);
  socket.answer = () => ({ ok: true });
  await timers.pass();
  assert.deepEqual(sends(socket), ["m-1", "m-1"]);
});

test("a reset reloads history and joins from its head", async () => {
  const { seen, socket, stream } = anasBrowser();
  stream.follow(ROOM, 3);
  socket.open();
  await settled();
  socket.hear("channel.reset", { channel_id: ROOM, head_seq: 9000 });
  await settled();
  assert.deepEqual(seen.resets, [9000]);
  assert.deepEqual(socket.sent.at(-1), ["channel.join", { channel_id: ROOM, after_seq: 9000 }]);
});

test("after a revocation nothing more of the channel is shown or sent", async () => {
  const { seen, socket, stream } = anasBrowser();
  stream.follow(ROOM, 0);
  socket.open();
  await settled();
  socket.hear("access.revoked", { channel_id: ROOM, reason: "banned" });
  socket.hear("event", event(1));
  stream.send(message("m-1"));
  await settled();
  assert.deepEqual(seen.revoked, [{ channel_id: ROOM, reason: "banned" }]);
  assert.deepEqual(seen.shown, []);
  assert.deepEqual(sends(socket), []);
});

test("a channel one may not join is not asked for again", async () => {
  const { seen, socket, stream, timers } = anasBrowser({ answer: () => ({ ok: false, error: { code: "not_found", detail: "" } }) });
  stream.follow(ROOM, 0);
  socket.open();
  await settled();
  assert.deepEqual(seen.denied, ["not_found"]);
  assert.equal(timers.waiting.length, 0);
});
