// --- the left side: a column in a wide window, a drawer in a narrow one; and the questions asked before something is lost

const docked = window.matchMedia("(min-width: 1280px)");
const rail = $(".rail");
const dialog = $("dialog");
let railOpener = null;

function openRail(panel = null) {
  if (panel) choosePanel(panel);
  if (!docked.matches && !root.classList.contains("rail-open")) railOpener = document.activeElement;
  root.classList.toggle("rail-closed", false);
  root.classList.toggle("rail-open", !docked.matches);
  fitRail();
  if (!docked.matches) $(".close-rail").focus();
}

function closeRail(refocus = true) {
  if (docked.matches) root.classList.add("rail-closed");
  const was = root.classList.contains("rail-open");
  root.classList.remove("rail-open");
  fitRail();
  if (was && refocus && railOpener && railOpener.isConnected) railOpener.focus();
  railOpener = null;
}

// In a narrow window the drawer closes once something has been chosen in it.
function leaveRail() {
  if (!docked.matches) closeRail(false);
}

function fitRail() {
  const open = docked.matches ? !root.classList.contains("rail-closed") : root.classList.contains("rail-open");
  if (docked.matches) root.classList.remove("rail-open");
  rail.inert = !open;
  for (const other of [$(".top"), $(".stage")]) other.inert = open && !docked.matches;
  $(".menu-button").setAttribute("aria-expanded", String(open));
}

function choosePanel(name) {
  for (const tab of $$("[role=tab]")) {
    const chosen = tab.dataset.panel === name;
    tab.setAttribute("aria-selected", String(chosen));
    tab.tabIndex = chosen ? 0 : -1;
    $(`#mureum-${tab.dataset.panel}`).hidden = !chosen;
  }
}

$("[role=tablist]").addEventListener("keydown", (event) => {
  if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
  const other = $("[role=tab][aria-selected=false]");
  choosePanel(other.dataset.panel);
  other.focus();
});

// Asks in a dialog: `name` names its words. Resolves to null, or to what was written (true where nothing is).
function confirmed(name, about, value = null) {
  draw($(".dialog-title", dialog), template(`${name}_title`));
  draw($(".dialog-text", dialog), template(`${name}_text`));
  $(".dialog-about", dialog).textContent = value === null ? about : "";
  const line = $("input", dialog);
  $(".dialog-line", dialog).hidden = value === null;
  line.value = value || "";
  draw($(".yes", dialog), template(`${name}_yes`));
  $(".yes", dialog).classList.toggle("danger", value === null);
  dialog.returnValue = "";
  dialog.showModal();
  if (value !== null) line.select();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      resolve(dialog.returnValue === "yes" ? (value === null ? true : line.value) : null);
    }, { once: true });
  });
}
