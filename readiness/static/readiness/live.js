// Open pages follow the ledger. A browser holds few connections to one host, so its tabs share one stream: whoever holds
// the lock reads it and passes on what it says. Where that does not work, pages ask now and then, as they were drawn to.

const MOVES_EVERY_MS = 300;
const SLOWLY_MS = 30_000; // While the stream works: for what time alone changes.
const ASKS_LEADER_EVERY_MS = 20_000;
const LEADER_ANSWERS_WITHIN_MS = 5_000;
const AGAIN_AFTER_MS = 15_000;
const AGAIN_AT_MOST_AFTER_MS = 300_000;
const KEPT = 500;
const LOCK = "readiness-live";
const WHOLE = /^(checklist\.landed|(service|environment)\.(added|changed|archived|restored|transferred))$/; // No part shows it.

const address = document.querySelector("[data-live]")?.dataset.live;
const regions = () => [...document.querySelectorAll("[data-follows]")];
const drawnFrom = Math.max(0, ...regions().map((region) => Number.parseInt(region.dataset.since, 10) || 0));

// --- from a message to one question, at most every so often, never two at a time ---------------------------------------
const pending = new Set();
const asked = new Map(); // The id of a region to when it asked last, and how long the answer took.
const underWay = new Map(); // The id of a region to the element that asks, and its request.
const acting = new Set(); // What somebody does is on its way: the requests.
const isUnderWay = (id) => underWay.get(id)?.elt.isConnected ?? false; // No answer comes for one that was replaced.
let streaming = false;
let timer;

function concerns(region, { service, environment }) {
  const [wanted, where] = region.dataset.follows.split("/");
  if (wanted === "*" || service === null) return true;
  return service === wanted && (!where || environment === null || environment === where);
}

function moved(message) {
  for (const region of regions()) {
    if (!concerns(region, message)) continue;
    pending.add(region.id);
    if (region.id === "live" && WHOLE.test(message.kind)) document.dispatchEvent(new CustomEvent("readiness:outdated"));
  }
  soon();
}

function waitFor(id) {
  const { at = 0, took = 0 } = asked.get(id) ?? {};
  return Math.max(0, at + Math.max(MOVES_EVERY_MS, 4 * took) - Date.now()); // A slow page is asked for less often.
}

function soon() {
  const ready = [...pending].filter((id) => !isUnderWay(id));
  if (timer !== undefined || !ready.length || document.hidden || acting.size) return;
  timer = setTimeout(ask, Math.max(30, Math.min(...ready.map(waitFor)))); // What comes together is asked for together.
}

function ask() {
  timer = undefined;
  if (document.hidden || acting.size) return; // It catches up when it is shown, or when that is done.
  const now = [...pending].filter((id) => !isUnderWay(id) && waitFor(id) <= 0);
  for (const id of now) pending.delete(id);
  if (now.length) document.body.dispatchEvent(new CustomEvent("readiness:moved", { detail: { regions: now } }));
  soon();
}

document.addEventListener("htmx:beforeRequest", (event) => {
  const { elt, requestConfig } = event.detail;
  if (!elt.matches("[data-poll]")) return;
  const cause = requestConfig.triggeringEvent;
  const isMove = cause?.type === "readiness:moved";
  if (acting.size || (isMove && !cause.detail.regions.includes(elt.id))) return event.preventDefault();
  const { at = loadedAt, failed } = asked.get(elt.id) ?? {};
  const rests = streaming && !failed && elt.dataset.poll !== "busy" && Date.now() - at < SLOWLY_MS;
  if (!isMove && rests) event.preventDefault();
});
const loadedAt = Date.now();

document.addEventListener("htmx:beforeSend", ({ detail: { elt, requestConfig, xhr } }) => {
  if (elt.matches("[data-poll]")) follow(elt.id, elt, xhr);
  else if (requestConfig.verb !== "get" || elt.matches("[data-leaves]")) act(xhr);
  xhr.addEventListener("loadend", () => { setTimeout(soon, 100); }); // Once htmx has taken up what it swapped in.
});

function follow(id, elt, xhr) {
  const at = Date.now();
  underWay.set(id, { elt, xhr });
  asked.set(id, { at, took: asked.get(id)?.took ?? 0 });
  xhr.addEventListener("loadend", () => { // Of one that was replaced htmx tells nothing.
    if (underWay.get(id)?.xhr !== xhr) return;
    underWay.delete(id);
    asked.set(id, { at, took: Date.now() - at, failed: xhr.status === 0 || xhr.status >= 500 });
  });
}

// What was asked for before somebody did something may be older than its answer: it is asked for after that.
function act(xhr) {
  acting.add(xhr);
  xhr.addEventListener("loadend", () => acting.delete(xhr));
  for (const id of underWay.keys()) askLater(id);
}

function askLater(id) {
  const { xhr } = underWay.get(id);
  underWay.delete(id);
  pending.add(id);
  xhr.abort();
}

// What is replaced while it asks gets no answer: what stands there now asks.
document.addEventListener("htmx:afterSettle", () => {
  for (const [id, { elt, xhr }] of underWay) {
    if (!elt.isConnected && xhr.readyState !== XMLHttpRequest.DONE) askLater(id);
  }
  soon();
});

document.addEventListener("readiness:again", ({ detail: id }) => {
  pending.add(id);
  soon();
});

document.addEventListener("visibilitychange", soon);

// --- one stream for all tabs ------------------------------------------------------------------------------------------
let last = drawnFrom; // The newest event that this tab was told of.
let leading = false;
let source;
let channel;
let kept = []; // What the leader heard, for tabs that open meanwhile; from the event after `keptFrom`.
let keptFrom = 0;
let wait = AGAIN_AFTER_MS;
let retry;
let release = () => {};
let leave = () => {};
let answered = 0; // When the leader was last heard.

function tell(what) { channel?.postMessage(what); }

function setStreaming(works) {
  streaming = works;
  document.documentElement.dataset.stream = works ? "open" : "none";
}

function take(message) {
  if (message.id <= last && message.kind !== "reload") return;
  last = message.id; // After a ledger was restored from a backup this may be less than before.
  moved(message);
}

function open() {
  source = new EventSource(`${address}?since=${last}`);
  [kept, keptFrom] = [[], last];
  source.onopen = () => {
    wait = AGAIN_AFTER_MS;
    setStreaming(true);
    tell({ type: "state", streaming });
  };
  source.onmessage = ({ lastEventId, data }) => {
    const message = { id: Number(lastEventId), ...JSON.parse(data) };
    kept.push(message);
    if (kept.length > KEPT) keptFrom = kept.shift().id;
    tell({ type: "moved", message });
    take(message);
  };
  source.onerror = () => {
    setStreaming(false);
    tell({ type: "state", streaming });
    if (source.readyState !== EventSource.CLOSED) return; // The browser connects again by itself.
    retry = setTimeout(open, wait);
    wait = Math.min(2 * wait, AGAIN_AT_MOST_AFTER_MS);
  };
}

function lead() {
  leading = true;
  open();
  return new Promise((resolve) => { release = resolve; });
}

function stopLeading() {
  clearTimeout(retry);
  source?.close();
  leading = false;
  setStreaming(false);
  release();
}

function stand(options) {
  const leaving = new AbortController();
  leave = () => leaving.abort();
  const wanted = options?.steal ? options : { signal: leaving.signal };
  // Whoever was frozen finds its lock taken, and stands again.
  navigator.locks.request(LOCK, wanted, lead).catch(() => {
    if (!leading) return;
    stopLeading();
    stand();
  });
}

function hear({ data }) {
  if (data.type === "hello") {
    if (!leading) return;
    const messages = data.since >= keptFrom ? kept.filter(({ id }) => id > data.since) : null;
    tell({ type: "since", to: data.from, streaming, last, messages });
    return;
  }
  if (leading || (data.type === "since" && data.to !== me)) return;
  answered = Date.now();
  if (data.type === "moved") return take(data.message);
  setStreaming(data.streaming);
  if (data.type !== "since") return;
  if (data.messages === null && data.last > last) take({ id: data.last, kind: "reload", service: null, environment: null });
  for (const message of data.messages ?? []) take(message);
}

const me = Math.random().toString(36).slice(2);

function greet() {
  if (leading || !channel) return;
  const at = Date.now();
  tell({ type: "hello", from: me, since: last });
  setTimeout(() => {
    if (leading || answered >= at || document.hidden || !channel) return;
    setStreaming(false);
    leave();
    stand({ steal: true }); // Its tab is frozen: nobody reads for us.
  }, LEADER_ANSWERS_WITHIN_MS);
}

function begin() {
  channel = new BroadcastChannel(LOCK);
  channel.onmessage = hear;
  setStreaming(false);
  stand();
  greet();
}

function end() {
  leave();
  if (leading) stopLeading();
  channel?.close();
  channel = undefined;
}

const can = "EventSource" in window && "BroadcastChannel" in window && navigator.locks;
if (can && address && regions().length) {
  begin();
  setInterval(() => { if (!document.hidden) greet(); }, ASKS_LEADER_EVERY_MS);
  addEventListener("pagehide", end);
  addEventListener("pageshow", (event) => { if (event.persisted) begin(); });
  document.addEventListener("freeze", end);
  document.addEventListener("resume", () => { if (!channel) begin(); });
}
