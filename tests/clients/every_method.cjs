// Every method of Mailgun's JavaScript client whose operation is there. Prints which it offers and which were called.
const assert = require('node:assert/strict');
const FormData = require('form-data');
const { default: Mailgun } = require('mailgun.js');
const { recording } = require('./recording.cjs');

const [url, key, domain, receiver] = process.argv.slice(2);
const { client: mg, told } = recording(new Mailgun(FormData).client({ username: 'api', key, url }));

async function emulator(path, body) {
  const options = { method: 'POST', headers: { Authorization: `Basic ${btoa(`api:${key}`)}` } };
  if (body) Object.assign(options, { body: JSON.stringify(body) });
  if (body) options.headers['Content-Type'] = 'application/json';
  const answer = await fetch(`${url}/_emulator/${path}`, options);
  assert.equal(answer.ok, true, await answer.text());
}

const drain = () => emulator('drain');
const status = (promise) => promise.then(() => 'no error', (error) => error.status);
const names = (items, name) => items.map((item) => item[name]);
const message = (more) => ({ from: `Ann <ann@${domain}>`, to: 'bob@gmail.com', subject: 'Hi', text: 'hello', ...more });

async function domains() {
  const name = `js.${domain}`;
  const made = await mg.domains.create({ name, wildcard: true, web_scheme: 'https' });
  assert.deepEqual([made.state, made.wildcard, made.web_scheme], ['unverified', true, 'https']);
  assert.ok(made.created_at.valueOf());
  assert.equal((await mg.domains.verify(name)).state, 'active');
  assert.ok(names(await mg.domains.list({ limit: 5 }), 'name').includes(name));
  assert.equal((await mg.domains.get(name, { extended: true, with_dns: true })).name, name);
  assert.equal((await mg.domains.update(name, { spam_action: 'tag', wildcard: false })).wildcard, false);
  await mg.domains.updateConnection(name, { require_tls: true });
  assert.equal((await mg.domains.getConnection(name)).require_tls, true);
  assert.ok((await mg.domains.updateWebPrefix(name, { webPrefix: 'links' })).body.message);
  assert.ok((await mg.domains.updateDKIMSelector(name, { dkimSelector: 's1' })).message);
  assert.equal((await mg.domains.updateDKIMAuthority(name, { self: true })).changed, false);
  for (const tracking of [mg.domains, mg.domains.domainTracking]) {
    const open = await tracking.updateTracking(name, 'open', { active: 'yes', place_at_the_top: 'yes' });
    assert.deepEqual(open.open, { active: true, place_at_the_top: true });
    assert.equal((await tracking.getTracking(name)).open.active, true);
  }
  assert.match((await mg.domains.destroy(name)).message, /will be deleted/);
  assert.equal(await status(mg.domains.get(name)), 404);
}

async function certificates() {
  const host = `email.${domain}`;
  const { domainTracking } = mg.domains;
  assert.equal((await domainTracking.generate(host)).location, `/v2/x509/${host}/status`);
  await drain();
  assert.equal((await domainTracking.get(host)).status, 'active');
  await emulator('clock', { advance: '91d' });
  assert.ok((await domainTracking.regenerate(host)).message);
}

async function keysOfDomains() {
  const { domainKeys } = mg.domains;
  const made = await domainKeys.create({ signingDomain: domain, selector: 'own', bits: '1024' });
  assert.deepEqual([made.selector, made.status], ['own', 200]);
  assert.ok(names((await domainKeys.list(domain)).items, 'selector').includes('own'));
  const all = await domainKeys.listAll({ signingDomain: domain, selector: 'own' });
  assert.deepEqual(names(all.items, 'selector'), ['own']);
  await mg.domains.verify(domain);
  assert.equal((await domainKeys.activate(domain, 'own')).active, true);
  assert.equal((await domainKeys.deactivate(domain, 'own')).active, false);
  assert.ok((await domainKeys.updateDKIMSelector(domain, { dkimSelector: 's2' })).message);
  assert.ok((await domainKeys.updateDKIMAuthority(domain, { self: 'yes' })).message);
  assert.ok((await domainKeys.destroy(domain, 'own')).message);
  const name = `safe.${domain}`;
  await mg.domains.create({ name, use_automatic_sender_security: true });
  await mg.domains.verify(name);
  const rotation = { rotation_enabled: true, rotation_interval: '30d' };
  assert.equal((await mg.dkimManagement.update(name, rotation)).domain.rotation_interval, '720h0m0s');
  assert.ok((await mg.dkimManagement.rotateImmediately(name)).message);
}

async function credentials() {
  const { domainCredentials } = mg.domains;
  const login = `alice@${domain}`;
  assert.equal((await domainCredentials.create(domain, { login, password: 'secret-secret' })).status, 200);
  await domainCredentials.create(domain, { login: `bob@${domain}`, password: 'secret-secret' });
  assert.equal((await domainCredentials.list(domain, { limit: 1, skip: 0 })).totalCount, 2);
  assert.equal((await domainCredentials.update(domain, 'alice', { password: 'another-one' })).message, 'Password changed');
  assert.equal((await domainCredentials.destroy(domain, 'alice')).spec, login);
  assert.equal((await domainCredentials.destroyAll(domain)).count, 1);
}

async function messages() {
  const sent = await mg.messages.create(domain, message({ attachment: { data: 'some notes', filename: 'a.txt' } }));
  assert.deepEqual([sent.status, sent.message], [200, 'Queued. Thank you.']);
  await drain();
  const events = await mg.events.get(domain, { event: 'delivered', 'message-id': sent.id.slice(1, -1) });
  const { key: storageKey } = events.items[0].storage;
  const stored = await mg.messages.retrieveStoredEmail(domain, storageKey);
  assert.deepEqual([stored.subject, stored.attachments[0].name], ['Hi', 'a.txt']);
  assert.equal((await mg.messages.resendEmail(domain, storageKey, 'eve@gmail.com')).status, 200);
  assert.equal((await mg.messages.getMessagesQueueStatus(domain)).regular.is_disabled, false);
  await mg.messages.create(domain, message({ 'o:tag': ['news', 'old'] }));
  await drain();
}

const entries = {
  bounces: { address: 'a@x.com', code: 550, error: 'none' },
  complaints: { address: 'a@x.com' },
  unsubscribes: { address: 'a@x.com', tags: ['news'] },
  whitelists: { address: 'a@x.com', reason: 'a friend' },
};

async function suppressions() {
  for (const [kind, entry] of Object.entries(entries)) {
    const id = kind === 'whitelists' ? 'value' : 'address';
    const made = await mg.suppressions.create(domain, kind, kind === 'whitelists' ? entry : [entry]);
    assert.equal(made.status, 200);
    assert.equal((await mg.suppressions.get(domain, kind, 'a@x.com'))[id], 'a@x.com');
    const file = { data: `${id === 'value' ? 'address' : id}\nb@x.com\n`, filename: 'list.csv' };
    assert.match((await mg.suppressions.upload(domain, kind, file)).message, /uploaded/);
    await drain();
    const page = await mg.suppressions.list(domain, kind, { limit: 1 });
    const next = await mg.suppressions.list(domain, kind, { limit: 1, page: page.pages.next.page });
    assert.deepEqual(names([...page.items, ...next.items], id), ['a@x.com', 'b@x.com']);
    assert.equal((await mg.suppressions.destroy(domain, kind, 'a@x.com')).status, 200);
    assert.equal((await mg.suppressions.destroyAll(domain, kind)).status, 200);
    assert.equal(await status(mg.suppressions.get(domain, kind, 'b@x.com')), 404);
  }
}

async function reports() {
  const start = new Date(Date.now() - 3600 * 1000);
  const end = new Date(Date.now() + 60 * 1000);
  const logs = await mg.logs.list({ start, end, events: ['delivered'], pagination: { limit: 1 } });
  assert.equal(logs.items[0].event, 'delivered');
  const query = { start, end, resolution: 'hour', dimensions: ['time'], include_aggregates: true };
  const metrics = await mg.metrics.getAccount({ ...query, metrics: ['delivered_count'] });
  assert.ok(metrics.aggregates.metrics.delivered_count > 0);
  const usage = await mg.metrics.getAccountUsage({ ...query, metrics: ['processed_count'] });
  assert.ok(usage.aggregates.metrics.processed_count > 0);
  const classified = await mg.bounceClassification.list({ start, end, dimensions: ['entity-name'] });
  assert.deepEqual(classified.items, []);
  const counted = { event: ['accepted', 'failed'], duration: '1d' };
  assert.ok((await mg.stats.getDomain(domain, counted)).stats.at(-1).accepted.total > 0);
  assert.ok((await mg.stats.getAccount({ ...counted, start, duration: undefined })).stats.at(-1).accepted.total > 0);
}

async function tags() {
  const { domainTags } = mg.domains;
  assert.ok(names((await mg.tags.list({ pagination: { limit: 10 } })).items, 'tag').includes('news'));
  assert.equal((await mg.tags.update('news', 'from JavaScript')).message, 'Tag updated');
  assert.ok((await mg.tags.limits()).count > 1);
  assert.ok(names((await domainTags.list(domain, { limit: 10 })).items, 'tag').includes('news'));
  const tag = await domainTags.get(domain, 'news');
  assert.deepEqual([tag.description, Number.isNaN(tag['first-seen'].valueOf())], ['from JavaScript', false]);
  assert.ok((await domainTags.update(domain, 'news', 'new')).message);
  const statistic = await domainTags.statistic(domain, 'news', { event: 'accepted' });
  assert.equal(statistic.stats.at(-1).accepted.total, 1);
  assert.ok((await domainTags.countries(domain, 'news')).country);
  assert.equal((await domainTags.providers(domain, 'news')).provider['gmail.com'].delivered, 1);
  assert.ok((await domainTags.devices(domain, 'news')).device);
  assert.ok((await domainTags.destroy(domain, 'news')).message);
  assert.equal((await mg.tags.destroy('old')).message, 'Tag deleted');
}

async function templates() {
  const { domainTemplates } = mg.domains;
  const made = await domainTemplates.create(domain, { name: 'Welcome', description: 'x', template: '<b>Hi</b>', tag: 'v1' });
  assert.deepEqual([made.name, made.version.tag], ['welcome', 'v1']);
  assert.equal((await domainTemplates.update(domain, 'welcome', { description: 'new' })).templateName, 'welcome');
  assert.equal((await domainTemplates.get(domain, 'welcome', { active: 'yes' })).description, 'new');
  assert.deepEqual(names((await domainTemplates.list(domain, { limit: 5 })).items, 'name'), ['welcome']);
  await domainTemplates.createVersion(domain, 'welcome', { template: '<i>Hi</i>', tag: 'v2', active: 'yes' });
  assert.equal((await domainTemplates.getVersion(domain, 'welcome', 'v2')).version.active, true);
  const changed = await domainTemplates.updateVersion(domain, 'welcome', 'v2', { comment: 'new', active: 'yes' });
  assert.deepEqual([changed.templateName, changed.templateVersion], ['welcome', { tag: 'v2' }]);
  const { template } = await domainTemplates.listVersions(domain, 'welcome', { limit: 5 });
  assert.deepEqual(names(template.versions, 'tag'), ['v1', 'v2']);
  assert.ok((await domainTemplates.destroyVersion(domain, 'welcome', 'v1')).message);
  assert.ok((await domainTemplates.destroy(domain, 'welcome')).message);
  assert.ok((await domainTemplates.destroyAll(domain)).message);
}

async function routes() {
  const expression = 'match_recipient(".*@example.com")';
  const made = await mg.routes.create({ priority: 1, expression, action: ['store()', 'stop()'], description: 'x' });
  assert.deepEqual(await mg.routes.list({ limit: 5, skip: 0 }), [made]);
  assert.deepEqual(await mg.routes.get(made.id), made);
  assert.equal((await mg.routes.matchAddress('bob@example.com')).id, made.id);
  assert.equal((await mg.routes.update(made.id, { priority: 7 })).priority, 7);
  assert.equal((await mg.routes.destroy(made.id)).message, 'Route has been deleted');
}

async function lists() {
  const address = `devs@${domain}`;
  const { members } = mg.lists;
  assert.equal((await mg.lists.create({ address, name: 'Devs' })).address, address);
  assert.equal((await mg.lists.update(address, { description: 'Developers' })).description, 'Developers');
  assert.equal((await mg.lists.get(address)).name, 'Devs');
  assert.deepEqual(names((await mg.lists.list({ limit: 5 })).items, 'address'), [address]);
  assert.equal((await mg.lists.listByAddress({ address })).total_count, 1);
  await members.createMember(address, { address: 'bob@x.com', vars: { age: 26 }, subscribed: true });
  const two = [{ address: 'cat@x.com', name: 'Cat', vars: '{}', subscribed: true }, { address: 'dan@x.com' }];
  await members.createMembers(address, { members: two, upsert: 'yes' });
  await members.upload(address, { data: 'address,name\neve@x.com,Eve\n', filename: 'list.csv' });
  await drain();
  assert.equal((await members.updateMember(address, 'cat@x.com', { subscribed: false })).subscribed, false);
  assert.deepEqual((await members.getMember(address, 'bob@x.com')).vars, { age: 26 });
  const page = await members.listMembers(address, { limit: 3 });
  const rest = await members.listMembers(address, { limit: 3, page: page.pages.next.page });
  assert.deepEqual(names([...page.items, ...rest.items], 'address').map((each) => each[0]), ['b', 'c', 'd', 'e']);
  assert.equal((await members.listMembersByAddress(address, { subscribed: false })).total_count, 1);
  assert.equal((await members.destroyMember(address, 'bob@x.com')).member.address, 'bob@x.com');
  assert.ok((await mg.lists.destroy(address)).message);
}

async function webhooks() {
  assert.equal((await mg.webhooks.create(domain, 'clicked', `${receiver}/try`, true)).code, 200);
  assert.deepEqual((await mg.webhooks.create(domain, 'clicked', `${receiver}/one`)).urls, [`${receiver}/one`]);
  const both = [`${receiver}/one`, `${receiver}/two`];
  assert.deepEqual((await mg.webhooks.update(domain, 'clicked', both)).urls, both);
  assert.deepEqual((await mg.webhooks.get(domain, 'clicked')).urls, both);
  assert.deepEqual(Object.keys(await mg.webhooks.list(domain, {})), ['clicked']);
  assert.deepEqual((await mg.webhooks.destroy(domain, 'clicked')).urls, both);
}

async function apiKeys() {
  const about = { role: 'sending', kind: 'domain', domain_name: domain, description: 'x' };
  const { key: made } = await mg.apiKeys.create(about);
  const listed = await mg.apiKeys.list({ domain_name: domain, kind: 'domain' });
  assert.ok(names(listed.items, 'id').includes(made.id));
  assert.ok(listed.items.every((item) => item.created_at.valueOf()));
  assert.equal((await mg.apiKeys.destroy(made.id)).message, 'key deleted');
  assert.match((await mg.apiKeys.regeneratePublicKey()).key, /^pubkey-/);
}

async function sandbox() {
  const { accountManagement } = mg;
  const email = 'friend@example.com';
  assert.equal((await accountManagement.addSandboxAuthorizedRecipient(email)).recipient.email, email);
  assert.deepEqual(names((await accountManagement.getSandboxAuthorizedRecipients()).recipients, 'email'), [email]);
  assert.ok((await accountManagement.removeSandboxAuthorizedRecipient(email)).message);
}

const stories = [
  domains, keysOfDomains, credentials, messages, suppressions, reports, tags, templates, routes, lists, webhooks,
  apiKeys, sandbox, certificates,
];

const desk = { mg, url, domain, receiver, emulator, drain, status, names, message };
const parts = ['accounts', 'ips', 'validation', 'placement'];

async function main() {
  const more = parts.flatMap((part) => require(`./stories/${part}.cjs`)(desk));
  for (const story of [...more, ...stories]) await story();
  console.log(JSON.stringify(told()));
}

main().catch((error) => { console.error(error); process.exit(1); });
