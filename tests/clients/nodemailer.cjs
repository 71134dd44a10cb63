// Messages that nodemailer sends through its Mailgun transport, and one through SMTP. Prints what it was answered.
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { Readable } = require('node:stream');
const nodemailer = require('nodemailer');
const mailgun = require('nodemailer-mailgun-transport');

const [url, key, domain, closedKey, smtpPort, login, password] = process.argv.slice(2);
const { hostname: host, port, protocol } = new URL(url);

const transport = (options) => nodemailer.createTransport(mailgun(options));
const auth = { api_key: key, domain };
const from = { name: 'Ann', address: `ann@${domain}` };

async function refused(promise) {
  try {
    return { sent: await promise };
  } catch (error) {
    return { status: error.status, details: error.details };
  }
}

async function main() {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'nodemailer-'));
  process.on('exit', () => fs.rmSync(folder, { recursive: true }));
  const file = path.join(folder, 'path.txt');
  fs.writeFileSync(file, 'from a stream of a file');
  const byHost = transport({ auth, host, port, protocol });
  const byUrl = transport({ auth: { apiKey: key, domain }, url });
  const told = {};
  told.plain = await byHost.sendMail({
    from,
    to: [{ name: 'Bob', address: 'bob@x.com' }, 'cat@x.com'],
    cc: 'dan@x.com',
    bcc: { address: 'eve@x.com' },
    replyTo: 'reply@x.com',
    messageId: `<own@${domain}>`,
    subject: 'Plain',
    text: 'Text',
    html: '<a href="https://example.com/">HTML</a>',
    'h:X-Kind': 'nodemailer',
    'v:order': '7',
    'o:tag': ['one', 'two'],
    'o:tracking': true,
    'o:tracking-clicks': 'yes',
    'o:dkim': true,
    'o:require-tls': false,
  });
  told.files = await byUrl.sendMail({
    from: `ann@${domain}`,
    to: 'bob@x.com',
    subject: 'Files',
    html: '<img src="cid:logo.png">',
    attachments: [
      { filename: 'buffer.bin', content: Buffer.from([0, 1, 255]) },
      { filename: 'encoded.txt', content: 'aGVsbG8gd29ybGQh', encoding: 'base64' },
      { filename: 'typed.csv', content: 'a,b', contentType: 'text/csv' },
      { filename: 'stream.txt', content: Readable.from(['from ', 'a stream']), knownLength: 13 },
      { filename: 'path.txt', content: fs.createReadStream(file) },
      { cid: 'logo.png', content: Buffer.from('PNG'), contentType: 'image/png' },
    ],
  });
  told.template = await byUrl.sendMail({
    from: `ann@${domain}`,
    to: 'bob@x.com',
    subject: 'Template',
    template: 'welcome',
    'h:X-Mailgun-Variables': JSON.stringify({ name: 'Bob' }),
  });
  told.batch = await byUrl.sendMail({
    from: `ann@${domain}`,
    to: ['bob@x.com', 'cat@x.com'],
    subject: 'Batch for %recipient.name%',
    text: 'x',
    'recipient-variables': JSON.stringify({ 'bob@x.com': { name: 'Bob' }, 'cat@x.com': { name: 'Cat' } }),
    'o:testmode': true,
  });
  told.smtp = await nodemailer
    .createTransport({ host, port: Number(smtpPort), auth: { user: login, pass: password }, ignoreTLS: true })
    .sendMail({ from, to: 'bob@x.com', subject: 'By SMTP', text: 'x', headers: { 'X-Mailgun-Tag': 'smtp' } });
  told.closed = await refused(transport({ auth: { api_key: closedKey, domain }, url }).sendMail({ from, to: 'bob@x.com', text: 'x' }));
  told.nobody = await refused(byUrl.sendMail({ from, to: 'nobody', subject: 'x', text: 'x' }));
  told.empty = await refused(byUrl.sendMail({ from, to: 'bob@x.com', subject: 'x' }));
  console.log(JSON.stringify(told));
}

main().catch((error) => { console.error(error); process.exit(1); });
