/** Following one channel from a page that shows a single thing of it: hear that something changed, read it again. */
import { io } from "socket.io-client";

/**
 * Call `onNews` after every (re)connection and whenever `concerns(name, payload)` says so.
 * @param {string} channelId @param {(name: string, payload: object) => boolean} concerns @param {() => void} onNews
 */
export function watch(channelId, concerns, onNews) {
  const socket = io({ transports: ["websocket"], reconnectionDelayMax: 5_000 });
  socket.on("connect", () => socket.emit("channel.join", { channel_id: channelId }, () => onNews()));
  socket.onAny((name, payload) => concerns(name, payload) && onNews());
  return socket;
}

/** Run `work` now, or once more when it ends, however often it is asked for meanwhile. */
export function once(work) {
  let running = false;
  let again = false;
  return async function run() {
    if (running) {
      again = true;
      return;
    }
    running = true;
    try {
      do {
        again = false;
        await work();
      } while (again);
    } finally {
      running = false;
    }
  };
}
