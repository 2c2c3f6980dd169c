/** On a phone the channel list is a drawer. @returns {() => void} closes it */
export function drawer(panel, opener) {
  const close = () => {
    panel.classList.remove("sidebar--open");
    opener.setAttribute("aria-expanded", "false");
  };
  opener.addEventListener("click", () => {
    const isOpen = panel.classList.toggle("sidebar--open");
    opener.setAttribute("aria-expanded", String(isOpen));
    if (isOpen) panel.querySelector("a, button")?.focus();
  });
  panel.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !panel.classList.contains("sidebar--open")) return;
    close();
    opener.focus();
  });
  return close;
}
