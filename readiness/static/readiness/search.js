// The field in the bar: what matches is offered while somebody types. Without this file, Enter opens the page of it.

const field = document.getElementById("find");
const results = document.getElementById("find-results");

const list = () => document.getElementById("find-list");
const options = () => [...results.querySelectorAll('[role="option"]')];
const chosen = () => results.querySelector('[aria-selected="true"]');

function choose(option) {
  chosen()?.setAttribute("aria-selected", "false");
  option?.setAttribute("aria-selected", "true");
  option?.scrollIntoView({ block: "nearest" });
  if (option) field.setAttribute("aria-activedescendant", option.id);
  else field.removeAttribute("aria-activedescendant");
}

function close() {
  results.replaceChildren();
  field.setAttribute("aria-expanded", "false");
  field.removeAttribute("aria-activedescendant");
}

let closed = false; // By Esc, until somebody types again: an answer that comes later does not open it.

function offer() {
  if (document.activeElement !== field || !field.value.trim() || closed) return close();
  field.setAttribute("aria-expanded", String(Boolean(list())));
  field.removeAttribute("aria-activedescendant");
  const said = results.querySelector("[data-said]")?.dataset.said;
  const announcer = document.getElementById("announcer");
  if (said && announcer) announcer.textContent = said;
}

function step(by) {
  const all = options();
  if (!all.length) return;
  const at = all.indexOf(chosen());
  choose(at < 0 ? all.at(by > 0 ? 0 : -1) : all[(at + by + all.length) % all.length]);
}

function press(event) {
  if (event.isComposing) return;
  if ((event.key === "ArrowDown" || event.key === "ArrowUp") && list()) {
    event.preventDefault();
    step(event.key === "ArrowDown" ? 1 : -1);
  } else if (event.key === "Enter" && chosen()) {
    event.preventDefault();
    const { href } = chosen();
    close();
    location.assign(href);
  } else if (event.key === "Escape" && results.childElementCount) {
    event.preventDefault(); // The first press closes the list, the next leaves the field.
    closed = true;
    close();
  }
}

if (field && results) {
  field.setAttribute("role", "combobox");
  field.setAttribute("aria-autocomplete", "list");
  field.setAttribute("aria-controls", "find-list");
  field.setAttribute("aria-expanded", "false");
  field.addEventListener("keydown", press);
  field.addEventListener("blur", close);
  for (const name of ["input", "focus"]) field.addEventListener(name, () => { closed = false; });
  field.addEventListener("focus", () => { if (field.value.trim()) window.htmx?.trigger(field, "find:again"); });
  results.addEventListener("pointerdown", (event) => event.preventDefault()); // The field keeps the focus: a click is not a blur.
  document.addEventListener("htmx:afterSwap", (event) => { if (event.detail.target === results) offer(); });
}
