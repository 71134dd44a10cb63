// A day's work with Mailgun's own JavaScript client. Prints what it was answered, as JSON.
const FormData = require('form-data');
const { default: Mailgun } = require('mailgun.js');

const [url, key, domain] = process.argv.slice(2);

async function drain() {
  await fetch(`${url}/_emulator/drain`, { method: 'POST' });
}

async function main() {
  const mg = new Mailgun(FormData).client({ username: 'api', key, url });
  const made = await mg.domains.create({ name: `js.${domain}` });
  const verified = await mg.domains.verify(`js.${domain}`);
  const tracking = await mg.domains.updateTracking(domain, 'click', { active: 'yes' });
  await mg.suppressions.create(domain, 'bounces', [{ address: 'gone@x.com', code: 550 }]);
  const sent = await mg.messages.create(domain, {
    from: `Ann <ann@${domain}>`,
    to: ['bob@x.com', 'gone@x.com'],
    subject: 'From JavaScript',
    text: 'hello',
    'o:tag': ['js'],
    attachment: { data: Buffer.from('some notes'), filename: 'notes.txt' },
  });
  await drain();
  const events = await mg.events.get(domain, { limit: 3 });
  const more = await mg.events.get(domain, { page: events.pages.next.page });
  const bounces = await mg.suppressions.list(domain, 'bounces', { limit: 1 });
  const stats = await mg.stats.getDomain(domain, { event: ['accepted', 'failed'], duration: '1d' });
  const deleted = await mg.domains.destroy(`js.${domain}`);
  let gone;
  try {
    gone = await mg.domains.get(`js.${domain}`);
  } catch (error) {
    gone = { status: error.status, details: error.details };
  }
  console.log(JSON.stringify({
    made: made.state, verified: verified.state, tracking, sent, deleted, gone,
    events: [...events.items, ...more.items].map((event) => `${event.event} ${event.recipient}`),
    bounces: bounces.items.map((bounce) => bounce.address),
    accepted: stats.stats.at(-1).accepted.total,
  }));
}

main();
