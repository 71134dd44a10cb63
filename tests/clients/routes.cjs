// Routes with Mailgun's own JavaScript client. Prints what it was answered, as JSON.
const FormData = require('form-data');
const { default: Mailgun } = require('mailgun.js');

const [url, key] = process.argv.slice(2);

async function main() {
  const { routes } = new Mailgun(FormData).client({ username: 'api', key, url });
  const made = await routes.create({
    priority: 1,
    expression: 'match_recipient(".*@example.com")',
    action: ['store()', 'stop()'],
  });
  const listed = await routes.list({ limit: 5 });
  const changed = await routes.update(made.id, { priority: 7 });
  const deleted = await routes.destroy(made.id);
  let gone;
  try {
    gone = await routes.get(made.id);
  } catch (error) {
    gone = { status: error.status, details: error.details };
  }
  console.log(JSON.stringify({ made, listed, changed, deleted, gone }));
}

main();
