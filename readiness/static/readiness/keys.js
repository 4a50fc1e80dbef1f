// Single keys on a sheet: move, tick, evidence, waiver, run, select. Everything they do has a control of its own.
// They are silent while somebody types, with Ctrl, Alt or Meta held, and where the person switched them off.

const dialog = document.getElementById("keys");
const announcer = document.getElementById("announcer");
const words = document.getElementById("words").dataset; // In the language of the page: partials/script_words.html.
const rows = () => document.querySelector("[data-rows]"); // Drawn anew where all of a page is.
const off = document.body.dataset.keys === "off";
let chosen = "";

const say = (said) => { if (announcer) announcer.textContent = said; };
const articles = () => [...rows().querySelectorAll(".item")].filter((one) => one.querySelector("[data-open]"));
const slugOf = (article) => article?.id.slice("item-".length) ?? "";
const articleOf = (slug) => document.getElementById(`item-${slug}`);
const openerOf = (slug) => document.getElementById(`open-${slug}`);
const detailOf = (slug) => document.getElementById(`detail-${slug}`);

// --- moving -----------------------------------------------------------------------------------------------------------
function current() {
  const focused = rows().contains(document.activeElement) ? document.activeElement.closest(".item") : null;
  return slugOf(focused) || chosen;
}

function choose(slug) {
  chosen = slug;
  for (const one of rows().querySelectorAll(".item.chosen")) one.classList.remove("chosen");
  articleOf(slug)?.classList.add("chosen");
}

function move(step) {
  const all = articles();
  const at = all.indexOf(articleOf(current()));
  const next = all[at === -1 ? (step > 0 ? 0 : all.length - 1) : Math.min(all.length - 1, Math.max(0, at + step))];
  if (!next) return;
  choose(slugOf(next));
  openerOf(chosen).focus({ preventScroll: true });
  next.querySelector(".item-head").scrollIntoView({ block: "nearest" });
}

// --- the panel of the chosen item ---------------------------------------------------------------------------------------
const written = (detail) =>
  detail.querySelector("form[data-unsent] textarea")
  ?? [...detail.querySelectorAll("form[data-words] textarea")].find((area) => area.value !== area.defaultValue);
const tabOf = (detail) => detail.querySelector(".tabs [aria-current]")?.dataset.tab;

// What follows once a panel has come: what was asked for last, by its own answer. Where nothing comes, nothing follows.
let awaited = null;
document.addEventListener("htmx:beforeRequest", ({ detail: { pathInfo, target, xhr } }) => {
  if (!target.matches("[data-detail]")) return;
  if (pathInfo.requestPath === awaited?.path) awaited.xhr = xhr;
  else awaited = null;
});
document.addEventListener("htmx:afterSettle", ({ detail: { xhr } }) => {
  if (!xhr || awaited?.xhr !== xhr) return;
  const { id, then } = awaited;
  awaited = null;
  setTimeout(() => then(document.getElementById(id))); // After the page's own handlers.
});

// Shows a tab of an item, then calls `then` with its panel. What somebody is writing there is never replaced.
function show(slug, tab, then) {
  const detail = detailOf(slug);
  const draft = written(detail);
  if (draft && tabOf(detail) !== tab) {
    draft.focus();
    say(words.notSent);
    return;
  }
  if (draft) {
    then(detail);
    return;
  }
  const path = `${openerOf(slug).href}?tab=${tab}`;
  awaited = { id: detail.id, path, then };
  window.htmx.ajax("GET", path, { target: `#${detail.id}`, swap: "innerHTML" }).catch(() => {}); // readiness.js says so.
}

// Opens what a form stands in and puts the cursor into it; where it is refused, says why.
function write(detail, id) {
  const act = document.getElementById(id);
  if (act) act.open = true;
  const field = act?.querySelector("textarea, select, input:not([type=hidden])");
  if (field) {
    field.focus();
    field.closest(".act").scrollIntoView({ block: "nearest" });
  } else {
    refused(detail);
  }
}

function refused(detail) {
  const why = detail.querySelector(".refused");
  say(why ? why.textContent.replace(/\s+/g, " ").trim() : words.notNow);
  detail.querySelector(".tabs [aria-current]")?.focus();
  (why ?? detail).scrollIntoView({ block: "nearest" });
}

function run(detail, slug) {
  const form = document.querySelector(`#run-actions-${CSS.escape(slug)} form`);
  if (form) form.requestSubmit();
  else if (document.querySelector(`#run-actions-${CSS.escape(slug)} [disabled]:not(.refused *)`)) say(words.runsAlready);
  else refused(detail);
}

const ACTS = {
  x: (slug) => show(slug, "evidence", (detail) => {
    const back = document.getElementById(`take-back-${slug}`);
    write(detail, back && articleOf(slug).querySelector(".item-head .mark.attested") ? back.id : `tick-${slug}`);
  }),
  e: (slug) => show(slug, "evidence", (detail) => write(detail, `tick-${slug}`)),
  w: (slug) => show(slug, "waiver", (detail) => write(detail, `waiver-${slug}`)),
  c: (slug) => show(slug, "comments", (detail) => write(detail, `comment-form-${slug}`)),
  r: (slug) => show(slug, "runs", (detail) => run(detail, slug)),
  o: (slug) => openerOf(slug).click(),
  s: (slug) => {
    if (!articleOf(slug).querySelector(".pick")) return say(words.noneSelected);
    articleOf(slug).dispatchEvent(new CustomEvent("readiness:pick", { bubbles: true }));
  },
};

// --- the keys ---------------------------------------------------------------------------------------------------------
// On a choice within a form somebody is about to type, too: what they type there is no key of the page.
const TYPING = "input:not([type=checkbox], [type=radio]), .act input, textarea, select, [contenteditable], dialog";

document.addEventListener("keydown", (event) => {
  const sends = event.key === "Enter" && (event.ctrlKey || event.metaKey) && event.target.matches("form[data-words] textarea");
  if (sends) {
    event.preventDefault();
    const { form } = event.target;
    const button = (event.target.closest("details") ?? form).querySelector("[type=submit]");
    form.requestSubmit(button?.form === form ? button : null); // A form with several buttons tells them apart.
    return;
  }
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (off || event.target.closest(TYPING)) return;
  if (event.key === "?") {
    event.preventDefault();
    openDialog();
    return;
  }
  const key = event.key.toLowerCase();
  if (!rows() || event.shiftKey || event.repeat && !"jk".includes(key)) return;
  if (key === "j" || key === "k") {
    event.preventDefault();
    move(key === "j" ? 1 : -1);
  } else if (ACTS[key]) {
    event.preventDefault();
    const slug = current();
    if (!slug || !openerOf(slug)?.matches("[data-open]")) return say(words.chooseFirst);
    choose(slug);
    ACTS[key](slug);
  }
});

// A pointer or the Tab key chooses too, so that the keys go on from there.
document.addEventListener("focusin", (event) => {
  const article = event.target.closest("[data-rows] .item");
  if (article?.querySelector("[data-open]")) choose(slugOf(article));
});

// --- the dialog that lists them -----------------------------------------------------------------------------------------
let before = null;

function openDialog() {
  if (!dialog || dialog.open) return;
  before = document.activeElement;
  const template = dialog.querySelector("template");
  template?.replaceWith(template.content);
  dialog.showModal();
}

dialog?.addEventListener("close", () => {
  if (before?.isConnected && document.activeElement === document.body) before.focus({ preventScroll: true });
});
dialog?.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); }); // Beside it.

document.addEventListener("click", (event) => {
  if (!event.target.closest("[data-keys-open]")) return;
  const menu = event.target.closest("details.menu");
  if (menu) menu.open = false;
  openDialog();
  if (menu) before = menu.querySelector("summary");
});
function showHidden() {
  for (const hidden of document.querySelectorAll("[data-keys-hidden]")) hidden.hidden = false;
}
document.addEventListener("htmx:afterSettle", showHidden);
showHidden();
