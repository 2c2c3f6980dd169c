/**
 * A ranking while it is being made: groups of equals, best first. Each step gives the new order and leaves the old one.
 * @typedef {string[][]} Ranks
 */

/** @param {Ranks} ranks @param {string} id @returns {number} the place of an option from 0, −1: not ranked */
export const placeOf = (ranks, id) => ranks.findIndex((equals) => equals.includes(id));

/** @type {Record<string, (ranks: Ranks, id: string) => Ranks>} */
export const STEPS = {
  rank: (ranks, id) => [...ranks, [id]],
  unrank: (ranks, id) => ranks.map((equals) => equals.filter((each) => each !== id)).filter((equals) => equals.length),
  up: (ranks, id) => moved(ranks, id, -1),
  down: (ranks, id) => moved(ranks, id, 1),
  level: (ranks, id) => {
    const place = placeOf(ranks, id);
    const at = ranks[place].indexOf(id);
    if (at > 0) return replaced(ranks, place, 1, ranks[place].slice(0, at), ranks[place].slice(at));
    return place > 0 ? replaced(ranks, place - 1, 2, [...ranks[place - 1], ...ranks[place]]) : ranks;
  },
};

function moved(ranks, id, by) {
  const place = placeOf(ranks, id);
  // Out of a tie: a place of its own, just before or after the others.
  if (ranks[place].length > 1) {
    const others = ranks[place].filter((each) => each !== id);
    return replaced(ranks, place, 1, ...(by < 0 ? [[id], others] : [others, [id]]));
  }
  const first = Math.min(place, place + by);
  return ranks[first] && ranks[first + 1] ? replaced(ranks, first, 2, ranks[first + 1], ranks[first]) : ranks;
}

const replaced = (ranks, from, count, ...groups) => [...ranks.slice(0, from), ...groups, ...ranks.slice(from + count)];
