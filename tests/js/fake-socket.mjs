/** A socket whose server is written in the test: `answer(name, payload)` gives the acknowledgement, or undefined for none. */
export class FakeSocket {
  constructor(answer) {
    this.answer = answer;
    this.handlers = new Map();
    this.sent = [];
    this.connected = false;
    this.volatile = { emit: (name, payload) => this.sent.push([name, payload]) };
  }

  on(name, handler) {
    this.handlers.set(name, handler);
  }

  /** The server says something. */
  hear(name, payload) {
    this.handlers.get(name)?.(payload);
  }

  connect() {
    this.connects = (this.connects ?? 0) + 1;
  }

  open() {
    this.connected = true;
    this.hear("connect");
  }

  drop() {
    this.connected = false;
    this.hear("disconnect");
    for (const lose of this.waiting ?? []) lose();
    this.waiting = [];
  }

  emit(name, payload, ack) {
    this.sent.push([name, payload]);
    const answer = this.answer(name, payload);
    if (answer !== undefined) ack(null, answer);
    else (this.waiting ??= []).push(() => ack(new Error("timeout")));
  }

  timeout() {
    return this;
  }
}

/** Timers that pass when the test says so. */
export class FakeTimers {
  constructor() {
    this.waiting = [];
    this.setTimeout = (work, ms) => {
      const timer = { work, ms };
      this.waiting.push(timer);
      return timer;
    };
    this.clearTimeout = (timer) => {
      this.waiting = this.waiting.filter((each) => each !== timer);
    };
    this.random = () => 0.5;
  }

  /** Run everything that waits now, and what it awaits. */
  async pass() {
    const due = this.waiting;
    this.waiting = [];
    for (const { work } of due) await work();
    await settled();
  }
}

export const settled = () => new Promise((resolve) => setImmediate(resolve));

export class FakeStorage {
  constructor() {
    this.values = new Map();
  }

  getItem(key) {
    return this.values.get(key) ?? null;
  }

  setItem(key, value) {
    this.values.set(key, value);
  }
}
