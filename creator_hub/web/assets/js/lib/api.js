/** Talking to /api/v1: JSON both ways, CSRF, one error type. */

/** An answer of the API that is not a success (problem+json), or status 0 when there was no answer. */
export class ApiError extends Error {
  /** @param {{status: number, code?: string, detail?: string, title?: string, errors?: object, retryAfter?: number}} problem */
  constructor(problem) {
    super(problem.detail || problem.title || "");
    this.status = problem.status;
    this.code = problem.code || "unknown";
    this.errors = problem.errors || null;
    this.retryAfter = problem.retryAfter ?? null;
  }
}

const csrfToken = () => document.querySelector('meta[name="csrf-token"]')?.content ?? "";

/**
 * One request. Every POST carries an Idempotency-Key, so that a retry of the same action is safe: pass the same
 * `key` again to retry.
 * @param {string} method
 * @param {string} url
 * @param {object} [body]
 * @param {{key?: string, signal?: AbortSignal}} [options]
 * @returns {Promise<any>} the parsed answer, or null when it has no body
 */
export async function api(method, url, body, { key, signal } = {}) {
  const headers = { Accept: "application/json" };
  if (method !== "GET") headers["X-CSRF-Token"] = csrfToken();
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (method === "POST") headers["Idempotency-Key"] = key ?? crypto.randomUUID();
  let response;
  try {
    response = await fetch(url, {
      method, headers, signal,
      body: body === undefined ? undefined : JSON.stringify(body),
      credentials: "same-origin",
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError({ status: 0, code: "offline" });
  }
  const text = await response.text();
  const answer = text ? parse(text) : null;
  if (response.ok) return answer;
  const retryAfter = Number(response.headers.get("Retry-After")) || undefined;
  throw new ApiError({ ...answer, status: response.status, retryAfter });
}

/**
 * Send one file as a form does, with progress from 0 to 1 (fetch tells none).
 * @param {string} url @param {File} file @param {{onProgress?: (part: number) => void, signal?: AbortSignal}} [options]
 * @returns {Promise<any>} the parsed answer; an aborted upload rejects with the code `aborted`
 */
export function upload(url, file, { onProgress, signal } = {}) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const refuse = (problem) => reject(new ApiError(problem));
    request.open("POST", url);
    request.setRequestHeader("X-CSRF-Token", csrfToken());
    request.upload.onprogress = (event) => event.lengthComputable && onProgress?.(event.loaded / event.total);
    request.onload = () => {
      const answer = parse(request.responseText);
      if (request.status < 300) resolve(answer);
      else refuse({ ...answer, status: request.status, retryAfter: Number(request.getResponseHeader("Retry-After")) || undefined });
    };
    request.onerror = () => refuse({ status: 0, code: "offline" });
    request.onabort = () => refuse({ status: 0, code: "aborted" });
    signal?.addEventListener("abort", () => request.abort());
    const form = new FormData();
    form.append("file", file);
    request.send(form);
  });
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return { detail: "" };
  }
}
