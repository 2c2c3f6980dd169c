/** Pictures that wait to go with the next message: chosen, pasted or dropped, uploaded at once with progress. */
import { ApiError, upload } from "../lib/api.js";
import { explain, h, icon, t, toast } from "../lib/dom.js";

const MOST = 8;
const KINDS = ["image/jpeg", "image/png", "image/webp", "image/gif"];

export class Pictures {
  /** @param {HTMLFormElement} form the composer @param {HTMLElement} dropzone @param {() => void} onChange */
  constructor(form, dropzone, onChange) {
    this.onChange = onChange;
    this.tray = form.querySelector("[data-pictures]");
    this.input = form.elements.pictures;
    this.items = [];
    form.querySelector("[data-add-picture]").addEventListener("click", () => this.input.click());
    this.input.addEventListener("change", () => {
      this.#take(this.input.files);
      this.input.value = "";
    });
    form.elements.text.addEventListener("paste", (event) => {
      if (!event.clipboardData?.files.length) return;
      event.preventDefault();
      this.#take(event.clipboardData.files);
    });
    for (const kind of ["dragover", "drop"]) {
      dropzone.addEventListener(kind, (event) => {
        if (!event.dataTransfer?.types.includes("Files") || form.hidden) return;
        event.preventDefault();
        if (kind === "drop") this.#take(event.dataTransfer.files);
      });
    }
  }

  /** Move to a channel; what was not sent in another stays behind. */
  open(channelId) {
    for (const item of this.items) item.stop.abort();
    this.channelId = channelId;
    this.items = [];
    this.#show();
  }

  get busy() {
    return this.items.some((item) => !item.done);
  }

  get count() {
    return this.items.length;
  }

  /** Hand over what is uploaded, in the order it was chosen. @returns {object[]} attachments as the API gave them */
  take() {
    const ready = this.items.map((item) => item.done);
    this.items = [];
    this.#show();
    return ready;
  }

  #take(files) {
    for (const file of files) {
      if (!KINDS.includes(file.type)) toast(t("not_a_picture", { name: file.name }), true);
      else if (this.items.length >= MOST) toast(t("too_many_pictures", { count: MOST }), true);
      else this.#upload(file);
    }
  }

  async #upload(file) {
    const item = { name: file.name, done: null, progress: 0, stop: new AbortController() };
    this.items.push(item);
    this.#show();
    try {
      item.done = await upload(`/api/v1/uploads?channel_id=${this.channelId}`, file, {
        signal: item.stop.signal,
        onProgress: (part) => {
          item.progress = part;
          if (item.bar) item.bar.value = part;
        },
      });
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.items = this.items.filter((each) => each !== item);
      if (error.code !== "aborted") toast(`${file.name}: ${error.errors?.file?.join(" ") ?? explain(error)}`, true);
    }
    this.#show();
  }

  #remove(item) {
    item.stop.abort();
    this.items = this.items.filter((each) => each !== item);
    this.#show();
  }

  #show() {
    this.tray.hidden = this.items.length === 0;
    this.tray.replaceChildren(...this.items.map((item) => {
      item.bar = item.done ? null : h("progress", { max: "1", value: String(item.progress), "aria-label": t("uploading", { name: item.name }) });
      return h("li", { class: "tray__item" },
        item.done ? h("img", { src: item.done.thumbnail_url, alt: item.name }) : h("span", { class: "tray__wait" }, icon("image"), item.bar),
        h("button", { class: "iconbutton tray__remove", type: "button", "aria-label": t("remove_picture", { name: item.name }), onclick: () => this.#remove(item) }, icon("close")));
    }));
    this.onChange();
  }
}
