// The overview's table: cells name themselves and lead to their items. The page says what they mean once, not in each.

const words = document.getElementById("words").dataset; // In the language of the page: partials/script_words.html.
const word = (cell) => words[cell.classList.contains("off") ? "cellOff" : `cell${cell.className.toUpperCase()}`];

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
  if (entry) cell.title = words.cellIs.replace("{value}", word(cell)).replace("{name}", () => entry[1]);
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
  button.textContent = words.copied;
}

// What can be copied only where there is a clipboard, and clicked only where this runs.
function prepare() {
  for (const table of document.querySelectorAll(".environments[data-strips]")) table.classList.add("clickable");
  for (const button of document.querySelectorAll("[data-copy-address]")) button.hidden = !navigator.clipboard;
}

document.addEventListener("htmx:afterSettle", prepare);
prepare();
