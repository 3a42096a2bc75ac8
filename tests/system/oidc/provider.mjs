// A real OpenID provider for one test: node provider.mjs PORT REDIRECT_URI. Whoever logs in as NAME has the address
// NAME@contoh.id, verified unless NAME begins with "new".
import Provider from 'oidc-provider';

const [port, redirect] = process.argv.slice(2);
const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [{ client_id: 'jht', client_secret: 'a-secret-of-the-test', redirect_uris: [redirect] }],
  claims: { openid: ['sub'], email: ['email', 'email_verified'] },
  pkce: { required: () => true },
  cookies: { keys: ['test'] },
  findAccount: (_, id) => ({
    accountId: id,
    claims: () => ({ sub: id, email: `${id}@contoh.id`, email_verified: !id.startsWith('new') }),
  }),
});
provider.listen(Number(port), '127.0.0.1', () => console.log('ready'));
