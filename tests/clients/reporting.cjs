// What Mailgun's own JavaScript client reads of logs, metrics, tags and statistics. Prints it as JSON.
const FormData = require('form-data');
const { default: Mailgun } = require('mailgun.js');

const [url, key, domain] = process.argv.slice(2);

async function main() {
  const mg = new Mailgun(FormData).client({ username: 'api', key, url });
  await mg.messages.create(domain, {
    from: `Ann <ann@${domain}>`, to: ['bob@gmail.com', 'bounce@example.com'], subject: 'Hi', text: 'hello', 'o:tag': ['js', 'sale'],
  });
  await fetch(`${url}/_emulator/drain`, { method: 'POST' });
  const start = new Date(Date.now() - 3600 * 1000);
  const end = new Date();
  const logs = await mg.logs.list({
    start, end, events: ['accepted', 'delivered'], include_totals: true, pagination: { sort: 'timestamp:asc', limit: 1 },
  });
  const more = await mg.logs.list({ start, end, pagination: { token: logs.pagination.next, limit: 1 } });
  const query = {
    start, end, resolution: 'hour', dimensions: ['time'], metrics: ['delivered_count', 'delivered_rate'],
    include_aggregates: true, pagination: { sort: 'time:asc', skip: 0, limit: 10 },
    filter: { AND: [{ attribute: 'domain', comparator: '=', values: [{ label: domain, value: domain }] }] },
  };
  const metrics = await mg.metrics.getAccount(query);
  const usage = await mg.metrics.getAccountUsage({ ...query, metrics: ['processed_count'] });
  const tags = await mg.tags.list({ include_metrics: true, pagination: { sort: 'tag:asc', limit: 10 } });
  const updated = await mg.tags.update('js', 'from JavaScript');
  const limits = await mg.tags.limits();
  const described = await mg.domains.domainTags.get(domain, 'js');
  const deleted = await mg.tags.destroy('js');
  const left = await mg.domains.domainTags.list(domain);
  const providers = await mg.domains.domainTags.providers(domain, 'sale');
  const bounces = await mg.bounceClassification.list({
    start, end, dimensions: ['entity-name'], metrics: ['classified_failures_count'], pagination: { limit: 10 },
  });
  console.log(JSON.stringify({
    logs, more, metrics, usage, tags, updated, limits, described, deleted, left, providers, bounces,
  }));
}

main().catch((error) => { console.error(error); process.exit(1); });
