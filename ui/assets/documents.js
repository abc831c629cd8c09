// --- documents: the list, the choice of what is asked, uploads

const chosen = chosenBefore(); // collection → names of the documents that questions are limited to

const waiting = []; // files that are still to be sent, with their lines
let sending = false;

function collection() {
  return $("[name=mureum-collection]:checked").value;
}

function chosenBefore() {
  try {
    const { shared = [], own = [] } = JSON.parse(recall(localStorage, "mureum.documents")) || {};
    return { shared: new Set(shared), own: new Set(own) };
  } catch (error) {
    return { shared: new Set(), own: new Set() };
  }
}

function chosenDocuments() {
  return [...chosen[collection()]];
}

function chooseCollection(name, documents = null) {
  $(`[name=mureum-collection][value="${name}"]`).checked = true;
  remember(localStorage, "mureum.collection", name);
  root.classList.toggle("asks-own", name === "own");
  if (documents) chosen[name] = new Set(documents);
  showChoice();
  return listDocuments();
}

function showChoice() {
  const names = chosen[collection()];
  remember(localStorage, "mureum.documents", JSON.stringify({ shared: [...chosen.shared], own: [...chosen.own] }));
  root.classList.toggle("limits", names.size > 0);
  const words = template(names.size === 1 ? "documents_chosen_one" : "documents_chosen").replaceAll("{count}", names.size);
  draw($(".chosen-count"), names.size ? words : "");
  $(".clear-choice").hidden = !names.size;
  for (const tick of $$(".documents .choose")) tick.checked = names.has(tick.closest(".item").dataset.document);
}

async function listDocuments() {
  const name = collection();
  let markup;
  try {
    markup = (await call("documents", { collection: name })).html;
  } catch (error) {
    markup = `<p class="error" role="alert">${error.markup}</p>`;
  }
  if (name !== collection()) return;
  draw($(".documents"), markup);
  forgetGone(name);
  showChoice();
}

// A document that is not there any more limits nothing; a folder does while one of its documents is there.
function forgetGone(name) {
  const there = $$(".documents .item").map((item) => item.dataset.document);
  if ($(".documents .error")) return;
  chosen[name] = new Set([...chosen[name]].filter((one) => there.some((other) => other === one || other.startsWith(`${one.replace(/\/+$/, "")}/`))));
}

async function removeDocument(item) {
  const name = item.dataset.document;
  if (!await confirmed("remove", name)) return;
  try {
    await call("remove", { document: name });
  } catch (error) {
    return hint(error.markup);
  }
  await listDocuments();
  $(".files").focus();
}

function takeFiles(files) {
  if (!files.length) return;
  openRail("documents");
  chooseCollection("own");
  for (const file of files) {
    const line = document.createElement("li");
    line.innerHTML = template("upload");
    $(".upload-name", line).textContent = file.name;
    tell(line, "waiting", template("upload_waiting"));
    $(".uploads").prepend(line);
    waiting.push({ file, line });
  }
  sendNext();
}

function tell(line, state, markup) {
  line.dataset.state = state;
  draw($(".upload-said", line), markup);
  $("progress", line).hidden = state !== "sending";
}

async function sendNext() {
  if (sending || !waiting.length) return;
  sending = true;
  const { file, line } = waiting.shift();
  try {
    const done = await sendFile(file, line);
    tell(line, done.refused && !done.documents ? "refused" : "done", done.html);
    await listDocuments();
  } catch (error) {
    tell(line, "refused", `<span class="refused">${error.markup}</span>`);
  }
  sending = false;
  sendNext();
}

function sendFile(file, line) {
  return new Promise((resolve, refuse) => {
    const request = new XMLHttpRequest();
    const progress = $("progress", line);
    request.open("POST", "mureum/upload");
    request.setRequestHeader("x-mureum-visitor", visitor);
    request.setRequestHeader("x-mureum-name", encodeURIComponent(file.name));
    request.responseType = "json";
    request.upload.onprogress = (event) => {
      tell(line, "sending", template("upload_sending"));
      progress.max = event.total || 1;
      progress.value = event.loaded;
    };
    request.upload.onload = () => tell(line, "reading", template("upload_reading"));
    request.onerror = () => refuse(failure(""));
    request.onload = () => {
      try { resolve(answered(request.status, request.response || {})); } catch (error) { refuse(error); }
    };
    request.send(file);
  });
}

$(".files").addEventListener("change", (event) => {
  takeFiles([...event.target.files]);
  event.target.value = "";
});
for (const choice of $$("[name=mureum-collection]")) choice.addEventListener("change", () => chooseCollection(choice.value));
$(".documents").addEventListener("change", (event) => {
  const tick = event.target.closest(".choose");
  const name = tick.closest(".item").dataset.document;
  if (tick.checked) chosen[collection()].add(name); else chosen[collection()].delete(name);
  showChoice();
});
$(".clear-choice").addEventListener("click", () => {
  chosen[collection()].clear();
  showChoice();
  $(".documents .choose")?.focus();
});
$(".documents").addEventListener("click", (event) => {
  const item = event.target.closest(".item");
  if (!item) return;
  if (event.target.closest(".remove")) return removeDocument(item);
  const preview = event.target.closest(".preview");
  if (!preview) return;
  leaveRail();
  reading = null;
  showPlace();
  openSource({ document: item.dataset.document, start: 0, end: 0, collection: collection() }, docked.matches ? preview : $(".menu-button"));
});
for (const kind of ["dragenter", "dragover", "dragleave", "drop"])
  root.addEventListener(kind, (event) => {
    if (!event.dataTransfer || !event.dataTransfer.types.includes("Files")) return;
    event.preventDefault();
    const over = kind === "dragenter" || kind === "dragover";
    if (over && !root.classList.contains("dropping")) {
      openRail("documents");
      chooseCollection("own");
    }
    root.classList.toggle("dropping", over);
    if (kind === "drop") takeFiles([...event.dataTransfer.files]);
  });
