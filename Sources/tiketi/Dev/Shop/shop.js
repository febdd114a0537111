// The shop of `tiketi dev`: from login to the ticket's code, over the public API alone.

import { accountPages } from "./account.js";

const page = document.getElementById("page");
const account = document.getElementById("account");
let token = null;
let timer = null;

// MARK: The API

class Problem extends Error {
  constructor(problem, status) {
    super(problem.detail || problem.title || `HTTP ${status}`);
    Object.assign(this, { code: problem.code, field: problem.field, status });
  }
}

async function send(method, path, body) {
  const headers = {};
  if (token) headers.Authorization = `Bearer ${token}`;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  return fetch(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
}

async function api(method, path, body) {
  let response = await send(method, path, body);
  if (response.status === 401 && token && await refresh()) response = await send(method, path, body);
  const text = await response.text();
  const json = text && (response.headers.get("Content-Type") || "").includes("json") ? JSON.parse(text) : {};
  if (!response.ok) throw new Problem(json, response.status);
  return json;
}

async function refresh() {
  token = null;
  const response = await fetch("/api/users/refresh", { method: "POST" });
  if (response.ok) token = (await response.json()).accessToken;
  return token !== null;
}

// MARK: Beacons

const isPrivate = navigator.globalPrivacyControl === true || navigator.doNotTrack === "1";
const visitorId = isPrivate ? undefined : (localStorage.visitorId ||= crypto.randomUUID());

function track(eventType, event) {
  const beacon = { eventType, eventId: event?.id, artistId: event?.artistId, visitorId, messageId: crypto.randomUUID(),
    timestamp: Date.now(), metadata: { path: location.pathname, userAgent: navigator.userAgent } };
  if (!isPrivate && document.referrer) beacon.metadata.referrer = document.referrer;
  navigator.sendBeacon("/api/analytics/track", JSON.stringify(beacon));
}

// MARK: What is shown

/** An element. Text is only ever text. */
function make(name, attributes = {}, ...children) {
  const element = name.startsWith("svg:")
    ? document.createElementNS("http://www.w3.org/2000/svg", name.slice(4)) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (value !== undefined && value !== false) element.setAttribute(key, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

const link = (href, ...children) => make("a", { href, "data-link": "" }, ...children);
const money = (amount, currency) => new Intl.NumberFormat("ko-KR", { style: "currency", currency }).format(amount);
const when = (instant) => new Intl.DateTimeFormat("ko-KR", { dateStyle: "full", timeStyle: "short", timeZone: "Asia/Seoul" })
  .format(new Date(instant));

function show(...children) {
  clearInterval(timer);
  page.replaceChildren(...children);
}

function complain(error) {
  page.querySelector(".problem")?.remove();
  page.prepend(make("p", { class: "problem", role: "alert" }, error.message));
}

/** Runs what a button does, and says what went wrong. */
const doing = (action) => async (event) => {
  event.preventDefault();
  const button = event.submitter || event.currentTarget;
  button.disabled = true;
  try { await action(event); } catch (error) { complain(error); } finally { button.disabled = false; }
};

function showAccount() {
  if (token) {
    account.replaceChildren(link("/my", "내 예매"), make("button", { class: "quiet", onclick: doing(async () => {
      await api("POST", "/api/users/logout");
      token = null;
      showAccount();
      go("/");
    }) }, "로그아웃"));
  } else {
    account.replaceChildren(link("/login", "로그인"));
  }
}

// MARK: Pages

const accounts = accountPages({ api, make, link, show, doing, go, isSignedIn: () => token !== null, signIn(given) {
  token = given;
  showAccount();
} });

async function events() {
  const q = new URLSearchParams(location.search).get("q");
  const answer = await api("GET", q ? `/api/events/search?q=${encodeURIComponent(q)}` : "/api/events?limit=60");
  track("page_view");
  show(make("h1", {}, q ? `“${q}” 검색 결과` : "공연"), make("ul", { class: "cards" },
    ...answer.events.map((event) => make("li", {}, link(`/events/${encodeURIComponent(event.id)}`,
      make("strong", {}, event.title), make("div", {}, event.artistName || ""),
      make("div", { class: "muted" }, when(event.startsAt)))))),
    answer.events.length ? null : make("p", {}, "찾은 공연이 없습니다."));
}

async function login() {
  const field = (name, type, label, autocomplete) =>
    make("label", {}, label, make("input", { name, type, autocomplete, required: "" }));
  const values = (event) => Object.fromEntries(new FormData(event.target));
  const enter = async ({ email, password }) => {
    token = (await api("POST", "/api/users/login", { email, password })).accessToken;
    showAccount();
    const to = sessionStorage.after || "/";
    delete sessionStorage.after;
    go(to);
  };
  show(make("h1", {}, "로그인"),
    make("form", { class: "stack", onsubmit: doing(async (event) => enter(values(event))) },
      field("email", "email", "이메일", "username"), field("password", "password", "비밀번호", "current-password"),
      make("button", {}, "로그인")),
    make("p", {}, link("/forgot-password", "비밀번호를 잊으셨나요?")), await accounts.googleButton(),
    make("h2", {}, "처음이신가요?"),
    make("form", { class: "stack", onsubmit: doing(async (event) => {
      const { name, email, password } = values(event);
      await api("POST", "/api/users/register", { name, email, password });
      await enter({ email, password }).catch((error) => {
        // Where addresses have to be confirmed first.
        if (error.status !== 401) throw error;
        show(make("h1", {}, "메일을 확인해 주세요"), make("p", {}, "메일의 링크로 이메일을 확인하면 로그인할 수 있습니다."));
      });
    }) }, field("name", "text", "이름", "name"), field("email", "email", "이메일", "email"),
      field("password", "password", "비밀번호 (8자 이상)", "new-password"), make("button", {}, "회원 가입")));
}

async function event(id) {
  const [about, map] = await Promise.all([
    api("GET", `/api/events/${encodeURIComponent(id)}`), api("GET", `/api/seats/event/${encodeURIComponent(id)}`)]);
  track("page_view", about);
  const chosen = new Map();
  const total = make("span", { role: "status" }, "좌석을 고르세요");
  const hold = make("button", { disabled: "", onclick: doing(async () => {
    if (!token) {
      sessionStorage.after = location.pathname;
      return go("/login");
    }
    const reservation = await api("POST", "/api/reservations", { eventId: id, seatIds: [...chosen.keys()], visitorId });
    go(`/reservations/${reservation.id}`);
  }) }, "예매하기");
  const choose = (element, seat, section, row) => {
    if (seat.status !== "free") return;
    if (chosen.has(seat.id)) chosen.delete(seat.id);
    else if (chosen.size < map.maxSeatsPerBuyer) chosen.set(seat.id, seat);
    element.classList.toggle("chosen", chosen.has(seat.id));
    const sum = [...chosen.values()].reduce((sum, seat) => sum + seat.price, 0);
    total.textContent = chosen.size ? `${chosen.size}석 · ${money(sum, map.currency)}` : "좌석을 고르세요";
    hold.disabled = chosen.size === 0;
  };
  track("seat_view", about);
  show(make("h1", {}, about.title), make("p", {}, [about.artistName, about.venueName, when(about.startsAt)]
    .filter(Boolean).join(" · ")), about.description ? make("p", {}, about.description) : null,
    seatMap(map, choose), make("div", { class: "bar" }, total, hold));
}

function seatMap(map, choose) {
  const pitch = 12;
  let top = 0;
  let width = 0;
  const parts = [];
  for (const section of map.sections) {
    top += 16;
    parts.push(make("svg:text", { x: 4, y: top }, section.name));
    for (const row of section.rows) {
      top += pitch;
      row.seats.forEach((seat, index) => {
        const x = 24 + index * pitch;
        width = Math.max(width, x + pitch);
        const label = `${section.name} ${row.name}열 ${seat.number}번`;
        const dot = make("svg:circle", { cx: x, cy: top, r: 4.5, class: `seat ${seat.status}`, role: "button",
          tabindex: seat.status === "free" ? 0 : -1, "aria-label": label }, make("svg:title", {}, label));
        dot.addEventListener("click", () => choose(dot, seat, section, row));
        dot.addEventListener("keydown", (event) => { if (event.key === "Enter") choose(dot, seat, section, row); });
        parts.push(dot);
      });
    }
  }
  return make("svg:svg", { class: "seats", viewBox: `0 0 ${width + 8} ${top + 16}` }, ...parts);
}

async function reservation(id) {
  const [it, tickets] = await Promise.all([
    api("GET", `/api/reservations/${encodeURIComponent(id)}`),
    api("GET", `/api/reservations/${encodeURIComponent(id)}/tickets`)]);
  const seats = make("ul", {}, ...it.seats.map((seat) => make("li", {}, `${seat.id} · ${money(seat.price, it.currency)}`)));
  const head = [make("h1", {}, it.title), make("p", {}, when(it.startsAt))];
  if (it.state !== "held") {
    const shown = await Promise.all(tickets.tickets.map(ticket));
    show(...head, make("p", {}, stateName(it.state)), make("ul", { class: "tickets" }, ...shown));
    return it;
  }
  const left = make("p", { role: "timer" });
  const tick = () => {
    const seconds = Math.floor((new Date(it.expiresAt) - Date.now()) / 1000);
    left.textContent = seconds > 0 ? `남은 시간 ${Math.floor(seconds / 60)}분 ${seconds % 60}초` : "예매 시간이 지났습니다.";
  };
  show(...head, seats, make("p", {}, make("strong", {}, money(it.amount, it.currency))), left,
    make("div", { class: "bar" },
      make("button", { class: "quiet", onclick: doing(async () => {
        await api("DELETE", `/api/reservations/${id}`);
        go(`/events/${encodeURIComponent(it.eventId)}`);
      }) }, "취소"),
      make("button", { onclick: doing(async () => {
        const payment = await api("POST", "/api/payments/toss/request", { reservationId: id });
        sessionStorage.reservation = id;
        location.href = payment.checkoutUrl;
      }) }, "결제하기")));
  tick();
  timer = setInterval(tick, 1000);
  return it;
}

const stateName = (state) => ({ confirming: "결제를 확인하고 있습니다.", paid: "결제 완료", expired: "시간이 지나 풀렸습니다.",
  canceled: "취소되었습니다." })[state] || state;

async function ticket(ticket) {
  const place = `${ticket.section} ${ticket.row}열 ${ticket.number}번`;
  if (ticket.state === "void") return make("li", { class: "muted" }, place, make("div", {}, "취소됨"));
  const response = await send("GET", `/api/tickets/${ticket.id}/qr`);
  if (!response.ok) throw new Problem({}, response.status);
  const url = URL.createObjectURL(new Blob([await response.text()], { type: "image/svg+xml" }));
  return make("li", {}, make("img", { src: url, alt: `입장 QR 코드: ${place}` }), make("div", {}, place),
    ticket.state === "used" ? make("div", { class: "muted" }, "입장 완료") : null);
}

/** Back from paying. The answer may be late: until it is known, nothing is claimed. */
async function paid() {
  const parameters = new URLSearchParams(location.search);
  show(make("p", {}, "결제를 확인하고 있습니다 …"));
  const confirm = () => api("POST", "/api/payments/toss/confirm", { paymentKey: parameters.get("paymentKey"),
    orderId: parameters.get("orderId"), amount: Number(parameters.get("amount")) });
  let payment = await confirm();
  const isOpen = () => ["confirming", "paid", "releasing"].includes(payment.state);
  for (let tries = 0; tries < 60 && isOpen(); tries++) {
    await new Promise((resolve) => setTimeout(resolve, 1000));
    payment = await api("GET", `/api/payments/${payment.paymentId}`);
  }
  await go(`/reservations/${payment.reservationId}`);
  if (payment.state === "failed") complain(new Error(`결제하지 못했습니다 (${payment.failureCode}). 돈은 빠져나가지 않았습니다.`));
  if (["returning", "unfulfilled"].includes(payment.state)) complain(new Error("좌석이 없어져 결제한 돈을 모두 돌려드립니다."));
}

async function failed() {
  const message = new URLSearchParams(location.search).get("message");
  show(make("h1", {}, "결제하지 못했습니다"), make("p", {}, message || ""),
    sessionStorage.reservation ? link(`/reservations/${sessionStorage.reservation}`, "다시 결제하기") : link("/", "처음으로"));
}

async function mine() {
  const [answer, about] = await Promise.all([api("GET", "/api/reservations/my"), accounts.about()]);
  show(make("h1", {}, "내 예매"), about, make("ul", { class: "cards" }, ...answer.reservations.map((it) =>
    make("li", {}, link(`/reservations/${it.id}`, make("strong", {}, it.title), make("div", {}, stateName(it.state)),
      make("div", { class: "muted" }, when(it.startsAt)))))));
}

// MARK: Where one is

const routes = [
  [/^\/$/, events], [/^\/login$/, login], [/^\/my$/, mine], [/^\/events\/([^/]+)$/, event],
  [/^\/reservations\/([^/]+)$/, reservation], [/^\/checkout\/success$/, paid], [/^\/checkout\/fail$/, failed],
  [/^\/verify-email$/, accounts.verifyEmail], [/^\/forgot-password$/, accounts.forgotPassword],
  [/^\/reset-password$/, accounts.resetPassword], [/^\/auth\/callback$/, accounts.googleCallback],
];

async function route() {
  for (const [pattern, open] of routes) {
    const match = location.pathname.match(pattern);
    if (!match) continue;
    try {
      await open(...match.slice(1).map(decodeURIComponent));
    } catch (error) {
      if (error.status === 401) {
        sessionStorage.after = location.pathname + location.search;
        return go("/login");
      }
      show();
      complain(error);
    }
    return;
  }
  show(make("h1", {}, "없는 쪽입니다"), link("/", "처음으로"));
}

function go(path) {
  history.pushState(null, "", path);
  return route();
}

document.addEventListener("click", (event) => {
  const anchor = event.target.closest("a[data-link]");
  if (!anchor || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  go(anchor.getAttribute("href"));
});
document.getElementById("search").addEventListener("submit", (event) => {
  event.preventDefault();
  const q = new FormData(event.target).get("q").trim();
  go(q ? `/?q=${encodeURIComponent(q)}` : "/");
});
addEventListener("popstate", route);

await refresh().catch(() => {});
showAccount();
await route();
