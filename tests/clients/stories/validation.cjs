// Validation of addresses, with Mailgun's JavaScript client.
const assert = require('node:assert');

const ONE_OF_TWO = { catchAll: 0, deliverable: 1, doNotSend: 0, undeliverable: 1, unknown: 0 };

module.exports = ({ mg, domain, drain, names }) => {
  const bulk = mg.validate.multipleValidation;

  async function single() {
    const { result, risk, reason } = await mg.validate.get('bounce@example.com');
    assert.deepEqual([result, risk, reason], ['undeliverable', 'high', ['mailbox_does_not_exist']]);
    await assert.rejects(mg.validate.get(''), (error) => error.status === 400);
  }

  async function validatedLists() {
    const file = { filename: 'list.csv', data: 'email\nbounce@example.com\nbob@example.org\n' };
    const made = await bulk.create('customers', { file });
    assert.deepEqual([made.id, made.message, made.status], ['customers', 'The validation job was submitted.', 200]);
    await drain();
    const job = await bulk.get('customers');
    assert.deepEqual([job.status, job.quantity, job.recordsProcessed], ['uploaded', 2, 2]);
    assert.deepEqual(job.summary.result, ONE_OF_TWO);
    assert.ok(Math.abs(new Date(job.createdAt * 1000) - Date.now()) < 60_000);
    assert.equal((await fetch(job.downloadUrl.json)).headers.get('content-type'), 'application/zip');
    await bulk.create('second', { file: Buffer.from('email\nbob@example.org\n') });
    const page = await bulk.list({ limit: 1 });
    assert.deepEqual([names(page.jobs, 'id'), page.total], [['second'], 2]);
    const rest = await bulk.list({ limit: 1, page: page.pages.next.page });
    assert.deepEqual(names(rest.jobs, 'id'), ['customers']);
    assert.equal((await bulk.destroy('customers')).message, 'Validation job canceled.');
    await assert.rejects(bulk.get('nothing'), (error) => error.status === 404);
  }

  async function validatedMailingLists() {
    const address = `validated@${domain}`;
    await mg.lists.create({ address });
    await mg.lists.members.createMember(address, { address: 'bob@example.org' });
    assert.equal((await mg.lists.validate(address)).id, address);
    await drain();
    const { validationResult } = await mg.lists.validationResult(address);
    assert.deepEqual([validationResult.status, validationResult.summary.risk.low], ['uploaded', 1]);
    assert.ok(validationResult.created_at.valueOf());
    assert.equal((await mg.lists.cancelValidation(address)).message, 'Validation job canceled.');
    await mg.lists.destroy(address);
  }

  return [single, validatedLists, validatedMailingLists];
};
