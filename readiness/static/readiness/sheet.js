// What a sheet does by itself: counts the seconds of runs, says once that probes are done, and keeps what was seen.

const announcer = document.getElementById("announcer");
const words = document.getElementById("words").dataset; // In the language of the page: partials/script_words.html.

// --- probes -----------------------------------------------------------------------------------------------------------
const running = () => Number(document.getElementById("banner")?.dataset.running ?? 0);
let before = running();

document.addEventListener("htmx:afterSettle", () => {
  const now = running();
  const banner = document.getElementById("banner");
  if (before && !now && announcer) {
    announcer.textContent = words.probesDone.replace("{verdict}", banner.dataset.verdict).replace("{settled}", banner.dataset.settled);
  }
  before = now;
});

const begun = new WeakMap();
setInterval(() => {
  for (const element of document.querySelectorAll("[data-elapsed]")) {
    if (!begun.has(element)) begun.set(element, performance.now() - Number.parseInt(element.textContent, 10) * 1000);
    element.textContent = words.seconds.replace("{n}", Math.floor((performance.now() - begun.get(element)) / 1000));
  }
}, 1000);

// --- what was seen ------------------------------------------------------------------------------------------------------
// A page that was looked at for a few seconds is seen once it is left. What the live page has shown since counts too.
const LOOKED_MS = 4000;
let looked = 0;
let since = document.hidden ? 0 : performance.now();

function newest(form) {
  const live = document.getElementById("live")?.getAttribute("hx-get");
  const shown = live ? Number.parseInt(new URL(live, location.href).searchParams.get("since"), 10) : 0;
  return Math.max(shown || 0, Number(form.elements.seen.value));
}

function leave() {
  if (since) looked += performance.now() - since;
  since = 0;
  const form = document.querySelector("[data-seen]");
  if (!form || looked < LOOKED_MS) return;
  looked = 0; // A tab that is hidden and then closed says so once.
  const sent = new FormData(form);
  sent.set("seen", newest(form));
  fetch(form.action, { method: "POST", body: sent, keepalive: true, headers: { "HX-Request": "true" } }).catch(() => {});
}

if (document.querySelector("[data-seen]")) {
  addEventListener("pagehide", leave);
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) leave();
    else since = performance.now();
  });
}

// "Seen" takes itself away: who pressed it goes on at the top of the page.
document.addEventListener("htmx:afterSettle", (event) => {
  const pressed = event.detail.requestConfig?.elt.id === "seen-form";
  if (pressed && document.activeElement === document.body) document.getElementById("main").focus({ preventScroll: true });
});

// --- selecting several ------------------------------------------------------------------------------------------------
// The boxes stand beside what live updates swap, so a selection outlives them. Without this file the link leads to a page.
// All of the page may be drawn anew: nothing is kept of its parts.
const rows = () => document.querySelector("[data-rows]");
const bar = () => document.getElementById("pick-form");
const opener = () => document.querySelector("[data-pick]");
const boxes = () => [...rows().querySelectorAll(".pick")];

function count() {
  const picked = boxes().filter((box) => box.checked).length;
  bar().querySelector("[data-pick-count]").textContent = words.selected.replace("{n}", picked);
  for (const button of bar().querySelectorAll("[name=act]")) button.disabled = !picked;
}

function picking(on) {
  rows().classList.toggle("picking", on);
  bar().hidden = !on;
  opener().setAttribute("aria-expanded", String(on));
  if (!on) for (const box of boxes()) box.checked = false;
  count();
}

function pickAll(section) {
  const all = [...section.querySelectorAll(".pick")];
  const every = all.every((box) => box.checked);
  for (const box of all) box.checked = !every;
  count();
}

// The browser comes back to a page with its boxes as they were, and what is drawn anew takes them along.
function takeUp() {
  if (!opener() || !bar()) return;
  opener().setAttribute("role", "button");
  if (bar().hidden && boxes().some((box) => box.checked)) picking(true);
}

document.addEventListener("click", (event) => {
  const { target } = event;
  const section = target.closest("[data-pick-all]")?.closest(".section");
  if (target.closest("[data-pick]")) {
    event.preventDefault();
    picking(!rows().classList.contains("picking"));
    if (rows().classList.contains("picking")) boxes()[0]?.focus();
  } else if (target.closest("[data-pick-stop]")) {
    picking(false);
    opener().focus();
  } else if (section) {
    pickAll(section);
  }
});
document.addEventListener("change", (event) => { if (event.target.matches(".pick")) count(); });
document.addEventListener("readiness:pick", (event) => {
  const box = event.target.querySelector(".pick");
  if (!box) return;
  if (!rows().classList.contains("picking")) picking(true);
  box.checked = !box.checked;
  count();
  if (announcer) announcer.textContent = bar().querySelector("[data-pick-count]").textContent;
});
document.addEventListener("htmx:afterSettle", takeUp);
addEventListener("pageshow", () => { if (opener()) count(); });
takeUp();

// On the page for several items, the button says how many are ticked. Without this file it says no number.
function sayTicked() {
  const button = document.querySelector("[data-tick-picked]");
  if (!button) return;
  const n = button.form.querySelectorAll("[name=item]:checked").length;
  button.dataset.tickPicked ||= button.textContent.trim();
  button.textContent = [button.dataset.tickPicked, words.tickOne][n] ?? words.tickMany.replace("{n}", n);
}
document.addEventListener("change", sayTicked);
addEventListener("pageshow", sayTicked); // The browser may come back to a page with its boxes as they were.

// On the page for several items, Enter in a field would press the first button there is: that of another act.
document.querySelector("form.several")?.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !event.target.matches("input")) return;
  event.preventDefault();
  const button = event.target.closest("details")?.querySelector("[type=submit]");
  if (button) event.target.form.requestSubmit(button);
});

// --- lines to copy ----------------------------------------------------------------------------------------------------
document.documentElement.classList.add("scripted");
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  const code = button?.closest(".snippet")?.querySelector("code");
  if (!code) return;
  try {
    await navigator.clipboard.writeText(code.textContent);
    if (announcer) announcer.textContent = words.copiedSaid;
    button.firstChild.textContent = words.copied;
    setTimeout(() => { button.firstChild.textContent = words.copy; }, 2000);
  } catch { // Not over plain HTTP: it is marked instead, for the person to copy.
    getSelection().selectAllChildren(code);
  }
});

// --- paper ------------------------------------------------------------------------------------------------------------
// The page may have followed what happened for hours: paper says when it was printed as well.
addEventListener("beforeprint", () => {
  const printed = document.querySelector("[data-printed]");
  if (!printed) return;
  const shape = new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "long", timeStyle: "long" });
  printed.textContent = words.printed.replace("{when}", shape.format(new Date()));
});

// --- trails of runs ---------------------------------------------------------------------------------------------------
// Where a trail is wider than the screen, its newest run is in sight first.
const atNewest = new WeakSet(); // After that they stay where somebody puts them.
function toNewest() {
  for (const scroll of document.querySelectorAll(".trail .scroll")) {
    if (!atNewest.has(scroll)) scroll.scrollLeft = scroll.scrollWidth;
    atNewest.add(scroll);
  }
}
document.addEventListener("htmx:afterSettle", toNewest);
toNewest();
