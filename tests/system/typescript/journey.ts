// What the members' app does, with types made from openapi.json: a misspelt field or value does not compile.
import createClient from "openapi-fetch";
import type { components, paths } from "./schema.js";

type Status = components["schemas"]["Balance"]["status"];
const known: Record<Status, string> = { "aktif": "active", "tidak-aktif": "inactive", "belum-ada-iuran": "new" };

const [address, identifier, password, otherCard] = JSON.parse(process.argv[2] ?? "[]") as [string, string, string, string];
const client = createClient<paths>({ baseUrl: address });

function must<T>(answer: { data?: T; error?: unknown; response: Response }): T {
  if (answer.data === undefined) throw new Error(`${answer.response.status} ${JSON.stringify(answer.error)}`);
  return answer.data;
}

const wrong = await client.POST("/v1/mobile/login", { body: { identifier, password: "salah sekali", device: "HP" } });
const refusal: components["schemas"]["Problem"]["code"] | undefined = wrong.error?.code;
if (refusal !== "login-wrong") throw new Error(`a wrong password gave ${refusal}`);

const tokens = must(await client.POST("/v1/mobile/login", { body: { identifier, password, device: "HP Budi" } }));
let headers = { Authorization: `${tokens.token_type} ${tokens.access_token}` };

const me = must(await client.GET("/v1/mobile/me", { headers }));
const onFile = must(await client.GET("/v1/mobile/contacts", { headers }));
const change = await client.POST("/v1/mobile/contacts", { headers, body: { contact: "baru@contoh.id", password: "salah" } });
const { cards } = must(await client.GET("/v1/mobile/cards", { headers }));
const [card] = cards;
if (!card || card.balance === null || card.status === null) throw new Error("no card that can be told");

const path = { handle: card.handle };
const asked = await client.GET("/v1/mobile/cards/{handle}/balance", { headers, params: { path } });
const balance = must(asked);
const etag = asked.response.headers.get("ETag") ?? "";
const again = await client.GET("/v1/mobile/cards/{handle}/balance", {
  headers, params: { path, header: { "If-None-Match": etag } }, parseAs: "stream",
});

const months: string[] = [];
let cursor: string | undefined;
do {
  const query = cursor === undefined ? { limit: 2 } : { limit: 2, cursor };
  const page = must(await client.GET("/v1/mobile/cards/{handle}/entries", { headers, params: { path, query } }));
  months.push(...page.entries.filter((entry) => entry.type === "posted" && entry.kind === "regular").map((e) => e.month));
  cursor = page.next ?? undefined;
} while (cursor !== undefined);

const linked = must(await client.POST("/v1/mobile/cards", { headers, body: { kpj: otherCard } }));
const renewed = must(await client.POST("/v1/mobile/refresh", { body: { refresh_token: tokens.refresh_token } }));
headers = { Authorization: `Bearer ${renewed.access_token}` };
// A member's own read is written within a second, not before its answer.
let reads = must(await client.GET("/v1/mobile/access-log", { headers })).reads;
for (let tries = 0; tries < 20 && reads.length === 0; tries++) {
  await new Promise((resolve) => setTimeout(resolve, 250));
  reads = must(await client.GET("/v1/mobile/access-log", { headers })).reads;
}
const out = await client.POST("/v1/mobile/logout", { headers });
const over = await client.GET("/v1/mobile/me", { headers });

console.log(JSON.stringify({
  name: me.name, devices: me.devices.length, status: known[card.status], balance: balance.balance,
  worker: balance.contributed.worker, month: balance.last_contribution?.month, unchanged: again.response.status,
  months, linked: linked.kpj, readers: [...new Set(reads.map((read) => read.by))], out: out.response.status,
  over: over.error?.code, contact: onFile.email, waiting: onFile.waiting.length, change: change.error?.code,
}));
