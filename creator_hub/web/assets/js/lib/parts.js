/**
 * Draw the parts of this page anew: what the server now shows in a `[data-part]` takes the place of the part of the same
 * name. Parts that it shows no more stay: the page they belong to is gone, and the reader is told elsewhere.
 */
export async function refreshParts() {
  const answer = await fetch(location.pathname, { credentials: "same-origin" }).catch(() => null);
  if (!answer?.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const part of document.querySelectorAll("[data-part]")) {
    const now = fresh.querySelector(`[data-part="${CSS.escape(part.dataset.part)}"]`);
    if (now) part.replaceWith(document.adoptNode(now));
  }
}
