/** A story as a book that remembers where one stopped, and as a tree to walk through. */
import { api } from "../lib/api.js";
import { walk } from "../story/walk.js";

const SETTLED_MS = 1_500;

const book = document.querySelector("[data-book]");
if (book) {
  let kept = book.dataset.stopped ?? null;
  let pending = null;
  const seen = new Map();
  /** The last chapter that has come into view; kept when the reader stays with it. */
  const watcher = new IntersectionObserver((entries) => {
    for (const entry of entries) seen.set(entry.target.dataset.episode, entry.isIntersecting);
    const inView = [...seen].filter(([, visible]) => visible).map(([id]) => id);
    const at = inView.at(-1);
    if (!at || at === kept) return;
    clearTimeout(pending);
    pending = setTimeout(() => {
      kept = at;
      // Forgetting a page is no reason to disturb a reader.
      api("PUT", `/api/v1/chains/${book.dataset.book}/bookmark`, { episode_id: at }).catch(() => {});
    }, SETTLED_MS);
  }, { rootMargin: "0px 0px -25% 0px" });
  for (const chapter of book.querySelectorAll("[data-episode]")) watcher.observe(chapter);
}

const tree = document.querySelector("[data-tree]");
if (tree) {
  const nodes = [...tree.querySelectorAll("[data-node]")].map((element) => ({ id: element.dataset.node, parent: element.dataset.parent || null, element }));
  tree.addEventListener("keydown", (event) => {
    const here = nodes.find((node) => node.element === document.activeElement);
    const next = here && walk(nodes, here, event.key);
    if (!next) return;
    event.preventDefault();
    next.element.focus();
    next.element.scrollIntoView({ block: "nearest", inline: "nearest" });
  });
}
