// Webhooks with Mailgun's own JavaScript client. Prints what it was answered, as JSON.
const FormData = require('form-data');
const { default: Mailgun } = require('mailgun.js');

const [url, key, domain, receiver] = process.argv.slice(2);

async function main() {
  const mg = new Mailgun(FormData).client({ username: 'api', key, url });
  const tried = await mg.webhooks.create(domain, 'clicked', `${receiver}/try`, true);
  const made = await mg.webhooks.create(domain, 'accepted', `${receiver}/one`);
  const off = await mg.webhooks.create(domain, 'unsubscribe', `${receiver}/off`);
  const changed = await mg.webhooks.update(domain, 'accepted', [`${receiver}/one`, `${receiver}/two`]);
  const found = await mg.webhooks.get(domain, 'accepted');
  const list = await mg.webhooks.list(domain, {});
  const deleted = await mg.webhooks.destroy(domain, 'unsubscribe');
  let gone;
  try {
    gone = await mg.webhooks.get(domain, 'unsubscribe');
  } catch (error) {
    gone = { status: error.status, details: error.details };
  }
  console.log(JSON.stringify({ tried, made, off, changed, found, list, deleted, gone }));
}

main();
