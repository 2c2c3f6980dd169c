/** Times in the reader's language and zone. */

// The server's clock counts: a browser may be wrong, and a demo moves its days. Seconds of travel are no difference.
const told = Date.parse(globalThis.document?.querySelector('meta[name="server-time"]')?.content ?? "");
const ahead = told - Date.now();
const skew = Math.abs(ahead) > 30_000 ? ahead : 0;

/** The moment as the server has it. */
export const now = () => new Date(Date.now() + skew);

const locale = () => document.documentElement.lang || undefined;
const cache = new Map();

function format(kind, options) {
  if (!cache.has(kind)) cache.set(kind, new Intl.DateTimeFormat(locale(), options));
  return cache.get(kind);
}

export const clockTime = (moment) => format("time", { timeStyle: "short" }).format(moment);
export const date = (moment) => format("date", { dateStyle: "medium" }).format(moment);
export const dateTime = (moment) => format("datetime", { dateStyle: "medium", timeStyle: "short" }).format(moment);
export const dayKey = (moment) => `${moment.getFullYear()}-${moment.getMonth()}-${moment.getDate()}`;

const relativeFormat = () => new Intl.RelativeTimeFormat(locale(), { numeric: "auto" });
const UNITS = [["day", 86_400], ["hour", 3_600], ["minute", 60]];

/** "today", "yesterday", or the full date. */
export function dayName(moment, today = now()) {
  const days = Math.round((new Date(moment).setHours(0, 0, 0, 0) - new Date(today).setHours(0, 0, 0, 0)) / 86_400_000);
  if (Math.abs(days) < 2) return relativeFormat().format(days, "day");
  return format("day", { weekday: "long", day: "numeric", month: "long", year: "numeric" }).format(moment);
}

/** "5 minutes ago", "in 2 hours"; beyond a month the date. */
export function relative(moment, from = now()) {
  const seconds = (moment - from) / 1000;
  if (Math.abs(seconds) > 30 * 86_400) return date(moment);
  for (const [unit, length] of UNITS) {
    if (Math.abs(seconds) >= length) return relativeFormat().format(Math.trunc(seconds / length), unit);
  }
  return relativeFormat().format(0, "second");
}

/** What is left until a moment: "2 d 3 h", "3 h 5 min", "4:05"; empty when it has passed. */
export function countdown(moment, from = now()) {
  const seconds = Math.ceil((moment - from) / 1000);
  if (seconds <= 0) return "";
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}:${String(seconds % 60).padStart(2, "0")}`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours} h ${minutes % 60} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

const SHOW = { time: clockTime, date, datetime: dateTime, relative };

/** Put every <time data-time> under `root` into local time. */
export function localise(root = document) {
  for (const element of root.querySelectorAll("time[data-time]")) {
    const moment = new Date(element.dateTime);
    element.textContent = (SHOW[element.dataset.time] ?? dateTime)(moment);
    element.title = dateTime(moment);
  }
}
