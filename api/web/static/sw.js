// The service worker of the member's website. The server writes VERSION and FILES before this (`offline.py`).
//
// Pages come from the network, always. When it is away, or the server says 5xx, the page /saldo shows the last balance
// that this device keeps, as an old one; every other page the shell. A balance is kept only where the member's pages
// carry JHT-Kept, the mark of this member on this device, and goes with the first page that carries another or none.
"use strict";

const SHELL = "/luring";
const BALANCE = "/luring/saldo";
const FIXED = `jht-${VERSION}`;
const KEPT = "jht-saldo";
const LONGEST = 7 * 24 * 3600 * 1000;
const OTHER_DOORS = /^\/(?:kantor|perusahaan|docs|v1|channels|metrics|livez|readyz|openapi\.json)(?:\/|$)/;

self.addEventListener("install", (event) => event.waitUntil(install()));
self.addEventListener("activate", (event) => event.waitUntil(activate()));
self.addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== self.location.origin || OTHER_DOORS.test(pathname)) return;
  if (request.mode === "navigate") event.respondWith(page(event, pathname));
  else if (FILES.includes(pathname)) event.respondWith(file(request));
});

async function install() {
  const cache = await caches.open(FIXED);
  await cache.addAll(FILES);
  await cache.add(new Request(SHELL, { cache: "no-store" }));
  await self.skipWaiting();
}

async function activate() {
  for (const name of await caches.keys()) {
    if (name.startsWith("jht-") && name !== FIXED && name !== KEPT) await caches.delete(name);
  }
  await self.clients.claim();
  // Made of the files of another version, or left over from a session that has ended since.
  const kept = await balance();
  if (kept && !(await keep(kept.headers.get("jht-kept")))) await caches.delete(KEPT);
}

async function file(request) {
  return (await caches.match(request, { cacheName: FIXED })) || fetch(request);
}

async function page(event, path) {
  let answer;
  try {
    answer = await fetch(event.request);
  } catch {
    return (path === "/saldo" && (await old(200))) || shell();
  }
  if (answer.type === "opaqueredirect") return answer;
  const mark = answer.headers.get("jht-kept");
  const failed = answer.status >= 500;
  const kept = await balance();
  // Where the service cannot even tell who is there, nothing is known of the mark either.
  const known = mark !== null || !failed;
  if (kept && known && kept.headers.get("jht-kept") !== mark) await caches.delete(KEPT);
  if (failed) return (path === "/saldo" && (await old(answer.status))) || answer;
  event.waitUntil(after(answer, mark, path === "/saldo" || !kept));
  return answer;
}

async function after(answer, mark, news) {
  if (answer.ok && mark && news) await keep(mark);
  const known = await caches.match(SHELL, { cacheName: FIXED });
  if (known && known.headers.get("content-language") !== answer.headers.get("content-language")) {
    await (await caches.open(FIXED)).add(new Request(SHELL, { cache: "no-store" }));
  }
}

// Whether a balance of the mark's member is kept now. What nobody can ask for any more goes.
async function keep(mark) {
  let answer;
  try {
    answer = await fetch(BALANCE, { cache: "no-store", redirect: "manual", signal: AbortSignal.timeout(20000) });
    if (answer.status >= 500) return false;
    if (!answer.ok || answer.headers.get("jht-kept") !== mark) {
      await caches.delete(KEPT);
      return false;
    }
    const headers = new Headers(answer.headers);
    for (const name of ["content-encoding", "content-length"]) headers.delete(name);
    headers.set("jht-kept-at", String(Date.now()));
    const cache = await caches.open(KEPT);
    await cache.put(BALANCE, new Response(await answer.text(), { headers }));
    return true;
  } catch {
    return false;
  }
}

// The kept balance, unless it is too old or from a time that has not come.
async function balance() {
  const kept = await caches.match(BALANCE, { cacheName: KEPT });
  if (!kept) return null;
  const age = Date.now() - Number(kept.headers.get("jht-kept-at"));
  if (age >= 0 && age < LONGEST) return kept;
  await caches.delete(KEPT);
  return null;
}

async function old(status) {
  const kept = await balance();
  return kept && new Response(kept.body, { status, headers: kept.headers });
}

async function shell() {
  return (await caches.match(SHELL, { cacheName: FIXED })) || Response.error();
}
