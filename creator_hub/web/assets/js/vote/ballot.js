/**
 * A ballot one can fill in with a thumb or a keyboard, for every counting method; the same in the chat's cards and on
 * the pages of polls and stories.
 *
 * @typedef {{name: string, method: string, options: {id: string, text: string, more?: () => Node}[], most: number, legend?: string}} Vote
 * @typedef {{element: HTMLElement, read: () => object|null}} BallotForm `read` gives the API's ballot, null: nothing chosen
 */
import { choices } from "./choices.js";
import { ranking } from "./ranking.js";
import { scores } from "./scores.js";

const FORMS = { plurality: choices, approval: choices, score: scores, star: scores, irv: ranking, schulze: ranking, stv: ranking };

/** @param {Vote} vote @param {object|null} own the ballot that was cast, or what was filled in so far @returns {BallotForm} */
export const ballotForm = (vote, own) => FORMS[vote.method](vote, own);
