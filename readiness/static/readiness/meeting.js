// A review meeting: keys that decide, "I am here" now and then, minutes that count on, and what could not be sent.
// Everything here has a control of its own, and without this file the page is plain forms.

const root = document.querySelector("[data-meeting]");
const announcer = document.getElementById("announcer");
const off = document.body.dataset.keys === "off";
const BEAT_EVERY_MS = 30_000;
const AGAIN_EVERY_MS = 2_000;
const MINUTE_MS = 60_000;
const TYPING = "input:not([type=checkbox], [type=radio], [type=hidden]), textarea, select, [contenteditable], dialog";

const words = root?.dataset ?? {}; // In the language of the page.
const say = (said) => { if (announcer) announcer.textContent = said; };
const byId = (id) => document.getElementById(id);

// --- moving from line to line -------------------------------------------------------------------------------------------
const rows = () => [...root.querySelectorAll(".agenda-row")];
const isChanged = (field) => field.value !== field.defaultValue;

// What somebody types into a line is not left behind by moving on.
function draft() {
  const line = byId("meeting-line");
  return [...line.querySelectorAll("textarea, input[type=text]")].find(isChanged) ?? null;
}

function move(step) {
  const all = rows();
  const at = all.findIndex((row) => row.hasAttribute("aria-current"));
  const next = all[Math.min(all.length - 1, Math.max(0, at + step))];
  if (next && next !== all[at]) next.click();
}

document.addEventListener("htmx:confirm", (event) => {
  if (!root || !event.target.closest("[data-leaves]")) return;
  const typed = draft();
  if (!typed) return;
  event.preventDefault();
  for (let one = typed.closest("details"); one; one = one.parentElement.closest("details")) one.open = true;
  typed.focus();
  say(words.wordsTyped);
});

// --- deciding -----------------------------------------------------------------------------------------------------------
function arm(id) {
  const anew = byId("meeting-line").querySelector(".anew:not([open])");
  if (anew) anew.open = true;
  const button = byId(id);
  if (!button) return say(byId("why-not-decide")?.textContent.trim() ?? words.wordsNothing);
  if (button.disabled) {
    const why = byId(button.getAttribute("aria-describedby"));
    return say(why ? why.textContent.replace(/\s+/g, " ").trim() : words.wordsCannot);
  }
  button.focus();
  say(words.wordsEnter.replace("{decision}", button.firstChild.textContent.trim()));
}

function open(what) {
  const anew = byId("meeting-line").querySelector(".anew:not([open])");
  if (anew) anew.open = true;
  const part = root.querySelector(what);
  if (!part) return false;
  part.open = true;
  const field = part.querySelector(TYPING);
  field?.focus();
  field?.scrollIntoView({ block: "center" });
  return true;
}

const ACTS = {
  j: () => move(1),
  k: () => move(-1),
  g: () => arm("decide-go"),
  n: () => arm("decide-no-go"),
  c: () => { if (byId("decide-conditional")?.disabled || !open("[data-conditions]")) arm("decide-conditional"); },
  d: () => { if (!open("[data-dissent]")) arm("decide-no-go"); },
  m: () => { byId("note_text")?.focus(); },
  f: () => { root.querySelector("[data-follow]")?.click(); },
};

document.addEventListener("keydown", (event) => {
  if (!root) return;
  const field = event.target.closest(TYPING);
  if (event.key === "Enter" && field?.form?.id === "decide-form") return enter(event, field);
  if (event.key === "Escape" && event.target.closest(".decide-keys")) {
    event.target.blur();
    return say(words.wordsLeft);
  }
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey || event.isComposing) return;
  if (off || field || (event.repeat && !"jk".includes(event.key))) return;
  const act = ACTS[event.key.toLowerCase()];
  if (!act) return;
  event.preventDefault();
  act();
});

// Enter in a field of the decision goes on to a button and never decides by itself, but for the conditions of a go.
function enter(event, field) {
  const sends = event.ctrlKey || event.metaKey;
  if (field.matches("select") || (field.matches("textarea") && !sends)) return;
  event.preventDefault();
  const conditional = byId("decide-conditional");
  if (field.closest("[data-conditions]") && !conditional.disabled) conditional.click();
  else say(words.wordsLeave);
}

// --- one poll, whatever else is asked -----------------------------------------------------------------------------------
// The element that asks what changed stays where it is: what somebody did meanwhile tells it what to ask for from now on.
document.addEventListener("htmx:oobBeforeSwap", (event) => {
  const { target, fragment } = event.detail;
  const fresh = fragment.id === "meeting-live" ? fragment : fragment.querySelector?.("#meeting-live");
  if (target.id !== "meeting-live" || !fresh) return;
  event.detail.shouldSwap = false;
  for (const name of ["hx-get", "hx-trigger", "data-since", "data-poll"]) target.setAttribute(name, fresh.getAttribute(name));
  window.htmx.process(target);
});

// Of two lines that were chosen one after the other, the later is shown: answers may come in another order.
let going = null;
document.addEventListener("htmx:beforeSend", ({ detail: { elt, xhr } }) => {
  if (!root || !elt.matches("[data-leaves]")) return;
  if (going && going.readyState !== XMLHttpRequest.DONE) going.abort();
  going = xhr;
});

// --- what follows an answer ---------------------------------------------------------------------------------------------
let shown = root && byId("meeting-line").dataset.line;

function settle() {
  const line = byId("meeting-line");
  if (!line || line.dataset.line === shown) return;
  shown = line.dataset.line;
  if (document.activeElement !== document.body) return; // Somebody was faster, and types already.
  byId("line-title").focus({ preventScroll: true });
  root.querySelector(".agenda-row[aria-current]")?.scrollIntoView({ block: "nearest" });
  requestAnimationFrame(() => scrollTo({ top: 0, behavior: "instant" })); // After whatever keeps the place of a part.
}

// What decided a line or kept a note is left at once: no second Enter finds it, and the keys are the page's again.
document.addEventListener("htmx:beforeRequest", ({ detail }) => {
  if (root && ["decide-form", "note-form"].includes(detail.elt.id)) document.activeElement?.blur();
  if (root && detail.elt.id === "decide-form") decidedOn = byId("meeting-line").dataset.line;
});
let decidedOn = null; // The line that was sent from here; the next one may come with another answer, and is ours too.

// The minutes stay at their end, unless somebody reads further up.
let atEnd = true;
document.addEventListener("htmx:oobBeforeSwap", ({ detail: { target } }) => {
  if (target.id === "meeting-minutes") atEnd = target.scrollTop + target.clientHeight >= target.scrollHeight - 8;
}, true);
function showEnd() {
  const card = byId("meeting-minutes");
  if (card && atEnd) card.scrollTop = card.scrollHeight;
}

const isOwn = ({ detail }) => detail.requestConfig && !detail.requestConfig.elt?.matches("[data-poll]");
document.addEventListener("htmx:afterSwap", (event) => { if (root && isOwn(event)) settle(); });

document.addEventListener("htmx:afterSettle", (event) => {
  if (!root) return;
  const goesOn = decidedOn !== null && byId("meeting-line").dataset.line !== decidedOn;
  if (goesOn) decidedOn = null;
  const own = isOwn(event);
  if (own || goesOn) settle();
  else if (document.activeElement === document.body || !document.activeElement.closest("#meeting-line")) shown = byId("meeting-line").dataset.line;
  if (own && [409, 422].includes(event.detail.xhr?.status)) {
    decidedOn = null;
    setTimeout(() => {
      const line = byId("meeting-line");
      line.querySelector('[aria-invalid="true"]')?.focus();
      line.querySelector("[role=alert]")?.scrollIntoView({ block: "nearest" });
    });
  }
  minutes();
  queueMicrotask(showEnd); // After what keeps the place of a part, and before the next answer.
});

// --- what could not be sent -----------------------------------------------------------------------------------------------
// Decisions and notes that met no answer are kept and sent again, one after the other, with the keys they had: what did
// arrive is not done twice. A later one about the same line, or of the same text, takes the place of one that waits.
let unsent = [];
let again;
let loadsAnew = false; // The page is left to be drawn anew: nothing is lost by that.
const SHELF = `readiness-unsent ${words.person} ${location.pathname}`; // It outlives a reload, and is one person's alone.
const OLD_MS = 600_000; // Whatever is older when the page is opened again is sent only once somebody says so.
const ANSWERS = new Set([200, 204, 409, 422]);

const newKey = () => [...crypto.getRandomValues(new Uint8Array(12))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
const isPage = (xhr) => /^\s*<!doctype/i.test(xhr.responseText); // Such as the one to sign in at.

document.addEventListener("htmx:configRequest", ({ detail }) => {
  if (!root || !detail.elt.matches("[data-keeps]") || detail.verb !== "post") return;
  if (!detail.parameters.key) detail.parameters.key = newKey();
  detail.elt.kept = Object.fromEntries(Object.entries(detail.parameters));
});

function keep(elt, path) {
  const kind = elt.kept.kind && byId("decide-form")?.querySelector(`[value="${CSS.escape(elt.kept.kind)}"]`);
  const told = elt.dataset.what ? `${kind ? kind.firstChild.textContent.trim() : ""}, ${elt.dataset.what}.` : elt.kept.text;
  const { csrfmiddlewaretoken, ...values } = elt.kept; // The page has one whenever it sends.
  const one = { path, told, values, note: elt.id === "note-form", at: Date.now() };
  wait([...unsent.filter((other) => !isSame(other, path, values)), one]);
}

function isSame(one, path, values) {
  if (one.path !== path) return false;
  const name = one.note ? "text" : "line";
  return one.values.key === values.key || one.values[name] === values[name];
}

function wait(left) {
  unsent = left;
  clearInterval(again);
  if (left.some((one) => !one.isOld)) again = setInterval(resend, AGAIN_EVERY_MS);
  byId("unsent").querySelector("[data-unsent-words]").textContent = left.map((one) => one.told).join(" ");
  byId("unsent").querySelector("[data-unsent-send]").hidden = !left.some((one) => one.isOld);
  byId("unsent").hidden = !left.length;
  try {
    if (left.length) sessionStorage.setItem(SHELF, JSON.stringify(left));
    else sessionStorage.removeItem(SHELF);
  } catch { /* The browser keeps nothing: it lives as long as the page. */ }
}

// What a reload or a new sign-in left behind.
function takeUp() {
  let left = [];
  try { left = JSON.parse(sessionStorage.getItem(SHELF) ?? "[]"); } catch { /* As above. */ }
  if (left.length) wait(left.map((one) => ({ ...one, wasRefused: false, isOld: Date.now() - one.at > OLD_MS })));
}

let sending = null;
async function resend() {
  if (sending) return;
  for (const one of unsent.filter(({ isOld }) => !isOld)) {
    if (!unsent.includes(one)) continue;
    sending = one;
    const values = { ...one.values, csrfmiddlewaretoken: document.querySelector("[name=csrfmiddlewaretoken]").value };
    await window.htmx.ajax("POST", one.path, { source: root, swap: "none", values }).catch(() => {});
  }
  sending = null;
}

// What is sent again and meets a fault says so once.
document.addEventListener("htmx:responseError", (event) => {
  if (!sending || event.detail.elt !== root) return;
  if (sending.wasRefused) event.stopImmediatePropagation();
  sending.wasRefused = true;
}, true);

const keeps = (elt, config) => root && elt?.matches("[data-keeps]") && config?.verb === "post" && elt.kept;
const noAnswer = ({ detail }) => { if (keeps(detail.elt, detail.requestConfig)) keep(detail.elt, detail.requestConfig.path); };
document.addEventListener("htmx:sendError", noAnswer);
document.addEventListener("htmx:responseError", (event) => { if (event.detail.xhr.status >= 502) noAnswer(event); });

// A session that ended is answered with the page to sign in at, to which the whole page goes: before that it is kept.
document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  if (!root || detail.xhr.status !== 200 || !isPage(detail.xhr)) return;
  loadsAnew = true;
  const { elt, path } = detail.requestConfig ?? {};
  if (keeps(elt, detail.requestConfig)) keep(elt, path);
}, true);

// Done, or refused for good: what the meeting answers, and what is refused as such. A fault and a page that is out of date
// are neither.
function isOver(xhr) {
  if (ANSWERS.has(xhr.status)) return !isPage(xhr);
  return xhr.status >= 400 && xhr.status < 500 && ![408, 429].includes(xhr.status) && !/data-out-of-date/.test(xhr.responseText);
}

document.addEventListener("htmx:afterRequest", ({ detail }) => {
  const { path, parameters } = detail.requestConfig ?? {};
  if (!unsent.length || !parameters || !detail.xhr?.status || !isOver(detail.xhr)) return;
  const left = unsent.filter((one) => !isSame(one, path, parameters));
  if (left.length < unsent.length) wait(left);
});

// Somebody else signed in elsewhere in this browser, and the page was drawn for them: it is theirs from here on.
document.addEventListener("htmx:afterSettle", () => {
  const drawnFor = root?.querySelector("form input[name=person]")?.value;
  if (!drawnFor || drawnFor === words.person) return;
  loadsAnew = true;
  location.reload();
});

if (root) addEventListener("beforeunload", (event) => { if (unsent.length && !loadsAnew) event.preventDefault(); });

// What is sent again comes from no form of the page, which leaves alone what is typed in one. Here that is what was sent:
// it is kept by now, or comes back with the answer.
document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  const sent = sending;
  if (!sent || detail.requestConfig?.elt !== root || ![200, 409, 422].includes(detail.xhr.status)) return;
  const form = byId(sent.note ? "note-form" : "decide-form");
  const [mine, typed] = sent.note ? [sent.values.text, form?.elements.text.value] : [sent.values.line, form?.elements.line.value];
  if (!form || String(mine) !== typed) return;
  form.reset();
  delete form.dataset.unsent;
  if (detail.xhr.status !== 200 && form.contains(document.activeElement)) document.activeElement.blur(); // It comes back.
});
addEventListener("online", resend);
document.addEventListener("click", (event) => {
  if (event.target.closest("[data-unsent-drop]")) wait([]);
  if (!event.target.closest("[data-unsent-send]")) return;
  wait(unsent.map((one) => ({ ...one, isOld: false })));
  resend();
});

// --- who is there, and for how long -----------------------------------------------------------------------------------------
function beat() {
  const form = root.querySelector("[data-beat]");
  if (!form) return;
  fetch(form.action, { method: "POST", body: new FormData(form), headers: { "HX-Request": "true" } }).catch(() => {});
}

// Whoever had the page open when the meeting opens is there from then.
let isHeld = Boolean(root?.querySelector("[data-beat]"));
document.addEventListener("htmx:afterSettle", () => {
  if (!root || isHeld || !root.querySelector("[data-beat]")) return;
  isHeld = true;
  beat();
});

// Who had the chair, and everybody else, hears who has it now; whoever took it was told.
let chair = root && byId("meeting-room").dataset.chair;
document.addEventListener("htmx:afterSettle", () => {
  const room = root && byId("meeting-room");
  if (!room || room.dataset.chair === chair) return;
  chair = room.dataset.chair;
  if (chair === words.person) return;
  const message = document.createElement("p");
  message.className = "message";
  message.textContent = room.dataset.chairWords;
  byId("messages").append(message);
});

// What is typed as a note stays about the launch that was open then, when somebody has all that is new shown.
let about = null;
document.addEventListener("click", ({ target }) => {
  const chosen = root && byId("note_line");
  if (chosen && byId("note_text").value && target.closest("[data-show-new]")) about = { chosen, value: chosen.value };
}, true);
document.addEventListener("htmx:afterSettle", () => {
  if (!about || about.chosen.isConnected) return;
  if (byId("note_line")) byId("note_line").value = about.value;
  about = null;
});

function minutes() {
  const drawn = root.querySelector("[data-minutes]");
  if (!drawn) return;
  drawn.ahead ??= Date.parse(drawn.dataset.now) - Date.now(); // The server's clock is the one that counts.
  const passed = Math.floor((Date.now() + drawn.ahead - Date.parse(drawn.dataset.since)) / MINUTE_MS);
  drawn.textContent = String(Math.max(0, passed));
}

if (root) {
  takeUp();
  showEnd();
  beat();
  setInterval(beat, BEAT_EVERY_MS);
  setInterval(minutes, 5_000);
  root.querySelector(".agenda-row[aria-current]")?.scrollIntoView({ block: "nearest" });
}
