/** The forms in the room's dialogs: they belong to the open channel, and what they do is seen in the stream. */
import { api } from "../lib/api.js";
import { explain, t, toast } from "../lib/dom.js";

/** Point the forms at the channel that is open now. */
export function aimForms(channelId) {
  for (const input of document.querySelectorAll("input[data-current-channel]")) input.value = channelId;
  for (const form of document.querySelectorAll("form[data-poll-form]")) form.dataset.api = `POST /api/v1/channels/${channelId}/polls`;
}

/** After success the dialog closes and the page stays; a new story begins with its first round. */
export function keepPage() {
  document.addEventListener("hub:done", (event) => {
    const form = event.target;
    if (!form.closest("#ban, #mute, #report, #new-poll, #new-chain")) return;
    event.preventDefault();
    form.closest("dialog").close();
    form.reset();
    if (form.closest("#report")) toast(t("reported"));
    if (form.matches("[data-first-round]")) {
      api("POST", `/api/v1/chains/${event.detail.id}/rounds`, {}).catch((error) => toast(explain(error), true));
    }
  });
}
