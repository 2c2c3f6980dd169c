/** The group's story chains, as far as the chat needs them: which rounds are open, and what a round's story is called. */
import { api } from "../lib/api.js";

export class Chains {
  /** @param {string} handle the group's */
  constructor(handle) {
    this.handle = handle;
    /** @type {object[]} */
    this.known = [];
  }

  /** @returns {Promise<object[]>} the rounds under way in a channel */
  async openRounds(channelId) {
    this.known = (await api("GET", `/api/v1/groups/${this.handle}/chains`)).items;
    const open = this.known.filter((chain) => chain.channel_id === channelId && chain.open_round_id);
    return Promise.all(open.map((chain) => api("GET", `/api/v1/rounds/${chain.open_round_id}`)));
  }

  async find(id) {
    return this.known.find((chain) => chain.id === id) ?? api("GET", `/api/v1/chains/${id}`);
  }
}
