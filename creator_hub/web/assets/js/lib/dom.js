/** Small helpers for making elements, and the texts the page brings along in the reader's language. */

/**
 * @param {string} tag @param {object} [props] `class`, `data-*`, `aria-*`, `on…` listeners, or properties
 * @param {...(Node|string|null|false)} children
 */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name in element && !name.includes("-")) element[name] = value;
    else element.setAttribute(name === "class" ? "class" : name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

const SVG = "http://www.w3.org/2000/svg";

export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `${document.documentElement.dataset.sprite}#${name}`);
  svg.append(use);
  return svg;
}

const LETTERS = "abcdefghijklmnopqrstuvwxyz";

/** A person's or group's mark: the initial on one of six colours, the same as the server's macro draws. */
export function avatar(name, size = "") {
  const letters = [...name.trim()];
  const place = (letter) => LETTERS.indexOf(letter.toLowerCase());
  const hue = (((place(letters[0]) + 2 * place(letters.at(-1))) % 6) + 6) % 6;
  return h("span", { class: `avatar ${size && `avatar--${size}`}`, "data-hue": String(hue), "aria-hidden": "true" }, letters[0].toUpperCase());
}

/** The JSON of a script element by id. */
export const pageData = (id) => JSON.parse(document.getElementById(id)?.textContent || "null");

let texts = null;

/** A text of the page by key; `{name}` is filled from `params`. */
export function t(key, params = {}) {
  texts ??= Object.assign({}, ...[...document.querySelectorAll("script[data-texts]")].map((each) => JSON.parse(each.textContent)));
  return (texts[key] ?? key).replace(/\{(\w+)\}/g, (_, name) => params[name] ?? "");
}

/** Say something briefly; screen readers hear it too. */
export function toast(text, bad = false) {
  const box = document.querySelector("[data-toasts]");
  const note = h("p", { class: `toast ${bad ? "toast--bad" : ""}` }, text);
  box.append(note);
  setTimeout(() => note.remove(), bad ? 8000 : 4500);
}

/** What to tell a person about an error of the API. */
export function explain(error) {
  if (error.status === 0) return t("offline");
  if (error.retryAfter) return `${error.message} ${t("retry_in", { seconds: error.retryAfter })}`;
  return error.message || t("failed");
}
