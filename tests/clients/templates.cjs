// Templates with Mailgun's own JavaScript client. Prints what it was answered, as JSON.
const FormData = require('form-data');
const { default: Mailgun } = require('mailgun.js');

const [url, key, domain] = process.argv.slice(2);

async function main() {
  const mg = new Mailgun(FormData).client({ username: 'api', key, url });
  const { domainTemplates } = mg.domains;
  const made = await domainTemplates.create(domain, {
    name: 'Welcome', description: 'greets', template: '<p>Hi {{name}}</p>', tag: 'V1',
  });
  await domainTemplates.create(domain, { name: 'zwei', description: '' });
  const version = await domainTemplates.createVersion(domain, 'welcome', {
    template: '<b>Hi {{name}}</b>', tag: 'v2', active: 'yes',
  });
  const page = await domainTemplates.list(domain, { limit: 1 });
  const next = await domainTemplates.list(domain, { limit: 1, page: page.pages.next.page });
  const found = await domainTemplates.get(domain, 'welcome', { active: 'yes' });
  const versions = await domainTemplates.listVersions(domain, 'welcome');
  const updated = await domainTemplates.updateVersion(domain, 'welcome', 'v1', { comment: 'old' });
  const sent = await mg.messages.create(domain, {
    from: `Ann <ann@${domain}>`, to: ['bob@x.com'], subject: 's', template: 'welcome',
    't:variables': JSON.stringify({ name: 'Bob' }), 't:text': true,
  });
  const destroyedVersion = await domainTemplates.destroyVersion(domain, 'welcome', 'v1');
  const destroyed = await domainTemplates.destroy(domain, 'zwei');
  const all = await domainTemplates.destroyAll(domain);
  console.log(JSON.stringify({
    made: made.version.tag, version: version.template.version.active,
    names: [...page.items, ...next.items].map((each) => each.name),
    active: found.version.tag, versions: versions.template.versions.map((each) => each.tag),
    updated, sent, destroyedVersion, destroyed, all,
  }));
}

main();
