/** Reading the server's tallies. Totals are exact: whole numbers or fractions as text. */

/** "7/2" → 3.5, "4" → 4. */
export function amount(text) {
  const [over, under = "1"] = String(text ?? 0).split("/");
  return Number(over) / Number(under);
}

/** The totals of a tally hint or a result: what decides (weighted) before what was cast (raw). */
export const totalsOf = (source) => source?.totals ?? source?.weighted?.totals ?? source?.raw?.totals ?? source?.tally?.totals ?? {};

/**
 * Bars for options: the share of all that was given.
 * @param {{id: string}[]} options @param {Object<string, string>} totals
 * @returns {{option: object, total: number, share: number}[]}
 */
export function bars(options, totals) {
  const amounts = options.map((option) => amount(totals[option.id]));
  const sum = amounts.reduce((a, b) => a + b, 0);
  return options.map((option, i) => ({ option, total: amounts[i], share: sum ? amounts[i] / sum : 0 }));
}
