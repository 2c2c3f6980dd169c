/** Forms that speak JSON: `data-api="POST /api/v1/…"`. */
import { api } from "./api.js";
import { explain, t, toast } from "./dom.js";
import { now } from "./time.js";

const ZERO_DECIMAL = new Set("BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF UGX VND VUV XAF XOF XPF".split(" "));
const THREE_DECIMAL = new Set("BHD JOD KWD OMR TND".split(" "));

/** Digits behind the decimal point of a currency. */
export const decimals = (currency) => (ZERO_DECIMAL.has(currency) ? 0 : THREE_DECIMAL.has(currency) ? 3 : 2);

/** "5,5" or "5.50" typed in major units → 550, by digits, never by a float. NaN when it is no amount. */
export function toMinor(text, currency) {
  const places = decimals(currency);
  const match = /^(-?)(\d+)(?:[.,](\d+))?$/.exec(text.trim());
  if (!match || (match[3] ?? "").length > places) return NaN;
  return Number(match[1] + match[2] + (match[3] ?? "").padEnd(places, "0"));
}

const READERS = {
  int: (text) => (/^-?\d+$/.test(text) ? Number(text) : text),
  list: (text) => text.split("\n").map((line) => line.trim()).filter(Boolean),
  moment: (text) => new Date(text).toISOString(),
  // Minutes from now → the moment.
  "from-now": (text) => new Date(now().getTime() + Number(text) * 60_000).toISOString(),
};

/**
 * The fields of a form as the JSON to send. Dots nest; empty fields that are not required are left out; checkboxes
 * that share a name make a list.
 * @param {HTMLFormElement} form
 */
export function collect(form) {
  const body = {};
  for (const control of form.elements) {
    if (!control.name || control.disabled) continue;
    const type = control.dataset.type;
    if (type === "bool") put(body, control.name, control.checked);
    else if (control.type === "checkbox") {
      const list = get(body, control.name) ?? [];
      put(body, control.name, control.checked ? [...list, control.value] : list);
    } else if (control.type === "radio" ? control.checked : control.value !== "" || control.required) {
      if (type === "money") put(body, control.name, toMinor(control.value, currencyOf(control)));
      else put(body, control.name, READERS[type] && control.value !== "" ? READERS[type](control.value) : control.value);
    }
  }
  return body;
}

const currencyOf = (control) => control.dataset.currency || control.form.elements["price.currency"]?.value || "USD";

function put(body, name, value) {
  const path = name.split(".");
  const last = path.pop();
  let place = body;
  for (const part of path) place = place[part] ??= {};
  place[last] = value;
}

const get = (body, name) => name.split(".").reduce((place, part) => place?.[part], body);

/** Flatten the API's nested `errors` to dotted names. */
export function flatten(errors, prefix = "") {
  return Object.entries(errors ?? {}).flatMap(([name, value]) => {
    const path = prefix ? `${prefix}.${name}` : name;
    if (typeof value === "string") return [[path, value]];
    if (Array.isArray(value)) return [[path, value.join(" ")]];
    return flatten(value, path);
  });
}

/** Show the errors beside their fields; what has no field goes to the top of the form. */
export function showErrors(form, error) {
  clearErrors(form);
  const unplaced = [];
  let first = null;
  for (const [name, text] of flatten(error.errors)) {
    const note = noteFor(form, name);
    if (!note) {
      unplaced.push(text);
      continue;
    }
    note.textContent = text;
    note.hidden = false;
    const control = document.getElementById(note.id.replace(/-error$/, ""));
    control?.setAttribute("aria-invalid", "true");
    first ??= control;
  }
  const box = form.querySelector("[data-form-error]");
  const summary = first && !unplaced.length ? "" : [error.errors && first ? "" : explain(error), ...unplaced].filter(Boolean).join(" ");
  if (box) {
    box.replaceChildren(Object.assign(document.createElement("p"), { textContent: summary }));
    box.hidden = !summary;
  } else if (summary) toast(summary, true);
  first?.focus();
}

/** The nearest place for an error: `price.amount_minor` may stand at `price`, `options.0` at `options`. */
function noteFor(form, name) {
  for (let path = name; path; path = path.includes(".") ? path.slice(0, path.lastIndexOf(".")) : "") {
    const note = form.querySelector(`[data-error-for="${CSS.escape(path)}"], [data-error-for^="${CSS.escape(path)}."]`);
    if (note) return note;
  }
  return null;
}

function clearErrors(form) {
  for (const note of form.querySelectorAll("[data-error-for]")) note.hidden = true;
  for (const control of form.querySelectorAll("[aria-invalid]")) control.removeAttribute("aria-invalid");
  const box = form.querySelector("[data-form-error]");
  if (box) box.hidden = true;
}

/** The browser's own rules, told in our places. @returns {boolean} */
function valid(form) {
  const errors = {};
  for (const control of form.elements) {
    if (control.name && control.willValidate && !control.validity.valid) errors[control.name] ??= [control.validationMessage];
    else if (control.dataset?.type === "money" && control.value && Number.isNaN(toMinor(control.value, currencyOf(control)))) {
      errors[control.name] = [t("bad_amount")];
    }
  }
  if (!Object.keys(errors).length) return true;
  const nested = {};
  for (const [name, value] of Object.entries(errors)) put(nested, name, value);
  showErrors(form, { message: "", errors: nested });
  return false;
}

/** Where to go after success, or null to stay. */
export function destination(element, answer) {
  if (element.dataset.nextField) return get(answer, element.dataset.nextField);
  if (element.dataset.next) {
    return element.dataset.next.replace(/\{([\w.]+)\}/g, (_, name) => encodeURIComponent(get(answer, name) ?? ""));
  }
  return null;
}

// A key per form and content: sending the same twice, after a time-out too, has one effect.
const keys = new WeakMap();

function keyFor(element, content) {
  const known = keys.get(element);
  if (known?.content === content) return known.key;
  const key = crypto.randomUUID();
  keys.set(element, { content, key });
  return key;
}

/** Send a form or a button with `data-api`. Fires `hub:done` with the answer; a listener may prevent the default move. */
export async function submit(element, submitter) {
  const form = element instanceof HTMLFormElement ? element : null;
  if (element.getAttribute("aria-busy") === "true" || (form && !valid(form))) return;
  if (element.dataset.confirm && !window.confirm(element.dataset.confirm)) return;
  const [method, url] = element.dataset.api.split(" ");
  const body = form ? collect(form) : JSON.parse(element.dataset.body || "{}");
  const bare = method === "DELETE" || method === "GET";
  setBusy(element, submitter, true);
  try {
    const answer = await api(method, url, bare ? undefined : body, { key: keyFor(element, JSON.stringify(body)) });
    keys.delete(element);
    if (form) clearErrors(form);
    const stay = !element.dispatchEvent(new CustomEvent("hub:done", { detail: answer, bubbles: true, cancelable: true }));
    if (!stay) move(element, answer);
  } catch (error) {
    if (error.status !== 0 && error.status < 500) keys.delete(element);
    if (error.status === undefined) throw error;
    if (error.code === "prove_again") {
      location.assign(`/confirm-password?next=${encodeURIComponent(location.pathname + location.search)}`);
      return;
    }
    if (form) showErrors(form, error);
    else toast(explain(error), true);
  } finally {
    setBusy(element, submitter, false);
  }
}

function move(element, answer) {
  const next = destination(element, answer);
  if (next) location.assign(next);
  else if (element.dataset.success) {
    toast(element.dataset.success);
    if (element instanceof HTMLFormElement) element.reset();
    element.closest("dialog")?.close();
  } else location.reload();
}

function setBusy(element, submitter, busy) {
  for (const each of [element, submitter]) each?.setAttribute("aria-busy", String(busy));
}
