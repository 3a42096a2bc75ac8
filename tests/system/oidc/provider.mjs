// A real OpenID provider for tests. It listens on a free port and says which; then it reads its client's metadata (a
// line of JSON) and says "ready". Whoever logs in as NAME has the address NAME@contoh.id, verified unless NAME begins
// with "new".
import { once } from 'node:events';
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';
import Provider from 'oidc-provider';

const server = createServer().listen(0, '127.0.0.1');
await once(server, 'listening');
const { port } = server.address();
console.log(port);
const [client] = await once(createInterface({ input: process.stdin }), 'line');
const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [JSON.parse(client)],
  claims: { openid: ['sub'], email: ['email', 'email_verified'] },
  pkce: { required: () => true },
  cookies: { keys: ['test'] },
  findAccount: (_, id) => ({
    accountId: id,
    claims: () => ({ sub: id, email: `${id}@contoh.id`, email_verified: !id.startsWith('new') }),
  }),
});
server.on('request', provider.callback());
console.log('ready');
