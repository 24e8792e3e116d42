
/* The live page: one socket, what is new on it, and what a person does here. */

const live = { socket: null, waits: 250, gone: false, ended: false, can: false, paused: false, question: null, queue: [], drawing: false, drawn: 0, delays: [], events: 0 };
const FRAMES = 60, SERIAL = 200, DELAYS = 20000, DRAW_EVERY_MS = 40;

report.traffic = async (key) => {
  const answer = await fetch(`traffic/${encodeURIComponent(key)}`);
  if (!answer.ok) throw new Error("the server does not have it");
  return answer.json();
};

function connect() {
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  const socket = new WebSocket(`${scheme}://${location.host}/live`);
  live.socket = socket;
  socket.onopen = () => { live.waits = 250; };
  socket.onmessage = (message) => { const told = JSON.parse(message.data); if (Object.hasOwn(TOLD, told.type)) TOLD[told.type](told); };
  socket.onclose = () => {
    if (live.socket !== socket) return;
    live.socket = null;
    steering({ can: false, paused: live.paused });
    ask(null);
    if (live.ended) return;
    state("lost", live.gone ? "the server has gone; trying again" : "not connected; trying again");
    setTimeout(connect, live.waits);
    live.waits = Math.min(live.waits * 2, 5000);
  };
}

const TOLD = {
  picture: (told) => {
    live.gone = false;
    live.queue.length = 0;
    byId("live-frames").replaceChildren(...told.frames.map(row));
    byId("live-serial").replaceChildren(...told.serial.map(row));
    live.events = told.events;
    doing(told.case, told.step);
    ask(told.question);
    bottom();
  },
  events: (told) => {
    live.queue.push(...told.events);
    if (!live.drawing) {
      live.drawing = true;
      setTimeout(() => (document.hidden ? draw() : requestAnimationFrame(draw)), Math.max(0, live.drawn + DRAW_EVERY_MS - performance.now()));
    }
  },
  progress: (told) => {
    const bar = byId("live-progress");
    bar.max = Math.max(told.of, 1);
    bar.value = told.done;
    byId("live-count").textContent = `${told.done} of ${told.of} cases`;
    live.ended = told.state === "finished";
    if (live.ended) { doing("", ""); ask(null); state("ended", `ended, exit ${told.exit_code}`); } else { state("running", live.paused ? "paused" : "running"); if (told.case !== byId("live-case").textContent) doing(told.case, ""); }
  },
  steering: (told) => steering(told),
  run: (told) => { report.refresh(told.markup, told.overview); counts(told.overview.run.counts); },
  gone: () => { live.gone = true; steering({ can: false, paused: live.paused }); },
};

function counts(found) {
  for (const box of document.querySelectorAll('input[name="verdict"]')) {
    const count = box.parentElement.querySelector("b");
    count.textContent = found[box.value] ?? 0;
    count.classList.toggle("zero", !found[box.value]);
  }
}

function state(name, text) {
  byId("live").dataset.state = name;
  if (byId("live-state").textContent !== text) byId("live-state").textContent = text;
}

function steering({ can, paused }) {
  live.can = can;
  live.paused = paused;
  const pause = byId("live-pause");
  pause.hidden = byId("live-stop").hidden = !can || live.ended;
  pause.textContent = paused ? "Go on" : "Pause";
  pause.setAttribute("aria-pressed", String(paused));
  if (!live.ended && live.socket) state(paused ? "paused" : "running", paused ? "paused before the next case" : "running");
}

function doing(key, step) {
  byId("live-case").textContent = key;
  byId("live-step").textContent = step;
}

function ask(question) {
  if (question?.id === live.question?.id) return;
  live.question = question;
  byId("live-question").hidden = !question;
  byId("live-question-text").textContent = question ? question.text : "";
  byId("live-remark").value = "";
  if (question) announce(`Question: ${question.text}`);
}

const row = (event) => el("li", {}, el("span", { class: "t" }, event.t.toFixed(3)), el("span", { class: "who" }, `${short(event.from)} → ${short(event.to)}`), el("span", { class: "s" }, event.s));
const short = (party) => (/^([0-9A-F]{2}-){7}[0-9A-F]{2}$/.test(party) ? `…${party.slice(-8)}` : party);

function draw() {
  live.drawing = false;
  live.drawn = performance.now();
  const events = live.queue.splice(0);
  live.events += events.length;
  for (const event of events) {
    if (event.question) ask(event.question);
    if (event.answered && live.question?.id === event.answered) ask(null);
    if (event.step) doing(event.k, event.s);
  }
  add(byId("live-frames"), events.filter((event) => event.b === "air" || event.b === "radio"), FRAMES);
  add(byId("live-serial"), events.filter((event) => event.b === "serial"), SERIAL);
  const now = Date.now() / 1000;
  for (const event of events) live.delays.push(now - event.at);
  if (live.delays.length > DELAYS) live.delays.splice(0, live.delays.length - DELAYS);
}

function add(list, events, most) {
  if (!events.length) return;
  const follows = list.scrollHeight - list.scrollTop - list.clientHeight < 24;
  list.append(...events.slice(-most).map(row));
  while (list.childElementCount > most) list.firstElementChild.remove();
  if (follows) list.scrollTop = list.scrollHeight;
}

function bottom() {
  for (const id of ["live-frames", "live-serial"]) byId(id).scrollTop = byId(id).scrollHeight;
}

const say = (told) => { if (live.socket?.readyState === WebSocket.OPEN) live.socket.send(JSON.stringify(told)); };

function answer(yes) {
  if (!live.question) return;
  say({ do: "answer", question: live.question.id, yes, remark: byId("live-remark").value });
}

byId("live-question").addEventListener("submit", (event) => { event.preventDefault(); answer(true); });
byId("live-no").addEventListener("click", () => answer(false));
byId("live-pause").addEventListener("click", () => say({ do: live.paused ? "resume" : "pause" }));
byId("live-stop").addEventListener("click", (event) => {
  const button = event.currentTarget;
  if (button.dataset.sure) { say({ do: "stop" }); return; }
  button.dataset.sure = "yes";
  button.textContent = "Stop now?";
  setTimeout(() => { delete button.dataset.sure; button.textContent = "Stop"; }, 5000);
});
window.live = live;
connect();
