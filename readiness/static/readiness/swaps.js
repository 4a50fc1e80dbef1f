// Swaps that nobody asked for: a page that follows the ledger changes under people's hands. What somebody types, selects,
// presses or stands on is left alone until they are done; a calm line offers what is new meanwhile. Nothing else moves.

const line = document.getElementById("changed");
const announcer = document.getElementById("announcer");
const words = document.getElementById("words").dataset; // In the language of the page: partials/script_words.html.
const held = new Map(); // The id of a part to what shall stand there: an element, or a function that fetches one.
const FIELD = "input:not([type=hidden], [type=submit], [type=button]), textarea, select, [contenteditable]";
const TEXT = 'textarea, input:not([type=checkbox], [type=radio])';
const OURS = new Set(["aria-expanded", "tabindex", "hidden", "open", "data-timed", "disabled", "data-unsent"]); // Scripts set these.
const asking = new Map(); // What somebody asked for and waits for: the request to the part that its answer will stand in.
let pressed = null;

// --- who is busy in a part --------------------------------------------------------------------------------------------
function isChanged(field) {
  if (field.form?.matches("[data-unsent]")) return true; // What came back with it is what was typed.
  if (field.matches("[type=checkbox], [type=radio]")) return field.checked !== field.defaultChecked;
  if (field.tagName !== "SELECT") return field.value !== field.defaultValue;
  const options = [...field.options];
  const first = !field.multiple && !options.some((one) => one.defaultSelected);
  return options.some((one, place) => one.selected !== (first ? place === 0 : one.defaultSelected));
}

const fields = (part) => [...part.querySelectorAll(FIELD)].filter((field) => "value" in field);
const changedFields = (part) => fields(part).filter(isChanged);

// Nothing is loaded over what somebody wrote. A meeting keeps it by itself.
document.addEventListener("readiness:leaves", (event) => {
  const holdsWords = changedFields(document.getElementById("main")).some((field) => field.matches(TEXT));
  if (holdsWords && !document.querySelector("[data-meeting]")) event.preventDefault();
});

function isSelecting(part) {
  const selection = getSelection();
  return Boolean(selection && !selection.isCollapsed && selection.rangeCount && selection.getRangeAt(0).intersectsNode(part));
}

const isAwaited = (part) => [...asking.values()].some((target) => part.contains(target));

function isBusy(part) {
  const active = document.activeElement;
  if (pressed && part.contains(pressed)) return true;
  if (isAwaited(part)) return true; // The answer would go into a part that is gone.
  if (part.querySelector("[data-not-kept]")) return true; // What somebody wrote stands there, and nowhere else.
  if (part.contains(active) && active.matches(FIELD)) return true;
  return isSelecting(part) || changedFields(part).length > 0;
}

// --- what is the same in two drawings of a part -----------------------------------------------------------------------
function alike(one) {
  const text = one.textContent.trim();
  const traits = ["href", "name", "value", "action", "data-close"].map((name) => one.getAttribute(name));
  return (other) => other.textContent.trim() === text
    && ["href", "name", "value", "action", "data-close"].every((name, place) => other.getAttribute(name) === traits[place]);
}

// Returns what finds, in another drawing, the element that this one is: by its id, or the same words in the same order.
function finder(element, part) {
  if (element === part) return (root) => root;
  if (element.id) return (root) => root.querySelector(`#${CSS.escape(element.id)}`);
  const same = alike(element);
  const place = [...part.querySelectorAll(element.tagName)].filter(same).indexOf(element);
  return (root) => [...root.querySelectorAll(element.tagName)].filter(same)[place];
}

function losesFocus(part, fresh) {
  const active = document.activeElement;
  return active !== part && part.contains(active) && !finder(active, part)(fresh);
}

function signature(root) {
  const found = [];
  const walk = (node) => {
    if (node.nodeType === Node.TEXT_NODE) {
      const text = node.data.replace(/\s+/g, " ").trim();
      if (text) found.push(text);
    } else if (node.nodeType === Node.ELEMENT_NODE) {
      found.push(`<${node.tagName}`);
      if (node.name === "csrfmiddlewaretoken") return;
      for (const { name, value } of [...node.attributes].sort((a, b) => (a.name < b.name ? -1 : 1))) {
        if (OURS.has(name) || (node === root && /^(hx-|data-since|data-poll)/.test(name))) continue;
        found.push(name === "class" ? value.split(/\s+/).filter((one) => one && !/^(htmx-|clickable$)/.test(one)).join(" ") : `${name}=${value}`);
      }
      if (!node.matches("time[data-ago], [data-elapsed], [data-minutes]")) node.childNodes.forEach(walk);
      found.push(">");
    }
  };
  walk(root);
  return found.join("\n");
}

// --- putting a new drawing in place -----------------------------------------------------------------------------------
function placed(part) {
  const seen = [...part.querySelectorAll("[id]")].find((one) => one.getBoundingClientRect().bottom > 0 && one.checkVisibility());
  return seen && { id: seen.id, top: seen.getBoundingClientRect().top };
}

function scrolled(part) {
  const found = [part, ...part.querySelectorAll("*")].filter((one) => one.scrollTop || one.scrollLeft);
  return found.map((one) => ({ find: finder(one, part), top: one.scrollTop, left: one.scrollLeft }));
}

function unnamedDetails(part) {
  const open = [...part.querySelectorAll("details:not([id])[open] > summary")];
  return open.map((summary) => finder(summary, part));
}

function put(part, fresh) {
  const active = document.activeElement;
  const focus = part.contains(active) ? finder(active, part) : null;
  const caret = focus && active.matches(TEXT) ? [active.selectionStart, active.selectionEnd] : null;
  const [anchor, scrolls, open] = [placed(part), scrolled(part), unnamedDetails(part)];
  part.replaceWith(fresh);
  window.htmx.process(fresh);
  for (const find of open) {
    const summary = find(fresh);
    if (summary) summary.parentElement.open = true;
  }
  window.htmx.trigger(document.body, "htmx:afterSettle", { target: document.body }); // Panels, tabs and <details> follow.
  for (const { find, top, left } of scrolls) find(fresh)?.scrollTo({ top, left, behavior: "instant" });
  const now = anchor && document.getElementById(anchor.id);
  const shift = now ? now.getBoundingClientRect().top - anchor.top : 0;
  if (Math.abs(shift) > 1) window.scrollBy({ top: shift, behavior: "instant" });
  const again = focus?.(fresh);
  if (again && document.activeElement !== again) again.focus({ preventScroll: true });
  if (again && caret?.[0] != null) again.setSelectionRange(...caret);
  sayFigures();
}

// The same page at a later event: only what it asks with is new.
function renew(part, fresh) {
  for (const name of ["hx-get", "hx-trigger", "data-since", "data-poll"]) {
    if (fresh.hasAttribute(name)) part.setAttribute(name, fresh.getAttribute(name));
  }
  window.htmx.process(part);
}

function arrive(part, fresh) {
  if (signature(part) === signature(fresh)) {
    held.delete(part.id);
    renew(part, fresh);
  } else if (isBusy(part) || losesFocus(part, fresh)) {
    held.set(part.id, fresh);
  } else {
    held.delete(part.id);
    put(part, fresh);
  }
  showLine();
}

const isGone = (part) => !part || (part.matches("[data-detail]") && !part.childElementCount); // A panel that was closed.

function showLine() {
  for (const id of held.keys()) if (isGone(document.getElementById(id))) held.delete(id);
  if (line && line.hidden !== (held.size === 0)) line.hidden = held.size === 0;
}

// --- when somebody is done, or asks -----------------------------------------------------------------------------------
let looking;
function lookAgain() {
  if (!held.size) return;
  clearTimeout(looking);
  looking = setTimeout(() => {
    for (const [id, fresh] of [...held]) {
      const part = document.getElementById(id);
      if (isGone(part) || typeof fresh === "function" || isBusy(part) || losesFocus(part, fresh)) continue;
      held.delete(id);
      put(part, fresh);
    }
    showLine();
  }, 200);
}
for (const name of ["focusout", "input", "change", "reset", "selectionchange", "keyup"]) document.addEventListener(name, lookAgain);
document.addEventListener("pointerdown", (event) => { pressed = event.target; });
for (const name of ["pointerup", "pointercancel", "dragend"]) {
  document.addEventListener(name, () => { setTimeout(() => { pressed = null; lookAgain(); }); }); // After the click.
}

document.addEventListener("htmx:beforeSend", ({ detail: { elt, target, xhr } }) => {
  if (elt.matches("[data-poll]")) return;
  asking.set(xhr, target);
  xhr.addEventListener("loadend", () => { // However it ends, and though what asked may be gone.
    asking.delete(xhr);
    lookAgain();
  });
});

// What somebody asked for goes before what was held back; whether that was newer is asked for again.
function supersede(id) {
  const fresh = document.getElementById(id);
  for (const one of held.keys()) {
    const part = document.getElementById(one);
    const isAround = part?.matches("[data-follows]") && part !== fresh && part.contains(fresh);
    if (one !== id && !isAround) continue;
    held.delete(one);
    if (isAround) document.dispatchEvent(new CustomEvent("readiness:again", { detail: one }));
    else if (part?.matches("[data-detail]")) refreshPanel(part);
  }
  showLine();
}
for (const name of ["htmx:afterSwap", "htmx:oobAfterSwap"]) {
  document.addEventListener(name, ({ detail: { shouldSwap, target } }) => {
    if (held.size && target.id && shouldSwap !== false && !unasked) supersede(target.id);
  });
}

// What was typed goes along to the same field; where there is none any more, it is shown, so that it can be copied.
function carry(part, fresh) {
  const lost = [];
  for (const field of changedFields(part)) {
    const same = finder(field, part)(fresh);
    for (let one = same?.closest("details"); one; one = one.parentElement.closest("details")) one.open = true;
    if (!same) {
      if (field.matches(TEXT)) lost.push(field.value);
    } else if (field.matches("[type=checkbox], [type=radio]")) {
      same.checked = field.checked;
    } else {
      same.value = field.value;
    }
  }
  for (const text of lost) {
    const note = document.createElement("div");
    note.className = "note waived";
    note.setAttribute("role", "alert");
    const lead = document.createElement("p");
    lead.textContent = words.lost;
    const quote = document.createElement("blockquote");
    quote.textContent = text;
    note.append(lead, quote);
    fresh.prepend(note);
  }
}

line?.querySelector("[data-show-new]").addEventListener("click", async () => {
  for (const [id, given] of [...held]) {
    const part = document.getElementById(id);
    const fresh = typeof given === "function" ? await given() : given;
    if (!part || !fresh || held.get(id) !== given || isAwaited(part)) continue;
    held.delete(id);
    carry(part, fresh);
    put(part, fresh);
    for (const other of held.keys()) if (fresh.querySelector(`#${CSS.escape(other)}`)) held.delete(other); // It is in there.
  }
  showLine();
});

// A form that was answered with reasons is not sent yet, however the server drew it.
document.addEventListener("htmx:afterSwap", ({ detail: { requestConfig, xhr, target } }) => {
  if (requestConfig?.verb !== "post" || ![409, 422].includes(xhr.status)) return;
  for (const form of target.querySelectorAll("form")) {
    if (form.getAttribute("action") === requestConfig.path) form.dataset.unsent = "";
  }
});

// An item's own page asks again for the tab that somebody chose meanwhile.
document.addEventListener("htmx:configRequest", ({ detail }) => {
  const tab = detail.elt.id === "page" && detail.elt.querySelector(".tabs [aria-current]")?.dataset.tab;
  if (!tab) return;
  const asked = new URL(detail.path, location.href);
  asked.searchParams.set("tab", tab);
  detail.path = asked.pathname + asked.search;
});

// --- what comes in ----------------------------------------------------------------------------------------------------
let unasked = false;
let asker = null;

document.addEventListener("htmx:beforeSwap", (event) => {
  const { requestConfig, target, xhr, shouldSwap } = event.detail;
  unasked = Boolean(requestConfig?.elt?.matches("[data-poll]"));
  asker = requestConfig?.elt ?? null;
  if (!unasked || !shouldSwap || !target.matches("[data-follows]") || !target.childElementCount) return;
  const answer = new DOMParser().parseFromString(xhr.responseText, "text/html");
  const fresh = answer.getElementById(target.id);
  if (!fresh) return; // Another page, such as the one to sign in at: readiness.js takes it.
  event.detail.shouldSwap = false;
  arrive(target, document.adoptNode(fresh));
  const [badge, waits] = [document.getElementById("waits-badge"), answer.getElementById("waits-badge")];
  if (badge && waits) arrive(badge, document.adoptNode(waits)); // It stands in the bar, beside the part.
});

document.addEventListener("htmx:oobBeforeSwap", (event) => {
  const { target, fragment } = event.detail;
  const fresh = fragment.id === target.id ? fragment : fragment.firstElementChild;
  const beside = target.matches("[data-part]") && !target.contains(asker); // Sent from another part of the page.
  if (!(unasked || beside) || target.id === "messages" || !fresh || fresh.id !== target.id) return;
  event.detail.shouldSwap = false;
  arrive(target, fresh);
  if (target.id.startsWith("row-")) refreshPanel(document.getElementById(`detail-${target.id.slice(4)}`));
});

const refreshing = new WeakMap(); // A tab to what was asked for it last: answers may come in another order.

async function refreshPanel(detail) {
  const tab = detail?.querySelector(".tabs [aria-current]");
  if (!tab) return;
  const mine = {};
  refreshing.set(tab, mine);
  const answer = await fetch(tab.href, { headers: { "HX-Request": "true", "HX-Target": detail.id } }).catch(() => null);
  const text = answer?.ok ? await answer.text() : "";
  if (!text || /^\s*<!doctype/i.test(text) || !tab.isConnected || refreshing.get(tab) !== mine) return;
  const fresh = detail.cloneNode(false);
  fresh.innerHTML = text;
  arrive(detail, fresh);
}

// What no part of a page can show, such as another checklist: the whole of it is fetched once somebody asks.
document.addEventListener("readiness:outdated", () => {
  held.set("main", async () => {
    const answer = await fetch(location.href).catch(() => null);
    const page = answer?.ok ? new DOMParser().parseFromString(await answer.text(), "text/html") : null;
    const fresh = page?.getElementById("main");
    return fresh && document.adoptNode(fresh);
  });
  showLine();
});

// --- what a screen reader is told of many verdicts: how many of each, once, when it changed ---------------------------
const figures = () => [...document.querySelectorAll('[id^="figure-"]')].map((one) => {
  const count = one.querySelector("b")?.textContent.trim() ?? "";
  return `${count} ${one.querySelector("span")?.textContent.trim() ?? ""}`.trim();
}).join(", ");
let told = figures();

function sayFigures() {
  const now = figures();
  if (now && told && now !== told && announcer) announcer.textContent = words.verdictsChanged.replace("{figures}", now);
  told = now;
}
