/** Walking through a tree by keys: left to where it came from, right to what grew from it, up and down among branches. */

/** @param {{id: string, parent: string|null}[]} nodes in the order of the picture @param {object} here @param {string} key */
export function walk(nodes, here, key) {
  if (key === "ArrowLeft") return nodes.find((node) => node.id === here.parent) ?? null;
  if (key === "ArrowRight") return nodes.find((node) => node.parent === here.id) ?? null;
  if (key !== "ArrowUp" && key !== "ArrowDown") return null;
  const siblings = nodes.filter((node) => node.parent === here.parent);
  return siblings[siblings.indexOf(here) + (key === "ArrowDown" ? 1 : -1)] ?? null;
}

/** A text as paragraphs of lines, as the server parts it: an empty line begins a new paragraph. */
export const paragraphs = (text) =>
  text.replaceAll("\r\n", "\n").trim().split(/\n\s*\n/).filter((block) => block.trim()).map((block) => block.split("\n"));
