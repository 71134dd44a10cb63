// Files in all the kinds that Mailgun's JavaScript client takes, over axios and over fetch. Prints what it was answered.
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { Readable } = require('node:stream');
const PackageFormData = require('form-data');
const { default: Mailgun } = require('mailgun.js');

const [url, key, domain] = process.argv.slice(2);
const clients = {
  axios: new Mailgun(PackageFormData).client({ username: 'api', key, url }),
  'axios, own FormData': new Mailgun(FormData).client({ username: 'api', key, url }),
  fetch: new Mailgun(FormData).client({ username: 'api', key, url, useFetch: true }),
};

const streams = (file) => [
  { data: fs.createReadStream(file), filename: 'file.txt', knownLength: 6 },
  { data: Readable.from([Buffer.from('a '), Buffer.from('stream')]), filename: 'straße.txt', knownLength: 8 },
];

async function main() {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'mailgun-'));
  process.on('exit', () => fs.rmSync(folder, { recursive: true }));
  const file = path.join(folder, 'file.txt');
  fs.writeFileSync(file, 'a file');
  const told = {};
  for (const [name, client] of Object.entries(clients)) {
    told[name] = await client.messages.create(domain, {
      from: `ann@${domain}`,
      to: ['bob@x.com'],
      subject: name,
      html: '<img src="cid:logo.png">',
      'o:tag': ['files'],
      'o:testmode': false,
      attachment: [
        { data: Buffer.from([0, 1, 255]), filename: 'buffer.bin' },
        { data: 'text', filename: 'text.txt', contentType: 'text/plain', knownLength: 4 },
        // The client's streams never leave it over fetch, whatever server they are for.
        ...(name === 'fetch' ? [new File(['a file'], 'file.txt'), new File(['a stream'], 'straße.txt')] : streams(file)),
      ],
      inline: { data: Buffer.from('PNG'), filename: 'logo.png', contentType: 'image/png' },
    });
  }
  told.mime = await clients.axios.messages.create(domain, {
    to: 'bob@x.com',
    message: Buffer.from(`From: ann@${domain}\r\nTo: bob@x.com\r\nSubject: mime\r\n\r\nHi\r\n`),
  });
  console.log(JSON.stringify(told));
}

main().catch((error) => { console.error(error); process.exit(1); });
