// The overview's table: cells name themselves and lead to their items. The page says what they mean once, not in each.

const WORDS = {
  v: "verified", a: "attested", w: "waived", f: "failing", s: "stale", o: "open", n: "not applicable",
};

// Which entry a cell stands for: the cells of a row are those of its strip, or of one section of it.
function entryOf(cell) {
  const table = cell.closest(".environments[data-strips]");
  const row = cell.closest("tr");
  const cells = [...row.querySelectorAll(".c-strip i")];
  const strip = JSON.parse(table.dataset.strips)[Number(row.dataset.strip ?? 0)];
  const section = row.querySelector("a.name").id.split("-")[2];
  const entries = section ? strip.filter((one) => String(one[2]) === section) : strip;
  return entries[cells.indexOf(cell)];
}

const cellAt = (target) => target.closest?.(".environments[data-strips] .c-strip i");

document.addEventListener("mouseover", (event) => {
  const cell = cellAt(event.target);
  if (!cell || cell.title) return;
  const entry = entryOf(cell);
  if (entry) cell.title = `${entry[1]}: ${cell.classList.contains("off") ? "does not apply here" : WORDS[cell.className]}`;
});

document.addEventListener("click", (event) => {
  const cell = cellAt(event.target);
  const entry = cell && !cell.classList.contains("off") && entryOf(cell);
  if (entry) location.assign(`${cell.closest("tr").querySelector("a.name").href}#item-${entry[0]}`);
  const copying = event.target.closest("[data-copy-address]");
  if (copying) copy(copying);
});

async function copy(button) {
  const address = new URL(location.href);
  address.searchParams.delete("since");
  await navigator.clipboard.writeText(address.href);
  button.textContent = "Copied";
}

// What can be copied only where there is a clipboard, and clicked only where this runs.
function prepare() {
  for (const table of document.querySelectorAll(".environments[data-strips]")) table.classList.add("clickable");
  for (const button of document.querySelectorAll("[data-copy-address]")) button.hidden = !navigator.clipboard;
}

document.addEventListener("htmx:afterSettle", prepare);
prepare();
