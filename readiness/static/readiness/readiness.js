// What pages do beyond links and forms. Everything works without it; htmx does the swapping.

const announcer = document.getElementById("announcer");
const connection = document.getElementById("connection");
const words = document.getElementById("words").dataset; // In the language of the page: partials/script_words.html.

const say = (said) => { if (announcer) announcer.textContent = said; };

// --- panels: one is open at a time, Esc and "Close" empty it ---------------------------------------------------------
let newest = null; // What was asked for last, for which panel: answers may come in another order.
const panels = () => [...document.querySelectorAll("[data-detail]")].filter((detail) => detail.childElementCount);
const opener = (slug) => document.getElementById(`open-${slug}`);

const comes = (detail) => newest?.id === detail.id && newest.comes;

function close(detail) {
  detail.replaceChildren();
  if (newest?.id === detail.id) newest = null; // What was asked for it does not open it again.
  opener(detail.dataset.detail)?.setAttribute("aria-expanded", "false");
}

function written(detail) {
  if (detail.querySelector("form[data-unsent]")) return true;
  return [...detail.querySelectorAll("form[data-words] textarea")].some((area) => area.value !== area.defaultValue);
}

function markOpen() {
  for (const link of document.querySelectorAll("[data-open]")) {
    const detail = document.getElementById(link.getAttribute("aria-controls"));
    link.setAttribute("aria-expanded", String(Boolean(detail?.childElementCount)));
  }
}

function openItem(slug) {
  const detail = document.getElementById(`detail-${slug}`);
  if (detail && !detail.childElementCount && !comes(detail)) opener(slug)?.click();
}

document.addEventListener("click", (event) => {
  const target = event.target;
  const closing = target.closest("[data-close]");
  const detail = closing?.closest("[data-detail]");
  if (detail && document.getElementById("live")) {
    event.preventDefault();
    const slug = detail.dataset.detail;
    close(detail);
    opener(slug)?.focus({ preventScroll: true });
    return;
  }
  const cell = target.closest(".c-strip[data-sheet] i");
  if (cell) {
    const slugs = cell.closest("[data-slugs]").dataset.slugs.split(" ");
    const index = [...cell.closest(".strip").querySelectorAll("i")].indexOf(cell);
    location.assign(`${cell.closest("[data-sheet]").dataset.sheet}#item-${slugs[index]}`);
    return;
  }
  const jump = target.closest('a[href^="#item-"]');
  if (jump) openItem(jump.hash.slice("#item-".length));
  for (const menu of document.querySelectorAll("details.menu[open]")) if (!menu.contains(target)) menu.open = false;
  if (target.closest("[data-print]")) print();
});

// A second press on the head of an open item closes it instead of asking again; while it comes, it asks for nothing.
document.addEventListener("htmx:confirm", (event) => {
  const link = event.target.closest("[data-open]");
  const detail = link && document.getElementById(link.getAttribute("aria-controls"));
  if (detail && !detail.childElementCount && comes(detail)) return event.preventDefault();
  if (!detail?.childElementCount || written(detail) || !document.getElementById("live")) return;
  event.preventDefault();
  close(detail);
});

// --- keys -------------------------------------------------------------------------------------------------------------
document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  const typing = event.target.closest("input, textarea, select, [contenteditable]");
  if (event.key === "/" && !typing && document.body.dataset.keys !== "off") {
    event.preventDefault();
    document.getElementById("find")?.select();
  } else if (event.key === "Escape") {
    escape(event, typing);
  } else if (event.key.startsWith("Arrow") && event.target.closest("[data-roving]")) {
    rove(event);
  }
});

function escape(event, typing) {
  const menu = event.target.closest("details.menu[open]") ?? document.querySelector("details.menu[open]");
  if (menu) {
    menu.open = false;
    menu.querySelector("summary").focus();
  } else if (typing) {
    typing.blur();
  } else if (document.getElementById("live")) {
    const detail = event.target.closest("[data-detail]") ?? panels().find((one) => !written(one));
    if (!detail || written(detail)) return;
    const slug = detail.dataset.detail;
    close(detail);
    opener(slug)?.focus({ preventScroll: true });
  }
}

// The cells of a sheet's strip are one stop of the Tab key; arrows move among them.
function rove(event) {
  const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
  const cells = [...event.target.closest("[data-roving]").querySelectorAll("a")];
  const next = cells[cells.indexOf(event.target) + step];
  if (!next) return;
  event.preventDefault();
  for (const cell of cells) cell.tabIndex = cell === next ? 0 : -1;
  next.focus();
}

// --- swaps: open <details> stay open, focus is never lost, verdicts are said -------------------------------------------
const openDetails = new Map();
let verdict = document.getElementById("banner")?.dataset.verdict;
let focused = "";

document.addEventListener("toggle", (event) => {
  if (event.target.id) openDetails.set(event.target.id, event.target.open);
}, true);

function restoreDetails() {
  for (const [id, open] of openDetails) {
    const details = document.getElementById(id);
    if (details?.tagName === "DETAILS" && details.open !== open && !details.querySelector("[aria-invalid]")) {
      details.open = open;
    }
  }
}

// A form that was taken closes as the server draws it.
function forgetDetails(elt) {
  for (let one = elt?.closest("details"); one; one = one.parentElement.closest("details")) openDetails.delete(one.id);
}

document.addEventListener("htmx:beforeSwap", (event) => {
  focused = document.activeElement?.id ?? "";
  const { target, xhr, requestConfig } = event.detail;
  if (requestConfig?.verb === "post" && xhr.status === 200) forgetDetails(requestConfig.elt);
  const answer = xhr.responseText ?? "";
  if (!event.detail.shouldSwap) return;
  if (!/^\s*<!doctype/i.test(answer)) {
    if (requestConfig?.verb === "get" && target.matches("[data-detail]") && xhr !== newest?.xhr) event.detail.shouldSwap = false;
    return;
  }
  if (answer.includes(`id="${target.id}"`) && target.matches("[data-follows]")) return;
  event.detail.shouldSwap = false; // A whole page where a part was asked for: signed out, or moved.
  if (document.dispatchEvent(new CustomEvent("readiness:leaves", { cancelable: true }))) location.reload();
  else sayLeft();
});

function sayLeft() {
  if (document.querySelector(".message [data-again]")) return;
  const link = document.createElement("a");
  [link.href, link.textContent, link.dataset.again] = [location.href, words.loadAgain, ""];
  link.addEventListener("click", (event) => {
    event.preventDefault(); // To where the page is, its place in it included, a link loads nothing.
    location.reload();
  });
  showError(words.left, link);
}

document.addEventListener("htmx:afterSettle", (event) => {
  const target = event.detail.target;
  const detail = document.getElementById(target.id)?.closest("[data-detail]");
  if (detail && target === detail) settlePanel(detail);
  restoreDetails();
  prepare();
});

document.addEventListener("htmx:beforeRequest", ({ detail: { target, xhr } }) => {
  if (!target.matches("[data-detail]")) return;
  const one = { id: target.id, xhr, comes: true };
  newest = one;
  xhr.addEventListener("loadend", () => { one.comes = false; }); // However it ends.
});

// What is disabled while it is sent loses the focus, and gets it back where it still stands then.
document.addEventListener("htmx:beforeRequest", ({ detail: { elt, xhr } }) => {
  const pressed = document.activeElement;
  if (!elt.matches("[hx-disabled-elt]") || !elt.contains(pressed)) return;
  xhr.addEventListener("loadend", () => {
    if (document.activeElement === document.body && pressed.isConnected) pressed.focus({ preventScroll: true });
  });
});

function settlePanel(detail) {
  if (detail.id !== newest?.id && !written(detail)) return close(detail);
  for (const other of panels()) if (other !== detail && !written(other)) close(other);
  const wrong = detail.querySelector('[aria-invalid="true"]');
  if (wrong) wrong.focus();
  else if (document.activeElement === document.body) {
    const before = document.getElementById(focused);
    (before?.checkVisibility() ? before : detail.querySelector(".tabs [aria-current]"))?.focus({ preventScroll: true });
  }
}

const inSight = new WeakSet(); // The tabs that were brought there once: after that they stay where somebody puts them.

function prepare() {
  markOpen();
  for (const tab of document.querySelectorAll(".tabs [aria-current]")) {
    if (inSight.has(tab)) continue;
    inSight.add(tab);
    const tabs = tab.parentElement;
    tabs.scrollLeft = tab.offsetLeft - tabs.offsetLeft - 24;
  }
  for (const row of document.querySelectorAll(".c-strip[data-sheet]:not(.clickable)")) row.classList.add("clickable");
  for (const button of document.querySelectorAll("[data-print]")) button.hidden = false;
  for (const strip of document.querySelectorAll("[data-roving]")) {
    const cells = [...strip.querySelectorAll("a")];
    if (!cells.some((cell) => cell.tabIndex === -1)) cells.forEach((cell, index) => { cell.tabIndex = index ? -1 : 0; });
  }
  const now = document.getElementById("banner")?.dataset.verdict;
  if (now && verdict && now !== verdict) say(words.verdictChanged.replace("{before}", verdict).replace("{after}", now));
  verdict = now ?? verdict;
  fadeMessages();
}

// --- messages, refusals, the line to the server ------------------------------------------------------------------------
function fadeMessages() {
  for (const message of document.querySelectorAll(".message:not([data-timed])")) {
    message.dataset.timed = "";
    setTimeout(() => message.classList.add("leaving"), 7000);
    setTimeout(() => message.remove(), 7500);
  }
}

// With a link it stays.
function showError(said, link) {
  const message = document.createElement("p");
  message.className = "message error";
  message.textContent = said;
  if (link) {
    message.append(" ", link);
    message.dataset.timed = "";
  }
  document.getElementById("messages")?.append(message);
  fadeMessages();
}

document.addEventListener("htmx:responseError", (event) => {
  const { xhr, elt } = event.detail;
  if (elt.matches("[data-poll]") && xhr.status >= 500) return lost();
  const page = new DOMParser().parseFromString(xhr.responseText, "text/html");
  const reasons = page.querySelector("[data-reasons]")?.textContent.replace(/\s+/g, " ").trim();
  showError(reasons || words.didNotWork);
});

const lost = () => { if (connection) connection.hidden = false; };
const found = () => { if (connection && !connection.hidden) connection.hidden = true; };
document.addEventListener("htmx:sendError", lost);
document.addEventListener("htmx:afterRequest", (event) => { if (event.detail.successful) found(); });

// Nobody looks at a hidden tab: it asks nothing.
document.addEventListener("htmx:beforeRequest", (event) => {
  if (document.hidden && event.detail.elt.matches("[data-poll]")) event.preventDefault();
});

// --- "3 min ago" grows while the page is open (the same words as ago_words in templatetags/readiness_words.py) ---------
function age() {
  for (const time of document.querySelectorAll("time[data-ago]")) {
    const seconds = (Date.now() - Date.parse(time.dateTime)) / 1000;
    if (seconds < 0 || seconds >= 86400) continue;
    if (seconds < 45) time.textContent = words.now;
    else if (seconds < 3600) time.textContent = words.minutes.replace("{n}", Math.max(1, Math.floor(seconds / 60)));
    else time.textContent = words.hours.replace("{n}", Math.floor(seconds / 3600));
  }
}
setInterval(age, 20_000);

prepare();
if (location.hash.startsWith("#item-")) {
  const slug = location.hash.slice("#item-".length);
  addEventListener("DOMContentLoaded", () => openItem(slug)); // After htmx has taken the links.
}
addEventListener("hashchange", () => { if (location.hash.startsWith("#item-")) openItem(location.hash.slice(6)); });
