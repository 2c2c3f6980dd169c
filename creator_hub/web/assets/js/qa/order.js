/** The line in which questions wait. */

const WAITING = new Set(["asked", "approved", "live"]);

export const isWaiting = (question) => WAITING.has(question.state);

/** The question being answered, if any. @param {object[]} questions in the order of the API */
export const liveOf = (questions) => questions.find((each) => each.state === "live") ?? null;

/** Who is next: approved ones before those merely asked, each in the order of the API (pinned, votes, time). */
export function nextOf(questions) {
  return questions.find((each) => each.state === "approved") ?? questions.find((each) => each.state === "asked") ?? null;
}

/** How the page shows them: live first, then those that wait, then the settled. */
export function arranged(questions) {
  const live = questions.filter((each) => each.state === "live");
  const waiting = questions.filter((each) => each.state !== "live" && isWaiting(each));
  return [...live, ...waiting, ...questions.filter((each) => !isWaiting(each))];
}

/** Whether a live message is about this session. */
export function concerns(id, name, payload) {
  if (name === "question.ranked") return payload.id === id;
  if (name !== "event") return false;
  return payload.data?.qa_id === id || (payload.kind === "qa.closed" && payload.data.id === id);
}
