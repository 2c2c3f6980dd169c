/** The form that opens a session: its address carries the channel that is chosen in it. */
const form = document.querySelector("form[data-new-qa]");
const channel = form?.querySelector("[data-channel-of-form]");
channel?.removeAttribute("name");
channel?.addEventListener("change", () => {
  form.dataset.api = `POST /api/v1/channels/${channel.value}/qa`;
});
