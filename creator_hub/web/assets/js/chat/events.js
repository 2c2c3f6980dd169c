/** What each event of the stream changes in an open channel. Applying one twice changes nothing more. */
import { PollCard } from "./poll.js";
import { qaCard } from "./qa.js";
import { RoundCard } from "./round.js";

export class ChannelView {
  /** @param {import("./log.js").Log} log @param {{mayRun: boolean, chainOf: (chainId: string) => Promise<object>}} context */
  constructor(log, context) {
    this.log = log;
    this.context = context;
    this.clear();
  }

  clear() {
    /** @type {Map<string, PollCard>} */
    this.polls = new Map();
    /** @type {Map<string, RoundCard>} */
    this.rounds = new Map();
  }

  apply({ seq, kind, at, data }) {
    const { log } = this;
    const moment = new Date(at);
    switch (kind) {
      case "message.created": return log.add({ reactions: {}, ...data });
      case "message.edited": return log.change(data.id, { text: data.text, html: data.html, edited_at: data.edited_at });
      case "message.deleted": return log.change(data.id, { deleted: true, text: "", html: "" });
      case "message.restored": return log.add({ reactions: {}, ...data });
      case "reaction.changed": return log.change(data.message_id, { reactions: data.counts });
      case "poll.opened": return this.openPoll(data, seq, moment);
      case "poll.closed": return this.#closePoll(data, seq, moment);
      case "round.opened":
      case "round.voting": return this.openRound(data, seq, moment);
      case "round.decided": return this.rounds.get(data.id)?.decided(data);
      case "qa.opened":
      case "qa.closed": return log.addCard(`qa-${data.id}`, qaCard(data), seq, moment);
      default: return undefined;
    }
  }

  hint(name, payload) {
    if (name === "poll.tallied") this.polls.get(payload.id)?.tallied(payload);
    if (name === "round.tallied") this.rounds.get(payload.id)?.tallied(payload);
  }

  openPoll(poll, order, at) {
    if (this.polls.has(poll.id)) return;
    const card = new PollCard(poll, { mayRun: this.context.mayRun });
    this.polls.set(poll.id, card);
    this.log.addCard(`poll-${poll.id}`, card.element, order, at);
  }

  /** The result appears where the poll closed, so that readers at the bottom see it. */
  #closePoll(data, seq, at) {
    const card = this.polls.get(data.id);
    if (!card) return;
    card.closed(data.result);
    this.log.addCard(`poll-${data.id}`, card.element, seq, at);
  }

  async openRound(round, order, at) {
    const known = this.rounds.get(round.id);
    if (known) {
      known.update(round);
      this.log.addCard(`round-${round.id}`, known.element, order, at);
      return;
    }
    const card = new RoundCard(round, { mayRun: this.context.mayRun });
    this.rounds.set(round.id, card);
    this.log.addCard(`round-${round.id}`, card.element, order, at);
    card.belongsTo(await this.context.chainOf(round.chain_id));
  }
}
