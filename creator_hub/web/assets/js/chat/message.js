/** One message as an element. */
import { avatar, h, icon, t } from "../lib/dom.js";
import { clockTime, dateTime } from "../lib/time.js";
import { names } from "./naming.js";

const BADGES = { creator: "gold", moderator: "accent", staff: "accent", bot: "neutral" };

export const roleBadge = (role) => BADGES[role] && h("span", { class: `badge badge--${BADGES[role]}` }, t(`role_${role}`));

/** @param {object} message the wire Message @param {object|null} quoted the message it answers, when it is known */
export function messageRow(message, quoted, context) {
  const sent = new Date(message.sent_at);
  const { author } = message;
  const marks = [author.role === "creator" && "msg--creator", names(message, context.me.handle) && "msg--named"];
  const row = h("li", { class: ["msg", ...marks.filter(Boolean)].join(" "), id: `m-${message.id}` },
    h("div", { class: "msg__side" }, avatar(author.display_name), h("time", { class: "msg__clock", dateTime: message.sent_at, title: dateTime(sent) }, clockTime(sent))),
    h("div", { class: "msg__main" },
      h("p", { class: "msg__head" }, h("strong", {}, author.display_name), roleBadge(author.role),
        h("time", { dateTime: message.sent_at, title: dateTime(sent) }, clockTime(sent))),
      message.reply_to && quote(message.reply_to, quoted),
      message.deleted ? h("p", { class: "msg__gone" }, t("deleted")) : body(message),
      message.attachments?.length > 0 && pictures(message),
      !message.deleted && reactions(message, context)));
  if (!message.deleted) {
    row.append(h("button", {
      class: "iconbutton msg__more", type: "button", "aria-haspopup": "menu",
      "aria-label": t("message_actions", { name: author.display_name }), onclick: (event) => context.onMenu(message, event.currentTarget),
    }, icon("more")));
  }
  return row;
}

/** `html` was rendered and cleaned by the server (only harmless inline tags); the page's policy runs no script either. */
function body(message) {
  const text = h("div", { class: "msg__text" });
  text.innerHTML = message.html;
  if (message.edited_at) text.append(" ", h("span", { class: "msg__edited", title: dateTime(new Date(message.edited_at)) }, t("edited")));
  return text;
}

/** Width and height are told, so that nothing jumps when a picture arrives. */
function pictures(message) {
  return h("div", { class: "msg__pictures" }, message.attachments.map((each) =>
    h("a", { class: "msg__picture", href: each.url, target: "_blank", rel: "noopener" },
      h("img", { src: each.thumbnail_url, width: each.width, height: each.height, loading: "lazy", alt: t("picture_by", { name: message.author.display_name, file: each.name }) }))));
}

function quote(id, quoted) {
  if (!quoted) return h("p", { class: "msg__quote" }, icon("reply"), t("older_message"));
  const text = quoted.deleted ? t("deleted") : quoted.text || t("picture");
  return h("a", { class: "msg__quote", href: `#m-${id}` }, icon("reply"), h("strong", {}, quoted.author.display_name), " ", text.slice(0, 120));
}

function reactions(message, context) {
  const counts = Object.entries(message.reactions ?? {}).filter(([, count]) => count > 0);
  if (!counts.length) return null;
  return h("div", { class: "msg__reactions" }, counts.map(([emoji, count]) => {
    const mine = Boolean(message.my_reactions?.includes(emoji));
    return h("button", {
      class: "reaction", type: "button", "aria-pressed": String(mine), "aria-label": t("reaction", { emoji, count }),
      onclick: () => context.onReact(message, emoji),
    }, emoji, h("span", {}, String(count)));
  }));
}

/** A message that is on its way, or was refused. */
export function pendingRow(item, context) {
  return h("li", { class: `msg msg--pending ${item.failed ? "msg--failed" : ""}` },
    h("div", { class: "msg__side" }, avatar(context.me.display_name)),
    h("div", { class: "msg__main" },
      h("p", { class: "msg__head" }, h("strong", {}, context.me.display_name)),
      h("div", { class: "msg__text msg__text--plain" }, item.text || t("picture")),
      item.failed
        ? h("p", { class: "msg__failed" }, `${t("not_sent")} ${item.failed} `,
            h("button", { class: "linkbutton", type: "button", onclick: () => context.onRetry(item) }, t("retry")), " ",
            h("button", { class: "linkbutton", type: "button", onclick: () => context.onDiscard(item) }, t("discard")))
        : h("p", { class: "msg__sending" }, t("sending"))));
}
