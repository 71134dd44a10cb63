// A mailing list from its making to its end, with Mailgun's own JavaScript client. Prints what it was answered, as JSON.
const FormData = require('form-data');
const { default: Mailgun } = require('mailgun.js');

const [url, key, domain] = process.argv.slice(2);
const address = `devs@${domain}`;

async function drain() {
  await fetch(`${url}/_emulator/drain`, { method: 'POST' });
}

async function pagesOf(list, query) {
  const seen = [];
  let page = await list(query);
  while (page.items.length) {
    seen.push(page.items.map((item) => item.address));
    page = await list({ ...query, page: page.pages.next.page });
  }
  return seen;
}

async function main() {
  const mg = new Mailgun(FormData).client({ username: 'api', key, url });
  const { lists } = mg;
  const made = await lists.create({ address, name: 'Devs', access_level: 'everyone' });
  const changed = await lists.update(address, { description: 'Developers' });
  const one = await lists.members.createMember(address, {
    address: 'bob@x.com', name: 'Bob', vars: { age: 26 }, subscribed: true,
  });
  const bulk = await lists.members.createMembers(address, {
    members: [{ address: 'cat@x.com', name: 'Cat', vars: '{"age": 3}', subscribed: true }], upsert: 'yes',
  });
  const upload = await lists.members.upload(address, 'address,name\ndan@x.com,Dan\n', false, true);
  await drain();
  const left = await lists.members.updateMember(address, 'cat@x.com', { subscribed: false });
  const member = await lists.members.getMember(address, 'cat@x.com');
  const found = await lists.members.listMembersByAddress(address, { address: 'dan@x.com' });
  const pages = await pagesOf((query) => lists.members.listMembers(address, query), { limit: 2 });
  const all = await lists.list({ limit: 5 });
  const byAddress = await lists.listByAddress({ address });
  await mg.messages.create(domain, { from: `a@${domain}`, to: address, subject: 'x', text: 'Hi %recipient_name%' });
  await drain();
  const events = await mg.events.get(domain, { event: 'delivered', list: address });
  const gone = await lists.members.destroyMember(address, 'bob@x.com');
  const destroyed = await lists.destroy(address);
  let missing;
  try {
    missing = await lists.get(address);
  } catch (error) {
    missing = { status: error.status, details: error.details };
  }
  console.log(JSON.stringify({
    made, changed, one, bulk, upload, left, member, pages, gone, destroyed, missing,
    found: found.items.map((item) => item.subscribed),
    all: all.items.map((item) => item.members_count),
    total: byAddress.total_count,
    delivered: events.items.map((event) => event.recipient),
  }));
}

main();
